/*
 * settings_preset: what a preset gives to its sink: defaults that the sink's own keys replace,
 * and the variables without which it cannot send.
 */
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

static const struct pair *find_var(const struct sink_settings *sink, const char *name)
{
	for (size_t i = 0; i < sink->vars.count; i++)
		if (strcmp(sink->vars.list[i].name, name) == 0)
			return &sink->vars.list[i];
	return NULL;
}

static bool is_known(const struct preset *p, const char *name)
{
	for (size_t i = 0; i < p->var_count; i++)
		if (strcmp(p->vars[i].name, name) == 0)
			return true;
	return false;
}

static void add_var(struct sink_settings *sink, const char *name, const char *value)
{
	struct conf_pairs *vars = &sink->vars;

	vars->list = mem_resize(vars->list, vars->count + 1, sizeof(*vars->list));
	vars->list[vars->count++] =
		(struct pair){ .name = mem_strdup(name), .value = mem_strdup(value) };
}

/* An unknown one may be meant for a template of the operator's own: a warning. */
static void take_vars(const struct settings_reading *g, const struct conf_node *n,
		      const char *what, struct sink_settings *sink)
{
	const struct preset *p = sink->preset;
	const struct conf_node *at = conf_get(n, "vars") != NULL ? conf_get(n, "vars") : n;
	const char **names = mem_array(p->var_count + 1, sizeof(*names));
	char hint[CONF_HINT_MAX];

	for (size_t i = 0; i < p->var_count; i++)
		names[i] = p->vars[i].name;
	for (size_t i = 0; i < sink->vars.count; i++) {
		const char *name = sink->vars.list[i].name;

		if (is_known(p, name))
			continue;
		conf_hint(hint, name, names);
		conf_warn(&g->reader, at, "%s: vars: the preset %s reads no \"%s\"%s", what,
			  p->name, name, hint);
	}
	for (size_t i = 0; i < p->var_count; i++) {
		const struct preset_var *var = &p->vars[i];
		const struct pair *given = find_var(sink, var->name);

		if (given == NULL && conf_get(conf_get(n, "vars"), var->name) != NULL)
			continue; /* why it could not be read has been said */
		if (given == NULL && !var->required)
			add_var(sink, var->name, var->fallback == NULL ? "" : var->fallback);
		else if (var->required && (given == NULL || given->value[0] == '\0'))
			conf_error(&g->reader, at,
				   "%s: the preset %s needs vars = { %s = \"…\"; }: %s", what,
				   p->name, var->name, var->help);
	}
	mem_free(&names);
}

static struct preset *load(const struct settings_reading *g, const struct conf_node *n,
			   const char *what)
{
	const char *name = conf_string(n);
	struct preset *preset = NULL;
	char *path = NULL, *bytes;
	struct err err = { 0 };
	size_t len = 0;

	if (name == NULL || name[0] == '\0') {
		conf_error(&g->reader, n, "%s: preset must be a name, in quotes", what);
		return NULL;
	}
	bytes = g->ctx->preset(g->settings, name, &path, &len, &err);
	if (bytes == NULL)
		conf_error(&g->reader, n, "%s: %s", what, err.text);
	else
		preset = preset_read(name, path, bytes, len, g->reader.problems);
	mem_free(&bytes);
	mem_free(&path);
	return preset;
}

static void take_defaults(const struct conf_node *n, struct sink_settings *sink)
{
	const struct preset *p = sink->preset;
	struct err err;

	sink->batch_max = p->batch_max;
	sink->pairs = p->pairs;
	sink->events = preset_events(p);
	if (conf_get(n, "collapse") == NULL)
		sink->collapse = p->collapse;
	if (conf_get(n, "rate") == NULL && !num_parse_rate(p->rate, &sink->rate, &err))
		BUG("the rate of the preset %s: %s", p->name, err.text);
}

void settings_read_preset(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct sink_settings *sink)
{
	const struct conf_node *preset = conf_get(n, "preset");

	if (preset == NULL || !sink->type->takes_preset)
		return;
	sink->preset = load(g, preset, what);
	if (sink->preset == NULL)
		return;
	take_defaults(n, sink);
	take_vars(g, n, what, sink);
}
