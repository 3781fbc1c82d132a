/*
 * history: the rows that one alert has so far, and what they say of each sink.
 *
 * Events of an alert are a chain, newest first; the rows of an event are one range of keys. So
 * an alert's past is read by a few seeks and without an index. The walk ends where no row can
 * matter: before the current episode, and before the oldest event with a row that has not
 * ended (alerts.unended_from).
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

struct store;

struct past_row {
	int64_t id, after, due_at;
	int sink;
	enum delivery_state state;
	bool maybe_sent;
	bool has_progress; /* a step of several is done */
};

/* What the rows of the episode say of one sink. */
struct past_sink {
	int sink;
	int route;         /* of its first row: the one that chose it */
	bool is_alive;     /* a row of it is live (not ended) or was heard */
	bool is_filtered;  /* its route did not choose the event, yet it belongs */
	int64_t oldest_id; /* of its first row */
};

struct history {
	struct past_row *rows; /* newest event first, within an event by key */
	size_t row_count, row_room;
	struct past_sink *sinks; /* by number */
	size_t sink_count, sink_room;
	int64_t unended_from; /* the oldest event with an unended row; INT64_MAX: none */
};

void history_release(struct history *h);
void history_clear(struct history *h);

/*
 * Reads s->history: the rows of last_event (0: none) and of the older ones, as far as
 * unended_from and the beginning of `episode`. Sinks are those of that episode alone.
 */
void history_load(struct store *s, int64_t last_event, int64_t unended_from, int64_t episode);

/* NULL: this sink has no row in the episode. */
const struct past_sink *history_sink(const struct history *h, int sink);

/* The newest row of the sink that has not ended (orphaned ones count), or NULL. */
struct past_row *history_unended(struct history *h, int sink);

#endif
