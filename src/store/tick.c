/*
 * tick: asks flow what becomes of each row whose time has come, and does it.
 *
 * A row that was held for itself alone goes on alone. One that was held with others joins the
 * digest that is forming of them. When none is left whose time has come, the digests are closed:
 * so a night's rows make one digest, though they are looked at in steps.
 *
 * A row waits until the clock shows its time. Where the clock is set back, what waits for a time
 * of the day waits longer with it, as is meant, and what waits for some minutes waits for those
 * and for what the clock lost. It is held no longer than its reason can hold, though: a row that
 * waits for a time beyond that was written by a clock that was wrong, and goes as if its time had
 * come. Such rows are looked for (`looks_ahead`) at the daemon's start and when the clock was set
 * back, since no look at what is ripe comes upon them.
 *
 * A step of an escalation, or a repeat, steps into its sink's line only when nobody stands
 * there: else it is looked at again, after as long as it has waited for that, so that many of
 * them at a sink that is down cost little. It cannot be put behind who stands there: that row may
 * be newer, and a sink that collapses would take the step for what is newest.
 */
#include "store/tick.h"

#include "base/mem.h"
#include "store/again.h"
#include "store/inner.h"
#include "store/order.h"
#include "store/people.h"

enum { LOOK_AGAIN_MIN_MS = 1000, LOOK_AGAIN_MAX_MS = 60 * 1000 };

/* A held row, as the index gives it. */
struct held {
	int64_t id, after, due_at, grp;
	int route;
	enum hold_reason reason;
};

struct tick_run {
	struct store *s;
	const struct tick *tick;
	int64_t now;
	size_t freed;
};

static size_t list_ripe(struct tick_run *run, struct held *list)
{
	struct stmt *q = db_use(run->s->db, SQL_HELD_DUE);
	size_t count = 0;

	stmt_bind_int(q, 1, run->now);
	stmt_bind_int(q, 2, (int64_t)run->tick->room);
	while (stmt_row(q)) {
		struct held *h = &list[count++];

		*h = (struct held){ .id = stmt_int(q, 0),
				    .route = (int)stmt_int(q, 1),
				    .after = stmt_int(q, 3),
				    .due_at = stmt_int(q, 4),
				    .grp = stmt_int(q, 5) };
		(void)hold_reason_parse(stmt_word(q, 2), &h->reason);
	}
	return count;
}

/* ---- what becomes of one row ---- */

static void wait_on(struct tick_run *run, const struct held *h, const struct wish *wish)
{
	const struct place place = { .hold = wish->reason,
				     .held_until = wish->until,
				     .grp = wish->grp };

	order_hold(run->s, h->id, &place);
}

static void go_alone(struct tick_run *run, const struct held *h)
{
	order_free(run->s, h->id, run->now);
	run->freed++;
}

/* It has been held for itself, and may now be held with others. */
static void go_on(struct tick_run *run, const struct held *h, const struct wish *wish)
{
	struct place place = { .state = DELIVERY_DUE, .after = h->after };

	order_wish(run->s, wish, run->now, &place);
	if (place.hold != HOLD_NONE) {
		order_hold(run->s, h->id, &place);
		return;
	}
	go_alone(run, h);
	if (place.begins_storm)
		batches_begin_storm(run->s, h->id, wish->storm.key, run->now);
}

static int64_t look_again_ms(int64_t waited_ms)
{
	if (waited_ms < LOOK_AGAIN_MIN_MS)
		return LOOK_AGAIN_MIN_MS;
	return waited_ms < LOOK_AGAIN_MAX_MS ? waited_ms : LOOK_AGAIN_MAX_MS;
}

static void step_in(struct tick_run *run, const struct held *h)
{
	const struct wish later = { .reason = h->reason,
				    .until = run->now + look_again_ms(run->now - h->due_at) };

	if (history_load_at(run->s, delivery_key_event(h->id)) &&
	    history_unended(&run->s->history, delivery_key_sink(h->id)) != NULL)
		wait_on(run, h, &later);
	else
		go_alone(run, h);
}

static bool is_extra(const struct held *h)
{
	enum delivery_origin origin = delivery_key_origin(h->id);

	return origin == ORIGIN_ESCALATION || origin == ORIGIN_REPEAT;
}

static void drop(struct tick_run *run, const struct held *h, const char *reason)
{
	order_end(run->s, h->id, DELIVERY_DROPPED, reason, run->now);
	order_release(run->s, h->id, h->after, run->now);
}

static void join(struct tick_run *run, const struct held *h, const struct bearing *bearing)
{
	bool has_group = h->reason == HOLD_GROUP || h->reason == HOLD_STORM;
	const struct joining j = { .id = h->id,
				   .after = h->after,
				   .why = h->reason,
				   .grp = has_group ? h->grp : 0,
				   .people = people_of(run->s, h->id),
				   .bearing = *bearing };

	if (j.people == STORE_NOBODY) {
		drop(run, h, STORE_NO_RECIPIENT);
		return;
	}
	batches_join(run->s, &j, run->tick, run->now);
	run->freed++;
}

static void go(struct tick_run *run, const struct held *h, const struct wish *wish,
	       const struct bearing *bearing)
{
	switch (h->reason) {
	case HOLD_DELAY: go_on(run, h, wish); return;
	case HOLD_SILENCE:
	case HOLD_QUIET:
	case HOLD_DIGEST:
	case HOLD_STORM:
	case HOLD_GROUP:
		if (!is_extra(h)) {
			join(run, h, bearing);
			return;
		}
		break;
	case HOLD_ESCALATION:
	case HOLD_REPEAT:
	case HOLD_FLAP:
	case HOLD_NONE: break;
	}
	if (is_extra(h))
		step_in(run, h);
	else
		go_alone(run, h);
}

static bool is_close(struct store *s, int64_t event)
{
	struct stmt *q = db_use(s->db, SQL_OPEN_STILL);
	enum event_kind kind;

	stmt_bind_int(q, 1, event);
	bool is_so = stmt_row(q) && event_kind_parse(stmt_word(q, 0), &kind) &&
		     kind == EVENT_RESOLVED;

	stmt_end(q);
	return is_so;
}

/* Flow's word on the row; false: its event is not in the store. */
static bool ask(struct tick_run *run, const struct held *h, struct ripened *out,
		struct bearing *bearing)
{
	const struct tick *tick = run->tick;
	struct stmt *q = db_use(run->s->db, SQL_RIPE_EVENT);
	int64_t event = delivery_key_event(h->id);
	bool is_open = again_is_open(run->s, event);
	bool is_owed = is_close(run->s, event) && history_load_at(run->s, event) &&
		       history_believes_open(run->s, delivery_key_sink(h->id));

	stmt_bind_int(q, 1, event);
	if (!stmt_row(q))
		return false;
	struct ripe ripe = { .id = h->id,
			     .sink = delivery_key_sink(h->id),
			     .route = h->route,
			     .source = (int)stmt_int(q, 0),
			     .reason = h->reason,
			     .origin = delivery_key_origin(h->id),
			     .until = h->due_at,
			     .swept_at = stmt_int(q, 2),
			     .is_owed = is_owed,
			     .is_open = is_open };

	if (!event_kind_parse(stmt_word(q, 1), &ripe.kind))
		ripe.kind = EVENT_CHANGED;
	ripe.body = stmt_text(q, 3, &ripe.body_len);
	ripe.context = stmt_text(q, 4, &ripe.context_len);
	*out = (struct ripened){ .fate = RIPE_GO };
	*bearing = (struct bearing){ .rank = 0 };
	tick->ripens(tick->arg, &ripe, out);
	tick->bears(tick->arg, ripe.body, ripe.body_len, bearing);
	stmt_end(q);
	return true;
}

static void take_row(struct tick_run *run, const struct held *h)
{
	struct ripened ripened;
	struct bearing bearing;

	if (!ask(run, h, &ripened, &bearing)) {
		go_alone(run, h); /* the claim finds out, and says it */
		return;
	}
	switch (ripened.fate) {
	case RIPE_GO: go(run, h, &ripened.wish, &bearing); return;
	case RIPE_WAIT: wait_on(run, h, &ripened.wish); return;
	case RIPE_DROP: drop(run, h, ripened.reason); return;
	}
}

/* ---- the tick ---- */

static void let_go_ahead(struct tick_run *run)
{
	struct stmt *q = db_use(run->s->db, SQL_HELD_IN_VAIN_END);

	stmt_bind_int(q, 1, run->now);
	stmt_bind_int(q, 2, (int64_t)run->tick->room);
	stmt_run(q);
}

size_t tick_run(struct store *s, const struct tick *tick, const struct repeats *repeats,
		int64_t now)
{
	struct tick_run run = { .s = s, .tick = tick, .now = now };
	struct held *list = mem_array(tick->room, sizeof(*list));

	if (tick->looks_ahead)
		let_go_ahead(&run);
	size_t count = list_ripe(&run, list);

	for (size_t i = 0; i < count; i++)
		take_row(&run, &list[i]);
	mem_free(&list);
	if (count < tick->room)
		batches_close(s, tick, now);
	(void)batches_step(s, repeats, now);
	return run.freed;
}

static int64_t first_held(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_HELD_NEXT);
	int64_t at = stmt_row(q) ? stmt_int(q, 0) : INT64_MAX;

	stmt_end(q);
	return at;
}

static bool any_in_vain(struct store *s, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_HELD_IN_VAIN);

	stmt_bind_int(q, 1, now);
	bool is_some = stmt_row(q);

	stmt_end(q);
	return is_some;
}

int64_t tick_next_at(struct store *s, const struct tick *tick, int64_t now)
{
	if (batches_any_work(s) || (tick->looks_ahead && any_in_vain(s, now)))
		return now;
	int64_t at = first_held(s), latest = now + STORE_TICK_MAX_MS;

	return at == INT64_MAX || at < latest ? at : latest;
}
