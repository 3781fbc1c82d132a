/* httpd.h: bytes that a client sends, over a real socket, and the bytes it gets back. */
#include "io/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LOOK_MS = 5, DEADLINE_MS = 5000, GOT_MAX = 8 << 20 };

/* A server whose handler tells what it saw, and one client of it. */
struct scene {
	struct turn *turn;
	struct httpd *server;
	struct timer *look;
	int fd;
	struct buf got;
	int ended; /* 0 while open, 1 orderly, else the errno */
	int64_t began;
	int64_t first_byte_ms;
	int64_t leave_after_ms; /* the client hangs up itself; 0: waits for the end */
	size_t calls;
	const char *body; /* what the handler answers; NULL: what it saw */
	enum httpd_misdeed misdeed;
};

static void tell(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct scene *s = arg;
	const char *query = httpd_query(request, "q");
	const char *header = httpd_header(request, "x-word");

	s->calls++;
	answer->misdeed = s->misdeed;
	httpd_answer_header(answer, "X-Split", "a\r\nb: c");
	if (s->body != NULL)
		buf_adds(&answer->body, s->body);
	else
		buf_addf(&answer->body, "%s %s q=%s word=%s body=%zu loopback=%d",
			 request->method, request->path, query == NULL ? "-" : query,
			 header == NULL ? "-" : header, request->body_len,
			 request->from_loopback);
}

static int64_t age_ms(const struct scene *s)
{
	return clock_steady() - s->began;
}

/* Reads what is there; what ends the connection, or takes too long, ends the loop. */
static void look(void *arg)
{
	struct scene *s = arg;
	char bytes[65536];
	ssize_t n;

	while ((n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (s->got.len == 0)
			s->first_byte_ms = age_ms(s);
		buf_add(&s->got, bytes, (size_t)n);
	}
	if (n == 0)
		s->ended = 1;
	else if (errno != EAGAIN)
		s->ended = errno;
	if (s->ended != 0 || age_ms(s) > DEADLINE_MS ||
	    (s->leave_after_ms > 0 && age_ms(s) > s->leave_after_ms))
		turn_stop(s->turn);
	else
		timer_set(s->look, LOOK_MS);
}

static int dial(const struct scene *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(httpd_port(s->server)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void open_scene(struct scene *s, const struct httpd_settings *settings)
{
	struct httpd_settings full = *settings;
	struct err err = { "" };

	full.address = "127.0.0.1";
	full.handle = tell;
	full.arg = s;
	s->turn = turn_new();
	s->server = httpd_new(s->turn, &full, &err);
	if (s->server == NULL)
		fail_msg("%s", err.text);
	s->look = timer_new(s->turn, look, s);
	buf_init(&s->got, GOT_MAX);
}

/* Sends in a thread of the kernel's: all of it must fit the socket's buffers. */
static void ask(struct scene *s, const char *bytes, size_t len)
{
	s->fd = dial(s);
	s->began = clock_steady();
	assert_int_equal(send(s->fd, bytes, len, MSG_NOSIGNAL), len);
	timer_set(s->look, LOOK_MS);
	turn_run(s->turn);
}

static void close_scene(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	timer_free(&s->look);
	httpd_free(&s->server);
	turn_free(&s->turn);
	buf_release(&s->got);
}

static void ask_once(struct scene *s, const char *request)
{
	open_scene(s, &(struct httpd_settings){ 0 });
	ask(s, request, strlen(request));
}

static void assert_got(const struct scene *s, const char *part)
{
	if (strstr(s->got.data, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, s->got.data);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void a_handler_sees_the_decoded_request(void **state)
{
	struct scene s = { 0 };

	(void)state;
	ask_once(&s, "POST /a%20b?q=x%26y+z&q=second HTTP/1.1\r\nHost: h\r\nX-WORD: w\r\n"
		     "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
	assert_got(&s, "HTTP/1.1 200 OK\r\n");
	assert_got(&s, "POST /a b q=x&y z word=w body=5 loopback=1");
	assert_got(&s, "\r\nDate: ");
	assert_int_equal(s.ended, 1);
	close_scene(&s);
}

static void a_header_value_cannot_begin_a_second_header(void **state)
{
	struct scene s = { 0 };

	(void)state;
	ask_once(&s, GET("/"));
	assert_got(&s, "X-Split: a  b: c\r\n");
	close_scene(&s);
}

static void one_connection_carries_many_requests(void **state)
{
	struct scene s = { 0 };

	(void)state;
	ask_once(&s, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
		     "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n" GET("/3"));
	assert_int_equal(s.calls, 3);
	assert_got(&s, "GET /1 ");
	assert_got(&s, "GET /2 ");
	assert_got(&s, "GET /3 ");
	close_scene(&s);
}

static void post(struct scene *s, size_t declared, size_t sent)
{
	struct buf request;

	buf_init(&request, 1 << 20);
	buf_addf(
		&request,
		"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		declared);
	for (size_t i = 0; i < sent; i++)
		buf_addc(&request, 'x');
	open_scene(s, &(struct httpd_settings){ .body_max = 1000 });
	ask(s, request.data, request.len);
	buf_release(&request);
}

static void a_body_at_the_cap_is_taken_and_one_more_byte_is_not(void **state)
{
	static const struct {
		size_t declared;
		size_t sent;
		const char *status;
		size_t calls;
	} rows[] = {
		{ 0, 0, " 200 ", 1 },       { 1000, 1000, " 200 ", 1 },
		{ 1001, 1001, " 413 ", 0 }, { 7000, 7000, " 413 ", 0 },
		{ 900000, 0, " 413 ", 0 }, /* not read at all */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = { 0 };

		post(&s, rows[i].declared, rows[i].sent);
		assert_got(&s, rows[i].status);
		assert_int_equal(s.calls, rows[i].calls);
		close_scene(&s);
	}
}

static void too_many_parameters_are_refused(void **state)
{
	struct scene s = { 0 };
	struct buf request;

	(void)state;
	buf_init(&request, 4096);
	buf_adds(&request, "GET /?");
	for (int i = 0; i <= HTTPD_PAIRS_MAX; i++)
		buf_addf(&request, "a%d=1&", i);
	buf_adds(&request, " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	ask_once(&s, request.data);
	assert_got(&s, " 431 ");
	assert_int_equal(s.calls, 0);
	buf_release(&request);
	close_scene(&s);
}

static void a_silent_client_is_let_go(void **state)
{
	struct scene s = { 0 };

	(void)state;
	open_scene(&s, &(struct httpd_settings){ .idle_ms = 1000 });
	ask(&s, "GET / HT", 8);
	assert_int_not_equal(s.ended, 0);
	assert_in_range(age_ms(&s), 500, 4000);
	close_scene(&s);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct scene s = { 0 };
	struct buf body;

	(void)state;
	buf_init(&body, 4 << 20);
	while (body.len < 3 << 20)
		buf_addf(&body, "%zu ", body.len);
	s.body = body.data;
	ask_once(&s, GET("/"));
	assert_true(s.got.len > body.len);
	assert_string_equal(s.got.data + s.got.len - body.len, body.data);
	buf_release(&body);
	close_scene(&s);
}

static void a_reset_is_a_reset(void **state)
{
	struct scene s = { .misdeed = HTTPD_RESET };

	(void)state;
	ask_once(&s, GET("/"));
	assert_int_equal(s.ended, ECONNRESET);
	assert_int_equal(s.got.len, 0);
	close_scene(&s);
}

static void a_truncated_answer_promises_all_and_sends_half(void **state)
{
	struct scene s = { .misdeed = HTTPD_TRUNCATE, .body = "0123456789" };

	(void)state;
	ask_once(&s, GET("/"));
	assert_got(&s, "Content-Length: 10\r\n");
	assert_string_equal(strstr(s.got.data, "\r\n\r\n") + 4, "01234");
	assert_int_equal(s.ended, 1);
	close_scene(&s);
}

static void a_dripping_answer_takes_its_time_and_is_whole(void **state)
{
	struct scene s = { .misdeed = HTTPD_DRIP, .body = "01234" };

	(void)state;
	ask_once(&s, GET("/"));
	assert_string_equal(strstr(s.got.data, "\r\n\r\n") + 4, "01234");
	assert_in_range(age_ms(&s), 4 * HTTPD_DRIP_MS - 50, 2000);
	close_scene(&s);
}

static void a_hanging_request_holds_nobody_else_up(void **state)
{
	struct scene s = { .misdeed = HTTPD_HANG, .leave_after_ms = 300 };

	(void)state;
	ask_once(&s, GET("/hangs"));
	assert_int_equal(s.ended, 0);
	assert_int_equal(s.got.len, 0);
	close(s.fd);
	s.misdeed = HTTPD_HONEST;
	s.leave_after_ms = 0;
	ask(&s, GET("/next"), strlen(GET("/next")));
	assert_got(&s, "GET /next ");
	assert_int_equal(s.calls, 2); /* the one that hangs was not handed over again */
	close_scene(&s);
}

static void a_client_that_leaves_a_hang_frees_its_place(void **state)
{
	struct scene s = { .misdeed = HTTPD_HANG, .leave_after_ms = 150 };

	(void)state;
	open_scene(&s, &(struct httpd_settings){ .connection_max = 1 });
	for (int i = 0; i < 3; i++) {
		ask(&s, GET("/"), strlen(GET("/")));
		close(s.fd);
	}
	s.misdeed = HTTPD_HONEST;
	s.leave_after_ms = 0;
	ask(&s, GET("/served"), strlen(GET("/served")));
	assert_got(&s, "GET /served ");
	close_scene(&s);
}

static void a_server_may_end_while_it_hangs_and_drips(void **state)
{
	static const enum httpd_misdeed misdeeds[] = { HTTPD_HANG, HTTPD_DRIP };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(misdeeds); i++) {
		struct scene s = { .misdeed = misdeeds[i],
				   .body = "a long one",
				   .leave_after_ms = 150 };

		ask_once(&s, GET("/"));
		assert_int_equal(s.ended, 0);
		close_scene(&s);
	}
}

static void a_port_that_is_taken_is_said(void **state)
{
	struct scene s = { .fd = -1 };
	struct err err = { "" };

	(void)state;
	open_scene(&s, &(struct httpd_settings){ 0 });
	assert_null(httpd_new(s.turn,
			      &(struct httpd_settings){ .address = "127.0.0.1",
							.port = httpd_port(s.server),
							.handle = tell },
			      &err));
	assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1 port "));
	assert_null(httpd_new(
		s.turn, &(struct httpd_settings){ .address = "localhost", .handle = tell },
		&err));
	assert_non_null(strstr(err.text, "\"localhost\" is no numeric address"));
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handler_sees_the_decoded_request),
		cmocka_unit_test(a_header_value_cannot_begin_a_second_header),
		cmocka_unit_test(one_connection_carries_many_requests),
		cmocka_unit_test(a_body_at_the_cap_is_taken_and_one_more_byte_is_not),
		cmocka_unit_test(too_many_parameters_are_refused),
		cmocka_unit_test(a_silent_client_is_let_go),
		cmocka_unit_test(a_large_answer_arrives_whole),
		cmocka_unit_test(a_reset_is_a_reset),
		cmocka_unit_test(a_truncated_answer_promises_all_and_sends_half),
		cmocka_unit_test(a_dripping_answer_takes_its_time_and_is_whole),
		cmocka_unit_test(a_hanging_request_holds_nobody_else_up),
		cmocka_unit_test(a_client_that_leaves_a_hang_frees_its_place),
		cmocka_unit_test(a_server_may_end_while_it_hangs_and_drips),
		cmocka_unit_test(a_port_that_is_taken_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
