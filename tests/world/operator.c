/*
 * operator: who turns knobs while all goes on: another configuration by a reload or a restart, a
 * broken one, requeues and drops beside the running daemon or without it, and a connection of
 * somebody else that keeps the store for a while.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "unit/change_rows.h"
#include "world/world.h"

static struct receiver *draw_receiver(struct world *w)
{
	return &w->receivers[chance_below(&w->chance, (int64_t)w->terms.sink_count)];
}

/* ---- another configuration ---- */

static void draw_window(struct world *w, struct rules *rules)
{
	static const int64_t windows[] = { 1, 2, 4, 8, 16 };

	rules->window[draw_receiver(w)->number] =
		windows[chance_below(&w->chance, ARRAY_LEN(windows))];
}

static void draw_rules(struct world *w, struct rules *rules)
{
	struct rules old = *conf_rules(w);

	*rules = old;
	if (!walk_one_in(w, 3)) {
		rules_draw(rules, w->terms.sink_count, &w->chance);
		for (size_t i = 0; i < SINKS_MAX; i++)
			rules->window[i] = old.window[i];
	}
	draw_window(w, rules);
}

void operator_restart(struct world *w)
{
	struct rules rules;

	draw_rules(w, &rules);
	world_say(w, "restarted with another configuration");
	if (walk_one_in(w, 2))
		life_stop(w);
	else
		life_kill(w);
	conf_change(w, &rules);
	life_begin(w);
}

/* It is taken in at the end of the next turn. */
static void reload(struct world *w)
{
	app_reload(w->app);
	life_turns(w, 2, SECOND);
}

void operator_reload(struct world *w)
{
	struct rules rules;

	draw_rules(w, &rules);
	world_say(w, "reloaded");
	conf_change(w, &rules);
	reload(w);
	conf_settle(w);
}

/* All stays as it was. */
void operator_reload_broken(struct world *w)
{
	FILE *file = fopen(w->conf, "a");

	world_say(w, "reloaded, with a mistake");
	fprintf(file, "sinks = ( { name = \"s0\"; } );\n");
	fclose(file);
	reload(w);
	conf_write(w);
}

/* ---- rows ---- */

/* Some rows of one sink, chosen by a state. False: the store never heard of that sink. */
static bool draw_rows(struct world *w, char where[100])
{
	static const char *const states[] = {
		"dead", "dead", "done", "due", "held", "orphaned"
	};
	char name[16];
	int sink = draw_receiver(w)->number;

	snprintf(name, sizeof(name), "s%d", sink);
	snprintf(where, 100, "sink = 's%d' AND state = '%s'", sink,
		 states[chance_below(&w->chance, ARRAY_LEN(states))]);
	return ask_count_of(w, "SELECT count(*) AS n FROM v_sinks WHERE name = ?1", name) > 0;
}

/* Somebody else's connection, as a command has. */
static struct store *open_beside(struct world *w)
{
	struct err err;
	struct store *s = store_open(w->store, STORE_COMMAND, &err);

	if (s == NULL)
		world_fail(w, "a command cannot open the store: %s", err.text);
	return s;
}

static void change(struct world *w, rows_change *how, const char *what)
{
	char where[100];
	struct err err;

	if (!draw_rows(w, where))
		return;
	struct store *s = open_beside(w);
	int64_t count = change_rows(s, how, where, clock_now(), &err);

	store_close(&s);
	if (count < 0)
		world_fail(w, "cannot %s: %s", what, err.text);
	world_say(w, "%s where %s: %" PRId64 " rows", what, where, count);
}

void operator_requeue(struct world *w)
{
	change(w, store_requeue, "requeue");
}

void operator_drop(struct world *w)
{
	change(w, store_drop, "drop");
}

/* ---- the store in other hands ---- */

void operator_keep_store(struct world *w)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(w->store, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		world_fail(w, "cannot keep the store: %s", sqlite3_errmsg(db));
	world_say(w, "somebody else writes");
	life_run(w, walk_span(w, 2 * MINUTE));
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
}
