/*
 * health: is all well, and if not, why: what only the daemon knows, as one JSON text.
 *
 * The one place that says what "ready" means: /-/ready, the service manager and the log line
 * ask here. `tocsin status` reads the JSON from the store's runtime row; it is written at most
 * once a second and only when it changed. Ready means: the store takes writes, every source has
 * completed a pass since start without failing now, and no sink refuses one payload after another.
 */
#ifndef FLOW_HEALTH_H
#define FLOW_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flow/deliver.h"
#include "flow/parts.h"
#include "flow/queue.h"
#include "flow/roster.h"
#include "flow/source.h"
#include "flow/upkeep.h"

struct health_view {
	const struct settings *settings;
	const struct roster *roster;
	struct parts *const *parts;    /* one a sink, in the settings' order */
	struct source *const *sources; /* one a source */
	const struct queue *queue;
	const struct deliver *deliver;
	const struct upkeep *upkeep;
	long pid;
	int64_t started_at;
	bool is_room_low;         /* the disk has less than store_reserve left */
	const char *reload_error; /* of the last reload; NULL: it worked, or there was none */
	bool is_stopping;
	const char *store_lost; /* what became of the store's file; "": it is where it was */
};

/* True when ready; else out gets the reasons, a line each. */
bool health_reasons(const struct health_view *v, struct buf *lines);

/* True when ready; out gets the JSON object. */
bool health_write(const struct health_view *v, struct buf *out);

#endif
