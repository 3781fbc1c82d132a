/*
 * audit: what must be true of a row, and of an event; and the order of looking.
 *
 *   touched events, one by one ──▶ a piece of the walk over all rows ──▶ what was too much to note
 *
 * Turns and pages note the events that they touch, up to NOTED_MAX, beyond that the range that
 * holds them all. So a flood is looked at later, at RANGE_EVENTS a step. Noting is in memory:
 * what a kill makes it forget, the walk meets.
 *
 * Of a row: its state is a word that we know, with the columns that belong to it; what is held
 * waits for a row that has not ended; what is claimed is claimed by us, and we know of it (a
 * turn's claims are noted until they settle). Of an event that follows an episode: each sink that
 * belongs to the episode by an older row has a row, unless the rules leave it out. Only events
 * made since the rules are in force are asked for that. Rows that a fallback got count from when
 * it got them: it is told of what waited then, not of what was over.
 *
 * A row that waits for one that has ended would wait for ever; to release it is safe and is done.
 * All else is only told: what looks wrong may be half of something that we do not understand.
 */
#include "store/audit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/inner.h"
#include "store/order.h"

enum {
	NOTED_MAX = 2000,
	EVENTS_A_STEP = 50, /* of the noted, here and there in the file */
	RANGE_EVENTS = 200, /* side by side */
	ROWS_A_STEP = 500,  /* of the walk */
	ROWS_A_MINUTE = 5000,
	FINDINGS_MAX = 64, /* a step; more are counted */
	ALERT_SHOWN_MAX = 200,
};

struct audit {
	struct store *s;
	struct audit_rules rules;
	struct audit_status status;
	int64_t rules_from; /* events above this one are judged by the rules */
	int64_t *events;    /* being looked at, ascending; owned */
	size_t event_count, event_at;
	int64_t range_from, range_to; /* events; from > to: none */
	int64_t walk_from;            /* a key */
	int64_t walk_left;            /* rows of this minute */
	bool is_dirty;                /* something was found since the walk began */
	/* Of the step. */
	struct audit_finding findings[FINDINGS_MAX];
	size_t finding_count;
};

/* ---- noting ---- */

void store_note_event(struct store *s, int64_t event)
{
	struct noted *n = &s->noted;

	if (!n->is_on || event == n->last)
		return;
	n->last = event;
	if (n->events.count < NOTED_MAX) {
		idset_add(&n->events, event);
		return;
	}
	n->from = n->from == 0 || event < n->from ? event : n->from;
	n->to = event > n->to ? event : n->to;
}

/* ---- findings ---- */

static void find(struct audit *a, int64_t delivery, int64_t event, int sink, const char *what)
{
	a->status.violations++;
	a->is_dirty = true;
	if (a->finding_count < FINDINGS_MAX)
		a->findings[a->finding_count++] = (struct audit_finding){
			.delivery = delivery, .event = event, .sink = sink, .what = what
		};
}

static const char waits_in_vain[] = "it waits for a row that has ended";

/* ---- a row ---- */

struct audited {
	int64_t id, sink, due_at, after, held_until, claimed_at, claimed_by, ended_at;
	bool is_member;             /* of a digest that goes on */
	const char *state, *reason; /* until the next row */
	const char *after_state;    /* "": there is no such row */
	bool has_event, has_reason;
};

static bool is_unended_word(const char *word)
{
	enum delivery_state state;

	return delivery_state_parse(word, &state) && history_is_unended(state);
}

static const char *fault_of_held(const struct audited *r)
{
	if (r->after == 0)
		return r->held_until == 0 && !r->is_member ? "it is held by nothing" : NULL;
	return is_unended_word(r->after_state) ? NULL : waits_in_vain;
}

static const char *fault_of_claimed(const struct store *s, const struct audited *r)
{
	if (r->claimed_at == 0 || r->claimed_by != getpid())
		return "it is claimed by another process";
	return idset_has(&s->claimed, r->id) ? NULL
					     : "it is claimed, and nobody is at work on it";
}

static const char *fault_of_ended(const struct audited *r, enum delivery_state state)
{
	bool needs_reason = state == DELIVERY_DROPPED || state == DELIVERY_MOVED;

	if (r->ended_at == 0)
		return "it has ended, but at no time";
	if (r->after != 0)
		return "it has ended, and waits for another row";
	return needs_reason && !r->has_reason ? "it was set aside without a reason" : NULL;
}

static const char *fault_of_state(const struct store *s, const struct audited *r,
				  enum delivery_state state)
{
	bool is_absent = s->sinks[delivery_key_sink(r->id)].is_absent;
	/* Rows follow sinks that went or came back in steps, and may not have got there yet. */
	bool has_followed = s->adopt_from < 0;

	switch (state) {
	case DELIVERY_DUE:
		if (r->due_at == 0)
			return "it is due, but at no time";
		if (r->after != 0)
			return "it is due, and waits for another row";
		return is_absent && has_followed ? "it is due, and its sink is not configured"
						 : NULL;
	case DELIVERY_HELD: return fault_of_held(r);
	case DELIVERY_CLAIMED: return fault_of_claimed(s, r);
	case DELIVERY_ORPHANED:
		return is_absent || !has_followed
			       ? NULL
			       : "it is orphaned, and its sink is configured";
	case DELIVERY_DONE:
	case DELIVERY_DEAD:
	case DELIVERY_MOVED:
	case DELIVERY_DROPPED: return fault_of_ended(r, state);
	}
	return NULL;
}

/* NULL: it is as it must be. */
static const char *fault_of(const struct store *s, const struct audited *r)
{
	enum delivery_state state;

	if (!delivery_state_parse(r->state, &state))
		return "its state is no word that we know";
	if (r->sink != delivery_key_sink(r->id))
		return "its sink is not the one of its id";
	if (!r->has_event)
		return "its event is not in the store";
	if (history_is_unended(state) && r->ended_at != 0)
		return "it goes on, though it has ended";
	return fault_of_state(s, r, state);
}

/* Looks at rows from a key on, below another; returns the key of the last, 0 when there was none
 * or they ended before the limit. */
static int64_t look_at_rows(struct audit *a, int64_t from, int64_t below, size_t limit)
{
	struct stmt *q = db_use(a->s->db, SQL_AUDIT_ROWS);
	int64_t last = 0;
	size_t count = 0;

	stmt_bind_int(q, 1, from);
	stmt_bind_int(q, 2, below);
	stmt_bind_int(q, 3, (int64_t)limit);
	while (stmt_row(q)) {
		const struct audited r = {
			.id = stmt_int(q, 0),
			.sink = stmt_int(q, 1),
			.state = stmt_word(q, 2),
			.due_at = stmt_int(q, 3),
			.has_reason = !stmt_is_null(q, 4),
			.after = stmt_int(q, 5),
			.held_until = stmt_int(q, 6),
			.claimed_at = stmt_int(q, 7),
			.claimed_by = stmt_int(q, 8),
			.ended_at = stmt_int(q, 9),
			.is_member = !stmt_is_null(q, 10),
			.has_event = !stmt_is_null(q, 11),
			.after_state = stmt_word(q, 12),
		};
		const char *what = fault_of(a->s, &r);

		last = r.id;
		count++;
		if (what != NULL)
			find(a, r.id, delivery_key_event(r.id), delivery_key_sink(r.id), what);
	}
	a->status.rows += (int64_t)count;
	return count == limit ? last : 0;
}

/* ---- an event ---- */

struct followed {
	int64_t event, prev, episode, at;
	enum event_kind kind;
};

/* True when events of this kind go to those who belong to the episode. */
static bool is_follow_up(const struct followed *e, int64_t seq)
{
	switch (e->kind) {
	case EVENT_ACKNOWLEDGED:
	case EVENT_RESOLVED:
	case EVENT_CHANGED: return seq > 1;
	case EVENT_OPENED: /* the first, or for sinks that are new to it */
	case EVENT_REOPENED: break;
	}
	return false;
}

static bool find_follow_up(struct store *s, int64_t event, struct followed *e)
{
	struct stmt *q = db_use(s->db, SQL_CLAIM_EVENT);

	stmt_bind_int(q, 1, event);
	if (!stmt_row(q))
		return false;
	*e = (struct followed){ .event = event,
				.episode = stmt_int(q, 2),
				.at = stmt_int(q, 5),
				.prev = stmt_int(q, 6) };
	bool follows =
		event_kind_parse(stmt_word(q, 1), &e->kind) && is_follow_up(e, stmt_int(q, 3));

	stmt_end(q);
	return follows;
}

/* When rows of this event went to a fallback. */
static int64_t moved_at(struct store *s, int64_t event)
{
	struct stmt *q = db_use(s->db, SQL_AUDIT_MOVED_AT);

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	int64_t at = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return at;
}

static bool is_alive(const struct past_row *row)
{
	return !history_is_dormant(row) && (history_is_unended(row->state) ||
					    row->state == DELIVERY_DONE || row->maybe_sent);
}

/* Did the sink belong to the episode when the event came? */
static bool did_belong(struct store *s, const struct past_sink *sink, const struct followed *e)
{
	const struct history *h = &s->history;

	if (sink->is_filtered)
		return true;
	for (size_t i = 0; i < h->row_count; i++) {
		const struct past_row *row = &h->rows[i];

		if (row->sink == sink->sink && row->in_episode && is_alive(row) &&
		    (delivery_key_origin(row->id) != ORIGIN_FALLBACK ||
		     moved_at(s, delivery_key_event(row->id)) < e->at))
			return true;
	}
	return false;
}

static bool has_row(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_AUDIT_KEYS);
	bool has = false;

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	while (!has && stmt_row(q))
		has = store_sink_now(s, delivery_key_sink(stmt_int(q, 0))) == sink;
	stmt_end(q);
	return has;
}

/* Does all who belong hear of it (invariant 5)? */
static void look_at_followers(struct audit *a, int64_t event)
{
	struct store *s = a->s;
	struct followed e;

	if (event <= a->rules_from || !find_follow_up(s, event, &e))
		return;
	history_load(s, e.prev, INT64_MAX, e.episode);
	for (size_t i = 0; i < s->history.sink_count; i++) {
		const struct past_sink *sink = &s->history.sinks[i];

		if ((sink->is_alive || sink->is_filtered) && !has_row(s, event, sink->sink) &&
		    did_belong(s, sink, &e) &&
		    a->rules.follows(a->rules.arg, sink->route, sink->sink, e.kind))
			find(a, 0, event, sink->sink,
			     "it heard the episode and not this event");
	}
}

static void look_at_event(struct audit *a, int64_t event)
{
	look_at_rows(a, first_key(event), first_key(event + 1), INT32_MAX);
	look_at_followers(a, event);
}

/* ---- steps ---- */

static void step_noted(struct audit *a)
{
	for (size_t i = 0; i < EVENTS_A_STEP && a->event_at < a->event_count; i++)
		look_at_event(a, a->events[a->event_at++]);
}

static void step_walk(struct audit *a)
{
	int64_t last = look_at_rows(a, a->walk_from, INT64_MAX, ROWS_A_STEP);

	a->walk_left -= ROWS_A_STEP;
	a->walk_from = last + 1;
	if (last != 0 || db_failure(a->s->db) != DB_FINE)
		return;
	a->walk_from = 0;
	a->walk_left = 0;
	a->status.rounds++;
	a->status.clean_rounds += !a->is_dirty;
	a->is_dirty = false;
}

static void step_range(struct audit *a)
{
	int64_t events[RANGE_EVENTS];
	struct stmt *q = db_use(a->s->db, SQL_AUDIT_EVENTS);
	size_t count = 0;

	stmt_bind_int(q, 1, a->range_from);
	stmt_bind_int(q, 2, a->range_to);
	stmt_bind_int(q, 3, RANGE_EVENTS);
	while (stmt_row(q))
		events[count++] = stmt_int(q, 0);
	for (size_t i = 0; i < count; i++)
		look_at_event(a, events[i]);
	a->range_from = count == RANGE_EVENTS ? events[count - 1] + 1 : a->range_to + 1;
}

/* Releases the row if it still waits for one that has ended, or is not there. */
static bool mend(struct store *s, int64_t id, int64_t now)
{
	struct stored_row row, older;
	struct err err;

	db_begin(s->db);
	if (order_find(s, id, &row) && row.state == DELIVERY_HELD && row.after != 0 &&
	    !(order_find(s, row.after, &older) && history_is_unended(older.state))) {
		struct stmt *q = db_use(s->db, SQL_WAITING_RELEASE);

		stmt_bind_int(q, 1, id);
		stmt_bind_int(q, 2, now);
		stmt_run(q);
	}
	return db_commit(s->db, &err);
}

static void find_alert_id(struct store *s, int64_t event, char id[ALERT_SHOWN_MAX])
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_AUDIT_ALERT);

	stmt_bind_int(q, 1, event);
	snprintf(id, ALERT_SHOWN_MAX, "%s", stmt_row(q) ? stmt_word(q, 0) : "");
	stmt_end(q);
}

static void report(struct audit *a, int64_t now)
{
	char alert[ALERT_SHOWN_MAX];

	for (size_t i = 0; i < a->finding_count; i++) {
		struct audit_finding *f = &a->findings[i];

		find_alert_id(a->s, f->event, alert);
		f->alert = alert;
		if (f->what == waits_in_vain) {
			a->status.waited++;
			f->is_mended = mend(a->s, f->delivery, now);
			a->status.mended += f->is_mended;
		}
		a->rules.found(a->rules.arg, f);
	}
	a->finding_count = 0;
}

static bool is_over(const struct audit *a)
{
	return a->event_at >= a->event_count && a->walk_left <= 0 &&
	       a->range_from > a->range_to;
}

bool audit_step(struct audit *a, int64_t now)
{
	if (is_over(a))
		return false;
	db_look(a->s->db);
	if (a->event_at < a->event_count)
		step_noted(a);
	else if (a->walk_left > 0)
		step_walk(a);
	else
		step_range(a);
	db_rollback(a->s->db);
	report(a, now);
	return !is_over(a);
}

void audit_begin(struct audit *a)
{
	struct noted *n = &a->s->noted;
	bool has_range = a->range_from <= a->range_to;

	a->walk_left = ROWS_A_MINUTE;
	if (a->event_at < a->event_count)
		return;
	mem_free(&a->events);
	a->event_count = n->events.count;
	a->event_at = 0;
	a->events = idset_drain(&n->events);
	if (n->from != 0) {
		a->range_from = has_range && a->range_from < n->from ? a->range_from : n->from;
		a->range_to = has_range && a->range_to > n->to ? a->range_to : n->to;
	}
	n->from = n->to = n->last = 0;
}

/* ---- life ---- */

void audit_from_now(struct audit *a)
{
	db_clear(a->s->db);
	struct stmt *q = db_use(a->s->db, SQL_EVENT_LAST);

	a->rules_from = stmt_row(q) ? stmt_int(q, 0) : 0;
	stmt_end(q);
}

struct audit *audit_new(struct store *s, const struct audit_rules *rules)
{
	struct audit *a = mem_new(sizeof(*a));

	a->s = s;
	a->rules = *rules;
	a->range_from = 1;
	s->noted.is_on = true;
	audit_from_now(a);
	return a;
}

void audit_free(struct audit **a)
{
	if (*a == NULL)
		return;
	(*a)->s->noted.is_on = false;
	mem_free(&(*a)->events);
	mem_free(a);
}

void audit_status(const struct audit *a, struct audit_status *out)
{
	*out = a->status;
}
