/*
 * adopt: rows follow their sinks: gone, back, or taken over.
 *
 *   sink gone         due, held ──▶ orphaned
 *   sink back         orphaned ──▶ due, or held behind the older one
 *   sink has an heir  due, held, orphaned ──▶ moved, and a row of the heir's in its place
 *
 * A sink may have a million rows, so a walk by key does it, in steps between the turns. Nothing
 * hangs on its being quick: a claim asks for sinks that are there, and never finds an orphan. The
 * sinks concerned are marked `is_moving` until the walk is over, so that a kill within it only
 * makes it begin again; each step is one transaction and finds what earlier ones did as done.
 *
 * The heir's row belongs to the same event, so that a receiver of every event gets every one in
 * order; it takes over the mark of what may have been heard, and its place in line: behind what
 * the old one waited for, before what waited for the old one. Where the heir has a row of its own
 * for that event or a later one of the alert, live or heard, an old one would come after its own
 * successor and is only ended. What waits behind a row on its way to the old sink waits on, so
 * that a close never overtakes its open; it is adopted when that one has settled.
 */
#include <stdio.h>

#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"

enum {
	ROWS_LOOKED_AT = 4000, /* a step: some 2 ms */
	ROWS_CHANGED = 500,
};

void adopt_note(struct store *s, int64_t id)
{
	struct stmt *q = db_use(s->db, SQL_SINK_MOVING);

	stmt_bind_int(q, 1, delivery_key_sink(id));
	stmt_run(q);
	if (s->adopt_from < 0 || s->adopt_from > id)
		s->adopt_from = id;
}

static void change(struct store *s, enum sql sql, int64_t id)
{
	struct stmt *q = db_use(s->db, sql);

	stmt_bind_int(q, 1, id);
	stmt_run(q);
}

/* ---- one row of a sink that has an heir ---- */

struct adoption {
	struct store *s;
	int64_t id, now;
	struct stored_row row;
	int heir;
};

/* Its sink's other rows go first; while they do, it waits for them. */
static bool is_adoptable(const struct adoption *a)
{
	if (a->row.after != 0 && a->s->sinks[delivery_key_sink(a->row.after)].heir != 0)
		return false;
	return a->row.state == DELIVERY_DUE || a->row.state == DELIVERY_HELD ||
	       a->row.state == DELIVERY_ORPHANED;
}

/* A row of the heir's own line, not one that waits for the old row. */
static bool is_heirs(const struct adoption *a, const struct past_row *row)
{
	return delivery_key_sink(row->id) == a->heir &&
	       !history_waits_for(&a->s->history, row, a->id);
}

/* Does that row of the heir's tell as much or more, and not only after the old one? */
static bool tells_all(const struct adoption *a, const struct past_row *row)
{
	int64_t event = delivery_key_event(row->id), old = delivery_key_event(a->id);
	bool tells = history_is_unended(row->state) || row->state == DELIVERY_DONE ||
		     row->maybe_sent;

	return tells && delivery_key_sink(row->id) == a->heir &&
	       (event == old || (event > old && is_heirs(a, row)));
}

static bool is_superseded(const struct adoption *a)
{
	const struct history *h = &a->s->history;

	for (size_t i = 0; i < h->row_count; i++)
		if (tells_all(a, &h->rows[i]))
			return true;
	return false;
}

/* What the heir's row waits for: what the old one did, else the heir's newest so far. */
static int64_t place_of(const struct adoption *a)
{
	const struct history *h = &a->s->history;
	int64_t newest = 0;

	if (a->row.after != 0)
		return a->row.after;
	for (size_t i = 0; i < h->row_count; i++)
		if (history_is_unended(h->rows[i].state) && h->rows[i].id > newest &&
		    is_heirs(a, &h->rows[i]))
			newest = h->rows[i].id;
	return newest;
}

static void end(const struct adoption *a)
{
	char reason[120];
	struct stmt *q = db_use(a->s->db, SQL_SINK_NAME);

	stmt_bind_int(q, 1, a->heir);
	snprintf(reason, sizeof(reason), "adopted by %s", stmt_row(q) ? stmt_word(q, 0) : "?");
	stmt_end(q);
	order_end(a->s, a->id, DELIVERY_MOVED, reason, a->now);
}

static void add_heirs_row(const struct adoption *a, int64_t key)
{
	int64_t after = place_of(a);
	bool is_spread = a->row.attempt == 0 && a->row.due_at > a->now;
	const struct place place = { .state = after != 0 ? DELIVERY_HELD : DELIVERY_DUE,
				     .after = after,
				     /* What an operator spreads over time keeps its time. */
				     .due_at = is_spread ? a->row.due_at : a->now };

	order_add_row(a->s, key, a->row.route, &place, a->now);
	if (a->row.maybe_sent) {
		struct stmt *q = db_use(a->s->db, SQL_ROW_MARK);

		stmt_bind_int(q, 1, key);
		stmt_run(q);
	}
}

/* It, or the digest that it is in, comes here when it is free. */
static bool waits_for_time(const struct stored_row *row)
{
	return row->held_until != 0 || (row->batch != 0 && row->state == DELIVERY_HELD);
}

static void adopt(struct adoption *a)
{
	struct store *s = a->s;
	int64_t event = delivery_key_event(a->id);

	if (!order_find(s, a->id, &a->row) || waits_for_time(&a->row))
		return;
	batches_part(s, a->id, a->row.batch, a->now);
	if (!is_adoptable(a) || !history_load_at(s, event)) {
		change(s, SQL_ORPHAN, a->id);
		return;
	}
	int64_t key = is_superseded(a) ? 0 : order_requeue_key(s, event, a->heir);

	if (key != 0)
		add_heirs_row(a, key);
	end(a);
	order_release(s, a->id, key != 0 ? key : a->row.after, a->now);
}

/* ---- the walk ---- */

static void move(struct store *s, int64_t id, int64_t now)
{
	const struct sink_facts *sink = &s->sinks[delivery_key_sink(id)];
	struct adoption a = { .s = s, .id = id, .now = now, .heir = sink->heir };

	if (sink->heir != 0)
		adopt(&a);
	else
		change(s, sink->is_absent ? SQL_ORPHAN : SQL_RETURN, id);
}

/* Is a row in that state not as its sink is? */
static bool is_astray(const struct sink_facts *sink, enum delivery_state state)
{
	switch (state) {
	case DELIVERY_DUE:
	case DELIVERY_HELD: return sink->is_absent;
	case DELIVERY_ORPHANED: return !sink->is_absent || sink->heir != 0;
	case DELIVERY_CLAIMED: /* settles first */
	case DELIVERY_DONE:
	case DELIVERY_DEAD:
	case DELIVERY_MOVED:
	case DELIVERY_DROPPED: break;
	}
	return false;
}

/* Fills ids with rows that are astray; *next: where the step ends, -1: at the last row. */
static size_t look(struct store *s, int64_t ids[ROWS_CHANGED], int64_t *next)
{
	struct stmt *q = db_use(s->db, SQL_ROWS_FROM);
	size_t count = 0, looked_at = 0;

	stmt_bind_int(q, 1, s->adopt_from);
	stmt_bind_int(q, 2, ROWS_LOOKED_AT);
	*next = s->adopt_from;
	while (count < ROWS_CHANGED && stmt_row(q)) {
		int64_t id = stmt_int(q, 0);
		enum delivery_state state;

		looked_at++;
		*next = id + 1;
		if (delivery_state_parse(stmt_word(q, 1), &state) &&
		    is_astray(&s->sinks[delivery_key_sink(id)], state))
			ids[count++] = id;
	}
	stmt_end(q);
	if (count < ROWS_CHANGED && looked_at < ROWS_LOOKED_AT)
		*next = -1;
	return count;
}

enum store_adopted store_adopt(struct store *s, int64_t now, struct err *err)
{
	int64_t ids[ROWS_CHANGED], next;

	if (s->adopt_from < 0)
		return ADOPT_DONE;
	db_clear(s->db);
	size_t count = look(s, ids, &next);

	if (count > 0 || next < 0) {
		db_begin(s->db);
		for (size_t i = 0; i < count; i++)
			move(s, ids[i], now);
		if (next < 0)
			stmt_run(db_use(s->db, SQL_SINKS_MOVED));
		if (!db_commit(s->db, err))
			return ADOPT_FAILED;
	} else if (db_failure(s->db) != DB_FINE) {
		err_set(err, "%s", db_error(s->db));
		return ADOPT_FAILED;
	}
	s->adopt_from = next;
	return next < 0 ? ADOPT_DONE : ADOPT_MORE;
}
