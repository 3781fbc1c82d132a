/* Times of the day in zones, over both changes of the clocks, by tables. */
#include "model/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

static int64_t at(const char *iso)
{
	int64_t ms;

	if (!clock_parse_iso(iso, strlen(iso), &ms))
		fail_msg("no time: %s", iso);
	return ms;
}

static struct zone *zone(const char *name)
{
	struct err err;
	struct zone *z = zone_new(name, strlen(name), &err);

	if (z == NULL)
		fail_msg("%s", err.text);
	return z;
}

static int minutes(const char *time)
{
	int hour = (time[0] - '0') * 10 + time[1] - '0';

	return hour * 60 + (time[3] - '0') * 10 + time[4] - '0';
}

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

static void expect(const char *zone_name, const char *now, int64_t got, const char *wanted)
{
	char text[CLOCK_TEXT_MAX] = "never";

	if (got == 0)
		snprintf(text, sizeof(text), "not now");
	else if (got != INT64_MAX)
		clock_iso(got, false, text);
	if (strcmp(text, wanted) != 0)
		fail_msg("%s at %s: %s, wanted %s", zone_name, now, text, wanted);
}

/* A clock that jumps 02:00 to 03:00 shows no 02:30; one set back shows it twice. */
static const struct {
	const char *zone;
	unsigned days;
	const char *times[3];
	const char *now, *next;
} times[] = {
	{ "UTC",
	  HOURS_ALL_DAYS,
	  { "08:00", "16:00" },
	  "2026-11-24T07:59:59Z",
	  "2026-11-24T08:00:00Z" },
	{ "UTC",
	  HOURS_ALL_DAYS,
	  { "08:00", "16:00" },
	  "2026-11-24T08:00:00Z",
	  "2026-11-24T16:00:00Z" },
	{ "UTC",
	  HOURS_ALL_DAYS,
	  { "08:00", "16:00" },
	  "2026-11-24T16:00:00Z",
	  "2026-11-25T08:00:00Z" },
	{ "UTC", HOURS_ALL_DAYS, { "00:00" }, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z" },
	/* 2026-11-24 is a Tuesday */
	{ "UTC", MON | FRI, { "08:00" }, "2026-11-24T09:00:00Z", "2026-11-27T08:00:00Z" },
	{ "UTC", TUE, { "08:00" }, "2026-11-24T09:00:00Z", "2026-12-01T08:00:00Z" },
	{ "UTC", 0, { "08:00" }, "2026-11-24T09:00:00Z", "never" },
	{ "UTC", HOURS_ALL_DAYS, { NULL }, "2026-11-24T09:00:00Z", "never" },
	/* Berlin: +1, in summer +2; 2026-03-29 02:00 becomes 03:00 */
	{ "Europe/Berlin",
	  HOURS_ALL_DAYS,
	  { "08:00" },
	  "2026-03-28T12:00:00Z",
	  "2026-03-29T06:00:00Z" },
	{ "Europe/Berlin",
	  HOURS_ALL_DAYS,
	  { "02:30" },
	  "2026-03-28T12:00:00Z",
	  "2026-03-29T01:00:00Z" },
	{ "Europe/Berlin",
	  HOURS_ALL_DAYS,
	  { "02:10", "02:30" },
	  "2026-03-29T01:00:00Z",
	  "2026-03-30T00:10:00Z" },
	/* … and 2026-10-25 03:00 becomes 02:00 */
	{ "Europe/Berlin",
	  HOURS_ALL_DAYS,
	  { "02:30" },
	  "2026-10-24T12:00:00Z",
	  "2026-10-25T00:30:00Z" },
	{ "Europe/Berlin",
	  HOURS_ALL_DAYS,
	  { "02:30" },
	  "2026-10-25T00:30:00Z",
	  "2026-10-26T01:30:00Z" },
	{ "Europe/Berlin", SUN, { "00:00" }, "2026-10-24T22:30:00Z", "2026-10-31T23:00:00Z" },
	/* New York: -5, -4; 2026-03-08 and 2026-11-01 at 02:00 */
	{ "America/New_York",
	  HOURS_ALL_DAYS,
	  { "02:30" },
	  "2026-03-08T06:00:00Z",
	  "2026-03-08T07:00:00Z" },
	{ "America/New_York",
	  HOURS_ALL_DAYS,
	  { "01:30" },
	  "2026-11-01T04:00:00Z",
	  "2026-11-01T05:30:00Z" },
	{ "America/New_York",
	  MON,
	  { "09:00" },
	  "2026-11-01T12:00:00Z",
	  "2026-11-02T14:00:00Z" },
	/* Lord Howe: +10:30, in summer +11, half an hour; 2026-04-05 and 2026-10-04 */
	{ "Australia/Lord_Howe",
	  HOURS_ALL_DAYS,
	  { "02:15" },
	  "2026-10-03T12:00:00Z",
	  "2026-10-03T15:30:00Z" },
	{ "Australia/Lord_Howe",
	  HOURS_ALL_DAYS,
	  { "01:45" },
	  "2026-04-04T12:00:00Z",
	  "2026-04-04T14:45:00Z" },
	/* far off */
	{ "UTC", HOURS_ALL_DAYS, { "00:00" }, "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z" },
	{ "Europe/Berlin", WED, { "12:00" }, "2100-07-01T00:00:00Z", "2100-07-07T10:00:00Z" },
};

static void the_next_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct hours h = { .days = times[i].days, .zone = zone(times[i].zone) };

		for (; times[i].times[h.at_count] != NULL; h.at_count++)
			h.at[h.at_count] = minutes(times[i].times[h.at_count]);
		expect(times[i].zone, times[i].now, hours_next(&h, at(times[i].now)),
		       times[i].next);
		zone_free(&h.zone);
	}
}

static void quiet_hours(void **state)
{
	static const struct {
		const char *zone;
		unsigned days;
		const char *from, *until;
		const char *now, *end;
	} table[] = {
		{ "UTC", HOURS_ALL_DAYS, "22:00", "07:00", "2026-11-24T21:59:59Z", "not now" },
		{ "UTC", HOURS_ALL_DAYS, "22:00", "07:00", "2026-11-24T22:00:00Z",
		  "2026-11-25T07:00:00Z" },
		{ "UTC", HOURS_ALL_DAYS, "22:00", "07:00", "2026-11-25T06:59:59Z",
		  "2026-11-25T07:00:00Z" },
		{ "UTC", HOURS_ALL_DAYS, "22:00", "07:00", "2026-11-25T07:00:00Z", "not now" },
		{ "UTC", HOURS_ALL_DAYS, "12:00", "13:00", "2026-11-25T12:30:00Z",
		  "2026-11-25T13:00:00Z" },
		/* the days are those on which it begins: Friday night is over on Saturday */
		{ "UTC", FRI, "22:00", "07:00", "2026-11-28T03:00:00Z",
		  "2026-11-28T07:00:00Z" },
		{ "UTC", FRI, "22:00", "07:00", "2026-11-28T23:00:00Z", "not now" },
		{ "UTC", SAT | SUN, "00:00", "24:00", "2026-11-28T23:59:59Z",
		  "2026-11-29T00:00:00Z" },
		{ "UTC", SAT, "00:00", "24:00", "2026-11-29T00:00:00Z", "not now" },
		{ "UTC", 0, "22:00", "07:00", "2026-11-24T23:00:00Z", "not now" },
		/* over both changes: the end is what the clocks show */
		{ "Europe/Berlin", HOURS_ALL_DAYS, "20:00", "07:00", "2026-03-28T20:00:00Z",
		  "2026-03-29T05:00:00Z" },
		{ "Europe/Berlin", HOURS_ALL_DAYS, "20:00", "07:00", "2026-10-24T20:00:00Z",
		  "2026-10-25T06:00:00Z" },
		/* within the hour that is skipped, and the one that comes twice */
		{ "Europe/Berlin", HOURS_ALL_DAYS, "22:00", "02:30", "2026-03-28T23:00:00Z",
		  "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", HOURS_ALL_DAYS, "22:00", "02:30", "2026-10-24T23:00:00Z",
		  "2026-10-25T00:30:00Z" },
		{ "America/New_York", HOURS_ALL_DAYS, "01:30", "03:00", "2026-11-01T06:45:00Z",
		  "2026-11-01T08:00:00Z" },
		{ "Australia/Lord_Howe", HOURS_ALL_DAYS, "23:00", "06:00",
		  "2026-10-03T13:00:00Z", "2026-10-03T19:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct quiet q = { .from = minutes(table[i].from),
				   .until = minutes(table[i].until),
				   .days = table[i].days,
				   .zone = zone(table[i].zone) };

		expect(table[i].zone, table[i].now, hours_quiet_until(&q, at(table[i].now)),
		       table[i].end);
		zone_free(&q.zone);
	}
}

/* Whatever the moment: the next time is later, no more than eight days off, and shown so by the
 * zone's clock or by its change. */
static void any_moment_has_a_next_time(void **state)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York",
					     "Australia/Lord_Howe", "Africa/Casablanca" };
	enum { HOUR = 3600000, STEPS = 9000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct hours h = { .at = { 150 }, .at_count = 1, .days = SUN };
		int64_t now = at("2026-01-01T00:00:00Z");

		h.zone = zone(zones[i]);
		for (int k = 0; k < STEPS; k++, now += HOUR) {
			int64_t next = hours_next(&h, now);

			assert_true(next > now && next <= now + 8 * 24 * (int64_t)HOUR);
		}
		zone_free(&h.zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_time),
		cmocka_unit_test(quiet_hours),
		cmocka_unit_test(any_moment_has_a_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
