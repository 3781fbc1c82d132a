/* Whose fault is it? What mail servers say, at which moment, to whom. */
#include "sample.h"

#define KEYS                                                                                 \
	"type = \"email\"; server = \"smtps://smtp.acme.com\"; from = \"tocsin@acme.com\"; " \
	"to = [ \"a@acme.com\", \"b@acme.com\", \"c@acme.com\" ]; username = \"u\"; "        \
	"password = \"p4ssword\"; "

static struct message mail(void)
{
	struct message m = sample_message("subject");

	m.count = 0;
	m.parts[1] = (struct message_part){ "text", 4 };
	return m;
}

#define DONE     VERDICT_DELIVERED, false, false
#define NEVER    VERDICT_NEVER, false, false
#define LATER    VERDICT_LATER, false, false
#define DOWN     VERDICT_LATER, true, false
#define OPERATOR VERDICT_LATER, true, true

static const struct {
	enum reply_kind kind;
	int status;
	int rcpt[3]; /* 0: not answered */
	enum verdict verdict;
	bool sink_down, alarm;
	const char *key; /* that the hint names */
} rows[] = {
	{ REPLY_ANSWERED, 250, { 250, 250, 250 }, DONE, NULL },
	{ REPLY_ANSWERED, 251, { 250, 250, 250 }, DONE, NULL },
	{ REPLY_ANSWERED, 250, { 0, 0, 0 }, DONE, NULL },
	/* Before any recipient: about us. */
	{ REPLY_ANSWERED, 421, { 0, 0, 0 }, DOWN, NULL },
	{ REPLY_ANSWERED, 554, { 0, 0, 0 }, OPERATOR, "from" },
	{ REPLY_ANSWERED, 553, { 0, 0, 0 }, OPERATOR, "from" },
	{ REPLY_ANSWERED, 451, { 0, 0, 0 }, LATER, NULL },
	{ REPLY_ANSWERED, 552, { 0, 0, 0 }, NEVER, "template" },
	{ REPLY_ANSWERED, 530, { 0, 0, 0 }, OPERATOR, "username" },
	{ REPLY_ANSWERED, 530, { 530, 530, 530 }, OPERATOR, "username" },
	/* About the recipients. */
	{ REPLY_ANSWERED, 550, { 550, 550, 550 }, NEVER, "to" },
	{ REPLY_ANSWERED, 450, { 450, 451, 450 }, LATER, NULL },
	{ REPLY_ANSWERED, 450, { 550, 550, 450 }, LATER, "to" },
	{ REPLY_ANSWERED, 550, { 450, 550, 550 }, LATER, "to" },
	{ REPLY_ANSWERED, 421, { 421, 421, 421 }, DOWN, NULL },
	{ REPLY_ANSWERED, 250, { 250, 550, 250 }, DONE, "to" },
	{ REPLY_ANSWERED, 250, { 250, 450, 250 }, LATER, NULL },
	{ REPLY_ANSWERED, 250, { 250, 450, 550 }, LATER, "to" },
	/* About the content. */
	{ REPLY_ANSWERED, 554, { 250, 250, 250 }, NEVER, "template" },
	{ REPLY_ANSWERED, 552, { 250, 250, 250 }, NEVER, "template" },
	{ REPLY_ANSWERED, 452, { 250, 550, 250 }, LATER, NULL },
	{ REPLY_ANSWERED, 421, { 250, 250, 250 }, DOWN, NULL },
	/* The login. */
	{ REPLY_LOGIN, 535, { 0, 0, 0 }, OPERATOR, "username" },
	{ REPLY_LOGIN, 534, { 0, 0, 0 }, OPERATOR, "username" },
	{ REPLY_LOGIN, 334, { 0, 0, 0 }, OPERATOR, "username" },
	{ REPLY_LOGIN, 454, { 0, 0, 0 }, DOWN, NULL },
	{ REPLY_LOGIN, 421, { 0, 0, 0 }, DOWN, NULL },
	{ REPLY_LOGIN, 250, { 0, 0, 0 }, OPERATOR, "server" },
	{ REPLY_LOGIN, 0, { 0, 0, 0 }, OPERATOR, "server" },
	{ REPLY_ANSWERED, 535, { 0, 0, 0 }, OPERATOR, "username" },
	/* The way there. */
	{ REPLY_RESOLVE, 0, { 0, 0, 0 }, DOWN, "server" },
	{ REPLY_CONNECT, 0, { 0, 0, 0 }, DOWN, "server" },
	{ REPLY_TLS, 0, { 0, 0, 0 }, OPERATOR, "ca_file" },
	{ REPLY_TLS, 220, { 0, 0, 0 }, OPERATOR, "ca_file" },
	{ REPLY_TLS, 250, { 0, 0, 0 }, OPERATOR, "starttls" },
	{ REPLY_TIMEOUT, 0, { 0, 0, 0 }, DOWN, "timeout" },
	{ REPLY_CUT, 354, { 250, 250, 250 }, DOWN, "retry" },
	{ REPLY_GARBLED, 0, { 0, 0, 0 }, DOWN, "server" },
	{ REPLY_LOCAL, 0, { 0, 0, 0 }, OPERATOR, "server" },
	/* Unknown is later. */
	{ REPLY_ANSWERED, 354, { 250, 250, 250 }, LATER, NULL },
	{ REPLY_ANSWERED, 700, { 0, 0, 0 }, LATER, NULL },
};

/* Fills lines with the codes up to the first 0. */
static void tell_rcpt(struct reply *r, const int *codes, struct reply_line *lines)
{
	static const char *const texts[] = { "said of a", "said of b", "said of c" };

	r->rcpt = lines;
	for (size_t i = 0; i < 3 && codes[i] != 0; i++)
		lines[r->rcpt_count++] = (struct reply_line){ codes[i], texts[i] };
}

static void each_answer_has_its_outcome(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reply r = sample_reply(rows[i].status, "");
		struct reply_line lines[3];
		char hint[40] = "";
		struct outcome out;

		r.kind = rows[i].kind;
		tell_rcpt(&r, rows[i].rcpt, lines);
		if (rows[i].key != NULL)
			snprintf(hint, sizeof(hint), "sinks: s: %s: ", rows[i].key);
		sample_judge(s, &m, &r, &out);
		if (out.verdict != rows[i].verdict || out.sink_down != rows[i].sink_down ||
		    out.alarm != rows[i].alarm || out.retry_after_ms != -1 ||
		    strncmp(out.hint, hint, strlen(hint)) != 0 ||
		    (hint[0] == '\0') != (out.hint[0] == '\0'))
			fail_msg("row %zu (%d): %s down %d alarm %d, %s, hint \"%s\"", i,
				 rows[i].status, verdict_name(out.verdict), out.sink_down,
				 out.alarm, out.reason, out.hint);
	}
	settings_free(&s);
}

/* One attempt: who is asked, what is answered, what comes of it. */
static void attempt(const struct settings *s, struct message *m, const char *asked, int status,
		    const int *codes, struct outcome *out)
{
	struct reply r = sample_reply(status, "the last line");
	struct reply_line lines[3];
	struct request request;
	char names[200] = "";

	sample_build(s, m, &request);
	for (size_t i = 0; i < request.recipient_count; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%c",
			 request.recipients[i][0]);
	assert_string_equal(names, asked);
	request_release(&request);
	tell_rcpt(&r, codes, lines);
	sample_judge(s, m, &r, out);
}

static void who_has_it_is_left_out_of_the_next_attempt(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct outcome first, second, third, fourth;

	(void)state;
	attempt(s, &m, "abc", 250, (int[]){ 250, 450, 451 }, &first);
	assert_int_equal(first.verdict, VERDICT_LATER);
	assert_false(first.sink_down);
	assert_string_equal(first.reason,
			    "1 served, 2 put off, 0 refused; b@acme.com: said of b");
	m.progress = first.progress;
	attempt(s, &m, "bc", 450, (int[]){ 550, 450, 0 }, &second);
	/* Nobody was accepted this time, yet the mail has one reader already. */
	assert_int_equal(second.verdict, VERDICT_LATER);
	m.progress = second.progress;
	/* Trouble on the way changes nothing of that. */
	attempt(s, &m, "c", 421, (int[]){ 0, 0, 0 }, &third);
	assert_true(third.sink_down);
	assert_string_equal(third.progress, second.progress);
	m.progress = third.progress;
	attempt(s, &m, "c", 250, (int[]){ 250, 0, 0 }, &fourth);
	assert_int_equal(fourth.verdict, VERDICT_DELIVERED);
	assert_string_equal(fourth.handle, "<tcs_0123456789abcdef0123456789abcdef@acme.com>");
	settings_free(&s);
}

static void when_all_that_is_left_is_refused_the_others_still_have_it(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct outcome first, second;

	(void)state;
	attempt(s, &m, "abc", 250, (int[]){ 250, 250, 450 }, &first);
	m.progress = first.progress;
	attempt(s, &m, "c", 550, (int[]){ 550, 0, 0 }, &second);
	assert_int_equal(second.verdict, VERDICT_DELIVERED);
	assert_string_equal(second.reason,
			    "0 served, 0 put off, 1 refused; c@acme.com: said of a");
	assert_string_equal(second.hint, "sinks: s: to: is c@acme.com right?");
	settings_free(&s);
}

static void a_content_that_is_refused_serves_nobody(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct outcome out;

	(void)state;
	attempt(s, &m, "abc", 451, (int[]){ 250, 250, 250 }, &out);
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_string_equal(out.progress, "");
	assert_string_equal(out.reason, "SMTP 451, not now: the last line");
	settings_free(&s);
}

static void silence_after_the_final_dot_is_perhaps_a_mail(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct reply r = sample_reply(354, "");
	struct outcome out;

	(void)state;
	r.kind = REPLY_TIMEOUT;
	r.maybe_sent = true;
	sample_judge(s, &m, &r, &out);
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.maybe_sent);
	settings_free(&s);
}

static void the_first_mail_of_an_episode_stays_the_handle(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct reply r = sample_reply(250, "ok");
	struct outcome out;

	(void)state;
	m.handle = "<tcs_first@acme.com>";
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.handle, "<tcs_first@acme.com>");
	settings_free(&s);
}

static void the_password_is_never_told(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail();
	struct reply r = sample_reply(535, "535 5.7.8 p4ssword is wrong");
	struct outcome out;

	(void)state;
	r.kind = REPLY_LOGIN;
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason,
			    "SMTP 535, the login was refused: 535 5.7.8 *** is wrong");
	settings_free(&s);
}

static void the_bearer_is_never_told_and_is_named_in_the_hint(void **state)
{
	struct settings *s = sample_settings(
		"type = \"email\"; server = \"smtps://smtp.acme.com\"; from = \"t@acme.com\"; "
		"to = \"a@acme.com\"; username = \"u\"; bearer = \"t0ken-t0ken\"; ");
	struct message m = mail();
	struct reply r = sample_reply(535, "535 5.7.8 t0ken-t0ken is stale");
	struct outcome out;

	(void)state;
	r.kind = REPLY_LOGIN;
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason,
			    "SMTP 535, the login was refused: 535 5.7.8 *** is stale");
	assert_non_null(strstr(out.hint, "bearer"));
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_has_its_outcome),
		cmocka_unit_test(who_has_it_is_left_out_of_the_next_attempt),
		cmocka_unit_test(when_all_that_is_left_is_refused_the_others_still_have_it),
		cmocka_unit_test(a_content_that_is_refused_serves_nobody),
		cmocka_unit_test(silence_after_the_final_dot_is_perhaps_a_mail),
		cmocka_unit_test(the_first_mail_of_an_episode_stays_the_handle),
		cmocka_unit_test(the_password_is_never_told),
		cmocka_unit_test(the_bearer_is_never_told_and_is_named_in_the_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
