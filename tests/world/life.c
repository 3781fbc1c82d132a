/*
 * life: the program on a store that outlives it.
 *
 * A crash comes between two turns, or in the midst of a sync: then all that the program still
 * does to its files fails, and the turn is its last. What is under way is never told to the
 * store, and what had arrived at the other end was heard all the same. The next life opens what
 * the disk has left. A clean stop must end by itself within the grace.
 *
 * The oracle's own connection is closed with the program's at a crash, and stays open otherwise:
 * the last one to close would fold the log into the file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "disk/disk.h"
#include "world/world.h"

enum { STOP_WITHIN_MS = 20 * SECOND };

void life_begin(struct world *w)
{
	struct conf_problems problems = { .list = NULL };
	struct err err;

	w->setup = setup_load(w->conf, &problems);
	if (w->setup == NULL)
		world_fail(w, "the configuration: %s",
			   problems.count > 0 ? problems.list[0].message : "?");
	conf_problems_release(&problems);
	w->turn = turn_new();
	w->app = app_new(w->setup, w->turn, w->seed * 1000 + w->lives++, &err);
	if (w->app == NULL)
		world_fail(w, "does not start: %s", err.text);
	w->life_at = sim_now();
	ask_open(w);
	watch_begin(w);
	watch_sinks_begin(w);
}

static void leave(struct world *w)
{
	app_free(&w->app);
	turn_free(&w->turn);
	setup_free(&w->setup);
	ask_leave(w);
	w->troubles.crash_in = 0;
	w->troubles.has_crashed = false;
	life_heal_disk(w);
	watch_sinks_end(w);
	oracle_look(w);
}

static void crash_disk(struct world *w, bool is_power)
{
	w->troubles.has_crashed = true;
	if (is_power)
		disk_power_cut(chance_next(&w->chance));
	else
		disk_kill();
}

static void end_by_crash(struct world *w, bool is_power)
{
	if (w->app == NULL)
		return;
	sim_cut(w->turn);
	if (!w->troubles.has_crashed)
		crash_disk(w, is_power);
	leave(w);
	if (w->terms.delivers)
		oracle_check_rows(w, false);
}

void life_kill(struct world *w)
{
	end_by_crash(w, false);
}

void life_power_cut(struct world *w)
{
	end_by_crash(w, true);
}

void life_crash(struct world *w, bool is_power, int64_t syncs, size_t turns)
{
	w->troubles.is_power = is_power;
	w->troubles.crash_in = syncs;
	life_turns(w, turns, 30 * SECOND);
	end_by_crash(w, is_power);
}

static void on_sync(void *arg)
{
	struct world *w = arg;
	struct troubles *t = &w->troubles;

	sim_pass(t->sync_ms);
	if (t->crash_in == 0 || --t->crash_in > 0)
		return;
	crash_disk(w, t->is_power);
	sim_halt();
}

void life_install_disk(struct world *w)
{
	disk_install();
	disk_on_sync(on_sync, w);
}

void life_heal_disk(struct world *w)
{
	disk_heal();
	disk_set_room(-1);
	w->troubles.sync_ms = 0;
	w->troubles.is_unreadable = false;
}

void life_stop(struct world *w)
{
	if (w->app == NULL)
		return;
	app_stop(w->app);
	if (!sim_run(w->turn, sim_now() + STOP_WITHIN_MS, 0))
		world_fail(w, "a clean stop took more than %d s", STOP_WITHIN_MS / SECOND);
	sim_cut(w->turn);
	ask_leave(w);
	leave(w);
}

void life_run(struct world *w, int64_t ms)
{
	if (w->app == NULL)
		sim_pass(ms);
	else if (sim_run(w->turn, sim_now() + ms, 0))
		world_fail(w, "it stopped by itself");
}

bool life_run_until(struct world *w, int64_t ms_max, int64_t every_ms,
		    bool (*is)(struct world *w, void *arg), void *arg)
{
	int64_t until = sim_now() + ms_max;

	while (!is(w, arg)) {
		if (sim_now() >= until)
			return false;
		int64_t left = until - sim_now();

		life_run(w, left < every_ms ? left : every_ms);
	}
	return true;
}

void life_turns(struct world *w, size_t turns, int64_t ms_max)
{
	if (w->app != NULL && sim_run(w->turn, sim_now() + ms_max, turns))
		world_fail(w, "it stopped by itself");
}
