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
	int64_t id, after, due_at, attempt;
	int sink; /* whose it is now: the heir of one that is gone */
	enum delivery_state state;
	bool in_episode; /* in the one that was asked for */
	bool maybe_sent;
	bool has_progress; /* a step of several is done */
	bool is_close;     /* of a resolved */
	/* Held for a time (0: not), for what and with whom; or a member of a digest (0: none). */
	int64_t held_until, grp, batch;
	enum hold_reason hold;
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
	int64_t older;        /* the newest event that was not read; 0: none is left */
};

void history_release(struct history *h);
void history_clear(struct history *h);

/*
 * Reads s->history: the rows of last_event (0: none) and of the older ones, as far as
 * unended_from and the beginning of `episode`. Sinks are those of that episode alone.
 */
void history_load(struct store *s, int64_t last_event, int64_t unended_from, int64_t episode);

/* The same, for the alert and the episode of this event, whatever came later included. */
bool history_load_at(struct store *s, int64_t event);

bool history_is_unended(enum delivery_state state);

/* NULL: this sink has no row in the episode. */
const struct past_sink *history_sink(const struct history *h, int sink);

/* A step of an escalation, or a repeat, whose time has not come: it stands in no line yet, and its
 * sink belongs to the episode only by other rows. */
bool history_is_dormant(const struct past_row *row);

/* The newest row of the sink that has not ended (orphaned ones count, dormant ones do not); where
 * it has none, of those that it has taken over from; or NULL. */
struct past_row *history_unended(struct history *h, int sink);

/* The row with this key; NULL: there is none. */
const struct past_row *history_row(const struct history *h, int64_t id);

/* Does the row wait behind row id, or behind one that does? */
bool history_waits_for(const struct history *h, const struct past_row *row, int64_t id);

/* Has this sink heard of the episode (invariant 5), by a row with a key below this one? */
bool history_heard(const struct history *h, int sink, int64_t below);

/* Is what this sink heard last of the alert, in whatever episode, no close? Then it is owed one.
 * Reads on where it must; the history stays as it is. */
bool history_believes_open(struct store *s, int sink);

/* Does this sink hear, or has it heard, this event or a later one of the alert? */
bool history_tells(const struct history *h, int sink, int64_t event);

#endif
