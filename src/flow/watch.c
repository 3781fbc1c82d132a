/*
 * watch: the pages, the manager's status line, and the counting beside.
 *
 * Counting: once a second the tick looks whether the store has changed since the last walk; a
 * walk goes on every STEP_EVERY_MS by STEP_ROWS rows (half a millisecond), and after it there is
 * a pause of so many times what it cost. So few rows are counted each second, in one step, and a
 * million take five seconds to count, twice a minute, for 2 % of a processor.
 */
#include "flow/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/usage.h"
#include "flow/metrics.h"
#include "flow/nudge.h"
#include "io/notify.h"
#include "store/tally.h"

enum {
	STEP_ROWS = 2000,
	STEP_EVERY_MS = 10,
	PAUSE_FACTOR = 50,
	REASONS_MAX = 64 << 10,
};

struct watch {
	struct watch_parts p;
	struct web *web; /* NULL: nowhere */
	struct notify *notify;
	struct tally *tally;
	struct timer *step;
	bool walks;
	int64_t spent_us;      /* by this walk */
	int64_t count_next_at; /* steady */
};

/* ---- counting ---- */

static void on_step(void *arg)
{
	struct watch *w = arg;
	int64_t from = clock_steady_us();

	w->walks = !tally_step(w->tally, STEP_ROWS);
	w->spent_us += clock_steady_us() - from;
	if (w->walks)
		timer_set(w->step, STEP_EVERY_MS);
	else
		w->count_next_at = clock_steady() + w->spent_us * PAUSE_FACTOR / 1000;
}

static void count(struct watch *w)
{
	if (w->walks || clock_steady() < w->count_next_at || !tally_is_stale(w->tally))
		return;
	w->spent_us = 0;
	on_step(w);
}

/* ---- the numbers ---- */

static void look_at_sink(const struct watch *w, const struct health_view *v, size_t i,
			 struct metrics_sink *out)
{
	const struct tally_counts *counts = tally_of(w->tally, v->roster->sinks[i].number);
	struct queue_status q;

	queue_status(v->queue, i, &q);
	*out = (struct metrics_sink){ .name = v->settings->sinks[i].name,
				      .attempts = q.attempts,
				      .is_up = q.down_since == 0,
				      .is_held = q.paused_at != 0,
				      .in_flight = (int64_t)q.under_way,
				      .template_failures = parts_failed(v->parts[i]),
				      .due = METRIC_UNKNOWN,
				      .held = METRIC_UNKNOWN,
				      .dead = METRIC_UNKNOWN,
				      .oldest_due_at = METRIC_UNKNOWN };
	memcpy(out->ended, q.ended, sizeof(out->ended));
	if (counts == NULL)
		return;
	out->due = counts->due;
	out->held = counts->held;
	out->dead = counts->dead;
	if (counts->oldest_due_at != INT64_MAX)
		out->oldest_due_at = counts->oldest_due_at;
}

static struct metrics_list look_at_list(const struct directory_status *list)
{
	if (!list->is_kept)
		return (struct metrics_list){ METRIC_UNKNOWN, METRIC_UNKNOWN, METRIC_UNKNOWN,
					      METRIC_UNKNOWN };
	return (struct metrics_list){
		.errors = list->errors,
		.is_off = list->is_off,
		.completed_at = list->completed_at != 0 ? list->completed_at : METRIC_UNKNOWN,
		.count = list->completed_at != 0 ? list->count : METRIC_UNKNOWN
	};
}

static void look_at_source(const struct health_view *v, size_t i, struct metrics_source *out)
{
	struct source_status s;

	source_status(v->sources[i], &s);
	const int64_t completed[PASS_KINDS] = { [PASS_HEAD] = s.state->last_head_at,
						[PASS_SWEEP] = s.state->last_sweep_at,
						[PASS_FULL] = s.state->last_full_at };

	*out = (struct metrics_source){ .name = s.name,
					.token_errors = s.token_errors,
					.nudges = s.nudges,
					.forged_nudges = s.forged_nudges,
					.unrouted = s.unrouted };
	for (size_t kind = 0; kind < PASS_KINDS; kind++)
		out->passes[kind] = (struct metrics_pass){
			.begun = s.polls[kind].begun,
			.errors = s.polls[kind].errors,
			.completed_at = completed[kind] != 0 ? completed[kind] : METRIC_UNKNOWN
		};
	for (size_t kind = 0; kind < CONTEXT_KINDS; kind++)
		out->lists[kind] = look_at_list(&s.context[kind]);
}

static bool is_ready(const struct health_view *v)
{
	struct buf reasons;

	buf_init(&reasons, REASONS_MAX);
	bool ready = health_reasons(v, &reasons);

	buf_release(&reasons);
	return ready;
}

/* ---- the pages ---- */

static int write_healthy(void *arg, struct buf *out)
{
	(void)arg; /* that the loop answers is all there is to know */
	buf_adds(out, "ok\n");
	return 200;
}

static int write_ready(void *arg, struct buf *out)
{
	struct watch *w = arg;
	struct health_view v;

	w->p.look(w->p.arg, &v);
	if (!health_reasons(&v, out))
		return 503;
	buf_adds(out, "ready\n");
	return 200;
}

static int write_metrics(void *arg, struct buf *out)
{
	struct watch *w = arg;
	struct health_view v;
	struct audit_status audit;

	w->p.look(w->p.arg, &v);
	upkeep_audit(v.upkeep, &audit);
	struct metrics_sink *sinks = mem_array(v.settings->sink_count, sizeof(*sinks));
	struct metrics_source *sources = mem_array(v.settings->source_count, sizeof(*sources));
	struct metrics_view view = { .sinks = sinks,
				     .sink_count = v.settings->sink_count,
				     .sources = sources,
				     .source_count = v.settings->source_count,
				     .commits = store_commits(w->p.store),
				     .commit_failures = store_commit_failures(w->p.store),
				     .audited = audit.rows,
				     .violations = audit.violations,
				     .is_ready = is_ready(&v),
				     .is_reloaded = v.reload_error == NULL,
				     .started_at = v.started_at,
				     .resident_bytes = usage_resident_bytes(),
				     .store_bytes = store_bytes(v.settings->store) };

	for (size_t i = 0; i < view.sink_count; i++)
		look_at_sink(w, &v, i, &sinks[i]);
	for (size_t i = 0; i < view.source_count; i++)
		look_at_source(&v, i, &sources[i]);
	metrics_write(&view, out);
	mem_free(&sinks);
	mem_free(&sources);
	return 200;
}

/* Toktra's webhook, of the source that the path names. */
static int take_nudge(void *arg, const char *name, const struct httpd_request *request,
		      struct buf *out)
{
	const char *signature = httpd_header(request, "X-Toktra-Signature");
	struct watch *w = arg;
	struct health_view v;

	w->p.look(w->p.arg, &v);
	for (size_t i = 0; i < v.settings->source_count; i++) {
		if (strcmp(v.settings->sources[i].name, name) != 0)
			continue;
		switch (source_nudge(v.sources[i], signature, request->body,
				     request->body_len)) {
		case NUDGE_TAKEN: buf_adds(out, "polling\n"); return 202;
		case NUDGE_FORGED: buf_adds(out, "the signature is wrong\n"); return 401;
		case NUDGE_NOT_WANTED: break;
		}
	}
	buf_adds(out, "no source of that name has a nudge\n");
	return 404;
}

static const char plain_text[] = "text/plain; charset=utf-8";

static const struct web_page pages[] = {
	{ .path = "/-/healthy", .content_type = plain_text, .write = write_healthy },
	{ .path = "/-/ready", .content_type = plain_text, .write = write_ready },
	{ .path = "/metrics", .content_type = METRICS_CONTENT_TYPE, .write = write_metrics },
	{ .path = "/toktra/",
	  .content_type = plain_text,
	  .take = take_nudge,
	  .body_max = NUDGE_BODY_MAX },
	{ .path = NULL },
};

/* ---- the manager ---- */

/* "ready, 2 of 2 sinks up, 14 due", or "not ready: …" with the first reason. */
static void tell_status(struct watch *w)
{
	char text[NOTIFY_STATUS_MAX];
	struct health_view v;
	struct buf reasons;
	size_t up = 0;
	int64_t due = 0;

	w->p.look(w->p.arg, &v);
	buf_init(&reasons, REASONS_MAX);
	bool ready = health_reasons(&v, &reasons);

	for (size_t i = 0; i < v.settings->sink_count; i++) {
		struct metrics_sink sink;

		look_at_sink(w, &v, i, &sink);
		up += sink.is_up != 0 && sink.is_held == 0;
		due += sink.due != METRIC_UNKNOWN ? sink.due : 0;
	}
	snprintf(text, sizeof(text), "%s%.*s, %zu of %zu sinks up, %lld due",
		 ready ? "ready" : "not ready: ",
		 ready ? 0 : (int)strcspn(reasons.data, "\n") % 160, reasons.data, up,
		 v.settings->sink_count, (long long)due);
	notify_status(w->notify, text);
	buf_release(&reasons);
}

void watch_running(struct watch *w)
{
	if (w != NULL)
		notify_ready(w->notify);
}

void watch_reloading(struct watch *w)
{
	if (w != NULL)
		notify_reloading(w->notify);
}

void watch_stopping(struct watch *w, int64_t most_ms)
{
	if (w != NULL)
		notify_stopping(w->notify, most_ms);
}

void watch_tick(struct watch *w)
{
	if (w == NULL)
		return;
	count(w);
	tell_status(w);
}

/* ---- life ---- */

bool watch_prepare(struct watch *w, const struct settings_listen *at, struct web **web,
		   struct err *err)
{
	*web = NULL;
	if (w == NULL || !at->is_on)
		return true;
	/* One that stays where it is goes on: its port is taken, by itself. */
	*web = w->web != NULL && web_is_at(w->web, at) ? w->web
						       : web_new(w->p.turn, at, pages, w, err);
	return *web != NULL;
}

void watch_listen(struct watch *w, struct web *web)
{
	if (w == NULL || web == w->web)
		return;
	web_free(&w->web);
	w->web = web;
}

void watch_dismiss(const struct watch *w, struct web **web)
{
	if (w != NULL && *web != w->web)
		web_free(web);
}

void watch_place(const struct watch *w, char place[WEB_PLACE_MAX])
{
	place[0] = '\0';
	if (w != NULL && w->web != NULL)
		web_place(w->web, place);
}

struct watch *watch_new(const struct watch_parts *parts)
{
	struct watch *w = mem_new(sizeof(*w));

	w->p = *parts;
	w->notify = notify_new(parts->turn);
	w->tally = tally_new(parts->store);
	w->step = timer_new(parts->turn, on_step, w);
	timer_set(w->step, 0);
	w->walks = true;
	return w;
}

void watch_free(struct watch **w)
{
	if (*w == NULL)
		return;
	web_free(&(*w)->web);
	notify_free(&(*w)->notify);
	timer_free(&(*w)->step);
	tally_free(&(*w)->tally);
	mem_free(w);
}
