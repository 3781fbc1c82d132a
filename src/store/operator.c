/*
 * operator: requeue and drop, and the operator's word on a sink.
 *
 * A call changes one chunk of rows in one transaction; the next chunk is the caller's next call,
 * so a running daemon gets its turn in between (invariant 13). Each row is looked at again when
 * it changes: one that has been claimed or has ended meanwhile is left alone.
 *
 * A requeue sends the alert as it is now: its row belongs to the alert's newest event, so an old
 * open never comes after its close. Several old rows of one alert and sink ask for the same, so
 * they end in one new row. A paced requeue is spread by the rows' own due times: so the pace
 * outlives the command, and the daemon needs to know nothing of it.
 *
 * To drop a row drops what waits behind it: who gives up an open does not want its close.
 *
 * The daemon has its own picture of each sink and looks for the operator's word once a second
 * (store_version, store_sinks_look). Until then it may still write what it thinks of a sink
 * that fails: the stored pause is not touched by that.
 */
#include <assert.h>

#include "base/clock.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"

/* Changes one row; returns how many rows were made or ended by it. */
typedef int64_t change_fn(struct store *s, const struct selection *which,
			  const struct stored_row *row, int64_t now);

static bool is_selected(const struct selection *which, const struct stored_row *row)
{
	return which->states == 0 || (which->states >> row->state & 1) != 0;
}

static int64_t change_all(struct store *s, const struct selection *which, change_fn *change,
			  int64_t now, struct err *err)
{
	struct stored_row row;
	int64_t total = 0;

	assert(which->id_count <= STORE_CHUNK_MAX);
	store_begin_patient(s);
	int64_t began_at = clock_steady();

	store_load_sinks(s); /* a daemon may have changed them */
	for (size_t i = 0; i < which->id_count; i++)
		if (order_find(s, which->ids[i], &row) && is_selected(which, &row))
			total += change(s, which, &row, now);
	bool ok = store_commit_patient(s, err);

	if (which->kept_ms != NULL)
		*which->kept_ms = clock_steady() - began_at;
	return ok ? total : -1;
}

/* ---- requeue ---- */

/* What an alert has come to, by an event of it. */
struct standing {
	int64_t last_event, unended_from, episode;
};

static bool find_standing(struct store *s, int64_t event, struct standing *out)
{
	struct stmt *q = db_use(s->db, SQL_ALERT_OF_EVENT);

	stmt_bind_int(q, 1, event);
	if (!stmt_row(q))
		return false;
	*out = (struct standing){ stmt_int(q, 0), stmt_int(q, 1), stmt_int(q, 2) };
	stmt_end(q);
	return true;
}

static bool may_requeue(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_CLAIMED: /* on its way */
	case DELIVERY_MOVED: return false;
	case DELIVERY_DUE:
	case DELIVERY_HELD:
	case DELIVERY_DONE:
	case DELIVERY_DEAD:
	case DELIVERY_DROPPED:
	case DELIVERY_ORPHANED: break;
	}
	return true;
}

/* Does a row that asks for the same wait already? */
static bool is_requeued(struct store *s, int64_t event, int sink)
{
	const struct past_row *row = history_unended(&s->history, sink);

	return row != NULL && delivery_key_event(row->id) == event &&
	       delivery_key_origin(row->id) == ORIGIN_REQUEUE && row->state != DELIVERY_CLAIMED;
}

/* When the next requeued row of this sink is due. */
static int64_t paced_at(struct pace *pace, int sink, int64_t now)
{
	if (pace == NULL || pace->rate.count == 0)
		return now;
	int64_t n = pace->made[sink]++;

	return pace->start_at + n * pace->rate.per_ms / pace->rate.count;
}

static int64_t requeue(struct store *s, const struct selection *which,
		       const struct stored_row *row, int64_t now)
{
	int sink = store_sink_now(s, delivery_key_sink(row->id));
	struct standing alert;

	if (!may_requeue(row->state) || !find_standing(s, delivery_key_event(row->id), &alert))
		return 0;
	int64_t key = order_requeue_key(s, alert.last_event, sink);

	if (key == 0)
		return 0;
	batches_part(s, row->id, row->batch, now);
	order_end(s, row->id, DELIVERY_MOVED, "requeued", now);
	order_release(s, row->id, row->after, now);
	history_load(s, alert.last_event, alert.unended_from, alert.episode);
	if (is_requeued(s, alert.last_event, sink))
		return 0;
	order_make(s, key, row->route, paced_at(which->pace, sink, now), now);
	return 1;
}

int64_t store_requeue(struct store *s, const struct selection *which, int64_t now,
		      struct err *err)
{
	return change_all(s, which, requeue, now, err);
}

/* ---- drop ---- */

static bool may_drop(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_CLAIMED: /* on its way */
	case DELIVERY_DONE:
	case DELIVERY_MOVED:
	case DELIVERY_DROPPED: return false;
	case DELIVERY_DUE:
	case DELIVERY_HELD:
	case DELIVERY_DEAD:
	case DELIVERY_ORPHANED: break;
	}
	return true;
}

static int64_t drop(struct store *s, const struct selection *which,
		    const struct stored_row *row, int64_t now)
{
	int64_t id = row->id, ended = 1, next;

	(void)which;
	if (!may_drop(row->state))
		return 0;
	batches_part(s, id, row->batch, now);
	order_end(s, id, DELIVERY_DROPPED, "operator", now);
	/* Behind a row of a sink that had an heir for a while there may wait more than one. */
	for (; (next = order_follower(s, id)) != 0; id = next, ended++) {
		order_end(s, next, DELIVERY_DROPPED, "operator", now);
		order_release(s, id, next, now);
	}
	return ended;
}

int64_t store_drop(struct store *s, const struct selection *which, int64_t now, struct err *err)
{
	return change_all(s, which, drop, now, err);
}

/* ---- sinks ---- */

static int64_t hasten(struct store *s, const struct selection *which,
		      const struct stored_row *row, int64_t now)
{
	(void)which;
	return order_hasten(s, row->id, now) ? 1 : 0;
}

int64_t store_hasten(struct store *s, const struct selection *which, int64_t now,
		     struct err *err)
{
	return change_all(s, which, hasten, now, err);
}

static bool change_sink(struct store *s, enum sql change, const char *name, const char *reason,
			int64_t now, struct err *err)
{
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, change);

	stmt_bind_text(q, 1, name);
	stmt_bind_int(q, 2, now);
	if (change == SQL_SINK_PAUSE)
		stmt_bind_text(q, 3, reason);
	bool is_known = stmt_run(q) != 0;

	if (!store_commit_patient(s, err))
		return false;
	return is_known || err_set(err, "the store knows no sink %s", name);
}

bool store_sink_hold(struct store *s, const char *name, const char *reason, int64_t now,
		     struct err *err)
{
	return change_sink(s, SQL_SINK_PAUSE, name, reason, now, err);
}

bool store_sink_release(struct store *s, const char *name, int64_t now, struct err *err)
{
	return change_sink(s, SQL_SINK_RELEASE, name, NULL, now, err);
}
