/*
 * hours: from what a clock on the wall shows to moments, and back.
 *
 * A wall time is looked for with the zone's offset well before it, then with the one well after:
 * so of a time that is shown twice the first moment is found. One that is never shown lies in
 * the gap between the two, and the change itself is found by halving.
 */
#include "model/hours.h"

enum {
	MINUTE_MS = 60000,
	DAY_MS = HOURS_DAY_MIN * MINUTE_MS,
	WEEK_DAYS = 7,
	THURSDAY = 3, /* day 0 of the epoch, with Monday as 0 */
};

static int64_t day_of(int64_t wall)
{
	return wall >= 0 ? wall / DAY_MS : -((-wall + DAY_MS - 1) / DAY_MS);
}

static bool is_on(unsigned days, int64_t day)
{
	int64_t weekday = ((day + THURSDAY) % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS;

	return (days >> weekday & 1) != 0;
}

static int64_t offset_at(const struct zone *z, int64_t at)
{
	const char *called;

	return zone_offset(z, at, &called);
}

/* The first moment in (from, to] at which the offset is no longer that of `from`. */
static int64_t find_change(const struct zone *z, int64_t from, int64_t to)
{
	int64_t before = offset_at(z, from);

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		if (offset_at(z, middle) == before)
			from = middle;
		else
			to = middle;
	}
	return to;
}

/* The moment at which the zone's clocks show this wall time (ms since the epoch as if UTC). */
static int64_t moment_of(const struct zone *z, int64_t wall)
{
	int64_t before = offset_at(z, wall - DAY_MS), after = offset_at(z, wall + DAY_MS);
	int64_t early = wall - before, late = wall - after;

	if (before == after || offset_at(z, early) == before)
		return early;
	if (offset_at(z, late) == after)
		return late;
	return find_change(z, wall - DAY_MS - before, wall + DAY_MS - after);
}

static int64_t today(const struct zone *z, int64_t now)
{
	return day_of(now + offset_at(z, now));
}

/* The first of the day's times after now; INT64_MAX: there is none. */
static int64_t next_of_day(const struct hours *h, int64_t day, int64_t now)
{
	for (size_t i = 0; i < h->at_count; i++) {
		int64_t at = moment_of(h->zone, day * DAY_MS + (int64_t)h->at[i] * MINUTE_MS);

		if (at > now)
			return at;
	}
	return INT64_MAX;
}

int64_t hours_next(const struct hours *h, int64_t now)
{
	int64_t day = today(h->zone, now);

	for (int64_t d = day - 1; d <= day + WEEK_DAYS + 1; d++) {
		int64_t at = is_on(h->days, d) ? next_of_day(h, d, now) : INT64_MAX;

		if (at != INT64_MAX)
			return at;
	}
	return INT64_MAX;
}

int64_t hours_quiet_until(const struct quiet *q, int64_t now)
{
	int64_t day = today(q->zone, now), latest = 0;
	int64_t length_days = q->until <= q->from ? 1 : 0;

	for (int64_t d = day - 2; d <= day + 1; d++) {
		if (!is_on(q->days, d))
			continue;
		int64_t from = d * DAY_MS + (int64_t)q->from * MINUTE_MS;
		int64_t until = (d + length_days) * DAY_MS + (int64_t)q->until * MINUTE_MS;
		int64_t end = moment_of(q->zone, until);

		if (moment_of(q->zone, from) <= now && now < end && end > latest)
			latest = end;
	}
	return latest;
}
