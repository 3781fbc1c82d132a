/*
 * walk_sink: the steps of a story about delivery: alerts come and change, receivers have their
 * weather, the program dies and comes back, the operator turns knobs.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "disk/disk.h"
#include "world/world.h"

static struct api *draw_api(struct world *w)
{
	return &w->apis[chance_below(&w->chance, (int64_t)w->terms.api_count)];
}

static struct receiver *draw_receiver(struct world *w)
{
	return &w->receivers[chance_below(&w->chance, (int64_t)w->terms.sink_count)];
}

/* NULL: there is none. Newer ones are likelier. */
static struct item *draw_item(struct world *w)
{
	struct api *a = draw_api(w);

	if (a->count == 0)
		return NULL;
	int64_t among = walk_one_in(w, 2) && a->count > 10 ? 10 : (int64_t)a->count;

	return &a->items[(int64_t)a->count - 1 - chance_below(&w->chance, among)];
}

/* The program sees what changed now, mostly. */
static void look(struct world *w)
{
	if (!walk_one_in(w, 3))
		app_poll(w->app);
}

/* ---- alerts ---- */

static void add(struct world *w, int64_t max)
{
	struct api *a = draw_api(w);
	size_t count = (size_t)chance_below(&w->chance, max) + 1;

	if (a->count < w->terms.items_max)
		walk_add(w, a, count, 0);
	look(w);
}

static void add_some(struct world *w)
{
	add(w, 3);
}

static void add_burst(struct world *w)
{
	add(w, walk_one_in(w, 3) ? 60 : 20);
}

static void change_one(struct world *w)
{
	struct item *i = draw_item(w);
	enum alert_status status = (enum alert_status)chance_below(&w->chance, 3);
	enum alert_severity severity = (enum alert_severity)chance_below(&w->chance, 4);

	if (i == NULL)
		return;
	switch (chance_below(&w->chance, 6)) {
	case 0: api_set_severity(i, severity); break;
	case 1: api_edit(i); break;
	default: api_set_status(i, status); break;
	}
}

static void change_some(struct world *w)
{
	int64_t count = walk_one_in(w, 4) ? 20 : 3;

	for (int64_t n = 0; n < count; n++)
		change_one(w);
	look(w);
}

static void close_and_reopen(struct world *w)
{
	struct item *i = draw_item(w);

	if (i == NULL)
		return;
	api_set_status(i, ALERT_RESOLVED);
	app_poll(w->app);
	life_run(w, walk_span(w, 5 * MINUTE));
	api_set_status(i, ALERT_OPEN);
	look(w);
}

/* ---- receivers ---- */

static void turn_weather(struct world *w, int64_t max_ms)
{
	static const int64_t percents[] = { 20, 60, 100, 100 };
	static const int64_t waits[] = { 0, 5 * SECOND, 45 * SECOND, 20 * MINUTE, 2 * HOUR };
	struct receiver *s = draw_receiver(w);
	struct spell spell = {
		.kind = (enum spell_kind)(1 + chance_below(&w->chance, SPELL_KINDS - 1)),
		.percent = percents[chance_below(&w->chance, ARRAY_LEN(percents))],
		.from = sim_now(),
		.until = sim_now() + walk_span(w, max_ms),
		.retry = (enum spell_retry)chance_below(&w->chance, ASKS_KINDS),
		.retry_ms = waits[chance_below(&w->chance, ARRAY_LEN(waits))],
	};

	watch_sink_spell(w, s, &spell);
	world_say(w, "s%d: %s, %" PRId64 " %%, for %" PRId64 " s", s->number,
		  spell_name(spell.kind), spell.percent, (spell.until - spell.from) / SECOND);
}

static void turn_a_while(struct world *w)
{
	turn_weather(w, 2 * HOUR);
}

static void turn_long(struct world *w)
{
	turn_weather(w, walk_one_in(w, 12) ? 3 * (int64_t)DAY : 8 * HOUR);
}

static void clear_weather(struct world *w)
{
	watch_sink_spell(w, draw_receiver(w), &(struct spell){ .kind = SPELL_NONE });
}

/* The open still waits, or is on its way, when the close comes. */
static void close_behind_open(struct world *w)
{
	const struct spell bad = { .kind = walk_one_in(w, 2) ? SPELL_SLOW : SPELL_409,
				   .percent = 60,
				   .from = sim_now(),
				   .until = sim_now() + 3 * MINUTE };
	struct api *a = draw_api(w);
	size_t from = a->count;

	if (a->count >= w->terms.items_max)
		return;
	watch_sink_spell(w, draw_receiver(w), &bad);
	walk_add(w, a, 6, 0);
	app_poll(w->app);
	life_run(w, chance_below(&w->chance, SECOND));
	for (size_t i = from; i < a->count; i++)
		api_set_status(&a->items[i], ALERT_RESOLVED);
	app_poll(w->app);
	life_run(w, chance_below(&w->chance, 10 * SECOND));
}

/* ---- the program ---- */

static void begin_again(struct world *w)
{
	if (walk_one_in(w, 3))
		life_run(w, walk_span(w, 3 * HOUR));
	life_begin(w);
	world_say(w, "begun again");
}

/* In the midst of what it has to send, or of its commits. */
static void crash_and_begin(struct world *w)
{
	size_t turns = (size_t)chance_below(&w->chance, walk_one_in(w, 2) ? 6 : 60) + 1;
	int64_t syncs = walk_one_in(w, 2) ? 0 : chance_below(&w->chance, 12) + 1;
	bool is_power = walk_one_in(w, 2);

	world_say(w,
		  is_power ? "power cut within %zu turns or %" PRId64 " syncs"
			   : "killed within %zu turns or %" PRId64 " syncs",
		  turns, syncs);
	life_crash(w, is_power, syncs, turns);
	begin_again(w);
}

static void burst_and_crash(struct world *w)
{
	add(w, 40);
	app_poll(w->app);
	crash_and_begin(w);
}

static void stop_and_begin(struct world *w)
{
	world_say(w, "stopped");
	life_stop(w);
	begin_again(w);
}

/* ---- the disk ---- */

/* Some seconds in which each sync takes long. */
static void slow_disk(struct world *w)
{
	static const int64_t waits[] = { 5, 20, 200, 3000 };

	w->troubles.sync_ms = waits[chance_below(&w->chance, ARRAY_LEN(waits))];
	world_say(w, "each sync takes %" PRId64 " ms", w->troubles.sync_ms);
	add(w, 20);
	life_run(w, walk_span(w, 5 * MINUTE));
	w->troubles.sync_ms = 0;
}

static void fail_disk(struct world *w)
{
	static const enum disk_op ops[] = { DISK_WRITE, DISK_WRITE, DISK_SYNC,
					    DISK_SYNC,  DISK_LOCK,  DISK_READ };
	enum disk_op op = ops[chance_below(&w->chance, ARRAY_LEN(ops))];
	enum disk_fault how = (enum disk_fault)chance_below(&w->chance, 3);
	int64_t times = walk_one_in(w, 2) ? -1 : chance_below(&w->chance, 5) + 1;

	how = op == DISK_LOCK ? DISK_BUSY : op == DISK_READ ? DISK_IOERR : how;
	how = op == DISK_SYNC && how == DISK_BUSY ? DISK_IOERR : how;
	world_say(w, "the disk fails: operation %d, %d, %" PRId64 " times", op, how, times);
	w->troubles.is_unreadable = op == DISK_READ;
	disk_fail(op, chance_below(&w->chance, 10) + 1, times, how);
}

static void ill_disk(struct world *w)
{
	if (walk_one_in(w, 3))
		disk_set_room(chance_below(&w->chance, 200000));
	else
		fail_disk(w);
	add(w, 20);
	change_some(w);
	life_run(w, walk_span(w, 20 * MINUTE));
	if (walk_one_in(w, 3)) {
		world_say(w, "and it dies");
		life_crash(w, walk_one_in(w, 2), 0, 5);
		life_begin(w);
	}
	life_heal_disk(w);
	world_say(w, "the disk is well");
	life_run(w, 10 * SECOND);
}

/* A receiver asks for patience; the next life keeps it. */
static void limit_and_kill(struct world *w)
{
	struct receiver *s = draw_receiver(w);
	const struct spell limited = { .kind = SPELL_429,
				       .percent = 100,
				       .from = sim_now(),
				       .until = sim_now() + MINUTE,
				       .retry = walk_one_in(w, 2) ? ASKS_SECONDS : ASKS_DATE,
				       .retry_ms = 20 * MINUTE };

	watch_sink_spell(w, s, &limited);
	add(w, 10);
	app_poll(w->app);
	life_run(w, 10 * SECOND);
	if (walk_one_in(w, 2))
		life_stop(w);
	else
		life_kill(w);
	life_begin(w);
	world_say(w, "s%d asked for patience, begun again", s->number);
}

/* ---- a step ---- */

static const struct happening happenings[] = {
	{ 12, add_some },
	{ 8, add_burst },
	{ 16, change_some },
	{ 3, close_and_reopen },
	{ 16, turn_a_while },
	{ 3, turn_long },
	{ 4, clear_weather },
	{ 5, close_behind_open },
	{ 10, crash_and_begin },
	{ 8, burst_and_crash },
	{ 2, stop_and_begin },
	{ 4, limit_and_kill },
	{ 3, slow_disk },
	{ 5, ill_disk },
	{ 3, operator_restart },
	{ 5, operator_reload },
	{ 1, operator_reload_broken },
	{ 4, operator_requeue },
	{ 3, operator_drop },
	{ 3, operator_keep_store },
};

void walk_sink_step(struct world *w)
{
	static const int64_t spans[] = { 0,      2 * SECOND, 20 * SECOND,
					 MINUTE, 3 * MINUTE, 10 * MINUTE };

	walk_happen(w, happenings, ARRAY_LEN(happenings));
	walk_wait(w, spans[chance_below(&w->chance, ARRAY_LEN(spans))], HOUR);
	oracle_look(w);
}
