/*
 * alerts: one page of what the API lists, in one transaction.
 *
 * For each item: is it new, changed or the same? The same (equal hash of its bytes) writes
 * nothing. For the others the caller decides which events there are, and each event makes its
 * rows. The position comes last, so a crash leaves either all of the page or nothing of it
 * (invariants 1 and 3). The commit need not wait for the disk but for a position: the turn that
 * claims the rows does.
 *
 * New alerts are the common case of a flood, so a new one is inserted as what it nearly always
 * becomes (one event, the next id) and only corrected when it became something else. Known ones
 * are the common case of a sweep: to try to insert one doubles what it costs. Neighbours are
 * alike, so what the last item was is tried first, and only costs time when it is wrong. The
 * same item twice on a page, or on two pages, meets its own row and is the same.
 *
 * An alert that is over and unknown, and no younger than what was pruned of its source, was
 * known once: it is passed over and makes no row, else a list that shows all of the past would
 * fill the store again at each full pass.
 *
 * Each event keeps the bytes as they were; the alert itself holds bytes only while they differ
 * from those of its newest event.
 */
#include <string.h>

#include "base/kill.h"
#include "base/mem.h"
#include "store/again.h"
#include "store/inner.h"
#include "store/telling.h"
#include "store/waiting.h"

/* What the store holds of one alert, and what it becomes. */
struct life {
	int64_t number, hash;
	int64_t last_event, unended_from;
	int64_t written_at;
	struct known known;
};

struct page_run {
	struct store *s;
	const struct page_batch *batch;
	struct page_result result;
	int64_t next_event;
	bool was_known;    /* the last item */
	bool some_missing; /* of the source's alerts, before the page */
	int64_t pruned_at; /* the newest created_at of what was pruned of it; 0: nothing was */
	int64_t *numbers;  /* of the items */
	struct telling telling;
};

/* The API's own word, also one that we do not know; such an alert counts as open. */
static const char *status_word(const struct alert *a)
{
	return a->status_text[0] != '\0' ? a->status_text : "open";
}

static enum alert_status status_of(const char *word)
{
	if (strcmp(word, "resolved") == 0)
		return ALERT_RESOLVED;
	return strcmp(word, "acknowledged") == 0 ? ALERT_ACKNOWLEDGED : ALERT_OPEN;
}

static enum alert_state state_of(enum alert_status status)
{
	return status == ALERT_RESOLVED ? ALERT_IS_RESOLVED : ALERT_IS_ACTIVE;
}

/* ---- the alert's own row ---- */

/* True when the alert was new. Its row then says: one event, the next one. */
static bool add_alert(struct page_run *run, const struct alert *a, int64_t hash,
		      struct life *life)
{
	struct stmt *q = db_use(run->s->db, SQL_ALERT_ADD);

	stmt_bind_int(q, 1, run->batch->source);
	stmt_bind_text(q, 2, a->id);
	stmt_bind_int(q, 3, hash);
	stmt_bind_int(q, 4, alert_content(a));
	stmt_bind_text(q, 5, status_word(a));
	stmt_bind_text(q, 6, a->severity_text);
	stmt_bind_text(q, 7, alert_state_name(state_of(a->status)));
	stmt_bind_int(q, 8, run->next_event);
	stmt_bind_some(q, 9, a->created_at);
	stmt_bind_int(q, 10, run->batch->now);
	stmt_bind_some(q, 11, a->resolved_at);
	if (stmt_run(q) == 0)
		return false;
	*life = (struct life){ .number = db_last_id(run->s->db) };
	return true;
}

static bool find_alert(struct page_run *run, const struct alert *a, struct life *life)
{
	struct stmt *q = db_use(run->s->db, SQL_ALERT_FIND);

	stmt_bind_int(q, 1, run->batch->source);
	stmt_bind_text(q, 2, a->id);
	if (!stmt_row(q))
		return false;
	*life = (struct life){
		.number = stmt_int(q, 0),
		.hash = stmt_int(q, 1),
		.last_event = stmt_int(q, 8),
		.unended_from = stmt_int(q, 9),
		.known = {
			.content = stmt_int(q, 2),
			.status = status_of(stmt_word(q, 3)),
			.severity = alert_severity_rank(stmt_word(q, 4), NULL),
			.episode = stmt_int(q, 6),
			.seq = stmt_int(q, 7),
			.created_at = stmt_int(q, 10),
			.resolved_at = stmt_int(q, 11),
			.flap = { .since = stmt_int(q, 13), .count = stmt_int(q, 14) },
		},
	};
	life->written_at = stmt_int(q, 12);
	if (!alert_state_parse(stmt_word(q, 5), &life->known.state))
		life->known.state = ALERT_IS_ACTIVE;
	stmt_end(q);
	return true;
}

static void save_alert(struct page_run *run, const struct alert *a, const struct life *life,
		       bool keep_body)
{
	struct stmt *q = db_use(run->s->db, SQL_ALERT_SAVE);

	stmt_bind_int(q, 1, life->number);
	stmt_bind_int(q, 2, life->hash);
	stmt_bind_int(q, 3, alert_content(a));
	stmt_bind_text(q, 4, status_word(a));
	stmt_bind_text(q, 5, a->severity_text);
	stmt_bind_text(q, 6, alert_state_name(life->known.state));
	stmt_bind_int(q, 7, life->known.episode);
	stmt_bind_int(q, 8, life->known.seq);
	stmt_bind_int(q, 9, life->last_event);
	stmt_bind_int(q, 10, life->unended_from);
	stmt_bind_some(q, 11, a->created_at);
	stmt_bind_int(q, 12, run->batch->now);
	stmt_bind_some(q, 13, a->resolved_at);
	if (keep_body)
		stmt_bind_bytes(q, 14, a->bytes, a->bytes_len);
	else
		stmt_bind_text(q, 14, NULL);
	stmt_bind_int(q, 15, life->known.flap.since);
	stmt_bind_int(q, 16, life->known.flap.count);
	stmt_run(q);
}

/* ---- one event ---- */

static void add_event(struct page_run *run, const struct alert *a, const struct step *step,
		      const struct decision *decision, const struct life *life)
{
	struct stmt *q = db_use(run->s->db, SQL_EVENT_ADD);

	stmt_bind_int(q, 1, run->next_event);
	stmt_bind_int(q, 2, life->number);
	stmt_bind_int(q, 3, run->batch->source);
	stmt_bind_int(q, 4, life->last_event);
	stmt_bind_int(q, 5, life->known.episode);
	stmt_bind_int(q, 6, life->known.seq);
	stmt_bind_text(q, 7, event_kind_name(step->kind));
	stmt_bind_int(q, 8, step->first);
	stmt_bind_int(q, 9, run->batch->now);
	stmt_bind_bytes(q, 10, a->bytes, a->bytes_len);
	if (decision->context != NULL)
		stmt_bind_bytes(q, 11, decision->context, decision->context_len);
	else
		stmt_bind_text(q, 11, NULL);
	stmt_bind_some(q, 12, decision->wait_until);
	stmt_run(q);
	store_note_event(run->s, run->next_event);
	run->result.events++;
}

/* The context of an event; NULL: none. The caller frees it. */
static char *event_context(struct page_run *run, int64_t event)
{
	struct stmt *q = db_use(run->s->db, SQL_EVENT_CONTEXT);

	stmt_bind_int(q, 1, event);
	char *context = stmt_row(q) && !stmt_is_null(q, 0) ? mem_strdup(stmt_word(q, 0)) : NULL;

	stmt_end(q);
	return context;
}

/* Somebody has taken care of it: nobody else need be told that it is still open. */
static bool ends_waiting(enum event_kind kind)
{
	return kind == EVENT_ACKNOWLEDGED || kind == EVENT_RESOLVED;
}

/* True when the step made an event. */
static bool take_step(struct page_run *run, const struct alert *a, const struct step *step,
		      const struct decision *decision, struct life *life)
{
	bool is_new_episode = step->new_episode || life->known.episode == 0;
	int64_t episode = life->known.episode + is_new_episode;
	struct history *h = &run->s->history;

	history_load(run->s, life->last_event, life->unended_from, episode);
	if (ends_waiting(step->kind) && again_end_waiting(run->s, run->batch->now))
		history_load(run->s, life->last_event, life->unended_from, episode);
	bool is_told = decision->wait_until == 0 && telling_plan(&run->telling, step);

	if (!is_told && step->if_told)
		return false;
	life->known.episode = episode;
	life->known.seq = is_new_episode ? 1 : life->known.seq + 1;
	add_event(run, a, step, decision, life);
	if (is_told)
		telling_make(&run->telling, &(struct told){ .event = run->next_event,
							    .prev = life->last_event,
							    .kind = step->kind });
	life->last_event = run->next_event++;
	life->unended_from =
		h->unended_from < life->last_event ? h->unended_from : life->last_event;
	return true;
}

/* ---- the page ---- */

static void decide(struct page_run *run, const struct alert *a, struct life *life, bool is_new)
{
	const struct page_batch *batch = run->batch;
	enum alert_state before = life->known.state;
	struct decision decision = { .silent = false };
	size_t events = 0;

	run->telling.gathers = false;
	if (!is_new) {
		telling_flush(&run->telling);
		waiting_catch_up(&run->telling, life->last_event);
	}
	run->telling.seen = a;
	if (!is_new)
		life->known.context = event_context(run, life->last_event);
	batch->decide(batch->decide_arg, is_new ? NULL : &life->known, a, &decision);
	run->telling.gathers = is_new && decision.step_count == 1;
	run->result.silent += is_new && decision.silent;
	if (!decision.silent)
		for (size_t i = 0; i < decision.step_count; i++)
			events += take_step(run, a, &decision.steps[i], &decision, life);
	life->known.flap = decision.flap;
	life->known.state = state_of(a->status);
	if (decision.silent || (!is_new && before == ALERT_IS_SILENT && events == 0))
		life->known.state = ALERT_IS_SILENT;
	if (!is_new || events != 1)
		save_alert(run, a, life, events == 0);
	mem_free(&life->known.context);
}

/* What the page says of the alert may be older than what is known. */
static bool is_outdated(const struct page_run *run, const struct alert *a,
			const struct life *life)
{
	const struct page_batch *batch = run->batch;
	int64_t told_at = a->status == ALERT_RESOLVED ? batch->asked_at : batch->walked_from_at;

	/* Later than now it was written by a clock that has jumped back. */
	return told_at != 0 && life->written_at > told_at && life->written_at <= batch->now;
}

static bool may_be_pruned(const struct page_run *run, const struct alert *a)
{
	return a->status == ALERT_RESOLVED && a->created_at != 0 &&
	       a->created_at <= run->pruned_at;
}

/* Returns the alert's number; 0 for one of the past, and when the transaction has failed. */
static int64_t take_item(struct page_run *run, const struct alert *a)
{
	int64_t hash = alert_hash(a->bytes, a->bytes_len);
	struct life life;
	bool is_past = may_be_pruned(run, a);
	bool is_found = (run->was_known || is_past) && find_alert(run, a, &life);

	run->result.repaired += a->repaired;
	if (is_past && !is_found) {
		run->result.same++;
		return 0;
	}
	if (!is_found && add_alert(run, a, hash, &life)) {
		run->was_known = false;
		run->result.fresh++;
		life.hash = hash;
		decide(run, a, &life, true);
		return life.number;
	}
	if (!is_found && !find_alert(run, a, &life))
		return 0;
	run->was_known = true;
	if ((life.hash == hash && life.known.state != ALERT_IS_VANISHED) ||
	    is_outdated(run, a, &life)) {
		run->result.same++;
		return life.number;
	}
	run->result.changed++;
	life.hash = hash;
	decide(run, a, &life, false);
	return life.number;
}

static void in_hand(const struct page_run *run, const struct alert *a)
{
	if (run->batch->takes != NULL)
		run->batch->takes(run->batch->decide_arg, a);
}

static void take_items(struct page_run *run)
{
	const struct page_batch *batch = run->batch;

	run->numbers = mem_array(batch->item_count, sizeof(*run->numbers));
	run->result.numbers = run->numbers;
	for (size_t i = 0; i < batch->item_count; i++) {
		in_hand(run, &batch->items[i]);
		run->numbers[i] = take_item(run, &batch->items[i]);
		KILL_POINT("item-written");
		if (run->some_missing)
			missing_found(run->s, batch->source, run->numbers[i]);
	}
	telling_flush(&run->telling);
	in_hand(run, NULL);
}

static void take_reject(struct page_run *run, const struct reject *r)
{
	struct stmt *q = db_use(run->s->db, SQL_REJECT_ADD);

	stmt_bind_int(q, 1, run->batch->source);
	stmt_bind_int(q, 2, r->hash);
	stmt_bind_text(q, 3, r->reason);
	stmt_bind_bytes(q, 4, r->body, r->body_len);
	stmt_bind_int(q, 5, run->batch->now);
	if (stmt_run(q) != 0) {
		run->result.rejected++;
		return;
	}
	q = db_use(run->s->db, SQL_REJECT_AGAIN);
	stmt_bind_int(q, 1, run->batch->source);
	stmt_bind_int(q, 2, r->hash);
	stmt_run(q);
}

static bool moves(struct page_run *run)
{
	const struct source_state *to = run->batch->position;
	struct source_state from;

	if (to == NULL || !store_source_load(run->s, run->batch->source, &from, NULL))
		return to != NULL;
	return strcmp(from.org_id, to->org_id) != 0 ||
	       strcmp(from.order_seen, to->order_seen) != 0 ||
	       from.baseline_known != to->baseline_known ||
	       (to->baseline_known && from.baseline_at != to->baseline_at) ||
	       from.last_head_at != to->last_head_at ||
	       from.last_sweep_at != to->last_sweep_at ||
	       from.last_full_at != to->last_full_at || from.head_at != to->head_at ||
	       from.full_pages != to->full_pages ||
	       strcmp(from.head_cursor, to->head_cursor) != 0;
}

static void move_position(struct page_run *run)
{
	const struct source_state *to = run->batch->position;
	struct stmt *q = db_use(run->s->db, SQL_SOURCE_SAVE);

	stmt_bind_int(q, 1, run->batch->source);
	stmt_bind_text(q, 2, to->org_id);
	stmt_bind_text(q, 3, to->order_seen);
	if (to->baseline_known)
		stmt_bind_int(q, 4, to->baseline_at);
	else
		stmt_bind_text(q, 4, NULL);
	stmt_bind_some(q, 5, to->last_head_at);
	stmt_bind_some(q, 6, to->last_sweep_at);
	stmt_bind_some(q, 7, to->last_full_at);
	stmt_bind_some(q, 8, to->head_at);
	stmt_bind_text(q, 9, to->head_cursor[0] != '\0' ? to->head_cursor : NULL);
	stmt_bind_some(q, 10, to->full_pages);
	stmt_run(q);
}

static int64_t last_event(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_EVENT_LAST);
	int64_t id = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return id;
}

static int64_t pruned_at(struct page_run *run)
{
	struct stmt *q = db_use(run->s->db, SQL_SOURCE_PRUNED);

	stmt_bind_int(q, 1, run->batch->source);
	int64_t at = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return at;
}

static bool take_page(struct page_run *run, bool has_moved, struct err *err)
{
	const struct page_batch *batch = run->batch;

	/* A baseline that was lost would be taken anew, later, and what came between not ring. */
	if (has_moved)
		db_begin(run->s->db);
	else
		db_begin_late(run->s->db);
	KILL_POINT("page-begun");
	run->next_event = last_event(run->s) + 1;
	run->pruned_at = pruned_at(run);
	run->some_missing = missing_any(run->s, batch->source);
	if (batch->waiting_room > 0)
		run->result.waiting_after =
			waiting_look(&run->telling, batch->waiting_after, batch->waiting_room);
	take_items(run);
	run->result.waiting_until = waiting_until(run->s, batch->source);
	run->result.deliveries = run->telling.made;
	for (size_t i = 0; i < batch->reject_count; i++)
		take_reject(run, &batch->rejects[i]);
	if (has_moved) {
		move_position(run);
		KILL_POINT("position-written");
	}
	if (batch->end != NULL)
		run->result.vanished = missing_end(run->s, batch);
	if (run->some_missing || batch->end != NULL)
		missing_count(run->s, batch->source, batch->now, &run->result.missing);
	KILL_POINT("page-written");
	return db_commit(run->s->db, err);
}

void store_page(struct store *s, const struct page_batch *batch)
{
	struct page_run run = { .s = s, .batch = batch, .telling = { .s = s, .batch = batch } };
	struct err err = { "" };

	run.result = (struct page_result){ .ok = true, .missing = { .look_at = INT64_MAX } };
	bool has_moved = moves(&run);
	bool writes = has_moved || batch->item_count != 0 || batch->reject_count != 0 ||
		      batch->end != NULL || batch->waiting_room > 0;
	bool is_done =
		writes ? take_page(&run, has_moved, &err)
		       : missing_read(s, batch->source, batch->now, &run.result.missing, &err);

	if (!is_done) {
		enum db_failure why = db_failure(s->db);

		run.result = (struct page_result){ .full = why == DB_FULL,
						   .busy = why == DB_BUSY,
						   .lost = why == DB_REFUSED,
						   .hint = keep_failed(s, &err),
						   .error = err.text };
	}
	KILL_POINT("page-committed");
	if (has_moved)
		KILL_POINT("position-committed");
	batch->done(batch->arg, &run.result);
	telling_release(&run.telling);
	mem_free(&run.numbers);
}
