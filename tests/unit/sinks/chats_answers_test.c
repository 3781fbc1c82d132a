/* The presets of chats and phones: what the vendors' answers mean, and whose fault they are. */
#include "chat.h"

enum fault { NONE, MESSAGE, DESTINATION, OPERATOR };

static const struct answer_row {
	const char *preset;
	int status;
	const char *body;
	enum verdict verdict;
	enum fault fault;
	const char *said; /* in the reason or the hint */
	int64_t wait_ms;  /* 0: none asked for */
	const char *handle;
} answers[] = {
	{ "teams", 202, "", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "teams", 400, "{\"error\":{\"code\":\"WorkflowTriggerIsNotEnabled\"}}", VERDICT_LATER,
	  OPERATOR, "switched off", 0, "" },
	{ "teams", 401, "", VERDICT_LATER, OPERATOR, "sig=", 0, "" },
	{ "teams", 200,
	  "Webhook message delivery failed with error: Microsoft Teams endpoint "
	  "returned HTTP error 429 with ContextId x",
	  VERDICT_LATER, DESTINATION, "too many", 0, "" },
	{ "teams", 200,
	  "Webhook message delivery failed with error: Microsoft Teams endpoint "
	  "returned HTTP error 413",
	  VERDICT_NEVER, MESSAGE, "too large", 0, "" },
	{ "teams", 429, "", VERDICT_LATER, DESTINATION, "rate", 0, "" },
	{ "discord", 200, "{\"id\":\"9\",\"channel_id\":\"77\"}", VERDICT_DELIVERED, NONE, "",
	  0, "77" },
	{ "discord", 404, "{\"message\":\"Unknown Webhook\",\"code\":10015}", VERDICT_LATER,
	  OPERATOR, "deleted", 0, "" },
	{ "discord", 401, "{\"code\":50027}", VERDICT_LATER, OPERATOR, "token", 0, "" },
	{ "discord", 400, "{\"code\":50035}", VERDICT_NEVER, MESSAGE, "field", 0, "" },
	{ "discord", 400, "{\"code\":220001}", VERDICT_LATER, OPERATOR, "forum", 0, "" },
	{ "discord", 404, "{\"code\":10003}", VERDICT_NEVER, MESSAGE, "gone", 0, "" },
	{ "discord", 429, "{\"retry_after\":0.529,\"global\":false}", VERDICT_LATER,
	  DESTINATION, "rate", 529, "" },
	{ "google-chat", 200, "{\"name\":\"spaces/A/messages/B\"}", VERDICT_DELIVERED, NONE, "",
	  0, "" },
	{ "google-chat", 400, "{\"error\":{\"message\":\"API key not valid. Please\"}}",
	  VERDICT_LATER, OPERATOR, "key", 0, "" },
	{ "google-chat", 400, "{\"error\":{\"status\":\"INVALID_ARGUMENT\"}}", VERDICT_NEVER,
	  MESSAGE, "", 0, "" },
	{ "google-chat", 404, "{}", VERDICT_LATER, OPERATOR, "gone", 0, "" },
	{ "mattermost", 200, "ok", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "mattermost", 400, "{\"id\":\"web.incoming_webhook.invalid.app_error\"}",
	  VERDICT_LATER, OPERATOR, "no such webhook", 0, "" },
	{ "mattermost", 501, "{\"id\":\"web.incoming_webhook.disabled.app_error\"}",
	  VERDICT_LATER, OPERATOR, "switched off", 0, "" },
	{ "mattermost", 404, "{\"id\":\"web.incoming_webhook.channel.app_error\"}",
	  VERDICT_LATER, OPERATOR, "vars: channel", 0, "" },
	{ "mattermost", 400, "{\"id\":\"web.incoming_webhook.parse.app_error\"}", VERDICT_NEVER,
	  MESSAGE, "", 0, "" },
	{ "rocketchat", 200, "{\"success\":true}", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "rocketchat", 400, "{\"success\":false,\"error\":\"invalid-channel\"}", VERDICT_LATER,
	  OPERATOR, "vars: channel", 0, "" },
	{ "rocketchat", 404,
	  "{\"success\":false,\"error\":\"Invalid integration id or token provided.\"}",
	  VERDICT_LATER, OPERATOR, "no such integration", 0, "" },
	{ "telegram", 200, "{\"ok\":true,\"result\":{\"message_id\":41}}", VERDICT_DELIVERED,
	  NONE, "", 0, "41" },
	{ "telegram", 429,
	  "{\"ok\":false,\"error_code\":429,\"parameters\":{\"retry_after\":7}}", VERDICT_LATER,
	  DESTINATION, "rate", 7000, "" },
	{ "telegram", 400,
	  "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was upgraded "
	  "to a supergroup chat\",\"parameters\":{\"migrate_to_chat_id\":-1001234567890}}",
	  VERDICT_LATER, OPERATOR, "-1001234567890", 0, "" },
	{ "telegram", 400,
	  "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}",
	  VERDICT_LATER, OPERATOR, "vars: chat_id", 0, "" },
	{ "telegram", 401, "{\"ok\":false,\"error_code\":401}", VERDICT_LATER, OPERATOR,
	  "vars: token", 0, "" },
	{ "telegram", 403, "{\"ok\":false,\"error_code\":403}", VERDICT_LATER, OPERATOR,
	  "vars: chat_id", 0, "" },
	{ "telegram", 400,
	  "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: can't parse entities\"}",
	  VERDICT_NEVER, MESSAGE, "refused", 0, "" },
	{ "telegram", 200, "{\"ok\":false,\"error_code\":500}", VERDICT_LATER, DESTINATION,
	  "failed", 0, "" },
	{ "ntfy", 200, "{\"id\":\"x\"}", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "ntfy", 429, "{\"code\":42908,\"http\":429}", VERDICT_LATER, DESTINATION, "the day's",
	  0, "" },
	{ "ntfy", 429, "{\"code\":42901,\"http\":429}", VERDICT_LATER, DESTINATION, "rate", 0,
	  "" },
	{ "ntfy", 400, "{\"code\":40009,\"http\":400}", VERDICT_LATER, OPERATOR, "vars: topic",
	  0, "" },
	{ "ntfy", 403, "{\"code\":40301,\"http\":403}", VERDICT_LATER, OPERATOR, "vars: token",
	  0, "" },
	{ "ntfy", 507, "{\"code\":50701,\"http\":507}", VERDICT_LATER, DESTINATION, "", 0, "" },
	{ "pushover", 200, "{\"status\":1,\"receipt\":\"r1\"}", VERDICT_DELIVERED, NONE, "", 0,
	  "r1" },
	{ "pushover", 200, "{\"status\":1}", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "pushover", 400, "{\"token\":\"invalid\",\"status\":0}", VERDICT_NEVER, MESSAGE,
	  "vars: token", 0, "" },
	{ "pushover", 400, "{\"user\":\"invalid\",\"status\":0}", VERDICT_NEVER, MESSAGE,
	  "vars: user", 0, "" },
	{ "pushover", 401, "{}", VERDICT_NEVER, MESSAGE, "refused", 0, "" },
	{ "pushover", 429, "{}", VERDICT_NEVER, MESSAGE, "month", 0, "" },
	{ "pushover", 500, "", VERDICT_LATER, DESTINATION, "", 0, "" },
	{ "twilio", 201, "{\"sid\":\"SM1\",\"status\":\"queued\"}", VERDICT_DELIVERED, NONE, "",
	  0, "" },
	{ "twilio", 401, "{\"code\":20003,\"status\":401}", VERDICT_LATER, OPERATOR,
	  "vars: auth_token", 0, "" },
	{ "twilio", 400, "{\"code\":21211,\"status\":400}", VERDICT_LATER, OPERATOR, "vars: to",
	  0, "" },
	{ "twilio", 400, "{\"code\":21610,\"status\":400}", VERDICT_LATER, OPERATOR,
	  "opted out", 0, "" },
	{ "twilio", 400, "{\"code\":21617,\"status\":400}", VERDICT_NEVER, MESSAGE, "too long",
	  0, "" },
	{ "twilio", 429, "{\"code\":20429,\"status\":429}", VERDICT_LATER, DESTINATION, "rate",
	  0, "" },
	{ "matrix", 200, "{\"event_id\":\"$1\"}", VERDICT_DELIVERED, NONE, "", 0, "" },
	{ "matrix", 403, "{\"errcode\":\"M_FORBIDDEN\"}", VERDICT_LATER, OPERATOR, "vars: room",
	  0, "" },
	{ "matrix", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\"}", VERDICT_LATER, OPERATOR,
	  "vars: token", 0, "" },
	{ "matrix", 413, "{\"errcode\":\"M_TOO_LARGE\"}", VERDICT_NEVER, MESSAGE, "too large",
	  0, "" },
	{ "matrix", 429, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":2000}",
	  VERDICT_LATER, DESTINATION, "rate", 0, "" },
	{ "zulip", 200, "{\"result\":\"success\",\"id\":42}", VERDICT_DELIVERED, NONE, "", 0,
	  "" },
	{ "zulip", 400, "{\"result\":\"error\",\"code\":\"STREAM_DOES_NOT_EXIST\"}",
	  VERDICT_LATER, OPERATOR, "vars: channel", 0, "" },
	{ "zulip", 429,
	  "{\"result\":\"error\",\"code\":\"RATE_LIMIT_HIT\",\"retry-after\":28.7}",
	  VERDICT_LATER, DESTINATION, "rate", 28700, "" },
	{ "zulip", 401, "{\"result\":\"error\",\"code\":\"UNAUTHORIZED\"}", VERDICT_LATER,
	  OPERATOR, "vars: api_key", 0, "" },
};

static void expect_answer(const struct answer_row *row)
{
	struct chat *c = chat_new(row->preset);
	struct told *t = told_new(c, "alpha", 5, 1, EVENT_OPENED);
	const struct reply reply = sample_reply(row->status, row->body);
	struct outcome out = { .retry_after_ms = -1 };

	print_message("%s: %d %s\n", row->preset, row->status, row->body);
	webhook_sink.judge(&c->sink, &t->message, &reply, &out);
	assert_int_equal(out.verdict, row->verdict);
	assert_int_equal(out.sink_down, row->fault == DESTINATION || row->fault == OPERATOR);
	assert_int_equal(out.alarm, row->fault == OPERATOR);
	assert_int_equal(out.retry_after_ms, row->wait_ms == 0 ? -1 : row->wait_ms);
	assert_string_equal(out.handle, row->handle);
	if (strstr(out.reason, row->said) == NULL && strstr(out.hint, row->said) == NULL)
		fail_msg("\"%s\" neither in \"%s\" nor in \"%s\"", row->said, out.reason,
			 out.hint);
	told_free(&t);
	chat_free(&c);
}

static void each_answer_is_somebody_s_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		expect_answer(&answers[i]);
}

/* What rings is silenced first, then the end is told; whatever became of the receipt. */
static void pushover_cancels_what_rings_and_then_tells(void **state)
{
	static const int statuses[] = { 200, 400, 404 };
	struct chat *c = chat_new("pushover");
	struct told *t = told_new(c, "critical", 8, 1, EVENT_RESOLVED);

	(void)state;
	t->message.handle = "r1";
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct reply reply = sample_reply(statuses[i], "{\"status\":1}");
		struct outcome out = { .retry_after_ms = -1 };

		t->message.progress = "";
		assert_string_equal(preset_choose(c->preset, &t->message)->name, "cancel");
		webhook_sink.judge(&c->sink, &t->message, &reply, &out);
		assert_int_equal(out.verdict, VERDICT_AGAIN);
		t->message.progress = out.progress;
		assert_string_equal(preset_choose(c->preset, &t->message)->name, "told");
		t->message.progress = "";
	}
	told_free(&t);
	chat_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_somebody_s_fault),
		cmocka_unit_test(pushover_cancels_what_rings_and_then_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
