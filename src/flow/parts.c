/*
 * parts: where templates are found, and what happens when one fails.
 *
 * A template is the operator's code, and it fails at night: a field that grew past a limit, a
 * JSON template that meets a value nobody thought of. Then the part is rendered by the text
 * that is compiled into the sink type, the log says so once per part, and the alert goes out.
 */
#include "flow/parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/esc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/plain.h"

enum { TEMPLATE_BYTES_MAX = 256 << 10 };

struct part {
	const struct sink_part *spec;
	const struct tmpl *tmpl; /* what is rendered: own, or a preset's; NULL: left out */
	struct tmpl *own;        /* of a file */
	struct tmpl *plain;      /* NULL: a preset's, which is rendered with less in it */
	struct buf text;
	bool said;
};

struct parts {
	const char *sink;            /* borrowed from the settings */
	const struct preset *preset; /* likewise; NULL: none, and all parts are sent */
	struct part *list; /* the type's parts, or the body of each request of the preset */
	size_t count;
	int64_t failed;
};

/* What the body of a preset's request is to the sink that sends it. */
static const struct sink_part preset_body = { .name = "body",
					      .suffix = "",
					      .max_len = REQUEST_BODY_MAX };

/* ---- finding ---- */

static char *read_template(const char *path, size_t *len, struct err *err)
{
	struct buf text;

	buf_init(&text, TEMPLATE_BYTES_MAX);
	if (!file_read(path, &text, err)) {
		buf_release(&text);
		return NULL;
	}
	return buf_take(&text, len);
}

/* The first of: beside the configuration, in `templates`; NULL when in neither. */
static char *find_path(const struct settings *settings, const char *file)
{
	char *dir = file_dir(settings->file);
	char *path = file_join(dir, file);

	mem_free(&dir);
	if (file_exists(path))
		return path;
	mem_free(&path);
	path = file_join(settings->templates, file);
	if (file_exists(path))
		return path;
	mem_free(&path);
	return NULL;
}

char *parts_find(const struct settings *settings, const char *name, char **path, size_t *len,
		 struct err *err)
{
	char *file = mem_printf("%s.mustache", name);

	*path = file_exists(name) ? mem_strdup(name) : find_path(settings, name);
	if (*path == NULL)
		*path = find_path(settings, file);
	mem_free(&file);
	if (*path == NULL) {
		err_set(err, "no template \"%s\", neither beside the configuration nor in %s",
			name, settings->templates);
		return NULL;
	}
	char *text = read_template(*path, len, err);

	if (text == NULL)
		mem_free(path);
	return text;
}

char *parts_find_preset(const struct settings *settings, const char *name, char **path,
			size_t *len, struct err *err)
{
	char *file = mem_printf("%s.preset", name);
	char *within = mem_printf("presets/%s.preset", name);

	*path = strchr(name, '/') != NULL && file_exists(name) ? mem_strdup(name)
							       : find_path(settings, file);
	if (*path == NULL)
		*path = find_path(settings, within);
	mem_free(&within);
	mem_free(&file);
	if (*path == NULL) {
		err_set(err,
			"no preset \"%s\", neither beside the configuration nor in "
			"%s/presets: `tocsin presets` lists them",
			name, settings->templates);
		return NULL;
	}
	char *text = read_template(*path, len, err);

	if (text == NULL)
		mem_free(path);
	return text;
}

/* ---- compiling ---- */

/* A partial `{{> head}}` of /dir/x.json.mustache is /dir/head.json.mustache, else /dir/head. */
static char *load_partial(void *arg, const char *name, size_t *len)
{
	const char *of = arg;
	const char *base = strrchr(of, '/') != NULL ? strrchr(of, '/') + 1 : of;
	const char *suffix = strchr(base, '.') != NULL ? strchr(base, '.') : "";
	char *dir = file_dir(of), *file = mem_printf("%s%s", name, suffix);
	char *path = file_join(dir, file), *text = NULL;
	struct err err;

	if (strchr(name, '/') == NULL && file_exists(path))
		text = read_template(path, len, &err);
	mem_free(&path);
	mem_free(&file);
	mem_free(&dir);
	return text;
}

struct tmpl *parts_compile(const char *path, const char *text, size_t len, struct err *err)
{
	struct tmpl_partials partials = { .load = load_partial,
					  .arg = (void *)(uintptr_t)path };

	return tmpl_new(path, text, len, &partials, err);
}

static struct tmpl *compile_plain(const struct sink_type *type, const struct sink_part *spec)
{
	char name[128];
	struct err err;

	snprintf(name, sizeof(name), "plain%s.mustache", spec->suffix);
	struct tmpl *t = tmpl_new(name, spec->plain, strlen(spec->plain), NULL, &err);

	if (t == NULL)
		BUG("the plain text of %s/%s: %s", type->name, spec->name, err.text);
	return t;
}

/* True unless the operator has to mend something. */
static bool compile_own(const struct settings *settings, const struct sink_settings *sink,
			struct part *part, struct conf_problems *problems)
{
	const char *base = sink->template != NULL ? sink->template : sink->type->template;
	char *file = mem_printf("%s%s.mustache", base, part->spec->suffix);
	char *path = find_path(settings, file), *text = NULL;
	struct err err = { "" };
	size_t len = 0;

	if (path == NULL && !part->spec->optional)
		conf_problem(
			problems, CONF_ERROR, sink->file, sink->line,
			"sink \"%s\": no template %s, neither beside the configuration nor in "
			"%s: set `templates` to the folder that holds it",
			sink->name, file, settings->templates);
	if (path != NULL) {
		text = read_template(path, &len, &err);
		if (text != NULL)
			part->own = parts_compile(path, text, len, &err);
		if (part->own == NULL)
			conf_problem(problems, CONF_ERROR, sink->file, sink->line,
				     "sink \"%s\": template %s", sink->name, err.text);
	}
	bool ok = part->own != NULL || (path == NULL && part->spec->optional);

	part->tmpl = part->own;
	mem_free(&text);
	mem_free(&path);
	mem_free(&file);
	return ok;
}

/* `template` of a sink with a preset: BASE.NAME.SUFFIX.mustache for each body that is replaced. */
static bool replace_body(const struct settings *settings, const struct sink_settings *sink,
			 const struct preset_request *r, struct part *part, struct err *err)
{
	char *file = mem_printf("%s.%s.mustache", sink->template, r->file);
	char *path = find_path(settings, file), *text = NULL;
	size_t len = 0;
	bool ok = true;

	if (path != NULL) {
		text = read_template(path, &len, err);
		if (text != NULL)
			part->own = parts_compile(path, text, len, err);
		ok = part->own != NULL;
	}
	mem_free(&text);
	mem_free(&path);
	mem_free(&file);
	return ok;
}

static bool replace_bodies(const struct settings *settings, const struct sink_settings *sink,
			   struct parts *p, struct conf_problems *problems)
{
	const struct preset *preset = sink->preset;
	struct err err = { "" };
	bool found = false;

	for (size_t i = 0; i < p->count; i++) {
		struct part *part = &p->list[i];

		if (!replace_body(settings, sink, &preset->requests[i], part, &err)) {
			conf_problem(problems, CONF_ERROR, sink->file, sink->line,
				     "sink \"%s\": template %s", sink->name, err.text);
			return false;
		}
		if (part->own != NULL)
			part->tmpl = part->own;
		found |= part->own != NULL;
	}
	if (!found)
		conf_problem(problems, CONF_ERROR, sink->file, sink->line,
			     "sink \"%s\": template: no %s.%s.mustache, neither beside the "
			     "configuration nor in %s",
			     sink->name, sink->template, preset->requests[0].file,
			     settings->templates);
	return found;
}

static bool take_bodies(const struct settings *settings, const struct sink_settings *sink,
			struct parts *p, struct conf_problems *problems)
{
	p->preset = sink->preset;
	p->count = p->preset->request_count;
	p->list = mem_array(p->count, sizeof(*p->list));
	for (size_t i = 0; i < p->count; i++) {
		p->list[i].spec = &preset_body;
		p->list[i].tmpl = p->preset->requests[i].body;
		buf_init(&p->list[i].text, (size_t)p->preset->body_max);
	}
	return sink->template == NULL || replace_bodies(settings, sink, p, problems);
}

static bool compile_all(const struct settings *settings, const struct sink_settings *sink,
			struct parts *p, struct conf_problems *problems)
{
	bool ok = true;

	p->list = mem_array(sink->type->part_count, sizeof(*p->list));
	for (size_t i = 0; i < sink->type->part_count; i++) {
		struct part *part = &p->list[p->count++];

		part->spec = &sink->type->parts[i];
		buf_init(&part->text, part->spec->max_len);
		part->plain = compile_plain(sink->type, part->spec);
		ok &= compile_own(settings, sink, part, problems);
	}
	return ok;
}

struct parts *parts_new(const struct settings *settings, const struct sink_settings *sink,
			struct conf_problems *problems)
{
	struct parts *p = mem_new(sizeof(*p));

	p->sink = sink->name;
	if (!(sink->preset != NULL ? take_bodies(settings, sink, p, problems)
				   : compile_all(settings, sink, p, problems)))
		parts_free(&p);
	return p;
}

void parts_free(struct parts **p)
{
	if (*p == NULL)
		return;
	for (size_t i = 0; i < (*p)->count; i++) {
		tmpl_free(&(*p)->list[i].own);
		tmpl_free(&(*p)->list[i].plain);
		buf_release(&(*p)->list[i].text);
	}
	mem_free(&(*p)->list);
	mem_free(p);
}

/* ---- rendering ---- */

/* A header is one line: what breaks one becomes a space. */
static bool flatten(struct buf *text)
{
	struct buf line;

	buf_init(&line, text->max_len);
	while (text->len > 0 &&
	       (text->data[text->len - 1] == '\n' || text->data[text->len - 1] == '\r'))
		buf_truncate(text, text->len - 1);
	bool ok = esc_header(&line, text->data, text->len);

	buf_clear(text);
	ok = ok && buf_add(text, line.data, line.len);
	buf_release(&line);
	return ok;
}

static bool render_one(struct part *part, const struct tmpl *t, const struct message *message,
		       struct err *err)
{
	struct value root;

	value_of_message(message, &root);
	buf_clear(&part->text);
	if (!tmpl_render(t, &root, &part->text, NULL, err))
		return false;
	if (part->spec->header && !flatten(&part->text))
		return err_set(err, "the line is too long");
	return true;
}

static void say_failed(struct parts *p, struct part *part, const struct err *err)
{
	p->failed++;
	if (part->said)
		return;
	part->said = true;
	log_line(LOG_ERROR, LOG_TEMPLATE_FAILED, LOG_S("sink", p->sink),
		 LOG_S("template", tmpl_name(part->tmpl)), LOG_S("reason", err->text),
		 LOG_S("hint", part->plain != NULL
				       ? "the built-in plain text went out instead; mend the "
					 "template and try it with `tocsin render`"
				       : "it was filled with the alert's own short fields "
					 "instead; mend it and try it with `tocsin render`"));
}

/* A preset's body knows what its vendor takes: it is filled again, with short texts alone. */
static bool render_plain(struct part *part, const struct message *message, struct err *err)
{
	struct plain plain;

	if (part->plain != NULL)
		return render_one(part, part->plain, message, err);
	bool ok = plain_fill(&plain, message, err) &&
		  render_one(part, part->tmpl, &plain.message, err);

	plain_release(&plain);
	return ok;
}

static bool render_part(struct parts *p, struct part *part, const struct message *message,
			struct err *err)
{
	if (render_one(part, part->tmpl, message, err))
		return true;
	say_failed(p, part, err);
	return render_plain(part, message, err) ||
	       err_prefix(err, "plain rendering of %s", part->spec->name);
}

static bool render_to(struct parts *p, struct part *part, struct message *message,
		      struct message_part *out, struct err *err)
{
	*out = (struct message_part){ .text = NULL };
	if (part->tmpl == NULL)
		return true;
	if (!render_part(p, part, message, err))
		return false;
	*out = (struct message_part){ .text = part->text.data, .len = part->text.len };
	return true;
}

static bool render_request(struct parts *p, struct message *message, struct err *err)
{
	const struct preset_request *r = preset_choose(p->preset, message);

	if (r == NULL)
		return err_set(err,
			       "no request of the preset %s fits: which events, handles "
			       "and steps do they take?",
			       p->preset->name);
	return render_to(p, &p->list[r - p->preset->requests], message, &message->parts[0],
			 err);
}

bool parts_render(struct parts *p, struct message *message, struct err *err)
{
	if (p->preset != NULL)
		return render_request(p, message, err);
	for (size_t i = 0; i < p->count; i++)
		if (!render_to(p, &p->list[i], message, &message->parts[i], err))
			return false;
	return true;
}

const struct tmpl *parts_template(const struct parts *p, size_t i)
{
	assert(i < p->count);
	return p->list[i].tmpl;
}

int64_t parts_failed(const struct parts *p)
{
	return p->failed;
}
