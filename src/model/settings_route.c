/*
 * settings_route: the keys of a route: what it matches, where it leads, which events pass.
 */
#include <stdio.h>

#include "base/mem.h"
#include "model/settings_read.h"

#define AT(member) offsetof(struct route, member)

const struct conf_key settings_route_keys[] = {
	{ .name = "name",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "what logs and commands call it" },
	{ .name = "match",
	  .kind = CONF_OTHER,
	  .help = "matchers, all of which must hold: [ \"severity >= high\" ]; none: every alert" },
	{ .name = "to",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "the names of one or more sinks" },
	{ .name = "continue",
	  .kind = CONF_BOOL,
	  .offset = AT(goes_on),
	  .fallback = "false",
	  .help = "later routes may match too" },
	{ .name = "events",
	  .kind = CONF_OTHER,
	  .help = "opened acknowledged reopened changed resolved; all but changed unless set" },
	{ .name = "closes",
	  .kind = CONF_BOOL,
	  .offset = AT(closes),
	  .fallback = "true",
	  .help = "false: sinks that heard an alert open do not hear it close" },
	{ .name = NULL },
};

struct matcher *settings_read_matcher(const struct settings_reading *g,
				      const struct conf_node *n, const char *what)
{
	struct err err = { 0 };
	struct matcher *m = matcher_new(conf_string(n), &err);

	if (m == NULL)
		conf_error(&g->reader, n, "%s: %s", what, err.text);
	else if (!matcher_is_plausible(m, &err) || !matcher_is_early(m, &err))
		conf_warn(&g->reader, n, "%s: matcher \"%s\": %s", what, matcher_text(m),
			  err.text);
	return m;
}

static void read_match(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct route *route)
{
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		struct matcher *m = settings_read_matcher(g, conf_text_at(n, i), what);

		if (m == NULL)
			continue;
		route->match =
			mem_resize(route->match, route->match_count + 1, sizeof(*route->match));
		route->match[route->match_count++] = m;
	}
}

static bool has(const size_t *list, size_t count, size_t sink)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == sink)
			return true;
	return false;
}

void settings_unknown_sink(const struct settings_reading *g, const struct conf_node *n,
			   const char *what)
{
	const struct settings *s = g->settings;
	const char **names = mem_array(s->sink_count + 1, sizeof(*names));
	size_t count = 0;
	char hint[CONF_HINT_MAX];

	for (size_t i = 0; i < s->sink_count; i++)
		if (s->sinks[i].name != NULL)
			names[count++] = s->sinks[i].name;
	conf_hint(hint, conf_string(n), names);
	conf_error(&g->reader, n, "%s: no sink is named \"%s\"%s", what, conf_string(n), hint);
	mem_free(&names);
}

/* Where no sink could be read at all, that one error says everything. */
static void read_names(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, size_t **to, size_t *count)
{
	const struct settings *s = g->settings;

	if (conf_text_at(n, 0) == NULL)
		conf_error(&g->reader, n, "%s: to is empty: name at least one sink", what);
	for (size_t i = 0; conf_text_at(n, i) != NULL && s->sink_count > 0; i++) {
		const struct conf_node *one = conf_text_at(n, i);
		const struct sink_settings *sink = settings_sink(s, conf_string(one));

		if (sink == NULL) {
			settings_unknown_sink(g, one, what);
			continue;
		}
		size_t index = (size_t)(sink - s->sinks);

		if (has(*to, *count, index))
			continue;
		*to = mem_resize(*to, *count + 1, sizeof(**to));
		(*to)[(*count)++] = index;
	}
}

void settings_read_to(const struct settings_reading *g, const struct conf_node *n,
		      const char *what, size_t **to, size_t *count)
{
	char shape[SETTINGS_WHAT_MAX + 32];

	snprintf(shape, sizeof(shape), "%s: to", what);
	if (n != NULL && conf_check_texts(&g->reader, n, shape))
		read_names(g, n, what, to, count);
}

static void read_events(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct route *route)
{
	const char *words[EVENT_KIND_COUNT + 1] = { NULL };
	char hint[CONF_HINT_MAX];

	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		words[i] = event_kind_name((enum event_kind)i);
	if (conf_text_at(n, 0) == NULL)
		conf_error(&g->reader, n, "%s: events is empty: leave it out, or name some",
			   what);
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		const struct conf_node *one = conf_text_at(n, i);
		enum event_kind kind;

		if (event_kind_parse(conf_string(one), &kind)) {
			route->events |= 1U << kind;
			continue;
		}
		conf_hint(hint, conf_string(one), words);
		conf_error(
			&g->reader, one,
			"%s: events: \"%s\" is none of opened, acknowledged, reopened, changed, "
			"resolved%s",
			what, conf_string(one), hint);
	}
}

typedef void read_fn(const struct settings_reading *g, const struct conf_node *n,
		     const char *what, struct route *route);

/* One of the keys that hold a string or a list of them; a key that is not set stays unread. */
static void read_texts(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct route *route, read_fn *read)
{
	char shape[SETTINGS_WHAT_MAX + 16];

	if (n == NULL)
		return;
	snprintf(shape, sizeof(shape), "%s: %s", what, conf_name(n));
	if (conf_check_texts(&g->reader, n, shape))
		read(g, n, what, route);
}

void settings_read_route(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route)
{
	const struct conf_key *const tables[] = { settings_route_keys, settings_hold_keys,
						  NULL };

	route->line = conf_line(n);
	route->name = settings_read_name(g, n, what);
	conf_check_names(&g->reader, n, what, tables);
	conf_fill(&g->reader, n, what, settings_route_keys, route);
	read_texts(g, conf_get(n, "match"), what, route, read_match);
	settings_read_to(g, conf_get(n, "to"), what, &route->to, &route->to_count);
	read_texts(g, conf_get(n, "events"), what, route, read_events);
	if (conf_get(n, "events") == NULL)
		route->events = ((1U << EVENT_KIND_COUNT) - 1) & ~(1U << EVENT_CHANGED);
	settings_read_holds(g, n, what, route);
}

void settings_release_route(struct route *route)
{
	mem_free(&route->name);
	for (size_t i = 0; i < route->match_count; i++)
		matcher_free(&route->match[i]);
	mem_free(&route->match);
	mem_free(&route->to);
	settings_release_holds(route);
	conf_release(settings_route_keys, route);
}
