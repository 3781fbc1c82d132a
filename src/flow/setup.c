/* setup: everything that must hold before a daemon starts, found in one run. */
#include "flow/setup.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"

enum { CONF_BYTES_MAX = 1 << 20 };

static void check_store(const struct settings *settings, struct conf_problems *problems)
{
	char *dir = file_dir(settings->store);

	if (file_is_dir(settings->store))
		conf_problem(problems, CONF_ERROR, settings->file, settings->store_line,
			     "store: %s is a folder: name a file in it", settings->store);
	else if (!file_is_dir(dir))
		conf_problem(
			problems, CONF_ERROR, settings->file, settings->store_line,
			"store: there is no folder %s: make it, or set `store` to a file in "
			"another one",
			dir);
	else if (!file_dir_writable(dir))
		conf_problem(
			problems, CONF_ERROR, settings->file, settings->store_line,
			"store: the folder %s can't be written by this user: change its owner, "
			"or set `store` to a file in another one",
			dir);
	mem_free(&dir);
}

/* Every template of every sink; without the shipped folder that is one mistake, not many. */
static void check_templates(const struct settings *settings, struct conf_problems *problems)
{
	bool has_folder = file_is_dir(settings->templates);
	struct conf_problems unfound = { .list = NULL };

	for (size_t i = 0; i < settings->sink_count; i++) {
		const struct sink_settings *sink = &settings->sinks[i];

		if (sink->name == NULL || sink->type == NULL ||
		    (has_folder && !sink->is_whole)) /* its preset may not have been read */
			continue;
		struct parts *parts =
			parts_new(settings, sink, has_folder ? problems : &unfound);

		parts_free(&parts);
	}
	if (unfound.error_count > 0)
		conf_problem(
			problems, CONF_ERROR, settings->file, settings->templates_line,
			"templates: there is no folder %s: set `templates` to the one that "
			"came with tocsin",
			settings->templates);
	conf_problems_release(&unfound);
}

/* What only the disk can tell, asked of all that could be read. */
static void check_disk(const struct settings *settings, struct conf_problems *problems)
{
	if (settings->store != NULL)
		check_store(settings, problems);
	if (settings->templates != NULL)
		check_templates(settings, problems);
}

struct settings_context setup_context(const char *path)
{
	return (struct settings_context){ .file = path,
					  .types = sink_types,
					  .resolve = secret_resolve,
					  .preset = parts_find_preset,
					  .more = check_disk };
}

static struct settings *read_settings(const char *path, struct conf_problems *problems)
{
	struct settings_context ctx = setup_context(path);
	struct settings *settings = NULL;
	struct buf text;
	struct err err;

	buf_init(&text, CONF_BYTES_MAX);
	if (file_read(path, &text, &err))
		settings = settings_read(text.data, text.len, &ctx, problems);
	else
		conf_problem(problems, CONF_ERROR, path, 0, "%s", err.text);
	buf_release(&text);
	return settings;
}

/* A link is a template too; its values are URL-encoded. NULL where none is set. */
static bool compile_link(const struct settings *settings, size_t i, struct tmpl **link,
			 struct conf_problems *problems)
{
	const struct source_settings *source = &settings->sources[i];
	const char *text = source->link != NULL ? source->link : settings->link;
	struct err err;

	*link = NULL;
	if (text == NULL)
		return true;
	*link = tmpl_new("link.url.mustache", text, strlen(text), NULL, &err);
	if (*link == NULL)
		conf_problem(problems, CONF_ERROR, settings->file, source->line, "%s",
			     err.text);
	return *link != NULL;
}

struct setup *setup_load(const char *path, struct conf_problems *problems)
{
	struct settings *settings = read_settings(path, problems);

	if (settings == NULL)
		return NULL;
	struct setup *s = mem_new(sizeof(*s));
	bool ok = true;

	s->holds = 1;
	s->settings = settings;
	s->parts = mem_array(settings->sink_count, sizeof(struct parts *));
	s->logins = mem_array(settings->sink_count, sizeof(struct login *));
	s->links = mem_array(settings->source_count, sizeof(struct tmpl *));
	for (size_t i = 0; i < settings->sink_count; i++) {
		s->parts[i] = parts_new(settings, &settings->sinks[i], problems);
		s->logins[i] = login_new(&settings->sinks[i]);
		ok &= s->parts[i] != NULL;
	}
	for (size_t i = 0; i < settings->source_count; i++)
		ok &= compile_link(settings, i, &s->links[i], problems);
	if (!ok || problems->error_count > 0)
		setup_free(&s);
	return s;
}

struct setup *setup_hold(struct setup *s)
{
	s->holds++;
	return s;
}

static void destroy(struct setup *s)
{
	for (size_t i = 0; i < s->settings->sink_count; i++) {
		parts_free(&s->parts[i]);
		login_free(&s->logins[i]);
	}
	mem_free(&s->logins);
	for (size_t i = 0; i < s->settings->source_count; i++)
		tmpl_free(&s->links[i]);
	mem_free(&s->parts);
	mem_free(&s->links);
	settings_free(&s->settings);
	mem_free(&s);
}

void setup_free(struct setup **s)
{
	if (*s != NULL && --(*s)->holds == 0)
		destroy(*s);
	*s = NULL;
}
