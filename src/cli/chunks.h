/*
 * chunks: changes many deliveries, a few at a time, so that a daemon beside it does not feel it.
 */
#ifndef CLI_CHUNKS_H
#define CLI_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* A change of some rows, in one transaction: store_requeue(), store_drop(), store_hasten(). */
typedef int64_t chunk_change(struct store *s, const struct selection *which, int64_t now,
			     struct err *err);

struct chunks {
	struct store *store;
	const int64_t *ids;
	size_t id_count;
	unsigned states;   /* as in a selection */
	struct pace *pace; /* as in a selection */
	chunk_change *change;
	const char *done; /* what the change does, for the progress: "requeued" */
	/* zero; filled as far as it went */
	size_t taken;        /* of the ids */
	int64_t changed;     /* rows made or ended */
	bool is_interrupted; /* INT or TERM came: the rest is as it was */
};

/* False and err when the store refused; what was taken before stays changed. */
bool chunks_run(struct chunks *c, struct err *err);

#endif
