/*
 * `tocsin queue`: deliveries that have not ended well, or those that are asked for.
 *
 * The list is read in pieces, each a short read transaction; a piece is written once its read
 * is over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "cli/tally.h"

enum { PIECE = 500, COUNT_PIECE = 20000 };

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
	int64_t now;
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

static bool is_sink_held(struct view *v)
{
	const char *state = view_text(v, "state"), *sink = view_text(v, "sink_state");

	return strcmp(state, "due") == 0 && sink != NULL && strcmp(sink, "held") == 0;
}

/* The row's own reason, else what the last try met with. */
static const char *why(struct view *v, const struct row_try *last, char *text, size_t size)
{
	const char *reason = view_text(v, "reason");

	if (reason != NULL && reason[0] != '\0')
		return reason;
	if (is_sink_held(v))
		return "its sink is held by the operator";
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

static void tell(void *arg, struct view *v)
{
	struct listing *l = arg;

	if (l->cli->json)
		tell_json(l, v);
	else
		tell_row(l, v);
}

static int list(const struct cli *cli, const struct pick *pick, struct store *store)
{
	struct listing l = { .cli = cli, .now = clock_now() };
	struct pick_walk walk = {
		.pick = pick, .columns = ROWS_COLUMNS, .piece = PIECE, .each = tell, .arg = &l
	};
	struct err err = { "" };
	bool more;

	l.table = table_new(stdout, columns);
	do {
		spool_open(&l.spool);
		more = pick_next(&walk, store, &err);
		more = spool_close(&l.spool) && more;
		table_flush(l.table);
	} while (more);
	table_free(&l.table);
	if (err.text[0] != '\0')
		return cli_failed("%s", err.text);
	if (walk.told == 0 && !cli->json)
		puts(pick->is_filtered || cli_has(cli, "all") ? "no such deliveries"
							      : "nothing waits");
	return EXIT_OK;
}

/* ---- counts ---- */

static void add_row(void *arg, struct view *v)
{
	tally_add(arg, view_text(v, "sink"), view_text(v, "state"));
}

static int count(const struct cli *cli, const struct pick *pick, struct store *store)
{
	struct tally tally = { .lines = NULL };
	struct pick_walk walk = { .pick = pick,
				  .columns = "d.id, d.sink, d.state",
				  .piece = COUNT_PIECE,
				  .each = add_row,
				  .arg = &tally };
	struct err err = { "" };

	while (pick_next(&walk, store, &err))
		;
	if (err.text[0] == '\0' && cli->json) {
		tally_json(&tally, NULL);
	} else if (err.text[0] == '\0') {
		tally_print(&tally, stdout);
		printf("%s%" PRId64 " in all\n", tally.count != 0 ? "\n" : "", tally.total);
	}
	tally_release(&tally);
	return err.text[0] == '\0' ? EXIT_OK : cli_failed("%s", err.text);
}

/* ---- usage ---- */

/* What has not ended, and what has ended badly. */
static const unsigned waiting = 1u << DELIVERY_DUE | 1u << DELIVERY_HELD |
				1u << DELIVERY_CLAIMED | 1u << DELIVERY_DEAD |
				1u << DELIVERY_ORPHANED;

static int run_picked(const struct cli *cli, const struct pick *pick)
{
	struct glance glance;
	int code;
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	code = pick_check(pick, store);
	if (code == EXIT_OK)
		code = cli_has(cli, "count") ? count(cli, pick, store) : list(cli, pick, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

static int run(const struct cli *cli)
{
	bool all = cli_has(cli, "all");
	struct pick pick;
	int code = pick_read(&pick, cli, all ? PICK_ALL : waiting, clock_now());

	if (code == EXIT_OK && all && (cli->argc > 0 || cli_has(cli, "state")))
		code = cli_usage(cli, "--all goes neither with ids nor with --state");
	if (code == EXIT_OK)
		code = run_picked(cli, &pick);
	pick_release(&pick);
	return code;
}

static const struct cli_option options[] = {
	PICK_OPTIONS,
	{ "all", NULL, "the ended ones too" },
	{ "count", NULL, "only how many, by sink and state" },
	{ .name = NULL },
};

const struct command command_queue = {
	.name = "queue",
	.arguments = "[ID…]",
	.summary = "list deliveries that wait, are held, orphaned or dead",
	.details = "Oldest first. The id is what requeue and drop take, and so are the options "
		   "that\nchoose: look here first.",
	.options = options,
	.json = true,
	.run = run,
};
