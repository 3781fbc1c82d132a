/*
 * Times of the day against a clock on the wall that is watched minute by minute: over both
 * changes of the clocks, a day that was left out, and years far off.
 *
 * The clock needs no rule for what is skipped or comes twice: the moment of a wall time is the
 * first at which the clock shows that time or a later one.
 */
#include "model/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

#define MINUTE_MS INT64_C(60000)

enum {
	DAY = 24 * 60,
	WALK_DAYS = 14,
	WALK = WALK_DAYS * DAY, /* minutes that are watched */
	LEAD = 2 * DAY,         /* of them before the first moment that is asked for */
	ASKED = 4 * DAY,        /* so long; the rest is where answers lie */
	STEP = 7, /* minutes between two questions: meets all minutes of an hour */
	FAR = 1 << 30,
};

/* What the clock of one zone shows, minute by minute. */
struct walk {
	const char *name;
	struct zone *zone;
	int64_t begin; /* minutes since the epoch */
	int64_t shown[WALK];
};

static int64_t at(const char *iso)
{
	int64_t ms;

	if (!clock_parse_iso(iso, strlen(iso), &ms))
		fail_msg("no time: %s", iso);
	return ms;
}

static void walk_begin(struct walk *w, const char *name, const char *day)
{
	struct err err;
	const char *called;

	w->name = name;
	w->zone = zone_new(name, strlen(name), &err);
	if (w->zone == NULL)
		fail_msg("%s", err.text);
	w->begin = at(day) / MINUTE_MS - LEAD;
	for (int i = 0; i < WALK; i++)
		w->shown[i] =
			w->begin + i +
			zone_offset(w->zone, (w->begin + i) * MINUTE_MS, &called) / MINUTE_MS;
}

/* The first minute at which the clock shows this one or a later one; FAR: not in this walk. */
static int first_shown(const struct walk *w, int64_t wall)
{
	for (int i = 0; i < WALK; i++)
		if (w->shown[i] >= wall)
			return i;
	return FAR;
}

static bool is_on(unsigned days, int64_t day)
{
	return (days >> (day + 3) % 7 & 1) != 0;
}

/* The days that this walk shows, with one more at either end. */
static int64_t first_day(const struct walk *w)
{
	return w->shown[0] / DAY - 1;
}

enum { DAYS = WALK_DAYS + 3 };

static void fail_at(const struct walk *w, int minute, int64_t got, int64_t wanted)
{
	char now[CLOCK_TEXT_MAX], a[CLOCK_TEXT_MAX] = "never", b[CLOCK_TEXT_MAX] = "never";

	clock_iso((w->begin + minute) * MINUTE_MS, false, now);
	if (got != INT64_MAX)
		clock_iso(got, false, a);
	if (wanted != INT64_MAX)
		clock_iso(wanted, false, b);
	fail_msg("%s at %s: %s, the clock says %s", w->name, now, a, b);
}

/* ---- digests ---- */

static void walk_times(const struct walk *w, int minute_of_day, unsigned days)
{
	struct hours h = {
		.at = { minute_of_day }, .at_count = 1, .days = days, .zone = w->zone
	};
	int moments[DAYS];

	for (int d = 0; d < DAYS; d++)
		moments[d] = is_on(days, first_day(w) + d)
				     ? first_shown(w, (first_day(w) + d) * DAY + minute_of_day)
				     : FAR;
	for (int i = LEAD; i < LEAD + ASKED; i += STEP) {
		int next = FAR;

		for (int d = 0; d < DAYS; d++)
			if (moments[d] > i && moments[d] < next)
				next = moments[d];
		int64_t got = hours_next(&h, (w->begin + i) * MINUTE_MS);
		int64_t wanted = next == FAR ? INT64_MAX : (w->begin + next) * MINUTE_MS;

		if (got != wanted)
			fail_at(w, i, got, wanted);
	}
}

/* ---- quiet hours ---- */

static void walk_quiet(const struct walk *w, int from, int until, unsigned days)
{
	struct quiet q = { .from = from, .until = until, .days = days, .zone = w->zone };
	int begins[DAYS], ends[DAYS];

	for (int d = 0; d < DAYS; d++) {
		int64_t day = (first_day(w) + d) * DAY;

		begins[d] = is_on(days, first_day(w) + d) ? first_shown(w, day + from) : FAR;
		ends[d] = first_shown(w, day + until + (until < from ? DAY : 0));
	}
	for (int i = LEAD; i < LEAD + ASKED; i += STEP) {
		int end = 0;

		for (int d = 0; d < DAYS; d++)
			if (begins[d] <= i && i < ends[d] && ends[d] > end)
				end = ends[d];
		int64_t got = hours_quiet_until(&q, (w->begin + i) * MINUTE_MS);
		int64_t wanted = end == 0 ? 0 : (w->begin + end) * MINUTE_MS;

		if (got != wanted)
			fail_at(w, i, got, wanted);
	}
}

/* ---- where and when ---- */

static const struct {
	const char *zone, *day; /* one day before what happens there */
} walks[] = {
	{ "Europe/Berlin", "2026-03-28T00:00:00Z" },
	{ "Europe/Berlin", "2026-10-24T00:00:00Z" },
	{ "America/New_York", "2026-03-07T00:00:00Z" },
	{ "America/New_York", "2026-10-31T00:00:00Z" },
	{ "Australia/Lord_Howe", "2026-04-03T00:00:00Z" }, /* half an hour */
	{ "Australia/Lord_Howe", "2026-10-02T00:00:00Z" },
	{ "America/Santiago", "2026-09-05T00:00:00Z" }, /* at midnight, which is skipped */
	{ "America/Havana", "2026-10-31T00:00:00Z" },   /* 01:00 becomes 00:00 */
	{ "Pacific/Apia", "2011-12-28T00:00:00Z" },     /* 30 December was left out */
	{ "UTC", "1970-01-04T00:00:00Z" },
	{ "Europe/Berlin", "2100-03-27T00:00:00Z" },
	{ "America/New_York", "2100-11-06T00:00:00Z" },
};

enum { WEEK = HOURS_ALL_DAYS, WORKDAYS = 31, SUNDAY = 64 };

static void each_digest_goes_when_the_clock_shows_its_time(void **state)
{
	static const int times[] = { 0, 15, 90, 119, 120, 135, 150, 180, 8 * 60, 23 * 60 + 59 };
	static const unsigned days[] = { WEEK, WORKDAYS, SUNDAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		struct walk *w = mem_new(sizeof(*w));

		walk_begin(w, walks[i].zone, walks[i].day);
		for (size_t t = 0; t < ARRAY_LEN(times); t++)
			for (size_t d = 0; d < ARRAY_LEN(days); d++)
				walk_times(w, times[t], days[d]);
		zone_free(&w->zone);
		mem_free(&w);
	}
}

static void quiet_hours_are_those_that_the_clock_shows(void **state)
{
	static const struct {
		int from, until;
	} windows[] = {
		{ 22 * 60, 7 * 60 },      /* over midnight and the change */
		{ 8 * 60, 17 * 60 },      /* the day */
		{ 0, DAY },               /* a whole day */
		{ 23 * 60 + 59, 0 },      /* its last minute */
		{ 0, 1 },                 /* its first one */
		{ 12 * 60, 12 * 60 - 1 }, /* all but a minute */
		{ 90, 150 },              /* ends in what is skipped or comes twice */
		{ 150, 210 },             /* begins in it */
		{ 125, 140 },             /* lies in it */
		{ 23 * 60, 30 },          /* the same, where it is at midnight */
	};
	static const unsigned days[] = { WEEK, WORKDAYS, SUNDAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		struct walk *w = mem_new(sizeof(*w));

		walk_begin(w, walks[i].zone, walks[i].day);
		for (size_t k = 0; k < ARRAY_LEN(windows); k++)
			for (size_t d = 0; d < ARRAY_LEN(days); d++)
				walk_quiet(w, windows[k].from, windows[k].until, days[d]);
		zone_free(&w->zone);
		mem_free(&w);
	}
}

/* A day with no time, a window on no day: an answer at once, and never a time. */
static void nothing_to_wait_for_is_never(void **state)
{
	struct hours none = { .at = { 60 }, .at_count = 1 };
	struct hours timeless = { .days = WEEK };
	struct quiet off = { .from = 0, .until = DAY };
	static const char *const moments[] = { "1970-01-01T00:00:00Z", "2026-03-29T01:00:00Z",
					       "2100-12-31T23:59:59Z" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		assert_true(hours_next(&none, at(moments[i])) == INT64_MAX);
		assert_true(hours_next(&timeless, at(moments[i])) == INT64_MAX);
		assert_true(hours_quiet_until(&off, at(moments[i])) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_digest_goes_when_the_clock_shows_its_time),
		cmocka_unit_test(quiet_hours_are_those_that_the_clock_shows),
		cmocka_unit_test(nothing_to_wait_for_is_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
