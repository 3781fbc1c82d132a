/*
 * `tocsin report usage|budgets`: what the API says of money, now, as a table or JSON Lines.
 *
 * It asks the API itself and stores nothing. A source that cannot be asked is told, and the others
 * are reported all the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/jline.h"
#include "cli/report.h"
#include "cli/table.h"
#include "flow/fetch.h"

enum { PATH_MAX_LEN = 200, DAY_MS = 24 * 3600 * 1000 };

static const char since_default[] = "7d";

/* ---- usage ---- */

static const struct grouping {
	const char *word;
	const char *key, *beside; /* of an item; beside: shown with it, may be NULL */
	const char *title;
	bool needs_users; /* an item does not say it: the user's */
} groupings[] = {
	{ "user", "user_id", "user_email", "USER", false },
	{ "model", "model", "provider", "MODEL", false },
	{ "department", "department", NULL, "DEPARTMENT", true },
};

struct usage {
	const struct grouping *by;
	struct sums sums;
	struct sums departments; /* of users by id: the label is it */
};

static const char *text_of(const struct json_value *item, const char *key)
{
	const char *text = json_text(json_get(item, key), NULL);

	return text != NULL ? text : "";
}

static void take_user(void *arg, const struct json *item)
{
	const struct json_value *user = json_root(item);
	struct usage *u = arg;
	struct sum *s = sums_at(&u->departments, text_of(user, "id"));

	mem_free(&s->label);
	s->label = mem_strdup(text_of(user, "department"));
}

static const char *key_of(struct usage *u, const struct json_value *item)
{
	const char *label;

	if (!u->by->needs_users)
		return text_of(item, u->by->key);
	label = sums_at(&u->departments, text_of(item, "user_id"))->label;
	return label != NULL ? label : "";
}

static void take_usage(void *arg, const struct json *item)
{
	const struct json_value *root = json_root(item);
	struct usage *u = arg;
	struct sum *s = sums_at(&u->sums, key_of(u, root));

	if (s->label == NULL && u->by->beside != NULL)
		s->label = mem_strdup(text_of(root, u->by->beside));
	spent_add(&s->spent, root);
}

static bool fetch_usage(struct source_settings *source, struct usage *u,
			const struct report_days *days, struct err *err)
{
	const struct fetch_list users = { "users", take_user, u };
	char path[PATH_MAX_LEN];

	if (u->by->needs_users && !fetch_run(source, &users, err))
		return err_prefix(err, "users");
	snprintf(path, sizeof(path), "usage?period=daily&start_date=%s&end_date=%s", days->from,
		 days->to);
	return fetch_run(source, &(struct fetch_list){ path, take_usage, u }, err);
}

static int report_usage(struct report *r, struct source_settings *source)
{
	struct usage u = { .by = r->grouping };
	struct err err;
	int code = EXIT_OK;

	if (fetch_usage(source, &u, &r->days, &err)) {
		const struct usage_shown shown = { .title = u.by->title,
						   .key = u.by->key,
						   .beside = u.by->beside };

		sums_sort(&u.sums);
		report_show_usage(r, source->name, &u.sums, &shown);
	} else {
		code = cli_failed("source %s: %s", source->name, err.text);
	}
	sums_release(&u.sums);
	sums_release(&u.departments);
	return code;
}

/* ---- budgets ---- */

static void take_budget(void *arg, const struct json *item)
{
	struct json_span bytes = json_bytes(item, json_root(item));

	budget_list_add(arg, bytes.at, bytes.len);
}

static int report_budgets(struct report *r, struct source_settings *source)
{
	struct budget_list budgets = { .count = 0 };
	struct err err;
	int code = EXIT_OK;

	if (fetch_run(source, &(struct fetch_list){ "budgets", take_budget, &budgets }, &err))
		report_show_budgets(r, source->name, &budgets);
	else
		code = cli_failed("source %s: %s", source->name, err.text);
	budget_list_release(&budgets);
	return code;
}

/* ---- the command ---- */

static void write_day(int64_t at, char text[REPORT_DAY_MAX])
{
	char whole[CLOCK_TEXT_MAX];

	clock_iso(at, false, whole);
	snprintf(text, REPORT_DAY_MAX, "%.10s", whole);
}

/* A duration back from now, or a date. */
static bool read_since(const char *text, struct report_days *days)
{
	char whole[CLOCK_TEXT_MAX];
	int64_t now = clock_now(), at, ms;

	write_day(now, days->to);
	snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
	if (strlen(text) == 10 && clock_parse_iso(whole, strlen(whole), &at))
		write_day(at, days->from);
	else if (num_parse_duration(text, &ms, NULL) && ms <= now)
		write_day(now - ms, days->from);
	else
		return false;
	return strcmp(days->from, days->to) <= 0;
}

static const struct grouping *find_grouping(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(groupings); i++)
		if (strcmp(groupings[i].word, word) == 0)
			return &groupings[i];
	return NULL;
}

static int read_options(struct report *r)
{
	const struct cli *cli = r->cli;
	const char *since = cli_option(cli, "since"), *by = cli_option(cli, "by");

	if (cli->argc != 1 ||
	    (strcmp(cli->argv[0], "usage") != 0 && strcmp(cli->argv[0], "budgets") != 0))
		return cli_usage(cli, "it takes one of: usage, budgets");
	r->of_usage = strcmp(cli->argv[0], "usage") == 0;
	if (!r->of_usage && (since != NULL || by != NULL))
		return cli_usage(cli, "--since and --by are for usage: budgets are told as "
				      "they stand");
	if (!read_since(since != NULL ? since : since_default, &r->days))
		return cli_usage(cli, "--since takes a duration (\"7d\") or a date up to today "
				      "(\"2026-11-01\")");
	r->grouping = find_grouping(by != NULL ? by : "user");
	if (r->grouping == NULL)
		return cli_usage(cli, "--by takes user, model or department");
	return EXIT_OK;
}

static int report_all(struct report *r, struct settings *settings)
{
	const char *only = cli_option(r->cli, "source");
	int code = EXIT_OK;

	if (only != NULL && settings_source(settings, only) == NULL)
		return cli_failed("%s has no source \"%s\"", settings->file, only);
	r->has_sources = settings->source_count > 1;
	for (size_t i = 0; i < settings->source_count; i++) {
		struct source_settings *source = &settings->sources[i];
		int one;

		if (only != NULL && strcmp(source->name, only) != 0)
			continue;
		one = r->of_usage ? report_usage(r, source) : report_budgets(r, source);
		code = one != EXIT_OK ? one : code;
	}
	return code;
}

static int run(const struct cli *cli)
{
	struct report r = { .cli = cli };
	int code = read_options(&r);

	if (code != EXIT_OK)
		return code;
	struct setup *setup = cli_setup(cli);

	if (setup == NULL)
		return EXIT_CONFIG;
	code = report_all(&r, setup->settings);
	setup_free(&setup);
	return code;
}

static const struct cli_option options[] = {
	{ "since", "TIME", "usage from this day on (UTC): a duration or a date (default 7d)" },
	{ "by", "WHAT", "usage added up by user (default), model or department" },
	{ "source", "NAME", "of this source alone" },
	{ .name = NULL },
};

const struct command command_report = {
	.name = "report",
	.arguments = "usage|budgets",
	.summary = "what the API says of usage and budgets, as a table",
	.details =
		"It asks the API now and stores nothing. Budgets are green below 75 %, orange "
		"to 90 %,\nred above. With --json the names are the API's.",
	.options = options,
	.json = true,
	.run = run,
};
