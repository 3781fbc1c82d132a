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

/*
 * The field of which no value fits all its matchers, so that no alert ever matches; NULL: none is
 * known. sources: the names that `source` can have, ended by NULL.
 */
const char *overlap_impossible(struct matchers m, const char *const *sources);

/* Does a match whatever b matches? */
bool overlap_covers(struct matchers a, struct matchers b, const char *const *sources);

/* Can one alert match both? */
bool overlap_meet(struct matchers a, struct matchers b, const char *const *sources);

#endif
