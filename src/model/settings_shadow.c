/*
 * settings_shadow: routes that another one takes everything from, that nothing can match, or
 * whose word on a sink does not count. Warnings: whoever wrote them meant something else.
 *
 * A route that matches ends the search whatever its `events` are, so what it takes it takes for
 * every event; and a sink that two routes lead to hears each event once, as the first one says.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/overlap.h"
#include "model/settings_read.h"

/* A configuration is read while the daemon runs, too: half a second at most. */
enum { TRIES_MAX = 50000, LIST_MAX = 300 };

struct comparing {
	const struct settings_reading *g;
	const struct settings *s;
	const struct conf_node *list;
	const char **sources; /* names, ended by NULL; owned */
	struct overlap overlap;
};

static struct matchers matchers_of(const struct route *r)
{
	return (struct matchers){ r->match, r->match_count };
}

static void say_what(const struct comparing *c, size_t i, char what[SETTINGS_WHAT_MAX])
{
	settings_say_what(what, "route", conf_at(c->list, i), i);
}

/* ---- never matching ---- */

/* Asks the text, not the routes: a list of which every matcher was bad is no catch-all. */
static bool takes_everything(const struct conf_node *route)
{
	return conf_text_at(conf_get(route, "match"), 0) == NULL &&
	       !conf_truth(conf_get(route, "continue"));
}

/* "a" and "b": the matchers of one field. */
static void list_matchers(const struct route *r, const char *field, char out[LIST_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->match_count; i++)
		if (strcmp(matcher_field(r->match[i]), field) == 0 && len < LIST_MAX)
			len += (size_t)snprintf(out + len, LIST_MAX - len, "%s\"%s\"",
						len > 0 ? " and " : "",
						matcher_text(r->match[i]));
}

static bool is_impossible(struct comparing *c, size_t i)
{
	const struct route *r = &c->s->routes[i];
	const char *field = overlap_impossible(&c->overlap, matchers_of(r));
	char what[SETTINGS_WHAT_MAX], list[LIST_MAX];

	if (field == NULL)
		return false;
	say_what(c, i, what);
	list_matchers(r, field, list);
	conf_warn(&c->g->reader, conf_at(c->list, i), "%s never matches: no %s fits %s%s", what,
		  field, list,
		  strstr(list, "\" and \"") == NULL
			  ? ""
			  : " (to match either of several, write =~ a|b, or two routes)");
	return true;
}

/* ---- shadows ---- */

static void say_shadow(const struct comparing *c, size_t above, size_t below)
{
	char a[SETTINGS_WHAT_MAX], b[SETTINGS_WHAT_MAX];
	const struct route *r = &c->s->routes[above];
	bool takes_all = r->match_count == 0;
	bool leaves_events = (c->s->routes[below].events & ~r->events) != 0;

	say_what(c, above, a);
	say_what(c, below, b);
	conf_warn(&c->g->reader, conf_at(c->list, below),
		  "%s is never reached: %s (line %d) takes every alert%s%s; move that one "
		  "%s, or give it continue = true",
		  b, a, conf_line(conf_at(c->list, above)),
		  takes_all ? "" : " that this one matches",
		  leaves_events && !takes_all
			  ? ", for all events, also those that it does not tell"
			  : "",
		  takes_all ? "to the end" : "behind it");
}

/* ---- two routes to one sink ---- */

/* Bits for what it holds. */
static unsigned holds_of(const struct route *r)
{
	return (r->group.wait_ms != 0 ? 1U : 0) | (r->digest.at_count != 0 ? 2U : 0) |
	       (r->storm.within_ms != 0 ? 4U : 0) | (r->delay_ms != 0 ? 8U : 0) |
	       (r->quiet_count != 0 ? 16U : 0);
}

static unsigned events_of(const struct route *r)
{
	unsigned others = r->events & ~(1U << EVENT_RESOLVED);

	return others | (r->closes ? 1U << EVENT_RESOLVED : 0);
}

static const struct sink_settings *shared_sink(const struct comparing *c, const struct route *a,
					       const struct route *b)
{
	for (size_t i = 0; i < a->to_count; i++)
		for (size_t k = 0; k < b->to_count; k++)
			if (a->to[i] == b->to[k])
				return &c->s->sinks[a->to[i]];
	return NULL;
}

/* The later one says less of a sink than the earlier, whose word it is. */
static bool is_overruled(struct comparing *c, size_t above, size_t below)
{
	const struct route *a = &c->s->routes[above], *b = &c->s->routes[below];
	bool other_events = events_of(a) != events_of(b);
	bool fewer_holds = (holds_of(a) & ~holds_of(b)) != 0;
	const struct sink_settings *sink = shared_sink(c, a, b);
	char what[SETTINGS_WHAT_MAX], first[SETTINGS_WHAT_MAX];

	if (sink == NULL || (!other_events && !fewer_holds) ||
	    !overlap_meet(&c->overlap, matchers_of(a), matchers_of(b)))
		return false;
	say_what(c, above, first);
	say_what(c, below, what);
	conf_warn(&c->g->reader, conf_at(c->list, below),
		  "%s: what both match is told to \"%s\" by %s (line %d) alone, which comes "
		  "first: %s",
		  what, sink->name, first, conf_line(conf_at(c->list, above)),
		  other_events && fewer_holds ? "its events are not these, and it holds more"
		  : other_events              ? "its events are not these"
					      : "it holds more than this one");
	return true;
}

/* ---- all of them ---- */

static void compare(struct comparing *c, size_t below)
{
	for (size_t i = 0; i < below; i++) {
		const struct route *a = &c->s->routes[i];

		if (a->goes_on || !overlap_covers(&c->overlap, matchers_of(a),
						  matchers_of(&c->s->routes[below])))
			continue;
		say_shadow(c, i, below);
		return;
	}
	for (size_t i = 0; i < below; i++)
		if (c->s->routes[i].goes_on && is_overruled(c, i, below))
			return;
}

static void name_sources(struct comparing *c)
{
	c->sources = mem_array(c->s->source_count + 1, sizeof(*c->sources));
	for (size_t i = 0; i < c->s->source_count; i++)
		c->sources[i] = c->s->sources[i].name;
	c->overlap = (struct overlap){ .sources = c->sources, .tries = TRIES_MAX };
}

/* Where something is wrong already only what the text shows is told. */
static void check_catch_all(const struct comparing *c)
{
	size_t i = 0;

	while (i < c->s->route_count && !takes_everything(conf_at(c->list, i)))
		i++;
	for (size_t k = i + 1; k < c->s->route_count; k++)
		say_shadow(c, i, k);
}

void settings_check_routes(const struct settings_reading *g, const struct conf_node *list)
{
	struct comparing c = { .g = g, .s = g->settings, .list = list };

	if (g->reader.problems->error_count > 0) {
		check_catch_all(&c);
		return;
	}
	name_sources(&c);
	for (size_t i = 0; i < c.s->route_count; i++)
		if (!is_impossible(&c, i))
			compare(&c, i);
	mem_free(&c.sources);
}
