/* Whose fault is it? Every status and every way to fail, as a table. */
#include "sample.h"

#define URL "type = \"webhook\"; url = \"https://hooks.acme.com/in/T0ken42\"; "

struct row {
	enum reply_kind kind;
	int status;
	bool maybe_sent;
	const char *headers;

	enum verdict verdict;
	bool sink_down, alarm;
	int64_t retry_after_ms;
	const char *hint; /* its beginning */
};

#define ANSWER(status)   REPLY_ANSWERED, status, false, ""
#define TROUBLE(kind)    kind, 0, false, ""
#define UNSURE(kind)     kind, 0, true, ""
#define DONE             VERDICT_DELIVERED, false, false, -1
#define NEVER            VERDICT_NEVER, false, false, -1
#define LATER            VERDICT_LATER, false, false, -1
#define DOWN             VERDICT_LATER, true, false, -1
#define OPERATOR         VERDICT_LATER, true, true, -1
#define WAIT(headers, s) REPLY_ANSWERED, s, false, headers

static const struct row rows[] = {
	{ ANSWER(200), DONE, "" },
	{ ANSWER(202), DONE, "" },
	{ ANSWER(204), DONE, "" },
	{ ANSWER(301), OPERATOR, "sinks: s: url: set it to the final address" },
	{ ANSWER(302), OPERATOR, "sinks: s: url: set it to the final address" },
	{ ANSWER(308), OPERATOR, "sinks: s: url: set it to the final address" },
	{ ANSWER(400), NEVER, "sinks: s: template: " },
	{ ANSWER(413), NEVER, "sinks: s: template: " },
	{ ANSWER(415), NEVER, "sinks: s: template: " },
	{ ANSWER(422), NEVER, "sinks: s: template: " },
	{ ANSWER(401), OPERATOR, "sinks: s: bearer, basic or headers: " },
	{ ANSWER(403), OPERATOR, "sinks: s: bearer, basic or headers: " },
	{ ANSWER(404), OPERATOR, "sinks: s: url: " },
	{ ANSWER(405), OPERATOR, "sinks: s: url: " },
	{ ANSWER(407), OPERATOR, "sinks: s: proxy: " },
	{ ANSWER(410), OPERATOR, "sinks: s: url: it was revoked" },
	{ ANSWER(408), DOWN, "sinks: s: retry: " },
	{ ANSWER(425), DOWN, "sinks: s: retry: " },
	{ ANSWER(429), DOWN, "sinks: s: rate: " },
	{ ANSWER(500), DOWN, "sinks: s: retry: " },
	{ ANSWER(501), DOWN, "sinks: s: retry: " },
	{ ANSWER(503), DOWN, "sinks: s: retry: " },
	{ ANSWER(599), DOWN, "sinks: s: retry: " },
	{ ANSWER(409), LATER, "" },
	/* Unknown is later. */
	{ ANSWER(402), LATER, "" },
	{ ANSWER(418), LATER, "" },
	{ ANSWER(451), LATER, "" },
	{ ANSWER(600), LATER, "" },
	{ ANSWER(199), LATER, "" },

	{ WAIT("Retry-After: 7\r\n", 429), VERDICT_LATER, true, false, 7000, "sinks: s: rate" },
	{ WAIT("retry-after: Tue, 24 Nov 2026 03:46:56 GMT\r\n", 503), VERDICT_LATER, true,
	  false, 60000, "sinks: s: retry: " },
	{ WAIT("Retry-After: soon\r\n", 503), DOWN, "sinks: s: retry: " },

	{ TROUBLE(REPLY_RESOLVE), DOWN, "sinks: s: url: " },
	{ TROUBLE(REPLY_CONNECT), DOWN, "sinks: s: url: " },
	{ TROUBLE(REPLY_TLS), OPERATOR, "sinks: s: ca_file: " },
	{ TROUBLE(REPLY_TIMEOUT), DOWN, "sinks: s: timeout: " },
	{ UNSURE(REPLY_TIMEOUT), DOWN, "sinks: s: timeout: " },
	{ TROUBLE(REPLY_CUT), DOWN, "sinks: s: retry: " },
	{ UNSURE(REPLY_CUT), DOWN, "sinks: s: retry: " },
	{ TROUBLE(REPLY_GARBLED), DOWN, "sinks: s: url: " },
	{ TROUBLE(REPLY_LOCAL), OPERATOR, "sinks: s: url: " },
	{ REPLY_TOO_LARGE, 200, false, "", DONE, "" },
	{ REPLY_TOO_LARGE, 500, false, "", DOWN, "sinks: s: retry: " },
	/* The status was heard before the answer broke off: it has it. */
	{ REPLY_CUT, 200, false, "", DONE, "" },
	{ REPLY_TIMEOUT, 202, false, "", DONE, "" },
	{ REPLY_TIMEOUT, 100, true, "", DOWN, "sinks: s: timeout: " },
};

static void each_answer_has_its_outcome(void **state)
{
	struct settings *s = sample_settings(URL);
	struct message m = sample_message("x");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct reply r = sample_reply(row->status, "");
		struct outcome out;

		r.kind = row->kind;
		r.maybe_sent = row->maybe_sent;
		r.headers = row->headers;
		sample_judge(s, &m, &r, &out);
		if (out.verdict != row->verdict || out.sink_down != row->sink_down ||
		    out.alarm != row->alarm || out.retry_after_ms != row->retry_after_ms ||
		    out.maybe_sent != row->maybe_sent ||
		    out.status != (row->status == 100 ? 0 : row->status) ||
		    strncmp(out.hint, row->hint, strlen(row->hint)) != 0 ||
		    (row->hint[0] == '\0' && out.hint[0] != '\0'))
			fail_msg("row %zu: %s down %d alarm %d maybe %d wait %d hint \"%s\"", i,
				 verdict_name(out.verdict), out.sink_down, out.alarm,
				 out.maybe_sent, (int)out.retry_after_ms, out.hint);
	}
	settings_free(&s);
}

static void a_reason_is_one_line_that_quotes_the_answer(void **state)
{
	static const struct {
		enum reply_kind kind;
		int status;
		const char *body, *error, *reason;
	} quotes[] = {
		{ REPLY_ANSWERED, 200, "thanks", "", "HTTP 200" },
		{ REPLY_ANSWERED, 500, "", "", "HTTP 500, the receiver failed" },
		{ REPLY_ANSWERED, 500, "<html>\r\n\t<b>\x1b[31mno\x7f\xc2\x85way</b>\n", "",
		  "HTTP 500, the receiver failed: <html> <b> [31mno way</b>" },
		{ REPLY_ANSWERED, 500, "bad \xff utf", "",
		  "HTTP 500, the receiver failed: bad \xef\xbf\xbd utf" },
		{ REPLY_CONNECT, 0, "", "no connection: refused", "no connection: refused" },
		{ REPLY_TIMEOUT, 100, "", "timed out", "timed out" },
		{ REPLY_CUT, 0, "", "", "the connection was cut" },
	};
	struct settings *s = sample_settings(URL);
	struct message m = sample_message("x");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		struct reply r = sample_reply(quotes[i].status, quotes[i].body);
		struct outcome out;

		r.kind = quotes[i].kind;
		r.error = quotes[i].error;
		sample_judge(s, &m, &r, &out);
		assert_string_equal(out.reason, quotes[i].reason);
	}
	settings_free(&s);
}

static void a_long_answer_is_cut_between_characters(void **state)
{
	struct settings *s = sample_settings(URL);
	struct message m = sample_message("x");
	struct outcome out;
	struct reply r;
	char body[3001];

	(void)state;
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(body + i, "\xe2\x82\xac", 3);
	body[3000] = '\0';
	r = sample_reply(500, body);
	sample_judge(s, &m, &r, &out);
	assert_int_equal(strlen(out.reason), strlen("HTTP 500, the receiver failed: ") + 198);
	assert_string_equal(out.reason + strlen(out.reason) - 3, "\xe2\x82\xac");
	settings_free(&s);
}

/* A cut first, hiding after, would leave the first half of it readable. */
static void a_secret_on_the_edge_of_the_cut_is_hidden_whole(void **state)
{
	struct settings *s = sample_settings(URL);
	struct message m = sample_message("x");
	struct outcome out;

	(void)state;
	for (size_t before = 180; before < 210; before++) {
		char body[300];

		memset(body, 'x', before);
		snprintf(body + before, sizeof(body) - before, "/in/T0ken42");
		struct reply r = sample_reply(500, body);

		sample_judge(s, &m, &r, &out);
		assert_null(strstr(out.reason, "T0"));
	}
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_has_its_outcome),
		cmocka_unit_test(a_reason_is_one_line_that_quotes_the_answer),
		cmocka_unit_test(a_long_answer_is_cut_between_characters),
		cmocka_unit_test(a_secret_on_the_edge_of_the_cut_is_hidden_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
