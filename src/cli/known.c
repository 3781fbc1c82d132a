/* known: see the header. */
#include "cli/known.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

static const struct {
	const char *word, *query;
} kinds[] = {
	[KNOWN_SINKS] = { "sink", "SELECT name FROM v_sinks" },
	[KNOWN_SOURCES] = { "source", "SELECT name FROM v_sources" },
};

/* All names, ended by NULL; owned, as is each. NULL and err on a failure. */
static char **read_names(struct store *store, const char *query, struct err *err)
{
	struct view *v = view_open(store, query, NULL, 0, err);
	char **names = mem_array(1, sizeof(*names));
	size_t count = 0;

	while (v != NULL && view_next(v)) {
		names = mem_resize(names, count + 2, sizeof(*names));
		names[count++] = mem_strdup(view_text(v, "name"));
		names[count] = NULL;
	}
	bool failed = v == NULL || view_failed(v, err);

	view_close(&v);
	if (!failed)
		return names;
	for (size_t i = 0; i < count; i++)
		mem_free(&names[i]);
	mem_free(&names);
	return NULL;
}

static bool look_up(char *const *names, const char *word, const char *name, struct err *err)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	const char *near = num_nearest(name, (const char *const *)names);

	if (near != NULL)
		return err_set(err, "the store knows no %s %s; did you mean \"%s\"?", word,
			       name, near);
	return err_set(err, "the store knows no %s %s", word, name);
}

bool known_name(struct store *store, enum known_kind kind, const char *name, struct err *err)
{
	char **names = read_names(store, kinds[kind].query, err);

	if (names == NULL)
		return false;
	bool is_known = look_up(names, kinds[kind].word, name, err);

	for (size_t i = 0; names[i] != NULL; i++)
		mem_free(&names[i]);
	mem_free(&names);
	return is_known;
}
