/*
 * order: places new rows and releases old ones.
 *
 *   made ──▶ due ──▶ claimed ──▶ ended ─┐ releases
 *        └─▶ held (behind an older) ◀───┘ the next
 *
 * A new row waits behind the newest unended one, so the waiting rows of a sink and an alert are
 * a chain. Whatever ends a row (an outcome, folding, the operator) must release what waits
 * behind it: order_release() is called from each such place. When the ended row itself waited,
 * its follower waits for what that one waited for.
 *
 * Folding takes rows of which nothing was sent: not claimed, not maybe_sent, no step of several
 * done. The new row takes over the older one's due time, and so its backoff: news of an alert
 * are no reason to hammer a sink. A row that was never tried has no backoff: when it is due
 * later, an operator spreads what he requeued, and news of the alert do not wait for that.
 */
#include "store/order.h"

#include "store/inner.h"

static bool is_foldable(const struct past_row *row)
{
	bool waits =
		row->state == DELIVERY_DUE || (row->state == DELIVERY_HELD && row->after != 0);

	return waits && !row->maybe_sent && !row->has_progress;
}

/* Is it only being spread over time? */
static bool is_spread(const struct past_row *row, int64_t now)
{
	return row->state == DELIVERY_DUE && row->attempt == 0 && row->due_at > now;
}

bool order_hasten(struct store *s, int64_t id, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_HASTEN);

	stmt_bind_int(q, 1, id);
	stmt_bind_int(q, 2, now);
	return stmt_run(q) != 0;
}

struct place order_place(struct store *s, int sink, int64_t now)
{
	const struct sink_facts *facts = &s->sinks[sink];
	struct place place = { .state = DELIVERY_DUE, .due_at = now };
	struct past_row *older;

	while ((older = history_unended(&s->history, sink)) != NULL) {
		if (!facts->is_collapse || !is_foldable(older)) {
			if (is_spread(older, now))
				(void)order_hasten(s, older->id, now);
			place.after = older->id;
			place.state = DELIVERY_HELD;
			break;
		}
		order_end(s, older->id, DELIVERY_DROPPED, "superseded", now);
		/* Of its own line nothing newer is left; of a former heir's there may be. */
		order_release(s, older->id, older->after, now);
		if (older->state == DELIVERY_DUE && !is_spread(older, now))
			place.due_at = older->due_at;
		older->state = DELIVERY_DROPPED;
	}
	if (facts->is_absent)
		place.state = DELIVERY_ORPHANED;
	return place;
}

void order_add_row(struct store *s, int64_t key, int route, const struct place *place)
{
	struct stmt *q = db_use(s->db, SQL_ROW_ADD);

	stmt_bind_int(q, 1, key);
	stmt_bind_int(q, 2, delivery_key_sink(key));
	stmt_bind_int(q, 3, route);
	stmt_bind_text(q, 4, delivery_state_name(place->state));
	stmt_bind_int(q, 5, place->due_at);
	stmt_bind_text(q, 6, place->after != 0 ? "behind" : NULL);
	stmt_bind_some(q, 7, place->after);
	stmt_bind_text(q, 8, NULL);
	stmt_run(q);
	store_note_event(s, delivery_key_event(key));
}

void order_make(struct store *s, int64_t key, int route, int64_t due_at, int64_t now)
{
	struct place place = order_place(s, delivery_key_sink(key), now);

	if (due_at > now && due_at > place.due_at)
		place.due_at = due_at;
	order_add_row(s, key, route, &place);
}

int64_t order_requeue_key(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_ORDINAL_LAST);

	stmt_bind_int(q, 1, delivery_key(event, sink, ORIGIN_REQUEUE, 0));
	stmt_bind_int(q, 2,
		      delivery_key(event, sink, ORIGIN_REQUEUE, DELIVERY_ORDINAL_MAX) + 1);
	int ordinal = (stmt_row(q) ? (int)stmt_int(q, 0) : 0) + 1;

	stmt_end(q);
	return ordinal > DELIVERY_ORDINAL_MAX
		       ? 0
		       : delivery_key(event, sink, ORIGIN_REQUEUE, ordinal);
}

void order_end(struct store *s, int64_t id, enum delivery_state state, const char *reason,
	       int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_ROW_END);

	stmt_bind_int(q, 1, id);
	stmt_bind_text(q, 2, delivery_state_name(state));
	stmt_bind_text(q, 3, reason);
	stmt_bind_int(q, 4, now);
	stmt_run(q);
	store_note_event(s, delivery_key_event(id));
}

int64_t order_follower(struct store *s, int64_t id)
{
	struct stmt *q = db_use(s->db, SQL_WAITING_FIND);
	int64_t follower = 0;

	stmt_bind_int(q, 1, id);
	if (stmt_row(q))
		follower = stmt_int(q, 0);
	stmt_end(q);
	return follower;
}

void order_release(struct store *s, int64_t id, int64_t after, int64_t due_at)
{
	int64_t follower;

	/* Each turn takes one row out of those that wait for id. */
	while ((follower = order_follower(s, id)) != 0) {
		struct stmt *q =
			db_use(s->db, after != 0 ? SQL_WAITING_MOVE : SQL_WAITING_RELEASE);

		stmt_bind_int(q, 1, follower);
		stmt_bind_int(q, 2, after != 0 ? after : due_at);
		stmt_run(q);
		store_note_event(s, delivery_key_event(follower));
	}
}

void order_fold(struct store *s, int64_t id, int64_t due_at, int64_t now)
{
	struct stored_row row;

	if (!s->sinks[delivery_key_sink(id)].is_collapse || order_follower(s, id) == 0 ||
	    !order_find(s, id, &row))
		return;
	if (row.state != DELIVERY_DUE || row.maybe_sent || row.has_progress)
		return;
	order_end(s, id, DELIVERY_DROPPED, "superseded", now);
	order_release(s, id, 0, due_at);
}

bool order_find(struct store *s, int64_t id, struct stored_row *row)
{
	struct stmt *q = db_use(s->db, SQL_ROW_FIND);

	stmt_bind_int(q, 1, id);
	if (!stmt_row(q))
		return false;
	*row = (struct stored_row){
		.id = id,
		.after = stmt_int(q, 1),
		.route = (int)stmt_int(q, 2),
		.maybe_sent = stmt_int(q, 3) != 0,
		.has_progress = stmt_int(q, 4) != 0,
		.due_at = stmt_int(q, 5),
		.attempt = stmt_int(q, 6),
	};
	bool is_known = delivery_state_parse(stmt_word(q, 0), &row->state);

	stmt_end(q);
	return is_known;
}

bool order_any_waiting(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_ANY_WAITING);
	bool any = stmt_row(q);

	stmt_end(q);
	return any;
}
