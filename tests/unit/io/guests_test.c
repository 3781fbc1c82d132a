/* guests.h, through httpd.h: clients that take their time, over real sockets. */
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

/* STAY_MS is what a client may take, LOOK_MS how often the slow ones move. */
enum { STAY_MS = 300, LOOK_MS = 20, DEADLINE_MS = 5000, CLIENTS_MAX = 64, BIG = 8 << 20 };

#define REQUEST "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

struct client {
	int fd;
	const char
		*drips; /* a byte of it at each look, then again from its start; may be NULL */
	size_t at;
	bool reads;
	size_t got;
	int64_t ended_at; /* 0: it is open */
};

struct scene {
	struct turn *turn;
	struct httpd *server;
	struct timer *look;
	struct client clients[CLIENTS_MAX];
	size_t client_count;
	int64_t until;
	bool (*is_over)(const struct scene *s);
	size_t answer_len, calls;
};

static void answer(void *arg, const struct httpd_request *request, struct httpd_answer *out)
{
	struct scene *s = arg;

	(void)request;
	s->calls++;
	for (size_t i = 0; i < s->answer_len; i++)
		buf_addc(&out->body, 'x');
}

static void move(struct client *c)
{
	char bytes[4096];
	ssize_t n = 0;

	if (c->ended_at != 0)
		return;
	if (c->drips != NULL) {
		(void)!send(c->fd, c->drips + c->at, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		c->at = c->drips[c->at + 1] != '\0' ? c->at + 1 : 0;
	}
	while (c->reads && (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		c->got += (size_t)n;
	if (c->reads && (n == 0 || errno != EAGAIN))
		c->ended_at = clock_steady();
}

static void on_look(void *arg)
{
	struct scene *s = arg;

	for (size_t i = 0; i < s->client_count; i++)
		move(&s->clients[i]);
	if (s->is_over(s) || clock_steady() > s->until)
		turn_stop(s->turn);
	else
		timer_set(s->look, LOOK_MS);
}

static void open_scene(struct scene *s, unsigned connection_max, size_t answer_len)
{
	struct httpd_settings settings = { .address = "127.0.0.1",
					   .connection_max = connection_max,
					   .request_ms = STAY_MS,
					   .handle = answer,
					   .arg = s };
	struct err err;

	*s = (struct scene){ .answer_len = answer_len, .turn = turn_new() };
	s->server = httpd_new(s->turn, &settings, &err);
	if (s->server == NULL)
		fail_msg("%s", err.text);
	s->look = timer_new(s->turn, on_look, s);
}

static struct client *come(struct scene *s, const char *says, const char *drips)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(httpd_port(s->server)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct client *c = &s->clients[s->client_count++];

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0),
			      .drips = drips,
			      .reads = true };
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(c->fd, says, strlen(says), MSG_NOSIGNAL), strlen(says));
	return c;
}

static void run_until(struct scene *s, bool (*is_over)(const struct scene *s))
{
	s->is_over = is_over;
	s->until = clock_steady() + DEADLINE_MS;
	timer_set(s->look, 0);
	turn_run(s->turn);
	assert_true(is_over(s));
}

static void close_scene(struct scene *s)
{
	for (size_t i = 0; i < s->client_count; i++)
		close(s->clients[i].fd);
	timer_free(&s->look);
	httpd_free(&s->server);
	turn_free(&s->turn);
}

static bool all_have_ended(const struct scene *s)
{
	for (size_t i = 0; i < s->client_count; i++)
		if (s->clients[i].ended_at == 0)
			return false;
	return true;
}

static void who_takes_too_long_is_shown_out(void **state)
{
	static const struct {
		const char *says, *drips;
	} slow[] = {
		{ "", NULL },
		{ "GET / HT", NULL },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX-Long: ", "a" },
		{ "GET / HTTP/1.1\r\nHost: h\r\n", "X: y\r\n" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", "b" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		  "1\r\nx\r\n" },
		{ REQUEST, NULL }, /* answered, then silent */
	};
	struct scene s;

	(void)state;
	open_scene(&s, 64, 2);
	int64_t from = clock_steady();

	for (size_t i = 0; i < ARRAY_LEN(slow); i++)
		come(&s, slow[i].says, slow[i].drips);
	run_until(&s, all_have_ended);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++)
		assert_true(s.clients[i].ended_at - from >= STAY_MS - LOOK_MS);
	assert_int_equal(s.calls, 1);
	close_scene(&s);
}

static bool readers_end_is_seen(const struct scene *s)
{
	return s->clients[1].ended_at != 0;
}

/* The kernel's buffers take some, and a client that reads no more than that holds the rest. */
static void who_does_not_read_is_shown_out(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 64, BIG);
	struct client *idle = come(&s, REQUEST, NULL);

	idle->reads = false;
	come(&s, "", NULL);
	run_until(&s, readers_end_is_seen); /* it came later, so the first is out as well */
	idle->reads = true;
	run_until(&s, all_have_ended);
	assert_in_range(idle->got, 1, BIG - 1);
	close_scene(&s);
}

static bool three_were_served(const struct scene *s)
{
	return s->calls == 3;
}

/* Turns for so long, whatever happens. */
static void run_for(struct scene *s, int64_t ms)
{
	s->is_over = all_have_ended;
	s->until = clock_steady() + ms;
	timer_set(s->look, 0);
	turn_run(s->turn);
}

/* Requests with a pause of two thirds of the time, on one connection. */
static void who_asks_again_in_time_may_stay(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 64, 2);
	struct client *c = come(&s, REQUEST, NULL);

	for (int i = 0; i < 2; i++) {
		run_for(&s, STAY_MS * 2 / 3);
		assert_int_equal(c->ended_at, 0);
		assert_int_equal(send(c->fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL),
				 strlen(REQUEST));
	}
	run_until(&s, three_were_served);
	close_scene(&s);
}

static bool newcomers_are_served(const struct scene *s)
{
	return s->calls == 3 && s->clients[s->client_count - 1].got > 0;
}

/* All places are taken by clients that do nothing, and more wait: who asks is answered soon. */
static void a_full_house_lets_newcomers_in(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 8, 2);
	for (int i = 0; i < 40; i++)
		come(&s, i % 2 == 0 ? "" : "GET / HT", NULL);
	int64_t from = clock_steady();

	for (int i = 0; i < 3; i++)
		come(&s, REQUEST, NULL);
	run_until(&s, newcomers_are_served);
	assert_true(clock_steady() - from < STAY_MS);
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_too_long_is_shown_out),
		cmocka_unit_test(who_does_not_read_is_shown_out),
		cmocka_unit_test(who_asks_again_in_time_may_stay),
		cmocka_unit_test(a_full_house_lets_newcomers_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
