/* glance: see the header. */
#include "cli/glance.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "model/settings.h"

enum { CONF_BYTES_MAX = 1 << 20, KEY_COUNT = 2 };

/* The row of a top-level key, with its default, made to fill a struct glance. */
static struct conf_key row_of(const char *name, size_t offset)
{
	for (const struct conf_key *k = settings_tables[0].keys; k->name != NULL; k++) {
		if (strcmp(k->name, name) == 0) {
			struct conf_key row = *k;

			row.offset = offset;
			return row;
		}
	}
	BUG("the configuration has no key %s", name);
}

static struct conf *read_file(const char *file, struct conf_problems *problems)
{
	struct conf *conf = NULL;
	struct buf text;
	struct err err;

	buf_init(&text, CONF_BYTES_MAX);
	if (file_read(file, &text, &err))
		conf = conf_parse(text.data, text.len, file, problems);
	else
		conf_problem(problems, CONF_ERROR, file, 0, "%s", err.text);
	buf_release(&text);
	return conf;
}

bool glance_read(struct glance *g, const char *file, struct conf_problems *problems)
{
	const struct conf_reader reader = { .file = file,
					    .resolve = secret_resolve,
					    .problems = problems };
	const struct conf_key keys[KEY_COUNT + 1] = {
		row_of("store", offsetof(struct glance, store)),
		row_of("templates", offsetof(struct glance, templates)),
		{ .name = NULL },
	};
	size_t errors = problems->error_count;

	*g = (struct glance){ .conf = read_file(file, problems) };
	conf_fill(&reader, g->conf != NULL ? conf_root(g->conf) : NULL, "", keys, g);
	return problems->error_count == errors;
}

void glance_release(struct glance *g)
{
	mem_free(&g->store);
	mem_free(&g->templates);
	conf_free(&g->conf);
}

const struct conf_node *glance_find(const struct glance *g, const char *list, const char *name)
{
	const struct conf_node *groups =
		g->conf != NULL ? conf_get(conf_root(g->conf), list) : NULL;

	for (size_t i = 0; i < conf_count(groups); i++) {
		const struct conf_node *group = conf_at(groups, i);
		const char *found = conf_string(conf_get(group, "name"));

		if (found != NULL && name != NULL && strcmp(found, name) == 0)
			return group;
	}
	return NULL;
}
