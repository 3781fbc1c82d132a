/*
 * history: reads it and answers.
 *
 * A sink belongs to an episode when any of its rows there is live or was heard. Any, and not
 * the newest: a sink that heard the open hears the close, though what came between is a dead
 * letter. Heard is `done`, or maybe_sent in whatever state: nobody can say it was not. A row
 * that the route's `events` left out also counts, since the route chose the sink, only not for
 * this event.
 */
#include "store/history.h"

#include <string.h>

#include "base/mem.h"
#include "store/inner.h"

enum { EPISODES_BACK_MAX = 100 }; /* events that are read on for what a sink heard last */

void history_release(struct history *h)
{
	mem_free(&h->rows);
	mem_free(&h->sinks);
	*h = (struct history){ 0 };
}

void history_clear(struct history *h)
{
	h->row_count = 0;
	h->sink_count = 0;
	h->unended_from = INT64_MAX;
	h->older = 0;
}

bool history_is_unended(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_DUE:
	case DELIVERY_HELD:
	case DELIVERY_CLAIMED:
	case DELIVERY_ORPHANED: return true;
	case DELIVERY_DONE:
	case DELIVERY_DEAD:
	case DELIVERY_MOVED:
	case DELIVERY_DROPPED: break;
	}
	return false;
}

static bool was_heard(const struct past_row *row)
{
	return row->state == DELIVERY_DONE || row->maybe_sent;
}

bool history_is_dormant(const struct past_row *row)
{
	enum delivery_origin origin = delivery_key_origin(row->id);

	return (origin == ORIGIN_ESCALATION || origin == ORIGIN_REPEAT) && row->held_until != 0;
}

/* The place of a sink in the sorted list, made when new. */
static struct past_sink *sink_at(struct history *h, int sink)
{
	size_t at = 0;

	while (at < h->sink_count && h->sinks[at].sink < sink)
		at++;
	if (at < h->sink_count && h->sinks[at].sink == sink)
		return &h->sinks[at];
	if (h->sink_count == h->sink_room) {
		h->sink_room = h->sink_room * 2 + 8;
		h->sinks = mem_resize(h->sinks, h->sink_room, sizeof(*h->sinks));
	}
	memmove(&h->sinks[at + 1], &h->sinks[at], (h->sink_count - at) * sizeof(*h->sinks));
	h->sink_count++;
	h->sinks[at] = (struct past_sink){ .sink = sink, .oldest_id = INT64_MAX };
	return &h->sinks[at];
}

static void note_sink(struct history *h, const struct past_row *row, int route,
		      const char *reason)
{
	if (history_is_dormant(row))
		return;
	struct past_sink *sink = sink_at(h, row->sink);

	if (row->id < sink->oldest_id) {
		sink->oldest_id = row->id;
		sink->route = route;
	}
	if (history_is_unended(row->state) || was_heard(row))
		sink->is_alive = true;
	else if (row->state == DELIVERY_DROPPED && strcmp(reason, STORE_NOT_CHOSEN) == 0)
		sink->is_filtered = true;
}

static void load_rows(struct store *s, int64_t event, bool in_episode, bool is_close)
{
	struct history *h = &s->history;
	struct stmt *q = db_use(s->db, SQL_ROWS_OF_EVENT);

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	while (stmt_row(q)) {
		if (h->row_count == h->row_room) {
			h->row_room = h->row_room * 2 + 16;
			h->rows = mem_resize(h->rows, h->row_room, sizeof(*h->rows));
		}
		struct past_row *row = &h->rows[h->row_count++];

		*row = (struct past_row){
			.id = stmt_int(q, 0),
			.sink = store_sink_now(s, delivery_key_sink(stmt_int(q, 0))),
			.due_at = stmt_int(q, 3),
			.after = stmt_int(q, 4),
			.in_episode = in_episode,
			.is_close = is_close,
			.maybe_sent = stmt_int(q, 5) != 0,
			.has_progress = stmt_int(q, 6) != 0,
			.attempt = stmt_int(q, 8),
			.held_until = stmt_int(q, 9),
			.grp = stmt_int(q, 10),
			.batch = stmt_int(q, 11),
		};
		if (row->held_until != 0)
			(void)hold_reason_parse(stmt_word(q, 7), &row->hold);
		if (!delivery_state_parse(stmt_word(q, 2), &row->state))
			row->state = DELIVERY_DEAD;
		if (in_episode)
			note_sink(h, row, (int)stmt_int(q, 1), stmt_word(q, 7));
		if (history_is_unended(row->state))
			h->unended_from = event;
	}
}

static bool is_close_word(const char *kind)
{
	return strcmp(kind, event_kind_name(EVENT_RESOLVED)) == 0;
}

void history_load(struct store *s, int64_t last_event, int64_t unended_from, int64_t episode)
{
	history_clear(&s->history);
	for (int64_t event = last_event; event != 0;) {
		struct stmt *q = db_use(s->db, SQL_EVENT_LINK);

		stmt_bind_int(q, 1, event);
		if (!stmt_row(q))
			return;
		int64_t prev = stmt_int(q, 0);
		bool in_episode = stmt_int(q, 1) == episode;
		bool is_close = is_close_word(stmt_word(q, 2));

		stmt_end(q);
		s->history.older = event;
		if (event < unended_from && !in_episode)
			return;
		load_rows(s, event, in_episode, is_close);
		s->history.older = event = prev;
	}
}

bool history_load_at(struct store *s, int64_t event)
{
	struct stmt *q = db_use(s->db, SQL_EVENT_LINK);

	stmt_bind_int(q, 1, event);
	if (!stmt_row(q))
		return false;
	int64_t episode = stmt_int(q, 1);

	stmt_end(q);
	q = db_use(s->db, SQL_ALERT_OF_EVENT);
	stmt_bind_int(q, 1, event);
	if (!stmt_row(q))
		return false;
	int64_t last_event = stmt_int(q, 0), unended_from = stmt_int(q, 1);

	stmt_end(q);
	history_load(s, last_event, unended_from, episode);
	return true;
}

const struct past_sink *history_sink(const struct history *h, int sink)
{
	for (size_t i = 0; i < h->sink_count; i++)
		if (h->sinks[i].sink == sink)
			return &h->sinks[i];
	return NULL;
}

/* Its own rows before those of the sinks that it has taken over from. */
static bool is_nearer(const struct past_row *row, const struct past_row *than, int sink)
{
	bool is_own = delivery_key_sink(row->id) == sink;

	if (than == NULL || is_own != (delivery_key_sink(than->id) == sink))
		return than == NULL || is_own;
	return row->id > than->id;
}

struct past_row *history_unended(struct history *h, int sink)
{
	struct past_row *newest = NULL;

	for (size_t i = 0; i < h->row_count; i++) {
		struct past_row *row = &h->rows[i];

		if (row->sink == sink && history_is_unended(row->state) &&
		    !history_is_dormant(row) && is_nearer(row, newest, sink))
			newest = row;
	}
	return newest;
}

const struct past_row *history_row(const struct history *h, int64_t id)
{
	for (size_t i = 0; i < h->row_count; i++)
		if (h->rows[i].id == id)
			return &h->rows[i];
	return NULL;
}

bool history_waits_for(const struct history *h, const struct past_row *row, int64_t id)
{
	for (; row != NULL && row->after != 0; row = history_row(h, row->after))
		if (row->after == id)
			return true;
	return false;
}

bool history_heard(const struct history *h, int sink, int64_t below)
{
	for (size_t i = 0; i < h->row_count; i++) {
		const struct past_row *row = &h->rows[i];

		if (row->in_episode && row->sink == sink && row->id < below && was_heard(row))
			return true;
	}
	return false;
}

/* Did the sink hear this event? */
static bool heard_event(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_ROWS_HEARD);
	bool heard = false;

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	while (!heard && stmt_row(q))
		heard = store_sink_now(s, delivery_key_sink(stmt_int(q, 0))) == sink;
	stmt_end(q);
	return heard;
}

bool history_believes_open(struct store *s, int sink)
{
	const struct history *h = &s->history;
	int64_t event = h->older;

	for (size_t i = 0; i < h->row_count; i++)
		if (h->rows[i].sink == sink && was_heard(&h->rows[i]))
			return !h->rows[i].is_close;
	for (int i = 0; i < EPISODES_BACK_MAX && event != 0; i++) {
		struct stmt *q = db_use(s->db, SQL_EVENT_LINK);

		stmt_bind_int(q, 1, event);
		if (!stmt_row(q))
			return false;
		int64_t prev = stmt_int(q, 0);
		bool is_close = is_close_word(stmt_word(q, 2));

		stmt_end(q);
		if (heard_event(s, event, sink))
			return !is_close;
		event = prev;
	}
	return event != 0; /* a close too many rather than one too few */
}

bool history_tells(const struct history *h, int sink, int64_t event)
{
	for (size_t i = 0; i < h->row_count; i++) {
		const struct past_row *row = &h->rows[i];

		if (row->sink == sink && delivery_key_event(row->id) >= event &&
		    (history_is_unended(row->state) || was_heard(row)))
			return true;
	}
	return false;
}
