/*
 * operator: requeue and drop.
 *
 * The ids are chosen first, by one read; then they change in chunks, each a transaction, so a
 * running daemon gets its turn in between (invariant 13). Each row is looked at again when it
 * changes: one that has been claimed or has ended meanwhile is left alone.
 *
 * A requeue sends the alert as it is now: its row belongs to the alert's newest event, so an old
 * open never comes after its close. Several old rows of one alert and sink ask for the same, so
 * they end in one new row.
 *
 * To drop a row drops what waits behind it: who gives up an open does not want its close.
 */
#include "base/mem.h"
#include "store/inner.h"
#include "store/order.h"

enum { CHUNK = 500 };

struct id_list {
	int64_t *ids; /* owned */
	size_t count, room;
};

static void add_id(struct id_list *list, int64_t id)
{
	if (list->count == list->room) {
		list->room = list->room * 2 + CHUNK;
		list->ids = mem_resize(list->ids, list->room, sizeof(*list->ids));
	}
	list->ids[list->count++] = id;
}

static bool sink_number(struct store *s, const char *name, int64_t *number, struct err *err)
{
	struct stmt *q = db_use(s->db, SQL_SINK_FIND);

	stmt_bind_text(q, 1, name);
	*number = stmt_row(q) ? stmt_int(q, 0) : 0;
	stmt_end(q);
	if (*number == 0 && db_failure(s->db) == DB_FINE)
		return err_set(err, "the store knows no sink %s", name);
	return true;
}

static bool choose(struct store *s, const struct selection *which, const char *default_state,
		   struct id_list *list, struct err *err)
{
	const char *state =
		which->state != NULL && which->state[0] != '\0' ? which->state : default_state;
	enum delivery_state parsed;
	int64_t sink = 0;

	for (size_t i = 0; i < which->id_count; i++)
		add_id(list, which->ids[i]);
	if (which->id_count != 0)
		return true;
	if (state != NULL && !delivery_state_parse(state, &parsed))
		return err_set(err, "%s is no state of a delivery", state);
	db_clear(s->db);
	if (which->sink != NULL && which->sink[0] != '\0' &&
	    !sink_number(s, which->sink, &sink, err))
		return false;
	struct stmt *q = db_use(s->db, SQL_SELECT_IDS);

	stmt_bind_some(q, 1, sink);
	stmt_bind_text(q, 2, state);
	while (stmt_row(q))
		add_id(list, stmt_int(q, 0));
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}

/* Changes one row; returns how many rows were made or ended by it. */
typedef int64_t change_fn(struct store *s, int64_t id, int64_t now);

static int64_t change_chunk(struct store *s, const int64_t *ids, size_t count,
			    change_fn *change, int64_t now)
{
	int64_t total = 0;

	store_begin_patient(s);
	store_load_sinks(s); /* a daemon may have changed them */
	for (size_t i = 0; i < count; i++)
		total += change(s, ids[i], now);
	return total;
}

static int64_t change_all(struct store *s, const struct id_list *list, change_fn *change,
			  int64_t now, struct err *err)
{
	int64_t total = 0;

	for (size_t from = 0; from < list->count; from += CHUNK) {
		size_t left = list->count - from;

		total += change_chunk(s, list->ids + from, left < CHUNK ? left : CHUNK, change,
				      now);
		if (!store_commit_patient(s, err))
			return -1;
	}
	return total;
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

static int next_ordinal(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_ORDINAL_LAST);

	stmt_bind_int(q, 1, delivery_key(event, sink, ORIGIN_REQUEUE, 0));
	stmt_bind_int(q, 2,
		      delivery_key(event, sink, ORIGIN_REQUEUE, DELIVERY_ORDINAL_MAX) + 1);
	int64_t last = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return (int)last + 1;
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

static void add_requeued(struct store *s, int64_t key, int route, int64_t now)
{
	int sink = delivery_key_sink(key);
	struct place place = order_place(s, sink, now);
	struct stmt *q = db_use(s->db, SQL_ROW_ADD);

	stmt_bind_int(q, 1, key);
	stmt_bind_int(q, 2, sink);
	stmt_bind_int(q, 3, route);
	stmt_bind_text(q, 4, delivery_state_name(place.state));
	stmt_bind_int(q, 5, place.due_at);
	stmt_bind_text(q, 6, place.after != 0 ? "behind" : NULL);
	stmt_bind_some(q, 7, place.after);
	stmt_bind_text(q, 8, NULL);
	stmt_run(q);
}

static int64_t requeue(struct store *s, int64_t id, int64_t now)
{
	int sink = delivery_key_sink(id);
	struct stored_row row;
	struct standing alert;

	if (!order_find(s, id, &row) || !may_requeue(row.state) ||
	    !find_standing(s, delivery_key_event(id), &alert))
		return 0;
	int ordinal = next_ordinal(s, alert.last_event, sink);

	if (ordinal > DELIVERY_ORDINAL_MAX)
		return 0;
	order_end(s, id, DELIVERY_MOVED, "requeued", now);
	order_release(s, id, row.after, now);
	history_load(s, alert.last_event, alert.unended_from, alert.episode);
	if (is_requeued(s, alert.last_event, sink))
		return 0;
	add_requeued(s, delivery_key(alert.last_event, sink, ORIGIN_REQUEUE, ordinal),
		     row.route, now);
	return 1;
}

int64_t store_requeue(struct store *s, const struct selection *which, int64_t now,
		      struct err *err)
{
	struct id_list list = { .ids = NULL };
	int64_t made = -1;

	if (choose(s, which, "dead", &list, err))
		made = change_all(s, &list, requeue, now, err);
	mem_free(&list.ids);
	return made;
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

static int64_t drop(struct store *s, int64_t id, int64_t now)
{
	struct stored_row row;
	int64_t ended = 0;

	if (!order_find(s, id, &row) || !may_drop(row.state))
		return 0;
	for (; id != 0; id = order_follower(s, id), ended++)
		order_end(s, id, DELIVERY_DROPPED, "operator", now);
	return ended;
}

int64_t store_drop(struct store *s, const struct selection *which, int64_t now, struct err *err)
{
	struct id_list list = { .ids = NULL };
	int64_t ended = -1;

	if (choose(s, which, NULL, &list, err))
		ended = change_all(s, &list, drop, now, err);
	mem_free(&list.ids);
	return ended;
}
