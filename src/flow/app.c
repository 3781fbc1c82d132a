/*
 * app: the parts, and the end of a turn.
 *
 * The end hook is the whole rhythm: first the pump of deliveries (outcomes and claims in one
 * transaction), then the pumps of the sources. Nothing else starts a transfer or writes a row.
 * Once a second the app looks whether a command has written beside us (store_version), tidies
 * the store's log, and writes the runtime row when it changed.
 *
 * Stopping: RUNNING → DRAINING (nothing new starts, `grace` runs) → CUT (what is in flight is
 * cut, its outcome is "maybe sent") → the loop ends as soon as all outcomes are on the disk, or
 * at the latest STORE_GRACE_MS after the cut: a store that refuses must not keep the process
 * for ever, and its rows are found as claimed, that is maybe sent, at the next start.
 */
#include "flow/app.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/deliver.h"
#include "flow/health.h"
#include "flow/queue.h"
#include "flow/roster.h"
#include "flow/say.h"
#include "flow/source.h"
#include "io/xfer.h"
#include "store/store.h"

enum { TICK_MS = 1000, RUNTIME_MAX = 256 << 10, STORE_GRACE_MS = 5000 };

enum app_state { RUNNING, DRAINING, CUT };

struct app {
	struct setup *setup;
	struct turn *turn;
	struct store *store;
	struct roster roster;
	struct xfer *xfer;
	struct queue *queue;
	struct deliver *deliver;
	struct source **sources;
	size_t source_count;
	enum app_state state;
	struct timer *tick, *grace;
	int64_t version; /* of the store, as last seen */
	struct buf runtime, written;
	int64_t started_at;
	bool was_ready, is_room_low;
};

/* ---- once a second ---- */

static void write_runtime(struct app *a)
{
	struct health_view view = { .settings = a->setup->settings,
				    .sources = a->sources,
				    .queue = a->queue,
				    .deliver = a->deliver,
				    .pid = (long)getpid(),
				    .started_at = a->started_at,
				    .is_room_low = a->is_room_low };
	struct err err;

	buf_clear(&a->runtime);
	bool ready = health_write(&view, &a->runtime);

	if (ready && !a->was_ready && a->state == RUNNING)
		log_line(LOG_INFO, LOG_READY);
	a->was_ready = ready;
	if (a->runtime.len == a->written.len &&
	    memcmp(a->runtime.data, a->written.data, a->runtime.len) == 0)
		return;
	/* A store that refuses is said by the turn; the next tick tries again. */
	if (!store_runtime(a->store, clock_now(), a->runtime.data, &err))
		return;
	buf_clear(&a->written);
	buf_add(&a->written, a->runtime.data, a->runtime.len);
}

/*
 * Intake stops at a low-water mark of free space, so that the last bytes are for outcomes
 * (invariant 9). It goes on with an eighth more than the mark, lest it starts and stops by turns.
 */
static void check_room(struct app *a)
{
	int64_t room = file_room(a->setup->settings->store);
	int64_t reserve = a->setup->settings->store_reserve;
	int64_t mark = a->is_room_low ? reserve + reserve / 8 : reserve;
	bool is_low = room >= 0 && room < mark;

	if (is_low == a->is_room_low)
		return;
	a->is_room_low = is_low;
	if (is_low)
		say_room_low(room, reserve);
	else
		say_room_back(room);
	for (size_t i = 0; i < a->source_count; i++)
		source_pause(a->sources[i], is_low);
}

static void on_tick(void *arg)
{
	struct app *a = arg;
	int64_t version = store_version(a->store);

	if (version != a->version)
		queue_wake(a->queue);
	a->version = version;
	store_tidy(a->store);
	check_room(a);
	write_runtime(a);
	timer_set(a->tick, TICK_MS);
}

static void on_stored(void *arg)
{
	struct app *a = arg;

	queue_wake(a->queue);
	turn_wake(a->turn);
}

/* ---- the end of a turn ---- */

static bool is_idle(const struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (!source_is_idle(a->sources[i]))
			return false;
	return deliver_is_idle(a->deliver);
}

static void on_turn_end(void *arg)
{
	struct app *a = arg;

	deliver_turn_end(a->deliver);
	for (size_t i = 0; i < a->source_count; i++)
		source_turn_end(a->sources[i]);
	if (a->state != RUNNING && is_idle(a))
		turn_stop(a->turn);
}

/* ---- stopping ---- */

static void on_grace(void *arg)
{
	struct app *a = arg;

	if (a->state == CUT) {
		turn_stop(a->turn);
		return;
	}
	a->state = CUT;
	deliver_cut(a->deliver);
	xfer_cut(a->xfer);
	timer_set(a->grace, STORE_GRACE_MS);
}

void app_stop(struct app *a)
{
	if (a->state == RUNNING) {
		log_line(LOG_INFO, LOG_STOPPING, LOG_N("in_flight", queue_under_way(a->queue)));
		a->state = DRAINING;
		for (size_t i = 0; i < a->source_count; i++)
			source_stop(a->sources[i]);
		deliver_drain(a->deliver);
		timer_set(a->grace, a->setup->settings->grace_ms);
	} else {
		timer_set(a->grace, 0);
	}
	turn_wake(a->turn);
}

void app_poll(struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		source_poll(a->sources[i]);
}

void app_run(struct app *a)
{
	log_line(LOG_INFO, LOG_STARTED, LOG_S("version", TOCSIN_VERSION),
		 LOG_S("store", a->setup->settings->store), LOG_N("sources", a->source_count),
		 LOG_N("sinks", a->setup->settings->sink_count));
	turn_run(a->turn);
	xfer_cut(a->xfer);
	log_line(LOG_INFO, LOG_STOPPED);
}

/* ---- life ---- */

static bool open_store(struct app *a, struct err *err)
{
	a->store = store_open(a->setup->settings->store, STORE_DAEMON, err);
	if (a->store == NULL || !roster_fill(&a->roster, a->setup->settings, a->store, err))
		return false;
	int64_t recovered = store_recover(a->store, clock_now(), err);

	if (recovered > 0)
		log_line(LOG_WARN, LOG_STORE_RECOVERED, LOG_N("maybe_sent", recovered),
			 LOG_S("hint", "these were in flight when the last run ended; they are "
				       "sent again, marked possible_repeat"));
	return recovered >= 0;
}

static struct queue *make_queue(const struct app *a, uint64_t seed)
{
	const struct settings *s = a->setup->settings;
	struct queue_sink *sinks = mem_array(s->sink_count, sizeof(*sinks));

	for (size_t i = 0; i < s->sink_count; i++)
		sinks[i] =
			(struct queue_sink){ .settings = &s->sinks[i],
					     .number = a->roster.sinks[i].number,
					     .held_until = a->roster.sinks[i].held_until,
					     .down_since = a->roster.sinks[i].down_since,
					     .held_total_ms = a->roster.sinks[i].held_total_ms,
					     .reason = a->roster.sinks[i].reason };
	struct queue *q = queue_new(sinks, s->sink_count, seed, clock_now());

	mem_free(&sinks);
	return q;
}

static bool make_sources(struct app *a, uint64_t seed, struct err *err)
{
	struct settings *s = a->setup->settings;

	a->sources = mem_array(s->source_count, sizeof(struct source *));
	for (size_t i = 0; i < s->source_count; i++) {
		struct source_parts parts = { .settings = &s->sources[i],
					      .roster = &a->roster,
					      .number = a->roster.sources[i],
					      .store = a->store,
					      .xfer = a->xfer,
					      .turn = a->turn,
					      .stored = on_stored,
					      .arg = a };

		a->sources[i] = source_new(&parts, seed + i + 1, err);
		if (a->sources[i] == NULL)
			return false;
		a->source_count++;
	}
	return true;
}

struct app *app_new(struct setup *setup, struct turn *turn, uint64_t seed, struct err *err)
{
	struct app *a = mem_new(sizeof(*a));

	a->setup = setup;
	a->turn = turn;
	a->started_at = clock_now();
	buf_init(&a->runtime, RUNTIME_MAX);
	buf_init(&a->written, RUNTIME_MAX);
	if (!open_store(a, err)) {
		app_free(&a);
		return NULL;
	}
	a->xfer = xfer_new(turn);
	a->queue = make_queue(a, seed);
	a->deliver = deliver_new(&(struct deliver_parts){ .setup = setup,
							  .roster = &a->roster,
							  .queue = a->queue,
							  .store = a->store,
							  .xfer = a->xfer,
							  .turn = turn });
	if (!make_sources(a, seed, err)) {
		app_free(&a);
		return NULL;
	}
	a->tick = timer_new(turn, on_tick, a);
	a->grace = timer_new(turn, on_grace, a);
	timer_set(a->tick, TICK_MS);
	turn_on_end(turn, on_turn_end, a);
	check_room(a);
	write_runtime(a); /* `status` must not tell of the daemon before */
	return a;
}

void app_free(struct app **app)
{
	struct app *a = *app;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->source_count; i++)
		source_free(&a->sources[i]);
	mem_free(&a->sources);
	timer_free(&a->tick);
	timer_free(&a->grace);
	deliver_free(&a->deliver);
	queue_free(&a->queue);
	xfer_free(&a->xfer);
	roster_release(&a->roster);
	store_close(&a->store);
	buf_release(&a->runtime);
	buf_release(&a->written);
	mem_free(app);
}
