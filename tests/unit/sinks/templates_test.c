/* The shipped templates and the built-in plain ones, against friendly and hostile alerts. */
#include "shipped.h"

#include "base/esc.h"

enum {
	SECTION_MAX = 3000,
	FIELD_MAX = 2000,
	BLOCKS_MAX = 50,
	FALLBACK_MAX = 40000,
	WORST_LEN = 15000,
};

/* An alert whose every text is this one, as JSON escapes it. */
static char *hostile_alert(const char *text, size_t len)
{
	struct buf word, json;

	buf_init(&word, 1 << 20);
	buf_init(&json, 1 << 20);
	json_add_text(&word, text, len);
	buf_addf(&json,
		 "{\"id\":\"i\",\"org_id\":%s,\"type\":%s,\"severity\":%s,\"status\":%s,"
		 "\"title\":%s,\"message\":%s,\"user_id\":%s,\"policy_id\":%s,"
		 "\"metadata\":{\"metadata\":%s},\"created_at\":%s,\"resolved_at\":null}",
		 word.data, word.data, word.data, word.data, word.data, word.data, word.data,
		 word.data, word.data, word.data);
	buf_release(&word);
	return buf_take(&json, NULL);
}

struct hostile {
	const char *text;
	size_t len;
};

#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

static const struct hostile hostile[] = {
	TEXT("\"quotes\" \\ and {braces} {{mustache}}"),
	TEXT("<!channel> <!here> <@U1> <#C1> <https://evil.example|click> @here &amp;"),
	TEXT("\x01\x02\x1b[31m\r\n\t\x7f"),
	TEXT("a\0b"),
	TEXT(" "),
	TEXT("\n"),
	TEXT(""),
	TEXT("</div><script>alert(1)</script> javascript:alert(1)"),
	TEXT("\r\nBcc: evil@example.com\r\n\r\n.\r\n"),
	TEXT("\xf0\x9f\x94\x94\xe2\x80\xae\xcc\x81"),
	TEXT("*bold* _it_ ~s~ `code` ```block``` > quote"),
};

static const char missing[] = "{\"id\":\"i\"}";
static const char nulls[] = "{\"id\":\"i\",\"title\":null,\"message\":null,\"user_id\":null,"
			    "\"policy_id\":null,\"metadata\":null,\"created_at\":null}";

/* Calls each() with one alert, and with a digest, of every kind there is. */
static void with_each(void (*each)(const struct message *m))
{
	static const size_t counts[] = { 1, 2, 20 };
	static const char longest[] = { '&', 'x', '"' };
	char *list[ARRAY_LEN(hostile) + 2 + 3];
	char *text = mem_new(10001);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		list[n++] = hostile_alert(hostile[i].text, hostile[i].len);
	for (size_t i = 0; i < ARRAY_LEN(longest); i++) {
		memset(text, longest[i], 10000);
		list[n++] = hostile_alert(text, 10000);
	}
	list[n++] = mem_strdup(missing);
	list[n++] = mem_strdup(nulls);
	mem_free(&text);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
			struct sample *s = sample_new(list[i], counts[k]);

			each(&s->message);
			sample_say_behind(s, k == 0);
			each(&s->message);
			s->message.possible_repeat = s->message.test = true;
			s->message.why = counts[k] > 1 ? "quiet" : NULL;
			s->facts[0].possible_repeat = s->facts[0].test = s->facts[0].first =
				true;
			s->facts[0].event = EVENT_RESOLVED;
			s->facts[0].link = "https://app.example.com/alerts/i?a=1&b=2";
			each(&s->message);
			sample_free(&s);
		}
		mem_free(&list[i]);
	}
}

/* ---- webhook ---- */

static void one_event_is_the_documented_body(void **state)
{
	struct sample *s = sample_new(FRIENDLY, 1);

	(void)state;
	expect_webhook(s, "{\"type\":\"alert.opened\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			  "\"data\":{\"alert\":" FRIENDLY
			  ",\"source\":\"acme\",\"route\":\"rest\","
			  "\"sink\":\"s\"}}\n");
	s->facts[0].event = EVENT_RESOLVED;
	s->facts[0].first = s->facts[0].possible_repeat = true;
	s->facts[0].repeat = 2;
	s->facts[0].route = NULL;
	expect_webhook(s, "{\"type\":\"alert.resolved\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			  "\"data\":{\"alert\":" FRIENDLY ",\"source\":\"acme\",\"sink\":\"s\","
			  "\"first\":true,\"possible_repeat\":true,\"repeat\":2}}\n");
	sample_free(&s);
}

#define ITEM                                                                           \
	"{\"type\":\"alert.opened\",\"timestamp\":\"2026-11-24T03:45:56Z\",\"data\":{" \
	"\"alert\":" FRIENDLY ",\"source\":\"acme\",\"route\":\"rest\",\"sink\":\"s\"}}"

static void several_are_the_items_of_a_digest(void **state)
{
	struct sample *s = sample_new(FRIENDLY, 2);

	(void)state;
	s->message.why = "quiet";
	expect_webhook(s, "{\"type\":\"alert.digest\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			  "\"data\":{\"why\":\"quiet\",\"count\":2,\"items\":[\n" ITEM
			  ",\n" ITEM "\n]}}\n");
	s->message.why = NULL;
	expect_webhook(s, "{\"type\":\"alert.digest\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			  "\"data\":{ \"count\":2,\"items\":[\n" ITEM ",\n" ITEM "\n]}}\n");
	sample_free(&s);
}

static void that_a_storm_began_is_said_with_its_alert(void **state)
{
	static const char *const names[] = { "slack.slack.json.mustache",
					     "email.txt.mustache" };
	struct sample *s = sample_new(FRIENDLY, 1);

	(void)state;
	s->message.is_digest = true;
	s->message.storm = "began";
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *text = render_shipped(names[i], &s->message);
		assert_non_null(strstr(text, "Storm began"));
		assert_null(strstr(text, "digest"));
		mem_free(&text);
	}
	sample_free(&s);
}

static const struct json_value *path(const struct json *j, const char *const *names)
{
	const struct json_value *v = json_root(j);

	for (; *names != NULL; names++)
		v = json_get(v, *names);
	return v;
}

static void webhook_keeps_the_bytes(const struct message *m)
{
	char *body = render_shipped("webhook.json.mustache", m);
	struct json *j = parse(body);
	const struct json_value *data = path(j, (const char *const[]){ "data", NULL });

	if (m->count > 1) {
		assert_int_equal(json_count(json_get(data, "items")), m->count);
		data = json_get(json_first(json_get(data, "items")), "data");
	}
	struct json_span alert = json_bytes(j, json_get(data, "alert"));

	assert_int_equal(alert.len, m->alerts[0].alert->bytes_len);
	assert_memory_equal(alert.at, m->alerts[0].alert->bytes, alert.len);
	json_free(&j);
	mem_free(&body);
}

static void a_webhook_body_holds_each_alert_byte_for_byte(void **state)
{
	(void)state;
	with_each(webhook_keeps_the_bytes);
}

/* ---- slack ---- */

/* Markup that an alert's text brought: a < that is not one of ours. */
static void expect_no_markup(const char *text)
{
	for (const char *c = strchr(text, '<'); c != NULL; c = strchr(c + 1, '<'))
		if (strncmp(c, "<!date^1795491956^", 18) != 0 &&
		    strncmp(c, "<https://app.example.com/alerts/i?a=1&amp;b=2|", 46) != 0)
			fail_msg("markup: %.60s", c);
}

static void expect_text(const struct json_value *v, size_t max)
{
	size_t len;
	const char *text = json_text(v, &len);

	assert_non_null(text);
	assert_in_range(utf8_count(text, len), 1, max);
	if (strlen(text) == len)
		expect_no_markup(text);
}

static void expect_texts(const struct json_value *list, size_t count_max, size_t max)
{
	assert_in_range(json_count(list), 1, count_max);
	for (const struct json_value *e = json_first(list); e != NULL; e = json_next(e)) {
		expect_text(json_get(e, "text"), max);
		assert_int_equal(json_kind(json_get(e, "verbatim")), JSON_TRUE);
	}
}

/* A block's texts: of a section one or a list, of a context a list of them. */
static void expect_block(const struct json_value *block)
{
	const char *type = json_text(json_get(block, "type"), NULL);

	if (strcmp(type, "context") == 0) {
		expect_texts(json_get(block, "elements"), 10, SECTION_MAX);
		return;
	}
	assert_string_equal(type, "section");
	if (json_get(block, "fields") != NULL) {
		expect_texts(json_get(block, "fields"), 10, FIELD_MAX);
		return;
	}
	expect_text(json_get(json_get(block, "text"), "text"), SECTION_MAX);
	assert_int_equal(json_kind(json_get(json_get(block, "text"), "verbatim")), JSON_TRUE);
}

/* How many they are. */
static size_t expect_blocks(const struct json_value *list)
{
	assert_in_range(json_count(list), 1, BLOCKS_MAX);
	for (const struct json_value *b = json_first(list); b != NULL; b = json_next(b))
		expect_block(b);
	return json_count(list);
}

static void expect_slack(const char *body)
{
	struct json *j = parse(body);
	const struct json_value *root = json_root(j);
	const struct json_value *bars = json_get(root, "attachments");
	size_t blocks = 0;

	expect_text(json_get(root, "text"), FALLBACK_MAX);
	assert_int_equal(json_kind(json_get(root, "unfurl_links")), JSON_FALSE);
	assert_int_equal(json_kind(json_get(root, "unfurl_media")), JSON_FALSE);
	for (const struct json_value *a = json_first(bars); a != NULL; a = json_next(a)) {
		const char *color = json_text(json_get(a, "color"), NULL);

		assert_int_equal(strlen(color), 7);
		assert_int_equal(color[0], '#');
		blocks += expect_blocks(json_get(a, "blocks"));
	}
	if (json_get(root, "blocks") != NULL)
		blocks += expect_blocks(json_get(root, "blocks"));
	assert_in_range(blocks, 0, BLOCKS_MAX);
	json_free(&j);
}

static void slack_takes_it(const struct message *m)
{
	char *body = render_shipped("slack.slack.json.mustache", m);
	char *reply =
		m->count == 1 ? render_shipped("slack.reply.slack.json.mustache", m) : NULL;

	expect_slack(body);
	if (reply != NULL)
		expect_slack(reply);
	mem_free(&reply);
	mem_free(&body);
}

static void slack_gets_valid_payloads_without_foreign_markup(void **state)
{
	(void)state;
	with_each(slack_takes_it);
}

static void expect_in_slack(const struct sample *s, const char *const *wanted)
{
	char *body = render_shipped("slack.slack.json.mustache", &s->message);

	expect_slack(body);
	for (; *wanted != NULL; wanted++)
		if (strstr(body, *wanted) == NULL)
			fail_msg("no %s in %s", *wanted, body);
	mem_free(&body);
}

static void a_person_reads_what_happened_in_slack(void **state)
{
	struct sample *s = sample_new(FRIENDLY, 1);

	(void)state;
	expect_in_slack(
		s,
		(const char *const[]){
			"\"text\": \"[HIGH] opened: GPT-4 usage\"",
			"\"text\": \"[HIGH] opened: *GPT-4 usage*\"",
			"\"text\": \">>> A longer text.\"", "\"color\": \"#e8532c\"",
			"*Source*\\nacme", "*Type*\\npolicy_violation", "*User*\\nu1",
			"*Policy*\\np1", "*Model*\\ngpt-4", "*Opened*\\n2025-01-15 10:30 UTC",
			"opened <!date^1795491956^{date_short_pretty} {time}|2026-11-24 03:45 UTC> "
			"· al1",
			NULL });
	s->facts[0].event = EVENT_RESOLVED;
	s->facts[0].first = s->facts[0].possible_repeat = true;
	s->message.test = true;
	s->facts[0].link = "https://app.example.com/alerts/i?a=1&b=2";
	expect_in_slack(
		s, (const char *const[]){
			   "\"[TEST] ✔ [HIGH] opened and resolved: GPT-4 usage\"",
			   "✔ [HIGH] opened and resolved: *",
			   "*<https://app.example.com/alerts/i?a=1&amp;b=2|GPT-4 usage>*",
			   "*TEST*", "*possible repeat*", "\"color\": \"#2eb67d\"", NULL });
	s->facts[0].event = EVENT_ACKNOWLEDGED;
	expect_in_slack(s, (const char *const[]){ "\"color\": \"#8d8d8d\"", NULL });
	sample_free(&s);
}

static void each_severity_has_its_colour(void **state)
{
	static const struct {
		const char *severity, *color;
	} rows[] = {
		{ "critical", "#b3001b" }, { "high", "#e8532c" }, { "medium", "#ecb22e" },
		{ "low", "#36a2d9" },      { "dire", "#e8532c" }, { "", "#e8532c" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *json = mem_printf("{\"id\":\"i\",\"severity\":\"%s\"}", rows[i].severity);
		char *wanted = mem_printf("{\"color\": \"%s\", ", rows[i].color);
		struct sample *s = sample_new(json, 1);

		expect_in_slack(s, (const char *const[]){ wanted, NULL });
		sample_free(&s);
		mem_free(&wanted);
		mem_free(&json);
	}
}

/* ---- mail ---- */

static void mail_is_whole(const struct message *m)
{
	char *subject = render_shipped("email.subject.txt.mustache", m);
	char *text = render_shipped("email.txt.mustache", m);
	char *html = render_shipped("email.html.mustache", m);

	assert_in_range(strlen(subject), 1, 1000);
	assert_in_range(strlen(text), 20, 1 << 20);
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "</div><"));
	assert_non_null(strstr(html, "</html>"));
	mem_free(&subject);
	mem_free(&text);
	mem_free(&html);
}

static void mails_hold_hostile_alerts_as_text(void **state)
{
	(void)state;
	with_each(mail_is_whole);
}

static void a_mail_reads_like_this(void **state)
{
	char name[] = "one_subject", yes[] = "true";
	const struct pair one_subject = { .name = name, .value = yes };
	struct sample *s = sample_new(FRIENDLY, 1);
	char *subject, *text;

	(void)state;
	s->facts[0].link = "https://app.example.com/alerts/al1";
	subject = render_shipped("email.subject.txt.mustache", &s->message);
	text = render_shipped("email.txt.mustache", &s->message);
	assert_string_equal(subject, "[high opened] GPT-4 usage\n");
	assert_string_equal(text,
			    "[HIGH] opened: GPT-4 usage\n"
			    "\n"
			    "A longer text.\n"
			    "\n"
			    "https://app.example.com/alerts/al1\n"
			    "\n"
			    "Source:   acme\n"
			    "Type:     policy_violation\n"
			    "Status:   open\n"
			    "User:     u1\n"
			    "Policy:   p1\n"
			    "Details:  {\"model\":\"gpt-4\"}\n"
			    "Created:  2025-01-15 10:30 UTC\n"
			    "Seen:     2026-11-24 03:45 UTC\n"
			    "Alert:    al1\n"
			    "\n"
			    "-- \n"
			    "You get this because the route \"rest\" leads to the mail sink "
			    "\"s\" of Tocsin; whoever runs it can change that. Sent "
			    "automatically.\n");
	mem_free(&subject);
	mem_free(&text);
	s->message.test = true;
	subject = render_shipped("email.subject.txt.mustache", &s->message);
	assert_string_equal(subject, "[TEST] [high opened] GPT-4 usage\n");
	mem_free(&subject);
	s->message.test = false;
	s->facts[0].vars = &one_subject;
	s->facts[0].var_count = 1;
	s->facts[0].event = EVENT_RESOLVED;
	subject = render_shipped("email.subject.txt.mustache", &s->message);
	assert_string_equal(subject, "[high alert] GPT-4 usage\n");
	mem_free(&subject);
	sample_free(&s);
}

/* ---- the plain ones ---- */

static void plain_never_fails(const struct message *m)
{
	for (size_t i = 0; sink_types[i] != NULL; i++) {
		for (size_t k = 0; k < sink_types[i]->part_count; k++) {
			const struct sink_part *part = &sink_types[i]->parts[k];
			char *name = mem_printf("plain%s.mustache", part->suffix);
			char *text = render(name, part->plain, m, part->max_len);

			assert_true(strlen(text) > 0);
			if (strcmp(part->suffix, ".slack.json") == 0)
				expect_slack(text);
			mem_free(&text);
			mem_free(&name);
		}
	}
}

static void the_plain_renderings_never_fail(void **state)
{
	(void)state;
	with_each(plain_never_fails);
}

/* Texts that escaping makes six times as long, in the largest digest of each sink. */
static void the_plain_renderings_hold_the_largest_digest(void **state)
{
	char *text = mem_new(WORST_LEN), *json;

	(void)state;
	memset(text, 1, WORST_LEN);
	json = hostile_alert(text, WORST_LEN);
	for (size_t i = 0; sink_types[i] != NULL; i++) {
		struct sample *s = sample_new(json, sink_types[i]->batch_max);

		for (size_t k = 0; k < sink_types[i]->part_count; k++) {
			const struct sink_part *part = &sink_types[i]->parts[k];
			char *name = mem_printf("plain%s.mustache", part->suffix);
			char *out = render(name, part->plain, &s->message, part->max_len);

			mem_free(&out);
			mem_free(&name);
		}
		sample_free(&s);
	}
	mem_free(&json);
	mem_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_event_is_the_documented_body),
		cmocka_unit_test(that_a_storm_began_is_said_with_its_alert),
		cmocka_unit_test(several_are_the_items_of_a_digest),
		cmocka_unit_test(a_webhook_body_holds_each_alert_byte_for_byte),
		cmocka_unit_test(slack_gets_valid_payloads_without_foreign_markup),
		cmocka_unit_test(a_person_reads_what_happened_in_slack),
		cmocka_unit_test(each_severity_has_its_colour),
		cmocka_unit_test(mails_hold_hostile_alerts_as_text),
		cmocka_unit_test(a_mail_reads_like_this),
		cmocka_unit_test(the_plain_renderings_never_fail),
		cmocka_unit_test(the_plain_renderings_hold_the_largest_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
