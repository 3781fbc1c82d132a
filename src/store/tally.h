/*
 * tally: how many rows wait, by sink, counted in small steps.
 *
 * A million rows take a fifth of a second to count, and the loop has no such time (invariant 10):
 * so a walk over the indexes of what waits goes on from step to step, and the counts of the last
 * complete walk stand until the next one is. Where a walk needs several steps its rows move on
 * meanwhile, so its counts are near, not exact. No hot statement pays anything for them.
 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include "store/store.h"

struct tally;

struct tally_counts {
	int64_t due, held, dead;
	int64_t oldest_due_at; /* INT64_MAX: nothing is due */
};

struct tally *tally_new(struct store *s) __attribute__((warn_unused_result));
void tally_free(struct tally **t);

/*
 * Reads on, some `rows` rows at most, beginning a walk when none is under way. True: the walk is
 * over, and its counts stand. A store that can't be read ends it too, without a change.
 */
bool tally_step(struct tally *t, size_t rows);
/* Was anything written since the last walk began? */
bool tally_is_stale(struct tally *t);
/* Of this sink (a number of the store); NULL before the first walk is over. */
const struct tally_counts *tally_of(const struct tally *t, int sink);

#endif
