/* Slack's incoming webhook: the request, every word it answers, what check() finds. */
#include "sample.h"

#include "model/json.h"

#define HOOK "https://hooks.slack.com/services/T0123/B0456/abcdefghijklmnopqrstuvwx"
#define KEYS "type = \"slack\"; url = \"" HOOK "\"; "

static void expect_body(const char *keys, const char *rendered, const char *wanted)
{
	struct settings *s = sample_settings(keys);
	struct message m = sample_message(rendered);
	struct request r;

	sample_build(s, &m, &r);
	assert_string_equal(r.body.data, wanted);
	request_release(&r);
	settings_free(&s);
}

static void the_rendered_template_is_posted_as_it_is(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{\"text\":\"hi\"}\n");
	struct request r;
	char *text;

	(void)state;
	sample_build(s, &m, &r);
	text = sample_request_text(&r);
	assert_string_equal(text, "POST " HOOK "\n"
				  "User-Agent: tocsin/" TOCSIN_VERSION "\n"
				  "Content-Type: application/json\n"
				  "\n"
				  "{\"text\":\"hi\"}");
	mem_free(&text);
	request_release(&r);
	settings_free(&s);
}

static void name_and_icon_are_members_in_front_only_where_set(void **state)
{
	(void)state;
	expect_body(KEYS, "{\"text\":\"hi\"}", "{\"text\":\"hi\"}");
	expect_body(
		KEYS "username = \"Bell \\\"1\\\"\"; icon_emoji = \":bell:\";",
		"\n{ \"text\":\"hi\"}",
		"{\"username\":\"Bell \\\"1\\\"\",\"icon_emoji\":\":bell:\", \"text\":\"hi\"}");
	expect_body(KEYS "icon_emoji = \":bell:\";", "{ }", "{\"icon_emoji\":\":bell:\" }");
}

static void a_template_that_makes_no_object_takes_no_name(void **state)
{
	struct settings *s = sample_settings(KEYS "username = \"Bell\";");
	struct message m = sample_message("[1]");
	struct request r;
	struct err err;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_false(s->sinks[0].type->build(&s->sinks[0], &m, &r, &err));
	assert_string_equal(err.text, "the template made no JSON object");
	request_release(&r);
	settings_free(&s);
}

/* ---- judging ---- */

#define DONE     VERDICT_DELIVERED, false, false
#define NEVER    VERDICT_NEVER, false, false
#define DOWN     VERDICT_LATER, true, false
#define OPERATOR VERDICT_LATER, true, true

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	bool sink_down, alarm;
	const char *key; /* that the hint names */
} answers[] = {
	{ 200, "ok", DONE, NULL },
	{ 200, "ok\n", DONE, NULL },
	{ 200, "{\"ok\":true}", DONE, NULL },
	{ 400, "invalid_payload", NEVER, "template" },
	{ 400, "no_text", NEVER, "template" },
	{ 400, "missing_text_or_fallback_or_attachments", NEVER, "template" },
	{ 400, "too_many_attachments", NEVER, "template" },
	{ 400, "invalid_blocks", NEVER, "template" },
	{ 400, "invalid_blocks_format", NEVER, "template" },
	{ 400, "user_not_found", OPERATOR, "url" },
	{ 403, "action_prohibited", OPERATOR, "url" },
	{ 404, "channel_not_found", OPERATOR, "url" },
	{ 410, "channel_is_archived", OPERATOR, "url" },
	{ 403, "posting_to_general_channel_denied", OPERATOR, "url" },
	{ 404, "no_service", OPERATOR, "url" },
	{ 404, "no_service_id", OPERATOR, "url" },
	{ 404, "no_team", OPERATOR, "url" },
	{ 403, "team_disabled", OPERATOR, "url" },
	{ 404, "no_active_hooks", OPERATOR, "url" },
	{ 403, "invalid_token", OPERATOR, "url" },
	{ 500, "rollup_error", DOWN, NULL },
	{ 429, "rate_limited", DOWN, "rate" },
	{ 429, "{\"ok\":false,\"error\":\"ratelimited\"}", DOWN, "rate" },
	/* The word counts, whatever status it comes under. */
	{ 400, "invalid_token", OPERATOR, "url" },
	{ 403, "no_service", OPERATOR, "url" },
	{ 400, "posting_to_general_channel_denied", OPERATOR, "url" },
	{ 200, "invalid_payload", NEVER, "template" },
	{ 200, "{\"ok\":false,\"error\":\"invalid_blocks\"}", NEVER, "template" },
	/* Without a word that we know the status does, but 2xx alone is not Slack's yes. */
	{ 429, "", DOWN, "rate" },
	{ 400, "something_new", NEVER, "template" },
	{ 405, "", OPERATOR, "url" },
	{ 302, "", OPERATOR, "url" },
	{ 503, "<html>upstream</html>", DOWN, "retry" },
	{ 500, "ok", DOWN, "retry" },
	{ 200, "", OPERATOR, "url" },
	{ 200, "<html>please log in</html>", OPERATOR, "url" },
	{ 204, "", OPERATOR, "url" },
};

static void each_word_has_its_outcome(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct reply r = sample_reply(answers[i].status, answers[i].body);
		char hint[40] = "";
		struct outcome out;

		if (answers[i].key != NULL)
			snprintf(hint, sizeof(hint), "sinks: s: %s: ", answers[i].key);
		sample_judge(s, &m, &r, &out);
		if (out.verdict != answers[i].verdict ||
		    out.sink_down != answers[i].sink_down || out.alarm != answers[i].alarm ||
		    strncmp(out.hint, hint, strlen(hint)) != 0 ||
		    (hint[0] == '\0') != (out.hint[0] == '\0'))
			fail_msg("%d %s: %s down %d alarm %d, %s, hint \"%s\"",
				 answers[i].status, answers[i].body, verdict_name(out.verdict),
				 out.sink_down, out.alarm, out.reason, out.hint);
	}
	settings_free(&s);
}

static void a_slow_down_carries_its_wait(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{}");
	struct reply r = sample_reply(429, "rate_limited");
	struct outcome out;

	(void)state;
	r.headers = "Retry-After: 30\r\n";
	sample_judge(s, &m, &r, &out);
	assert_int_equal(out.retry_after_ms, 30000);
	assert_string_equal(out.reason, "HTTP 429, too many messages: rate_limited");
	settings_free(&s);
}

static void a_cut_after_sending_is_perhaps_a_message(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{}");
	struct reply r = sample_reply(0, "");
	struct outcome out;

	(void)state;
	r.kind = REPLY_CUT;
	r.maybe_sent = true;
	sample_judge(s, &m, &r, &out);
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.sink_down);
	assert_true(out.maybe_sent);
	settings_free(&s);
}

static void the_hook_is_never_told(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{}");
	struct reply r =
		sample_reply(404, "nothing at /services/T0123/B0456/"
				  "abcdefghijklmnopqrstuvwx (abcdefghijklmnopqrstuvwx)");
	struct outcome out;

	(void)state;
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason, "HTTP 404, nothing there: nothing at *** (***)");
	settings_free(&s);
}

/* ---- checking ---- */

static void a_url_that_is_no_incoming_webhook_is_found(void **state)
{
#define S "type = \"slack\"; url = \"https://hooks.slack.com"
	static const struct {
		const char *keys, *message;
	} rows[] = {
		{ KEYS, "" },
		{ "type = \"slack\"; url = \"http://127.0.0.1:8080/anything\";", "" },
		{ "type = \"slack\"; url = \"https://chat.acme.com/hooks/x\";", "" },
		{ S "/services/T1/B2\";",
		  "sink \"s\": url: is cut off: three pieces follow /services/" },
		{ S "/services/T1/B2/\";",
		  "sink \"s\": url: is cut off: three pieces follow /services/" },
		{ S "/triggers/T1/2/x\";",
		  "sink \"s\": url: starts a workflow, which takes variables and no messages: make "
		  "an incoming webhook" },
		{ S "\";", "sink \"s\": url: is no incoming webhook: "
			   "https://hooks.slack.com/services/T.../B.../..." },
		{ KEYS "icon_emoji = \"bell\";",
		  "sink \"s\": icon_emoji: must be a name between colons, as \":bell:\"" },
		{ "type = \"slack\"; url = \"http://hooks.slack.com/services/T1/B2/x\";",
		  "sink \"s\": url: is plain http, which only loopback may be: use https, or set "
		  "plaintext = true inside a network of your own" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sample_expect_problem(rows[i].keys, CONF_ERROR, rows[i].message);
}

static void its_defaults_are_those_of_a_chat(void **state)
{
	struct settings *s = sample_settings(KEYS);

	(void)state;
	assert_true(s->sinks[0].collapse);
	assert_int_equal(s->sinks[0].rate.count, 1);
	assert_int_equal(s->sinks[0].rate.per_ms, 1000);
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rendered_template_is_posted_as_it_is),
		cmocka_unit_test(name_and_icon_are_members_in_front_only_where_set),
		cmocka_unit_test(a_template_that_makes_no_object_takes_no_name),
		cmocka_unit_test(each_word_has_its_outcome),
		cmocka_unit_test(a_slow_down_carries_its_wait),
		cmocka_unit_test(a_cut_after_sending_is_perhaps_a_message),
		cmocka_unit_test(the_hook_is_never_told),
		cmocka_unit_test(a_url_that_is_no_incoming_webhook_is_found),
		cmocka_unit_test(its_defaults_are_those_of_a_chat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
