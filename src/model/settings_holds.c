/*
 * settings_holds: what a route holds back: groups, digests, storms, delays, repeats, quiet hours,
 * escalations (contract.md section 9).
 *
 * Times of the day, days and zones are texts that code of its own reads, since a list of them is
 * ordered and must be whole; everything else is a table of keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

#define AT(member)       offsetof(struct route, member)
#define OF(type, member) offsetof(struct type, member)

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

static const struct conf_key digest_keys[] = {
	{ .name = "at",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "times of the day: [ \"08:00\", \"16:00\" ]" },
	{ .name = "days",
	  .kind = CONF_OTHER,
	  .help = "mon tue wed thu fri sat sun; all unless set" },
	{ .name = "tz", .kind = CONF_OTHER, .help = "the zone of these times; UTC unless set" },
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

static const struct conf_key quiet_keys[] = {
	{ .name = "from",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "when it begins: \"22:00\"" },
	{ .name = "until",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "when it ends, of the next day where that is earlier: \"07:00\"" },
	{ .name = "days",
	  .kind = CONF_OTHER,
	  .help = "those on which it begins: mon tue wed thu fri sat sun; all unless set" },
	{ .name = "tz", .kind = CONF_OTHER, .help = "the zone of these times; UTC unless set" },
	{ .name = "except",
	  .kind = CONF_OTHER,
	  .help = "matchers: what any of them matches is not held" },
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
	  .nested = digest_keys,
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
	  .nested = quiet_keys,
	  .help = "hours in which rows wait: ( { from = \"22:00\"; until = \"07:00\"; } )" },
	{ .name = "escalate",
	  .kind = CONF_OTHER,
	  .nested = step_keys,
	  .help = "who hears of what stays open: ( { after = \"15m\"; to = [ \"phone\" ]; } )" },
	{ .name = NULL },
};

/* ---- times, days, zones ---- */

/* "07:30", "24:00" where a day's end is meant. */
static bool parse_time(const char *text, bool may_end_day, int *minutes)
{
	static const char digits[] = "0123456789";

	if (strlen(text) != 5 || text[2] != ':' || strspn(text, digits) != 2 ||
	    strspn(text + 3, digits) != 2)
		return false;
	int hour = (text[0] - '0') * 10 + text[1] - '0';
	int minute = (text[3] - '0') * 10 + text[4] - '0';

	*minutes = hour * 60 + minute;
	return minute < 60 &&
	       (*minutes < HOURS_DAY_MIN || (may_end_day && *minutes == HOURS_DAY_MIN));
}

/* -1, with the error, where there is no time. */
static int read_time(const struct settings_reading *g, const struct conf_node *n,
		     const char *what, bool may_end_day)
{
	int minutes;

	if (conf_string(n) != NULL && parse_time(conf_string(n), may_end_day, &minutes))
		return minutes;
	conf_error(&g->reader, n, "%s: a time is written \"07:30\", from \"00:00\" to \"%s\"",
		   what, may_end_day ? "24:00" : "23:59");
	return -1;
}

static unsigned read_days(const struct settings_reading *g, const struct conf_node *n,
			  const char *what)
{
	static const char *const words[] = { "mon", "tue", "wed", "thu",
					     "fri", "sat", "sun", NULL };
	unsigned days = 0;
	char hint[CONF_HINT_MAX];

	if (n == NULL)
		return HOURS_ALL_DAYS;
	if (!conf_check_texts(&g->reader, n, what))
		return 0;
	if (conf_text_at(n, 0) == NULL)
		conf_error(&g->reader, n, "%s: days is empty: leave it out, or name some",
			   what);
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		const char *word = conf_string(conf_text_at(n, i));
		size_t day = 0;

		while (words[day] != NULL && strcmp(words[day], word) != 0)
			day++;
		if (words[day] != NULL) {
			days |= 1U << day;
			continue;
		}
		conf_hint(hint, word, words);
		conf_error(&g->reader, conf_text_at(n, i),
			   "%s: \"%s\" is none of mon, tue, wed, thu, fri, sat, sun%s", what,
			   word, hint);
	}
	return days;
}

static struct zone *read_zone(const struct settings_reading *g, const struct conf_node *n,
			      const char *what)
{
	struct zone *zone = NULL;
	struct err err = { "it is no text" };
	const char *name = conf_string(n);

	if (n == NULL)
		return NULL;
	if (name != NULL)
		zone = zone_new(name, strlen(name), &err);
	if (zone == NULL)
		conf_error(&g->reader, n, "%s: tz: %s", what, err.text);
	return zone;
}

/* ---- digests ---- */

static int by_minute(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void read_digest(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct hours *digest)
{
	char of[SETTINGS_WHAT_MAX + 16];
	const struct conf_node *at = conf_get(n, "at");

	if (n == NULL)
		return;
	snprintf(of, sizeof(of), "%s: digest", what);
	digest->days = read_days(g, conf_get(n, "days"), of);
	digest->zone = read_zone(g, conf_get(n, "tz"), of);
	if (at == NULL || !conf_check_texts(&g->reader, at, of))
		return;
	if (conf_text_at(at, 0) == NULL)
		conf_error(&g->reader, at, "%s: at is empty: name at least one time", of);
	for (size_t i = 0; conf_text_at(at, i) != NULL; i++) {
		if (digest->at_count == HOURS_TIMES_MAX) {
			conf_error(&g->reader, at, "%s: at has more than %d times", of,
				   HOURS_TIMES_MAX);
			return;
		}
		int time = read_time(g, conf_text_at(at, i), of, false);

		if (time >= 0)
			digest->at[digest->at_count++] = time;
	}
	qsort(digest->at, digest->at_count, sizeof(*digest->at), by_minute);
}

/* ---- quiet hours ---- */

static void read_except(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct quiet *quiet)
{
	if (n == NULL || !conf_check_texts(&g->reader, n, what))
		return;
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		struct matcher *m = settings_read_matcher(g, conf_text_at(n, i), what);

		if (m == NULL)
			continue;
		quiet->except = mem_resize(quiet->except, quiet->except_count + 1, sizeof(m));
		quiet->except[quiet->except_count++] = m;
	}
}

static void read_window(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct quiet *quiet)
{
	const struct conf_key *const tables[] = { quiet_keys, NULL };

	conf_check_names(&g->reader, n, what, tables);
	conf_fill(&g->reader, n, what, quiet_keys, quiet);
	quiet->days = read_days(g, conf_get(n, "days"), what);
	quiet->zone = read_zone(g, conf_get(n, "tz"), what);
	read_except(g, conf_get(n, "except"), what, quiet);
	if (conf_get(n, "from") == NULL || conf_get(n, "until") == NULL)
		return;
	quiet->from = read_time(g, conf_get(n, "from"), what, false);
	quiet->until = read_time(g, conf_get(n, "until"), what, true);
	if (quiet->from == quiet->until && quiet->from >= 0)
		conf_error(&g->reader, conf_get(n, "until"),
			   "%s: from and until are the same: for whole days write from = "
			   "\"00:00\"; until = \"24:00\"; and name the days",
			   what);
}

static void read_quiet(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct route *route)
{
	char of[SETTINGS_WHAT_MAX + 32];

	snprintf(of, sizeof(of), "%s: quiet", what);
	if (n == NULL || !conf_check_groups(&g->reader, n, of))
		return;
	route->quiet = mem_array(conf_count(n), sizeof(*route->quiet));
	for (; route->quiet_count < conf_count(n); route->quiet_count++)
		read_window(g, conf_at(n, route->quiet_count), of,
			    &route->quiet[route->quiet_count]);
}

/* ---- groups ---- */

static bool is_fact(const char *name)
{
	const char *const *names = facts_names();

	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strchr(name, '.') != NULL;
}

static void read_by(const struct settings_reading *g, const struct conf_node *n,
		    const char *what, struct route_group *group)
{
	char of[SETTINGS_WHAT_MAX + 16], hint[CONF_HINT_MAX];

	snprintf(of, sizeof(of), "%s: group.by", what);
	if (n == NULL || !conf_check_texts(&g->reader, n, of))
		return;
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		const char *name = conf_string(conf_text_at(n, i));

		if (!is_fact(name)) {
			conf_hint(hint, name, facts_names());
			conf_warn(&g->reader, conf_text_at(n, i),
				  "%s: no alert is known to have a field \"%s\"%s", of, name,
				  hint);
		}
		group->by = mem_resize(group->by, group->by_count + 1, sizeof(*group->by));
		group->by[group->by_count++] = mem_strdup(name);
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

	for (size_t i = 0; i < step->to_count; i++)
		if (leads_to(route, step->to[i]))
			conf_warn(&g->reader, n,
				  "%s: \"%s\" has heard it from this route already: name "
				  "somebody else, or use repeat",
				  what, g->settings->sinks[step->to[i]].name);
	if (route->escalate_count > 1 && step->after_ms != 0 &&
	    step->after_ms < step[-1].after_ms)
		conf_warn(&g->reader, n, "%s: this step comes earlier than the one before it",
			  what);
}

static void read_steps(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct route *route)
{
	const struct conf_key *const tables[] = { step_keys, NULL };
	char of[SETTINGS_WHAT_MAX + 16];

	snprintf(of, sizeof(of), "%s: escalate", what);
	if (n == NULL || !conf_check_groups(&g->reader, n, of))
		return;
	route->escalate = mem_array(conf_count(n), sizeof(*route->escalate));
	for (size_t i = 0; i < conf_count(n); i++) {
		const struct conf_node *one = conf_at(n, i);
		struct route_step *step = &route->escalate[route->escalate_count++];

		conf_check_names(&g->reader, one, of, tables);
		conf_fill(&g->reader, one, of, step_keys, step);
		settings_read_to(g, conf_get(one, "to"), of, &step->to, &step->to_count);
		check_step(g, one, of, route);
	}
}

/* ---- all of it ---- */

/* A sink that takes one alert at a time gets no digests. */
static void warn_of_singles(const struct settings_reading *g, const struct conf_node *n,
			    const char *what, const struct route *route)
{
	static const char *const keys[] = { "group", "digest", "storm" };

	for (size_t i = 0; i < route->to_count; i++) {
		const struct sink_settings *sink = &g->settings->sinks[route->to[i]];

		for (size_t k = 0; k < ARRAY_LEN(keys) && sink->batch_max == 1; k++)
			if (conf_get(n, keys[k]) != NULL)
				conf_warn(&g->reader, conf_get(n, keys[k]),
					  "%s: \"%s\" takes one alert at a time: what %s "
					  "holds goes there one by one, the most severe first",
					  what, sink->name, keys[k]);
	}
}

void settings_read_holds(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route)
{
	conf_fill(&g->reader, n, what, settings_hold_keys, route);
	if (conf_get(n, "group") == NULL)
		route->group = (struct route_group){ .wait_ms = 0 };
	read_by(g, conf_get(conf_get(n, "group"), "by"), what, &route->group);
	read_digest(g, conf_get(n, "digest"), what, &route->digest);
	read_quiet(g, conf_get(n, "quiet"), what, route);
	read_steps(g, conf_get(n, "escalate"), what, route);
	warn_of_singles(g, n, what, route);
	if (route->repeat_ms != 0 && (route->events & 1U << EVENT_OPENED) == 0)
		conf_warn(&g->reader, conf_get(n, "repeat"),
			  "%s: repeat does nothing: events leaves the opens out", what);
}

void settings_release_holds(struct route *route)
{
	for (size_t i = 0; i < route->group.by_count; i++)
		mem_free(&route->group.by[i]);
	mem_free(&route->group.by);
	zone_free(&route->digest.zone);
	for (size_t i = 0; i < route->quiet_count; i++) {
		struct quiet *quiet = &route->quiet[i];

		for (size_t k = 0; k < quiet->except_count; k++)
			matcher_free(&quiet->except[k]);
		mem_free(&quiet->except);
		zone_free(&quiet->zone);
	}
	mem_free(&route->quiet);
	for (size_t i = 0; i < route->escalate_count; i++)
		mem_free(&route->escalate[i].to);
	mem_free(&route->escalate);
}
