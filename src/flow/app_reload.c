/*
 * app_reload: another configuration while all goes on (invariant 12).
 *
 *   read ─▶ new setup ─▶ names in the store ─▶ new sources ─▶ pages ─▶ sinks in the store ─▶ swap
 *     └──────────┴───────────────┴──────────────────┴───────────┴────────────┘ fails: all as before
 *
 * Everything that can fail comes before the swap, and the last of it, the sinks, is one
 * transaction; so the old configuration runs on untouched by a mistake in the new one, and says
 * so in `status` until a reload works. The swap waits for nobody: deliveries under way hold the
 * setup that they were built from, requests of sources that retire are dropped when they answer.
 * It happens at the end of a turn when nothing is with the store, so that a hundred signals in
 * one turn are one reload.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/app_inner.h"
#include "flow/trial.h"

void app_reload(struct app *a)
{
	a->reload_wanted = true;
	turn_wake(a->turn);
}

/* ---- what went wrong ---- */

static void say_problem(const struct conf_problem *p)
{
	bool is_error = p->level == CONF_ERROR;

	log_line(is_error ? LOG_ERROR : LOG_WARN, is_error ? LOG_RELOAD_FAILED : LOG_RELOADED,
		 LOG_S("file", p->file), LOG_N("line", p->line), LOG_S("reason", p->message),
		 LOG_S("hint", is_error ? "the configuration before is still in force" : NULL));
}

static void fail(struct app *a, const struct conf_problems *problems)
{
	const struct conf_problem *first = NULL;
	char more[40] = "";

	for (size_t i = 0; i < problems->count; i++) {
		if (problems->list[i].level != CONF_ERROR)
			continue;
		say_problem(&problems->list[i]);
		first = first != NULL ? first : &problems->list[i];
	}
	if (problems->error_count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", problems->error_count - 1);
	mem_free(&a->reload_error);
	a->reload_error =
		mem_printf("%s:%d: %.600s%s", first->file, first->line, first->message, more);
}

/* What a running daemon can't change. */
static void check_fixed(const struct settings *old, const struct settings *new,
			struct conf_problems *problems)
{
	if (strcmp(old->store, new->store) != 0)
		conf_problem(problems, CONF_ERROR, new->file, new->store_line,
			     "store: it was %s when tocsin started: restart for another one",
			     old->store);
}

/* ---- the swap ---- */

/* What the new configuration runs with. */
struct coming {
	struct setup *setup;
	struct roster roster;
	struct app_sources sources;
	struct web *web;
};

static void swap(struct app *a, struct coming *next)
{
	struct setup *old_setup = a->setup;
	struct roster old = a->roster;

	a->setup = setup_hold(next->setup);
	a->roster = next->roster;
	struct queue_sink *sinks = app_queue_sinks(a, &old);

	queue_refit(a->queue, sinks, a->setup->settings->sink_count, clock_now());
	app_heed(a, a->roster.sinks);
	deliver_refit(a->deliver, a->setup);
	app_take_sources(a, &next->sources);
	watch_listen(a->watch, next->web);
	mem_free(&sinks);
	roster_release(&old);
	setup_free(&old_setup);
	log_setup(a->setup->settings->log_level, a->setup->settings->log_format);
	upkeep_refit(a->upkeep);
	a->adopt_at = a->left_at = 0;
}

/* All that can fail. False, and err: nothing has changed. */
static bool prepare(struct app *a, struct coming *next, struct err *err)
{
	struct settings *settings = next->setup->settings;

	if (!roster_begin(&next->roster, settings, a->store, err) ||
	    !app_make_sources(a, settings, &next->roster, &next->sources, err)) {
		roster_release(&next->roster);
		return false;
	}
	if (watch_prepare(a->watch, &settings->listen_at, &next->web, err) &&
	    roster_finish(&next->roster, &a->roster, a->store, err))
		return true;
	watch_dismiss(a->watch, &next->web);
	app_drop_sources(a, &next->sources);
	roster_release(&next->roster);
	return false;
}

static bool take(struct app *a, struct setup *setup, struct err *err)
{
	struct coming next = { .setup = setup };
	char place[WEB_PLACE_MAX];

	if (!prepare(a, &next, err))
		return false;
	swap(a, &next);
	watch_place(a->watch, place);
	log_line(LOG_INFO, LOG_RELOADED, LOG_N("sources", next.sources.count),
		 LOG_N("sources_new", next.sources.fresh),
		 LOG_N("sinks", setup->settings->sink_count),
		 LOG_N("routes", setup->settings->route_count), LOG_S("listen", place));
	return true;
}

static struct setup *read_setup(const struct app *a, struct conf_problems *problems)
{
	struct setup *next = setup_load(a->setup->settings->file, problems);

	if (next == NULL)
		return NULL;
	trial_run(next, problems);
	check_fixed(a->setup->settings, next->settings, problems);
	if (problems->error_count > 0)
		setup_free(&next);
	return next;
}

static void reload(struct app *a)
{
	struct conf_problems problems = { .list = NULL };
	struct setup *next = read_setup(a, &problems);
	struct err err;

	if (next != NULL && !take(a, next, &err))
		conf_problem(&problems, CONF_ERROR, next->settings->file, 0, "%s", err.text);
	if (problems.error_count > 0) {
		fail(a, &problems);
	} else {
		mem_free(&a->reload_error);
		for (size_t i = 0; i < problems.count; i++)
			say_problem(&problems.list[i]);
	}
	setup_free(&next);
	conf_problems_release(&problems);
}

static bool is_storing(const struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (source_is_storing(a->sources[i]))
			return true;
	return deliver_is_storing(a->deliver);
}

void app_reload_now(struct app *a)
{
	app_bury_sources(a);
	if (!a->reload_wanted || a->state != RUNNING || is_storing(a))
		return;
	a->reload_wanted = false;
	watch_reloading(a->watch);
	reload(a);
	watch_running(a->watch);
}
