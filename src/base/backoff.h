/*
 * backoff: how long to wait, with chance from a seeded generator.
 *
 * Full jitter: a wait is drawn evenly from 0 to min(max, min·2^(n-1)), so that many rows that
 * failed together do not come back together. Pure: the same seed gives the same waits.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct chance {
	uint64_t state;
};

void chance_seed(struct chance *c, uint64_t seed);
uint64_t chance_next(struct chance *c);
/* Evenly from 0 to below - 1; below >= 1. */
int64_t chance_below(struct chance *c, int64_t below);

/* The wait before try n + 1, when n >= 1 tries have failed; 0 < min_ms <= max_ms. */
int64_t backoff_ms(struct chance *c, int64_t min_ms, int64_t max_ms, int64_t n);

/* wait_ms plus up to a tenth of it (at least 1 ms more), for a wait that somebody asked for. */
int64_t backoff_jitter_ms(struct chance *c, int64_t wait_ms);

#endif
