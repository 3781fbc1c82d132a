/*
 * claims: the rows that a turn takes to be sent.
 *
 * Called within the turn's transaction, but for claims_next_due(); failures stick to it.
 */
#ifndef STORE_CLAIMS_H
#define STORE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"
#include "store/store.h"

struct claims {
	struct store *s;
	const struct turn_batch *batch;
	struct claim *list; /* owned, with all their texts */
	size_t count, room;
	struct answer *answers; /* one an ask; owned */
};

void claims_init(struct claims *run, struct store *s, const struct turn_batch *batch);
void claims_release(struct claims *run);

/* Answers every ask of the batch. */
void claims_take(struct claims *run);

/* When the next row of this sink is due; INT64_MAX: none is. */
int64_t claims_next_due(struct store *s, int sink);
/* The row that is due next waits longer than any wait that could have been chosen. */
bool claims_has_jumped(const struct claims *run, const struct ask *ask, int64_t next_due_at);

/* Binds up to SQL_LIST_MAX ids to a list in a statement. */
void claims_bind_list(struct stmt *q, const int64_t *ids, size_t count);

#endif
