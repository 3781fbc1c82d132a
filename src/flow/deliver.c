/*
 * deliver: the turn that commits what jobs bring.
 *
 * Batches: a commit costs the same for one outcome as for a hundred, so a turn with a few
 * outcomes waits up to LINGER_MS while more are under way, unless half of a sink's window is
 * idle. The slots of the outcomes are claimed anew in the very batch that stores them.
 *
 * When the store refuses a batch, the outcomes go back to `settled` and the same batch is tried
 * again after a wait; the claims in it never happened. BUSY (a command is writing) is no
 * failure, only "again soon", unless it lasts.
 */
#include "flow/deliver_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/kill.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/say.h"

enum {
	LINGER_MS = 2,
	BUSY_WAIT_MS = 5, /* a command leaves the store for longer between its chunks */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 5000,
	TICK_ROWS = 200,    /* held rows looked at in a turn: some ms */
	FOR_NOW_MS = 10000, /* a sink's rate, the first tries of a row: worth staying for */
};

static void batch_stored(struct deliver *d)
{
	for (struct job *job = d->committing.first; job != NULL; job = job->next)
		queue_committed(d->p.queue, job->tried.sink, 1);
	jobs_free(&d->committing);
	KILL_POINT("slots-freed");
	queue_holds_stored(d->p.queue);
	if (d->is_failure_said)
		log_line(LOG_WARN, LOG_STORE_RECOVERED);
	d->is_failure_said = false;
	d->store_fails = 0;
	d->busy_since = 0;
	d->status.store_failing = false;
}

/* Back in front: the order of outcomes is kept. */
static void settle_again(struct deliver *d)
{
	struct job_list again = d->committing;

	if (again.count > 0) {
		*again.last = d->settled.first;
		if (d->settled.count > 0)
			again.last = d->settled.last;
		again.count += d->settled.count;
		d->settled = again;
	}
	jobs_init(&d->committing);
}

static bool is_only_busy(struct deliver *d, const struct turn_result *r)
{
	if (!r->busy)
		return false;
	if (d->busy_since == 0)
		d->busy_since = clock_steady();
	return clock_steady() - d->busy_since < STORE_BUSY_MAX_MS;
}

static void batch_failed(struct deliver *d, const struct turn_result *r)
{
	settle_again(d);
	queue_holds_failed(d->p.queue);
	if (is_only_busy(d, r)) {
		d->retry_at = clock_steady() + BUSY_WAIT_MS;
		return;
	}
	d->store_fails++;
	if (!r->lost && !d->is_failure_said) {
		say_store_failed(r->error, r->hint);
		d->is_failure_said = true;
	}
	d->status.store_failing = true;
	snprintf(d->status.store_error, sizeof(d->status.store_error), "%s", r->error);
	int64_t wait = RETRY_MIN_MS << (d->store_fails < 7 ? d->store_fails - 1 : 6);

	d->retry_at = clock_steady() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

static void take_moved(struct deliver *d, const struct move *move, const struct moved *moved)
{
	if (queue_moved(d->p.queue, moved))
		say_moved(roster_sink(d->p.roster, moved->from), move->reason);
}

/* What was stored may be told again later, or has freed others. */
static bool has_left_held(const struct deliver *d)
{
	for (const struct job *job = d->committing.first; job != NULL; job = job->next)
		if (job->settle.repeats || job->settle.batch != 0)
			return true;
	return false;
}

static void on_turn_done(void *arg, const struct turn_result *r)
{
	struct deliver *d = arg;

	d->in_batch = false;
	if (!r->ok) {
		batch_failed(d, r);
		turn_wake(d->p.turn);
		return;
	}
	if (d->has_ticked || has_left_held(d))
		queue_ticked(d->p.queue, has_left_held(d) ? 0 : r->next_tick_at, r->freed > 0);
	if (d->has_ticked && r->next_tick_at > d->now)
		d->tick.looks_ahead = false;
	batch_stored(d);
	for (size_t i = 0; i < r->answer_count; i++)
		queue_claimed(d->p.queue, &r->answers[i], clock_now());
	for (size_t i = 0; i < r->moved_count; i++)
		take_moved(d, &d->moves[i], &r->moved[i]);
	for (size_t i = 0; i < r->claim_count; i++)
		job_start(d, &r->claims[i]);
	jobs_start_ready(d);
	turn_wake(d->p.turn);
}

/* What the turn is to do beside storing what is settled. */
struct wants {
	size_t asks, moves;
	bool tick;
};

static struct wants wants_now(struct deliver *d)
{
	int64_t now = clock_now();

	if (d->draining)
		return (struct wants){ 0, 0, false };
	return (struct wants){ .asks = queue_asks(d->p.queue, now, d->asks),
			       .moves = queue_moves(d->p.queue, now, d->moves),
			       .tick = queue_tick_wait_ms(d->p.queue, now) == 0 };
}

/* A few outcomes wait a moment for more, while nothing is starved by that. */
static int64_t linger_ms(const struct deliver *d, struct wants wants)
{
	size_t under_way = queue_under_way(d->p.queue);
	size_t flying = under_way - d->settled.count;

	if (d->draining || wants.moves > 0 || d->settled.count == 0)
		return 0;
	if (d->settled.count >= flying || queue_is_starved(d->p.queue, d->asks, wants.asks))
		return 0;
	int64_t left = d->settled_at + LINGER_MS - clock_steady();

	return left > 0 ? left : 0;
}

static void fill_settles(struct deliver *d)
{
	if (d->settle_room < d->settled.count) {
		d->settle_room = d->settled.count + 64;
		d->settles = mem_resize(d->settles, d->settle_room, sizeof(*d->settles));
	}
	size_t n = 0;

	for (struct job *job = d->settled.first; job != NULL; job = job->next)
		d->settles[n++] = job->settle;
}

/* ---- what the store asks back ---- */

static int64_t repeat_ms(void *arg, int route)
{
	const struct deliver *d = arg;
	const struct route *r = roster_route(d->p.roster, route);

	return r != NULL ? r->repeat_ms : 0;
}

static void ripens(void *arg, const struct ripe *row, struct ripened *out)
{
	const struct deliver *d = arg;

	holding_ripens(d->p.holding, row, d->now, out);
}

static void bears(void *arg, const char *body, size_t len, struct bearing *out)
{
	(void)arg;
	holding_bears(body, len, out);
}

static int64_t name_people(void *arg, int sink, const struct opening *opening)
{
	const struct deliver *d = arg;
	const struct sink_settings *s = roster_sink(d->p.roster, sink);

	return s != NULL && recipients_are_named(s)
		       ? recipients_key(s, roster_source_name(d->p.roster, opening->source),
					opening)
		       : 0;
}

/* ---- the batch ---- */

static void send_batch(struct deliver *d, struct wants wants)
{
	size_t hold_count = queue_holds(d->p.queue, d->holds);

	if (d->settled.count + hold_count + wants.asks + wants.moves == 0 && !wants.tick)
		return;
	fill_settles(d);
	d->now = clock_now();
	d->has_ticked = wants.tick;
	struct turn_batch batch = { .now = d->now,
				    .settles = d->settles,
				    .settle_count = d->settled.count,
				    .holds = d->holds,
				    .hold_count = hold_count,
				    .moves = d->moves,
				    .move_count = wants.moves,
				    .asks = d->asks,
				    .ask_count = wants.asks,
				    .tick = wants.tick ? &d->tick : NULL,
				    .repeat_ms = repeat_ms,
				    .done = on_turn_done,
				    .arg = d };

	if (d->settled.count > 0)
		d->committing = d->settled;
	jobs_init(&d->settled);
	d->in_batch = true;
	KILL_POINT("batch-filled");
	store_turn(d->p.store, &batch);
}

/* Until something is due, or the time of something held has come; -1: no end. */
static int64_t sleep_ms(const struct deliver *d)
{
	int64_t now = clock_now();
	int64_t sleep = queue_sleep_ms(d->p.queue, now);
	int64_t tick = queue_tick_wait_ms(d->p.queue, now);

	if (sleep < 0 || tick < 0)
		return sleep > tick ? sleep : tick;
	return sleep < tick ? sleep : tick;
}

/* The one timer: when must the next turn come, if nothing else wakes the loop? */
static void sleep_until_due(struct deliver *d, int64_t linger)
{
	int64_t sleep = d->draining ? -1 : sleep_ms(d);
	int64_t retry = d->retry_at - clock_steady();

	/* What could be asked for now waits for the batch. */
	if (linger > 0 && (sleep <= 0 || linger < sleep))
		sleep = linger;
	if (retry > 0)
		sleep = retry;
	if (sleep < 0)
		timer_stop(d->timer);
	else
		timer_set(d->timer, sleep);
}

void deliver_turn_end(struct deliver *d)
{
	jobs_start_ready(d);
	if (d->in_batch)
		return;
	if (clock_steady() < d->retry_at) {
		sleep_until_due(d, 0);
		return;
	}
	struct wants wants = wants_now(d);
	int64_t linger = linger_ms(d, wants);

	if (linger == 0)
		send_batch(d, wants);
	if (!d->in_batch)
		sleep_until_due(d, linger);
}

/* ---- life ---- */

static void on_timer(void *arg)
{
	/* The turn that it brought is enough: deliver_turn_end() looks for itself. */
	(void)arg;
}

struct deliver *deliver_new(const struct deliver_parts *parts)
{
	struct deliver *d = mem_new(sizeof(*d));

	d->p = *parts;
	d->tick =
		(struct tick){ .room = TICK_ROWS, .ripens = ripens, .bears = bears, .arg = d };
	store_set_namer(parts->store, &(struct store_namer){ .people = name_people, .arg = d });
	jobs_init(&d->settled);
	jobs_init(&d->committing);
	jobs_init(&d->ready);
	d->timer = timer_new(parts->turn, on_timer, d);
	deliver_refit(d, parts->setup);
	return d;
}

void deliver_look_ahead(struct deliver *d)
{
	d->tick.looks_ahead = true;
	queue_wake(d->p.queue);
	turn_wake(d->p.turn);
}

void deliver_refit(struct deliver *d, struct setup *setup)
{
	size_t sinks = queue_sink_count(d->p.queue);

	d->p.setup = setup;
	d->asks = mem_resize(d->asks, sinks, sizeof(*d->asks));
	d->moves = mem_resize(d->moves, sinks, sizeof(*d->moves));
	d->holds = mem_resize(d->holds, sinks, sizeof(*d->holds));
}

bool deliver_is_storing(const struct deliver *d)
{
	return d->in_batch;
}

void deliver_free(struct deliver **d)
{
	if (*d == NULL)
		return;
	jobs_free(&(*d)->settled);
	jobs_free(&(*d)->committing);
	jobs_free(&(*d)->ready);
	timer_free(&(*d)->timer);
	mem_free(&(*d)->asks);
	mem_free(&(*d)->moves);
	mem_free(&(*d)->holds);
	mem_free(&(*d)->settles);
	mem_free(d);
}

void deliver_drain(struct deliver *d)
{
	d->draining = true;
	turn_wake(d->p.turn);
}

void deliver_cut(struct deliver *d)
{
	d->cutting = true;
}

bool deliver_is_idle(const struct deliver *d)
{
	return !d->in_batch && queue_under_way(d->p.queue) == 0 && d->settled.count == 0;
}

bool deliver_is_done_for_now(const struct deliver *d)
{
	int64_t sleep = sleep_ms(d);

	return deliver_is_idle(d) && (sleep < 0 || sleep > FOR_NOW_MS);
}

void deliver_status(const struct deliver *d, struct deliver_status *out)
{
	*out = d->status;
}
