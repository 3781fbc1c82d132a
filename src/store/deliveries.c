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
#include <string.h>
#include <unistd.h>

#include "base/kill.h"
#include "base/mem.h"
#include "store/again.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/move.h"
#include "store/order.h"
#include "store/tick.h"

enum {
	ATTEMPTS_KEPT = 20,
	PROBE_FROM = 64, /* due rows among which a probe takes the one least tried */
};

struct turn_run {
	struct store *s;
	const struct turn_batch *batch;
	bool any_waiting; /* some row waits behind another, so ends must be looked at */
	struct claim *claims;
	size_t claim_count, claim_room;
	struct answer *answers;
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

static void bind_list(struct stmt *q, const int64_t *ids, size_t count)
{
	for (size_t i = 0; i < SQL_LIST_MAX; i++)
		stmt_bind_some(q, 4 + (int)i, i < count ? ids[i] : 0);
}

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
	bind_list(q, group->ids, group->count);
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

/* ---- claim ---- */

static int64_t next_due(struct store *s, int sink)
{
	struct stmt *q = db_use(s->db, SQL_DUE_NEXT);
	int64_t due_at;

	stmt_bind_int(q, 1, sink);
	due_at = stmt_row(q) ? stmt_int(q, 0) : INT64_MAX;
	stmt_end(q);
	return due_at;
}

/* A copy that the claim owns; "" for none, which costs nothing. */
static const char *text_of(struct stmt *q, int column)
{
	const char *text = stmt_word(q, column);

	return text[0] != '\0' ? mem_strdup(text) : "";
}

static void add_claim(struct turn_run *run, struct stmt *q, const struct ask *ask)
{
	int64_t id = stmt_int(q, 0);
	int64_t first_attempt_at = stmt_int(q, 4);

	if (run->claim_count == run->claim_room) {
		run->claim_room = run->claim_room * 2 + 64;
		run->claims = mem_resize(run->claims, run->claim_room, sizeof(*run->claims));
	}
	store_note_event(run->s, delivery_key_event(id));
	run->claims[run->claim_count++] = (struct claim){
		.id = id,
		.event = delivery_key_event(id),
		.sink = ask->sink,
		.route = (int)stmt_int(q, 1),
		.origin = delivery_key_origin(id),
		.ordinal = delivery_key_ordinal(id),
		.attempt = stmt_int(q, 2) + 1,
		.possible_repeat = stmt_int(q, 3) != 0,
		.first_attempt_at = first_attempt_at != 0 ? first_attempt_at : run->batch->now,
		.held_base_ms = stmt_is_null(q, 5) ? ask->held_total_ms : stmt_int(q, 5),
		.progress = text_of(q, 6),
		.batch = stmt_int(q, 7),
	};
}

static void release_text(const char *text)
{
	char *owned = text != NULL && text[0] != '\0' ? (char *)text : NULL;

	mem_free(&owned);
}

static void release_claim(struct claim *claim)
{
	release_text(claim->body);
	release_text(claim->handle);
	release_text(claim->progress);
	release_text(claim->why);
	release_text(claim->storm);
	release_text(claim->rest);
	for (size_t i = 0; i < claim->member_count; i++)
		release_claim(&claim->members[i]);
	mem_free(&claim->members);
}

/* Leaves the `room` claims from `from` on that were tried least, in their order. */
static void keep_least_tried(struct turn_run *run, size_t from, size_t room)
{
	while (run->claim_count - from > room) {
		size_t most = from;

		for (size_t i = from; i < run->claim_count; i++)
			if (run->claims[i].attempt >= run->claims[most].attempt)
				most = i;
		release_claim(&run->claims[most]);
		run->claim_count--;
		memmove(&run->claims[most], &run->claims[most + 1],
			(run->claim_count - most) * sizeof(*run->claims));
	}
}

/* The row that is due next waits longer than any wait that could have been chosen. */
static bool has_jumped(const struct turn_run *run, const struct ask *ask, int64_t next_due_at)
{
	return ask->wait_max_ms > 0 && next_due_at != INT64_MAX &&
	       next_due_at > run->batch->now + ask->wait_max_ms;
}

static void choose_rows(struct turn_run *run, const struct ask *ask, int64_t due_until)
{
	struct stmt *q = db_use(run->s->db, SQL_DUE_ROWS);
	size_t from = run->claim_count;
	size_t most = ask->probe && ask->room < PROBE_FROM ? PROBE_FROM : ask->room;

	stmt_bind_int(q, 1, ask->sink);
	stmt_bind_int(q, 2, due_until);
	stmt_bind_int(q, 3, (int64_t)most);
	while (stmt_row(q))
		add_claim(run, q, ask);
	if (ask->probe)
		keep_least_tried(run, from, ask->room);
}

static void mark_claimed(struct turn_run *run, size_t from, const struct ask *ask)
{
	while (from < run->claim_count) {
		struct stmt *q = db_use(run->s->db, SQL_CLAIM);
		int64_t ids[SQL_LIST_MAX];
		size_t count = 0;

		while (count < SQL_LIST_MAX && from < run->claim_count)
			ids[count++] = run->claims[from++].id;
		stmt_bind_int(q, 1, run->batch->now);
		stmt_bind_int(q, 2, getpid());
		stmt_bind_int(q, 3, ask->held_total_ms);
		bind_list(q, ids, count);
		stmt_run(q);
	}
}

/*
 * The handle of the newest older row of the same episode and sink that left one: what a
 * follow-up refers to. The first row of an episode has none, and most rows are that.
 */
static const char *find_handle(struct turn_run *run, const struct claim *claim, int64_t prev)
{
	int64_t event = claim->event, below = claim->id;

	if (claim->seq == 1 && claim->origin == ORIGIN_ROUTE)
		return "";
	for (;;) {
		struct stmt *q = db_use(run->s->db, SQL_CLAIM_HANDLE);
		const char *handle = "";

		stmt_bind_int(q, 1, delivery_key(event, claim->sink, ORIGIN_ROUTE, 0));
		stmt_bind_int(q, 2, below);
		if (stmt_row(q))
			handle = text_of(q, 0);
		stmt_end(q);
		if (handle[0] != '\0' || prev == 0)
			return handle;
		event = prev;
		below = delivery_key(event, claim->sink, ORIGIN_REQUEUE, DELIVERY_ORDINAL_MAX) +
			1;
		q = db_use(run->s->db, SQL_EVENT_LINK);
		stmt_bind_int(q, 1, event);
		bool is_same_episode = stmt_row(q) && stmt_int(q, 1) == claim->episode;

		prev = is_same_episode ? stmt_int(q, 0) : 0;
		stmt_end(q);
		if (!is_same_episode)
			return "";
	}
}

/* False: its event is not in the store. */
static bool read_event(struct turn_run *run, struct claim *claim)
{
	struct stmt *q = db_use(run->s->db, SQL_CLAIM_EVENT);

	stmt_bind_int(q, 1, claim->event);
	if (!stmt_row(q))
		return false;
	claim->source = (int)stmt_int(q, 0);
	if (!event_kind_parse(stmt_word(q, 1), &claim->kind))
		claim->kind = EVENT_CHANGED;
	claim->episode = stmt_int(q, 2);
	claim->seq = stmt_int(q, 3);
	claim->first = stmt_int(q, 4) != 0;
	claim->at = stmt_int(q, 5);
	int64_t prev = stmt_int(q, 6);
	const char *body = stmt_text(q, 7, &claim->body_len);

	claim->body = claim->body_len != 0 ? mem_dup(body, claim->body_len) : "";
	stmt_end(q);
	claim->handle = find_handle(run, claim, prev);
	return true;
}

/* A row without its event (a damaged file) is a dead letter, so that it stops nobody. */
static void give_up_claim(struct turn_run *run, struct claim *claim)
{
	int64_t now = run->batch->now;

	batches_part(run->s, claim->id, claim->batch, now);
	order_end(run->s, claim->id, DELIVERY_DEAD, "its event is not in the store", now);
	order_release(run->s, claim->id, 0, now);
	for (size_t i = 0; i < run->batch->ask_count; i++)
		if (run->answers[i].sink == claim->sink && run->answers[i].claimed > 0)
			run->answers[i].claimed--;
	release_claim(claim);
}

/* A member without its event is left out of the digest, and ends. */
static void read_members(struct turn_run *run, struct claim *claim)
{
	size_t kept = 0;

	if (claim->batch == 0)
		return;
	batches_claim(run->s, claim);
	for (size_t i = 0; i < claim->member_count; i++) {
		struct claim *member = &claim->members[i];

		if (read_event(run, member)) {
			claim->members[kept++] = *member;
			continue;
		}
		order_end(run->s, member->id, DELIVERY_DEAD, "its event is not in the store",
			  run->batch->now);
		release_claim(member);
	}
	claim->member_count = kept;
}

static void read_events(struct turn_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->claim_count; i++) {
		struct claim *claim = &run->claims[i];

		if (read_event(run, claim)) {
			read_members(run, claim);
			run->claims[kept++] = *claim;
		} else {
			give_up_claim(run, claim);
		}
	}
	run->claim_count = kept;
}

static void claim_all(struct turn_run *run)
{
	const struct turn_batch *batch = run->batch;

	for (size_t i = 0; i < batch->ask_count; i++) {
		const struct ask *ask = &batch->asks[i];
		size_t from = run->claim_count;

		if (ask->room != 0)
			choose_rows(run, ask, batch->now);
		if (ask->room != 0 && run->claim_count == from &&
		    has_jumped(run, ask, next_due(run->s, ask->sink)))
			choose_rows(run, ask, INT64_MAX);
		mark_claimed(run, from, ask);
		KILL_POINT("claims-written");
		run->answers[i] = (struct answer){
			.sink = ask->sink,
			.claimed = run->claim_count - from,
			.next_due_at = next_due(run->s, ask->sink),
		};
	}
	read_events(run);
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
					 .next_due_at = next_due(run->s, ask->sink) };

		run->answers[i] = answer;
		is_due = ask->room != 0 && (answer.next_due_at <= batch->now ||
					    has_jumped(run, ask, answer.next_due_at));
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
	claim_all(run);
	KILL_POINT("turn-written");
	return db_commit(run->s->db, err);
}

/* What is under way now that the turn is committed. */
static void keep_account(struct turn_run *run)
{
	for (size_t i = 0; i < run->batch->settle_count; i++)
		idset_remove(&run->s->claimed, run->batch->settles[i].id);
	for (size_t i = 0; i < run->claim_count; i++)
		idset_add(&run->s->claimed, run->claims[i].id);
}

void store_turn(struct store *s, const struct turn_batch *batch)
{
	struct turn_run run = { .s = s,
				.batch = batch,
				.repeats = { batch->repeat_ms, batch->arg },
				.next_tick_at = INT64_MAX };
	struct turn_result result = { .ok = true };
	struct err err = { "" };

	run.answers = mem_array(batch->ask_count, sizeof(*run.answers));
	run.moved = mem_array(batch->move_count, sizeof(*run.moved));
	if (is_idle(&run) || write_turn(&run, &err)) {
		keep_account(&run);
		result.claims = run.claims;
		result.claim_count = run.claim_count;
		result.answers = run.answers;
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
	for (size_t i = 0; i < run.claim_count; i++)
		release_claim(&run.claims[i]);
	mem_free(&run.claims);
	mem_free(&run.answers);
	mem_free(&run.moved);
}
