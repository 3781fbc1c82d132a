/*
 * batches_end: what becomes of a digest's members when its leader has settled.
 *
 * Very many end in steps of some hundred, later ones in later ticks: until then the batch is open
 * and says how they end.
 */
#include "base/mem.h"
#include "store/again.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/move.h"
#include "store/order.h"

enum { STEP_MAX = 500 }; /* members that end in one transaction */

/* How the members of a batch end. */
struct ending {
	struct store *s;
	const struct repeats *repeats;
	int64_t now, batch;
	enum delivery_state state;
	bool split;
	const char *reason, *handle;
	int64_t status;
	int moved_to;
};

static void end_done(const struct ending *e, int64_t id)
{
	struct stmt *q = db_use(e->s->db, SQL_MEMBER_DONE);

	stmt_bind_int(q, 1, id);
	stmt_bind_int(q, 2, e->now);
	stmt_bind_some(q, 3, e->status);
	stmt_bind_text(q, 4, e->handle);
	stmt_run(q);
	store_note_event(e->s, delivery_key_event(id));
	order_release(e->s, id, 0, e->now);
	again_after(e->s, id, e->repeats, e->now);
}

/* Where each goes by itself the most severe is due first. */
static void part_member(const struct ending *e, int64_t id, size_t index)
{
	bool is_ordered = !batches_taken_by(&e->s->sinks[delivery_key_sink(id)]);

	order_queue_up(e->s, id);
	order_free(e->s, id, e->now + (is_ordered ? (int64_t)index : 0));
}

static void end_member(const struct ending *e, int64_t id)
{
	if (e->s->sinks[delivery_key_sink(id)].heir != 0)
		adopt_note(e->s, id);
	if (e->state == DELIVERY_DONE) {
		end_done(e, id);
		return;
	}
	order_end(e->s, id, e->state, e->reason, e->now);
	if (e->state == DELIVERY_MOVED)
		move_on(e->s, id, e->moved_to, e->reason, e->now);
	else
		order_release(e->s, id, 0, e->now);
}

static void end_some(const struct ending *e)
{
	int64_t ids[STEP_MAX];
	size_t count = batches_members(e->s, e->batch, ids, STEP_MAX);

	for (size_t i = 0; i < count; i++) {
		if (e->split)
			part_member(e, ids[i], i);
		else
			end_member(e, ids[i]);
	}
	if (count == STEP_MAX)
		return;
	if (e->split) {
		batches_forget(e->s, e->batch);
		return;
	}
	struct stmt *q = db_use(e->s->db, SQL_BATCH_OVER);

	stmt_bind_int(q, 1, e->batch);
	stmt_run(q);
}

/* Its leader is one of it no more. */
static void ends_as(const struct ending *e, const char *state)
{
	struct stmt *q = db_use(e->s->db, SQL_BATCH_ENDS);

	stmt_bind_int(q, 1, e->batch);
	stmt_bind_text(q, 2, state);
	stmt_bind_text(q, 3, e->reason);
	stmt_bind_text(q, 4, e->handle);
	stmt_bind_some(q, 5, e->status);
	stmt_bind_some(q, 6, e->moved_to);
	stmt_run(q);
}

void batches_let_go(struct store *s, int64_t batch, bool at_once, int64_t now)
{
	const struct ending e = { .s = s, .now = now, .batch = batch, .split = true };

	ends_as(&e, "split");
	if (at_once)
		end_some(&e);
}

void batches_settled(struct store *s, const struct settle *settle,
		     const struct repeats *repeats, int64_t now)
{
	struct ending e = { .s = s,
			    .repeats = repeats,
			    .now = now,
			    .batch = settle->batch,
			    .state = settle->state,
			    .split = settle->state == DELIVERY_DUE && settle->split,
			    .reason = settle->reason,
			    .handle = settle->handle,
			    .status = settle->attempt.status,
			    .moved_to = settle->moved_to };

	if (settle->state == DELIVERY_DUE && !e.split) {
		struct stmt *q = db_use(s->db, SQL_MEMBERS_DOUBT);

		stmt_bind_int(q, 1, settle->batch);
		if (settle->maybe_sent)
			stmt_run(q);
		return;
	}
	/* The leader stays one of a digest that has ended, and is a single else. */
	struct stmt *q = db_use(s->db, e.split ? SQL_MEMBER_PART : SQL_MEMBER_OVER);

	stmt_bind_int(q, 1, settle->id);
	stmt_run(q);
	if (e.split && order_queue_up(s, settle->id))
		order_free(s, settle->id, now);
	ends_as(&e, e.split ? "split" : delivery_state_name(e.state));
	end_some(&e);
}

bool batches_step(struct store *s, const struct repeats *repeats, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_ANY_ENDING);
	struct ending e = { .s = s, .repeats = repeats, .now = now };

	if (!stmt_row(q))
		return false;
	char *reason = mem_strdup(stmt_word(q, 2)), *handle = mem_strdup(stmt_word(q, 3));

	e.batch = stmt_int(q, 0);
	e.split = !delivery_state_parse(stmt_word(q, 1), &e.state);
	e.reason = reason[0] != '\0' ? reason : NULL;
	e.handle = handle[0] != '\0' ? handle : NULL;
	e.status = stmt_int(q, 4);
	e.moved_to = (int)stmt_int(q, 5);
	stmt_end(q);
	end_some(&e);
	mem_free(&reason);
	mem_free(&handle);
	return true;
}

bool batches_any_work(struct store *s)
{
	static const enum sql works[] = { SQL_BATCH_ANY_FORMING, SQL_BATCH_ANY_ENDING };

	for (size_t i = 0; i < ARRAY_LEN(works); i++) {
		struct stmt *q = db_use(s->db, works[i]);
		bool is_some = stmt_row(q);

		stmt_end(q);
		if (is_some)
			return true;
	}
	return false;
}

void batches_part(struct store *s, int64_t id, int64_t batch, int64_t now)
{
	struct ending e = { .s = s, .now = now, .batch = batch, .split = true };
	struct stored_row row;

	if (batch == 0)
		return;
	struct stmt *q = db_use(s->db, SQL_MEMBER_PART);

	stmt_bind_int(q, 1, id);
	stmt_run(q);
	/* A member that was held by it alone. */
	if (order_find(s, id, &row) && row.state == DELIVERY_HELD && row.held_until == 0)
		order_free(s, id, now);
	ends_as(&e, "split");
	end_some(&e);
}

void batches_doubt_claimed(struct store *s)
{
	stmt_run(db_use(s->db, SQL_MEMBERS_DOUBT_CLAIMED));
}
