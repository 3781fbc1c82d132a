/*
 * calm: everything that was wrong ends, and what was promised is asked for.
 *
 * First what a sweep finds must come right, at the latest when the longest wait that anybody
 * asked for is over, and stay right. Then promises about time are tried one by one, where limits
 * and sizes allow them. Then a day passes, so that a full pass has seen everything.
 *
 * What is promised within some time is looked for all the while, and time goes on no longer than
 * that: most of it comes early, and idle hours prove little.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "world/world.h"

static const int64_t settle_ms = 80 * MINUTE; /* an hour's Retry-After and its jitter */
static const int64_t rest_ms = 25 * HOUR + HOUR / 2;
static const int64_t awake_ms = 40 * MINUTE;
static const int64_t wake_ms = 30 * MINUTE;

static int64_t polls(const struct world *w, int64_t count)
{
	return count * w->terms.poll_ms + 5 * SECOND;
}

static int64_t sweeps(const struct world *w, int64_t count)
{
	return count * w->terms.sweep_ms + MINUTE;
}

/* ---- was it stored in time? ---- */

enum { EXPECTED_MAX = 700, LOOKS = 16 };

struct expected {
	const char *what;
	struct api *api;
	size_t items[EXPECTED_MAX];
	size_t count;
	size_t has; /* so many are stored, of the first ones */
};

static void expect(struct expected *e, const struct item *i)
{
	if (e->count < EXPECTED_MAX)
		e->items[e->count++] = (size_t)(i - e->api->items);
}

static bool has_all(struct world *w, void *arg)
{
	struct expected *e = arg;

	if (e->has < e->count && oracle_has(w, e->api, &e->api->items[e->items[e->has]]))
		e->has += oracle_has_first(w, e->api, e->items + e->has, e->count - e->has);
	return e->has == e->count;
}

/* One that comes late tells how late. */
static void expect_within(struct world *w, struct expected *e, int64_t ms)
{
	if (life_run_until(w, ms, ms / LOOKS, has_all, e))
		return;
	const struct item *lacking = &e->api->items[e->items[e->has]];
	int64_t late_at = sim_now();

	(void)life_run_until(w, 2 * HOUR, 10 * SECOND, has_all, e);
	int64_t more = sim_now() - late_at;
	char order[24];

	oracle_source_text(w, e->api, "order_seen", order, sizeof(order));
	world_fail(w,
		   "%s: %s of org%d (status %d) was not stored within %" PRId64
		   " s; all were after %" PRId64 " s more (order %s)",
		   e->what, lacking->id, e->api->number, lacking->status, ms / SECOND,
		   more / SECOND, order);
}

/* ---- have all swept? ---- */

enum { PASSES = 2 }; /* the first one may have begun before */

/* Complete passes of each API: when the newest of them ended, as stored, and how many there were
 * since we look. */
struct passes {
	char head[APIS_MAX][32], sweep[APIS_MAX][32];
	size_t heads[APIS_MAX], sweeps[APIS_MAX];
};

static bool count_pass(struct world *w, const struct api *a, const char *column,
		       char newest[32], size_t *count)
{
	char text[32];

	oracle_source_text(w, a, column, text, sizeof(text));
	if (strcmp(text, newest) != 0) {
		snprintf(newest, sizeof(text), "%s", text);
		++*count;
	}
	return *count > PASSES;
}

/* And does nobody's Retry-After last? */
static bool have_swept(struct world *w, void *arg)
{
	struct passes *p = arg;
	bool all = true;

	for (size_t i = 0; i < w->terms.api_count; i++) {
		const struct api *a = &w->apis[i];

		all &= sim_now() >= w->watches[i].lists_blocked_until &&
		       sim_now() >= w->watches[i].tokens_blocked_until;
		all &= count_pass(w, a, "last_head_at", p->head[i], &p->heads[i]);
		all &= count_pass(w, a, "last_sweep_at", p->sweep[i], &p->sweeps[i]);
	}
	return all;
}

static int64_t shortest_pass(const struct world *w)
{
	return w->terms.sweep_ms < w->terms.poll_ms ? w->terms.sweep_ms : w->terms.poll_ms;
}

/* Until each API has been swept from the beginning to the end. */
static void run_sweeps(struct world *w, int64_t ms_max)
{
	struct passes p = { .heads = { 0 } };

	(void)life_run_until(w, ms_max, shortest_pass(w), have_swept, &p);
}

static bool agrees_on_active(struct world *w, void *arg)
{
	(void)arg;
	return oracle_agrees(w, false);
}

/* When the newest full passes ended, as stored. */
struct fulls {
	char at[APIS_MAX][32];
};

static void read_fulls(struct world *w, struct fulls *f)
{
	for (size_t i = 0; i < w->terms.api_count; i++)
		oracle_source_text(w, &w->apis[i], "last_full_at", f->at[i], sizeof(f->at[i]));
}

/* After a full pass of each. */
static bool agrees_on_all(struct world *w, void *arg)
{
	const struct fulls *before = arg;
	struct fulls now;

	read_fulls(w, &now);
	for (size_t i = 0; i < w->terms.api_count; i++)
		if (strcmp(now.at[i], before->at[i]) == 0)
			return false;
	return oracle_agrees(w, true);
}

/* ---- promises about time ---- */

static bool has_learned(struct world *w, const struct api *a, const char *order)
{
	char text[24];

	oracle_source_text(w, a, "order_seen", text, sizeof(text));
	return strcmp(text, order) == 0;
}

/* Do heads see every new alert, whatever its status? */
static bool heads_see_all(struct world *w, const struct api *a)
{
	const struct api_terms *t = &a->terms;

	if (t->order == API_NEWEST)
		return has_learned(w, a, "newest-first");
	return t->order == API_OLDEST && t->cursor_ttl_ms == INT64_MAX && !t->snapshot &&
	       has_learned(w, a, "oldest-first");
}

/* A head pass that saw another order than was learned makes it ask for open ones alone, until the
 * next full pass, which comes within the hour. */
static bool heads_are_sure(struct world *w, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < w->terms.api_count; i++) {
		const struct api *a = &w->apis[i];

		if (terms_are_roomy(w, a) && heads_see_all(w, a) &&
		    sim_now() - a->unfiltered_at > polls(w, 1))
			return false;
	}
	return true;
}

/* Asked twice, as another walk may just have passed by. */
static void run_until_sure(struct world *w, int64_t until)
{
	for (int i = 0; i < 2; i++) {
		(void)life_run_until(w, until - sim_now(), w->terms.poll_ms, heads_are_sure,
				     NULL);
		life_run(w, polls(w, 2));
	}
}

/* A cursor that stands still would not show what is behind it. */
static bool heads_see_open_ones(const struct api *a)
{
	return !(a->terms.order == API_OLDEST && a->terms.snapshot);
}

static void try_new(struct world *w, struct api *a)
{
	struct expected e = { .what = "a new alert", .api = a };

	if (!heads_see_open_ones(a))
		return;
	expect(&e, api_add(a, sim_now(), ALERT_OPEN));
	expect_within(w, &e, polls(w, 3));
}

static void try_poll_now(struct world *w, struct api *a)
{
	struct expected e = { .what = "a new alert, asked for", .api = a };

	if (!heads_see_open_ones(a))
		return;
	life_run(w, w->terms.poll_ms / 3);
	expect(&e, api_add(a, sim_now(), ALERT_OPEN));
	app_poll(w->app);
	expect_within(w, &e, 5 * SECOND);
}

static void try_late(struct world *w, struct api *a)
{
	struct expected e = { .what = "a late alert", .api = a };
	int64_t created_at = sim_now() - 3 * (int64_t)DAY;

	expect(&e, api_add(a, created_at, ALERT_OPEN));
	expect(&e, api_add(a, created_at + MINUTE, ALERT_ACKNOWLEDGED));
	expect_within(w, &e, sweeps(w, 2));
}

/* How far back heads reach is told by the server's clock, or else by ours, if it was always right. */
static bool reach_is_known(const struct world *w, const struct api *a)
{
	return a->terms.has_date || !w->clock_stepped;
}

/* Behind two pages that are known already; only the overlap of the head passes finds it. */
static void try_late_and_resolved(struct world *w, struct api *a)
{
	struct expected e = { .what = "a late, resolved alert", .api = a };
	int64_t now = sim_now();

	if (a->terms.order != API_NEWEST || a->terms.by_insertion || w->terms.poll_ms > 15000 ||
	    !reach_is_known(w, a) || !has_learned(w, a, "newest-first"))
		return;
	for (size_t n = 0; n < 2 * a->terms.page_cap; n++)
		api_add(a, now, ALERT_RESOLVED);
	life_run(w, polls(w, 2));
	expect(&e, api_add(a, now - 5 * SECOND, ALERT_RESOLVED));
	expect_within(w, &e, polls(w, 3));
}

static void try_resolved(struct world *w, struct api *a)
{
	struct expected e = { .what = "an alert that was resolved", .api = a };

	for (size_t n = 0; n < a->count && e.count < 3; n++) {
		struct item *i = &a->items[n];

		if (i->is_deleted || i->status == ALERT_RESOLVED ||
		    i->created_at < w->baseline_at[a->number])
			continue;
		api_set_status(i, ALERT_RESOLVED);
		expect(&e, i);
	}
	expect_within(w, &e, sweeps(w, 2));
}

static size_t add_all_sorts(struct api *a, struct expected *e, bool only_open)
{
	size_t count = 6 * a->terms.page_cap;
	int64_t now = sim_now(), span = 20 * MINUTE;

	for (size_t n = 1; n <= count; n++) {
		enum alert_status status = n % 2 == 0 ? ALERT_RESOLVED : ALERT_OPEN;
		struct item *i =
			api_add(a, now - span + span * (int64_t)n / (int64_t)count, status);

		if (status == ALERT_OPEN || !only_open)
			expect(e, i);
	}
	return count;
}

/* While the API was out of reach many came; the program dies with some of them taken in. */
static void try_burst_and_kill(struct world *w, struct api *a)
{
	struct expected e = { .what = "after an outage and a kill, a new alert", .api = a };

	if (!heads_see_open_ones(a) || !reach_is_known(w, a))
		return;
	bool only_open = !heads_see_all(w, a);

	a->weather = (struct weather){ FAULT_REFUSED, 100, INT64_MAX };
	life_run(w, 20 * MINUTE);
	life_kill(w);
	a->weather.kind = FAULT_NONE;
	add_all_sorts(a, &e, only_open);
	life_begin(w);
	life_turns(w, (size_t)chance_below(&w->chance, 25) + 5, 20 * SECOND);
	life_kill(w);
	life_begin(w);
	expect_within(w, &e, polls(w, 3));
}

/* One API hangs: the other does not notice. */
static void try_hanging(struct world *w)
{
	for (size_t n = 0; n < w->terms.api_count; n++) {
		struct api *hanging = &w->apis[n], *other = &w->apis[1 - n];

		hanging->weather = (struct weather){ FAULT_HANG, 100, sim_now() + 5 * MINUTE };
		life_run(w, MINUTE);
		if (terms_are_roomy(w, other))
			try_new(w, other);
		if (sim_now() < hanging->weather.until)
			life_run(w, hanging->weather.until - sim_now());
		/* Then the one that hung is tried again when its wait, which has grown, is over. */
		hanging->weather.kind = FAULT_NONE;
		run_sweeps(w, 20 * MINUTE);
	}
}

static void try_promises(struct world *w, struct api *a)
{
	static void (*const tries[])(struct world * w, struct api * a) = {
		try_new,      try_late,           try_resolved, try_late_and_resolved,
		try_poll_now, try_burst_and_kill,
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		if (terms_are_roomy(w, a))
			tries[i](w, a);
}

/* ---- the order ---- */

enum { PLAIN_MIN = 40 };

/* Where the order is plain, it is learned. */
static void check_order(struct world *w, struct api *a)
{
	static const char *const words[] = { "newest-first", "oldest-first", "unordered" };
	char text[24];

	if (a->terms.by_insertion || !a->terms.ties_by_id || api_times(a) < PLAIN_MIN)
		return;
	oracle_source_text(w, a, "order_seen", text, sizeof(text));
	if (strcmp(text, words[a->terms.order]) != 0)
		world_fail(w, "org%d lists %s, and it learned %s", a->number,
			   words[a->terms.order], text);
}

/* ---- calm ---- */

static void end_troubles(struct world *w)
{
	for (size_t i = 0; i < w->terms.api_count; i++)
		w->apis[i].weather = (struct weather){ .kind = FAULT_NONE };
	chance_seed(&w->chance, w->seed + 1);
	if (chance_below(&w->chance, 2) == 0)
		sim_skew(0);
	if (chance_below(&w->chance, 2) == 0) {
		life_kill(w);
		life_begin(w);
	}
}

/* As in life, most of what is open is closed some day. */
static void resolve_most(struct world *w, struct api *a)
{
	for (size_t n = 0; n < a->count; n++)
		if (!a->items[n].is_deleted && chance_below(&w->chance, 8) > 0)
			api_set_status(&a->items[n], ALERT_RESOLVED);
}

static void sleep_through(struct world *w, int64_t ms)
{
	life_stop(w);
	life_run(w, ms);
	life_begin(w);
}

/* Awake around the time at which the daily full pass of the first API is due. */
static void wake_for_full(struct world *w)
{
	int64_t full_at = 0, began_at = sim_now();
	char text[32];

	oracle_source_text(w, &w->apis[0], "last_full_at", text, sizeof(text));
	if (sscanf(text, "%" SCNd64, &full_at) != 1)
		return;
	int64_t sleep_ms = full_at + DAY - began_at - awake_ms / 2;

	if (sleep_ms < 0 || sleep_ms > DAY)
		return; /* the wall clock is wrong */
	sleep_through(w, sleep_ms);
	life_run(w, awake_ms);
}

/*
 * Mostly it sleeps, which is a day in no time, and finds at its start that a full pass is due; now
 * and then it is awake when it falls due, and rarely it runs through all of the day.
 */
static void let_a_day_pass(struct world *w)
{
	int64_t drawn = chance_below(&w->chance, 100), until = sim_now() + rest_ms;
	struct fulls before;

	read_fulls(w, &before);
	for (size_t i = 0; i < w->terms.api_count; i++)
		resolve_most(w, &w->apis[i]);
	world_say(w, "a day passes");
	if (drawn == 0) {
		life_run(w, rest_ms);
	} else {
		if (drawn < 13)
			wake_for_full(w);
		sleep_through(w, until - sim_now());
	}
	(void)life_run_until(w, wake_ms, 2 * MINUTE, agrees_on_all, &before);
	run_sweeps(w, sweeps(w, 1));
}

void calm_down(struct world *w)
{
	bool all_roomy = true;

	end_troubles(w);
	world_say(w, "calm");
	int64_t settled_by = sim_now() + settle_ms;

	run_sweeps(w, settle_ms);
	(void)life_run_until(w, settled_by - sim_now(), 2 * MINUTE, agrees_on_active, NULL);
	run_sweeps(w, sweeps(w, 1));
	run_until_sure(w, settled_by);
	oracle_look(w);
	for (size_t i = 0; i < w->terms.api_count; i++)
		all_roomy = all_roomy && terms_are_roomy(w, &w->apis[i]);
	if (all_roomy)
		oracle_check(w, false);
	for (size_t i = 0; i < w->terms.api_count; i++)
		try_promises(w, &w->apis[i]);
	if (w->terms.api_count > 1)
		try_hanging(w);
	let_a_day_pass(w);
	oracle_check(w, true);
	oracle_check_heard(w);
	for (size_t i = 0; i < w->terms.api_count; i++)
		check_order(w, &w->apis[i]);
}
