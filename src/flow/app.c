/*
 * app: the parts, and the end of a turn.
 *
 * The end hook is the whole rhythm: first the pump of deliveries (outcomes and claims in one
 * transaction), then the pumps of the sources. Nothing else starts a transfer or writes a row.
 * Once a second the app looks whether a command has written beside us (store_version), heeds what
 * the operator said of sinks, tidies the store's log, does a little upkeep, and writes the runtime
 * row when it changed.
 *
 * Stopping: RUNNING → DRAINING (nothing new starts, `grace` runs) → CUT (what is in flight is
 * cut, its outcome is "maybe sent") → the loop ends as soon as all outcomes are on the disk, or
 * at the latest STORE_GRACE_MS after the cut: a store that refuses must not keep the process
 * for ever, and its rows are found as claimed, that is maybe sent, at the next start.
 */
#include "flow/app_inner.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/kill.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/deliver.h"
#include "flow/health.h"
#include "flow/queue.h"
#include "flow/say.h"
#include "flow/suspects.h"
#include "io/xfer.h"
#include "store/store.h"

enum {
	TICK_MS = 1000,
	RUNTIME_MAX =
		4 << 20, /* 4,095 sinks, and a thousand sources of which every list fails */
	STORE_GRACE_MS = 5000
};

/* ---- once a second ---- */

static void look(void *arg, struct health_view *out)
{
	struct app *a = arg;

	*out = (struct health_view){ .settings = a->setup->settings,
				     .roster = &a->roster,
				     .parts = a->setup->parts,
				     .sources = a->sources,
				     .queue = a->queue,
				     .deliver = a->deliver,
				     .upkeep = a->upkeep,
				     .pid = (long)getpid(),
				     .started_at = a->started_at,
				     .is_room_low = a->is_room_low,
				     .store_lost = a->lost.text,
				     .reload_error = a->reload_error,
				     .is_stopping = a->state != RUNNING };
}

static void write_runtime(struct app *a)
{
	struct health_view view;
	struct err err;

	look(a, &view);
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

static void pause_sources(struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		source_pause(a->sources[i], app_is_paused(a));
}

/*
 * A store that was deleted or replaced under us takes no batch: what is known waits in memory.
 * When it is back it goes on; else only a restart helps, which is for a person to decide.
 */
static void check_store(struct app *a)
{
	bool was_lost = a->lost.text[0] != '\0';
	struct err lost = { "" };
	bool is_lost = !store_look(a->store, &lost);

	a->lost = lost;
	if (is_lost == was_lost)
		return;
	if (is_lost)
		say_store_failed(lost.text, store_lost_hint());
	else
		log_line(LOG_WARN, LOG_STORE_RECOVERED);
	pause_sources(a);
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
	pause_sources(a);
}

static void on_stored(void *arg)
{
	struct app *a = arg;

	queue_wake(a->queue);
	turn_wake(a->turn);
}

static void tend(struct app *a)
{
	struct deliver_status delivery;

	deliver_status(a->deliver, &delivery);
	if (a->state == RUNNING && !delivery.store_failing && upkeep_tick(a->upkeep, a->queue))
		on_stored(a);
}

/* False: the store can't be read now, so once more at the next tick. */
static bool heed_operator(struct app *a)
{
	size_t count = a->setup->settings->sink_count;
	struct store_sink *sinks = mem_array(count, sizeof(*sinks));
	struct err err;

	memcpy(sinks, a->roster.sinks, count * sizeof(*sinks));
	bool ok = store_sinks_look(a->store, sinks, count, &err);

	if (ok)
		app_heed(a, sinks);
	mem_free(&sinks);
	return ok;
}

/* The same. */
static bool heed_silences(struct app *a)
{
	bool changed;
	struct err err;
	bool ok = silences_look(a->silences, a->store, clock_now(), &changed, &err);

	if (changed)
		deliver_look_ahead(a->deliver);
	return ok;
}

/* Where the clock was set back, other silences are in force, and rows may be held in vain. */
static void heed_clock(struct app *a)
{
	int64_t now = clock_now();

	if (now < a->ticked_at) {
		deliver_look_ahead(a->deliver);
		a->version = -1;
	}
	a->ticked_at = now;
}

static void on_tick(void *arg)
{
	struct app *a = arg;

	check_store(a);
	heed_clock(a);
	int64_t version = store_version(a->store);

	if (version != a->version && heed_operator(a) && heed_silences(a)) {
		queue_wake(a->queue);
		a->version = version;
	}
	store_tidy(a->store);
	check_room(a);
	tend(a);
	write_runtime(a);
	watch_tick(a->watch);
	timer_set(a->tick, TICK_MS);
}

/* ---- the end of a turn ---- */

/* A single poll is over when all sources are, and nothing more can be sent now. */
static bool is_once_over(const struct app *a)
{
	bool ok;

	for (size_t i = 0; i < a->source_count; i++)
		if (!source_once_over(a->sources[i], &ok))
			return false;
	struct deliver_status d;

	deliver_status(a->deliver, &d);
	return d.store_failing || deliver_is_done_for_now(a->deliver);
}

static bool is_idle(const struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (!source_is_idle(a->sources[i]))
			return false;
	return deliver_is_idle(a->deliver);
}

/* Rows follow their sinks, some hundred a turn; a store that refuses is asked again later. */
static void adopt_some(struct app *a)
{
	struct err err;

	if (clock_steady() < a->adopt_at)
		return;
	switch (store_adopt(a->store, clock_now(), &err)) {
	case ADOPT_DONE: return;
	case ADOPT_MORE:
		queue_wake(a->queue);
		turn_wake(a->turn);
		return;
	case ADOPT_FAILED: a->adopt_at = clock_steady() + TICK_MS; return;
	}
}

/* Once at start and after each reload; a store that refuses is asked again later. */
static void route_left(struct app *a)
{
	if (app_is_paused(a) || clock_steady() < a->left_at)
		return;
	a->left_at = app_route_left(a) ? INT64_MAX : clock_steady() + TICK_MS;
}

static void on_turn_end(void *arg)
{
	struct app *a = arg;

	log_flush(); /* what is said of outcomes, before they are stored */
	app_reload_now(a);
	adopt_some(a);
	route_left(a);
	deliver_turn_end(a->deliver);
	for (size_t i = 0; i < a->source_count; i++)
		source_turn_end(a->sources[i]);
	if (a->state != RUNNING && is_idle(a))
		turn_stop(a->turn);
	else if (a->state == RUNNING && a->is_once && is_once_over(a))
		app_stop(a);
	log_flush();
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
		watch_stopping(a->watch, a->setup->settings->grace_ms + 2 * STORE_GRACE_MS);
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

void app_once(struct app *a)
{
	a->is_once = true;
	upkeep_at_once(a->upkeep);
	for (size_t i = 0; i < a->source_count; i++)
		source_once(a->sources[i]);
}

bool app_is_polled(const struct app *a, size_t source)
{
	bool ok;

	return source_once_over(a->sources[source], &ok) && ok;
}

bool app_all_polled(const struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (!app_is_polled(a, i))
			return false;
	return true;
}

bool app_watch(struct app *a, struct err *err)
{
	struct web *web;

	a->watch = watch_new(&(struct watch_parts){
		.turn = a->turn, .store = a->store, .look = look, .arg = a });
	if (!watch_prepare(a->watch, &a->setup->settings->listen_at, &web, err))
		return false;
	watch_listen(a->watch, web);
	return true;
}

void app_run(struct app *a)
{
	char place[WEB_PLACE_MAX];

	watch_place(a->watch, place);
	log_line(LOG_INFO, LOG_STARTED, LOG_S("version", TOCSIN_VERSION),
		 LOG_S("store", a->setup->settings->store), LOG_N("sources", a->source_count),
		 LOG_N("sinks", a->setup->settings->sink_count), LOG_S("listen", place));
	for (size_t i = 0; i < a->setup->settings->sink_count; i++)
		if (a->roster.sinks[i].paused_at != 0)
			say_sink_held(a->roster.sinks[i].name, a->roster.sinks[i].reason);
	watch_running(a->watch);
	log_gather(true);
	turn_run(a->turn);
	xfer_cut(a->xfer);
	log_line(LOG_INFO, LOG_STOPPED);
	log_gather(false);
}

/* ---- life ---- */

/* What was out of the ordinary: each line names the file, why, and what to do. */
static void say_opened(const struct app *a)
{
	const struct store_opened *o = store_opened(a->store);
	char from[CLOCK_TEXT_MAX];

	if (o->is_restored)
		log_line(LOG_WARN, LOG_STORE_RECOVERED,
			 LOG_S("store", a->setup->settings->store),
			 LOG_S("hint",
			       "it is a backup: what was sent since it was made is sent "
			       "again, under the same ids and marked possible_repeat"));
	if (o->rings_from_at == 0)
		return;
	clock_iso(o->rings_from_at, false, from);
	if (o->was_damaged)
		log_line(LOG_ERROR, LOG_STORE_FAILED, LOG_S("store", a->setup->settings->store),
			 LOG_S("reason", o->damage), LOG_S("aside", o->aside),
			 LOG_S("rings_from", from),
			 LOG_S("hint",
			       "the store was damaged and is set aside; a new one goes on, and "
			       "alerts since rings_from ring, some again and marked "
			       "possible_repeat: see what is damaged with tocsin store check "
			       "FILE, or stop tocsin and put a backup in its place"));
	else
		log_line(LOG_WARN, LOG_STORE_RECOVERED,
			 LOG_S("store", a->setup->settings->store), LOG_S("rings_from", from),
			 LOG_S("hint", "the last run lost its store or found it damaged; this "
				       "one is sound, and where it is a new one alerts since "
				       "rings_from ring"));
}

static bool start_store(struct app *a, struct err *err)
{
	const struct settings *settings = a->setup->settings;

	a->store = store_open(settings->store, STORE_DAEMON, err);
	KILL_POINT("store-opened");
	if (a->store == NULL || !roster_begin(&a->roster, settings, a->store, err) ||
	    !roster_finish(&a->roster, NULL, a->store, err))
		return false;
	KILL_POINT("sinks-known");
	int64_t recovered = store_recover(a->store, clock_now(), err);

	KILL_POINT("rows-recovered");
	if (recovered >= 0) {
		say_opened(a);
		suspects_count(a->store, settings->store, clock_now());
	}
	if (recovered > 0)
		log_line(LOG_WARN, LOG_STORE_RECOVERED, LOG_N("maybe_sent", recovered),
			 LOG_S("hint", "these were in flight when the last run ended; they are "
				       "sent again, marked possible_repeat"));
	a->upkeep = recovered >= 0 ? upkeep_new(&a->roster, a->store, err) : NULL;
	return a->upkeep != NULL;
}

/* Damage that lies deep shows only now; opened again, the store is looked at whole. */
static bool open_store(struct app *a, struct err *err)
{
	if (start_store(a, err))
		return true;
	if (a->store == NULL || !store_is_damaged(a->store))
		return false;
	store_close(&a->store);
	roster_release(&a->roster);
	return start_store(a, err);
}

static void make_queue(struct app *a)
{
	size_t count = a->setup->settings->sink_count;
	struct queue_sink *sinks = app_queue_sinks(a, NULL);

	a->queue = queue_new(sinks, count, a->seed, clock_now());
	mem_free(&sinks);
}

struct app *app_new(struct setup *setup, struct turn *turn, uint64_t seed, struct err *err)
{
	struct app *a = mem_new(sizeof(*a));

	a->setup = setup_hold(setup);
	a->turn = turn;
	a->seed = seed;
	a->started_at = clock_now();
	a->silences = silences_new();
	a->holding = (struct holding){ .roster = &a->roster, .silences = a->silences };
	buf_init(&a->runtime, RUNTIME_MAX);
	buf_init(&a->written, RUNTIME_MAX);
	if (!open_store(a, err)) {
		app_free(&a);
		return NULL;
	}
	a->xfer = xfer_new(turn);
	make_queue(a);
	a->deliver = deliver_new(&(struct deliver_parts){ .setup = setup,
							  .roster = &a->roster,
							  .holding = &a->holding,
							  .queue = a->queue,
							  .store = a->store,
							  .xfer = a->xfer,
							  .turn = turn });
	struct app_sources sources;
	bool changed;

	if (!silences_look(a->silences, a->store, clock_now(), &changed, err)) {
		app_free(&a);
		return NULL;
	}
	deliver_look_ahead(a->deliver);
	if (!app_make_sources(a, setup->settings, &a->roster, &sources, err)) {
		app_free(&a);
		return NULL;
	}
	app_take_sources(a, &sources);
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
	watch_free(&a->watch);
	app_free_sources(a);
	timer_free(&a->tick);
	timer_free(&a->grace);
	deliver_free(&a->deliver);
	queue_free(&a->queue);
	upkeep_free(&a->upkeep);
	xfer_free(&a->xfer);
	roster_release(&a->roster);
	store_close(&a->store);
	silences_free(&a->silences);
	setup_free(&a->setup);
	mem_free(&a->reload_error);
	buf_release(&a->runtime);
	buf_release(&a->written);
	mem_free(app);
}
