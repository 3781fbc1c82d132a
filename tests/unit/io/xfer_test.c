/* Connections, proxies, and the contract of xfer.h's callbacks, with real peers. */
#include "http_peer.h"

#include <signal.h>

#include <sys/resource.h>
#include <sys/wait.h>

/* The first connection answers one request and dies at the second, after it has read it. */
static void die_at_the_second(struct peer *p, int fd)
{
	bool first = p->connection_count <= 1 && p->request_count == 0;

	if (!first) {
		keep_answering(p, fd);
		return;
	}
	answer_and_close(p, fd);
	read_request(p, fd);
}

/* Answers, then says the same once more, unasked, when the line has been quiet for a while. */
static void speak_unasked(struct peer *p, int fd)
{
	bool first = p->connection_count <= 1 && p->request_count == 0;

	if (!first) {
		keep_answering(p, fd);
		return;
	}
	answer_and_close(p, fd);
	usleep(30000);
	peer_say(fd, OK_2, strlen(OK_2));
	while (read_request(p, fd))
		;
}

/* ---- connections -------------------------------------------------------------------------- */

static void a_hundred_at_once_share_kept_connections_in_the_next_round(void **state)
{
	enum { MANY = 100 };
	struct peer *p = peer_open(keep_answering, OK_2);
	struct heard *h = mem_array(MANY, sizeof(*h));
	struct client c;

	(void)state;
	client_open(&c);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			struct request r;

			make_post(&r, p->port, "{}");
			client_start(&c, &r, &h[i]);
		}
		assert_int_equal(xfer_count(c.xfer), MANY);
		client_run(&c);
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(h[i].count, 1);
			assert_int_equal(h[i].reply.status, 200);
			assert_false(h[i].reply.maybe_sent);
		}
	}
	assert_int_equal(p->request_count, 3 * MANY);
	assert_in_range(p->connection_count, 1, MANY);
	client_close(&c);
	peer_close(p);
	mem_free(&h);
}

static void a_post_on_a_connection_that_died_is_not_repeated_behind_our_back(void **state)
{
	struct peer *p = peer_open(die_at_the_second, OK_2);
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_false(h.reply.maybe_sent);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_CUT);
	assert_int_equal(h.reply.status, 0);
	assert_true(h.reply.maybe_sent);
	assert_string_equal(h.error,
			    "connection cut: the kept connection died under the request");
	assert_int_equal(p->request_count, 2);
	client_close(&c);
	peer_close(p);
}

/* Nobody has answered it: what lay on the line was said before it was asked. */
static void what_is_said_unasked_on_a_kept_connection_is_no_answer(void **state)
{
	struct peer *p =
		peer_open(speak_unasked, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 503);
	usleep(80000);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 503);
	assert_false(h.reply.maybe_sent);
	assert_int_equal(p->request_count, 2);
	client_close(&c);
	peer_close(p);
}

static void count_turn(void *arg)
{
	(*(int *)arg)++;
}

static void a_kept_connection_that_ends_leaves_the_loop_asleep(void **state)
{
	struct peer *p = peer_open(answer_and_close, OK_2);
	struct client c;
	struct request r;
	struct heard h;
	int turns = 0;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	turn_on_end(c.turn, count_turn, &turns);
	timer_set(c.deadline, 200);
	turn_run(c.turn);
	assert_true(turns < 20);
	c.late = false;
	turn_on_end(c.turn, client_stop_when_idle, &c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	assert_int_equal(p->connection_count, 2);
	client_close(&c);
	peer_close(p);
}

static void the_environment_names_no_proxy_and_the_request_may(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct peer *proxy = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("no_proxy", "127.0.0.1", 1);
	client_open(&c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	make_post(&r, 1, "{}");
	r.proxy = mem_printf("http://u:p@127.0.0.1:%d", proxy->port);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	assert_true(peer_saw(proxy, "POST http://127.0.0.1:1/hook/"));
	assert_true(peer_saw(proxy, "Proxy-Authorization: Basic dTpw"));
	client_close(&c);
	unsetenv("http_proxy");
	unsetenv("no_proxy");
	peer_close(p);
	peer_close(proxy);
}

static void a_proxy_that_refuses_the_tunnel_let_nothing_through(void **state)
{
	struct peer *proxy =
		peer_open(keep_answering, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, 1, "{}");
	mem_free(&r.url);
	r.url = mem_strdup("https://127.0.0.1:1/secret-path");
	r.proxy = mem_printf("http://u:hush@127.0.0.1:%d", proxy->port);
	client_ask(&c, &r, &h);
	print_message("  %s\n", h.error);
	assert_int_equal(h.reply.kind, REPLY_CONNECT);
	assert_false(h.reply.maybe_sent);
	assert_null(strstr(h.error, "hush"));
	client_close(&c);
	peer_close(proxy);
}

static void a_proxy_that_cannot_be_used_is_not_told_to_anybody(void **state)
{
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, 1, "{}");
	r.proxy = mem_strdup("gopher://u:hush@127.0.0.1:1");
	client_ask(&c, &r, &h);
	print_message("  %s\n", h.error);
	assert_int_equal(h.reply.kind, REPLY_CONNECT);
	assert_null(strstr(h.error, "hush"));
	client_close(&c);
}

/* ---- the contract of callbacks ------------------------------------------------------------ */

static void cutting_ends_all_at_once_each_with_one_callback(void **state)
{
	struct peer *p = peer_open(hang, "");
	struct client c;
	struct request r;
	struct heard h[3], refused;

	(void)state;
	client_open(&c);
	for (int i = 0; i < 3; i++) {
		make_post(&r, p->port, "{}");
		client_start(&c, &r, &h[i]);
	}
	/* Until the requests have arrived. */
	turn_on_end(c.turn, NULL, NULL);
	for (int i = 0; i < 200 && p->request_count < 3; i++) {
		timer_set(c.deadline, 10);
		turn_run(c.turn);
	}
	assert_int_equal(p->request_count, 3);
	make_post(&r, p->port, "{}");
	r.method[0] = '\n';
	client_start(&c, &r, &refused);
	xfer_cut(c.xfer);
	assert_int_equal(xfer_count(c.xfer), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(h[i].count, 1);
		assert_int_equal(h[i].reply.kind, REPLY_CUT);
		assert_true(h[i].reply.maybe_sent);
	}
	assert_int_equal(refused.count, 1);
	assert_false(refused.reply.maybe_sent);
	client_close(&c);
	peer_close(p);
}

static void what_is_cut_before_it_connected_was_not_sent(void **state)
{
	struct peer *p = peer_open(hang, "");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	client_start(&c, &r, &h);
	assert_int_equal(h.count, 0);
	xfer_cut(c.xfer);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.reply.kind, REPLY_CUT);
	assert_false(h.reply.maybe_sent);
	client_close(&c);
	peer_close(p);
}

struct start_in_hook {
	struct client *c;
	struct heard *h;
	int port, left;
};

static void start_one_at_end(void *arg)
{
	struct start_in_hook *s = arg;
	struct request r;

	if (s->left > 0 && xfer_count(s->c->xfer) == 0) {
		s->left--;
		make_post(&r, s->port, "{}");
		client_start(s->c, &r, s->h);
	} else if (s->left == 0) {
		client_stop_when_idle(s->c);
	}
}

static void a_transfer_started_at_the_end_of_a_turn_completes(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct heard h;
	struct start_in_hook s = { .c = &c, .h = &h, .port = p->port, .left = 3 };

	(void)state;
	client_open(&c);
	turn_on_end(c.turn, start_one_at_end, &s);
	client_run(&c);
	assert_int_equal(h.reply.status, 200);
	assert_int_equal(p->request_count, 3);
	assert_int_equal(p->connection_count, 1);
	client_close(&c);
	peer_close(p);
}

static void start_another(void *arg, const struct reply *reply)
{
	struct client *c = arg;
	struct request r;

	(void)reply;
	make_post(&r, 1, "{}");
	xfer_start(c->xfer, &r, start_another, c);
}

static void as_many_sockets_may_be_open_as_the_machine_allows(void **state)
{
	struct rlimit before, after;
	struct client c;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit few = { .rlim_cur = 100, .rlim_max = before.rlim_max };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	client_open(&c);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_true(after.rlim_cur == before.rlim_max || after.rlim_cur >= 10000);
	client_close(&c);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_question_on_a_connection_that_died_is_asked_again(void **state)
{
	struct peer *p = peer_open(die_at_the_second, OK_2);
	struct client c;
	struct heard h;

	(void)state;
	client_open(&c);
	for (int i = 0; i < 2; i++) {
		struct request r;

		make_post(&r, p->port, "");
		mem_free(&r.method);
		r.method = mem_strdup("GET");
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.status, 200);
	}
	assert_true(h.reply.maybe_sent);
	assert_int_equal(p->request_count, 3);
	client_close(&c);
	peer_close(p);
}

static void starting_from_a_callback_is_our_bug(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct client c;
		struct request r;

		signal(SIGABRT, SIG_DFL);
		assert_non_null(freopen("/dev/null", "w", stderr));
		client_open(&c);
		make_post(&r, 1, "{}");
		xfer_start(c.xfer, &r, start_another, &c);
		turn_run(c.turn);
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_at_once_share_kept_connections_in_the_next_round),
		cmocka_unit_test(
			a_post_on_a_connection_that_died_is_not_repeated_behind_our_back),
		cmocka_unit_test(what_is_said_unasked_on_a_kept_connection_is_no_answer),
		cmocka_unit_test(a_kept_connection_that_ends_leaves_the_loop_asleep),
		cmocka_unit_test(the_environment_names_no_proxy_and_the_request_may),
		cmocka_unit_test(a_proxy_that_refuses_the_tunnel_let_nothing_through),
		cmocka_unit_test(a_proxy_that_cannot_be_used_is_not_told_to_anybody),
		cmocka_unit_test(cutting_ends_all_at_once_each_with_one_callback),
		cmocka_unit_test(what_is_cut_before_it_connected_was_not_sent),
		cmocka_unit_test(a_transfer_started_at_the_end_of_a_turn_completes),
		cmocka_unit_test(a_question_on_a_connection_that_died_is_asked_again),
		cmocka_unit_test(as_many_sockets_may_be_open_as_the_machine_allows),
		cmocka_unit_test(starting_from_a_callback_is_our_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
