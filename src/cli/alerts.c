/*
 * `tocsin alerts`: what the store remembers, oldest first.
 *
 * Read in pieces, each a short read transaction; a piece ends at a number of rows or bytes, and
 * the next one goes on behind its last row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/rejects.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "cli/unrouted.h"
#include "model/alert.h"

enum { PIECE = 5000, PIECE_BYTES = 32 << 20 };

#define LIMIT_TEXT "5000"

static const char query[] =
	"SELECT coalesce(source, '') AS source, id, status, severity, state, episode, body, "
	"first_seen_at, last_seen_at, missing_since, " UNROUTED " AS unrouted FROM v_alerts a "
	"WHERE (first_seen_at, coalesce(source, ''), id) > (CAST(?1 AS INTEGER), ?2, ?3) "
	"AND (?4 IS NULL OR state = ?4 OR (?4 = 'missing' AND missing_since IS NOT NULL) "
	"OR (?4 = 'unrouted' AND " UNROUTED ")) "
	"AND (?5 IS NULL OR first_seen_at >= CAST(?5 AS INTEGER)) "
	"ORDER BY first_seen_at, coalesce(source, ''), id LIMIT " LIMIT_TEXT;

static const struct table_column columns[] = {
	{ .title = "ALERT", .max = 40 },  { .title = "STATE" },
	{ .title = "STATUS", .max = 14 }, { .title = "SEVERITY", .max = 10 },
	{ .title = "TYPE", .max = 20 },   { .title = "ROUTED", .max = 8 },
	{ .title = "SOURCE", .max = 20 }, { .title = "FIRST SEEN" },
	{ .title = "TITLE", .max = 60 },  { .title = NULL },
};

struct listing {
	const struct cli *cli;
	struct spool spool;
	struct table *table;
	int64_t now;
	const char *since; /* NULL: all */
	/* Of the last row told. */
	int64_t first_seen_at;
	char *source, *id; /* owned */
	size_t count;
};

static void tell_json(struct listing *l, struct view *v)
{
	struct jline j;

	jline_begin(&j, l->spool.out);
	jline_json(&j, "alert", view_text(v, "body"), view_len(v, "body"));
	jline_text(&j, "source", view_text(v, "source"));
	jline_text(&j, "state", view_text(v, "state"));
	jline_int(&j, "episode", view_int(v, "episode"));
	jline_at(&j, "first_seen_at", view_int(v, "first_seen_at"));
	jline_at(&j, "last_seen_at", view_int(v, "last_seen_at"));
	jline_at(&j, "missing_since", view_int(v, "missing_since"));
	jline_bool(&j, "unrouted", view_int(v, "unrouted") != 0);
	jline_end(&j);
}

static void tell_row(struct listing *l, struct view *v)
{
	const char *body = view_text(v, "body"), *state = view_text(v, "state"),
		   *severity = view_text(v, "severity");
	struct alert alert;
	struct err err;
	bool ok = body != NULL && alert_read(&alert, body, view_len(v, "body"), &err);
	bool is_unrouted = view_int(v, "unrouted") != 0;

	table_cell(l->table, COLOUR_NONE, view_text(v, "id"));
	table_cell(l->table, print_colour_of(state),
		   view_is_null(v, "missing_since") ? state : "missing");
	table_cell(l->table, COLOUR_NONE, view_text(v, "status"));
	table_cell(l->table, print_colour_of(severity), severity);
	table_cell(l->table, COLOUR_NONE, ok ? alert.type : NULL);
	table_cell(l->table, is_unrouted ? COLOUR_WARN : COLOUR_NONE,
		   is_unrouted ? "no" : NULL);
	table_cell(l->table, COLOUR_NONE, view_text(v, "source"));
	table_at(l->table, view_int(v, "first_seen_at"), l->now);
	table_cell(l->table, COLOUR_NONE, ok ? alert.title : NULL);
	if (ok)
		alert_release(&alert);
}

static void remember(struct listing *l, struct view *v)
{
	mem_free(&l->source);
	mem_free(&l->id);
	l->first_seen_at = view_int(v, "first_seen_at");
	l->source = mem_strdup(view_text(v, "source"));
	l->id = mem_strdup(view_text(v, "id"));
}

/* False when the list has ended, or failed: then err tells. */
static bool read_piece(struct listing *l, struct store *store, struct err *err)
{
	char after[24];
	const char *args[] = { after, l->source, l->id, cli_option(l->cli, "state"), l->since };
	size_t count = 0, bytes = 0;

	snprintf(after, sizeof(after), "%" PRId64, l->first_seen_at);
	struct view *v = view_open(store, query, args, ARRAY_LEN(args), err);

	if (v == NULL)
		return false;
	while (bytes < PIECE_BYTES && view_next(v)) {
		count++;
		bytes += view_len(v, "body");
		if (l->cli->json)
			tell_json(l, v);
		else
			tell_row(l, v);
		remember(l, v);
	}
	bool failed = view_failed(v, err);

	view_close(&v);
	l->count += count;
	return !failed && (count == PIECE || bytes >= PIECE_BYTES);
}

static int list(struct listing *l, struct store *store)
{
	struct err err = { "" };
	bool more;

	l->table = table_new(stdout, columns);
	l->first_seen_at = -1;
	l->source = mem_strdup("");
	l->id = mem_strdup("");
	do {
		spool_open(&l->spool);
		more = read_piece(l, store, &err);
		more = spool_close(&l->spool) && more;
		table_flush(l->table);
	} while (more);
	table_free(&l->table);
	mem_free(&l->source);
	mem_free(&l->id);
	if (err.text[0] != '\0')
		return cli_failed("%s", err.text);
	if (l->count == 0 && !l->cli->json)
		puts("no alerts");
	return EXIT_OK;
}

static int run(const struct cli *cli)
{
	struct listing l = { .cli = cli, .now = clock_now() };
	const char *state = cli_option(cli, "state"), *since = cli_option(cli, "since");
	enum alert_state parsed;
	int64_t span = 0;
	struct glance glance;
	struct err err;
	char at[24];
	int code;

	if (cli->argc > 0)
		return cli_usage(cli, "it takes no argument");
	if (state != NULL && strcmp(state, "missing") != 0 && strcmp(state, "unrouted") != 0 &&
	    !alert_state_parse(state, &parsed))
		return cli_usage(cli, "--state is one of active, missing, resolved, silent, "
				      "unrouted, vanished");
	if (since != NULL && !num_parse_duration(since, &span, &err))
		return cli_usage(cli, "--since: %s", err.text);
	snprintf(at, sizeof(at), "%" PRId64, l.now - span);
	l.since = since != NULL ? at : NULL;
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	code = cli_has(cli, "rejected") ? rejects_list(cli, store) : list(&l, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

static const struct cli_option options[] = {
	{ "state", "STATE", "active, missing, resolved, silent, unrouted or vanished" },
	{ "since", "DURATION", "first seen within: 30m, 24h, 7d" },
	{ "rejected", NULL,
	  "instead, what the API listed and could not be read, with the reason" },
	{ .name = NULL },
};

const struct command command_alerts = {
	.name = "alerts",
	.summary = "list the alerts that the store remembers",
	.details = "Oldest first. `silent` ones are older than the first start and never rang; "
		   "`missing`\nones are active, but the API did not list them when it was last "
		   "asked;\n`vanished` ones it lists no more, and nobody knows how they ended; "
		   "`unrouted` ones\nno route wanted, so nobody was told.",
	.options = options,
	.json = true,
	.run = run,
};
