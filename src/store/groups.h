/*
 * groups: which groups are open, and which storms go on.
 *
 * Each is a row by a key that flow makes: of route, sink and what else makes rows one. All is
 * called within a transaction.
 */
#ifndef STORE_GROUPS_H
#define STORE_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/holds.h"

struct store;

/* One more row of this group, which is opened where none is; until when it waits. The row that
 * makes the group full ends the wait of all. */
int64_t groups_join(struct store *s, const struct wish *wish, int64_t now);

enum storm_says {
	STORM_IS_CALM,
	STORM_BEGINS, /* this row is the first of too many */
	STORM_HOLDS,  /* one goes on: the row waits until *until */
};
/* One more row that a storm counts. */
enum storm_says groups_count_storm(struct store *s, const struct wish *wish, int64_t now,
				   int64_t *until);

/* Those of this key go out now: a group is over; of a storm, whether it goes on. */
bool groups_end(struct store *s, int64_t key, int64_t now);
/* Does the window that ends now show that the storm goes on? */
bool groups_goes_on(struct store *s, int64_t key);

#endif
