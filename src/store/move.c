/*
 * move: who goes, who stays, and who is told no second time.
 *
 * The fallback hears in the order of events. It gets no row where it hears the same event or a
 * later one already, since an old open after its close would be worse than none: then the row
 * just ends. Later events find their way by invariant 5: the fallback's row is live.
 *
 * What waits behind a moved row, of the same episode, goes with it: nobody but the fallback
 * knows of the open. But where its own sink may have heard (the row was maybe_sent, or an older
 * one was heard), that sink is owed the rest, too: what waits stays, released, and the fallback
 * hears it beside. A row that came by a fallback goes nowhere, and so ends what goes along.
 */
#include "store/move.h"

#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"

enum { ROOM_MAX = 128 };

static bool may_go(int64_t id)
{
	return delivery_key_origin(id) != ORIGIN_FALLBACK;
}

/* Needs the history of its alert. A reload may have come since the fallback was chosen. */
static void tell_fallback(struct store *s, int64_t id, int chosen, int64_t now)
{
	int64_t event = delivery_key_event(id);
	int to = store_sink_now(s, chosen);
	int64_t key = delivery_key(event, to, ORIGIN_FALLBACK, 1);
	struct stored_row row;

	if (history_tells(&s->history, to, event) || history_row(&s->history, key) != NULL ||
	    !order_find(s, id, &row))
		return;
	/* What an operator spreads over time keeps its time. */
	order_make(s, key, row.route, row.attempt == 0 ? row.due_at : now, now);
}

/* What waits behind this row and goes where it goes; 0: nothing. Needs the history. */
static int64_t companion(struct store *s, int64_t id)
{
	int64_t follower = order_follower(s, id);
	const struct past_row *row = history_row(&s->history, follower);

	/* That of a former heir has its own way. */
	bool is_same_sink = delivery_key_sink(follower) == delivery_key_sink(id);

	return row != NULL && row->in_episode && is_same_sink && may_go(follower) ? follower
										  : 0;
}

void move_on(struct store *s, int64_t id, int to, const char *reason, int64_t now)
{
	int64_t event = delivery_key_event(id), last = id, next;
	bool is_known = history_load_at(s, event);
	bool is_owed = is_known && history_heard(&s->history, delivery_key_sink(id), id + 1);

	if (is_known)
		tell_fallback(s, id, to, now);
	while (is_known && (next = companion(s, last)) != 0) {
		history_load_at(s, event); /* with the row just made */
		tell_fallback(s, next, to, now);
		if (!is_owed)
			order_end(s, next, DELIVERY_MOVED, reason, now);
		last = next;
	}
	order_release(s, is_owed ? id : last, 0, now);
}

/* True when the row went. */
static bool move_one(struct store *s, int64_t id, const struct move *move, int64_t now)
{
	struct stored_row row;

	if (!may_go(id) || !order_find(s, id, &row) || row.state != DELIVERY_DUE ||
	    !history_load_at(s, delivery_key_event(id)) ||
	    history_heard(&s->history, move->from, id))
		return false;
	batches_part(s, id, row.batch, now);
	order_end(s, id, DELIVERY_MOVED, move->reason, now);
	move_on(s, id, move->to, move->reason, now);
	return true;
}

static size_t find_waiting(struct store *s, const struct move *move, struct move_mark *marks,
			   size_t room)
{
	struct stmt *q = db_use(s->db, SQL_DUE_AFTER);
	size_t count = 0;

	stmt_bind_int(q, 1, move->from);
	stmt_bind_int(q, 2, move->after.due_at);
	stmt_bind_int(q, 3, move->after.id);
	stmt_bind_int(q, 4, (int64_t)room);
	while (stmt_row(q) && count < room)
		marks[count++] = (struct move_mark){ stmt_int(q, 0), stmt_int(q, 1) };
	stmt_end(q);
	return count;
}

void move_waiting(struct store *s, const struct move *move, int64_t now, struct moved *moved)
{
	struct move_mark marks[ROOM_MAX];
	size_t room = move->room < ROOM_MAX ? move->room : ROOM_MAX;
	size_t count = find_waiting(s, move, marks, room);

	*moved = (struct moved){ .from = move->from,
				 .to = move->to,
				 .mark = count > 0 ? marks[count - 1] : move->after,
				 .is_end = count < room };
	for (size_t i = 0; i < count; i++)
		moved->count += move_one(s, marks[i].id, move, now);
}

bool move_is_idle(struct store *s, const struct move *move, struct moved *moved)
{
	struct move_mark mark;

	*moved = (struct moved){
		.from = move->from, .to = move->to, .mark = move->after, .is_end = true
	};
	return find_waiting(s, move, &mark, 1) == 0;
}
