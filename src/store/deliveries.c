/*
 * deliveries: one turn of the queue, in one transaction (invariant 2).
 *
 *   due ──claim──▶ claimed ──settle──▶ done | dead | moved | dropped
 *    ▲ └── its sink is down too long ────────────────────▲
 *    └────────── LATER ───────┘ (from claimed)
 *
 * First the outcomes of the last turn with whatever they release, then the sinks' holds, then
 * what goes to a fallback, then rows whose time has come, then the claims of the next turn with
 * the bodies, which cost least inside the transaction. Most outcomes are first successes that leave nothing to note: those of one status settle sixteen
 * to a statement, and so do claims. A turn with nothing to write begins no transaction.
 *
 * Only a claimed row is settled, so an outcome that comes twice changes nothing.
 */
#include "base/kill.h"
#include "base/mem.h"
#include "store/again.h"
#include "store/batches.h"
#include "store/claims.h"
#include "store/inner.h"
#include "store/move.h"
#include "store/order.h"
#include "store/tick.h"

enum {
	ATTEMPTS_KEPT = 20,
};

struct turn_run {
	struct store *s;
	const struct turn_batch *batch;
	bool any_waiting; /* some row waits behind another, so ends must be looked at */
	struct claims claims;
	struct moved *moved;
	struct repeats repeats;
	size_t freed; /* by the tick */
	int64_t next_tick_at;
};

/* Rows that settle alike and so in one statement. */
struct group {
	const struct settle *like;
	int64_t ids[SQL_LIST_MAX];
	size_t count;
};

/* ---- settle ---- */

static void release(struct turn_run *run, int64_t id, int64_t due_at)
{
	if (run->any_waiting)
		order_release(run->s, id, 0, due_at);
}

/* Of a sink that has an heir: what it leaves is the heir's. */
static void note_settled(struct turn_run *run, int64_t id)
{
	if (run->s->sinks[delivery_key_sink(id)].heir != 0)
		adopt_note(run->s, id);
}

static bool is_first_success(const struct settle *settle)
{
	return settle->state == DELIVERY_DONE && settle->attempt.verdict == VERDICT_DELIVERED &&
	       settle->attempt_count == 1 && !settle->uncount;
}

static bool is_plain(const struct settle *settle)
{
	return is_first_success(settle) && !settle->maybe_sent && settle->reason == NULL &&
	       settle->handle == NULL && settle->progress == NULL && settle->batch == 0 &&
	       !settle->repeats;
}

static void flush_group(struct turn_run *run, struct group *group)
{
	if (group->count == 0)
		return;
	struct stmt *q = db_use(run->s->db, SQL_SETTLE_DONE);

	stmt_bind_int(q, 1, run->batch->now);
	stmt_bind_some(q, 2, group->like->attempt.status);
	stmt_bind_text(q, 3, NULL); /* what an earlier claim, cut short, had left */
	claims_bind_list(q, group->ids, group->count);
	stmt_run(q);
	for (size_t i = 0; i < group->count; i++) {
		note_settled(run, group->ids[i]);
		release(run, group->ids[i], run->batch->now);
	}
	group->count = 0;
}

static void settle_plain(struct turn_run *run, struct group *group, const struct settle *settle)
{
	if (group->count == SQL_LIST_MAX ||
	    (group->count != 0 && group->like->attempt.status != settle->attempt.status))
		flush_group(run, group);
	if (group->count == 0)
		group->like = settle;
	group->ids[group->count++] = settle->id;
	store_note_event(run->s, delivery_key_event(settle->id));
}

/* The state that is stored: a row whose sink has gone meanwhile cannot be due. */
static enum delivery_state stored_state(struct turn_run *run, const struct settle *settle)
{
	switch (settle->state) {
	case DELIVERY_DONE:
	case DELIVERY_DEAD:
	case DELIVERY_MOVED:
	case DELIVERY_DROPPED: return settle->state;
	case DELIVERY_DUE: break;
	case DELIVERY_HELD:
	case DELIVERY_CLAIMED:
	case DELIVERY_ORPHANED:
		BUG("a row cannot settle as %s", delivery_state_name(settle->state));
	}
	return run->s->sinks[delivery_key_sink(settle->id)].is_absent ? DELIVERY_ORPHANED
								      : DELIVERY_DUE;
}

static bool update_row(struct turn_run *run, const struct settle *settle)
{
	struct stmt *q = db_use(run->s->db, SQL_SETTLE_ONE);
	bool is_due = settle->state == DELIVERY_DUE;
	/* A row that was claimed but never tried has not begun to age. */
	bool is_unbegun =
		settle->uncount && settle->attempt.at == 0 && settle->attempt_count <= 1;

	stmt_bind_int(q, 1, settle->id);
	stmt_bind_text(q, 2, delivery_state_name(stored_state(run, settle)));
	stmt_bind_some(q, 3, is_due ? settle->due_at : 0);
	stmt_bind_text(q, 4, settle->reason);
	stmt_bind_int(q, 5, settle->maybe_sent);
	stmt_bind_int(q, 6, settle->uncount);
	stmt_bind_text(q, 7, settle->handle);
	stmt_bind_text(q, 8, settle->progress);
	stmt_bind_some(q, 9, settle->attempt.status);
	stmt_bind_some(q, 10, is_due ? 0 : run->batch->now);
	stmt_bind_int(q, 11, is_unbegun);
	return stmt_run(q) != 0;
}

static void record_attempt(struct turn_run *run, const struct settle *settle)
{
	const struct attempt *attempt = &settle->attempt;

	if (attempt->at == 0 || is_first_success(settle))
		return;
	struct stmt *q = db_use(run->s->db, SQL_ATTEMPT_ADD);

	stmt_bind_int(q, 1, settle->id);
	stmt_bind_int(q, 2, attempt->at);
	stmt_bind_int(q, 3, attempt->took_ms);
	stmt_bind_text(q, 4, verdict_name(attempt->verdict));
	stmt_bind_some(q, 5, attempt->status);
	stmt_bind_text(q, 6, attempt->answer);
	stmt_run(q);
	q = db_use(run->s->db, SQL_ATTEMPT_TRIM);
	stmt_bind_int(q, 1, settle->id);
	stmt_bind_int(q, 2, ATTEMPTS_KEPT);
	stmt_run(q);
}

/*
 * A reload may have come since the outcome: where the fallback has taken its sink over, there is
 * no other place to go, and the row is adopted like all that waits.
 */
static struct settle settle_as_sinks_are(struct turn_run *run, const struct settle *settle)
{
	struct settle now = *settle;
	int sink = delivery_key_sink(settle->id);

	if (settle->state == DELIVERY_MOVED &&
	    store_sink_now(run->s, settle->moved_to) == store_sink_now(run->s, sink)) {
		now.state = DELIVERY_DUE;
		now.due_at = run->batch->now;
	}
	return now;
}

static void settle_one(struct turn_run *run, const struct settle *outcome)
{
	const struct settle as_is = settle_as_sinks_are(run, outcome), *settle = &as_is;

	if (!update_row(run, settle))
		return;
	note_settled(run, settle->id);
	store_note_event(run->s, delivery_key_event(settle->id));
	record_attempt(run, settle);
	if (settle->batch != 0) {
		batches_settled(run->s, settle, &run->repeats, run->batch->now);
		run->any_waiting = order_any_waiting(run->s);
	}
	if (settle->repeats)
		again_after(run->s, settle->id, &run->repeats, run->batch->now);
	if (settle->state == DELIVERY_MOVED) {
		move_on(run->s, settle->id, settle->moved_to, settle->reason, run->batch->now);
		run->any_waiting = true; /* what was made may wait for a row of this batch */
	} else if (settle->state != DELIVERY_DUE)
		release(run, settle->id, run->batch->now);
	else if (run->any_waiting)
		order_fold(run->s, settle->id, settle->due_at, run->batch->now);
}

static void settle_all(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;
	struct group group = { .count = 0 };

	if (batch->settle_count == 0)
		return;
	run->any_waiting = order_any_waiting(run->s);
	for (size_t i = 0; i < batch->settle_count; i++) {
		if (is_plain(&batch->settles[i]))
			settle_plain(run, &group, &batch->settles[i]);
		else
			settle_one(run, &batch->settles[i]);
	}
	flush_group(run, &group);
	KILL_POINT("outcomes-written");
}

static void hold_sinks(struct turn_run *run)
{
	for (size_t i = 0; i < run->batch->hold_count; i++) {
		const struct hold *hold = &run->batch->holds[i];
		struct stmt *q = db_use(run->s->db, SQL_HOLD);

		stmt_bind_int(q, 1, hold->sink);
		stmt_bind_some(q, 2, hold->held_until);
		stmt_bind_some(q, 3, hold->down_since);
		stmt_bind_int(q, 4, hold->held_total_ms);
		stmt_bind_text(q, 5, hold->reason[0] != '\0' ? hold->reason : NULL);
		stmt_run(q);
	}
}

static void move_rows(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;

	for (size_t i = 0; i < batch->move_count; i++)
		move_waiting(run->s, &batch->moves[i], batch->now, &run->moved[i]);
}

/* ---- the tick ---- */

static void tick(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;

	if (batch->tick == NULL)
		return;
	run->freed = tick_run(run->s, batch->tick, &run->repeats, batch->now);
	run->next_tick_at = tick_next_at(run->s, batch->tick, batch->now);
	KILL_POINT("tick-written");
}

static bool is_tick_idle(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;

	if (batch->tick == NULL)
		return true;
	run->next_tick_at = tick_next_at(run->s, batch->tick, batch->now);
	return run->next_tick_at > batch->now;
}

/* ---- the turn ---- */

/* True when there is nothing to write: the answers then say when there may be. */
static bool is_idle(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;
	bool is_due = batch->settle_count != 0 || batch->hold_count != 0;

	db_clear(run->s->db);
	for (size_t i = 0; i < batch->ask_count && !is_due; i++) {
		const struct ask *ask = &batch->asks[i];
		struct answer answer = { .sink = ask->sink,
					 .next_due_at = claims_next_due(run->s, ask->sink) };

		run->claims.answers[i] = answer;
		is_due = ask->room != 0 &&
			 (answer.next_due_at <= batch->now ||
			  claims_has_jumped(&run->claims, ask, answer.next_due_at));
	}
	is_due = is_due || !is_tick_idle(run);
	for (size_t i = 0; i < batch->move_count && !is_due; i++)
		is_due = !move_is_idle(run->s, &batch->moves[i], &run->moved[i]);
	return !is_due && db_failure(run->s->db) == DB_FINE;
}

static bool write_turn(struct turn_run *run, struct err *err)
{
	db_begin(run->s->db);
	KILL_POINT("turn-begun");
	settle_all(run);
	hold_sinks(run);
	move_rows(run);
	tick(run);
	claims_take(&run->claims);
	KILL_POINT("turn-written");
	return db_commit(run->s->db, err);
}

/* What is under way now that the turn is committed. */
static void keep_account(struct turn_run *run)
{
	for (size_t i = 0; i < run->batch->settle_count; i++)
		idset_remove(&run->s->claimed, run->batch->settles[i].id);
	for (size_t i = 0; i < run->claims.count; i++)
		idset_add(&run->s->claimed, run->claims.list[i].id);
}

void store_turn(struct store *s, const struct turn_batch *batch)
{
	struct turn_run run = { .s = s,
				.batch = batch,
				.repeats = { batch->repeat_ms, batch->arg },
				.next_tick_at = INT64_MAX };
	struct turn_result result = { .ok = true };
	struct err err = { "" };

	claims_init(&run.claims, s, batch);
	run.moved = mem_array(batch->move_count, sizeof(*run.moved));
	if (is_idle(&run) || write_turn(&run, &err)) {
		keep_account(&run);
		result.claims = run.claims.list;
		result.claim_count = run.claims.count;
		result.answers = run.claims.answers;
		result.answer_count = batch->ask_count;
		result.moved = run.moved;
		result.moved_count = batch->move_count;
		result.next_tick_at = run.next_tick_at;
		result.freed = run.freed;
	} else {
		result.ok = false;
		result.full = db_failure(s->db) == DB_FULL;
		result.busy = db_failure(s->db) == DB_BUSY;
		result.lost = db_failure(s->db) == DB_REFUSED;
		result.hint = keep_failed(s, &err);
		result.error = err.text;
	}
	KILL_POINT("turn-committed");
	batch->done(batch->arg, &result);
	claims_release(&run.claims);
	mem_free(&run.moved);
}
