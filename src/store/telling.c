/*
 * telling: see the header.
 *
 * One event makes one row a sink. Rows are planned before the event is made, in one list that
 * every sink stands in once.
 */
#include "store/telling.h"

#include "base/mem.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"

/* A row that an event will make. */
struct plan {
	int sink, route;
	enum delivery_origin origin;
	int ordinal;      /* the step of an escalation */
	const char *drop; /* NULL: to be sent; else the reason why not */
	struct wish wish;
};

static bool has_plan(const struct telling *t, const struct plan *plan)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->plans[i].sink == plan->sink && t->plans[i].ordinal == plan->ordinal)
			return true;
	return false;
}

/* One event makes one row a sink; the first that asks for it wins. */
static void add_plan(struct telling *t, const struct plan *plan)
{
	if (has_plan(t, plan))
		return;
	if (t->count == t->room) {
		t->room = t->room * 2 + 16;
		t->plans = mem_resize(t->plans, t->room, sizeof(*t->plans));
	}
	t->plans[t->count++] = *plan;
}

/* Every sink that belongs to the episode hears what follows, unless its route says not
 * (invariant 5). */
static void plan_follow_ups(struct telling *t, enum event_kind kind)
{
	const struct page_batch *batch = t->batch;
	const struct history *h = &t->s->history;

	for (size_t i = 0; i < h->sink_count; i++) {
		const struct past_sink *past = &h->sinks[i];

		struct plan plan = { .sink = past->sink,
				     .route = past->route,
				     .origin = ORIGIN_FOLLOW };

		if (!past->is_alive && !past->is_filtered)
			continue;
		if (batch->follows == NULL || batch->follows(batch->decide_arg, past->route,
							     past->sink, kind, &plan.wish))
			add_plan(t, &plan);
	}
}

/* A sink that waits for this episode or heard it needs no second opening of it; nor does one
 * that its route left out need to be left out twice. */
static bool needs_none(const struct past_sink *past, bool is_dropped)
{
	return past != NULL && (past->is_alive || (is_dropped && past->is_filtered));
}

static void plan_target(struct telling *t, const struct target *target, bool only_new)
{
	const struct plan plan = { .sink = store_sink_now(t->s, target->sink),
				   .route = target->route,
				   .origin =
					   target->step != 0 ? ORIGIN_ESCALATION : ORIGIN_ROUTE,
				   .ordinal = target->step,
				   .drop = target->dropped ? target->reason : NULL,
				   .wish = target->wish };
	const struct past_sink *past = history_sink(&t->s->history, plan.sink);

	if (!only_new || !needs_none(past, target->dropped))
		add_plan(t, &plan);
}

/* A step of an escalation stands in no line until its time has come. */
static struct place place_of(struct telling *t, enum event_kind kind, int64_t key,
			     const struct plan *plan)
{
	const struct news news = { .is_close = kind == EVENT_RESOLVED,
				   .key = key,
				   .wish = &plan->wish,
				   .severity = t->seen->severity_text,
				   .type = t->seen->type };
	struct place place = { .state = DELIVERY_DUE };

	if (plan->drop != NULL)
		return (struct place){ .state = DELIVERY_DROPPED, .reason = plan->drop };
	if (plan->ordinal == 0)
		return order_place(t->s, plan->sink, &news, t->batch->now);
	order_wish(t->s, &plan->wish, t->batch->now, &place);
	return place;
}

/* Another store may have told of it before this one took its place. */
static bool is_doubtful(const struct telling *t, const struct told *told)
{
	bool is_close = told->kind == EVENT_RESOLVED;
	int64_t at = is_close ? t->seen->resolved_at : t->seen->created_at;
	bool is_past = at != 0 && at < t->s->doubt_until;

	return is_past && (told->prev == 0 || is_close);
}

static void doubt_row(struct telling *t, int64_t key)
{
	struct stmt *q = db_use(t->s->db, SQL_ROW_DOUBT);

	stmt_bind_int(q, 1, key);
	stmt_run(q);
}

/* ---- rows that nothing holds ---- */

static bool is_plain(const struct place *place)
{
	return place->state == DELIVERY_DUE && place->after == 0 && place->hold == HOLD_NONE &&
	       !place->begins_storm && place->reason == NULL;
}

static void add_fresh(struct telling *t)
{
	struct stmt *q = db_use(t->s->db, SQL_ROWS_ADD);

	for (size_t i = 0; i < SQL_ROWS_MAX; i++) {
		const struct fresh *row = &t->fresh[i];
		int at = (int)i * 4;

		stmt_bind_int(q, at + 1, row->key);
		stmt_bind_int(q, at + 2, delivery_key_sink(row->key));
		stmt_bind_int(q, at + 3, row->route);
		stmt_bind_int(q, at + 4, row->due_at);
	}
	stmt_run(q);
	t->fresh_count = 0;
}

static void gather(struct telling *t, const struct fresh *row)
{
	store_note_event(t->s, delivery_key_event(row->key));
	t->fresh[t->fresh_count++] = *row;
	if (t->fresh_count == SQL_ROWS_MAX)
		add_fresh(t);
}

void telling_flush(struct telling *t)
{
	for (size_t i = 0; i < t->fresh_count; i++) {
		const struct fresh *row = &t->fresh[i];
		const struct place place = { .state = DELIVERY_DUE, .due_at = row->due_at };

		order_add_row(t->s, row->key, row->route, &place, t->batch->now);
	}
	t->fresh_count = 0;
}

/* ---- one row ---- */

static void add_row(struct telling *t, const struct told *told, const struct plan *plan)
{
	int64_t key = delivery_key(told->event, plan->sink, plan->origin, plan->ordinal);
	struct place place = place_of(t, told->kind, key, plan);
	bool is_doubted = plan->drop == NULL && is_doubtful(t, told);
	int64_t now = t->batch->now;

	t->made++;
	if (t->gathers && is_plain(&place) && !is_doubted) {
		gather(t, &(struct fresh){ key, place.due_at, plan->route });
		return;
	}
	order_add_row(t->s, key, plan->route, &place, now);
	if (place.begins_storm)
		batches_begin_storm(t->s, key, plan->wish.storm.key, now);
	if (is_doubted)
		doubt_row(t, key);
}

bool telling_plan(struct telling *t, const struct step *step)
{
	t->count = 0;
	if (step->follow)
		plan_follow_ups(t, step->kind);
	for (size_t i = 0; i < step->target_count; i++)
		plan_target(t, &step->targets[i], step->only_new);
	return t->count > 0;
}

void telling_make(struct telling *t, const struct told *told)
{
	for (size_t i = 0; i < t->count; i++)
		add_row(t, told, &t->plans[i]);
}

void telling_release(struct telling *t)
{
	mem_free(&t->plans);
}
