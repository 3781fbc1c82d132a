/*
 * The presets of pagers, trackers and buses: what the vendors' answers mean, and whose fault they
 * are; those of chats have chats_answers_test.c. And what every shipped preset makes of the
 * statuses that mean the same to all.
 */
#include "chat.h"

enum fault { NONE, MESSAGE, DESTINATION, OPERATOR };

static const struct answer_row {
	const char *preset;
	enum event_kind event;
	const char *handle, *progress; /* before */
	const char *request;           /* what is sent; NULL: not asked */
	int status;
	const char *body;
	enum verdict verdict;
	enum fault fault;
	const char *said; /* in the reason or the hint */
	const char *left; /* the handle, or after AGAIN the progress */
} answers[] = {
	/* ---- pagers ---- */
	{ "pagerduty", EVENT_OPENED, "", "", "trigger", 202,
	  "{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"d\"}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "pagerduty", EVENT_OPENED, "", "", NULL, 400,
	  "{\"status\":\"invalid event\",\"errors\":[\"Length of 'routing_key' is incorrect "
	  "(should be 32 characters)\"]}",
	  VERDICT_LATER, OPERATOR, "vars: routing_key", "" },
	{ "pagerduty", EVENT_OPENED, "", "", NULL, 400, "Invalid routing key", VERDICT_LATER,
	  OPERATOR, "vars: routing_key", "" },
	{ "pagerduty", EVENT_OPENED, "", "", NULL, 400,
	  "{\"status\":\"invalid event\",\"errors\":[\"'payload.summary' is missing\"]}",
	  VERDICT_NEVER, MESSAGE, "payload.summary", "" },
	{ "opsgenie", EVENT_OPENED, "", "", "create", 202,
	  "{\"result\":\"Request will be processed\",\"took\":0.1,\"requestId\":\"r\"}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "opsgenie", EVENT_OPENED, "", "", NULL, 403, "{\"message\":\"key\"}", VERDICT_LATER,
	  OPERATOR, "vars: api_key", "" },
	{ "opsgenie", EVENT_OPENED, "", "", NULL, 422, "{\"message\":\"x\"}", VERDICT_NEVER,
	  MESSAGE, "", "" },
	{ "opsgenie", EVENT_OPENED, "", "", NULL, 404, "", VERDICT_LATER, OPERATOR, "", "" },
	{ "opsgenie", EVENT_RESOLVED, "", "", "close", 404, "", VERDICT_NEVER, MESSAGE,
	  "not there", "" },
	{ "opsgenie", EVENT_CHANGED, "", "", "priority", 404, "", VERDICT_NEVER, MESSAGE,
	  "not there", "" },
	{ "jsm", EVENT_OPENED, "", "", "create", 202, "{\"requestId\":\"r\"}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "jsm", EVENT_OPENED, "", "", NULL, 401, "", VERDICT_LATER, OPERATOR, "vars: api_key",
	  "" },
	{ "jsm", EVENT_ACKNOWLEDGED, "", "", "acknowledge", 404, "", VERDICT_NEVER, MESSAGE,
	  "not there", "" },
	{ "splunk-oncall", EVENT_OPENED, "", "", NULL, 200,
	  "{\"result\":\"success\",\"entity_id\":\"e\"}", VERDICT_DELIVERED, NONE, "", "" },
	{ "splunk-oncall", EVENT_OPENED, "", "", NULL, 200, "{\"result\":\"failure\"}",
	  VERDICT_LATER, OPERATOR, "vars: api_key", "" },
	{ "splunk-oncall", EVENT_OPENED, "", "", NULL, 404, "", VERDICT_LATER, OPERATOR,
	  "vars: api_key", "" },
	{ "incident-io", EVENT_OPENED, "", "", NULL, 202,
	  "{\"status\":\"success\",\"deduplication_key\":\"d\"}", VERDICT_DELIVERED, NONE, "",
	  "" },
	{ "incident-io", EVENT_OPENED, "", "", NULL, 401, "", VERDICT_LATER, OPERATOR,
	  "vars: token", "" },
	{ "incident-io", EVENT_RESOLVED, "", "", "resolve", 404, "", VERDICT_LATER, OPERATOR,
	  "vars: source_id", "" },
	{ "incident-io", EVENT_OPENED, "", "", NULL, 422, "{}", VERDICT_NEVER, MESSAGE, "",
	  "" },
	{ "rootly", EVENT_OPENED, "", "", NULL, 200, "", VERDICT_DELIVERED, NONE, "", "" },
	{ "rootly", EVENT_OPENED, "", "", NULL, 401, "", VERDICT_LATER, OPERATOR,
	  "vars: secret", "" },
	{ "zenduty", EVENT_OPENED, "", "", NULL, 201, "{\"trace_id\":\"t\"}", VERDICT_DELIVERED,
	  NONE, "", "" },
	{ "zenduty", EVENT_OPENED, "", "", NULL, 404, "", VERDICT_LATER, OPERATOR, "url", "" },
	{ "grafana-oncall", EVENT_OPENED, "", "", NULL, 200, "Ok.", VERDICT_DELIVERED, NONE, "",
	  "" },
	{ "alertmanager", EVENT_OPENED, "", "", "open", 200, "", VERDICT_DELIVERED, NONE, "",
	  "" },
	{ "alertmanager", EVENT_RESOLVED, "", "", "resolve", 400,
	  "start time must be before end time", VERDICT_NEVER, MESSAGE, "start time", "" },
	{ "better-stack", EVENT_OPENED, "", "", "create", 201, "{\"data\":{\"id\":\"25\"}}",
	  VERDICT_DELIVERED, NONE, "", "25" },
	{ "better-stack", EVENT_RESOLVED, "25", "", "resolve", 200, "{}", VERDICT_DELIVERED,
	  NONE, "", "25" },
	{ "better-stack", EVENT_RESOLVED, "25", "", NULL, 409, "{}", VERDICT_DELIVERED, NONE,
	  "", "25" },
	{ "better-stack", EVENT_RESOLVED, "25", "", NULL, 404, "{}", VERDICT_NEVER, MESSAGE,
	  "not there", "" },
	{ "better-stack", EVENT_OPENED, "", "", NULL, 401, "{}", VERDICT_LATER, OPERATOR,
	  "vars: token", "" },

	/* ---- trackers ---- */
	{ "jira", EVENT_OPENED, "", "", "create", 201, "{\"id\":\"10000\",\"key\":\"OPS-7\"}",
	  VERDICT_DELIVERED, NONE, "", "OPS-7" },
	{ "jira", EVENT_OPENED, "", "", NULL, 400,
	  "{\"errorMessages\":[],\"errors\":{\"project\":\"valid project is required\"}}",
	  VERDICT_LATER, OPERATOR, "vars: project", "" },
	{ "jira", EVENT_OPENED, "", "", NULL, 400,
	  "{\"errors\":{\"issuetype\":\"Specify a valid issue type\"}}", VERDICT_LATER,
	  OPERATOR, "vars: issue_type", "" },
	{ "jira", EVENT_OPENED, "", "", NULL, 400, "{\"errors\":{\"summary\":\"too long\"}}",
	  VERDICT_NEVER, MESSAGE, "too long", "" },
	{ "jira", EVENT_OPENED, "", "", NULL, 401, "", VERDICT_LATER, OPERATOR, "", "" },
	{ "jira", EVENT_RESOLVED, "", "", "find", 200, "{\"issues\":[{\"key\":\"OPS-7\"}]}",
	  VERDICT_AGAIN, NONE, "", "tell\tOPS-7" },
	{ "jira", EVENT_RESOLVED, "", "", "find", 200, "{\"issues\":[]}", VERDICT_NEVER,
	  MESSAGE, "label", "" },
	{ "jira", EVENT_RESOLVED, "", "tell\tOPS-7", "tell-end", 201, "{}", VERDICT_AGAIN, NONE,
	  "", "close\tOPS-7" },
	{ "jira", EVENT_RESOLVED, "", "close\tOPS-7", "close", 204, "", VERDICT_DELIVERED, NONE,
	  "", "" },
	{ "jira", EVENT_RESOLVED, "OPS-7", "", "comment-end", 201, "{}", VERDICT_AGAIN, NONE,
	  "", "close\t" },
	{ "jira", EVENT_RESOLVED, "OPS-7", "close\t", "close", 400, "{}", VERDICT_NEVER,
	  MESSAGE, "transition", "" },
	{ "jira", EVENT_RESOLVED, "OPS-7", "", NULL, 404, "{}", VERDICT_NEVER, MESSAGE, "gone",
	  "" },
	{ "jira", EVENT_ACKNOWLEDGED, "OPS-7", "", "comment", 201, "{}", VERDICT_DELIVERED,
	  NONE, "", "OPS-7" },
	{ "servicenow", EVENT_OPENED, "", "", "create", 201,
	  "{\"result\":{\"sys_id\":\"s1\",\"number\":\"INC1\"}}", VERDICT_DELIVERED, NONE, "",
	  "s1" },
	{ "servicenow", EVENT_OPENED, "", "", NULL, 400,
	  "{\"error\":{\"message\":\"Invalid table incidnet\"},\"status\":\"failure\"}",
	  VERDICT_LATER, OPERATOR, "vars: table", "" },
	{ "servicenow", EVENT_OPENED, "", "", NULL, 401, "{}", VERDICT_LATER, OPERATOR, "",
	  "" },
	{ "servicenow", EVENT_RESOLVED, "", "", "find", 200,
	  "{\"result\":[{\"sys_id\":\"s1\"}]}", VERDICT_AGAIN, NONE, "", "update\ts1" },
	{ "servicenow", EVENT_RESOLVED, "", "", "find", 200, "{\"result\":[]}", VERDICT_NEVER,
	  MESSAGE, "correlation_id", "" },
	{ "servicenow", EVENT_RESOLVED, "", "update\ts1", "update-found", 200,
	  "{\"result\":{\"sys_id\":\"s1\"}}", VERDICT_DELIVERED, NONE, "", "s1" },
	{ "servicenow", EVENT_RESOLVED, "s1", "", "update", 404, "{}", VERDICT_NEVER, MESSAGE,
	  "gone", "" },

	/* ---- buses ---- */
	{ "cloudevents", EVENT_OPENED, "", "", NULL, 202, "", VERDICT_DELIVERED, NONE, "", "" },
	{ "cloudevents", EVENT_OPENED, "", "", NULL, 415, "", VERDICT_LATER, OPERATOR,
	  "vars: mode", "" },
	{ "cloudevents", EVENT_OPENED, "", "", NULL, 410, "", VERDICT_LATER, OPERATOR, "gone",
	  "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 200,
	  "{\"PublishResponse\":{\"PublishResult\":{\"MessageId\":\"m\"}}}", VERDICT_DELIVERED,
	  NONE, "", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 400, "{\"Error\":{\"Code\":\"Throttling\"}}",
	  VERDICT_LATER, DESTINATION, "too many", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 400, "{\"Error\":{\"Code\":\"KMSThrottling\"}}",
	  VERDICT_LATER, DESTINATION, "too many", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 400,
	  "{\"Error\":{\"Code\":\"InvalidParameter\",\"Message\":\"Invalid parameter: TopicArn\"}}",
	  VERDICT_LATER, OPERATOR, "vars: topic_arn", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 400, "{\"Error\":{\"Code\":\"KMSDisabled\"}}",
	  VERDICT_LATER, OPERATOR, "KMS", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 400,
	  "{\"Error\":{\"Code\":\"InvalidParameter\",\"Message\":\"Message too long\"}}",
	  VERDICT_NEVER, MESSAGE, "too long", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 403,
	  "{\"Error\":{\"Code\":\"SignatureDoesNotMatch\"}}", VERDICT_LATER, OPERATOR,
	  "secret_access_key", "" },
	{ "sns", EVENT_OPENED, "", "", NULL, 404, "{\"Error\":{\"Code\":\"NotFound\"}}",
	  VERDICT_LATER, OPERATOR, "vars: topic_arn", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 200, "{\"text\":\"Success\",\"code\":0}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 200,
	  "{\"text\":\"nearly full\",\"code\":24}", VERDICT_DELIVERED, NONE, "", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 200, "{\"text\":\"busy\",\"code\":9}",
	  VERDICT_LATER, DESTINATION, "did not take it", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 400, "{\"code\":7}", VERDICT_LATER,
	  OPERATOR, "vars: index", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 400, "{\"code\":10}", VERDICT_LATER,
	  OPERATOR, "vars: channel", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 400, "{\"code\":6}", VERDICT_NEVER, MESSAGE,
	  "", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 403, "{\"code\":4}", VERDICT_LATER,
	  OPERATOR, "vars: token", "" },
	{ "splunk-hec", EVENT_OPENED, "", "", NULL, 503, "{\"code\":9}", VERDICT_LATER,
	  DESTINATION, "", "" },
	{ "kafka-rest", EVENT_OPENED, "", "", NULL, 200, "{\"error_code\":200,\"offset\":1}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "kafka-rest", EVENT_OPENED, "", "", NULL, 200, "{\"error_code\":50003}",
	  VERDICT_LATER, DESTINATION, "not taken", "" },
	{ "kafka-rest", EVENT_OPENED, "", "", NULL, 200, "{\"error_code\":40002}",
	  VERDICT_NEVER, MESSAGE, "refused", "" },
	{ "kafka-rest", EVENT_OPENED, "", "", NULL, 404, "{\"error_code\":40403}",
	  VERDICT_LATER, OPERATOR, "vars: cluster, topic", "" },
	{ "loki", EVENT_OPENED, "", "", NULL, 204, "", VERDICT_DELIVERED, NONE, "", "" },
	{ "loki", EVENT_OPENED, "", "", NULL, 401, "no org id\n", VERDICT_LATER, OPERATOR,
	  "vars: tenant", "" },
	{ "loki", EVENT_OPENED, "", "", NULL, 400,
	  "entry for stream '{}' has timestamp too old: entry too far behind", VERDICT_NEVER,
	  MESSAGE, "too old", "" },
	{ "loki", EVENT_OPENED, "", "", NULL, 429, "ingestion rate limit exceeded",
	  VERDICT_LATER, DESTINATION, "rate", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 201, "", VERDICT_DELIVERED, NONE, "", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 409, "{\"code\":\"23505\"}",
	  VERDICT_DELIVERED, NONE, "", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 409, "{\"code\":\"23503\"}", VERDICT_LATER,
	  MESSAGE, "", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 400, "{\"code\":\"22P05\"}", VERDICT_NEVER,
	  MESSAGE, "NUL", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 400, "{\"code\":\"PGRST204\"}",
	  VERDICT_LATER, OPERATOR, "a column is missing", "" },
	{ "postgrest", EVENT_OPENED, "", "", NULL, 404, "{\"code\":\"PGRST205\"}",
	  VERDICT_LATER, OPERATOR, "vars: table", "" },
};

static void expect_fault(const struct outcome *out, enum fault fault)
{
	assert_int_equal(out->sink_down, fault == DESTINATION || fault == OPERATOR);
	assert_int_equal(out->alarm, fault == OPERATOR);
}

static void expect_answer(const struct answer_row *row)
{
	struct chat *c = chat_new(row->preset);
	struct told *t = told_new(c, "alpha", 5, 1, row->event);
	const struct reply reply = sample_reply(row->status, row->body);
	struct outcome out = { .retry_after_ms = -1 };

	print_message("%s: %d %s\n", row->preset, row->status, row->body);
	t->message.possible_repeat = false;
	t->message.handle = row->handle;
	t->message.progress = row->progress;
	assert_non_null(preset_choose(c->preset, &t->message));
	if (row->request != NULL)
		assert_string_equal(preset_choose(c->preset, &t->message)->name, row->request);
	webhook_sink.judge(&c->sink, &t->message, &reply, &out);
	assert_int_equal(out.verdict, row->verdict);
	expect_fault(&out, row->fault);
	assert_string_equal(row->verdict == VERDICT_AGAIN ? out.progress : out.handle,
			    row->left);
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

/* A repeat of what may have arrived looks first. */
static void trackers_search_before_they_create_again(void **state)
{
	static const struct {
		const char *preset, *body, *left;
		enum verdict verdict;
	} rows[] = {
		{ "jira", "{\"issues\":[{\"key\":\"OPS-7\"}]}", "OPS-7", VERDICT_DELIVERED },
		{ "jira", "{\"issues\":[]}", "create\t", VERDICT_AGAIN },
		{ "servicenow", "{\"result\":[{\"sys_id\":\"s1\"}]}", "s1", VERDICT_DELIVERED },
		{ "servicenow", "{\"result\":[]}", "create\t", VERDICT_AGAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct chat *c = chat_new(rows[i].preset);
		struct told *t = told_new(c, "alpha", 5, 1, EVENT_OPENED);
		const struct reply reply = sample_reply(200, rows[i].body);
		struct outcome out = { .retry_after_ms = -1 };

		t->message.possible_repeat = true;
		assert_string_equal(preset_choose(c->preset, &t->message)->name, "again");
		webhook_sink.judge(&c->sink, &t->message, &reply, &out);
		assert_int_equal(out.verdict, rows[i].verdict);
		assert_string_equal(out.verdict == VERDICT_AGAIN ? out.progress : out.handle,
				    rows[i].left);
		if (out.verdict == VERDICT_AGAIN) {
			t->message.progress = out.progress;
			assert_string_equal(preset_choose(c->preset, &t->message)->name,
					    "recreate");
		}
		t->message.progress = "";
		told_free(&t);
		chat_free(&c);
	}
}

/*
 * What means the same to all. Pushover alone wants nothing repeated that it answered with 4xx.
 * With 4xx the operator may be meant or the message, but a sink never goes on as if it was heard.
 */
static const struct {
	int status;
	bool is_transient, may_be_delivered;
} statuses[] = {
	{ 200, false, true },  { 201, false, true },  { 202, false, true },
	{ 204, false, true },  { 302, false, false }, { 400, false, false },
	{ 401, false, false }, { 403, false, false }, { 404, false, false },
	{ 413, false, false }, { 429, true, false },  { 500, true, false },
	{ 502, true, false },  { 503, true, false },
};

static void expect_statuses(const char *name)
{
	struct chat *c = chat_new(name);
	struct told *t = told_new(c, "alpha", 5, 1, EVENT_OPENED);

	t->message.possible_repeat = false;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct reply reply = sample_reply(statuses[i].status, "");
		struct outcome out = { .retry_after_ms = -1 };
		bool refuses = strcmp(name, "pushover") == 0 && statuses[i].status == 429;

		print_message("%s: %d\n", name, statuses[i].status);
		webhook_sink.judge(&c->sink, &t->message, &reply, &out);
		assert_int_equal(out.verdict == VERDICT_DELIVERED,
				 statuses[i].may_be_delivered);
		if (statuses[i].is_transient && !refuses) {
			assert_int_equal(out.verdict, VERDICT_LATER);
			expect_fault(&out, DESTINATION);
		}
		assert_true(out.verdict == VERDICT_DELIVERED || out.reason[0] != '\0');
		assert_false(out.alarm && out.hint[0] == '\0');
	}
	told_free(&t);
	chat_free(&c);
}

static void each_preset_knows_the_usual_statuses(void **state)
{
	struct file_names names = { .list = NULL };

	(void)state;
	file_add_names(&names, "templates/presets", ".preset");
	assert_true(names.count > 20);
	for (size_t i = 0; i < names.count; i++)
		expect_statuses(names.list[i]);
	file_release_names(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_somebody_s_fault),
		cmocka_unit_test(trackers_search_before_they_create_again),
		cmocka_unit_test(each_preset_knows_the_usual_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
