/* Mail: the request, its header fields, and what check() finds. */
#include "sample.h"

#include "model/alert.h"

#define SERVER "type = \"email\"; server = \"smtps://smtp.acme.com\"; "
#define BASE   SERVER "from = \"Tocsin <tocsin@acme.com>\"; "
#define KEYS   BASE "to = \"oncall@acme.com\"; "

static struct message mail(const char *subject, const char *text, const char *html)
{
	struct message m = sample_message(subject);

	m.parts[1] = (struct message_part){ text, strlen(text) };
	if (html != NULL)
		m.parts[2] = (struct message_part){ html, strlen(html) };
	m.count = 0;
	return m;
}

static void a_mail_has_these_fields(void **state)
{
	struct settings *s = sample_settings(
		BASE
		"to = [ \"oncall@acme.com\", \"J\xc3\xbcrgen <j@b.de>\" ]; "
		"cc = \"\\\"Doe, Jane\\\" <jane@acme.com>\"; reply_to = \"help@acme.com\"; "
		"username = \"u\"; password = \"pw\";");
	struct message m = mail("[high opened] a title", "text\n", "<p>html</p>\n");
	struct request r;
	char *text;

	(void)state;
	sample_build(s, &m, &r);
	text = sample_request_text(&r);
	assert_string_equal(text,
			    "MAIL smtps://smtp.acme.com\n"
			    "From: Tocsin <tocsin@acme.com>\n"
			    "To: oncall@acme.com, =?UTF-8?B?SsO8cmdlbg==?= <j@b.de>\n"
			    "Cc: \"Doe, Jane\" <jane@acme.com>\n"
			    "Reply-To: help@acme.com\n"
			    "Subject: [high opened] a title\n"
			    "Date: Tue, 24 Nov 2026 03:45:56 +0000\n"
			    "Message-ID: <tcs_0123456789abcdef0123456789abcdef@acme.com>\n"
			    "MIME-Version: 1.0\n"
			    "Auto-Submitted: auto-generated\n"
			    "X-Auto-Response-Suppress: All\n"
			    "Importance: normal\n"
			    "X-Priority: 3\n"
			    "X-Mailer: Tocsin\n"
			    "\n");
	assert_int_equal(r.kind, REQUEST_MAIL);
	assert_int_equal(r.tls, MAIL_TLS_IMPLICIT);
	assert_string_equal(r.from, "tocsin@acme.com");
	assert_int_equal(r.recipient_count, 3);
	assert_string_equal(r.recipients[0], "oncall@acme.com");
	assert_string_equal(r.recipients[1], "j@b.de");
	assert_string_equal(r.recipients[2], "jane@acme.com");
	assert_string_equal(r.username, "u");
	assert_string_equal(r.password, "pw");
	assert_string_equal(r.text, "text\r\n");
	assert_string_equal(r.html, "<p>html</p>\r\n");
	mem_free(&text);
	request_release(&r);
	settings_free(&s);
}

static void expect_subject(const char *subject, const char *wanted)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail(subject, "t", NULL);
	struct request r;

	sample_build(s, &m, &r);
	assert_string_equal(request_get_header(&r, "Subject"), wanted);
	request_release(&r);
	settings_free(&s);
}

static void a_subject_is_one_line_and_ascii(void **state)
{
	char longer[301];

	(void)state;
	expect_subject("a\r\nBcc: evil@x.com\n\n.\n", "a Bcc: evil@x.com .");
	expect_subject("  two\t \t blanks  ", "two blanks");
	expect_subject("\xc3\x9c\r\nBcc: x", "=?UTF-8?B?w5wgQmNjOiB4?=");
	expect_subject("bad \xff", "=?UTF-8?B?YmFkIO+/vQ==?=");
	memset(longer, 'x', 300);
	longer[300] = '\0';
	char wanted[201];

	memset(wanted, 'x', 200);
	wanted[200] = '\0';
	expect_subject(longer, wanted);
}

static void a_long_subject_becomes_words_of_at_most_75(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m;
	struct request r;
	char subject[601];
	const char *at;

	(void)state;
	for (size_t i = 0; i < 600; i += 3)
		memcpy(subject + i, "\xe2\x82\xac", 3);
	subject[600] = '\0';
	m = mail(subject, "t", NULL);
	sample_build(s, &m, &r);
	at = request_get_header(&r, "Subject");
	for (size_t words = 0; *at != '\0'; words++) {
		size_t len = strcspn(at, " ");

		assert_in_range(len, 12, 75);
		assert_int_equal(strncmp(at, "=?UTF-8?B?", 10), 0);
		at += len + strspn(at + len, " ");
	}
	request_release(&r);
	settings_free(&s);
}

static void lines_end_in_crlf_whatever_they_ended_in(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *wanted;
	} rows[] = {
		{ "a\nb\n", 4, "a\r\nb\r\n" }, { "a\r\nb\r\n", 6, "a\r\nb\r\n" },
		{ "a\rb", 3, "a\r\nb" },       { "a\r\r\nb", 5, "a\r\n\r\nb" },
		{ "a\n\rb", 4, "a\r\n\r\nb" }, { ".\n..\n", 5, ".\r\n..\r\n" },
		{ "a\0b", 3, "ab" },           { "", 0, "" },
	};
	struct settings *s = sample_settings(KEYS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m = mail("s", "", NULL);
		struct request r;

		m.parts[1] = (struct message_part){ rows[i].text, rows[i].len };
		sample_build(s, &m, &r);
		assert_string_equal(r.text, rows[i].wanted);
		assert_null(r.html);
		request_release(&r);
	}
	settings_free(&s);
}

static void a_follow_up_refers_to_the_first_mail(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = mail("s", "t", NULL);
	struct request r;

	(void)state;
	sample_build(s, &m, &r);
	assert_null(request_get_header(&r, "References"));
	request_release(&r);

	m.handle = "<tcs_first@acme.com>";
	sample_build(s, &m, &r);
	assert_string_equal(request_get_header(&r, "In-Reply-To"), "<tcs_first@acme.com>");
	assert_string_equal(request_get_header(&r, "References"), "<tcs_first@acme.com>");
	assert_string_equal(request_get_header(&r, "Message-ID"),
			    "<tcs_0123456789abcdef0123456789abcdef@acme.com>");
	request_release(&r);

	m.handle = "no message id";
	sample_build(s, &m, &r);
	assert_null(request_get_header(&r, "References"));
	request_release(&r);
	settings_free(&s);
}

static void importance_is_that_of_the_worst_that_is_open(void **state)
{
	static const struct {
		enum alert_severity a, b;
		enum event_kind a_event, b_event;
		const char *wanted, *number;
	} rows[] = {
		{ SEVERITY_LOW, SEVERITY_LOW, EVENT_OPENED, EVENT_OPENED, "low", "5" },
		{ SEVERITY_LOW, SEVERITY_MEDIUM, EVENT_OPENED, EVENT_REOPENED, "normal", "3" },
		{ SEVERITY_HIGH, SEVERITY_LOW, EVENT_CHANGED, EVENT_OPENED, "high", "2" },
		{ SEVERITY_LOW, SEVERITY_CRITICAL, EVENT_OPENED, EVENT_OPENED, "high", "1" },
		{ SEVERITY_LOW, SEVERITY_CRITICAL, EVENT_OPENED, EVENT_RESOLVED, "low", "5" },
		{ SEVERITY_HIGH, SEVERITY_CRITICAL, EVENT_ACKNOWLEDGED, EVENT_RESOLVED,
		  "normal", "3" },
	};
	struct settings *s = sample_settings(KEYS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct alert a = { .severity = rows[i].a }, b = { .severity = rows[i].b };
		struct facts facts[] = { { .alert = &a, .event = rows[i].a_event },
					 { .alert = &b, .event = rows[i].b_event } };
		struct message m = mail("s", "t", NULL);
		struct request r;

		m.alerts = facts;
		m.count = 2;
		sample_build(s, &m, &r);
		assert_string_equal(request_get_header(&r, "Importance"), rows[i].wanted);
		assert_string_equal(request_get_header(&r, "X-Priority"), rows[i].number);
		request_release(&r);
	}
	settings_free(&s);
}

static void server_and_starttls_decide_url_and_tls(void **state)
{
	static const struct {
		const char *keys, *url;
		enum mail_tls tls;
	} rows[] = {
		{ "server = \"smtp://smtp.acme.com:587\"; ", "smtp://smtp.acme.com:587",
		  MAIL_TLS_STARTTLS },
		{ "server = \"smtps://smtp.acme.com:465/\"; ", "smtps://smtp.acme.com:465",
		  MAIL_TLS_IMPLICIT },
		{ "server = \"smtp://127.0.0.1:25\"; starttls = \"off\"; hello = \"bell.acme.com\"; ",
		  "smtp://127.0.0.1:25/bell.acme.com", MAIL_TLS_NONE },
		{ "server = \"smtp://[::1]:25\"; starttls = \"required\"; ", "smtp://[::1]:25",
		  MAIL_TLS_STARTTLS },
	};
	struct message m = mail("s", "t", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *keys = mem_printf(
			"type = \"email\"; %s from = \"a@b.c\"; to = \"d@e.f\";", rows[i].keys);
		struct settings *s = sample_settings(keys);
		struct request r;

		sample_build(s, &m, &r);
		assert_string_equal(r.url, rows[i].url);
		assert_int_equal(r.tls, rows[i].tls);
		request_release(&r);
		settings_free(&s);
		mem_free(&keys);
	}
}

static void a_recipient_named_twice_gets_one_mail(void **state)
{
	struct settings *s = sample_settings(
		BASE
		"to = [ \"a@acme.com\", \"A <A@ACME.com>\", \"b@acme.com\" ]; cc = \"b@acme.com\";");
	struct message m = mail("s", "t", NULL);
	struct request r;

	(void)state;
	sample_build(s, &m, &r);
	assert_int_equal(r.recipient_count, 2);
	assert_string_equal(r.recipients[0], "a@acme.com");
	assert_string_equal(r.recipients[1], "b@acme.com");
	request_release(&r);
	settings_free(&s);
}

static void every_mistake_is_said_with_its_remedy(void **state)
{
#define REST    "from = \"a@b.c\"; to = \"d@e.f\"; "
#define E       "type = \"email\"; "
#define SEVERAL "holds several addresses: write [ \"a@x\", \"b@y\" ]"
#define NONE    "is no address: name@domain, or Name <name@domain>"
#define OAUTH2(scheme)                                                                      \
	"oauth2 = { token_url = \"" scheme "://login.acme.com/token\"; client_id = \"c\"; " \
	"client_secret = \"s\"; }; "
#define LOGIN "username = \"u\"; password = \"p\"; "
	static const struct {
		const char *keys, *message;
	} rows[] = {
		{ KEYS, "" },
		{ E REST "server = \"smtp.acme.com\";",
		  "sink \"s\": server: must begin with smtp:// or smtps://" },
		{ E REST "server = \"smtp://u:p@smtp.acme.com\";",
		  "sink \"s\": server: holds a login: set username and password" },
		{ E REST "server = \"smtp://smtp.acme.com/x\";",
		  "sink \"s\": server: holds a path: smtp://host:port is all of it (our own name is "
		  "`hello`)" },
		{ E REST "server = \"smtp://\";", "sink \"s\": server: has no valid host" },
		{ E REST "server = \"smtp://a:x\";", "sink \"s\": server: has no valid port" },
		{ E REST "server = \"smtp://a b\";", "sink \"s\": server: has no valid host" },
		{ E REST "server = \"smtp://smtp.acme.com\"; starttls = \"off\";",
		  "sink \"s\": starttls: can be off for a server on loopback only; elsewhere set "
		  "plaintext = true if the way there is your own" },
		{ SERVER REST "starttls = \"off\";",
		  "sink \"s\": starttls: does not go with smtps://, which is TLS already" },
		{ SERVER REST "hello = \"a b\";", "sink \"s\": hello: must be a host's name" },
		{ KEYS "username = \"u\";",
		  "sink \"s\": username: needs password (or bearer, or oauth2) beside it" },
		{ KEYS "password = \"p\";", "sink \"s\": password: needs username beside it" },
		{ KEYS "bearer = \"b\";", "sink \"s\": bearer: needs username beside it" },
		{ KEYS "username = \"u\"; bearer = \"b\";", "" },
		{ KEYS "username = \"u\"; password = \"p\"; bearer = \"b\";",
		  "sink \"s\": bearer: takes the place of password: keep one of them" },
		{ KEYS "username = \"u\"; " OAUTH2("https"), "" },
		{ KEYS OAUTH2("https"), "sink \"s\": oauth2: needs username beside it" },
		{ KEYS "username = \"u\"; bearer = \"b\"; " OAUTH2("https"),
		  "sink \"s\": oauth2: takes the place of password: keep one of them" },
		{ KEYS "username = \"u\"; " OAUTH2("http"),
		  "sink \"s\": oauth2: token_url: is plain http, which only loopback may be: use "
		  "https, or set plaintext = true inside a network of your own" },
		{ E REST "server = \"smtp://127.0.0.1:25\"; starttls = \"off\"; " LOGIN, "" },
		{ SERVER "to = \"a@b.c\"; from = \"nobody\";", "sink \"s\": from: " NONE },
		{ BASE "to = \"a@b.c, d@e.f\";", "sink \"s\": to: " SEVERAL },
		{ BASE "to = [ \"a@b.c\", \"d@e.f;g@h.i\" ];", "sink \"s\": to: " SEVERAL },
		{ KEYS "cc = \"x\";", "sink \"s\": cc: " NONE },
		{ KEYS "reply_to = \"x@\";", "sink \"s\": reply_to: " NONE },
		{ BASE "to = \"j@m\xc3\xbcnchen.de\";",
		  "sink \"s\": to: must be ASCII: write the domain in its xn-- form" },
		{ BASE "to = \"a b@c.d\";",
		  "sink \"s\": to: has a character before the @ that no address has" },
		{ BASE "to = \"a@.d\";", "sink \"s\": to: has no valid domain behind the @" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sample_expect_problem(rows[i].keys, CONF_ERROR, rows[i].message);
}

/* plaintext = true lets a mail travel readable, never a password. */
static void a_login_never_goes_out_without_tls(void **state)
{
	static const char keys[] = "type = \"email\"; server = \"smtp://relay.acme.com:25\"; "
				   "from = \"a@b.c\"; to = \"d@e.f\"; plaintext = true; "
				   "starttls = \"off\"; username = \"u\"; password = \"p\";";
	struct conf_problems problems = { 0 };
	struct settings *s = sample_read(keys, &problems);
	size_t errors = 0;

	(void)state;
	for (size_t i = 0; i < problems.count; i++) {
		if (problems.list[i].level != CONF_ERROR)
			continue;
		errors++;
		assert_string_equal(
			problems.list[i].message,
			"sink \"s\": username: is sent without TLS to loopback only: "
			"leave starttls on, or leave out the login");
	}
	assert_int_equal(errors, 1);
	conf_problems_release(&problems);
	settings_free(&s);
}

static void a_bearer_takes_the_place_of_a_password(void **state)
{
	struct settings *s = sample_settings(KEYS "username = \"u\"; bearer = \"t0ken\";");
	struct message m = mail("s", "t", NULL);
	struct request r;

	(void)state;
	sample_build(s, &m, &r);
	assert_string_equal(r.username, "u");
	assert_null(r.password);
	assert_string_equal(r.bearer, "t0ken");
	request_release(&r);
	settings_free(&s);
}

/* ---- the thread of an alert ---- */

struct told {
	struct alert alert;
	struct facts facts;
	struct message message;
};

static void told_open(struct told *t, const char *id, enum event_kind event)
{
	char *json =
		mem_printf("{\"id\":\"%s\",\"org_id\":\"o1\",\"title\":\"A \\r\\n t\"}", id);
	struct err err;

	assert_true(alert_read(&t->alert, json, strlen(json), &err));
	t->facts = (struct facts){ .alert = &t->alert, .event = event };
	t->message = mail("s", "t", NULL);
	t->message.alerts = &t->facts;
	t->message.count = 1;
	mem_free(&json);
}

#define OWN_ID "<tcs_0123456789abcdef0123456789abcdef@acme.com>"

/* Whatever happens to an alert, and in whichever episode: one root. */
static void all_mails_of_an_alert_share_a_root(void **state)
{
	static const struct {
		enum event_kind event;
		bool first;
		const char *handle;
		bool answers_root;
		const char *answers;
	} rows[] = {
		{ EVENT_OPENED, false, "", false, NULL },
		{ EVENT_OPENED, false, OWN_ID, false, NULL },
		{ EVENT_RESOLVED, true, "", false, NULL },
		{ EVENT_RESOLVED, false, "<tcs_first@acme.com>", false,
		  "<tcs_first@acme.com>" },
		{ EVENT_REOPENED, false, "", true, NULL },
		{ EVENT_RESOLVED, false, "<tcs_second@acme.com>", false,
		  "<tcs_second@acme.com>" },
	};
	struct settings *s = sample_settings(KEYS);
	char root[100] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct told t;
		struct request r;

		told_open(&t, "al1", rows[i].event);
		t.facts.first = rows[i].first;
		t.message.handle = rows[i].handle;
		sample_build(s, &t.message, &r);
		const char *refs = request_get_header(&r, "References");
		const char *answers = request_get_header(&r, "In-Reply-To");
		char *wanted;

		if (i == 0)
			snprintf(root, sizeof(root), "%s", refs);
		assert_int_equal(strncmp(root, "<alert.", 7), 0);
		wanted = mem_printf("%s%s%s", root, rows[i].answers != NULL ? " " : "",
				    rows[i].answers != NULL ? rows[i].answers : "");
		assert_string_equal(refs, wanted);
		if (rows[i].answers_root)
			assert_string_equal(answers, root);
		else if (rows[i].answers != NULL)
			assert_string_equal(answers, rows[i].answers);
		else
			assert_null(answers);
		assert_string_equal(request_get_header(&r, "Message-ID"), OWN_ID);
		assert_string_equal(request_get_header(&r, "Thread-Topic"), "A t");
		assert_int_equal(strlen(request_get_header(&r, "Thread-Index")), 32);
		mem_free(&wanted);
		request_release(&r);
		alert_release(&t.alert);
	}
	settings_free(&s);
}

static void another_alert_has_another_root_and_a_digest_none(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct told one, other;
	struct request r, q;
	struct facts both[2];

	(void)state;
	told_open(&one, "al1", EVENT_OPENED);
	told_open(&other, "al2", EVENT_OPENED);
	sample_build(s, &one.message, &r);
	sample_build(s, &other.message, &q);
	assert_string_not_equal(request_get_header(&r, "References"),
				request_get_header(&q, "References"));
	assert_string_not_equal(request_get_header(&r, "Thread-Index"),
				request_get_header(&q, "Thread-Index"));
	request_release(&r);
	both[0] = one.facts;
	both[1] = other.facts;
	one.message.alerts = both;
	one.message.count = 2;
	sample_build(s, &one.message, &r);
	assert_null(request_get_header(&r, "References"));
	assert_null(request_get_header(&r, "In-Reply-To"));
	assert_null(request_get_header(&r, "Thread-Index"));
	assert_string_equal(request_get_header(&r, "Message-ID"), OWN_ID);
	request_release(&r);
	request_release(&q);
	alert_release(&one.alert);
	alert_release(&other.alert);
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_has_these_fields),
		cmocka_unit_test(a_subject_is_one_line_and_ascii),
		cmocka_unit_test(a_long_subject_becomes_words_of_at_most_75),
		cmocka_unit_test(lines_end_in_crlf_whatever_they_ended_in),
		cmocka_unit_test(a_follow_up_refers_to_the_first_mail),
		cmocka_unit_test(importance_is_that_of_the_worst_that_is_open),
		cmocka_unit_test(server_and_starttls_decide_url_and_tls),
		cmocka_unit_test(a_recipient_named_twice_gets_one_mail),
		cmocka_unit_test(every_mistake_is_said_with_its_remedy),
		cmocka_unit_test(a_login_never_goes_out_without_tls),
		cmocka_unit_test(a_bearer_takes_the_place_of_a_password),
		cmocka_unit_test(all_mails_of_an_alert_share_a_root),
		cmocka_unit_test(another_alert_has_another_root_and_a_digest_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
