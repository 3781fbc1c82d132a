/* A sink with a preset: its settings, its requests byte by byte, how it judges answers. */
#include "sample.h"

#include "model/alert.h"
#include "model/facts.h"
#include "model/preset.h"

/* ---- a configuration with a preset of the test's own ---- */

static const char *preset_text;

static char *find_preset(const struct settings *settings, const char *name, char **path,
			 size_t *len, struct err *err)
{
	(void)settings;
	if (strcmp(name, "p") != 0) {
		err_set(err, "no preset \"%s\"", name);
		return NULL;
	}
	*path = mem_strdup("p.preset");
	*len = strlen(preset_text);
	return mem_strdup(preset_text);
}

static struct settings *read_with(const char *preset, const char *keys,
				  struct conf_problems *problems)
{
	const struct settings_context ctx = { .file = "t.conf",
					      .types = sink_types,
					      .resolve = secret_resolve,
					      .preset = find_preset };
	char *text = mem_printf("store = \"/tmp/t.db\";\n"
				"sources = ( { name = \"acme\"; api_key = \"k\";\n"
				"  base_url = \"https://api.toktra.io/v1\"; } );\n"
				"sinks = ( { name = \"s\"; type = \"webhook\";\n"
				"  preset = \"p\"; %s } );\n"
				"routes = ( { name = \"all\"; to = [ \"s\" ]; } );\n",
				keys);

	preset_text = preset;
	struct settings *s = settings_read(text, strlen(text), &ctx, problems);

	mem_free(&text);
	return s;
}

static void say(const struct conf_problems *problems, char said[1000])
{
	size_t len = 0;

	said[0] = '\0';
	for (size_t i = 0; i < problems->count; i++)
		len += (size_t)snprintf(
			said + len, 1000 - len, "%d: %s%s\n", problems->list[i].line,
			problems->list[i].level == CONF_WARNING ? "warning: " : "",
			problems->list[i].message);
}

static struct settings *good(const char *preset, const char *keys)
{
	struct conf_problems problems = { .list = NULL };
	struct settings *s = read_with(preset, keys, &problems);
	char said[1000];

	say(&problems, said);
	assert_string_equal(said, "");
	conf_problems_release(&problems);
	assert_non_null(s);
	return s;
}

/* ---- settings ---- */

#define TITLE  "title = \"T\";\n"
#define BASE   "base_url = \"https://api.example.com\";\n"
#define OPENED "requests = ( { name = \"a\"; events = \"opened\"; } );\n"
#define PART   "=== a.json\nPOST {{{base_url}}}/in\n\n{}\n"
#define VARS                                                                                \
	"vars = ( { name = \"key\"; required = true; secret = true; help = \"the key\"; }," \
	" { name = \"team\"; fallback = \"all\"; help = \"who\"; },"                        \
	" { name = \"group\"; help = \"which\"; } );\n"

static const struct setting {
	const char *preset, *keys, *said;
} settings_said[] = {
	{ TITLE BASE OPENED PART, "", "" },
	{ TITLE BASE VARS OPENED PART, "vars = { key = \"k1234567\"; };", "" },
	{ TITLE BASE VARS OPENED PART, "",
	  "4: sink \"s\": the preset p needs vars = { key = \"…\"; }: the key\n" },
	{ TITLE BASE VARS OPENED PART, "vars = { key = \"\"; };",
	  "5: sink \"s\": the preset p needs vars = { key = \"…\"; }: the key\n" },
	{ TITLE BASE VARS OPENED PART, "vars = { key = \"env:TOCSIN_NOT_SET\"; };",
	  "5: sink \"s\": vars: key: env:TOCSIN_NOT_SET: the environment variable is not "
	  "set\n" },
	{ TITLE BASE VARS OPENED PART, "vars = { key = \"k1234567\"; taem = \"x\"; };",
	  "5: warning: sink \"s\": vars: the preset p reads no \"taem\"; did you mean "
	  "\"team\"?\n" },
	{ TITLE BASE OPENED PART, "url = \"https://x.example/in\";",
	  "4: sink \"s\": url: is not asked for by this preset: base_url moves all of its "
	  "addresses\n" },
	{ TITLE BASE OPENED PART, "base_url = \"https://eu.example.com\";", "" },
	{ TITLE BASE OPENED PART, "base_url = \"http://eu.example.com\";",
	  "4: sink \"s\": base_url: is plain http, which only loopback may be: use https, or set plaintext = true inside a network of your own\n" },
	{ TITLE OPENED PART, "",
	  "4: sink \"s\": url: is required: the whole address that the vendor gave you\n" },
	{ TITLE OPENED PART, "url = \"https://x.example/in\";", "" },
	{ TITLE OPENED PART,
	  "url = \"https://x.example/in\"; base_url = \"https://y.example\";",
	  "4: sink \"s\": base_url: is for a preset that has one; use url\n" },
	{ TITLE BASE "own_host = true;\n" OPENED PART, "",
	  "4: sink \"s\": base_url: is required, for example \"https://api.example.com\"\n" },
	{ TITLE BASE "own_host = true;\n" OPENED PART, "base_url = \"https://a.example\";",
	  "" },
	{ BASE OPENED PART, "", "0: \"title\" is missing: what it is called in lists\n" },
};

static void what_a_sink_lacks_for_its_preset_is_told(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings_said); i++) {
		struct conf_problems problems = { .list = NULL };
		struct settings *s =
			read_with(settings_said[i].preset, settings_said[i].keys, &problems);
		char said[1000];

		say(&problems, said);
		if (strcmp(said, settings_said[i].said) != 0) {
			print_message("row %zu\nwanted: %sgot:    %s", i, settings_said[i].said,
				      said);
			failed++;
		}
		conf_problems_release(&problems);
		settings_free(&s);
	}
	assert_int_equal(failed, 0);
}

static void a_preset_that_is_not_there_is_told(void **state)
{
	struct conf_problems problems = { .list = NULL };
	struct settings *s = read_with(TITLE OPENED PART,
				       "}, { name = \"t\"; type = \"webhook\"; "
				       "preset = \"q\"; url = \"https://x.example/\"; "
				       "}, { name = \"u\"; type = \"webhook\"; "
				       "preset = 7; url = \"https://x.example/\";",
				       &problems);
	char said[1000];

	(void)state;
	assert_null(s);
	say(&problems, said);
	assert_non_null(strstr(said, "sink \"t\": no preset \"q\"\n"));
	assert_non_null(strstr(said, "sink \"u\": preset must be a name, in quotes\n"));
	conf_problems_release(&problems);
}

static void a_preset_gives_defaults_that_keys_of_the_sink_replace(void **state)
{
	static const char preset[] =
		TITLE BASE VARS "batch_max = 20; pairs = true; "
				"collapse = false; rate = \"2/s\";\n" OPENED PART;
	struct settings *s = good(preset, "vars = { key = \"k1234567\"; };");
	const struct sink_settings *sink = &s->sinks[0];

	(void)state;
	assert_int_equal(sink->batch_max, 20);
	assert_true(sink->pairs);
	assert_false(sink->collapse);
	assert_int_equal(sink->rate.count, 2);
	assert_int_equal(sink->events, 1U << EVENT_OPENED);
	assert_int_equal(sink->vars.count, 3);
	assert_string_equal(sink->vars.list[1].name, "team");
	assert_string_equal(sink->vars.list[1].value, "all");
	assert_string_equal(sink->vars.list[2].value, "");
	settings_free(&s);
	s = good(preset, "vars = { key = \"k1234567\"; team = \"x\"; }; collapse = true; "
			 "rate = \"5/min\";");
	sink = &s->sinks[0];
	assert_true(sink->collapse);
	assert_int_equal(sink->rate.count, 5);
	assert_string_equal(sink->vars.list[1].value, "x");
	settings_free(&s);
}

/* ---- requests ---- */

#define KEYS "vars = { key = \"k/12 34+5\"; };"
#define ALERT                                                                                   \
	"{\"id\":\"a/1 ü\",\"org_id\":\"o\",\"severity\":\"high\",\"title\":\"A\\r\\nX-Evil: " \
	"1\\u0000b\",\"user_id\":null}"

struct telling {
	struct alert alert;
	struct facts facts;
	struct message message;
};

static struct message *tell(struct telling *t, const struct settings *s, const char *bytes,
			    enum event_kind event)
{
	const struct sink_settings *sink = &s->sinks[0];

	assert_true(alert_read(&t->alert, bytes, strlen(bytes), NULL));
	t->facts = (struct facts){ .alert = &t->alert,
				   .event = event,
				   .delivery_id = "tcs_1",
				   .at = SAMPLE_AT,
				   .vars = sink->vars.list,
				   .var_count = sink->vars.count,
				   .preset = sink->preset };
	t->message = sample_message("{\"a\":1}");
	t->message.alerts = &t->facts;
	return &t->message;
}

static void expect(const char *preset, const char *keys, const char *wanted)
{
	struct settings *s = good(preset, keys);
	struct telling t;
	struct request r;

	sample_build(s, tell(&t, s, ALERT, EVENT_OPENED), &r);
	char *text = sample_request_text(&r);

	assert_string_equal(text, wanted);
	mem_free(&text);
	request_release(&r);
	alert_release(&t.alert);
	settings_free(&s);
}

#define AGENT "User-Agent: tocsin/" TOCSIN_VERSION "\n"
#define BODY  "\n{\"a\":1}"

static void a_value_in_the_address_is_percent_encoded(void **state)
{
	(void)state;
	expect(TITLE BASE VARS OPENED "=== a.json\nPOST {{{base_url}}}/{{vars.key}}/{{id}}?t="
				      "{{vars.team}}&n={{title}}\n\n{}\n",
	       KEYS,
	       "POST https://api.example.com/k%2F12%2034%2B5/a%2F1%20%C3%BC?t=all&n="
	       "A%0D%0AX-Evil%3A%201%00b\n" AGENT BODY);
}

static void the_url_of_the_sink_stays_as_it_is(void **state)
{
	(void)state;
	expect(TITLE OPENED "=== a.json\nPOST {{{url}}}\n\n{}\n",
	       "url = \"https://x.example:443/w/a?sp=%2Fb%2F&sig=c+d/e\";",
	       "POST https://x.example:443/w/a?sp=%2Fb%2F&sig=c+d/e\n" AGENT BODY);
}

static void a_header_is_one_line_and_left_out_when_it_is_empty(void **state)
{
	(void)state;
	expect(TITLE BASE VARS OPENED
	       "=== a.json\nPUT {{{base_url}}}\n"
	       "Content-Type: text/plain\n"
	       "X-Title:   {{title}}\n"
	       "X-User: {{user_id}}\n"
	       "X-Group: {{#vars.group}}g={{vars.group}}{{/vars.group}}\n"
	       "X-Key: {{vars.key}}\n\n{}\n",
	       KEYS,
	       "PUT https://api.example.com\n" AGENT "Content-Type: text/plain\n"
	       "X-Title: A  X-Evil: 1 b\n"
	       "X-Key: k/12 34+5\n" BODY);
}

static void the_sinks_method_headers_and_secret_go_on_top(void **state)
{
	(void)state;
	expect(TITLE BASE OPENED PART, "method = \"PATCH\"; headers = { X-A = \"b\"; };",
	       "PATCH https://api.example.com/in\n" AGENT "X-A: b\n" BODY);
	expect(TITLE BASE OPENED PART,
	       "base_url = \"https://eu.example.com\"; "
	       "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\";",
	       "POST https://eu.example.com/in\n" AGENT
	       "webhook-id: tcs_0123456789abcdef0123456789abcdef\n"
	       "webhook-timestamp: 1795491956\n"
	       "webhook-signature: v1,TxYtA7cr44dDgn6YoA7UaopxgLDJm4kFymK/9SJpAyQ=\n" BODY);
}

static void a_login_is_of_vars_unless_the_sink_has_its_own(void **state)
{
	static const char preset[] = TITLE BASE VARS
		"username = \"team\"; password = \"key\"; sigv4 = \"aws:amz:{{vars.team}}:sns\";\n" OPENED
			PART;
	struct settings *s = good(preset, KEYS);
	struct telling t;
	struct request r;

	(void)state;
	sample_build(s, tell(&t, s, ALERT, EVENT_OPENED), &r);
	assert_string_equal(r.username, "all");
	assert_string_equal(r.password, "k/12 34+5");
	assert_string_equal(r.sigv4, "aws:amz:all:sns");
	request_release(&r);
	alert_release(&t.alert);
	settings_free(&s);
	s = good(preset, KEYS "basic = { username = \"u\"; password = \"secret99\"; };");
	sample_build(s, tell(&t, s, ALERT, EVENT_OPENED), &r);
	assert_string_equal(r.username, "u");
	assert_string_equal(r.password, "secret99");
	request_release(&r);
	alert_release(&t.alert);
	settings_free(&s);
}

static void an_event_that_no_request_fits_is_an_error(void **state)
{
	struct settings *s = good(TITLE BASE OPENED PART, "");
	struct err err = { "" };
	struct telling t;
	struct request r;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_false(s->sinks[0].type->build(&s->sinks[0], tell(&t, s, ALERT, EVENT_RESOLVED),
					     &r, &err));
	assert_string_equal(err.text, "no request of the preset p fits");
	request_release(&r);
	alert_release(&t.alert);
	settings_free(&s);
}

/* ---- answers ---- */

#define ANSWERS                                                                                          \
	TITLE BASE VARS                                                                                  \
		"retry_after = \"parameters.retry_after\";\n"                                            \
		"requests = ( { name = \"a\"; events = \"opened\"; keep = \"data.0.id\"; },\n"           \
		" { name = \"b\"; events = \"opened\"; step = \"then\"; } );\n"                          \
		"answers = (\n"                                                                          \
		" { requests = \"b\"; status = \"404\"; verdict = \"never\"; reason = \"of b\"; },\n"    \
		" { requests = \"a\"; status = \"409\"; json = \"found\"; verdict = \"again\"; "         \
		"step = \"then\"; keep = \"found.id\"; reason = \"there\"; },\n"                         \
		" { requests = \"a\"; status = \"409\"; json = \"found.id\"; verdict = \"again\"; "      \
		"step = \"then\"; keep = \"found.id\"; },\n"                                             \
		" { status = \"200-299\"; json = \"ok\"; is_not = \"true\"; verdict = \"later\"; "       \
		"fault = \"operator\"; reason = \"not taken\"; key = \"vars: key\"; "                    \
		"advice = \"look at it\"; },\n"                                                          \
		" { status = \"200\"; is = \"busy\"; verdict = \"later\"; },\n"                          \
		" { status = \"200\"; has = \"went wrong\"; verdict = \"never\"; fault = \"operator\"; " \
		"reason = \"refused\"; },\n"                                                             \
		" { status = \"400\"; json = \"code\"; is = \"40007\"; verdict = \"delivered\"; }, \n"   \
		" { status = \"400\"; has = \"later\"; verdict = \"later\"; fault = \"message\"; }, \n"  \
		" { status = \"418\"; verdict = \"never\"; reason = \"a teapot\"; } );\n"                \
		"=== a.json\nPOST {{{base_url}}}\n\n{}\n=== b.json\nPOST {{{base_url}}}/b\n\n{}\n"

static const struct judged {
	int status;
	const char *body;
	enum verdict verdict;
	bool down, alarm;
	const char *reason;
} judged[] = {
	/* what no row rules is any webhook's */
	{ 200, "", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 503, "oh", VERDICT_LATER, true, false, "HTTP 503, the receiver failed: oh" },
	{ 422, "{\"ok\":false}", VERDICT_NEVER, false, false,
	  "HTTP 422, this message is refused: {\"ok\":false}" },
	/* by JSON: a 200 that is a failure, and one whose place is missing */
	{ 200, "{\"ok\":true}", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 201, "{\"ok\":false}", VERDICT_LATER, true, true,
	  "HTTP 201, not taken: {\"ok\":false}" },
	{ 200, "{\"ok\":\"no\"}", VERDICT_LATER, true, true,
	  "HTTP 200, not taken: {\"ok\":\"no\"}" },
	{ 200, "{\"ok\":null}", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 200, "{\"ok\":[]}", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 200, "{\"okay\":false}", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 200, "{\"ok\":false", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 400, "{\"code\":40007}", VERDICT_DELIVERED, false, false, "HTTP 400" },
	{ 400, "{\"code\":40008}", VERDICT_NEVER, false, false,
	  "HTTP 400, this message is refused: {\"code\":40008}" },
	/* by text: the whole, but for line breaks at its end; a part of it */
	{ 200, "busy\r\n", VERDICT_LATER, true, false, "HTTP 200: busy" },
	{ 200, "busy now", VERDICT_DELIVERED, false, false, "HTTP 200" },
	{ 202, "busy", VERDICT_DELIVERED, false, false, "HTTP 202" },
	{ 200, "It went wrong: 7", VERDICT_NEVER, false, false,
	  "HTTP 200, refused: It went wrong: 7" },
	/* this message's turn has not come: the sink stays up */
	{ 400, "try later", VERDICT_LATER, false, false, "HTTP 400: try later" },
	{ 418, "", VERDICT_NEVER, false, false, "HTTP 418, a teapot" },
	/* a row of another request does not count */
	{ 404, "", VERDICT_LATER, true, true, "HTTP 404, nothing there" },
	{ 409, "{}", VERDICT_LATER, false, false, "HTTP 409, not ready for this one: {}" },
};

static void judge(const struct settings *s, struct telling *t, int status, const char *body,
		  struct outcome *out)
{
	const struct reply reply = sample_reply(status, body);

	sample_judge(s, tell(t, s, ALERT, EVENT_OPENED), &reply, out);
	alert_release(&t->alert);
}

static void the_first_row_that_fits_rules(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		const struct judged *row = &judged[i];
		struct telling t;
		struct outcome out;

		judge(s, &t, row->status, row->body, &out);
		if (out.verdict == row->verdict && out.sink_down == row->down &&
		    out.alarm == row->alarm && strcmp(out.reason, row->reason) == 0)
			continue;
		print_message("row %zu: wanted %d %d %d %s\n        got %d %d %d %s\n", i,
			      row->verdict, row->down, row->alarm, row->reason, out.verdict,
			      out.sink_down, out.alarm, out.reason);
		failed++;
	}
	assert_int_equal(failed, 0);
	settings_free(&s);
}

static void a_hint_names_the_key_and_secrets_are_hidden(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);
	struct telling t;
	struct outcome out;

	(void)state;
	judge(s, &t, 200, "{\"ok\":false,\"k\":\"k/12 34+5\",\"p\":\"/k%2F12%2034%2B5/\"}",
	      &out);
	assert_string_equal(out.hint, "sinks: s: vars: key: look at it");
	assert_string_equal(out.reason, "HTTP 200, not taken: "
					"{\"ok\":false,\"k\":\"***\",\"p\":\"/***/\"}");
	judge(s, &t, 404, "", &out);
	assert_string_equal(out.hint, "sinks: s: base_url: is it complete, and does it still "
				      "exist?");
	settings_free(&s);
}

static void a_login_by_vars_is_hidden_as_its_header_spells_it(void **state)
{
	struct settings *s = good(
		TITLE BASE VARS "username = \"team\"; password = \"key\";\n" OPENED PART, KEYS);
	struct telling t;
	struct outcome out;

	(void)state;
	judge(s, &t, 401, "Basic YWxsOmsvMTIgMzQrNQ== is bad", &out);
	assert_string_equal(out.reason, "HTTP 401, the login was refused: Basic *** is bad");
	assert_string_equal(out.hint, "sinks: s: vars: the receiver does not accept it");
	settings_free(&s);
}

static void again_leads_to_the_next_step_with_what_was_kept(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);
	struct telling t;
	struct outcome out;

	(void)state;
	judge(s, &t, 409, "{\"found\":{\"id\":\"i7\"}}", &out);
	assert_int_equal(out.verdict, VERDICT_AGAIN);
	assert_false(out.sink_down);
	assert_string_equal(out.progress, "then\ti7");
	assert_string_equal(out.handle, "");

	struct message *m = tell(&t, s, ALERT, EVENT_OPENED);
	const struct reply gone = sample_reply(404, "");
	struct request r;

	m->progress = "then\ti7";
	sample_build(s, m, &r);
	assert_string_equal(r.url, "https://api.example.com/b");
	request_release(&r);
	sample_judge(s, m, &gone, &out);
	assert_int_equal(out.verdict, VERDICT_NEVER);
	assert_string_equal(out.reason, "HTTP 404, of b");
	alert_release(&t.alert);
	settings_free(&s);
}

static const struct {
	int status;
	const char *before, *body, *after;
} handles[] = {
	{ 200, "", "{\"data\":[{\"id\":\"h1\"}]}", "h1" },
	{ 200, "", "{\"data\":[{\"id\":77}]}", "77" },
	{ 200, "h0", "{\"data\":[{\"id\":\"h1\"}]}", "h1" },
	{ 200, "h0", "{\"data\":[]}", "h0" },
	{ 200, "h0", "{\"data\":{\"id\":\"h1\"}}", "h0" },
	{ 200, "h0", "no JSON", "h0" },
	{ 500, "h0", "{\"data\":[{\"id\":\"h1\"}]}", "" },
};

static void what_a_later_event_refers_to_is_kept(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
		const struct reply reply = sample_reply(handles[i].status, handles[i].body);
		struct telling t;
		struct outcome out;
		struct message *m = tell(&t, s, ALERT, EVENT_OPENED);

		m->handle = handles[i].before;
		sample_judge(s, m, &reply, &out);
		assert_string_equal(out.handle, handles[i].after);
		alert_release(&t.alert);
	}
	settings_free(&s);
}

static const struct {
	const char *value;
	int64_t wait_ms;
} waits[] = {
	{ "3", 3000 },        { "0.5", 500 },
	{ "\"1.25\"", 1250 }, { "0", 0 },
	{ "-1", -1 },         { "\"soon\"", -1 },
	{ "null", -1 },       { "[7]", -1 },
	{ "1e300", -1 },      { "31622400", INT64_C(31622400000) },
	{ "31622401", -1 },
};

static void a_wait_may_stand_in_the_answer(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		char *body =
			mem_printf("{\"parameters\":{\"retry_after\":%s}}", waits[i].value);
		struct telling t;
		struct outcome out;

		judge(s, &t, 429, body, &out);
		if (out.retry_after_ms != waits[i].wait_ms)
			fail_msg("%s: %lld", waits[i].value, (long long)out.retry_after_ms);
		judge(s, &t, 200, body, &out);
		assert_int_equal(out.retry_after_ms, -1);
		mem_free(&body);
	}
	settings_free(&s);
}

static void a_connection_that_failed_is_no_answer(void **state)
{
	struct settings *s = good(ANSWERS, KEYS);
	struct reply reply = { .kind = REPLY_CUT,
			       .maybe_sent = true,
			       .body = "",
			       .headers = "",
			       .error = "reset",
			       .at = SAMPLE_AT };
	struct telling t;
	struct outcome out;

	(void)state;
	sample_judge(s, tell(&t, s, ALERT, EVENT_OPENED), &reply, &out);
	assert_int_equal(out.verdict, VERDICT_LATER);
	assert_true(out.maybe_sent);
	assert_true(out.sink_down);
	alert_release(&t.alert);
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_sink_lacks_for_its_preset_is_told),
		cmocka_unit_test(a_preset_that_is_not_there_is_told),
		cmocka_unit_test(a_preset_gives_defaults_that_keys_of_the_sink_replace),
		cmocka_unit_test(a_value_in_the_address_is_percent_encoded),
		cmocka_unit_test(the_url_of_the_sink_stays_as_it_is),
		cmocka_unit_test(a_header_is_one_line_and_left_out_when_it_is_empty),
		cmocka_unit_test(the_sinks_method_headers_and_secret_go_on_top),
		cmocka_unit_test(a_login_is_of_vars_unless_the_sink_has_its_own),
		cmocka_unit_test(an_event_that_no_request_fits_is_an_error),
		cmocka_unit_test(the_first_row_that_fits_rules),
		cmocka_unit_test(a_hint_names_the_key_and_secrets_are_hidden),
		cmocka_unit_test(a_login_by_vars_is_hidden_as_its_header_spells_it),
		cmocka_unit_test(again_leads_to_the_next_step_with_what_was_kept),
		cmocka_unit_test(what_a_later_event_refers_to_is_kept),
		cmocka_unit_test(a_wait_may_stand_in_the_answer),
		cmocka_unit_test(a_connection_that_failed_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
