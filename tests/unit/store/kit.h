/*
 * kit: a store in a folder of its own, a small intake and a hand-held clock, for stories.
 *
 * see() shows the store one alert as the API would list it; turn() asks for all that is due;
 * settle() tells how a claimed row went. rows() writes a sink's rows as one line, oldest first:
 * "opened:done acknowledged:held(behind)". The clock is k->now and moves only by hand.
 */
#ifndef KIT_H
#define KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/inner.h"

enum { KIT_CLAIMS = 256 };

struct kit {
	char dir[64], path[96];
	struct store *s;
	struct err err;
	int64_t now;
	int source, route;
	struct store_sink sinks[2]; /* "chat" shows a state and collapses, "hook" does not */

	/* how intake decides */
	struct target targets[4];
	size_t target_count;
	bool is_silent;         /* what is new is older than the baseline */
	bool is_raised;         /* a change is routed again */
	bool no_event;          /* a change makes no event */
	struct wish wish;       /* what holds a follow-up; each target has its own */
	int refused_sink;       /* follows() says no for it */
	int asked_route;        /* by follows(), the last time */
	int crash_after;        /* decide() ends the process at this call */
	int64_t wait_ms;        /* what is new waits so long for its context; 0: it does not */
	const char *context;    /* … which then is this; NULL: it is still to come */
	struct alert waited;    /* of the last route() */
	size_t looked;          /* calls of route() */
	char known_context[64]; /* of the last decide(); "" none */
	struct known known;     /* of the last decide() */
	bool was_known;

	/* what came of the last call */
	struct page_result page;
	char error[512];
	bool ok, full, busy, lost;
	struct claim claims[KIT_CLAIMS]; /* texts are owned copies */
	size_t claim_count;
	struct answer answers[4];
	struct moved moved; /* the last one */
	/* A tick's: what flow says of each row whose time has come, and of whom it was asked. */
	bool ticks, looks_ahead;
	struct ripened ripened;
	int64_t repeat_ms; /* of every route */
	int64_t next_tick_at;
	char ripe[512];     /* "opened(group) …" */
	char digests[2048]; /* of the last claims: "group: al1 al2 rest{…}; …" */
	char text[8192];
};

static inline void kit_decide(void *arg, const struct known *known, const struct alert *seen,
			      struct decision *out)
{
	struct kit *k = arg;
	struct step *step = &out->steps[0];

	if (k->crash_after != 0 && --k->crash_after == 0)
		_exit(9);
	k->was_known = known != NULL;
	k->known = known != NULL ? *known : (struct known){ .episode = 0 };
	out->silent = known == NULL && k->is_silent;
	snprintf(k->known_context, sizeof(k->known_context), "%s",
		 known != NULL && known->context != NULL ? known->context : "");
	if (out->silent || k->no_event)
		return;
	out->context = known != NULL ? k->known_context : k->context;
	out->context_len = out->context == NULL ? 0 : strlen(out->context);
	if (known == NULL && k->wait_ms != 0 && k->context == NULL)
		out->wait_until = k->now + k->wait_ms;
	out->step_count = 1;
	step->targets = k->targets;
	if (known == NULL || known->episode == 0) {
		step->kind = seen->status == ALERT_RESOLVED ? EVENT_RESOLVED : EVENT_OPENED;
		step->first = seen->status == ALERT_RESOLVED;
		step->target_count = k->target_count;
		return;
	}
	step->follow = true;
	step->kind = EVENT_CHANGED;
	if (seen->status == ALERT_RESOLVED && known->status != ALERT_RESOLVED)
		step->kind = EVENT_RESOLVED;
	else if (seen->status == ALERT_ACKNOWLEDGED && known->status == ALERT_OPEN)
		step->kind = EVENT_ACKNOWLEDGED;
	if (seen->status != ALERT_RESOLVED && known->status == ALERT_RESOLVED)
		*step = (struct step){ .kind = EVENT_REOPENED,
				       .new_episode = true,
				       .targets = k->targets,
				       .target_count = k->target_count };
	if (k->is_raised) {
		out->steps[out->step_count++] =
			(struct step){ .kind = EVENT_OPENED,
				       .only_new = true,
				       .if_told = true,
				       .targets = k->targets,
				       .target_count = k->target_count };
	}
}

/* An event that waited goes to the targets once its context is here, or its time over. */
static inline const struct alert *kit_route(void *arg, const struct waiting *event,
					    struct decision *out)
{
	struct kit *k = arg;
	struct err err;

	alert_release(&k->waited);
	assert_true(alert_read(&k->waited, event->body, event->body_len, &err));
	k->looked++;
	if (!event->is_over && k->context == NULL) {
		out->wait_until = event->until;
		return &k->waited;
	}
	out->context = k->context != NULL ? k->context : "{}";
	out->context_len = strlen(out->context);
	out->step_count = 1;
	out->steps[0] = (struct step){ .kind = event->kind,
				       .first = event->first,
				       .new_episode = true,
				       .targets = k->targets,
				       .target_count = k->target_count };
	return &k->waited;
}

static inline bool kit_follows(void *arg, int route, int sink, enum event_kind kind,
			       struct wish *wish)
{
	struct kit *k = arg;

	(void)kind;
	*wish = k->wish;
	k->asked_route = route;
	return sink != k->refused_sink;
}

static inline void kit_page_done(void *arg, const struct page_result *result)
{
	struct kit *k = arg;

	k->page = *result;
	k->ok = result->ok;
	k->full = result->full;
	k->busy = result->busy;
	k->lost = result->lost;
	snprintf(k->error, sizeof(k->error), "%s", result->ok ? "" : result->error);
}

static inline void kit_add(char *text, size_t room, const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, room - len, "%s%s", len != 0 ? " " : "", more);
}

static inline void kit_ripens(void *arg, const struct ripe *row, struct ripened *out)
{
	struct kit *k = arg;
	char text[64];

	snprintf(text, sizeof(text), "%s(%s%s)", event_kind_name(row->kind),
		 hold_reason_name(row->reason), row->is_open ? "" : ",over");
	kit_add(k->ripe, sizeof(k->ripe), text);
	*out = k->ripened;
}

static inline void kit_bears(void *arg, const char *body, size_t len, struct bearing *out)
{
	struct alert a;
	struct err err;

	(void)arg;
	assert_true(alert_read(&a, body, len, &err));
	out->rank = (int)a.severity;
	snprintf(out->severity, sizeof(out->severity), "%s", a.severity_text);
	snprintf(out->type, sizeof(out->type), "%s", a.type);
	alert_release(&a);
}

static inline int64_t kit_repeat_ms(void *arg, int route)
{
	(void)route;
	return ((struct kit *)arg)->repeat_ms;
}

/* Who a digest tells of, by the ids of their alerts. */
static inline void kit_note_digest(struct kit *k, const struct claim *c)
{
	struct alert a;
	struct err err;

	kit_add(k->digests, sizeof(k->digests), c->why);
	if (c->storm[0] != '\0')
		kit_add(k->digests, sizeof(k->digests), c->storm);
	kit_add(k->digests, sizeof(k->digests), ":");
	for (size_t i = 0; i < c->member_count; i++) {
		assert_true(alert_read(&a, c->members[i].body, c->members[i].body_len, &err));
		kit_add(k->digests, sizeof(k->digests), a.id);
		if (c->members[i].kind != EVENT_OPENED)
			kit_add(k->digests, sizeof(k->digests),
				event_kind_name(c->members[i].kind));
		alert_release(&a);
	}
	if (c->rest[0] != '\0')
		kit_add(k->digests, sizeof(k->digests), c->rest);
	kit_add(k->digests, sizeof(k->digests), ";");
}

static inline void kit_forget_claims(struct kit *k)
{
	for (size_t i = 0; i < k->claim_count; i++) {
		free((void *)k->claims[i].body);
		free((void *)k->claims[i].handle);
		free((void *)k->claims[i].progress);
		free((void *)k->claims[i].context);
		free((void *)k->claims[i].opening.body);
	}
	k->claim_count = 0;
}

static inline void kit_turn_done(void *arg, const struct turn_result *result)
{
	struct kit *k = arg;

	kit_forget_claims(k);
	k->ok = result->ok;
	k->full = result->full;
	k->busy = result->busy;
	k->lost = result->lost;
	snprintf(k->error, sizeof(k->error), "%s", result->ok ? "" : result->error);
	assert_true(result->claim_count <= KIT_CLAIMS);
	k->digests[0] = '\0';
	k->next_tick_at = result->next_tick_at;
	for (size_t i = 0; i < result->claim_count; i++) {
		k->claims[i] = result->claims[i];
		k->claims[i].body = mem_dup(result->claims[i].body, result->claims[i].body_len);
		k->claims[i].handle = mem_strdup(result->claims[i].handle);
		k->claims[i].progress = mem_strdup(result->claims[i].progress);
		k->claims[i].context = mem_strdup(result->claims[i].context);
		if (result->claims[i].opening.body != NULL)
			k->claims[i].opening.body = mem_dup(result->claims[i].opening.body,
							    result->claims[i].opening.body_len);
		if (k->claims[i].batch != 0)
			kit_note_digest(k, &k->claims[i]);
	}
	k->claim_count = result->claim_count;
	for (size_t i = 0; i < result->answer_count && i < ARRAY_LEN(k->answers); i++)
		k->answers[i] = result->answers[i];
	if (result->moved_count > 0)
		k->moved = result->moved[result->moved_count - 1];
}

/* ---- the store and its names ---- */

/* Rows follow their sinks, to the end. */
static inline void kit_adopt(struct kit *k)
{
	enum store_adopted step;

	while ((step = store_adopt(k->s, k->now, &k->err)) == ADOPT_MORE)
		;
	assert_int_equal(step, ADOPT_DONE);
}

static inline void kit_sinks(struct kit *k, size_t count)
{
	assert_true(store_sinks(k->s, k->sinks, count, &k->err));
	kit_adopt(k);
}

static inline void kit_open(struct kit *k)
{
	k->s = store_open(k->path, STORE_DAEMON, &k->err);
	if (k->s == NULL)
		fail_msg("%s", k->err.text);
	assert_true(store_source_number(k->s, "acme", &k->source, &k->err));
	assert_true(store_route_number(k->s, "rest", &k->route, &k->err));
	kit_sinks(k, 2);
}

static inline void kit_target(struct kit *k, size_t index, int sink)
{
	k->targets[index] = (struct target){ .sink = sink, .route = k->route };
	if (k->target_count <= index)
		k->target_count = index + 1;
}

/* Alerts go to both sinks. */
static inline int kit_setup(void **state)
{
	struct kit *k = mem_new(sizeof(*k));

	snprintf(k->dir, sizeof(k->dir), "/tmp/tocsin-store-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	snprintf(k->path, sizeof(k->path), "%s/tocsin.db", k->dir);
	k->now = 1000000;
	k->sinks[0] = (struct store_sink){ .name = "chat", .type = "slack", .collapse = true };
	k->sinks[1] = (struct store_sink){ .name = "hook", .type = "webhook" };
	kit_open(k);
	kit_target(k, 0, k->sinks[0].number);
	kit_target(k, 1, k->sinks[1].number);
	*state = k;
	return 0;
}

static inline int kit_teardown(void **state)
{
	struct kit *k = *state;
	char command[96];

	kit_forget_claims(k);
	alert_release(&k->waited);
	store_close(&k->s);
	snprintf(command, sizeof(command), "rm -rf %s", k->dir);
	assert_int_equal(system(command), 0);
	mem_free(&k);
	return 0;
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* For stories of one sink: alerts go to this one alone. */
static inline int kit_only(struct kit *k, int index)
{
	k->target_count = 0;
	kit_target(k, 0, k->sinks[index].number);
	return k->sinks[index].number;
}

/* ---- what the API shows ---- */

static inline void kit_alert(struct alert *a, const char *id, const char *status,
			     const char *title)
{
	char bytes[512];
	struct err err;
	int len = snprintf(bytes, sizeof(bytes),
			   "{\"id\":\"%s\",\"status\":\"%s\",\"severity\":\"high\","
			   "\"title\":\"%s\",\"created_at\":\"2026-11-24T03:45:56Z\"}",
			   id, status, title);

	if (!alert_read(a, bytes, (size_t)len, &err))
		fail_msg("%s", err.text);
}

static inline struct page_batch kit_page(struct kit *k, const struct alert *items, size_t count)
{
	return (struct page_batch){
		.source = k->source,
		.now = k->now,
		.items = items,
		.item_count = count,
		.decide = kit_decide,
		.follows = kit_follows,
		.route = kit_route,
		.decide_arg = k,
		.done = kit_page_done,
		.arg = k,
	};
}

/* One alert on one page; whether it was stored is in k->ok. */
static inline void kit_show(struct kit *k, const char *id, const char *status,
			    const char *title)
{
	struct alert a;

	kit_alert(&a, id, status, title);
	struct page_batch batch = kit_page(k, &a, 1);

	store_page(k->s, &batch);
	alert_release(&a);
}

static inline void see(struct kit *k, const char *id, const char *status)
{
	kit_show(k, id, status, "a title");
	if (!k->ok)
		fail_msg("%s", k->error);
}

/* ---- turns ---- */

static inline void kit_turn(struct kit *k, const struct settle *settles, size_t count,
			    size_t room)
{
	struct ask asks[2] = {
		{ .sink = k->sinks[0].number, .room = room },
		{ .sink = k->sinks[1].number, .room = room },
	};
	struct turn_batch batch = {
		.now = k->now,
		.settles = settles,
		.settle_count = count,
		.asks = asks,
		.ask_count = 2,
		.repeat_ms = kit_repeat_ms,
		.done = kit_turn_done,
		.arg = k,
	};
	const struct tick tick = {
		.room = 100,
		.looks_ahead = k->looks_ahead,
		.ripens = kit_ripens,
		.bears = kit_bears,
		.arg = k,
	};

	if (k->ticks) {
		batch.tick = &tick;
		k->ripe[0] = '\0';
	}
	store_turn(k->s, &batch);
}

/* Claims all that is due. */
static inline void turn(struct kit *k)
{
	kit_turn(k, NULL, 0, 64);
	if (!k->ok)
		fail_msg("%s", k->error);
}

/* Looks for rows whose time has come, then claims all that is due. */
static inline void tick(struct kit *k)
{
	k->ticks = true;
	turn(k);
	k->ticks = false;
}

static inline struct settle kit_outcome(struct kit *k, const struct claim *c,
					enum delivery_state state)
{
	return (struct settle){
		.id = c->id,
		.state = state,
		.due_at = state == DELIVERY_DUE ? k->now + 5000 : 0,
		.attempt_count = c->attempt,
		.batch = c->batch,
		.repeats = k->repeat_ms != 0,
		.attempt = {
			.at = k->now,
			.took_ms = 41,
			.verdict = state == DELIVERY_DONE ? VERDICT_DELIVERED :
				   state == DELIVERY_DUE  ? VERDICT_LATER :
							    VERDICT_NEVER,
			.status = state == DELIVERY_DONE ? 200 : 503,
		},
	};
}

/* What was claimed ends so: done, dead, dropped, or due again 5 s later. Claims nothing. */
static inline void settle_all(struct kit *k, enum delivery_state state)
{
	struct settle settles[KIT_CLAIMS];

	for (size_t i = 0; i < k->claim_count; i++)
		settles[i] = kit_outcome(k, &k->claims[i], state);
	kit_turn(k, settles, k->claim_count, 0);
	if (!k->ok)
		fail_msg("%s", k->error);
}

static inline void settle_marked(struct kit *k, size_t claim)
{
	struct settle settle = kit_outcome(k, &k->claims[claim], DELIVERY_DUE);

	settle.maybe_sent = true;
	kit_turn(k, &settle, 1, 0);
	assert_true(k->ok);
}

/* ---- what the views show ---- */

/* All rows of a query, one column `x`, with blanks between. */
static inline const char *ask(struct kit *k, const char *sql)
{
	struct view *v = view_open(k->s, sql, NULL, 0, &k->err);
	size_t len = 0;

	if (v == NULL)
		fail_msg("%s: %s", sql, k->err.text);
	k->text[0] = '\0';
	while (view_next(v)) {
		const char *text = view_text(v, "x");

		len += (size_t)snprintf(k->text + len, sizeof(k->text) - len, "%s%s",
					len != 0 ? " " : "", text != NULL ? text : "-");
	}
	assert_false(view_failed(v, &k->err));
	view_close(&v);
	return k->text;
}

/* The rows of a sink (1: chat, 2: hook), oldest first. */
static inline const char *rows(struct kit *k, const char *sink)
{
	char sql[400];

	snprintf(sql, sizeof(sql),
		 "SELECT event || ':' || state || coalesce('(' || reason || ')', '') AS x"
		 " FROM v_deliveries WHERE sink = '%s' ORDER BY id",
		 sink);
	return ask(k, sql);
}

/* The claimed rows of the last turn, "opened@1 resolved@2": the event and the try. */
static inline const char *claimed(struct kit *k)
{
	size_t len = 0;

	k->text[0] = '\0';
	for (size_t i = 0; i < k->claim_count; i++)
		len += (size_t)snprintf(k->text + len, sizeof(k->text) - len, "%s%s@%d",
					i != 0 ? " " : "", event_kind_name(k->claims[i].kind),
					(int)k->claims[i].attempt);
	return k->text;
}

#endif
