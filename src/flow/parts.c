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
#include "base/num.h"
#include "flow/plain.h"

#define ENDING ".mustache"

#define DIGITS "0123456789"

enum {
	TEMPLATE_BYTES_MAX = 256 << 10,
	NAMES_MAX = 256, /* templates of a folder, for a hint */
	PLACE_MAX = ERR_TEXT_MAX,
	LINE_DIGITS = 7,
};

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

/* Of sorted names: the nearest to a word, or the first that is it and a suffix; NULL: none. */
static const char *nearest(const char *word, const struct file_names *names)
{
	size_t len = strlen(word), count = 0;
	const char *list[NAMES_MAX + 1];

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->list[i];

		if (strncmp(name, word, len) == 0 && name[len] == '.')
			return name;
		if (count < NAMES_MAX)
			list[count++] = name;
	}
	list[count] = NULL;
	return num_nearest(word, list);
}

/* `; did you mean "webhook.json"?`, or nothing; the caller frees it. */
static char *hint_of(const struct settings *settings, const char *name)
{
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	size_t len = strlen(base), ending = strlen(ENDING);
	bool is_file = len > ending && strcmp(base + len - ending, ENDING) == 0;
	char *word = mem_dup(base, is_file ? len - ending : len);
	struct file_names names = { .list = NULL };
	char *dir = file_dir(settings->file);

	file_add_names(&names, dir, ENDING);
	file_add_names(&names, settings->templates, ENDING);
	const char *near = nearest(word, &names);
	char *hint = near != NULL ? mem_printf("; did you mean \"%s\"?", near) : mem_strdup("");

	file_release_names(&names);
	mem_free(&dir);
	mem_free(&word);
	return hint;
}

char *parts_find(const struct settings *settings, const char *name, char **path, size_t *len,
		 struct err *err)
{
	char *file = mem_printf("%s%s", name, ENDING);

	*path = file_exists(name) ? mem_strdup(name) : find_path(settings, name);
	if (*path == NULL)
		*path = find_path(settings, file);
	mem_free(&file);
	if (*path == NULL) {
		char *hint = hint_of(settings, name);

		err_set(err, "no template \"%s\", neither beside the configuration nor in %s%s",
			name, settings->templates, hint);
		mem_free(&hint);
		return NULL;
	}
	char *text = read_template(*path, len, err);

	if (text == NULL)
		mem_free(path);
	return text;
}

/* As hint_of(), of presets. */
static char *preset_hint(const struct settings *settings, const char *name)
{
	struct file_names names = { .list = NULL };
	char *dir = file_dir(settings->file);
	char *own = file_join(dir, "presets"),
	     *shipped = file_join(settings->templates, "presets");

	file_add_names(&names, dir, ".preset");
	file_add_names(&names, own, ".preset");
	file_add_names(&names, shipped, ".preset");
	const char *near = nearest(name, &names);
	char *hint = near != NULL ? mem_printf("; did you mean \"%s\"?", near) : mem_strdup("");

	file_release_names(&names);
	mem_free(&shipped);
	mem_free(&own);
	mem_free(&dir);
	return hint;
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
		char *hint = preset_hint(settings, name);

		err_set(err,
			"no preset \"%s\", neither beside the configuration nor in "
			"%s/presets (`tocsin presets` lists them)%s",
			name, settings->templates, hint);
		mem_free(&hint);
		return NULL;
	}
	char *text = read_template(*path, len, err);

	if (text == NULL)
		mem_free(path);
	return text;
}

/* ---- compiling ---- */

/* A partial `{{> head}}` of /dir/x.json.mustache is /dir/head.json.mustache, else /dir/head. */
static char *load_partial(void *arg, const char *name, char **found, int *line, size_t *len)
{
	const char *of = arg;
	const char *base = strrchr(of, '/') != NULL ? strrchr(of, '/') + 1 : of;
	const char *suffix = strchr(base, '.') != NULL ? strchr(base, '.') : "";
	char *dir = file_dir(of), *file = mem_printf("%s%s", name, suffix);
	char *path = file_join(dir, file), *text = NULL;
	struct err err;

	(void)line;
	if (strchr(name, '/') == NULL && file_exists(path))
		text = read_template(path, len, &err);
	if (text != NULL)
		*found = path;
	else
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

/* What err says begins with it: " …:3:14: why" is that file's line 3. */
static const char *split_place(const char *text, char file[PLACE_MAX], int *line)
{
	for (const char *at = strchr(text, ':'); at != NULL; at = strchr(at + 1, ':')) {
		size_t n = strspn(at + 1, DIGITS);
		size_t len = (size_t)(at - text);
		const char *after = at + 1 + n;

		if (n == 0 || n > LINE_DIGITS || *after != ':' || len >= PLACE_MAX ||
		    strspn(after + 1, DIGITS) == 0)
			continue;
		memcpy(file, text, len);
		file[len] = '\0';
		*line = 0;
		for (const char *c = at + 1; c < after; c++)
			*line = *line * 10 + (*c - '0');
		return after + 1;
	}
	return NULL;
}

void parts_problem(struct conf_problems *problems, const char *path, const char *of,
		   const char *why)
{
	char file[PLACE_MAX], *message;
	int line = 0;
	const char *rest = split_place(why, file, &line);

	if (rest != NULL) {
		int column = (int)strspn(rest, DIGITS);

		message = mem_printf("column %.*s: %s%s", column, rest, of,
				     rest + column + strspn(rest + column, ": "));
	} else {
		size_t len = strlen(path);

		snprintf(file, sizeof(file), "%s", path);
		if (strncmp(why, path, len) == 0)
			why += len + strspn(why + len, ": ");
		message = mem_printf("%s%s", of, why);
	}
	parts_say(problems, CONF_ERROR, file, line, message);
	mem_free(&message);
}

/* Two sinks may share a template; the same is said once. */
void parts_say(struct conf_problems *problems, enum conf_level level, const char *file,
	       int line, const char *text)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct conf_problem *p = &problems->list[i];

		if (p->line == line && strcmp(p->file, file) == 0 &&
		    strcmp(p->message, text) == 0)
			return;
	}
	conf_problem(problems, level, file, line, "%s", text);
}

static void say_none(const struct settings *settings, const struct sink_settings *sink,
		     const char *file, struct conf_problems *problems)
{
	char *hint = hint_of(settings, file);

	conf_problem(problems, CONF_ERROR, sink->file, sink->line,
		     "sink \"%s\": no template %s, neither beside the configuration nor in "
		     "%s%s%s",
		     sink->name, file, settings->templates, hint,
		     hint[0] == '\0' ? ": set `templates` to the folder that holds it" : "");
	mem_free(&hint);
}

/* True unless the operator has to mend something. */
static bool compile_own(const struct settings *settings, const struct sink_settings *sink,
			struct part *part, struct conf_problems *problems)
{
	const char *base = sink->template != NULL ? sink->template : sink->type->template;
	char *file = mem_printf("%s%s%s", base, part->spec->suffix, ENDING);
	char *path = find_path(settings, file), *text = NULL;
	struct err err = { "" };
	size_t len = 0;

	if (path == NULL && !part->spec->optional)
		say_none(settings, sink, file, problems);
	if (path != NULL) {
		text = read_template(path, &len, &err);
		if (text != NULL)
			part->own = parts_compile(path, text, len, &err);
		if (part->own == NULL)
			parts_problem(problems, path, "", err.text);
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
			parts_problem(problems, sink->template, "", err.text);
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
	bool ok = false;

	if (part->plain != NULL)
		return render_one(part, part->plain, message, err);
	for (int form = PLAIN_WITH_MESSAGE; !ok && form <= PLAIN_BARE; form++) {
		struct plain plain;

		ok = plain_fill(&plain, (enum plain_form)form, message, err) &&
		     render_one(part, part->tmpl, &plain.message, err);
		plain_release(&plain);
	}
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
