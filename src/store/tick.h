/*
 * tick: a turn's look at rows whose time has come.
 *
 * Called within the turn's transaction, but for tick_next_at(); failures stick to it.
 */
#ifndef STORE_TICK_H
#define STORE_TICK_H

#include <stddef.h>
#include <stdint.h>

#include "store/batches.h"

/* Returns how many rows became due, or lead a digest now. */
size_t tick_run(struct store *s, const struct tick *tick, const struct repeats *repeats,
		int64_t now);

/* When the next look is wanted, within STORE_TICK_MAX_MS; INT64_MAX: nothing is held. */
int64_t tick_next_at(struct store *s, const struct tick *tick, int64_t now);

#endif
