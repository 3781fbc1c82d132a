/* What Slack says, word by word: whose fault it is, and which step comes next. */
#include "sample.h"

#define HOOK "https://hooks.slack.com/services/T0123/B0456/abcdefghijklmnopqrstuvwx"
#define KEYS "type = \"slack\"; url = \"" HOOK "\"; "
#define BOT  "type = \"slack\"; token = \"xoxb-1-secret\"; channel = \"#alerts\"; "
#define TS   "1503435956.000247"

static struct facts opened = { .event = EVENT_OPENED };
static struct facts resolved = { .event = EVENT_RESOLVED };

static struct message message(const struct facts *facts, const char *handle,
			      const char *progress)
{
	struct message m = sample_message("{}");

	m.alerts = facts;
	m.handle = handle;
	m.progress = progress;
	return m;
}

/* ---- words ---- */

#define DONE     VERDICT_DELIVERED, false, false
#define AGAIN    VERDICT_AGAIN, false, false
#define LATER    VERDICT_LATER, false, false
#define NEVER    VERDICT_NEVER, false, false
#define DOWN     VERDICT_LATER, true, false
#define OPERATOR VERDICT_LATER, true, true

struct answer {
	int status;
	const char *body;
	enum verdict verdict;
	bool sink_down, alarm;
	const char *key; /* that the hint names; NULL: no hint */
};

static void expect_outcome(const struct answer *a, const struct outcome *out)
{
	char hint[40] = "";

	if (a->key != NULL)
		snprintf(hint, sizeof(hint), "sinks: s: %s: ", a->key);
	if (out->verdict != a->verdict || out->sink_down != a->sink_down ||
	    out->alarm != a->alarm || strncmp(out->hint, hint, strlen(hint)) != 0 ||
	    (hint[0] == '\0') != (out->hint[0] == '\0'))
		fail_msg("%d %s: %s down %d alarm %d, %s, hint \"%s\"", a->status, a->body,
			 verdict_name(out->verdict), out->sink_down, out->alarm, out->reason,
			 out->hint);
}

/* As the last step that there is: nothing can be tried in another way. */
static const struct answer of_hook[] = {
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
	{ 403, "missing_scope", OPERATOR, "url" },
	{ 403, "access_denied", OPERATOR, "url" },
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
	{ 200, "something_new", OPERATOR, "url" },
	{ 200, "{\"ok\":false,\"error\":\"something_new\"}", LATER, NULL },
	{ 204, "", OPERATOR, "url" },
};

#define NO(word) "{\"ok\":false,\"error\":\"" word "\"}"

static const struct answer of_bot[] = {
	{ 200, "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"" TS "\"}", DONE, NULL },
	{ 200, "{\"ok\":true}", DONE, NULL },
	/* transient */
	{ 429, NO("ratelimited"), DOWN, "rate" },
	{ 200, NO("rate_limited"), DOWN, "rate" },
	{ 503, NO("service_unavailable"), DOWN, NULL },
	{ 200, NO("internal_error"), DOWN, NULL },
	{ 200, NO("fatal_error"), DOWN, NULL },
	{ 200, NO("request_timeout"), DOWN, NULL },
	{ 200, NO("team_added_to_org"), DOWN, NULL },
	{ 200, NO("org_login_required"), DOWN, NULL },
	{ 200, NO("external_channel_migrating"), DOWN, NULL },
	{ 200, NO("update_failed"), LATER, NULL },
	{ 200, NO("streaming_state_conflict"), LATER, NULL },
	{ 200, NO("message_limit_exceeded"), OPERATOR, "rate" },
	/* the operator's */
	{ 200, NO("not_authed"), OPERATOR, "token" },
	{ 200, NO("invalid_auth"), OPERATOR, "token" },
	{ 200, NO("account_inactive"), OPERATOR, "token" },
	{ 200, NO("token_revoked"), OPERATOR, "token" },
	{ 200, NO("token_expired"), OPERATOR, "token" },
	{ 200, NO("missing_scope"), OPERATOR, "token" },
	{ 200, NO("no_permission"), OPERATOR, "token" },
	{ 200, NO("not_allowed_token_type"), OPERATOR, "token" },
	{ 200, NO("access_denied"), OPERATOR, "token" },
	{ 200, NO("accesslimited"), OPERATOR, "token" },
	{ 200, NO("ekm_access_denied"), OPERATOR, "token" },
	{ 200, NO("enterprise_is_restricted"), OPERATOR, "token" },
	{ 200, NO("team_access_not_granted"), OPERATOR, "token" },
	{ 200, NO("two_factor_setup_required"), OPERATOR, "token" },
	{ 200, NO("app_access_restricted"), OPERATOR, "token" },
	{ 200, NO("channel_not_found"), OPERATOR, "channel" },
	{ 200, NO("not_in_channel"), OPERATOR, "channel" },
	{ 200, NO("is_archived"), OPERATOR, "channel" },
	{ 200, NO("is_inactive"), OPERATOR, "channel" },
	{ 200, NO("restricted_action"), OPERATOR, "channel" },
	{ 200, NO("restricted_action_read_only_channel"), OPERATOR, "channel" },
	{ 200, NO("restricted_action_thread_only_channel"), OPERATOR, "channel" },
	{ 200, NO("messages_tab_disabled"), OPERATOR, "channel" },
	{ 200, NO("team_not_found"), OPERATOR, "channel" },
	{ 200, NO("user_not_found"), OPERATOR, "channel" },
	{ 200, NO("method_deprecated"), OPERATOR, "api_url" },
	{ 200, NO("deprecated_endpoint"), OPERATOR, "api_url" },
	{ 200, NO("unknown_method"), OPERATOR, "api_url" },
	{ 200, NO("invalid_charset"), OPERATOR, "api_url" },
	{ 200, NO("missing_post_type"), OPERATOR, "api_url" },
	{ 200, NO("invalid_post_type"), OPERATOR, "api_url" },
	/* this message's */
	{ 200, NO("no_text"), NEVER, "template" },
	{ 200, NO("invalid_blocks"), NEVER, "template" },
	{ 200, NO("invalid_blocks_format"), NEVER, "template" },
	{ 200, NO("msg_blocks_too_long"), NEVER, "template" },
	{ 200, NO("msg_too_long"), NEVER, "template" },
	{ 200, NO("too_many_attachments"), NEVER, "template" },
	{ 200, NO("too_many_contact_cards"), NEVER, "template" },
	{ 200, NO("attachment_payload_limit_exceeded"), NEVER, "template" },
	{ 200, NO("invalid_attachments"), NEVER, "template" },
	{ 200, NO("metadata_too_large"), NEVER, "template" },
	{ 200, NO("invalid_metadata_format"), NEVER, "template" },
	{ 200, NO("invalid_metadata_schema"), NEVER, "template" },
	{ 200, NO("metadata_must_be_sent_from_app"), NEVER, "template" },
	{ 200, NO("markdown_text_conflict"), NEVER, "template" },
	{ 200, NO("block_mismatch"), NEVER, "template" },
	{ 200, NO("invalid_arguments"), NEVER, "template" },
	{ 200, NO("invalid_arg_name"), NEVER, "template" },
	{ 200, NO("invalid_array_arg"), NEVER, "template" },
	{ 200, NO("invalid_form_data"), NEVER, "template" },
	{ 200, NO("invalid_json"), NEVER, "template" },
	{ 200, NO("json_not_object"), NEVER, "template" },
	{ 200, NO("as_user_not_supported"), NEVER, "template" },
	{ 200, NO("no_dual_broadcast_content_update"), NEVER, "template" },
	{ 200, NO("missing_file_data"), NEVER, "template" },
	{ 200, NO("slack_connect_file_link_sharing_blocked"), NEVER, "template" },
	{ 200, NO("slack_connect_canvas_sharing_blocked"), NEVER, "template" },
	{ 200, NO("slack_connect_lists_sharing_blocked"), NEVER, "template" },
	/* about an earlier message, of which a new one knows nothing */
	{ 200, NO("message_not_found"), LATER, NULL },
	{ 200, NO("thread_not_found"), LATER, NULL },
	{ 200, NO("cant_update_message"), LATER, NULL },
	{ 200, NO("cant_broadcast_message"), LATER, NULL },
	{ 200, NO("edit_window_closed"), LATER, NULL },
	{ 200, NO("cannot_reply_to_message"), LATER, NULL },
	{ 200, NO("restricted_action_thread_locked"), LATER, NULL },
	{ 200, NO("restricted_action_non_threadable_channel"), LATER, NULL },
	/* not known */
	{ 200, NO("something_new"), LATER, NULL },
	{ 200, NO("Something <new>"), OPERATOR, "api_url" },
	{ 200, "{\"ok\":false}", OPERATOR, "api_url" },
	{ 200, "{\"ok\":1}", OPERATOR, "api_url" },
	{ 200, "ok", OPERATOR, "api_url" },
	{ 200, "<html>please log in</html>", OPERATOR, "api_url" },
	{ 200, "{\"ok\":true,", OPERATOR, "api_url" },
	{ 401, "", OPERATOR, "token" },
	{ 404, "", OPERATOR, "api_url" },
	{ 302, "", OPERATOR, "api_url" },
	{ 429, "", DOWN, "rate" },
	{ 500, "{\"ok\":true}", DOWN, "retry" },
	{ 503, "<html>", DOWN, "retry" },
};

static void expect_answers(const char *keys, const struct answer *answers, size_t count)
{
	struct settings *s = sample_settings(keys);
	struct message m = message(&opened, "", "plain");

	for (size_t i = 0; i < count; i++) {
		struct reply r = sample_reply(answers[i].status, answers[i].body);
		struct outcome out;

		sample_judge(s, &m, &r, &out);
		expect_outcome(&answers[i], &out);
	}
	settings_free(&s);
}

static void each_word_of_a_webhook_has_its_outcome(void **state)
{
	(void)state;
	expect_answers(KEYS, of_hook, ARRAY_LEN(of_hook));
}

static void each_word_of_the_api_has_its_outcome(void **state)
{
	(void)state;
	expect_answers(BOT, of_bot, ARRAY_LEN(of_bot));
}

/* ---- steps ---- */

#define FIRST "C1 " TS
#define YES   "{\"ok\":true,\"channel\":\"C7\",\"ts\":\"1700000000.000100\"}"

static const struct step {
	const char *keys;
	const struct facts *facts;
	const char *handle, *progress, *body;
	enum verdict verdict;
	const char *left; /* of AGAIN the progress, of DELIVERED the handle */
} steps[] = {
	{ BOT, &opened, "", "", YES, VERDICT_DELIVERED, "C7 1700000000.000100" },
	{ BOT, &resolved, "", "", YES, VERDICT_DELIVERED, "C7 1700000000.000100" },
	{ BOT, &opened, "", "", "{\"ok\":true,\"channel\":\"C7\",\"ts\":1700000000.0001}",
	  VERDICT_DELIVERED, "" },
	{ BOT, &opened, "", "", "{\"ok\":true,\"channel\":\"C 7\",\"ts\":\"1.2\"}",
	  VERDICT_DELIVERED, "" },
	{ KEYS, &opened, "", "", "ok", VERDICT_DELIVERED, "" },
	/* The first message stays what all refer to. */
	{ BOT, &resolved, FIRST, "", YES, VERDICT_AGAIN, "updated" },
	{ BOT, &resolved, FIRST, "updated", YES, VERDICT_DELIVERED, FIRST },
	{ BOT, &resolved, FIRST " digest", "", YES, VERDICT_DELIVERED, FIRST " digest" },
	{ BOT "thread = false;", &resolved, FIRST, "updated", YES, VERDICT_DELIVERED, FIRST },
	{ BOT, &resolved, FIRST, "updated anew", YES, VERDICT_DELIVERED,
	  "C7 1700000000.000100" },
	/* It is gone: a new one, whatever the step. */
	{ BOT, &resolved, FIRST, "", NO("message_not_found"), VERDICT_AGAIN, "anew" },
	{ BOT, &resolved, FIRST, "", NO("cant_update_message"), VERDICT_AGAIN, "anew" },
	{ BOT, &resolved, FIRST, "", NO("edit_window_closed"), VERDICT_AGAIN, "anew" },
	{ BOT, &resolved, FIRST, "updated", NO("thread_not_found"), VERDICT_AGAIN,
	  "updated anew" },
	{ BOT, &resolved, FIRST, "updated", NO("cannot_reply_to_message"), VERDICT_AGAIN,
	  "updated anew" },
	{ BOT, &resolved, FIRST, "updated", NO("restricted_action_thread_locked"),
	  VERDICT_AGAIN, "updated anew" },
	{ BOT, &opened, FIRST, "updated", NO("cant_broadcast_message"), VERDICT_AGAIN,
	  "updated anew" },
	{ BOT, &resolved, FIRST, "updated", NO("restricted_action_non_threadable_channel"),
	  VERDICT_AGAIN, "updated anew" },
	/* Its channel is not that of today; of the same one the channel is to be mended. */
	{ BOT, &resolved, FIRST, "", NO("channel_not_found"), VERDICT_AGAIN, "anew" },
	{ BOT, &resolved, FIRST, "updated", NO("is_archived"), VERDICT_AGAIN, "updated anew" },
	{ BOT, &resolved, "#alerts " TS, "", NO("is_archived"), VERDICT_LATER, "" },
	{ BOT, &resolved, FIRST, "anew", NO("is_archived"), VERDICT_LATER, "anew" },
	/* Refused: plain, then the reply all the same; a post is over then. */
	{ BOT, &opened, "", "", NO("invalid_blocks"), VERDICT_AGAIN, "plain" },
	{ BOT, &opened, "", "plain", NO("invalid_blocks"), VERDICT_NEVER, "plain" },
	{ BOT, &resolved, FIRST, "", NO("msg_too_long"), VERDICT_AGAIN, "plain" },
	{ BOT, &resolved, FIRST, "plain", NO("msg_too_long"), VERDICT_AGAIN, "plain updated" },
	{ BOT, &resolved, FIRST, "plain updated", NO("msg_too_long"), VERDICT_NEVER,
	  "plain updated" },
	{ BOT, &resolved, FIRST, "updated", NO("invalid_blocks_format"), VERDICT_AGAIN,
	  "updated plain" },
	{ KEYS, &opened, "", "", "invalid_blocks", VERDICT_AGAIN, "plain" },
	{ KEYS, &opened, "", "plain", "ok", VERDICT_DELIVERED, "" },
	/* An update that is refused for what we do not know keeps no reply back. */
	{ BOT, &resolved, FIRST, "", NO("something_new"), VERDICT_AGAIN, "updated" },
	{ BOT, &resolved, FIRST, "updated", NO("something_new"), VERDICT_LATER, "updated" },
	{ BOT, &resolved, FIRST, "", NO("update_failed"), VERDICT_LATER, "" },
	{ BOT, &resolved, FIRST, "", NO("ratelimited"), VERDICT_LATER, "" },
	{ BOT, &resolved, FIRST, "", NO("missing_scope"), VERDICT_LATER, "" },
};

static void what_slack_says_leads_to_the_next_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct step *step = &steps[i];
		struct settings *s = sample_settings(step->keys);
		struct message m = message(step->facts, step->handle, step->progress);
		struct reply r = sample_reply(200, step->body);
		struct outcome out;

		sample_judge(s, &m, &r, &out);
		if (out.verdict != step->verdict ||
		    strcmp(out.verdict == VERDICT_DELIVERED ? out.handle : out.progress,
			   step->left) != 0)
			fail_msg("%zu: %s after \"%s\": %s, handle \"%s\", progress \"%s\"", i,
				 step->body, step->progress, verdict_name(out.verdict),
				 out.handle, out.progress);
		if (out.verdict == VERDICT_AGAIN)
			assert_false(out.sink_down || out.alarm || out.maybe_sent);
		settings_free(&s);
	}
}

static void a_digest_leaves_a_handle_for_replies_alone(void **state)
{
	struct settings *s = sample_settings(BOT);
	const struct facts two[2] = { opened, opened };
	struct message m = message(two, "", "");
	struct reply r = sample_reply(200, YES);
	struct outcome out;

	(void)state;
	m.count = 2;
	sample_judge(s, &m, &r, &out);
	assert_int_equal(out.verdict, VERDICT_DELIVERED);
	assert_string_equal(out.handle, "C7 1700000000.000100 digest");
	settings_free(&s);
}

/* ---- what may have arrived ---- */

static struct outcome cut(const char *keys, const char *handle, int status, const char *body)
{
	struct settings *s = sample_settings(keys);
	struct message m = message(&resolved, handle, "");
	struct reply r = sample_reply(status, body);
	struct outcome out;

	r.kind = REPLY_CUT;
	r.maybe_sent = true;
	r.error = "cut";
	sample_judge(s, &m, &r, &out);
	settings_free(&s);
	return out;
}

static void a_cut_after_sending_is_perhaps_a_message_but_never_a_second_update(void **state)
{
	struct outcome out = cut(KEYS, "", 0, "");

	(void)state;
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.sink_down && out.maybe_sent);
	out = cut(BOT, "", 0, "");
	assert_true(out.sink_down && out.maybe_sent);
	out = cut(BOT, FIRST, 0, "");
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.sink_down);
	assert_false(out.maybe_sent);
}

static void an_answer_that_was_cut_counts_as_far_as_it_came(void **state)
{
	struct outcome out = cut(
		BOT, "", 200, "{\"ok\":true,\"channel\":\"C7\",\"ts\":\"1.2\",\"message\":{");

	(void)state;
	assert_int_equal(out.verdict, VERDICT_DELIVERED);
	assert_string_equal(out.handle, "C7 1.2");
	out = cut(BOT, "", 200, "{\"ok\":tr");
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.maybe_sent);
	out = cut(KEYS, "", 200, "");
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.maybe_sent);
}

/* Whatever came of it: no half of an id is kept, and yes is yes only when it was said whole. */
static void no_half_of_an_answer_is_taken_for_more(void **state)
{
	static const char whole[] = YES;
	const size_t ok_len = strlen("{\"ok\":true,");

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *part = mem_printf("%.*s", (int)len, whole);
		struct outcome out = cut(BOT, "", 200, part);

		assert_int_equal(out.verdict,
				 len >= ok_len ? VERDICT_DELIVERED : VERDICT_LATER);
		if (len < sizeof(whole) - 2) /* the last quote */
			assert_string_equal(out.handle, "");
		mem_free(&part);
	}
}

static void slack_may_have_posted_what_failed_half_way(void **state)
{
	static const char *const halves[] = { NO("internal_error"), NO("fatal_error") };
	struct settings *s = sample_settings(BOT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
		struct reply r = sample_reply(200, halves[i]);
		struct message post = message(&opened, "", "");
		struct message update = message(&resolved, FIRST, "");
		struct outcome out;

		sample_judge(s, &post, &r, &out);
		assert_true(out.maybe_sent);
		sample_judge(s, &update, &r, &out);
		assert_false(out.maybe_sent);
	}
	settings_free(&s);
}

/* ---- what the operator reads ---- */

static void expect_said(const char *keys, int status, const char *body, const char *reason,
			const char *hint)
{
	struct settings *s = sample_settings(keys);
	struct message m = message(&opened, "", "plain");
	struct reply r = sample_reply(status, body);
	struct outcome out;

	r.headers = status == 429 ? "Retry-After: 30\r\n" : "";
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason, reason);
	assert_string_equal(out.hint, hint);
	assert_int_equal(out.retry_after_ms, status == 429 ? 30000 : -1);
	settings_free(&s);
}

static void what_slack_said_is_told_in_its_words(void **state)
{
	(void)state;
	expect_said(KEYS, 429, "rate_limited", "HTTP 429, too many messages: rate_limited",
		    "sinks: s: rate: Slack allows one a second");
	expect_said(BOT, 429, NO("ratelimited"), "HTTP 429, too many messages: ratelimited",
		    "sinks: s: rate: Slack allows one a second");
	expect_said(BOT, 200,
		    "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"chat:write\","
		    "\"provided\":\"incoming-webhook,commands\"}",
		    "HTTP 200, the app lacks a scope: missing_scope",
		    "sinks: s: token: its app lacks chat:write (it has "
		    "incoming-webhook,commands): add it, install the app again");
	expect_said(
		BOT, 200,
		"{\"ok\":false,\"error\":\"invalid_blocks\",\"errors\":[\"must be less than "
		"3001 characters [json-pointer:/blocks/0/text/text]\"],"
		"\"response_metadata\":{\"messages\":[\"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]\",\"[ERROR] no more than 10 items\"]}}",
		"HTTP 200, Slack refuses this message: invalid_blocks: must be less than 3001 "
		"characters [json-pointer:/blocks/0/text/text]; no more than 10 items",
		"sinks: s: template: it makes what Slack does not take");
	expect_said(BOT, 200, NO("not_in_channel"),
		    "HTTP 200, the channel takes no messages: not_in_channel",
		    "sinks: s: channel: invite the app there, or give it the scope "
		    "chat:write.public");
}

static void secrets_are_never_told(void **state)
{
	(void)state;
	expect_said(KEYS, 404,
		    "nothing at /services/T0123/B0456/abcdefghijklmnopqrstuvwx "
		    "(abcdefghijklmnopqrstuvwx)",
		    "HTTP 404, nothing there: nothing at *** (***)",
		    "sinks: s: url: is it complete, and does it still exist?");
	expect_said(BOT, 200,
		    "{\"ok\":false,\"error\":\"invalid_arguments\",\"errors\":[\"no "
		    "xoxb-1-secret here\"]}",
		    "HTTP 200, Slack refuses this message: invalid_arguments: no *** here",
		    "sinks: s: template: it makes what Slack does not take");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_of_a_webhook_has_its_outcome),
		cmocka_unit_test(each_word_of_the_api_has_its_outcome),
		cmocka_unit_test(what_slack_says_leads_to_the_next_step),
		cmocka_unit_test(a_digest_leaves_a_handle_for_replies_alone),
		cmocka_unit_test(
			a_cut_after_sending_is_perhaps_a_message_but_never_a_second_update),
		cmocka_unit_test(an_answer_that_was_cut_counts_as_far_as_it_came),
		cmocka_unit_test(no_half_of_an_answer_is_taken_for_more),
		cmocka_unit_test(slack_may_have_posted_what_failed_half_way),
		cmocka_unit_test(what_slack_said_is_told_in_its_words),
		cmocka_unit_test(secrets_are_never_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
