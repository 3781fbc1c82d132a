/*
 * settings_holds: what a route holds back: groups, digests, storms, delays, repeats, quiet hours,
 * escalations (contract.md section 9). Times of the day are read by settings_hours.c.
 *
 * An error is what would hold for good or cannot be understood; a warning is what the daemon can
 * do, but hardly what was meant.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

#define AT(member)       offsetof(struct route, member)
#define OF(type, member) offsetof(struct type, member)

enum { STEPS_MAX = 100 }; /* far more than anybody is woken in turn */

static const struct conf_key group_keys[] = {
	{ .name = "by",
	  .kind = CONF_OTHER,
	  .help = "names of an alert's fields: rows with the same values are one group; none: "
		  "all are" },
	{ .name = "wait",
	  .kind = CONF_DURATION,
	  .offset = OF(route_group, wait_ms),
	  .required = true,
	  .min = "1s",
	  .max = "24h",
	  .help = "how long the first row of a group waits for others" },
	{ .name = "max",
	  .kind = CONF_INT,
	  .offset = OF(route_group, max),
	  .fallback = "100",
	  .min = "2",
	  .max = "1000",
	  .help = "so many go out at once" },
	{ .name = NULL },
};

static const struct conf_key storm_keys[] = {
	{ .name = "over",
	  .kind = CONF_INT,
	  .offset = OF(route_storm, over),
	  .required = true,
	  .min = "1",
	  .max = "1000000",
	  .help = "more rows than that in `within` are a storm" },
	{ .name = "within",
	  .kind = CONF_DURATION,
	  .offset = OF(route_storm, within_ms),
	  .required = true,
	  .min = "1s",
	  .max = "24h",
	  .help = "the window, and how often a storm is told of" },
	{ .name = NULL },
};

static const struct conf_key step_keys[] = {
	{ .name = "after",
	  .kind = CONF_DURATION,
	  .offset = OF(route_step, after_ms),
	  .required = true,
	  .min = "1s",
	  .max = "30d",
	  .help = "so long after it was seen open, where it is open still" },
	{ .name = "to", .kind = CONF_OTHER, .required = true, .help = "who hears of it then" },
	{ .name = NULL },
};

const struct conf_key settings_hold_keys[] = {
	{ .name = "group",
	  .kind = CONF_NESTED,
	  .offset = AT(group),
	  .nested = group_keys,
	  .help = "rows that come together go out as one" },
	{ .name = "digest",
	  .kind = CONF_NESTED,
	  .offset = AT(digest),
	  .nested = settings_digest_keys,
	  .help = "all goes out at these times" },
	{ .name = "storm",
	  .kind = CONF_NESTED,
	  .offset = AT(storm),
	  .nested = storm_keys,
	  .help = "too many rows are told as one; critical ones go through" },
	{ .name = "delay",
	  .kind = CONF_DURATION,
	  .offset = AT(delay_ms),
	  .min = "1s",
	  .max = "24h",
	  .help = "an open waits so long; resolved by then, nobody hears of it" },
	{ .name = "repeat",
	  .kind = CONF_DURATION,
	  .offset = AT(repeat_ms),
	  .min = "1m",
	  .max = "30d",
	  .help = "an open is told again, so long after the last time, until somebody "
		  "acknowledges or resolves it" },
	{ .name = "quiet",
	  .kind = CONF_OTHER,
	  .nested = settings_quiet_keys,
	  .help = "hours in which rows wait: ( { from = \"22:00\"; until = \"07:00\"; } )" },
	{ .name = "escalate",
	  .kind = CONF_OTHER,
	  .nested = step_keys,
	  .help = "who hears of what stays open: ( { after = \"15m\"; to = [ \"phone\" ]; } )" },
	{ .name = NULL },
};

/* ---- groups ---- */

/* A field that we do not know may be one of the alert, so this is no error. */
static void check_fact(const struct settings_reading *g, const struct conf_node *n,
		       const char *of)
{
	const char *name = conf_string(n);
	char hint[CONF_HINT_MAX];

	if (facts_know(name))
		return;
	conf_hint(hint, name, facts_names());
	conf_warn(&g->reader, n,
		  "%s: no field \"%s\" is known, so it is looked for in the alert itself%s", of,
		  name, hint);
}

static void read_by(const struct settings_reading *g, const struct conf_node *n,
		    const char *what, struct route_group *group)
{
	char of[SETTINGS_WHAT_MAX + 16];

	snprintf(of, sizeof(of), "%s: group: by", what);
	if (n == NULL || !conf_check_texts(&g->reader, n, of))
		return;
	if (conf_text_at(n, 0) == NULL)
		conf_error(&g->reader, n, "%s is empty: leave it out, or name a field", of);
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		const struct conf_node *one = conf_text_at(n, i);

		if (conf_string(one)[0] == '\0') {
			conf_error(&g->reader, one, "%s: \"\" is no field", of);
			continue;
		}
		check_fact(g, one, of);
		group->by = mem_resize(group->by, group->by_count + 1, sizeof(*group->by));
		group->by[group->by_count++] = mem_strdup(conf_string(one));
	}
}

/* ---- escalations ---- */

static bool leads_to(const struct route *route, size_t sink)
{
	for (size_t i = 0; i < route->to_count; i++)
		if (route->to[i] == sink)
			return true;
	return false;
}

static void check_step(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, const struct route *route)
{
	const struct route_step *step = &route->escalate[route->escalate_count - 1];
	const struct conf_node *to = conf_get(n, "to"), *after = conf_get(n, "after");

	for (size_t i = 0; i < step->to_count; i++)
		if (leads_to(route, step->to[i]))
			conf_warn(&g->reader, to,
				  "%s: \"%s\" has heard it from this route already: name "
				  "somebody else, or use repeat",
				  what, g->settings->sinks[step->to[i]].name);
	if (step->after_ms == 0)
		return;
	if (route->escalate_count > 1 && step->after_ms < step[-1].after_ms)
		conf_warn(&g->reader, after,
			  "%s: this step comes earlier than the one above it", what);
	if (step->after_ms <= route->delay_ms)
		conf_warn(&g->reader, after,
			  "%s: this step comes before the route has told anybody: delay is no "
			  "shorter than after",
			  what);
}

static void read_steps(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct route *route)
{
	const struct conf_key *const tables[] = { step_keys, NULL };
	size_t count = conf_count(n);
	char of[SETTINGS_WHAT_MAX + 16];

	snprintf(of, sizeof(of), "%s: escalate", what);
	if (n == NULL || !conf_check_groups(&g->reader, n, of))
		return;
	if (count == 0)
		conf_error(&g->reader, n, "%s is empty: leave it out, or add a step", of);
	if (count > STEPS_MAX)
		conf_error(&g->reader, n, "%s holds more than %d steps", of, STEPS_MAX);
	if (count == 0 || count > STEPS_MAX)
		return;
	route->escalate = mem_array(count, sizeof(*route->escalate));
	for (size_t i = 0; i < count; i++) {
		const struct conf_node *one = conf_at(n, i);
		struct route_step *step = &route->escalate[route->escalate_count++];

		conf_check_names(&g->reader, one, of, tables);
		conf_fill(&g->reader, one, of, step_keys, step);
		settings_read_to(g, conf_get(one, "to"), of, &step->to, &step->to_count);
		check_step(g, one, of, route);
	}
}

/* ---- all of it ---- */

/* Who takes one alert at a time gets no digests; of several sinks some may. */
static void warn_of_singles(const struct settings_reading *g, const struct conf_node *n,
			    const char *what, const struct route *route)
{
	static const char *const keys[] = { "group", "digest", "storm" };

	for (size_t i = 0; i < route->to_count; i++)
		if (g->settings->sinks[route->to[i]].batch_max != 1)
			return;
	for (size_t k = 0; k < ARRAY_LEN(keys) && route->to_count > 0; k++)
		if (conf_get(n, keys[k]) != NULL)
			conf_warn(&g->reader, conf_get(n, keys[k]),
				  "%s: \"%s\" takes one alert at a time: what %s holds comes "
				  "there one by one, the most severe first",
				  what, g->settings->sinks[route->to[0]].name, keys[k]);
}

/* What holds or tells opens needs some. */
static void warn_of_no_opens(const struct settings_reading *g, const struct conf_node *n,
			     const char *what, const struct route *route)
{
	static const char *const keys[] = { "delay", "repeat" };
	unsigned opens = 1U << EVENT_OPENED | 1U << EVENT_REOPENED;

	for (size_t k = 0; k < ARRAY_LEN(keys) && (route->events & opens) == 0; k++)
		if (conf_get(n, keys[k]) != NULL)
			conf_warn(&g->reader, conf_get(n, keys[k]),
				  "%s: %s does nothing: events leaves out what opens", what,
				  keys[k]);
}

void settings_read_holds(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route)
{
	conf_fill(&g->reader, n, what, settings_hold_keys, route);
	if (conf_get(n, "group") == NULL)
		route->group = (struct route_group){ .wait_ms = 0 };
	read_by(g, conf_get(conf_get(n, "group"), "by"), what, &route->group);
	settings_read_digest(g, conf_get(n, "digest"), what, &route->digest);
	settings_read_quiet(g, conf_get(n, "quiet"), what, route);
	read_steps(g, conf_get(n, "escalate"), what, route);
	warn_of_singles(g, n, what, route);
	warn_of_no_opens(g, n, what, route);
}

void settings_release_holds(struct route *route)
{
	for (size_t i = 0; i < route->group.by_count; i++)
		mem_free(&route->group.by[i]);
	mem_free(&route->group.by);
	settings_release_hours(route);
	for (size_t i = 0; i < route->escalate_count; i++)
		mem_free(&route->escalate[i].to);
	mem_free(&route->escalate);
}
