/*
 * again: an open that was delivered is told again, while nobody has taken care of it.
 *
 * The row of a repeat is made when the delivery before it is done, held for the route's time,
 * and ends `dropped` when the alert is acknowledged or over by then.
 */
#ifndef STORE_AGAIN_H
#define STORE_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/batches.h"

/* Row id is done: makes the next one, where its route repeats and its alert is still open. */
void again_after(struct store *s, int64_t id, const struct repeats *repeats, int64_t now);

/* Does this event open an alert that is neither acknowledged nor over, nor in a later episode? */
bool again_is_open(struct store *s, int64_t event);

/* What waits to be told again, or to escalate, ends: "no longer open". The history is that of
 * the alert; false: there was nothing. */
bool again_end_waiting(struct store *s, int64_t now);

#endif
