/*
 * walk: the steps of a story: one thing happens, then time passes.
 *
 * What can happen is a table with weights. All chance comes from the seed's own generator and
 * a step takes what it needs in order, so the first k steps of a seed are the same however many
 * follow: a failing story is cut short by leaving out its end.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "world/world.h"

bool walk_one_in(struct world *w, int64_t n)
{
	return chance_below(&w->chance, n) == 0;
}

int64_t walk_span(struct world *w, int64_t max_ms)
{
	int doublings = 0;

	while (max_ms >> doublings > SECOND)
		doublings++;
	return chance_below(&w->chance,
			    (max_ms >> chance_below(&w->chance, doublings + 1)) + 1);
}

static struct api *draw_api(struct world *w)
{
	return &w->apis[chance_below(&w->chance, (int64_t)w->terms.api_count)];
}

/* NULL: there is none. Newer ones are likelier, as in life. */
static struct item *draw_item(struct world *w, struct api *a)
{
	if (a->count == 0)
		return NULL;
	int64_t among = walk_one_in(w, 2) && a->count > 20 ? 20 : (int64_t)a->count;

	return &a->items[(int64_t)a->count - 1 - chance_below(&w->chance, among)];
}

static enum alert_status draw_status(struct world *w, int64_t open_percent)
{
	if (chance_below(&w->chance, 100) < open_percent)
		return ALERT_OPEN;
	return walk_one_in(w, 4) ? ALERT_ACKNOWLEDGED : ALERT_RESOLVED;
}

/* ---- alerts ---- */

void walk_add(struct world *w, struct api *a, size_t count, int64_t span_ms)
{
	int64_t now = sim_now();

	for (size_t n = 1; n <= count; n++)
		api_add(a, now - span_ms + span_ms * (int64_t)n / (int64_t)count,
			draw_status(w, 60));
}

void walk_disturb_first(struct world *w)
{
	if (chance_below(&w->chance, 2) == 0)
		return;
	for (size_t n = 0; n < 4; n++) {
		life_turns(w, (size_t)chance_below(&w->chance, 16) + 1, MINUTE);
		/* Whoever answers to them as to the end is believed the second time. */
		for (size_t i = 0; i < w->terms.api_count; i++)
			if (n == 0 || w->apis[i].terms.stale_status != 200)
				w->apis[i].cursor_epoch++;
	}
}

void walk_history(struct world *w)
{
	int64_t now = sim_now(), month = 30 * (int64_t)DAY;

	for (size_t i = 0; i < w->terms.api_count; i++) {
		struct api *a = &w->apis[i];
		int64_t count = (int64_t)w->terms.history;

		for (int64_t n = 0; n < count; n++) {
			int64_t age = n * 5 < count * 4 ? month * (count - n) / count
							: 3 * HOUR * (count - n) / count;

			api_add(a, now - MINUTE - age, draw_status(w, 12));
		}
	}
}

static bool has_room(const struct world *w, const struct api *a)
{
	return a->count < w->terms.items_max;
}

static void add_some(struct world *w)
{
	struct api *a = draw_api(w);
	size_t count = (size_t)chance_below(&w->chance, 3) + 1;

	if (has_room(w, a))
		walk_add(w, a, count, 0);
}

static void add_burst(struct world *w)
{
	struct api *a = draw_api(w);
	int64_t max = (int64_t)w->terms.items_max / 5;
	size_t count = (size_t)chance_below(&w->chance, max < 300 ? max : 300) + 1;
	int64_t span = walk_one_in(w, 2) ? 0 : walk_span(w, 10 * MINUTE);

	if (!has_room(w, a))
		return;
	world_say(w, "%zu alerts at once", count);
	walk_add(w, a, count, span);
}

static void add_late(struct world *w)
{
	struct api *a = draw_api(w);
	int64_t age = walk_span(w, 2 * (int64_t)DAY);
	enum alert_status status = draw_status(w, 40);

	if (has_room(w, a))
		world_say(w, "late: %s, %" PRId64 " s old, status %d",
			  api_add(a, sim_now() - age, status)->id, age / SECOND, status);
}

static void change_status(struct world *w)
{
	struct api *a = draw_api(w);
	int64_t count = walk_one_in(w, 4) ? 20 : 1;

	for (int64_t n = 0; n < count; n++) {
		struct item *i = draw_item(w, a);
		enum alert_status status = (enum alert_status)chance_below(&w->chance, 3);

		if (i == NULL || i->is_deleted)
			continue;
		world_say(w, "%s: status %d to %d", i->id, i->status, status);
		api_set_status(i, status);
	}
}

static void close_and_reopen(struct world *w)
{
	struct item *i = draw_item(w, draw_api(w));

	if (i == NULL || i->is_deleted)
		return;
	api_set_status(i, ALERT_RESOLVED);
	if (walk_one_in(w, 2))
		life_run(w, walk_span(w, 2 * w->terms.sweep_ms));
	api_set_status(i, ALERT_OPEN);
}

static void change_content(struct world *w)
{
	struct item *i = draw_item(w, draw_api(w));
	enum alert_severity severity = (enum alert_severity)chance_below(&w->chance, 4);

	if (i == NULL)
		return;
	if (walk_one_in(w, 2))
		api_set_severity(i, severity);
	else
		api_edit(i);
}

static void delete_some(struct world *w)
{
	struct api *a = draw_api(w);
	struct item *i = draw_item(w, a);

	if (i == NULL)
		return;
	api_delete(a, i, true);
	world_say(w, "%s is deleted", i->id);
}

static void undelete_some(struct world *w)
{
	struct api *a = draw_api(w);

	for (size_t i = 0; i < a->count; i++)
		if (a->items[i].is_deleted && walk_one_in(w, 3)) {
			api_delete(a, &a->items[i], false);
			world_say(w, "%s is listed again", a->items[i].id);
			return;
		}
}

/* ---- the API's troubles ---- */

static void turn_weather(struct world *w)
{
	static const int64_t percents[] = { 10, 30, 60, 100 };
	struct api *a = draw_api(w);

	a->weather = (struct weather){
		.kind = (enum fault)(1 + chance_below(&w->chance, FAULT_KINDS - 1)),
		.percent = percents[chance_below(&w->chance, ARRAY_LEN(percents))],
		.until = sim_now() + walk_span(w, 2 * HOUR),
	};
	if (a->weather.kind == FAULT_WRONG_DATE)
		a->weather.until = sim_now() + MINUTE;
	world_say(w, "org%d: %s, %" PRId64 " %%, for %" PRId64 " s", a->number,
		  fault_name(a->weather.kind), a->weather.percent,
		  (a->weather.until - sim_now()) / SECOND);
}

static void clear_weather(struct world *w)
{
	draw_api(w)->weather.kind = FAULT_NONE;
}

static void revoke_tokens(struct world *w)
{
	world_say(w, "tokens are revoked");
	api_revoke_tokens(draw_api(w));
}

static void expire_cursors(struct world *w)
{
	world_say(w, "cursors expire");
	api_expire_cursors(draw_api(w));
}

static void step_clock(struct world *w)
{
	int64_t ahead = walk_span(w, walk_one_in(w, 4) ? 10 * (int64_t)DAY : 2 * HOUR);

	ahead = walk_one_in(w, 3) ? 0 : walk_one_in(w, 2) ? ahead : -ahead;
	world_say(w, "the wall clock goes %" PRId64 " s ahead", ahead / SECOND);
	w->clock_stepped |= ahead != 0;
	sim_skew(ahead);
}

/* ---- the program ---- */

static void begin_again(struct world *w)
{
	if (walk_one_in(w, 3))
		life_run(w, walk_span(w, HOUR));
	life_begin(w);
}

static void kill_and_begin(struct world *w)
{
	size_t turns = (size_t)chance_below(&w->chance, walk_one_in(w, 2) ? 10 : 80) + 1;

	life_turns(w, turns, 30 * SECOND);
	world_say(w, "killed");
	life_kill(w);
	begin_again(w);
	world_say(w, "begun again");
}

static void stop_and_begin(struct world *w)
{
	world_say(w, "stopped");
	life_stop(w);
	begin_again(w);
	world_say(w, "begun again");
}

static void poll_now(struct world *w)
{
	app_poll(w->app);
}

/* New alerts while nobody looks, then a kill in the middle of taking them in. */
static void burst_and_kill(struct world *w)
{
	add_burst(w);
	kill_and_begin(w);
}

/* ---- a step ---- */

static const struct happening happenings[] = {
	{ 14, add_some },      { 6, add_burst },        { 8, add_late },
	{ 16, change_status }, { 4, close_and_reopen }, { 6, change_content },
	{ 4, delete_some },    { 2, undelete_some },    { 12, turn_weather },
	{ 4, clear_weather },  { 2, revoke_tokens },    { 3, expire_cursors },
	{ 2, step_clock },     { 8, kill_and_begin },   { 2, stop_and_begin },
	{ 2, poll_now },       { 5, burst_and_kill },
};

void walk_happen(struct world *w, const struct happening *list, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += list[i].weight;
	int64_t drawn = chance_below(&w->chance, sum);

	for (size_t i = 0; i < count; i++) {
		drawn -= list[i].weight;
		if (drawn < 0) {
			list[i].happen(w);
			return;
		}
	}
}

void walk_wait(struct world *w, int64_t max_ms, int64_t long_ms)
{
	if (max_ms >= 10 * MINUTE && walk_one_in(w, 16))
		max_ms = long_ms;
	life_run(w, chance_below(&w->chance, max_ms + 1));
}

void walk_step(struct world *w)
{
	static const int64_t spans[] = { 0,      2 * SECOND, 20 * SECOND,
					 MINUTE, 3 * MINUTE, 10 * MINUTE };

	walk_happen(w, happenings, ARRAY_LEN(happenings));
	walk_wait(w, spans[chance_below(&w->chance, ARRAY_LEN(spans))], 3 * HOUR);
	oracle_look(w);
}
