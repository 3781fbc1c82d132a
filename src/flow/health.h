/*
 * health: is all well, and if not, why: what only the daemon knows, as one JSON text.
 *
 * `tocsin status` reads it from the store's runtime row; it is written at most once a second
 * and only when it changed. Ready means: the store takes writes and every source has completed
 * a pass since start without failing now.
 */
#ifndef FLOW_HEALTH_H
#define FLOW_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flow/deliver.h"
#include "flow/queue.h"
#include "flow/source.h"

struct health_view {
	const struct settings *settings;
	struct source *const *sources; /* one a source */
	const struct queue *queue;
	const struct deliver *deliver;
	long pid;
	int64_t started_at;
	bool is_room_low; /* the disk has less than store_reserve left */
};

/* True when ready; out gets the JSON object. */
bool health_write(const struct health_view *v, struct buf *out);

#endif
