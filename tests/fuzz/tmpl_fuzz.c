/*
 * Templates: the letter of an escape, a template, what {{> p}} is, and the data.
 *
 * {{> r}} is the template itself. What can be checked of any rendering is: it keeps its bound,
 * and where the name says JSON it is JSON.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/json.h"
#include "model/sink.h"
#include "model/tmpl.h"

enum { OUTPUT_MAX = 64 << 10 };

struct source {
	struct fuzz_input whole, partial;
};

static const char *name_of(unsigned letter)
{
	switch (letter) {
	case 'j': return "x.json.mustache";
	case 's': return "x.slack.json.mustache";
	case 't': return "x.txt.mustache";
	case 'f': return "x.form.mustache";
	case 'u': return "x.url.mustache";
	default: return "x.html.mustache";
	}
}

static char *load(void *arg, const char *name, char **file, int *line, size_t *len)
{
	const struct source *s = arg;
	struct fuzz_input text = *name == 'r' ? s->whole : s->partial;

	*file = mem_printf("folder/%s", name);
	*line = 7;
	*len = text.len;
	return *name == 'p' || *name == 'r' ? mem_dup(text.at, text.len) : NULL;
}

static void on_missing(void *arg, const char *template_name, int line, const char *name)
{
	*(size_t *)arg += strlen(template_name) + strlen(name) + (size_t)line;
}

static void on_use(void *arg, const struct tmpl_use *use)
{
	on_missing(arg, use->file, use->line, use->name);
}

static void render(const struct tmpl *t, const struct value *root, bool is_json)
{
	size_t seen = 0;
	struct tmpl_report report = { .missing = on_missing, .arg = &seen };
	struct err err = { "" };
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (tmpl_render(t, root, &out, &report, &err)) {
		if (out.overflow || (is_json && !json_check(out.data, out.len, NULL)))
			BUG("it was said to be well");
	} else if (err.text[0] == '\0') {
		BUG("it failed without a word");
	}
	buf_release(&out);
}

static void render_data(const struct tmpl *t, struct fuzz_input data, bool is_json)
{
	struct json *doc = json_parse(data.at, data.len, NULL);
	struct value root;

	if (doc == NULL)
		return;
	value_of_json(doc, json_root(doc), &root);
	render(t, &root, is_json);
	json_free(&doc);
}

/* As one event, and as a digest of two. */
static void render_alert(const struct tmpl *t, struct fuzz_input data, bool is_json)
{
	struct alert alert;
	struct value root;

	if (!alert_read(&alert, data.at, data.len, NULL))
		return;
	const struct facts facts[2] = {
		{ .alert = &alert, .event = EVENT_OPENED, .source = "a", .at = 1795491956000 },
		{ .alert = &alert, .event = EVENT_RESOLVED, .source = "b", .first = true },
	};

	for (size_t count = 1; count <= 2; count++) {
		const struct message m = { .alerts = facts, .count = count, .sink = "s" };

		value_of_message(&m, &root);
		render(t, &root, is_json);
	}
	alert_release(&alert);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input rest = { (const char *)bytes, len };
	const char *name = name_of(fuzz_byte(&rest));
	struct source source = { .whole = fuzz_field(&rest), .partial = fuzz_field(&rest) };
	const struct tmpl_partials partials = { .load = load, .arg = &source };
	struct err err = { "" };
	struct tmpl *t = tmpl_new(name, source.whole.at, source.whole.len, &partials, &err);
	bool is_json = strstr(name, ".json") != NULL;
	size_t seen = 0;

	if (t == NULL) {
		if (strchr(err.text, ':') == NULL)
			BUG("a mistake without its place: %s", err.text);
		return 0;
	}
	tmpl_each_use(t, &(struct tmpl_uses){ .each = on_use, .arg = &seen });
	render_data(t, rest, is_json);
	render_alert(t, rest, is_json);
	tmpl_free(&t);
	return 0;
}
