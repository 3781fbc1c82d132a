/*
 * overlap: what lists of matchers say of each other, for warnings about routes.
 *
 * Each list is ANDed. In doubt nothing is claimed: a pattern is only known to be what it is, and
 * where values can't be tried they may be anything.
 */
#ifndef MODEL_OVERLAP_H
#define MODEL_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>

#include "model/matcher.h"

struct matchers {
	struct matcher *const *list;
	size_t count;
};

/* What is asked of, and how long. */
struct overlap {
	const char *const *sources; /* names that `source` can have, ended by NULL */
	size_t tries; /* left: of some microseconds each; 0: nothing is claimed any more */
};

/* The field of which no value fits all its matchers, so that no alert ever matches; NULL: none. */
const char *overlap_impossible(struct overlap *o, struct matchers m);

/* Is it sure that a matches whatever b matches? */
bool overlap_covers(struct overlap *o, struct matchers a, struct matchers b);

/* Can one alert match both? Each must be possible by itself. False where tries ran out. */
bool overlap_meet(struct overlap *o, struct matchers a, struct matchers b);

#endif
