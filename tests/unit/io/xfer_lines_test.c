/* Connections of mail that are kept: for how many, for whom, and when not. */
#include "smtp_peer.h"

#include "base/clock.h"

#define TAKEN SMTP_MAIL "S 250 ok\n"
#define TEN   TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN TAKEN
#define FIFTY TEN TEN TEN TEN TEN

/* Sends count mails, each after the last one's end; all of them are taken. */
static void send_all(struct client *c, const struct peer *p, int count)
{
	for (int i = 0; i < count; i++) {
		struct request r;
		struct heard h;

		make_mail(&r, p->port);
		client_ask(c, &r, &h);
		assert_int_equal(h.reply.kind, REPLY_ANSWERED);
		assert_int_equal(h.reply.status, 250);
		assert_int_equal(h.reply.rcpt_count, 1);
		assert_string_equal(h.body, "250 ok");
	}
}

static void fifty_mails_go_over_one_connection(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO FIFTY);
	struct client c;

	(void)state;
	client_open(&c);
	send_all(&c, p, 50);
	assert_int_equal(p->connection_count, 1);
	assert_false(peer_saw(p, "QUIT"));
	client_close(&c);
	peer_close_kept(p);
	assert_true(peer_saw(p, "QUIT\r\n"));
	assert_false(peer_saw(p, "OUT OF TURN"));
	free(p);
}

static void after_a_hundred_mails_there_is_a_new_one(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO FIFTY FIFTY "C QUIT\n");
	struct client c;

	(void)state;
	client_open(&c);
	send_all(&c, p, 101);
	assert_int_equal(p->connection_count, 2);
	client_close(&c);
	peer_close(p);
}

/* At once means side by side; what is free then carries what follows. */
static void mails_at_once_have_a_connection_each(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO TEN TEN TEN);
	struct client c;
	struct request r;
	struct heard h[4];

	(void)state;
	client_open(&c);
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < ARRAY_LEN(h); i++) {
			make_mail(&r, p->port);
			client_start(&c, &r, &h[i]);
		}
		client_run(&c);
		for (size_t i = 0; i < ARRAY_LEN(h); i++)
			assert_int_equal(h[i].reply.status, 250);
	}
	assert_int_equal(p->connection_count, ARRAY_LEN(h));
	client_close(&c);
	peer_close(p);
}

/* Whatever a server does to a kept connection before MAIL is answered, the next mail arrives. */
static void a_kept_connection_that_is_no_good_costs_nothing(void **state)
{
	static const char *const scripts[] = {
		SMTP_HELLO TAKEN "X",
		SMTP_HELLO TAKEN "W 5\nS 421 idle for too long\nX",
		SMTP_HELLO TAKEN "W 5\nS 250 too late\nH",
		SMTP_HELLO TAKEN "W 5\nS no answer at all\nH",
		SMTP_HELLO TAKEN "C MAIL\nX",
		SMTP_HELLO TAKEN "C MAIL\nS 421 enough of you\nX",
		SMTP_HELLO TAKEN "C MAIL\nS 452 too many mails on this connection\nH",
		SMTP_HELLO TAKEN "C MAIL\nS 503 RSET first\nH",
		SMTP_HELLO TAKEN "C MAIL\nS nonsense\nH",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct peer *p = peer_open(smtp_serve, scripts[i]);
		struct client c;

		client_open(&c);
		send_all(&c, p, 1);
		usleep(100000); /* whatever it says lies there */
		send_all(&c, p, 1);
		assert_int_equal(p->connection_count, 2);
		client_close(&c);
		peer_close(p);
	}
}

/* A server that says the same on a new connection means this mail. */
static void a_refusal_on_a_new_connection_is_one(void **state)
{
	struct peer *first = peer_open(smtp_serve, SMTP_HELLO TAKEN "C MAIL\nS 451 not now\nX");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	send_all(&c, first, 1);
	first->script = SMTP_HELLO "C MAIL\nS 451 still not\n";
	make_mail(&r, first->port);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 451);
	assert_string_equal(h.body, "451 still not");
	assert_int_equal(first->connection_count, 2);
	client_close(&c);
	peer_close(first);
}

/* From the first answer to RCPT on a mail is a mail: it is not begun again unasked. */
static void what_fails_later_is_not_tried_twice(void **state)
{
	static const struct {
		const char *script;
		enum reply_kind kind;
		int status;
		bool maybe_sent;
	} rows[] = {
		{ SMTP_HELLO TAKEN "C MAIL\nS 250 ok\nC RCPT\nX", REPLY_CUT, 250, false },
		{ SMTP_HELLO TAKEN "C MAIL\nS 250 ok\nC RCPT\nS 421 bye\nX", REPLY_ANSWERED,
		  421, false },
		{ SMTP_HELLO TAKEN SMTP_TO_DATA "S 421 bye\nX", REPLY_ANSWERED, 421, false },
		{ SMTP_HELLO TAKEN SMTP_MAIL "X", REPLY_CUT, 354, true },
		{ SMTP_HELLO TAKEN SMTP_MAIL "H", REPLY_TIMEOUT, 354, true },
		{ SMTP_HELLO TAKEN "C MAIL\nH", REPLY_TIMEOUT, 250, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer *p = peer_open(smtp_serve, rows[i].script);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		send_all(&c, p, 1);
		make_mail(&r, p->port);
		r.timeout_ms = 300;
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.kind, rows[i].kind);
		if (rows[i].kind != REPLY_TIMEOUT || rows[i].maybe_sent)
			assert_int_equal(h.reply.status, rows[i].status);
		assert_int_equal(h.reply.maybe_sent, rows[i].maybe_sent);
		assert_int_equal(p->connection_count, 1);
		client_close(&c);
		peer_close(p);
	}
}

/* After anything but 2xx for the mail; also when the answer comes after all. */
static void only_a_mail_that_was_taken_leaves_a_connection(void **state)
{
	static const char *const endings[] = {
		SMTP_MAIL "S 554 spam\n",
		SMTP_MAIL "S 451 later\n",
		SMTP_MAIL "S 250 ok|250 and more\n",
		SMTP_MAIL "W 200\nS 250 too late\n",
		SMTP_TO_DATA "S 452 full\n",
		"C MAIL\nS 250 ok\nC RCPT\nS 550 no\n",
		"C MAIL\nS 550 no\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		char *script = mem_printf(SMTP_HELLO "%s" TAKEN, endings[i]);
		struct peer *p = peer_open(smtp_serve, script);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, p->port);
		r.timeout_ms = 100;
		client_ask(&c, &r, &h);
		usleep(i == 3 ? 150000 : 0);
		make_mail(&r, p->port);
		r.timeout_ms = 100;
		client_ask(&c, &r, &h);
		assert_int_equal(p->connection_count, 2);
		client_close(&c);
		peer_close(p);
		mem_free(&script);
	}
}

static void log_in_as(struct request *r, const char *name, const char *password)
{
	r->username = mem_strdup(name);
	r->password = mem_strdup(password);
}

static void nobody_speaks_over_the_connection_of_another(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_AUTH "S 235 ok\n" TAKEN TAKEN);
	static const struct {
		const char *name, *password;
		int connections;
	} rows[] = {
		{ "u", "hush", 1 }, { "u", "hush", 1 }, { "u", "other", 2 },
		{ "v", "hush", 3 }, { "uh", "ush", 4 },
	};
	struct client c;

	(void)state;
	client_open(&c);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request r;
		struct heard h;

		make_mail(&r, p->port);
		log_in_as(&r, rows[i].name, rows[i].password);
		client_ask(&c, &r, &h);
		assert_int_equal(h.reply.status, 250);
		assert_int_equal(p->connection_count, rows[i].connections);
	}
	client_close(&c);
	peer_close(p);
}

static void hears_nothing(void *arg, const struct reply *r)
{
	(void)arg;
	(void)r;
}

/* The wait is the one thing here that is told by a real clock. */
static void an_idle_connection_is_closed_with_a_word(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO TAKEN);
	struct client c;
	int64_t since;

	(void)state;
	client_open(&c);
	send_all(&c, p, 1);
	since = clock_steady();
	turn_on_end(c.turn, NULL, NULL);
	while (!peer_saw(p, "QUIT") && clock_steady() - since < 5000) {
		timer_set(c.deadline, 50);
		turn_run(c.turn);
	}
	assert_true(peer_saw(p, "QUIT\r\n"));
	assert_in_range(clock_steady() - since, 1500, 4000);
	client_close(&c);
	peer_close(p);
}

/* A stop while a mail is on its way over a kept connection: it ends once, and as what it was. */
static void a_mail_over_a_kept_connection_can_be_cut(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO TAKEN "C MAIL\nH");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	send_all(&c, p, 1);
	make_mail(&r, p->port);
	client_start(&c, &r, &h);
	xfer_cut(c.xfer);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.reply.kind, REPLY_CUT);
	assert_false(h.reply.maybe_sent);
	make_mail(&r, p->port);
	xfer_start(c.xfer, &r, hears_nothing, NULL);
	xfer_cut(c.xfer);
	client_close(&c);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_mails_go_over_one_connection),
		cmocka_unit_test(after_a_hundred_mails_there_is_a_new_one),
		cmocka_unit_test(mails_at_once_have_a_connection_each),
		cmocka_unit_test(a_kept_connection_that_is_no_good_costs_nothing),
		cmocka_unit_test(a_refusal_on_a_new_connection_is_one),
		cmocka_unit_test(what_fails_later_is_not_tried_twice),
		cmocka_unit_test(only_a_mail_that_was_taken_leaves_a_connection),
		cmocka_unit_test(nobody_speaks_over_the_connection_of_another),
		cmocka_unit_test(an_idle_connection_is_closed_with_a_word),
		cmocka_unit_test(a_mail_over_a_kept_connection_can_be_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
