/*
 * oracle_who: for each event of each alert: are those told who should be? (invariant 5)
 *
 * Asked of the rules of the event's time: the first event of an episode, and an `opened` within
 * one, go where the routes say; what follows goes to every sink that has a live or heard row of
 * the episode, or that its route's events left out, and to no other. Whether a row was alive
 * when an event came is told by the instants; where both fell into one millisecond, or where the
 * operator may have ended a dead letter, either will do. What was moved to a fallback is told there, by a row of that event or of a later one. The
 * bytes of what was heard are the event's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "world/world.h"

enum { PAST_MAX = 64 };

/* A row of the episode under way. */
struct past {
	int64_t id, ended_at; /* 0: not ended */
	int64_t made_at;      /* where that was after its event; 0: with it */
	int sink, route;      /* number of its route's name; -1: none */
	int moved_to;         /* a fallback; -1: nowhere */
	bool is_heard, is_left_out, is_folded;
	bool is_operators; /* ended by hand, and perhaps dead before */
};

struct event {
	int64_t id, episode, seq, at;
	enum event_kind kind;
	bool is_first;
	const struct item *item;
	enum alert_severity severity;
	uint64_t body_hash;
};

/* One alert's, as its events go by. */
struct thread {
	struct world *w;
	int64_t episode;
	struct past past[PAST_MAX];
	size_t past_count;
	int64_t owed[SINKS_MAX]; /* the newest event that was moved there; 0: none */
};

enum belongs { NO, MAYBE, YES };

static const struct rules *rules_of(const struct world *w, int64_t event)
{
	size_t n = w->rules_count;

	while (n > 1 && w->rules[n - 1].first_event > event)
		n--;
	return &w->rules[n - 1];
}

static bool is_unsure(const struct world *w, int64_t event)
{
	for (size_t n = 0; n < w->rules_count; n++)
		if (event >= w->rules[n].unsure_event && event < w->rules[n].first_event)
			return true;
	return false;
}

/* Did the row belong to its episode when the event came? */
static enum belongs belongs(const struct past *p, const struct event *e)
{
	if (p->made_at > e->at)
		return NO;
	if (p->made_at == e->at)
		return MAYBE;
	if (p->ended_at == 0 || p->is_heard || p->is_left_out)
		return YES;
	if (p->ended_at > e->at)
		return p->is_operators ? MAYBE : YES;
	if (p->ended_at < e->at)
		return NO;
	return p->is_folded ? YES : MAYBE;
}

static enum belongs sink_belongs(const struct thread *t, const struct event *e, int sink)
{
	enum belongs most = NO;

	for (size_t i = 0; i < t->past_count; i++) {
		const struct past *p = &t->past[i];
		enum belongs b = p->sink == sink ? belongs(p, e) : NO;

		most = b > most ? b : most;
	}
	return most;
}

/* The route of the oldest row. */
static int route_of(const struct thread *t, int sink)
{
	for (size_t i = 0; i < t->past_count; i++)
		if (t->past[i].sink == sink)
			return t->past[i].route;
	return -1;
}

static const struct past *row_of(const struct past *rows, size_t count, int sink)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].sink == sink)
			return &rows[i];
	return NULL;
}

static _Noreturn void complain(const struct thread *t, const struct event *e, int sink,
			       const char *what)
{
	world_fail(
		t->w, "%s (event %" PRId64 ", episode %" PRId64 ".%" PRId64 ") of %s: s%d %s",
		event_kind_name(e->kind), e->id, e->episode, e->seq, e->item->id, sink, what);
}

/* ---- what routes say ---- */

static void check_routed(const struct thread *t, const struct event *e, const struct past *rows,
			 size_t count)
{
	const struct rules *rules = rules_of(t->w, e->id);
	struct matter matter = { e->kind, e->severity, api_type(e->item) };
	struct choice choice;

	rules_choose(rules, &matter, &choice);
	for (int sink = 0; sink < (int)t->w->terms.sink_count; sink++) {
		const struct past *row = row_of(rows, count, sink);
		enum belongs was = e->seq > 1 ? sink_belongs(t, e, sink) : NO;
		bool chosen = choice.route[sink] >= 0;

		if (row == NULL && chosen && was == NO)
			complain(t, e, sink, "should be told, and has no row");
		if (row != NULL && !chosen)
			complain(t, e, sink, "has a row, and no route leads there");
		if (row == NULL || was != NO)
			continue;
		if (row->is_left_out != choice.left_out[sink])
			complain(t, e, sink,
				 row->is_left_out ? "was left out, and its route wants it"
						  : "was told, and its route leaves it out");
		if (row->route != rules->routes[choice.route[sink]].number)
			complain(t, e, sink, "is told by another route than the first");
	}
}

/* ---- what follows ---- */

static void check_followed(const struct thread *t, const struct event *e,
			   const struct past *rows, size_t count)
{
	const struct rules *rules = rules_of(t->w, e->id);

	for (int sink = 0; sink < (int)t->w->terms.sink_count; sink++) {
		const struct past *row = row_of(rows, count, sink);
		enum belongs b = sink_belongs(t, e, sink);
		bool passes = rules_follow(rules, route_of(t, sink), e->kind);

		if (row == NULL && b == YES && passes)
			complain(t, e, sink, "belongs to the episode, and has no row");
		if (row != NULL && b == NO)
			complain(t, e, sink, "has a row, and does not belong to the episode");
		if (row != NULL && !passes)
			complain(t, e, sink, "has a row, and its route leaves that out");
	}
}

/* ---- one event ---- */

static struct past past_of(const struct question *v)
{
	const char *reason = ask_is_null(v, "reason") ? "" : ask_text(v, "reason");
	const char *route = ask_is_null(v, "route") ? NULL : ask_text(v, "route");

	bool is_moved =
		strncmp(reason, "to s", 4) == 0 && strcmp(ask_text(v, "state"), "moved") == 0;

	return (struct past){
		.id = ask_int(v, "id"),
		.moved_to = is_moved ? reason[4] - '0' : -1,
		.sink = ask_text(v, "sink")[1] - '0',
		.route = route != NULL ? route[1] - '0' : -1,
		.ended_at = ask_int(v, "ended_at"),
		.is_heard = strcmp(ask_text(v, "state"), "done") == 0 ||
			    ask_int(v, "maybe_sent") != 0,
		.is_left_out = strcmp(reason, "event not chosen") == 0,
		.is_folded = strcmp(reason, "superseded") == 0,
		.is_operators =
			strcmp(reason, "operator") == 0 || strcmp(reason, "requeued") == 0,
	};
}

static void check_bytes(const struct thread *t, const struct event *e, const char *webhook_id)
{
	size_t number = told_find(&t->w->told, webhook_id);
	const struct told *told = number != 0 ? told_at(&t->w->told, number) : NULL;

	if (told != NULL && told->heard > 0 && told->body_hash != e->body_hash)
		complain(t, e, told->sink, "heard other bytes than the event's");
}

/* All rows of one event: those that intake made, and the others, which belong to it too. */
struct rows {
	struct past own[SINKS_MAX], others[PAST_MAX];
	size_t own_count, other_count;
};

static void read_rows(struct thread *t, const struct event *e, struct rows *rows)
{
	char id[DELIVERY_ID_MAX];
	struct question q;

	*rows = (struct rows){ .own_count = 0 };
	ask(t->w, &q,
	    "SELECT " ORACLE_NAMES ", id, route, state, reason, ended_at, maybe_sent "
	    "FROM v_deliveries WHERE id >= ?1 AND id < ?2 ORDER BY id");
	ask_bind(&q, 1, e->id << 27);
	ask_bind(&q, 2, (e->id + 1) << 27);
	while (ask_next(&q)) {
		const char *origin = ask_text(&q, "origin");
		bool is_own = strcmp(origin, "route") == 0 || strcmp(origin, "follow") == 0;

		oracle_webhook_id(&q, id);
		check_bytes(t, e, id);
		if (is_own && rows->own_count < SINKS_MAX)
			rows->own[rows->own_count++] = past_of(&q);
		else if (!is_own && rows->other_count < PAST_MAX)
			rows->others[rows->other_count++] = past_of(&q);
	}
	ask_end(t->w, &q);
}

/* A fallback's row is made when the first one is moved there. */
static void note_move(struct thread *t, const struct event *e, const struct past *moved,
		      struct rows *rows)
{
	if (moved->moved_to < 0)
		return;
	t->owed[moved->moved_to] = e->id;
	for (size_t i = 0; i < rows->other_count; i++) {
		struct past *p = &rows->others[i];

		if (p->sink == moved->moved_to &&
		    (p->made_at == 0 || p->made_at > moved->ended_at))
			p->made_at = moved->ended_at;
	}
}

static void remember(struct thread *t, const struct past *rows, size_t count)
{
	for (size_t i = 0; i < count && t->past_count < PAST_MAX; i++) {
		t->past[t->past_count++] = rows[i];
		t->owed[rows[i].sink] = 0;
	}
}

static bool is_routed(const struct event *e)
{
	return e->seq == 1 || e->kind == EVENT_OPENED;
}

static void check_event(struct thread *t, const struct event *e)
{
	struct rows rows;

	read_rows(t, e, &rows);
	for (size_t i = 0; i < rows.own_count; i++)
		note_move(t, e, &rows.own[i], &rows);
	for (size_t i = 0; i < rows.other_count; i++)
		note_move(t, e, &rows.others[i], &rows);
	if (e->episode != t->episode)
		t->past_count = 0;
	t->episode = e->episode;
	/* Else it came while a configuration was taken in. */
	if (!is_unsure(t->w, e->id))
		(is_routed(e) ? check_routed : check_followed)(t, e, rows.own, rows.own_count);
	remember(t, rows.own, rows.own_count);
	remember(t, rows.others, rows.other_count);
}

/* ---- all ---- */

static enum alert_severity severity_of(const char *body)
{
	const char *word = strstr(body, "\"severity\":\"") + strlen("\"severity\":\"");
	char text[16];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(word, "\""), word);
	return alert_severity_rank(text, NULL);
}

static struct event event_of(struct world *w, const struct question *v)
{
	struct event e = {
		.id = ask_int(v, "id"),
		.episode = ask_int(v, "episode"),
		.seq = ask_int(v, "seq"),
		.at = ask_int(v, "at"),
		.is_first = ask_int(v, "first") != 0,
		.item = api_find(&w->apis[ask_text(v, "source")[3] - '0'],
				 ask_text(v, "alert_id")),
		.severity = severity_of(ask_text(v, "body")),
		.body_hash = told_hash(ask_text(v, "body"), ask_len(v, "body")),
	};

	if (e.item == NULL || !event_kind_parse(ask_text(v, "kind"), &e.kind))
		world_fail(w, "event %" PRId64 " is of no alert of ours", e.id);
	return e;
}

static void check_alert(struct world *w, const struct event *events, size_t count,
			const struct item *item)
{
	struct thread t = { .w = w };

	for (size_t i = 0; i < count; i++)
		if (events[i].item == item)
			check_event(&t, &events[i]);
	for (int sink = 0; sink < SINKS_MAX; sink++)
		if (t.owed[sink] != 0)
			world_fail(w,
				   "event %" PRId64
				   " of %s was moved to s%d, and has no row there",
				   t.owed[sink], item->id, sink);
}

void oracle_check_who(struct world *w)
{
	struct event *events = NULL;
	size_t count = 0, room = 0;
	struct question q;

	if (w->clock_stepped)
		return;
	ask(w, &q,
	    "SELECT id, alert_id, source, episode, seq, kind, first, at, body FROM "
	    "v_events WHERE source LIKE 'org%' ORDER BY id");
	while (ask_next(&q)) {
		if (count == room) {
			room = room * 2 + 256;
			events = mem_resize(events, room, sizeof(*events));
		}
		events[count++] = event_of(w, &q);
	}
	ask_end(w, &q);
	for (size_t a = 0; a < w->terms.api_count; a++)
		for (size_t i = 0; i < w->apis[a].count; i++)
			check_alert(w, events, count, &w->apis[a].items[i]);
	mem_free(&events);
}
