/*
 * `tocsin sink`: which there are and how they are; hold one, let it go.
 *
 * The word is stored, so it holds with the daemon down and over a restart; a running daemon
 * looks for it once a second.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/chunks.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/known.h"
#include "cli/rows.h"
#include "cli/sink_state.h"
#include "cli/table.h"

enum { REASON_LEN_MAX = 200 };

/* ---- list ---- */

static const char list_query[] =
	"SELECT " SINK_STATE_COLUMNS " FROM v_sinks k ORDER BY k.present DESC, k.name";

static const struct table_column columns[] = {
	{ .title = "SINK", .max = 24 }, { .title = "TYPE" }, { .title = "STATE" },
	{ .title = "WHY", .max = 100 }, { .title = NULL },
};

static void tell_row(struct table *t, struct view *v, bool daemon_lives)
{
	const char *state = view_text(v, "state");
	char why[400];

	if (view_int(v, "present") == 0)
		snprintf(why, sizeof(why), "not in the configuration");
	else
		sink_state_why(v, clock_now(), daemon_lives, why, sizeof(why));
	table_cell(t, COLOUR_NONE, view_text(v, "name"));
	table_cell(t, COLOUR_NONE, view_text(v, "type"));
	table_cell(t, print_colour_of(state), state);
	table_cell(t, COLOUR_NONE, why);
}

static bool tell_all(const struct cli *cli, struct store *store, bool daemon_lives,
		     struct err *err)
{
	struct view *v = view_open(store, list_query, NULL, 0, err);
	struct jline j;

	if (v == NULL)
		return false;
	struct table *t = table_new(stdout, columns);

	while (view_next(v)) {
		if (!cli->json) {
			tell_row(t, v, daemon_lives);
			continue;
		}
		jline_begin(&j, stdout);
		sink_state_json(&j, v);
		jline_end(&j);
	}
	bool ok = !view_failed(v, err);

	view_close(&v);
	table_flush(t);
	table_free(&t);
	return ok;
}

static int list(const struct cli *cli, struct store *store)
{
	struct daemon_says daemon;
	struct err err;
	bool ok = daemon_read(&daemon, store, &err) && tell_all(cli, store, daemon.alive, &err);

	daemon_release(&daemon);
	return ok ? EXIT_OK : cli_failed("%s", err.text);
}

/* ---- hold and release ---- */

/* Its state as a constant word; NULL and err when it can't be read. */
static const char *read_state(struct store *store, const char *name, struct err *err)
{
	static const char *const words[] = { "up", "down", "held" };
	struct view *v = view_open(store, "SELECT state, present FROM v_sinks WHERE name = ?1",
				   &name, 1, err);
	const char *found = NULL;

	if (v == NULL)
		return NULL;
	if (view_next(v)) {
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (strcmp(view_text(v, "state"), words[i]) == 0)
				found = words[i];
		if (view_int(v, "present") == 0)
			fprintf(stderr, "tocsin: sink %s is not in the configuration\n", name);
	} else if (!view_failed(v, err)) {
		err_set(err, "the store knows no sink %s", name);
	}
	view_close(&v);
	return found;
}

static void tell(const struct cli *cli, const char *was, const char *is, const char *text)
{
	struct jline j;

	if (!cli->json) {
		printf("%s %s\n", cli->argv[1], text);
		return;
	}
	jline_begin(&j, stdout);
	jline_text(&j, "sink", cli->argv[1]);
	jline_text(&j, "was", was);
	jline_text(&j, "state", is);
	jline_end(&j);
}

static int hold(const struct cli *cli, struct store *store)
{
	struct err err;
	const char *was = read_state(store, cli->argv[1], &err);

	if (was == NULL ||
	    !store_sink_hold(store, cli->argv[1], cli_option(cli, "reason"), clock_now(), &err))
		return cli_failed("%s", err.text);
	tell(cli, was, "held", strcmp(was, "held") == 0 ? "is held already" : "is held");
	return EXIT_OK;
}

struct id_list {
	int64_t *ids; /* owned */
	size_t count, room;
};

/* Rows that wait since they failed. Those that were never tried are spread by a requeue. */
static bool read_waiting(struct store *store, const char *sink, struct id_list *list,
			 struct err *err)
{
	char now[24];
	const char *args[] = { sink, now };

	snprintf(now, sizeof(now), "%" PRId64, clock_now());
	struct view *v = view_open(store,
				   "SELECT id FROM v_deliveries WHERE sink = ?1 AND "
				   "state = 'due' AND due_at > CAST(?2 AS INTEGER) AND "
				   "attempt > 0",
				   args, ARRAY_LEN(args), err);

	while (v != NULL && view_next(v)) {
		if (list->count == list->room) {
			list->room = list->room * 2 + 64;
			list->ids = mem_resize(list->ids, list->room, sizeof(*list->ids));
		}
		list->ids[list->count++] = view_int(v, "id");
	}
	bool ok = v != NULL && !view_failed(v, err);

	view_close(&v);
	return ok;
}

static bool hasten(struct store *store, const char *sink, struct err *err)
{
	struct id_list list = { .ids = NULL };
	bool ok = read_waiting(store, sink, &list, err);
	struct chunks run = { .store = store,
			      .ids = list.ids,
			      .id_count = list.count,
			      .change = store_hasten,
			      .done = "due now" };

	ok = ok && chunks_run(&run, err);
	mem_free(&list.ids);
	return ok;
}

static int let_go(const struct cli *cli, struct store *store)
{
	const char *name = cli->argv[1];
	struct err err;
	const char *was = read_state(store, name, &err);

	if (was == NULL || !store_sink_release(store, name, clock_now(), &err) ||
	    !hasten(store, name, &err))
		return cli_failed("%s", err.text);
	tell(cli, was, "up", strcmp(was, "up") == 0 ? "was not held" : "is released");
	return EXIT_OK;
}

/* ---- usage ---- */

static const struct verb {
	const char *name;
	int argc;
	enum store_mode mode;
	int (*run)(const struct cli *cli, struct store *store);
} verbs[] = {
	{ "list", 1, STORE_READ, list },
	{ "hold", 2, STORE_COMMAND, hold },
	{ "release", 2, STORE_COMMAND, let_go },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run_verb(const struct cli *cli, const struct verb *verb)
{
	struct glance glance;
	struct err err;
	int code;
	struct store *store = cli_store(cli, verb->mode, &glance, &code);

	if (store == NULL)
		return code;
	if (verb->argc > 1 && !known_name(store, KNOWN_SINKS, cli->argv[1], &err))
		code = cli_failed("%s", err.text);
	else
		code = verb->run(cli, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

static int run(const struct cli *cli)
{
	const char *reason = cli_option(cli, "reason");
	const struct verb *verb = cli->argc > 0 ? find_verb(cli->argv[0]) : NULL;

	if (verb == NULL || cli->argc != verb->argc)
		return cli_usage(cli, "it takes list, hold NAME or release NAME");
	if (reason != NULL && verb->run != hold)
		return cli_usage(cli, "--reason goes with hold");
	if (reason != NULL && strlen(reason) > REASON_LEN_MAX)
		return cli_usage(cli, "--reason: at most %d bytes", REASON_LEN_MAX);
	return run_verb(cli, verb);
}

static const struct cli_option options[] = {
	{ "reason", "TEXT", "of a hold: what status and the log tell" },
	{ .name = NULL },
};

const struct command command_sink = {
	.name = "sink",
	.arguments = "list | hold NAME | release NAME",
	.summary = "list sinks; hold one, and let it go",
	.details =
		"A sink that is held gets nothing, not even a probe, over restarts too: its\n"
		"deliveries wait and do not age. What is under way ends. A running daemon\n"
		"heeds it within a second.\n\n"
		"`release` also ends the wait of a sink that is down, whatever its receiver\n"
		"asked for: when you have mended it, nobody need wait for the next probe.",
	.options = options,
	.json = true,
	.run = run,
};
