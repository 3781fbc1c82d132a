/*
 * weather: what is wrong with an API for a while: a kind of fault, how often, until when.
 *
 * Each request draws once; the draw is the API's own chance, so a story repeats exactly.
 */
#ifndef WORLD_WEATHER_H
#define WORLD_WEATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "world/sim_io.h"

enum fault {
	FAULT_NONE,
	/* The request is not served. */
	FAULT_500,
	FAULT_503,
	FAULT_429,
	FAULT_401,
	FAULT_403,
	FAULT_HANG,
	FAULT_REFUSED,
	FAULT_CUT,
	FAULT_HTML,
	FAULT_BAD_JSON,
	FAULT_TORN_JSON,
	FAULT_TOO_LARGE,
	/* The page is served, but odd. */
	FAULT_REPEATED_PAGE,
	FAULT_CURSOR_LOOP,
	FAULT_TORN_END, /* has_more, and no next_cursor */
	FAULT_BAD_ITEMS,
	/* The page is right. */
	FAULT_SLOW,
	FAULT_CROWD, /* others use up the limit */
	FAULT_WRONG_DATE,
	FAULT_KINDS
};

struct weather {
	enum fault kind;
	int64_t percent;
	int64_t until;
};

const char *fault_name(enum fault kind);

/* The fault that this request meets. */
enum fault weather_draw(const struct weather *w, struct chance *chance, int64_t now);
bool weather_is(const struct weather *w, enum fault kind, int64_t now);
/* Answers for a fault by which nothing is served; false: it is no such. */
bool weather_answer(enum fault kind, struct sim_answer *out);

#endif
