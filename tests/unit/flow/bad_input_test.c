/*
 * Every field of an alert holds each nasty text in turn, and every shipped template is rendered
 * for it, by the path of a delivery: nothing falls back, and a strict reader of each format finds
 * what it should and nothing that the alert brought.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/esc.h"
#include "base/file.h"
#include "base/mem.h"
#include "flow/envelope.h"
#include "flow/samples.h"
#include "model/json.h"
#include "model/preset.h"

/* Each preset becomes a sink more. */
static const char conf[] =
	"store = \"/tmp/none.db\"; templates = \"templates\";\n"
	"sources = ( { name = \"acme\"; base_url = \"https://api.example.com/v1\";\n"
	"  api_key = \"k\"; link = \"https://app.example.com/a/{{id}}\"; } );\n"
	"sinks = ( { name = \"s\"; type = \"slack\"; url = \"https://hooks.example.com/x\"; },\n"
	"  { name = \"m\"; type = \"email\"; server = \"smtps://smtp.example.com\";\n"
	"    from = \"a@example.com\"; to = [ \"b@example.com\", \"{{title}}\" ];\n"
	"    cc = \"{{unheard_of}} <{{message}}@example.com>\"; },\n"
	"  { name = \"w\"; type = \"webhook\"; url = \"https://hooks.example.com/y\"; }%s );\n"
	"routes = ( { name = \"rest\"; to = [ \"s\", \"m\", \"w\" ]; } );\n";

/* ---- the table --------------------------------------------------------------------------- */

static const char *const fields[] = {
	"id",          "org_id",   "type",           "severity",  "status",
	"title",       "message",  "user_id",        "policy_id", "created_at",
	"resolved_at", "metadata", "metadata's key", "unheard_of"
};

/* As they stand between quotes in JSON. MANY pieces where it says so. */
static const struct nasty {
	const char *text;
	size_t times;
} nasties[] = {
	{ "", 1 },
	{ "x", 1000000 },
	{ "<&>", 330000 },
	{ "\\u0001", 160000 },
	{ "a\\r\\nBcc: evil@example.com\\r\\n\\r\\n.\\r\\n", 1 },
	{ "\\r", 1 },
	{ "\\n", 300 },
	{ "\\u0000", 1 },
	{ "a\\u0000b", 1 },
	{ "\\ud800", 1 },
	{ "a\\udc00\\ud83d b", 1 },
	{ "\xff\xfe\xc3", 1 },
	{ "\xe2\x80\xae\xe2\x81\xa6gpj.exe\xe2\x80\x8f", 1 },
	{ "👩‍👩‍👧", 3000 },
	{ "x👩‍👩‍👧", 3000 },
	{ "👍🏽", 3000 },
	{ "🇩🇪", 3000 },
	{ "e\xcc\x81", 3000 },
	{ "<!channel>", 1 },
	{ "<!channel><@U1><#C1><https://evil.example|click>", 100 },
	{ "@everyone @here", 1 },
	{ "</script><script>alert(1)</script>", 1 },
	{ "' onmouseover='x' \\\" onclick=\\\"x\\\" <b", 1 },
	{ "\\\"}", 1 },
	{ "\\\\", 1 },
	{ "\\\\\\\"},{", 500 },
	{ "{{", 1 },
	{ "{{{raw}}}{{/alerts}}{{#alerts}}{{=<% %>=}}", 1 },
	{ ".", 1 },
	{ "a\\n.\\nb", 1 },
	{ "=?utf-8?q?=0d=0a?=", 1 },
	{ "%0d%0a&amp;lt;", 1 },
	{ "&lt;", 3000 },
};

static void add_field(struct buf *out, const char *name, const char *usual, const char *field,
		      const char *nasty)
{
	bool is_it = strcmp(field, name) == 0;

	buf_addf(out, "%s\"%s\":\"", out->len > 1 ? "," : "", name);
	buf_adds(out, is_it ? nasty : usual);
	buf_addc(out, '"');
}

/* A usual alert but for one field. */
static void add_alert(struct buf *out, const char *field, const char *nasty)
{
	bool is_key = strcmp(field, "metadata's key") == 0;

	buf_addc(out, '{');
	add_field(out, "id", "al1", field, nasty);
	add_field(out, "org_id", "og1", field, nasty);
	add_field(out, "type", "policy_violation", field, nasty);
	add_field(out, "severity", "high", field, nasty);
	add_field(out, "status", "open", field, nasty);
	add_field(out, "title", "A title", field, nasty);
	add_field(out, "message", "A message.", field, nasty);
	add_field(out, "user_id", "us1", field, nasty);
	add_field(out, "policy_id", "po1", field, nasty);
	add_field(out, "created_at", "2026-11-24T03:45:56Z", field, nasty);
	add_field(out, "resolved_at", "2026-11-24T03:45:56Z", field, nasty);
	add_field(out, "unheard_of", "x", field, nasty);
	buf_adds(out, ",\"metadata\":{\"");
	buf_adds(out, is_key ? nasty : "model");
	buf_adds(out, "\":\"");
	buf_adds(out, strcmp(field, "metadata") == 0 ? nasty : "gpt-4");
	buf_adds(out, "\"}}");
	assert_false(out->overflow);
}

/* ---- strict readers ---------------------------------------------------------------------- */

struct reading {
	const char *what; /* for a failure */
	const struct message *message;
	const char *text;
	size_t len;
};

#define REFUSE(r, at, why) fail_msg("%s: %s: %.80s", (r)->what, why, at)

static struct json *parse(const struct reading *r)
{
	struct err err;
	struct json *j = json_parse(r->text, r->len, &err);

	if (j == NULL)
		fail_msg("%s: %s: %.200s", r->what, err.text, r->text);
	return j;
}

static void read_json(const struct reading *r)
{
	const struct alert *alert = r->message->alerts[0].alert;
	struct json *j = parse(r);
	struct json_span bytes =
		json_bytes(j, json_get(json_get(json_root(j), "data"), "alert"));

	assert_int_equal(bytes.len, alert->bytes_len);
	assert_memory_equal(bytes.at, alert->bytes, bytes.len);
	json_free(&j);
}

/* A < begins a date or a link of ours, or nothing does; nor does a name become a mention. */
static void read_slack_text(const struct reading *r, const char *s, size_t len)
{
	static const char *const ours[] = { "<!date^", "<https://app.example.com/a/" };
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		bool is_ours = strncmp(s + i, ours[0], strlen(ours[0])) == 0 ||
			       strncmp(s + i, ours[1], strlen(ours[1])) == 0;

		if ((s[i] == '<' && (inside || !is_ours)))
			REFUSE(r, s + i, "markup of the alert's");
		if (s[i] == '>' && !inside && strncmp(s, ">>> ", 4) != 0)
			REFUSE(r, s + i, "a bare >");
		if (s[i] == '<' || s[i] == '>')
			inside = s[i] == '<';
		if (s[i] == '&' && strncmp(s + i, "&amp;", 5) != 0 &&
		    strncmp(s + i, "&lt;", 4) != 0 && strncmp(s + i, "&gt;", 4) != 0)
			REFUSE(r, s + i, "a bare &");
	}
}

static void read_slack_value(const struct reading *r, const struct json_value *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	if (json_key(v) != NULL &&
	    (strcmp(json_key(v), "link_names") == 0 || strcmp(json_key(v), "parse") == 0))
		REFUSE(r, json_key(v), "names become mentions");
	if (json_kind(v) == JSON_STRING)
		read_slack_text(r, text, len);
	if (json_kind(v) != JSON_ARRAY && json_kind(v) != JSON_OBJECT)
		return;
	for (const struct json_value *m = json_first(v); m != NULL; m = json_next(m))
		read_slack_value(r, m);
}

static void read_slack(const struct reading *r)
{
	struct json *j = parse(r);

	read_slack_value(r, json_root(j));
	json_free(&j);
}

/* A tag as the template may have it: a name and attributes in quotes. Returns what follows. */
static const char *read_tag(const struct reading *r, const char *at)
{
	static const char *const names[] = {
		"!DOCTYPE html", "html", "head",  "meta", "title", "style",
		"body",          "p",    "b",     "i",    "br",    "span",
		"div",           "a",    "table", "tr",   "td"
	};
	static const char *const attributes[] = {
		"lang", "charset", "name",  "content", "style",  "href",        "class",
		"role", "dir",     "align", "width",   "border", "cellpadding", "cellspacing"
	};
	const char *c = at + 1 + (at[1] == '/' ? 1 : 0);
	size_t i = 0;

	for (; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(c, names[i], n) == 0 && (c[n] == '>' || c[n] == ' '))
			break;
	}
	if (i == ARRAY_LEN(names))
		REFUSE(r, at, "no tag of the template's");
	for (c += strlen(names[i]); *c == ' ';) {
		size_t k = 0, n = strcspn(++c, "=");

		while (k < ARRAY_LEN(attributes) &&
		       (strlen(attributes[k]) != n || strncmp(c, attributes[k], n) != 0))
			k++;
		if (k == ARRAY_LEN(attributes) || c[n + 1] != '"')
			REFUSE(r, at, "no attribute of the template's");
		c += n + 2;
		c += strcspn(c, "\"<>");
		if (*c++ != '"')
			REFUSE(r, at, "a quote is not closed");
	}
	if (*c != '>')
		REFUSE(r, at, "a tag is not closed");
	return c + 1;
}

static void read_html(const struct reading *r)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	const char *c = r->text, *end = r->text + r->len;

	assert_true(utf8_valid(r->text, r->len));
	while (c < end) {
		size_t i = 0;

		if (*c == '<') {
			c = read_tag(r, c);
			continue;
		}
		if (*c == '>' || *c == '"' || *c == '\'')
			REFUSE(r, c, "not escaped");
		while (*c == '&' && i < ARRAY_LEN(entities) &&
		       strncmp(c, entities[i], strlen(entities[i])) != 0)
			i++;
		if (i == ARRAY_LEN(entities))
			REFUSE(r, c, "a bare &");
		c++;
	}
	assert_non_null(strstr(r->text + (r->len > 20 ? r->len - 20 : 0), "</html>"));
}

static void read_line(const struct reading *r)
{
	for (size_t i = 0; i < r->len; i++)
		if ((unsigned char)r->text[i] < ' ' || r->text[i] == 0x7f)
			REFUSE(r, r->text + i, "a header of two lines");
	assert_in_range(r->len, 1, 4000);
}

static void read_text(const struct reading *r)
{
	assert_true(r->len > 0);
}

/* Whatever the format: UTF-8, and no sign that is seen as one was cut into. */
static void read_any(const struct reading *r)
{
	static const char *const halves[] = { "\xe2\x80\x8d…", "👩…", "👍…", "e…" };

	if (!utf8_valid(r->text, r->len))
		REFUSE(r, r->text, "not UTF-8");
	for (size_t i = 0; i < ARRAY_LEN(halves); i++)
		if (memmem(r->text, r->len, halves[i], strlen(halves[i])) != NULL)
			REFUSE(r, halves[i], "half a sign before the …");
}

static const struct format {
	const char *suffix;
	void (*read)(const struct reading *r);
} formats[] = {
	{ ".slack.json", read_slack }, { ".reply.slack.json", read_slack },
	{ ".json", read_json },        { ".html", read_html },
	{ ".subject.txt", read_line }, { ".txt", read_text },
};

static void read_part(const struct reading *r, const struct sink_part *spec)
{
	size_t i = 0;

	while (i < ARRAY_LEN(formats) && strcmp(formats[i].suffix, spec->suffix) != 0)
		i++;
	if (i == ARRAY_LEN(formats))
		fail_msg("no strict reader for %s: add one", spec->suffix);
	read_any(r);
	formats[i].read(r);
}

/* ---- a delivery -------------------------------------------------------------------------- */

/* The request as it would leave: nothing of the alert breaks a line of a header. */
static void read_request(const struct reading *r, const struct request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		for (const char *c = request->headers[i]; *c != '\0'; c++)
			if ((*c == '\r' || *c == '\n') &&
			    !(c[0] == '\r' && c[1] == '\n' && c[2] == ' ') &&
			    !(c[0] == '\n' && c[-1] == '\r' && c[1] == ' '))
				REFUSE(r, request->headers[i], "a header's line is broken");
}

/* What a vendor does not take is filled again with short texts, so a preset may fall back; what
 * leaves is well formed all the same. What is markup to a vendor chats_test knows. */
static void deliver_preset(const struct setup *setup, size_t i, struct envelope *e,
			   const char *what)
{
	const struct sink_settings *sink = &setup->settings->sinks[i];
	const struct preset_request *r = preset_choose(sink->preset, &e->message);
	struct request request;
	struct err err;

	if (r == NULL)
		return; /* nothing is sent for this event */
	if (!envelope_seal(e, sink, setup->parts[i], &request, &err))
		fail_msg("%s: %s: %s", sink->preset->name, what, err.text);
	const struct reading reading = { .what = what,
					 .message = &e->message,
					 .text = request.body.data,
					 .len = request.body.len };

	read_any(&reading);
	if (strstr(r->file, ".json") != NULL && !json_check(reading.text, reading.len, &err))
		fail_msg("%s: %s: %s in %.300s", sink->preset->name, what, err.text,
			 reading.text);
	for (const char *c = request.url; *c != '\0'; c++)
		if (*c <= ' ' || *c == 0x7f)
			REFUSE(&reading, request.url, "no URL");
	read_request(&reading, &request);
	request_release(&request);
}

static void deliver(const struct setup *setup, size_t i, struct envelope *e, const char *what)
{
	const struct sink_settings *sink = &setup->settings->sinks[i];
	struct request request;
	struct err err;

	if (!parts_render(setup->parts[i], &e->message, &err))
		fail_msg("%s: %s", what, err.text);
	if (parts_failed(setup->parts[i]) != 0)
		fail_msg("%s: a template fell back", what);
	for (size_t k = 0; k < sink->type->part_count; k++)
		read_part(&(struct reading){ .what = what,
					     .message = &e->message,
					     .text = e->message.parts[k].text,
					     .len = e->message.parts[k].len },
			  &sink->type->parts[k]);
	if (!envelope_seal(e, sink, setup->parts[i], &request, &err))
		fail_msg("%s: %s", what, err.text);
	read_request(&(struct reading){ .what = what }, &request);
	request_release(&request);
}

static void deliver_all(const struct setup *setup, const char *bytes, size_t len,
			const char *what)
{
	const struct envelope_names names = { .source = "acme",
					      .route = "rest",
					      .kind = EVENT_OPENED,
					      .episode = 1,
					      .seq = 1,
					      .at = samples_moment() };

	for (size_t i = 0; i < setup->settings->sink_count; i++) {
		struct envelope e;
		struct err err;

		/* What is no alert is set aside, with its reason, before any template. */
		if (!envelope_fill(&e, &setup->settings->sinks[i], &names, bytes, len, &err)) {
			assert_string_not_equal(err.text, "");
			continue;
		}
		e.message.now = samples_moment();
		envelope_add_link(&e, setup->links[0]);
		if (setup->settings->sinks[i].preset != NULL)
			deliver_preset(setup, i, &e, what);
		else
			deliver(setup, i, &e, what);
		envelope_release(&e);
	}
}

/* ---- the tests --------------------------------------------------------------------------- */

static char *conf_path;

/* A preset's sink, with all that it requires. */
static void add_preset(struct buf *out, const char *name)
{
	struct conf_problems problems = { .list = NULL };
	char *path = mem_printf("templates/presets/%s.preset", name);
	struct preset *p;
	struct buf bytes;
	struct err err;

	buf_init(&bytes, 1 << 20);
	if (!file_read(path, &bytes, &err))
		fail_msg("%s", err.text);
	p = preset_read(name, path, bytes.data, bytes.len, &problems);
	if (p == NULL)
		fail_msg("%s: %s", path, problems.list[0].message);
	buf_addf(out, ",\n{ name = \"%s\"; type = \"webhook\"; preset = \"%s\"; %s vars = { ",
		 name, name,
		 p->base_url == NULL ? "url = \"https://hooks.example.com/p\";"
		 : p->own_host       ? "base_url = \"https://p.example.com\";"
				     : "");
	for (size_t i = 0; i < p->var_count; i++)
		if (p->vars[i].required)
			buf_addf(out, "%s = \"x1\"; ", p->vars[i].name);
	buf_adds(out, "}; }");
	preset_free(&p);
	conf_problems_release(&problems);
	buf_release(&bytes);
	mem_free(&path);
}

static char *whole_conf(void)
{
	struct file_names names = { .list = NULL };
	struct buf sinks;

	buf_init(&sinks, 1 << 20);
	file_add_names(&names, "templates/presets", ".preset");
	for (size_t i = 0; i < names.count; i++)
		add_preset(&sinks, names.list[i]);
	char *text = mem_printf(conf, sinks.data);

	file_release_names(&names);
	buf_release(&sinks);
	return text;
}

static int make_conf(void **state)
{
	struct conf_problems problems = { .list = NULL };
	char *path = mem_printf("/tmp/tocsin-bad-input-%d.conf", (int)getpid());
	FILE *f = fopen(path, "w");
	char *text = whole_conf();

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
	*state = setup_load(path, &problems);
	if (*state == NULL)
		fail_msg("%s", problems.list[0].message);
	conf_problems_release(&problems);
	mem_free(&text);
	conf_path = path;
	return 0;
}

static int remove_conf(void **state)
{
	struct setup *setup = *state;

	setup_free(&setup);
	assert_int_equal(remove(conf_path), 0);
	mem_free(&conf_path);
	return 0;
}

static void no_text_of_an_alert_breaks_what_is_sent(void **state)
{
	struct buf nasty, bytes;
	char what[100];

	buf_init(&nasty, 1 << 20);
	buf_init(&bytes, 1 << 20);
	for (size_t n = 0; n < ARRAY_LEN(nasties); n++) {
		buf_clear(&nasty);
		for (size_t i = 0; i < nasties[n].times; i++)
			buf_adds(&nasty, nasties[n].text);
		assert_false(nasty.overflow);
		for (size_t f = 0; f < ARRAY_LEN(fields); f++) {
			buf_clear(&bytes);
			add_alert(&bytes, fields[f], nasty.data);
			snprintf(what, sizeof(what), "%s with %zu × %s", fields[f],
				 nasties[n].times, nasties[n].text);
			deliver_all(*state, bytes.data, bytes.len, what);
		}
	}
	buf_release(&nasty);
	buf_release(&bytes);
}

/* Else a template would be shipped that the test above has never seen. */
static bool is_read(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->sink_count; i++) {
		for (size_t k = 0; k < s->sinks[i].type->part_count; k++) {
			char *file = mem_printf("%s%s", s->sinks[i].type->template,
						s->sinks[i].type->parts[k].suffix);
			bool is_it = strcmp(file, name) == 0;

			mem_free(&file);
			if (is_it)
				return true;
		}
	}
	return false;
}

static void every_shipped_template_is_among_them(void **state)
{
	const struct setup *setup = *state;
	struct file_names names = { .list = NULL };

	file_add_names(&names, "templates", ".mustache");
	assert_true(names.count >= 5);
	for (size_t i = 0; i < names.count; i++)
		if (!is_read(setup->settings, names.list[i]))
			fail_msg("templates/%s is no part of a sink above", names.list[i]);
	file_release_names(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_text_of_an_alert_breaks_what_is_sent),
		cmocka_unit_test(every_shipped_template_is_among_them),
	};

	return cmocka_run_group_tests(tests, make_conf, remove_conf);
}
