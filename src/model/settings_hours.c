/*
 * settings_hours: what a route holds by the clock: digests at times of the day, quiet hours.
 *
 * Times, days and zones are texts that code of its own reads, since a list of them is ordered
 * and must be whole. Quiet hours that never end are an error: what they hold would wait for
 * good.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "model/settings_read.h"

enum {
	OF_MAX = SETTINGS_WHAT_MAX + 32,    /* `route "x": quiet: until` */
	WHOLE_MAX = SETTINGS_WHAT_MAX + 16, /* `route "x": quiet` */
	WINDOWS_MAX = 100,                  /* far more than a week has use for */
	WEEK_DAYS = 7,
	DAY_LETTERS = 3,
};

const struct conf_key settings_digest_keys[] = {
	{ .name = "at",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "times of the day: [ \"08:00\", \"16:00\" ]" },
	{ .name = "days",
	  .kind = CONF_OTHER,
	  .help = "mon tue wed thu fri sat sun; all unless set" },
	{ .name = "tz",
	  .kind = CONF_OTHER,
	  .fallback = "UTC",
	  .help = "the zone of these times: \"Europe/Berlin\"" },
	{ .name = "budgets",
	  .kind = CONF_BOOL,
	  .offset = offsetof(struct hours, budgets),
	  .fallback = "false",
	  .help = "the table of all budgets goes along" },
	{ .name = NULL },
};

const struct conf_key settings_quiet_keys[] = {
	{ .name = "from",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "when it begins: \"22:00\"" },
	{ .name = "until",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "when it ends, on the next day where that is earlier: \"07:00\"" },
	{ .name = "days",
	  .kind = CONF_OTHER,
	  .help = "those on which it begins: mon tue wed thu fri sat sun; all unless set" },
	{ .name = "tz",
	  .kind = CONF_OTHER,
	  .fallback = "UTC",
	  .help = "the zone of these times: \"Europe/Berlin\"" },
	{ .name = "except",
	  .kind = CONF_OTHER,
	  .help = "matchers: what any of them matches is not held" },
	{ .name = NULL },
};

/* `route "x": quiet: until`: whom and what a message is about. */
static void say_of(char of[OF_MAX], const char *what, const char *key)
{
	snprintf(of, OF_MAX, "%.*s: %s", WHOLE_MAX, what, key);
}

/* A string or a list of them with at least one; false, with the error, for anything else. */
static bool check_some(const struct settings_reading *g, const struct conf_node *n,
		       const char *of, const char *remedy)
{
	if (!conf_check_texts(&g->reader, n, of))
		return false;
	if (conf_text_at(n, 0) == NULL)
		conf_error(&g->reader, n, "%s is empty: %s", of, remedy);
	return conf_text_at(n, 0) != NULL;
}

/* ---- times, days, zones ---- */

/* "07:30"; "24:00" where the end of a day may be meant. */
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
		     const char *of, bool may_end_day)
{
	const char *last = may_end_day ? "24:00" : "23:59";
	int minutes;

	if (conf_string(n) == NULL)
		conf_error(&g->reader, n, "%s must be a time, in quotes: \"07:30\"", of);
	else if (parse_time(conf_string(n), may_end_day, &minutes))
		return minutes;
	else
		conf_error(&g->reader, n,
			   "%s: \"%s\" is no time: it is written \"07:30\", from \"00:00\" to "
			   "\"%s\"",
			   of, conf_string(n), last);
	return -1;
}

static const char *const day_words[] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL
};

/* "Monday" and "MON" are no letters away from "mon", but "mon-fri" is a day too few. */
static void hint_day(char hint[CONF_HINT_MAX], const char *word)
{
	size_t letters = 0;

	conf_hint(hint, word, day_words);
	while (isalpha((unsigned char)word[letters]))
		letters++;
	if (word[letters] != '\0') {
		hint[0] = '\0';
		return;
	}
	for (size_t i = 0; day_words[i] != NULL; i++)
		if (strncasecmp(day_words[i], word, DAY_LETTERS) == 0)
			snprintf(hint, CONF_HINT_MAX, "; did you mean \"%s\"?", day_words[i]);
}

static unsigned read_day(const struct settings_reading *g, const struct conf_node *n,
			 const char *of)
{
	const char *word = conf_string(n);
	char hint[CONF_HINT_MAX];

	for (size_t i = 0; day_words[i] != NULL; i++)
		if (strcmp(day_words[i], word) == 0)
			return 1U << i;
	hint_day(hint, word);
	conf_error(&g->reader, n, "%s: \"%s\" is none of mon, tue, wed, thu, fri, sat, sun%s",
		   of, word, hint);
	return 0;
}

static unsigned read_days(const struct settings_reading *g, const struct conf_node *n,
			  const char *what)
{
	char of[OF_MAX];
	unsigned days = 0;

	if (n == NULL)
		return HOURS_ALL_DAYS;
	say_of(of, what, "days");
	if (!check_some(g, n, of, "leave it out, or name some"))
		return 0;
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++)
		days |= read_day(g, conf_text_at(n, i), of);
	return days;
}

static struct zone *read_zone(const struct settings_reading *g, const struct conf_node *n,
			      const char *what)
{
	const char *name = conf_string(n);
	struct err err = { 0 };

	if (n == NULL)
		return NULL;
	if (name == NULL) {
		conf_error(&g->reader, n, "%s: tz must be a string, in quotes", what);
		return NULL;
	}
	struct zone *zone = zone_new(name, strlen(name), &err);

	if (zone == NULL)
		conf_error(&g->reader, n, "%s: tz: %s", what, err.text);
	return zone;
}

/* ---- digests ---- */

static int by_minute(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void read_at(const struct settings_reading *g, const struct conf_node *n,
		    const char *what, struct hours *digest)
{
	char of[OF_MAX];

	say_of(of, what, "at");
	if (n == NULL || !check_some(g, n, of, "name at least one time"))
		return;
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		if (digest->at_count == HOURS_TIMES_MAX) {
			conf_error(&g->reader, n, "%s holds more than %d times", of,
				   HOURS_TIMES_MAX);
			break;
		}
		int time = read_time(g, conf_text_at(n, i), of, false);

		if (time >= 0)
			digest->at[digest->at_count++] = time;
	}
	qsort(digest->at, digest->at_count, sizeof(*digest->at), by_minute);
}

void settings_read_digest(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct hours *digest)
{
	char of[OF_MAX];

	if (n == NULL)
		return;
	say_of(of, what, "digest");
	digest->days = read_days(g, conf_get(n, "days"), of);
	digest->zone = read_zone(g, conf_get(n, "tz"), of);
	read_at(g, conf_get(n, "at"), of, digest);
}

/* ---- quiet hours ---- */

static void read_except(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct quiet *quiet)
{
	char of[OF_MAX];

	say_of(of, what, "except");
	if (n == NULL || !check_some(g, n, of, "leave it out, or add a matcher"))
		return;
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		struct matcher *m = settings_read_matcher(g, conf_text_at(n, i), of);

		if (m == NULL)
			continue;
		quiet->except = mem_resize(quiet->except, quiet->except_count + 1,
					   sizeof(*quiet->except));
		quiet->except[quiet->except_count++] = m;
	}
}

static int read_end(const struct settings_reading *g, const struct conf_node *window,
		    const char *what, const char *key, bool may_end_day)
{
	const struct conf_node *n = conf_get(window, key);
	char of[OF_MAX];

	say_of(of, what, key);
	return n != NULL ? read_time(g, n, of, may_end_day) : -1;
}

static void read_window(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct quiet *quiet)
{
	const struct conf_key *const tables[] = { settings_quiet_keys, NULL };

	conf_check_names(&g->reader, n, what, tables);
	conf_fill(&g->reader, n, what, settings_quiet_keys, quiet);
	quiet->days = read_days(g, conf_get(n, "days"), what);
	quiet->zone = read_zone(g, conf_get(n, "tz"), what);
	read_except(g, conf_get(n, "except"), what, quiet);
	quiet->from = read_end(g, n, what, "from", false);
	quiet->until = read_end(g, n, what, "until", true);
	if (quiet->from == quiet->until && quiet->from >= 0)
		conf_error(&g->reader, conf_get(n, "until"),
			   "%s: from and until are the same: for whole days write from = "
			   "\"00:00\"; until = \"24:00\"; and name the days",
			   what);
}

/* Goes from the end of one window to the end of the next; a week and a day are all there is. */
static bool never_ends(const struct route *route)
{
	const int64_t begin = 1767571200000; /* 2026-01-05T00:00:00Z, but any week is like it */
	const int64_t end = begin + (WEEK_DAYS + 1) * INT64_C(86400000);
	int64_t now = begin;

	while (now < end) {
		int64_t latest = 0;

		for (size_t i = 0; i < route->quiet_count; i++) {
			int64_t until = hours_quiet_until(&route->quiet[i], now);

			if (until > latest)
				latest = until;
		}
		if (latest == 0)
			return false;
		now = latest;
	}
	return true;
}

void settings_read_quiet(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route)
{
	size_t errors = g->reader.problems->error_count;
	size_t count = conf_count(n);
	char of[OF_MAX];

	say_of(of, what, "quiet");
	if (n == NULL || !conf_check_groups(&g->reader, n, of))
		return;
	if (count == 0)
		conf_error(&g->reader, n, "%s is empty: leave it out, or add a window", of);
	if (count > WINDOWS_MAX)
		conf_error(&g->reader, n, "%s holds more than %d windows", of, WINDOWS_MAX);
	if (count == 0 || count > WINDOWS_MAX)
		return;
	route->quiet = mem_array(count, sizeof(*route->quiet));
	for (size_t i = 0; i < count; i++)
		read_window(g, conf_at(n, i), of, &route->quiet[route->quiet_count++]);
	if (g->reader.problems->error_count == errors && never_ends(route))
		conf_error(&g->reader, n,
			   "%s never ends: what these windows hold would wait for good; leave "
			   "some time between them, or use digest",
			   of);
}

void settings_release_hours(struct route *route)
{
	zone_free(&route->digest.zone);
	for (size_t i = 0; i < route->quiet_count; i++) {
		struct quiet *quiet = &route->quiet[i];

		for (size_t k = 0; k < quiet->except_count; k++)
			matcher_free(&quiet->except[k]);
		mem_free(&quiet->except);
		zone_free(&quiet->zone);
	}
	mem_free(&route->quiet);
}
