/* SMTP as it happens: real connections to servers that follow a script. */
#include "smtp_peer.h"

#include "base/clock.h"

/* What one mail to a script must come to. `said` must have been heard by the server, `unsaid`
 * not; NULL: nothing to say about it. */
struct story {
	const char *name, *script;
	bool login;
	enum reply_kind kind;
	int status;
	bool maybe_sent;
	const char *said, *unsaid, *body;
};

static void tell(const struct story *s)
{
	struct peer *p = peer_open(smtp_serve, s->script);
	struct client c;
	struct request r;
	struct heard h;

	client_open(&c);
	make_mail(&r, p->port);
	r.timeout_ms = 300;
	if (s->login) {
		r.username = mem_strdup("u");
		r.password = mem_strdup("hush");
	}
	client_ask(&c, &r, &h);
	print_message("  %s: %d %d %s\n", s->name, (int)h.reply.kind, h.reply.status, h.error);
	client_close(&c);
	peer_close_kept(p);
	assert_int_equal(h.reply.kind, s->kind);
	assert_int_equal(h.reply.status, s->status);
	assert_int_equal(h.reply.maybe_sent, s->maybe_sent);
	assert_int_equal(h.error[0] == '\0', s->kind == REPLY_ANSWERED);
	assert_null(strstr(h.error, "hush"));
	assert_false(peer_saw(p, "OUT OF TURN"));
	if (s->said != NULL)
		assert_true(peer_saw(p, s->said));
	if (s->unsaid != NULL)
		assert_false(peer_saw(p, s->unsaid));
	if (s->body != NULL)
		assert_string_equal(h.body, s->body);
	free(p);
}

static void a_mail_that_is_taken_or_refused_ends_with_the_servers_word(void **state)
{
	static const struct story stories[] = {
		{ "accepted", SMTP_HELLO SMTP_MAIL "S 250 queued as 7", false, REPLY_ANSWERED,
		  250, false, "QUIT\r\n", NULL, "250 queued as 7" },
		{ "accepted with another 2xx", SMTP_HELLO SMTP_MAIL "S 251 elsewhere", false,
		  REPLY_ANSWERED, 251, false, NULL, NULL, NULL },
		{ "EHLO not known",
		  "S 220 hi\nC EHLO\nS 502 no\nC HELO me\nS 250 ok\n" SMTP_MAIL "S 250 ok",
		  false, REPLY_ANSWERED, 250, false, NULL, NULL, NULL },
		{ "logged in", SMTP_AUTH "S 235 ok\n" SMTP_MAIL "S 250 ok", true,
		  REPLY_ANSWERED, 250, false, "AHUAaHVzaA==", NULL, NULL },
		{ "greeted with 421", "S 421 busy\nX", false, REPLY_ANSWERED, 421, false, NULL,
		  "EHLO", "421 busy" },
		{ "greeted with 554", "S 554 go away", false, REPLY_ANSWERED, 554, false, NULL,
		  "MAIL", NULL },
		{ "sender refused", SMTP_HELLO "C MAIL\nS 451 not now", false, REPLY_ANSWERED,
		  451, false, "QUIT", "RCPT", NULL },
		{ "recipient refused",
		  SMTP_HELLO
		  "C MAIL\nS 250 ok\nC RCPT\nS 550-5.1.1 no such user\nS 550 5.1.1 look up",
		  false, REPLY_ANSWERED, 550, false, "QUIT", "DATA",
		  "550-5.1.1 no such user\r\n550 5.1.1 look up" },
		{ "DATA refused", SMTP_HELLO SMTP_TO_DATA "S 452 full", false, REPLY_ANSWERED,
		  452, false, "QUIT", "Subject", NULL },
		{ "content refused", SMTP_HELLO SMTP_MAIL "S 554 5.7.1 spam", false,
		  REPLY_ANSWERED, 554, false, "QUIT", NULL, "554 5.7.1 spam" },
		{ "content deferred", SMTP_HELLO SMTP_MAIL "S 451 later\nX", false,
		  REPLY_ANSWERED, 451, false, NULL, NULL, NULL },
		{ "421 to EHLO", "S 220 hi\nC EHLO\nS 421 going down\nX", false, REPLY_ANSWERED,
		  421, false, NULL, "MAIL", NULL },
		{ "421 to AUTH", SMTP_AUTH "S 421 going down\nX", true, REPLY_LOGIN, 421, false,
		  NULL, "MAIL", NULL },
		{ "421 to MAIL", SMTP_HELLO "C MAIL\nS 421 going down\nX", false,
		  REPLY_ANSWERED, 421, false, NULL, "RCPT", NULL },
		{ "421 to RCPT", SMTP_HELLO "C MAIL\nS 250 ok\nC RCPT\nS 421 going down\nX",
		  false, REPLY_ANSWERED, 421, false, NULL, "DATA", NULL },
		{ "421 to DATA", SMTP_HELLO SMTP_TO_DATA "S 421 going down\nX", false,
		  REPLY_ANSWERED, 421, false, NULL, "Subject", NULL },
		{ "421 after the dot", SMTP_HELLO SMTP_MAIL "S 421 going down\nX", false,
		  REPLY_ANSWERED, 421, false, NULL, NULL, NULL },
		{ "another 4xx after the dot", SMTP_HELLO SMTP_MAIL "S 452 full", false,
		  REPLY_ANSWERED, 452, false, NULL, NULL, NULL },
		{ "too large after the dot", SMTP_HELLO SMTP_MAIL "S 552 5.3.4 too big", false,
		  REPLY_ANSWERED, 552, false, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++)
		tell(&stories[i]);
}

static void only_a_mail_whose_dot_was_not_answered_may_have_arrived(void **state)
{
	static const struct story stories[] = {
		{ "cut at the greeting", "X", false, REPLY_CUT, 0, false, NULL, NULL, NULL },
		{ "silent at the greeting", "H", false, REPLY_TIMEOUT, 0, false, NULL, NULL,
		  NULL },
		{ "cut after EHLO", "S 220 hi\nC\nX", false, REPLY_CUT, 220, false, NULL, NULL,
		  NULL },
		{ "cut after MAIL", SMTP_HELLO "C MAIL\nX", false, REPLY_CUT, 250, false, NULL,
		  NULL, NULL },
		{ "silent after MAIL", SMTP_HELLO "C MAIL\nH", false, REPLY_TIMEOUT, 250, false,
		  NULL, NULL, NULL },
		{ "silent after a refused RCPT", SMTP_HELLO "C MAIL\nS 250 ok\nC RCPT\nH",
		  false, REPLY_TIMEOUT, 250, false, NULL, NULL, NULL },
		{ "silent after DATA", SMTP_HELLO SMTP_TO_DATA "H", false, REPLY_TIMEOUT, 250,
		  false, NULL, NULL, NULL },
		{ "cut after the dot", SMTP_HELLO SMTP_MAIL "X", false, REPLY_CUT, 354, true,
		  NULL, NULL, NULL },
		{ "silent after the dot", SMTP_HELLO SMTP_MAIL "H", false, REPLY_TIMEOUT, 354,
		  true, NULL, NULL, NULL },
		{ "half an answer after the dot", SMTP_HELLO SMTP_MAIL "S 250-wait\nX", false,
		  REPLY_CUT, 250, true, NULL, NULL, NULL },
		{ "nonsense after the dot", SMTP_HELLO SMTP_MAIL "S HTTP/1.1 200 OK", false,
		  REPLY_GARBLED, 354, true, NULL, NULL, NULL },
		{ "a strange code after the dot", SMTP_HELLO SMTP_MAIL "S 354 again", false,
		  REPLY_GARBLED, 354, true, NULL, NULL, NULL },
		{ "nonsense after MAIL", SMTP_HELLO "C MAIL\nS hello", false, REPLY_GARBLED,
		  250, false, NULL, "RCPT", NULL },
		{ "no 354", SMTP_HELLO SMTP_TO_DATA "S 250 ok", false, REPLY_GARBLED, 250,
		  false, NULL, "Subject", NULL },
		{ "an answer too many", SMTP_HELLO "C MAIL\nS 250 ok|250 ok\n", false,
		  REPLY_GARBLED, 250, false, NULL, "RCPT", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++)
		tell(&stories[i]);
}

static void without_a_login_there_is_no_mail(void **state)
{
	static const struct story stories[] = {
		{ "password refused", SMTP_AUTH "S 535 5.7.8 bad credentials", true,
		  REPLY_LOGIN, 535, false, NULL, "MAIL", "535 5.7.8 bad credentials" },
		{ "not now", SMTP_AUTH "S 454 try later", true, REPLY_LOGIN, 454, false, NULL,
		  "MAIL", NULL },
		{ "AUTH not offered", SMTP_HELLO "C\nS 250 ok\nC\nS 250 ok\n", true,
		  REPLY_LOGIN, 0, false, "QUIT", "MAIL", NULL },
		{ "AUTH not offered, HELO", "S 220 hi\nC EHLO\nS 502 no\nC HELO\nS 250 ok\n",
		  true, REPLY_LOGIN, 0, false, "QUIT", "MAIL", NULL },
		{ "no AUTH that we know", "S 220 hi\nC EHLO\nS 250-x\nS 250 AUTH GSSAPI-X\n",
		  true, REPLY_LOGIN, 0, false, NULL, "MAIL", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++)
		tell(&stories[i]);
}

static void each_recipient_has_an_answer_and_the_others_get_the_mail(void **state)
{
	struct peer *p =
		peer_open(smtp_serve, SMTP_HELLO
			  "C MAIL\nS 250 ok\n"
			  "C RCPT TO:<b@x.org>\nS 250 2.1.5 ok\n"
			  "C RCPT TO:<c@x.org>\nS 550-5.1.1 no such user\nS 550 5.1.1 really\n"
			  "C RCPT TO:<d@x.org>\nS 450 4.2.1 busy\n"
			  "C RCPT TO:<e@x.org>\nS 251 forwarded\n"
			  "C DATA\nS 354 go\nD\nS 250 queued");
	struct client c;
	struct request r;
	struct heard h;
	struct err err;

	(void)state;
	client_open(&c);
	make_mail(&r, p->port);
	assert_true(request_recipient(&r, "c@x.org", &err));
	assert_true(request_recipient(&r, "d@x.org", &err));
	assert_true(request_recipient(&r, "e@x.org", &err));
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 250);
	assert_int_equal(h.reply.rcpt_count, 4);
	assert_int_equal(h.rcpt[0], 250);
	assert_int_equal(h.rcpt[1], 550);
	assert_int_equal(h.rcpt[2], 450);
	assert_int_equal(h.rcpt[3], 251);
	assert_string_equal(h.rcpt_text[1], "550-5.1.1 no such user");
	assert_string_equal(h.rcpt_text[2], "450 4.2.1 busy");
	client_close(&c);
	peer_close_kept(p);
	assert_false(peer_saw(p, "OUT OF TURN"));
	free(p);
}

static void if_all_recipients_are_refused_no_content_goes_out(void **state)
{
	struct peer *p = peer_open(smtp_serve,
				   SMTP_HELLO "C MAIL\nS 250 ok\nC\nS 550 no\nC\nS 450 busy\n");
	struct client c;
	struct request r;
	struct heard h;
	struct err err;

	(void)state;
	client_open(&c);
	make_mail(&r, p->port);
	assert_true(request_recipient(&r, "c@x.org", &err));
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 450);
	assert_int_equal(h.reply.rcpt_count, 2);
	assert_int_equal(h.rcpt[0], 550);
	client_close(&c);
	peer_close_kept(p);
	assert_false(peer_saw(p, "DATA"));
	free(p);
}

static void dots_and_long_lines_survive(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO SMTP_MAIL "S 250 ok");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	make_mail(&r, p->port);
	mem_free(&r.text);
	r.text = mem_strdup(".\r\n..two\r\nQUIT\r\n.");
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 250);
	client_close(&c);
	peer_close_kept(p);
	assert_true(peer_saw(p, "\r\n\r\n..\r\n...two\r\nQUIT\r\n..\r\n.\r\nQUIT\r\n"));
	free(p);
}

static void a_large_mail_goes_out_while_the_server_reads_slowly(void **state)
{
	struct peer *p =
		peer_open(smtp_serve, SMTP_HELLO SMTP_TO_DATA "S 354 go\nW 100\nD\nS 250 ok");
	struct client c;
	struct request r;
	struct heard h;
	enum { LARGE = 1 << 20 };

	(void)state;
	client_open(&c);
	make_mail(&r, p->port);
	r.timeout_ms = 9000;
	mem_free(&r.text);
	r.text = mem_new(LARGE + 1);
	memset(r.text, 'z', LARGE);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.status, 250);
	assert_false(h.reply.maybe_sent);
	client_close(&c);
	peer_close(p);
}

static void a_mail_given_up_in_the_middle_was_not_sent(void **state)
{
	struct peer *p = peer_open(smtp_serve, SMTP_HELLO SMTP_TO_DATA "S 354 go\nW 1000\n");
	struct client c;
	struct request r;
	struct heard h;
	enum { LARGE = 3 << 20 };
	int little = 4096;

	(void)state;
	setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	client_open(&c);
	make_mail(&r, p->port);
	r.timeout_ms = 700;
	mem_free(&r.text);
	r.text = mem_new(LARGE + 1);
	memset(r.text, 'z', LARGE);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_TIMEOUT);
	assert_int_equal(h.reply.status, 354);
	assert_false(h.reply.maybe_sent);
	client_close(&c);
	peer_close(p);
}

/* ---- the loop goes on --------------------------------------------------------------------- */

struct ticker {
	struct timer *timer;
	int64_t last, longest_ms;
};

static void tick(void *arg)
{
	struct ticker *t = arg;
	int64_t now = clock_steady();

	if (t->last > 0 && now - t->last > t->longest_ms)
		t->longest_ms = now - t->last;
	t->last = now;
	timer_set(t->timer, 10);
}

/* Invariant 10. libcurl alone waits for both answers in a loop of its own. */
static void the_loop_never_waits_for_a_slow_server(void **state)
{
	static const char *const scripts[] = {
		SMTP_HELLO SMTP_MAIL "W 300\nS 250 ok\nC QUIT\nW 300\nS 221 bye",
		SMTP_AUTH "W 300\nS 535 no\nC\nW 300\nS 221 bye",
		"S 220 hi\nC EHLO\nS 250 ok\nC\nW 300\nS 550 no\nC\nW 300\nS 221 bye",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct peer *p = peer_open(smtp_serve, scripts[i]);
		struct client c;
		struct request r;
		struct heard h;
		struct ticker t = { .timer = NULL };

		client_open(&c);
		t.timer = timer_new(c.turn, tick, &t);
		timer_set(t.timer, 0);
		make_mail(&r, p->port);
		if (i == 1) {
			r.username = mem_strdup("u");
			r.password = mem_strdup("hush");
		}
		client_ask(&c, &r, &h);
		timer_free(&t.timer);
		assert_in_range(h.reply.took_ms, 290, 580);
		assert_in_range(t.longest_ms, 1, 200);
		client_close(&c);
		peer_close(p);
	}
}

static void mails_that_are_cut_end_at_once(void **state)
{
	struct peer *early = peer_open(smtp_serve, "H");
	struct peer *late = peer_open(smtp_serve, SMTP_HELLO SMTP_MAIL "H");
	struct client c;
	struct request r;
	struct heard h[2];

	(void)state;
	client_open(&c);
	make_mail(&r, early->port);
	client_start(&c, &r, &h[0]);
	make_mail(&r, late->port);
	client_start(&c, &r, &h[1]);
	turn_on_end(c.turn, NULL, NULL);
	for (int i = 0; i < 200 && !peer_saw(late, "\r\n.\r\n"); i++) {
		timer_set(c.deadline, 10);
		turn_run(c.turn);
	}
	xfer_cut(c.xfer);
	assert_int_equal(h[0].count, 1);
	assert_int_equal(h[0].reply.kind, REPLY_CUT);
	assert_false(h[0].reply.maybe_sent);
	assert_int_equal(h[1].count, 1);
	assert_int_equal(h[1].reply.kind, REPLY_CUT);
	assert_true(h[1].reply.maybe_sent);
	client_close(&c);
	peer_close(early);
	peer_close(late);
}

/* libcurl looks through its idle connections when a second has passed; a conversation of ours
 * must not be one of them, not even while an answer of the server lies unread. */
static void a_conversation_outlives_other_transfers(void **state)
{
	struct peer *slow = peer_open(smtp_serve, SMTP_HELLO SMTP_MAIL "W 1300\nS 250 ok");
	struct peer *other = peer_open(smtp_serve, "S 554 no");
	struct client c;
	struct request r;
	struct heard h, o;

	(void)state;
	client_open(&c);
	make_mail(&r, slow->port);
	client_start(&c, &r, &h);
	turn_on_end(c.turn, NULL, NULL);
	timer_set(c.deadline, 1100);
	turn_run(c.turn);
	usleep(300000); /* the answer lies there */
	make_mail(&r, other->port);
	client_start(&c, &r, &o);
	c.late = false;
	turn_on_end(c.turn, client_stop_when_idle, &c);
	client_run(&c);
	assert_int_equal(o.reply.status, 554);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 250);
	client_close(&c);
	peer_close(slow);
	peer_close(other);
}

static void what_is_no_mail_is_refused_before_it_starts(void **state)
{
	static const struct {
		const char *from, *url, *recipient;
	} cases[] = {
		{ "a@x.org>\r\nRCPT TO:<evil@x.org", "smtp://127.0.0.1:%d/me", "b@x.org" },
		{ "a@x.org", "smtp://127.0.0.1:%d/me", "b@x.org>\r\nRCPT TO:<evil@x.org" },
		{ "a@x.org", "smtp://127.0.0.1:%d/me", NULL },
		{ "a@x.org", "smtps://127.0.0.1:%d/me", "b@x.org" }, /* MAIL_TLS_NONE */
		{ "a@x.org", "http://127.0.0.1:%d/me", "b@x.org" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer *p = peer_open(smtp_serve, SMTP_HELLO);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, p->port);
		mem_free(&r.from);
		mem_free(&r.url);
		mem_free(&r.recipients[0]);
		r.recipient_count = cases[i].recipient == NULL ? 0 : 1;
		r.from = mem_strdup(cases[i].from);
		r.url = mem_printf("%.*s%d/me", (int)strcspn(cases[i].url, "%"), cases[i].url,
				   p->port);
		r.recipients[0] = mem_strdup(cases[i].recipient);
		client_ask(&c, &r, &h);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, REPLY_LOCAL);
		assert_false(h.reply.maybe_sent);
		assert_int_equal(p->connection_count, 0);
		client_close(&c);
		peer_close(p);
	}
}

static void a_flood_of_answers_is_left(void **state)
{
	static char script[100 << 10];
	const char *const before[] = { "", SMTP_HELLO "C MAIL\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		size_t len = (size_t)snprintf(script, sizeof(script), "%s", before[i]);
		struct heard h;
		struct client c;
		struct request r;

		while (len + 200 < sizeof(script))
			len += (size_t)snprintf(script + len, sizeof(script) - len,
						"S 220-%0100d\n", 0);
		struct peer *p = peer_open(smtp_serve, script);

		client_open(&c);
		make_mail(&r, p->port);
		client_ask(&c, &r, &h);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, REPLY_GARBLED);
		client_close(&c);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_that_is_taken_or_refused_ends_with_the_servers_word),
		cmocka_unit_test(only_a_mail_whose_dot_was_not_answered_may_have_arrived),
		cmocka_unit_test(without_a_login_there_is_no_mail),
		cmocka_unit_test(each_recipient_has_an_answer_and_the_others_get_the_mail),
		cmocka_unit_test(if_all_recipients_are_refused_no_content_goes_out),
		cmocka_unit_test(dots_and_long_lines_survive),
		cmocka_unit_test(a_large_mail_goes_out_while_the_server_reads_slowly),
		cmocka_unit_test(a_mail_given_up_in_the_middle_was_not_sent),
		cmocka_unit_test(the_loop_never_waits_for_a_slow_server),
		cmocka_unit_test(mails_that_are_cut_end_at_once),
		cmocka_unit_test(a_conversation_outlives_other_transfers),
		cmocka_unit_test(what_is_no_mail_is_refused_before_it_starts),
		cmocka_unit_test(a_flood_of_answers_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
