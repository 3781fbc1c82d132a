/*
 * `tocsin silence`: quiet for a while, which holds and never loses.
 *
 * A silence is a row of the store, so it counts with the daemon down and over a restart; a
 * running daemon sees it within a second. Nothing here touches a delivery.
 */
#include "cli/silence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "model/json.h"
#include "store/silences.h"

enum { SHOWN_MAX = 4096 };

/* ---- list ---- */

#define COLUMNS "id, matchers, since, until, comment, who, held, dropped"

static const char list_query[] = "SELECT " COLUMNS " FROM v_silences "
				 "WHERE ?1 IS NULL OR until > CAST(?1 AS INTEGER) ORDER BY id";
static const char one_query[] =
	"SELECT " COLUMNS " FROM v_silences WHERE id = CAST(?1 AS INTEGER)";

static const struct table_column columns[] = {
	{ .title = "ID", .right = true },
	{ .title = "SILENCES", .max = 60 },
	{ .title = "ENDS" },
	{ .title = "WHO", .max = 20 },
	{ .title = "HELD", .right = true },
	{ .title = "DROPPED", .right = true },
	{ .title = "COMMENT", .max = 60 },
	{ .title = NULL },
};

static void tell_json(FILE *out, struct view *v)
{
	struct jline j;

	jline_begin(&j, out);
	jline_int(&j, "id", view_int(v, "id"));
	jline_json(&j, "matchers", view_text(v, "matchers"), view_len(v, "matchers"));
	jline_at(&j, "since", view_int(v, "since"));
	jline_at(&j, "until", view_int(v, "until"));
	jline_text(&j, "comment", view_text(v, "comment"));
	jline_text(&j, "who", view_text(v, "who"));
	jline_int(&j, "held", view_int(v, "held"));
	jline_int(&j, "dropped", view_int(v, "dropped"));
	jline_end(&j);
}

void silence_add_matchers(struct buf *out, const char *text, size_t len)
{
	struct err err;
	struct json *doc = json_parse(text, len, &err);
	const struct json_value *v = json_first(json_root(doc));

	if (json_kind(json_root(doc)) != JSON_ARRAY)
		buf_add(out, text, len);
	else if (v == NULL)
		buf_adds(out, "everything");
	for (const char *comma = ""; v != NULL; v = json_next(v), comma = ", ")
		if (json_text(v, NULL) != NULL)
			buf_addf(out, "%s%s", comma, json_text(v, NULL));
	json_free(&doc);
}

static void tell_row(struct table *t, struct view *v, int64_t now)
{
	struct buf matchers;

	buf_init(&matchers, SHOWN_MAX);
	silence_add_matchers(&matchers, view_text(v, "matchers"), view_len(v, "matchers"));
	table_int(t, view_int(v, "id"));
	table_cell(t, COLOUR_NONE, matchers.data);
	table_at(t, view_int(v, "until"), now);
	table_cell(t, COLOUR_NONE, view_text(v, "who"));
	table_int(t, view_int(v, "held"));
	table_int(t, view_int(v, "dropped"));
	table_cell(t, COLOUR_NONE, view_text(v, "comment"));
	buf_release(&matchers);
}

static int list_all(const struct cli *cli, struct store *store)
{
	struct table *table = table_new(stdout, columns);
	struct spool spool;
	struct err err = { "" };
	int64_t now = clock_now();
	size_t count = 0;
	char at[24];
	const char *arg = cli_has(cli, "all") ? NULL : at;

	snprintf(at, sizeof(at), "%" PRId64, now);
	struct view *v = view_open(store, list_query, &arg, 1, &err);

	spool_open(&spool);
	for (; v != NULL && view_next(v); count++)
		if (cli->json)
			tell_json(spool.out, v);
		else
			tell_row(table, v, now);
	bool failed = v == NULL || view_failed(v, &err);

	view_close(&v);
	spool_close(&spool);
	table_flush(table);
	table_free(&table);
	if (failed)
		return cli_failed("%s", err.text);
	if (count == 0 && !cli->json)
		puts(arg != NULL ? "no silence is in force" : "there has been no silence");
	return EXIT_OK;
}

static int list(const struct cli *cli)
{
	struct glance glance;
	int code;

	if (cli->argc > 1)
		return cli_usage(cli, "list takes no argument");
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	code = list_all(cli, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

/* ---- one ---- */

static struct view *open_one(struct store *store, int64_t id, struct err *err)
{
	char text[24];
	const char *arg = text;

	snprintf(text, sizeof(text), "%" PRId64, id);
	return view_open(store, one_query, &arg, 1, err);
}

int silence_tell_json(struct store *store, int64_t id)
{
	struct err err;
	struct view *v = open_one(store, id, &err);

	if (v == NULL)
		return cli_failed("%s", err.text);
	if (view_next(v))
		tell_json(stdout, v);
	bool failed = view_failed(v, &err);

	view_close(&v);
	return failed ? cli_failed("%s", err.text) : EXIT_OK;
}

/* What it leaves behind: who ends one wants to know what comes now. */
static int tell_ended(struct store *store, int64_t id)
{
	struct err err;
	struct view *v = open_one(store, id, &err);

	if (v == NULL)
		return cli_failed("%s", err.text);
	if (view_next(v))
		printf("silence %" PRId64 " is over: %" PRId64 " held, %" PRId64 " dropped\n",
		       id, view_int(v, "held"), view_int(v, "dropped"));
	bool failed = view_failed(v, &err);

	view_close(&v);
	return failed ? cli_failed("%s", err.text) : EXIT_OK;
}

/* ---- end ---- */

static int end_one(const struct cli *cli, struct store *store, int64_t id)
{
	struct err err;

	if (!store_silence_end(store, id, clock_now(), &err))
		return cli_failed("%s", err.text);
	return cli->json ? silence_tell_json(store, id) : tell_ended(store, id);
}

static int end_all(const struct cli *cli, const int64_t *ids, size_t count)
{
	struct glance glance;
	int code, worst = EXIT_OK;
	struct store *store = cli_store(cli, STORE_COMMAND, &glance, &code);

	if (store == NULL)
		return code;
	for (size_t i = 0; i < count; i++) {
		code = end_one(cli, store, ids[i]);
		worst = code != EXIT_OK ? code : worst;
	}
	store_close(&store);
	glance_release(&glance);
	return worst;
}

static int end(const struct cli *cli)
{
	size_t count = (size_t)cli->argc - 1;
	int64_t *ids = mem_array(count, sizeof(*ids));
	int code = count == 0 ? cli_usage(cli, "end takes the ids of silences") : EXIT_OK;

	for (size_t i = 0; i < count && code == EXIT_OK; i++)
		if (!num_parse_int(cli->argv[i + 1], &ids[i], NULL) || ids[i] <= 0)
			code = cli_usage(cli,
					 "\"%s\" is no id of a silence: `tocsin silence list` "
					 "lists them",
					 cli->argv[i + 1]);
	if (code == EXIT_OK)
		code = end_all(cli, ids, count);
	mem_free(&ids);
	return code;
}

/* ---- usage ---- */

static const struct verb {
	const char *name;
	int (*run)(const struct cli *cli);
	const char *options[6]; /* that go with it */
} verbs[] = {
	{ "add", silence_add, { "for", "until", "comment", "who", "everything" } },
	{ "list", list, { "all" } },
	{ "end", end, { NULL } },
};

static int check_options(const struct cli *cli, const struct verb *verb)
{
	for (size_t i = 0; i < cli->given_count; i++) {
		bool fits = false;

		for (size_t k = 0; verb->options[k] != NULL; k++)
			fits |= strcmp(verb->options[k], cli->given[i].name) == 0;
		if (!fits)
			return cli_usage(cli, "--%s does not go with %s", cli->given[i].name,
					 verb->name);
	}
	return EXIT_OK;
}

static int run(const struct cli *cli)
{
	for (size_t i = 0; cli->argc > 0 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(cli->argv[0], verbs[i].name) != 0)
			continue;
		int code = check_options(cli, &verbs[i]);

		return code == EXIT_OK ? verbs[i].run(cli) : code;
	}
	return cli_usage(cli, "it takes add, list or end");
}

static const struct cli_option options[] = {
	{ "for", "DURATION", "how long: 30m, 2h, 7d; at most 366d" },
	{ "until", "TIME", "or until when: 2026-11-27T07:00+01:00; without a zone it is UTC" },
	{ "comment", "TEXT", "why" },
	{ "who", "NAME", "who wants it (default: who is logged in)" },
	{ "everything", NULL, "instead of matchers: every alert" },
	{ "all", NULL, "of list: also those that are over" },
	{ .name = NULL },
};

const struct command command_silence = {
	.name = "silence",
	.arguments = "add MATCHER… | list | end ID…",
	.summary = "hold alerts that match, for a while",
	.details =
		"A MATCHER is a route's: 'severity = low', 'user_id = u_42', 'title =~ .*test.*';\n"
		"of several all must match. `add` prints the silence's id alone.\n\n"
		"What is new and matches waits for the end, and then comes in a digest; what\n"
		"opened and closed in between is dropped, and `explain` says so. Nothing else is\n"
		"lost: a close passes to whoever heard the open. Deliveries that were due before\n"
		"go out. `end` ends one now. A running daemon heeds it within a second.",
	.options = options,
	.json = true,
	.run = run,
};
