/*
 * move: rows that go to another sink, the fallback of theirs.
 *
 * A moved row ends `moved`, and in the same transaction the fallback gets a row for the same
 * event (origin `fallback`, ordinal 1, the same route), in its proper place. All is called
 * within a transaction; failures stick to it.
 */
#ifndef STORE_MOVE_H
#define STORE_MOVE_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/*
 * Row id has just ended `moved`: makes the fallback's row, and takes along what waits behind.
 * Where the row's own sink may have heard of the episode, what waits stays there as well.
 */
void move_on(struct store *s, int64_t id, int to, const char *reason, int64_t now);

/* Looks at the next rows of a sink that is down, and moves those that may go. */
void move_waiting(struct store *s, const struct move *move, int64_t now, struct moved *moved);

/* True when there is no row to look at; `moved` says so. Needs no transaction. */
bool move_is_idle(struct store *s, const struct move *move, struct moved *moved);

#endif
