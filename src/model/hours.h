/*
 * hours: times of the day, on days of the week, in a zone: when a digest goes out, when a quiet
 * window ends.
 *
 * Days and times are what the zone's clocks show. A time that a clock skips in spring (02:30) is
 * the moment of the change; one that it shows twice in autumn is the first of the two.
 */
#ifndef MODEL_HOURS_H
#define MODEL_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

struct matcher;

enum {
	HOURS_TIMES_MAX = 24,
	HOURS_ALL_DAYS = (1 << 7) - 1, /* bit 0 is Monday */
	HOURS_DAY_MIN = 24 * 60,       /* minutes */
};

/* `digest = { at; days; tz; budgets; }`: at these minutes of these days. */
struct hours {
	int at[HOURS_TIMES_MAX]; /* minutes since midnight, ascending */
	size_t at_count;         /* 0: never */
	unsigned days;           /* bits, from Monday */
	struct zone *zone;       /* NULL: UTC */
	bool budgets;            /* the table of all budgets goes along */
};

/* `quiet = ( { from; until; days; tz; except; } )`: begins on these days, may cross midnight. */
struct quiet {
	int from, until; /* minutes since midnight, never the same */
	unsigned days;   /* those on which it begins */
	struct zone *zone;
	struct matcher **except; /* what any of them matches passes */
	size_t except_count;
};

/* The first of these times after now. INT64_MAX: there is none. */
int64_t hours_next(const struct hours *h, int64_t now);

/* When the window that now lies in ends (now < end); 0: now lies in none. */
int64_t hours_quiet_until(const struct quiet *q, int64_t now);

#endif
