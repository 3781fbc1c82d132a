/*
 * `tocsin queue`: deliveries that have not ended well, or all of them.
 *
 * The list is read in pieces, in the order of ids, that is of events: each piece is a short
 * read transaction, and the next one goes on behind the last id.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/rows.h"
#include "cli/table.h"

enum { PIECE = 500 };

#define LIMIT_TEXT "500"

static const char query[] =
	"SELECT " ROWS_COLUMNS " FROM v_deliveries d WHERE d.id > CAST(?1 AS INTEGER) "
	"AND (?2 IS NULL OR d.sink = ?2) AND CASE WHEN ?3 IS NOT NULL THEN d.state = ?3 "
	"WHEN ?4 IS NOT NULL THEN 1 ELSE d.state NOT IN ('done', 'moved', 'dropped') END "
	"ORDER BY d.id LIMIT " LIMIT_TEXT;

static const struct table_column columns[] = {
	{ .title = "ID", .right = true },
	{ .title = "STATE" },
	{ .title = "SINK", .max = 24 },
	{ .title = "EVENT" },
	{ .title = "ALERT", .max = 40 },
	{ .title = "TRIES", .right = true },
	{ .title = "AGE" },
	{ .title = "NEXT" },
	{ .title = "WHY", .max = 80 },
	{ .title = NULL },
};

struct listing {
	const struct cli *cli;
	struct spool spool;
	struct table *table;
	int64_t now, last_id;
	size_t count;
};

static void tell_json(struct listing *l, struct view *v)
{
	struct row_try last;
	struct jline j;

	jline_begin(&j, l->spool.out);
	rows_json(&j, v);
	jline_int(&j, "age_s", (l->now - view_int(v, "at")) / 1000);
	rows_last_try(v, &last);
	rows_json_try(&j, "last", &last);
	jline_end(&j);
}

/* The row's own reason, else what the last try met with. */
static const char *why(struct view *v, const struct row_try *last, char *text, size_t size)
{
	const char *reason = view_text(v, "reason");

	if (reason != NULL && reason[0] != '\0')
		return reason;
	if (last->verdict == NULL || strcmp(last->verdict, "delivered") == 0)
		return "";
	snprintf(text, size, "%" PRId64 " %s", last->status,
		 last->answer != NULL ? last->answer : "");
	return last->status != 0 ? text : last->answer;
}

static void tell_row(struct listing *l, struct view *v)
{
	const char *state = view_text(v, "state");
	int64_t next = rows_next_at(v);
	char text[24], reason[512];
	struct row_try last;

	rows_last_try(v, &last);
	snprintf(text, sizeof(text), "%" PRId64, view_int(v, "id"));
	table_cell(l->table, COLOUR_NONE, text);
	table_cell(l->table, print_colour_of(state), state);
	table_cell(l->table, COLOUR_NONE, view_text(v, "sink"));
	table_cell(l->table, COLOUR_NONE, view_text(v, "event"));
	table_cell(l->table, COLOUR_NONE, view_text(v, "alert_id"));
	table_int(l->table, view_int(v, "attempt"));
	table_at(l->table, view_int(v, "at"), l->now);
	table_at(l->table, next != 0 && next < l->now ? l->now : next, l->now);
	table_cell(l->table, COLOUR_NONE, why(v, &last, reason, sizeof(reason)));
}

/* False when the list has ended, or failed: then err tells. */
static bool read_piece(struct listing *l, struct store *store, struct err *err)
{
	char after[24];
	const char *args[] = { after, cli_option(l->cli, "sink"), cli_option(l->cli, "state"),
			       cli_has(l->cli, "all") ? "all" : NULL };
	size_t count = 0;

	snprintf(after, sizeof(after), "%" PRId64, l->last_id);
	struct view *v = view_open(store, query, args, 4, err);

	if (v == NULL)
		return false;
	for (; view_next(v); count++) {
		l->last_id = view_int(v, "id");
		if (l->cli->json)
			tell_json(l, v);
		else
			tell_row(l, v);
	}
	bool failed = view_failed(v, err);

	view_close(&v);
	l->count += count;
	return !failed && count == PIECE;
}

/* False, and err says so, for a sink that the store has never seen: its empty list is no news. */
static bool knows_sink(struct store *store, const char *name, struct err *err)
{
	struct view *v = view_open(store, "SELECT 1 AS found FROM v_sinks WHERE name = ?1",
				   &name, 1, err);

	if (v == NULL)
		return false;
	bool found = view_next(v);

	if (!found && !view_failed(v, err))
		err_set(err, "the store knows no sink %s", name);
	view_close(&v);
	return found;
}

static int list(const struct cli *cli, struct store *store)
{
	struct listing l = { .cli = cli, .now = clock_now() };
	const char *sink = cli_option(cli, "sink");
	struct err err = { "" };
	bool more;

	if (sink != NULL && !knows_sink(store, sink, &err))
		return cli_failed("%s", err.text);
	l.table = table_new(stdout, columns);
	do {
		spool_open(&l.spool);
		more = read_piece(&l, store, &err);
		more = spool_close(&l.spool) && more;
		table_flush(l.table);
	} while (more);
	table_free(&l.table);
	if (err.text[0] != '\0')
		return cli_failed("%s", err.text);
	if (l.count == 0 && !cli->json)
		puts(cli_has(cli, "state") || cli_has(cli, "all") ? "no such deliveries"
								  : "nothing waits");
	return EXIT_OK;
}

static int run(const struct cli *cli)
{
	const char *state = cli_option(cli, "state");
	enum delivery_state parsed;
	struct glance glance;
	int code;

	if (cli->argc > 0)
		return cli_usage(cli, "it takes no argument");
	if (state != NULL && !delivery_state_parse(state, &parsed))
		return cli_usage(cli,
				 "--state is one of due, held, claimed, done, dead, moved, "
				 "dropped, orphaned");
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	code = list(cli, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

static const struct cli_option options[] = {
	{ "sink", "NAME", "only those for this sink" },
	{ "state", "STATE", "due, held, claimed, done, dead, moved, dropped or orphaned" },
	{ "all", NULL, "the ended ones too" },
	{ .name = NULL },
};

const struct command command_queue = {
	.name = "queue",
	.summary = "list deliveries that wait, are held, orphaned or dead",
	.details = "Oldest first. The id is what requeue and drop take.",
	.options = options,
	.json = true,
	.run = run,
};
