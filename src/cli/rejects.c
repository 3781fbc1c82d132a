/* rejects: see the header. */
#include "cli/rejects.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/jline.h"
#include "cli/rows.h"
#include "cli/table.h"

static const char query[] =
	"SELECT coalesce(source, '') AS source, reason, body, first_seen_at, count FROM v_rejects "
	"ORDER BY first_seen_at, source, hash LIMIT 5000";

static const struct table_column columns[] = {
	{ .title = "SOURCE", .max = 20 }, { .title = "FIRST SEEN" },      { .title = "TIMES" },
	{ .title = "REASON", .max = 60 }, { .title = "ITEM", .max = 60 }, { .title = NULL },
};

static void tell_json(struct spool *spool, struct view *v)
{
	struct jline j;

	jline_begin(&j, spool->out);
	jline_text(&j, "source", view_text(v, "source"));
	jline_text(&j, "reason", view_text(v, "reason"));
	jline_at(&j, "first_seen_at", view_int(v, "first_seen_at"));
	jline_int(&j, "count", view_int(v, "count"));
	jline_text(&j, "item", view_text(v, "body"));
	jline_end(&j);
}

static void tell_row(struct table *table, struct view *v, int64_t now)
{
	char times[24];

	snprintf(times, sizeof(times), "%lld", (long long)view_int(v, "count"));
	table_cell(table, COLOUR_NONE, view_text(v, "source"));
	table_at(table, view_int(v, "first_seen_at"), now);
	table_cell(table, COLOUR_NONE, times);
	table_cell(table, COLOUR_NONE, view_text(v, "reason"));
	table_cell(table, COLOUR_NONE, view_text(v, "body"));
}

int rejects_list(const struct cli *cli, struct store *store)
{
	struct table *table = table_new(stdout, columns);
	struct spool spool;
	struct err err = { "" };
	size_t count = 0;
	struct view *v = view_open(store, query, NULL, 0, &err);

	spool_open(&spool);
	for (; v != NULL && view_next(v); count++)
		if (cli->json)
			tell_json(&spool, v);
		else
			tell_row(table, v, clock_now());
	bool failed = v == NULL || view_failed(v, &err);

	view_close(&v);
	spool_close(&spool);
	table_flush(table);
	table_free(&table);
	if (failed)
		return cli_failed("%s", err.text);
	if (count == 0 && !cli->json)
		puts("nothing was set aside");
	return EXIT_OK;
}
