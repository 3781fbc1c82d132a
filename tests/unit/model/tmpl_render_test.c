/*
 * What a rendering promises whatever the data holds: escapes by the template's name, strict
 * JSON, an end to work, depth and size; and how a message of alerts looks to a template.
 */
#include "model/alert.h"
#include "model/sink.h"
#include "tmpl_case.h"

/* ---- escapes ----------------------------------------------------------------------------- */

/* Hostile values as JSON strings; what {{x}} makes of each, a row a name. */
static const char *const hostile[] = {
	"\"<script>&'\\\"\"",                                 /* markup */
	"\"<!channel> <@U1|x> *b*\"",                         /* Slack's */
	"\"\\\"},{\\\\\\\"\"",                                /* JSON's */
	"\"a\\r\\nBcc: x\\u0000\\t\"",                        /* lines, controls */
	"\"é\xf0\x9f\x94\x94\\u2028\"", "\"{{y}} {{{y}}} \"", /* tags */
};

static const struct {
	const char *name, *rendered[ARRAY_LEN(hostile)];
} escapes[] = {
	{ "t.html.mustache",
	  { "&lt;script&gt;&amp;&#39;&quot;", "&lt;!channel&gt; &lt;@U1|x&gt; *b*",
	    "&quot;},{\\&quot;", NULL, "é\xf0\x9f\x94\x94\xe2\x80\xa8", "{{y}} {{{y}}} " } },
	{ "t.mustache", { "&lt;script&gt;&amp;&#39;&quot;" } },
	{ "t", { "&lt;script&gt;&amp;&#39;&quot;" } },
	{ "t.txt.mustache",
	  { "<script>&'\"", "<!channel> <@U1|x> *b*", "\"},{\\\"", NULL, NULL,
	    "{{y}} {{{y}}} " } },
	{ "t.subject.txt.mustache", { "<script>&'\"" } },
	{ "t.json.mustache",
	  { "<script>&'\\\"", "<!channel> <@U1|x> *b*", "\\\"},{\\\\\\\"",
	    "a\\r\\nBcc: x\\u0000\\t", "é\xf0\x9f\x94\x94\xe2\x80\xa8", "{{y}} {{{y}}} " } },
	{ "t.slack.json.mustache",
	  { "&lt;script&gt;&amp;'\\\"", "&lt;!channel&gt; &lt;@U1|x&gt; *b*", "\\\"},{\\\\\\\"",
	    "a\\r\\nBcc: x\\u0000\\t", NULL, "{{y}} {{{y}}} " } },
	{ "t.slack.mustache",
	  { "&lt;script&gt;&amp;'\"", "&lt;!channel&gt; &lt;@U1|x&gt; *b*" } },
	{ "t.form.mustache",
	  { "%3Cscript%3E%26%27%22", NULL, NULL, "a%0D%0ABcc%3A+x%00%09",
	    "%C3%A9%F0%9F%94%94%E2%80%A8" } },
	{ "t.url.mustache",
	  { "%3Cscript%3E%26%27%22", NULL, NULL, "a%0D%0ABcc%3A%20x%00%09" } },
	{ "dir.json/t.txt", { "<script>&'\"" } },
};

static void a_template_s_name_decides_the_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		bool is_json = strstr(escapes[i].name, ".json.") != NULL;

		for (size_t j = 0; j < ARRAY_LEN(hostile); j++) {
			const char *q = is_json ? "\"" : "";
			char *data = mem_printf("{\"x\":%s,\"y\":\"never\"}", hostile[j]);
			char *text = mem_printf("%s{{x}}%s", q, q);
			char *expected =
				mem_printf("%s%s%s", q, escapes[i].rendered[j] ?: "", q);

			if (escapes[i].rendered[j] != NULL)
				case_expect(escapes[i].name, text, data, NULL, expected);
			mem_free(&data);
			mem_free(&text);
			mem_free(&expected);
		}
	}
}

static void a_partial_has_the_escape_of_its_template(void **state)
{
	const struct partial partials[] = { { "p.html", "{{x}}" }, { 0 } };

	(void)state;
	case_expect("t.json", "\"{{>p.html}}\"", "{\"x\":\"<\\\"\"}", partials, "\"<\\\"\"");
}

static void a_json_template_yields_json_or_fails(void **state)
{
	static const struct {
		const char *name, *text, *rendered;
	} rows[] = {
		{ "t.json.mustache", "{\"a\":\"{{x}}\"}\n", "{\"a\":\"1\"}\n" },
		{ "t.json", "{\"a\":{{x}},}", NULL },
		{ "t.json", "{\"a\":{{none}}}", NULL },
		{ "t.json", "", NULL },
		{ "t.json", "{} {}", NULL },
		{ "t.slack.json", "{\"a\":\"\n\"}", NULL },
		{ "t.txt", "{\"a\":", "{\"a\":" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = case_render(rows[i].name, rows[i].text, "{\"x\":1}", NULL);

		if (rows[i].rendered != NULL)
			assert_string_equal(got, rows[i].rendered);
		else
			assert_non_null(strstr(got, "error: t."));
		mem_free(&got);
	}
}

/* The place is the template's: of the tag or the text that wrote what is no JSON. */
static void what_is_no_json_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "{\"a\":{{x}},}", "t.json:1:12: the rendering is not JSON at byte 7: " },
		{ "{\n \"ü\": {{none}}}",
		  "t.json:2:15: the rendering is not JSON at byte 9: " },
		{ "[\n{{#l}}{{.}} {{/l}}]",
		  "t.json:2:7: the rendering is not JSON at byte 4: " },
		{ "[1,\n2,\n,3]", "t.json:3:1: the rendering is not JSON at byte 7: " },
		{ "", "t.json:1:1: the rendering is not JSON at byte 0: " },
		{ "[1,\n", "t.json:2:1: the rendering is not JSON at byte 4: " },
		{ "[{{>p}}]", "p:2:1: the rendering is not JSON at byte 3: " },
	};
	const struct partial partials[] = { { "p", "1\n{{x}}" }, { 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *wanted = mem_printf("error: %s", rows[i].error);
		char *got =
			case_render("t.json", rows[i].text, "{\"x\":1,\"l\":[1,2]}", partials);

		if (strncmp(got, wanted, strlen(wanted)) != 0)
			fail_msg("%s\nis %s\nnot %s", rows[i].text, got, wanted);
		mem_free(&wanted);
		mem_free(&got);
	}
}

static void what_stands_in_the_buffer_before_is_not_judged(void **state)
{
	struct tmpl *t = case_compile("t.json", "{}", NULL, NULL);
	struct value root = { .kind = VALUE_MISSING, .text = "" };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	buf_adds(&out, "subject: ");
	assert_true(tmpl_render(t, &root, &out, NULL, NULL));
	assert_string_equal(out.data, "subject: {}");
	buf_release(&out);
	tmpl_free(&t);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void expect_error(const char *text, const char *data, const struct partial *partials,
			 const char *part)
{
	char *got = case_render("t.txt", text, data, partials);

	if (strncmp(got, "error: ", 7) != 0 || strstr(got, part) == NULL)
		fail_msg("%.80s\nmust fail with %s\nis %.200s", text, part, got);
	mem_free(&got);
}

/* n copies of piece between head and tail. */
static char *many(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b;
	size_t len;

	buf_init(&b, 8 << 20);
	buf_adds(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, piece);
	buf_adds(&b, tail);
	assert_false(b.overflow);
	return buf_take(&b, &len);
}

static void a_partial_that_never_ends_is_ended(void **state)
{
	const struct partial loop[] = { { "p", "x{{>p}}" }, { 0 } };
	const struct partial twice[] = { { "p", "{{#l}}{{>p}}{{/l}}" }, { 0 } };
	const struct partial deep[] = { { "p", "{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{>p}}"
					       "{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}" },
					{ 0 } };

	(void)state;
	expect_error("{{>p}}", "{}", loop, "p:1:2: partials more than 32 deep");
	expect_error("{{>p}}", "{\"l\":[1,2,3,4,5,6,7,8]}", twice,
		     "p:1:7: partials more than 32");
	expect_error("{{>p}}", "{\"a\":true}", deep, "more than 128 deep");
}

static void loops_within_loops_are_ended(void **state)
{
	char *list = many("{\"l\":[0", ",0", 999, "]}");
	char *wide = many("{\"l\":[0", ",0", 20000, "],");
	char *keys = many(wide, "\"k\":0,", 20000, "\"end\":0}");

	(void)state;
	expect_error("{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}", list, NULL, "more work");
	expect_error("{{#l}}{{#l}}{{#l}}{{none}}{{/l}}{{/l}}{{/l}}", list, NULL, "more work");
	expect_error("{{#l}}{{none}}{{/l}}", keys, NULL, "more work");
	expect_error("{{#l}}{{#l}}{{l | json | truncate 1}}{{/l}}{{/l}}", list, NULL,
		     "more work");
	expect_error("{{#l}}{{#l}}{{{l}}}{{/l}}{{/l}}", list, NULL,
		     "larger than 1048576 bytes");
	mem_free(&list);
	mem_free(&wide);
	mem_free(&keys);
}

static void a_template_has_bounds_too(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *tail, *error;
	} rows[] = {
		{ "", "{{#a}}", 33, "", "more than 32 sections within each other" },
		{ "", "{{a}}", 20000, "", "too large: more than 16384 tags and texts" },
		{ "", "{{a|upper}}", 5000, "", "more than 4096 filters" },
		{ "", "x", (1 << 20) + 1, "", "larger than 1 MiB" },
		{ "{{", "a", 201, "}}", "a name of more than 200 bytes" },
		{ "{{>", "a", 201, "}}", "a partial needs one name" },
		{ "{{=", "a", 17, " b=}}", "delimiters are two words" },
	};
	struct buf names;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = many(rows[i].head, rows[i].piece, rows[i].n, rows[i].tail);

		expect_error(text, "{}", NULL, rows[i].error);
		mem_free(&text);
	}
	buf_init(&names, 4096);
	for (int i = 0; i < 64; i++)
		buf_addf(&names, "{{>p%d}}", i);
	expect_error(names.data, "{}", NULL, "more than 63 partials");
	buf_release(&names);
}

static void a_rendering_that_does_not_fit_fails_and_keeps_its_bound(void **state)
{
	struct tmpl *t = case_compile("t.txt", "12345{{.}}", NULL, NULL);
	struct value root = { .kind = VALUE_TEXT, .text = "678", .len = 3 };
	struct err err = { "" };
	struct buf out;

	(void)state;
	buf_init(&out, 7);
	assert_false(tmpl_render(t, &root, &out, NULL, &err));
	assert_string_equal(err.text, "t.txt:1:6: larger than 7 bytes");
	assert_true(out.len <= 7);
	buf_release(&out);
	buf_init(&out, 8);
	assert_true(tmpl_render(t, &root, &out, NULL, &err));
	assert_string_equal(out.data, "12345678");
	buf_release(&out);
	tmpl_free(&t);
}

static void note_use(void *arg, const struct tmpl_use *use)
{
	buf_addf(arg, "%s%s:%d:%s ", use->is_partial ? ">" : "", use->file, use->line,
		 use->name);
}

static void every_name_that_is_used_is_told(void **state)
{
	const struct partial partials[] = { { "p", "\n{{gone}}" }, { 0 } };
	struct tmpl *t = case_compile("t.txt",
				      "{{a}}{{#b}}\n{{c.d | duration e}}{{/b}}\n"
				      "{{>p}}{{>q}}{{^f = g}}{{.}}{{/f}}",
				      partials, NULL);
	struct buf seen;

	(void)state;
	buf_init(&seen, 1000);
	tmpl_each_use(t, &(struct tmpl_uses){ .each = note_use, .arg = &seen });
	assert_string_equal(seen.data, "t.txt:1:a t.txt:1:b t.txt:2:c.d t.txt:2:e >t.txt:3:q "
				       "t.txt:3:f t.txt:3:. p:2:gone ");
	buf_release(&seen);
	tmpl_free(&t);
}

/* ---- names that are missing -------------------------------------------------------------- */

static void note_missing(void *arg, const char *template_name, int line, const char *name)
{
	buf_addf(arg, "%s:%d:%s ", template_name, line, name);
}

static void a_missing_name_is_reported_once_a_tag(void **state)
{
	static const char data[] = "{\"l\":[1,2,3],\"nil\":null,\"o\":{}}";
	const struct partial partials[] = { { "p", "\n{{gone}}" }, { 0 } };
	struct tmpl *t =
		case_compile("t.txt",
			     "{{a}}{{a}}\n{{nil}}{{#b}}{{/b}}{{^b}}{{/b}}{{#b = c}}{{/b}}\n"
			     "{{#l}}{{o.x}}{{>p}}{{/l}}{{d | default -}}{{nil.x}}",
			     partials, NULL);
	struct json *doc = json_parse(data, strlen(data), NULL);
	struct tmpl_report report = { .missing = note_missing };
	struct value root;
	struct buf seen, out;

	(void)state;
	buf_init(&seen, 1000);
	buf_init(&out, 1000);
	report.arg = &seen;
	value_of_json(doc, json_root(doc), &root);
	assert_true(tmpl_render(t, &root, &out, &report, NULL));
	assert_string_equal(seen.data,
			    "t.txt:1:a t.txt:1:a t.txt:3:o.x p:2:gone t.txt:3:nil.x ");
	assert_string_equal(out.data, "\n\n\n\n\n-");
	buf_release(&out);
	buf_release(&seen);
	json_free(&doc);
	tmpl_free(&t);
}

/* ---- a message --------------------------------------------------------------------------- */

static void expect_message(const struct message *m, const char *name, const char *text,
			   const char *expected)
{
	struct err err = { "" };
	struct tmpl *t = case_compile(name, text, NULL, &err);
	struct value root;
	struct buf out;

	assert_non_null(t);
	buf_init(&out, 1 << 20);
	value_of_message(m, &root);
	if (!tmpl_render(t, &root, &out, NULL, &err))
		buf_adds(&out, err.text);
	assert_string_equal(out.data, expected);
	buf_release(&out);
	tmpl_free(&t);
}

static const char first_alert[] =
	"{\"id\":\"a1\", \"title\":\"One \\\"<b>\",\"severity\":\"high\","
	"\"n\":12345678901234567890,\"metadata\":{\"model\":\"gpt-4\"}}";
static const char second_alert[] = "{\"id\":\"a2\",\"title\":\"Two\",\"severity\":\"low\"}";

static void a_message_of_one_reads_like_its_alert(void **state)
{
	struct alert a;
	struct facts facts = { .alert = &a, .source = "acme", .at = 1795491956000 };
	struct message m = {
		.alerts = &facts, .count = 1, .sink = "bus", .delivery_id = "tcs_1"
	};

	(void)state;
	assert_true(alert_read(&a, first_alert, strlen(first_alert), NULL));
	expect_message(&m, "t.json",
		       "{\"type\":\"alert.{{event}}\",\"at\":\"{{at}}\",\"alert\":{{{raw}}},"
		       "\"sink\":\"{{sink}}\",\"n\":{{n}}}",
		       "{\"type\":\"alert.opened\",\"at\":\"2026-11-24T03:45:56Z\",\"alert\":"
		       "{\"id\":\"a1\", \"title\":\"One \\\"<b>\",\"severity\":\"high\","
		       "\"n\":12345678901234567890,\"metadata\":{\"model\":\"gpt-4\"}},"
		       "\"sink\":\"bus\",\"n\":12345678901234567890}");
	expect_message(&m, "t.json", "{{raw}}", first_alert);
	expect_message(&m, "t.json", "{{alerts | json}}",
		       "[{\"id\":\"a1\", \"title\":\"One \\\"<b>\",\"severity\":\"high\","
		       "\"n\":12345678901234567890,\"metadata\":{\"model\":\"gpt-4\"}}]");
	expect_message(&m, "t.txt", "{{#alerts}}{{id}} {{count}} {{metadata.model}}{{/alerts}}",
		       "a1 1 gpt-4");
	expect_message(&m, "t.html", "{{title}}{{#severity = high}}!{{/severity}}",
		       "One &quot;&lt;b&gt;!");
	expect_message(&m, "t.slack.json", "{{raw}}",
		       "{\"id\":\"a1\", \"title\":\"One \\\"&lt;b&gt;\",\"severity\":\"high\","
		       "\"n\":12345678901234567890,\"metadata\":{\"model\":\"gpt-4\"}}");
	alert_release(&a);
}

/* An alert's own bytes are JSON and not read again, but where they stand is. */
static void what_is_around_the_bytes_of_an_alert_is_judged(void **state)
{
	static const struct {
		const char *text;
		bool is_json;
	} rows[] = {
		{ "{\"a\":{{{raw}}}}", true },
		{ " {{raw}} ", true },
		{ "[{{{raw}}}, {{{raw}}}]", true },
		{ "{\"a\":{{{raw}}},}", false },
		{ "{\"a\":\"{{{raw}}}\"}", false },
		{ "[{{{raw}}}{{{raw}}}]", false },
		{ "{{{raw}}}x", false },
		{ "{ {{{raw}}} :1}", false },
		{ "[{{{raw}}}", false },
		{ "{{{raw}}}\"", false },
		{ "\"{{raw | truncate 20}}\"", true },
		{ "{{{raw | truncate 20}}}", false },
	};
	struct alert a;
	struct facts facts = { .alert = &a };
	struct message m = { .alerts = &facts, .count = 1 };

	(void)state;
	assert_true(alert_read(&a, first_alert, strlen(first_alert), NULL));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tmpl *t = case_compile("t.json", rows[i].text, NULL, NULL);
		struct value root;
		struct buf out;

		buf_init(&out, 1 << 20);
		value_of_message(&m, &root);
		if (tmpl_render(t, &root, &out, NULL, NULL) != rows[i].is_json)
			fail_msg("%s: %s", rows[i].text, out.data);
		buf_release(&out);
		tmpl_free(&t);
	}
	alert_release(&a);
}

static void a_digest_lists_its_alerts(void **state)
{
	struct alert a, b;
	struct facts facts[] = {
		{ .alert = &a, .event = EVENT_OPENED, .route = "r" },
		{ .alert = &b, .event = EVENT_RESOLVED, .route = "r" },
	};
	struct message m = { .alerts = facts, .count = 2, .sink = "bus", .why = "quiet" };

	(void)state;
	assert_true(alert_read(&a, first_alert, strlen(first_alert), NULL));
	assert_true(alert_read(&b, second_alert, strlen(second_alert), NULL));
	expect_message(&m, "t.json",
		       "{\"type\":\"alert.{{event}}\",\"count\":{{count}},\"items\":["
		       "{{#alerts}}\"{{index}} {{event}} {{id}} {{sink}}\"{{^last}},{{/last}}"
		       "{{/alerts}}],\"why\":\"{{why}}\"}",
		       "{\"type\":\"alert.digest\",\"count\":2,\"items\":[\"0 opened a1 bus\","
		       "\"1 resolved a2 bus\"],\"why\":\"quiet\"}");
	expect_message(&m, "t.txt", "[{{title}}]{{#event = digest}}D{{/event}}", "[]D");
	alert_release(&a);
	alert_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_s_name_decides_the_escape),
		cmocka_unit_test(a_partial_has_the_escape_of_its_template),
		cmocka_unit_test(a_json_template_yields_json_or_fails),
		cmocka_unit_test(what_is_no_json_is_told_with_its_place),
		cmocka_unit_test(what_stands_in_the_buffer_before_is_not_judged),
		cmocka_unit_test(a_partial_that_never_ends_is_ended),
		cmocka_unit_test(loops_within_loops_are_ended),
		cmocka_unit_test(a_template_has_bounds_too),
		cmocka_unit_test(a_rendering_that_does_not_fit_fails_and_keeps_its_bound),
		cmocka_unit_test(every_name_that_is_used_is_told),
		cmocka_unit_test(a_missing_name_is_reported_once_a_tag),
		cmocka_unit_test(a_message_of_one_reads_like_its_alert),
		cmocka_unit_test(what_is_around_the_bytes_of_an_alert_is_judged),
		cmocka_unit_test(a_digest_lists_its_alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
