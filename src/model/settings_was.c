/*
 * settings_was: the key `was`, by which a group takes over from one of another name.
 *
 * It tells of a name that is gone: one that is still configured has its own rows and keeps them.
 */
#include <string.h>

#include "model/settings_read.h"

static bool same(const struct conf_node *a, const struct conf_node *b)
{
	return conf_string(a) != NULL && conf_string(b) != NULL &&
	       strcmp(conf_string(a), conf_string(b)) == 0;
}

/* False, said: another group, or this one, has that name or was it, too. */
static bool is_free(const struct settings_reading *g, const struct conf_node *list, size_t at,
		    const char *what)
{
	const struct conf_node *was = conf_get(conf_at(list, at), "was");

	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *other = conf_at(list, i);
		bool is_named = same(was, conf_get(other, "name"));

		if (!is_named && (i >= at || !same(was, conf_get(other, "was"))))
			continue;
		conf_error(&g->reader, was,
			   is_named ? "%s: was = \"%s\", yet that is a name in line %d: "
				      "`was` names one that is gone"
				    : "%s: was = \"%s\", as in line %d: only one can take "
				      "over from it",
			   what, conf_string(was), conf_line(other));
		return false;
	}
	return true;
}

void settings_check_was(const struct settings_reading *g, const struct conf_node *list,
			const char *kind)
{
	char what[SETTINGS_WHAT_MAX];

	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *was = conf_get(conf_at(list, i), "was");

		settings_say_what(what, kind, conf_at(list, i), i);
		if (conf_string(was) != NULL && is_free(g, list, i, what) &&
		    !settings_is_name(conf_string(was)))
			conf_error(&g->reader, was, "%s: was is no name of a %s", what, kind);
	}
}
