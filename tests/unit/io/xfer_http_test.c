/* What receivers answer, from the polite to the endless, and what is made of it. */
#include "http_peer.h"

/* ---- peers -------------------------------------------------------------------------------- */

static void reset(struct peer *p, int fd)
{
	struct linger now = { .l_onoff = 1 };

	read_request(p, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* The script, then x without end. */
static void never_end(struct peer *p, int fd)
{
	static char flood[4096];

	memset(flood, 'x', sizeof(flood));
	read_request(p, fd);
	peer_say(fd, p->script, strlen(p->script));
	while (peer_say(fd, flood, sizeof(flood)))
		;
}

/* Header lines without end, of 100 bytes each. */
static void never_end_headers(struct peer *p, int fd)
{
	char line[101];

	snprintf(line, sizeof(line), "X-Flood: %088d\r\n", 0);
	read_request(p, fd);
	peer_say(fd, p->script, strlen(p->script));
	while (peer_say(fd, line, strlen(line)))
		;
}

/* Answers before the body has come, and does not take the rest. */
static void refuse_early(struct peer *p, int fd)
{
	char line[4096];

	while (peer_line(p, fd, line, sizeof(line)) > 2)
		;
	peer_say(fd, p->script, strlen(p->script));
	shutdown(fd, SHUT_WR);
	usleep(20000);
}

/* Posts "{}" to a peer and gives the reply. */
static void post_to(void (*serve)(struct peer *, int), const char *script, struct heard *h)
{
	struct peer *p = peer_open(serve, script);
	struct client c;
	struct request r;

	client_open(&c);
	make_post(&r, p->port, "{}");
	client_ask(&c, &r, h);
	client_close(&c);
	peer_close(p);
}

static void a_post_arrives_as_it_was_and_its_answer_comes_back(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;
	struct err err;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{\"a\":1}");
	assert_true(request_header(&r, "Content-Type", "application/json", &err));
	assert_true(request_header(&r, "X-Empty", "", &err));
	r.bearer = mem_strdup("tok");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 200);
	assert_string_equal(h.body, "ok");
	assert_string_equal(h.headers, "Content-Length: 2\r\nRetry-After: 7\r\n");
	assert_string_equal(h.error, "");
	assert_false(h.reply.maybe_sent);
	assert_true(h.reply.at > 1700000000000 && h.reply.took_ms >= 0);
	assert_null(r.url); /* moved */
	client_close(&c);
	assert_true(peer_saw(p, "POST /hook/secret-path?a=b HTTP/1.1\r\n"));
	assert_true(peer_saw(p, "Content-Type: application/json\r\n"));
	assert_true(peer_saw(p, "X-Empty:\r\n"));
	assert_true(peer_saw(p, "Authorization: Bearer tok\r\n"));
	assert_true(peer_saw(p, "\r\n\r\n{\"a\":1}"));
	assert_false(peer_saw(p, "Expect"));
	assert_false(peer_saw(p, "Accept-Encoding"));
	peer_close(p);
}

static void a_body_is_not_called_a_form(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	r.username = mem_strdup("Aladdin");
	r.password = mem_strdup("open sesame");
	client_ask(&c, &r, &h);
	client_close(&c);
	assert_false(peer_saw(p, "Content-Type"));
	assert_true(peer_saw(p, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
	peer_close(p);
}

static void a_large_body_is_sent_whole_without_asking_first(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;
	char *large = mem_new(REQUEST_BODY_MAX + 1);

	(void)state;
	client_open(&c);
	memset(large, 'y', REQUEST_BODY_MAX);
	make_post(&r, p->port, large);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	assert_false(peer_saw(p, "Expect"));
	client_close(&c);
	peer_close(p);
	mem_free(&large);
}

static void other_methods_are_what_they_say(void **state)
{
	static const struct {
		const char *method, *body, *seen;
	} cases[] = {
		{ "GET", "", "GET /" },
		{ "DELETE", "", "DELETE /" },
		{ "PUT", "{}", "PUT /" },
		{ "POST", "", "Content-Length: 0\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer *p = peer_open(keep_answering, OK_2);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_post(&r, p->port, cases[i].body);
		mem_free(&r.method);
		r.method = mem_strdup(cases[i].method);
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.status, 200);
		assert_true(peer_saw(p, cases[i].seen));
		client_close(&c);
		peer_close(p);
	}
}

/* Requests that differ in all that an easy handle keeps. */
static void make_unlike(struct request *r, int port, size_t which)
{
	struct err err;

	make_post(r, port, which == 4 || which == 5 ? "" : "{\"a\":1}");
	if (which == 1 || which == 2) {
		r->username = mem_strdup("Aladdin");
		r->password = mem_strdup("open sesame");
	}
	if (which == 2)
		r->sigv4 = mem_strdup("aws:amz:all:sns");
	if (which == 3)
		r->bearer = mem_strdup("tok");
	if (which == 4 || which == 6) {
		mem_free(&r->method);
		r->method = mem_strdup(which == 4 ? "GET" : "PUT");
	}
	if (which == 6)
		assert_true(request_header(r, "X-More", "1", &err));
	if (which == 7) {
		mem_free(&r->url);
		r->url = mem_printf("http://u:p@127.0.0.1:%d/there/../here", port);
	}
	if (which == 8)
		r->proxy = mem_printf("http://u:p@127.0.0.1:%d", port);
}

/* What the peer sees of the second of two requests of one client, or of that alone. */
static char *see(struct peer *p, int first, size_t second)
{
	struct client c;
	struct request r;
	struct heard h;

	client_open(&c);
	if (first >= 0) {
		make_unlike(&r, p->port, (size_t)first);
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.status, 200);
	}
	peer_forget(p);
	make_unlike(&r, p->port, second);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 200);
	client_close(&c);
	/* The time of a signature may be another by now. */
	for (char *date = p->seen; (date = strstr(date, "X-Amz-Date")) != NULL;)
		memset(date, '.', strcspn(date, "\r"));
	for (char *sign = p->seen; (sign = strstr(sign, "Signature=")) != NULL;)
		memset(sign, '.', strcspn(sign, "\r"));
	return mem_strdup(p->seen);
}

static void a_request_takes_nothing_over_from_the_one_before(void **state)
{
	enum { KINDS = 9 };
	struct peer *p = peer_open(keep_answering, OK_2);

	(void)state;
	for (size_t second = 0; second < KINDS; second++) {
		char *alone = see(p, -1, second);

		assert_true(second != 7 || strstr(alone, "POST /there/../here ") != NULL);
		for (int first = 0; first < KINDS; first++) {
			char *seen = see(p, first, second);

			assert_string_equal(seen, alone);
			mem_free(&seen);
		}
		mem_free(&alone);
	}
	peer_close(p);
}

static void a_url_that_makes_no_sense_is_no_place_and_the_next_is_again(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	for (int i = 0; i < 4; i++) {
		bool is_nonsense = i == 1 || i == 2;

		make_post(&r, p->port, "{}");
		if (is_nonsense) {
			mem_free(&r.url);
			r.url = mem_printf("http://127.0.0.1:%d000000/hook", p->port);
		}
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.kind, is_nonsense ? REPLY_LOCAL : REPLY_ANSWERED);
		assert_false(h.reply.maybe_sent);
	}
	client_close(&c);
	assert_int_equal(p->request_count, 2);
	peer_close(p);
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	struct peer *target = peer_open(keep_answering, OK_2);
	char script[256];
	struct heard h;

	(void)state;
	snprintf(
		script, sizeof(script),
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n",
		target->port);
	post_to(keep_answering, script, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 302);
	assert_int_equal(target->connection_count, 0);
	peer_close(target);
}

static void what_fails_after_it_was_sent_may_have_arrived(void **state)
{
	static const struct {
		void (*serve)(struct peer *, int);
		const char *script;
		enum reply_kind kind;
		int status;
	} cases[] = {
		{ reset, "", REPLY_CUT, 0 },
		{ answer_and_close, "", REPLY_CUT, 0 },
		{ answer_and_close, "HTTP/1.1 200 OK\r\nContent-Le", REPLY_CUT, 200 },
		{ answer_and_close, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		  REPLY_CUT, 200 },
		{ answer_and_close,
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort", REPLY_CUT,
		  200 },
		{ answer_and_close, "SSH-2.0-OpenSSH_9.2\r\n", REPLY_GARBLED, 0 },
		{ answer_and_close, "HTTP/1.1 100 Continue\r\n\r\n", REPLY_CUT, 0 },
		{ never_end_headers, "HTTP/1.1 200 OK\r\n", REPLY_GARBLED, 200 },
		{ never_end, "HTTP/1.1 200 OK\r\nX-Long: ", REPLY_GARBLED, 200 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct heard h;

		post_to(cases[i].serve, cases[i].script, &h);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, cases[i].kind);
		assert_int_equal(h.reply.status, cases[i].status);
		assert_true(h.reply.maybe_sent);
		assert_string_not_equal(h.error, "");
	}
}

static void a_peer_that_hangs_is_left_in_time(void **state)
{
	struct peer *p = peer_open(hang, "");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	r.timeout_ms = 150;
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_TIMEOUT);
	assert_true(h.reply.maybe_sent);
	assert_in_range(h.reply.took_ms, 140, 1500);
	client_close(&c);
	peer_close(p);
}

static void what_never_reached_anybody_was_not_sent(void **state)
{
	static const struct {
		const char *url;
		enum reply_kind kind;
	} cases[] = {
		{ "http://127.0.0.1:1/secret-path", REPLY_CONNECT },
		/* A label of 64 characters: no resolver asks anybody for that. */
		{ "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/secret-path",
		  REPLY_RESOLVE },
		{ "file:///etc/secret-path", REPLY_LOCAL },
		{ "smtp://127.0.0.1:1/secret-path", REPLY_LOCAL },
		{ "secret-path:", REPLY_LOCAL },
		{ "http://127.0.0.1/secret-path\r\nX: y", REPLY_LOCAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_post(&r, 1, "{}");
		mem_free(&r.url);
		r.url = mem_strdup(cases[i].url);
		client_ask(&c, &r, &h);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, cases[i].kind);
		assert_false(h.reply.maybe_sent);
		assert_null(strstr(h.error, "secret-path"));
		client_close(&c);
	}
}

static void a_header_with_a_line_break_goes_nowhere(void **state)
{
	struct peer *p = peer_open(keep_answering, OK_2);
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_post(&r, p->port, "{}");
	r.headers = mem_array(1, sizeof(*r.headers));
	r.headers[r.header_count++] = mem_strdup("X-A: ok\r\nX-Injected: yes");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_LOCAL);
	assert_int_equal(p->connection_count, 0);
	client_close(&c);
	peer_close(p);
}

/* ---- bounds ------------------------------------------------------------------------------- */

static void an_endless_body_is_cut_where_it_was_asked_to(void **state)
{
	struct heard h;

	(void)state;
	post_to(never_end, "HTTP/1.1 503 Busy\r\n\r\n", &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 503);
	assert_int_equal(h.reply.body_len, REPLY_BODY_MAX);
	assert_true(h.reply.body_cut);
	assert_false(h.reply.maybe_sent);
}

static void a_body_of_exactly_the_bound_is_whole_and_one_byte_more_is_not(void **state)
{
	static const struct {
		const char *script;
		bool whole;
		enum reply_kind kind;
		bool cut;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", true, REPLY_ANSWERED,
		  false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456", true, REPLY_TOO_LARGE,
		  true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", false, REPLY_ANSWERED,
		  false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456", false, REPLY_ANSWERED,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer *p = peer_open(keep_answering, cases[i].script);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_post(&r, p->port, "");
		r.reply_max = 5;
		r.reply_whole = cases[i].whole;
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.kind, cases[i].kind);
		assert_int_equal(h.reply.body_cut, cases[i].cut);
		assert_string_equal(h.body, "12345");
		assert_int_equal(h.reply.status, 200);
		client_close(&c);
		peer_close(p);
	}
}

static void of_many_headers_the_first_are_kept(void **state)
{
	static char script[40000];
	size_t len = (size_t)snprintf(script, sizeof(script),
				      "HTTP/1.1 429 Slow\r\nRetry-After: 9\r\n");
	struct heard h;
	char value[16];

	(void)state;
	for (int i = 0; i < 300; i++)
		len += (size_t)snprintf(script + len, sizeof(script) - len, "X-%03d: %090d\r\n",
					i, 0);
	snprintf(script + len, sizeof(script) - len, "Content-Length: 0\r\n\r\n");
	post_to(keep_answering, script, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 429);
	assert_in_range(strlen(h.headers), 8000, 8192);
	h.reply.headers = h.headers;
	assert_true(reply_header(&h.reply, "retry-after", value, sizeof(value)));
	assert_string_equal(value, "9");
}

static void an_interim_answer_leaves_no_headers_behind(void **state)
{
	struct heard h;

	(void)state;
	post_to(keep_answering, "HTTP/1.1 103 Hints\r\nRetry-After: 99\r\n\r\n" OK_2, &h);
	assert_int_equal(h.reply.status, 200);
	assert_string_equal(h.headers, "Content-Length: 2\r\nRetry-After: 7\r\n");
}

/* Nobody can have read what was not written: a yes to half a message is none. */
static void a_yes_before_the_message_is_whole_is_no_answer(void **state)
{
	static const char *const scripts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 204 None\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	};
	char *large = mem_new(REQUEST_BODY_MAX + 1);

	(void)state;
	memset(large, 'y', REQUEST_BODY_MAX);
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct peer *p = peer_open(refuse_early, scripts[i]);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_post(&r, p->port, large);
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.kind, REPLY_CUT);
		assert_int_equal(h.reply.status, 0);
		assert_true(h.reply.maybe_sent);
		client_close(&c);
		peer_close(p);
	}
	mem_free(&large);
}

static void a_refusal_in_the_middle_of_a_body_is_an_answer(void **state)
{
	struct peer *p =
		peer_open(refuse_early, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n"
					"Connection: close\r\n\r\n");
	struct client c;
	struct request r;
	struct heard h;
	char *large = mem_new(REQUEST_BODY_MAX + 1);

	(void)state;
	client_open(&c);
	memset(large, 'y', REQUEST_BODY_MAX);
	make_post(&r, p->port, large);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 413);
	client_close(&c);
	peer_close(p);
	mem_free(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_arrives_as_it_was_and_its_answer_comes_back),
		cmocka_unit_test(a_body_is_not_called_a_form),
		cmocka_unit_test(a_large_body_is_sent_whole_without_asking_first),
		cmocka_unit_test(other_methods_are_what_they_say),
		cmocka_unit_test(a_request_takes_nothing_over_from_the_one_before),
		cmocka_unit_test(a_url_that_makes_no_sense_is_no_place_and_the_next_is_again),
		cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
		cmocka_unit_test(what_fails_after_it_was_sent_may_have_arrived),
		cmocka_unit_test(a_peer_that_hangs_is_left_in_time),
		cmocka_unit_test(what_never_reached_anybody_was_not_sent),
		cmocka_unit_test(a_header_with_a_line_break_goes_nowhere),
		cmocka_unit_test(an_endless_body_is_cut_where_it_was_asked_to),
		cmocka_unit_test(a_body_of_exactly_the_bound_is_whole_and_one_byte_more_is_not),
		cmocka_unit_test(of_many_headers_the_first_are_kept),
		cmocka_unit_test(an_interim_answer_leaves_no_headers_behind),
		cmocka_unit_test(a_yes_before_the_message_is_whole_is_no_answer),
		cmocka_unit_test(a_refusal_in_the_middle_of_a_body_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
