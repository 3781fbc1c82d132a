/*
 * claims: which rows are taken, and what is read of them.
 *
 * Rows are taken in the order of their time; a probe takes the one least tried. Sixteen are
 * marked by one statement. Then each is filled with its event, and the leader of a digest with
 * its members: that costs most, and comes last.
 */
#include "store/claims.h"

#include <string.h>
#include <unistd.h>

#include "base/kill.h"
#include "base/mem.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"
#include "store/people.h"

enum { PROBE_FROM = 64 }; /* due rows among which a probe takes the one least tried */

void claims_bind_list(struct stmt *q, const int64_t *ids, size_t count)
{
	for (size_t i = 0; i < SQL_LIST_MAX; i++)
		stmt_bind_some(q, 4 + (int)i, i < count ? ids[i] : 0);
}

int64_t claims_next_due(struct store *s, int sink)
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

static void add_claim(struct claims *run, struct stmt *q, const struct ask *ask)
{
	int64_t id = stmt_int(q, 0);
	int64_t first_attempt_at = stmt_int(q, 4);

	if (run->count == run->room) {
		run->room = run->room * 2 + 64;
		run->list = mem_resize(run->list, run->room, sizeof(*run->list));
	}
	store_note_event(run->s, delivery_key_event(id));
	run->list[run->count++] = (struct claim){
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
	release_text(claim->context);
	release_text(claim->handle);
	release_text(claim->progress);
	release_text(claim->why);
	release_text(claim->storm);
	release_text(claim->rest);
	release_text(claim->opening.body);
	release_text(claim->opening.context);
	for (size_t i = 0; i < claim->member_count; i++)
		release_claim(&claim->members[i]);
	mem_free(&claim->members);
}

/* Leaves the `room` claims from `from` on that were tried least, in their order. */
static void keep_least_tried(struct claims *run, size_t from, size_t room)
{
	while (run->count - from > room) {
		size_t most = from;

		for (size_t i = from; i < run->count; i++)
			if (run->list[i].attempt >= run->list[most].attempt)
				most = i;
		release_claim(&run->list[most]);
		run->count--;
		memmove(&run->list[most], &run->list[most + 1],
			(run->count - most) * sizeof(*run->list));
	}
}

bool claims_has_jumped(const struct claims *run, const struct ask *ask, int64_t next_due_at)
{
	return ask->wait_max_ms > 0 && next_due_at != INT64_MAX &&
	       next_due_at > run->batch->now + ask->wait_max_ms;
}

static void choose_rows(struct claims *run, const struct ask *ask, int64_t due_until)
{
	struct stmt *q = db_use(run->s->db, SQL_DUE_ROWS);
	size_t from = run->count;
	size_t most = ask->probe && ask->room < PROBE_FROM ? PROBE_FROM : ask->room;

	stmt_bind_int(q, 1, ask->sink);
	stmt_bind_int(q, 2, due_until);
	stmt_bind_int(q, 3, (int64_t)most);
	while (stmt_row(q))
		add_claim(run, q, ask);
	if (ask->probe)
		keep_least_tried(run, from, ask->room);
}

static void mark_claimed(struct claims *run, size_t from, const struct ask *ask)
{
	while (from < run->count) {
		struct stmt *q = db_use(run->s->db, SQL_CLAIM);
		int64_t ids[SQL_LIST_MAX];
		size_t count = 0;

		while (count < SQL_LIST_MAX && from < run->count)
			ids[count++] = run->list[from++].id;
		stmt_bind_int(q, 1, run->batch->now);
		stmt_bind_int(q, 2, getpid());
		stmt_bind_int(q, 3, ask->held_total_ms);
		claims_bind_list(q, ids, count);
		stmt_run(q);
	}
}

/*
 * The handle of the newest older row of the same episode and sink that left one: what a
 * follow-up refers to. The first row of an episode has none, and most rows are that.
 */
static const char *find_handle(struct claims *run, const struct claim *claim, int64_t prev)
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

/* A bare copy; "" for none. */
static const char *bytes_of(struct stmt *q, int column, size_t *len)
{
	const char *bytes = stmt_text(q, column, len);

	return *len != 0 ? mem_dup(bytes, *len) : "";
}

/* Whom an earlier event named: of the few rows whose people are not their own event's. */
static void read_opening(struct claims *run, struct claim *claim)
{
	int64_t event = claim->seq > 1 ? people_event(run->s, claim->id) : claim->event;

	if (event == claim->event)
		return;
	struct stmt *q = db_use(run->s->db, SQL_CLAIM_EVENT);

	stmt_bind_int(q, 1, event);
	if (stmt_row(q)) {
		struct opening *o = &claim->opening;

		*o = (struct opening){ .source = claim->source,
				       .first = stmt_int(q, 4) != 0,
				       .at = stmt_int(q, 5) };
		if (!event_kind_parse(stmt_word(q, 1), &o->kind))
			o->kind = EVENT_CHANGED;
		o->body = bytes_of(q, 7, &o->body_len);
		o->context = bytes_of(q, 8, &o->context_len);
	}
	stmt_end(q);
}

/* False: its event is not in the store. */
static bool read_event(struct claims *run, struct claim *claim)
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
	claim->body = bytes_of(q, 7, &claim->body_len);
	claim->context = text_of(q, 8);
	claim->context_len = strlen(claim->context);
	stmt_end(q);
	read_opening(run, claim);
	claim->handle = find_handle(run, claim, prev);
	return true;
}

/* A row without its event (a damaged file) is a dead letter, so that it stops nobody. */
static void give_up_claim(struct claims *run, struct claim *claim)
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
static void read_members(struct claims *run, struct claim *claim)
{
	size_t kept = 0;

	if (claim->batch == 0)
		return;
	if (!batches_taken_by(&run->s->sinks[claim->sink])) {
		batches_part(run->s, claim->id, claim->batch, run->batch->now);
		claim->batch = 0;
		return;
	}
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

static void read_events(struct claims *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->count; i++) {
		struct claim *claim = &run->list[i];

		if (read_event(run, claim)) {
			read_members(run, claim);
			run->list[kept++] = *claim;
		} else {
			give_up_claim(run, claim);
		}
	}
	run->count = kept;
}

void claims_take(struct claims *run)
{
	const struct turn_batch *batch = run->batch;

	for (size_t i = 0; i < batch->ask_count; i++) {
		const struct ask *ask = &batch->asks[i];
		size_t from = run->count;

		if (ask->room != 0)
			choose_rows(run, ask, batch->now);
		if (ask->room != 0 && run->count == from &&
		    claims_has_jumped(run, ask, claims_next_due(run->s, ask->sink)))
			choose_rows(run, ask, INT64_MAX);
		mark_claimed(run, from, ask);
		KILL_POINT("claims-written");
		run->answers[i] = (struct answer){
			.sink = ask->sink,
			.claimed = run->count - from,
			.next_due_at = claims_next_due(run->s, ask->sink),
		};
	}
	read_events(run);
}

void claims_init(struct claims *run, struct store *s, const struct turn_batch *batch)
{
	*run = (struct claims){ .s = s, .batch = batch };
	run->answers = mem_array(batch->ask_count, sizeof(*run->answers));
}

void claims_release(struct claims *run)
{
	for (size_t i = 0; i < run->count; i++)
		release_claim(&run->list[i]);
	mem_free(&run->list);
	mem_free(&run->answers);
}
