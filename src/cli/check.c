/*
 * `tocsin check`: is this configuration fit to run? It needs no network, and the store only where
 * what it remembers is to be replayed.
 */
#include <stdio.h>

#include "base/err.h"
#include "base/num.h"
#include "cli/against.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "flow/trial.h"

static void add_count(FILE *out, const char *before, size_t count, const char *what)
{
	fprintf(out, "%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

static void print_summary(const struct settings *s, size_t warning_count)
{
	printf("%s: ok: ", s->file);
	add_count(stdout, "", s->source_count, "source");
	add_count(stdout, ", ", s->sink_count, "sink");
	add_count(stdout, ", ", s->route_count, "route");
	if (warning_count > 0)
		add_count(stdout, ", ", warning_count, "warning");
	putchar('\n');
}

/* Everything that is wrong; NULL when there is an error. */
static struct setup *check(const struct cli *cli)
{
	struct conf_problems problems = { .list = NULL };
	struct setup *setup = setup_load(cli->config, &problems);

	if (setup != NULL)
		trial_run(setup, &problems);
	bool ok = setup != NULL && problems.error_count == 0;

	print_problems(stdout, &problems, cli->json);
	if (ok && !cli->json)
		print_summary(setup->settings, problems.count);
	if (!ok && !cli->json) {
		add_count(stderr, "tocsin: ", problems.error_count, "error");
		fprintf(stderr, " in %s\n", cli->config);
	}
	conf_problems_release(&problems);
	if (!ok)
		setup_free(&setup);
	return setup;
}

static int run(const struct cli *cli)
{
	const char *against = cli_option(cli, "against");
	struct err err;
	int64_t span = 0;

	if (cli->argc > 0)
		return cli_usage(cli, "the configuration is named by -c FILE");
	if (against != NULL && !num_parse_duration(against, &span, &err))
		return cli_usage(cli, "--against: %s", err.text);
	struct setup *setup = check(cli);

	if (setup == NULL)
		return EXIT_CONFIG;
	int code = against != NULL ? against_run(cli, setup, span) : EXIT_OK;

	setup_free(&setup);
	return code;
}

static const struct cli_option options[] = {
	{ "against", "DURATION",
	  "also replay the alerts of the last 7d, say, through its routes\n"
	  "                       and templates, and tell what would change" },
	{ .name = NULL },
};

const struct command command_check = {
	.name = "check",
	.summary = "tell every mistake of the configuration, with its line",
	.details =
		"Reads the configuration, its secrets and its templates, and renders each\n"
		"template against samples of every alert type and event. Looks whether the\n"
		"store's folder can be written, and touches neither the network nor the store.\n"
		"Exit code 78 when there are errors; warnings are 0.\n\n"
		"With --against, what routes did to the alerts that the store remembers (each\n"
		"time they opened) is compared with what these would do: which gain or lose a\n"
		"sink, move to another route, match no route, or fail a template. A summary,\n"
		"then the first of them; --json tells all. Nothing is sent or written, and what\n"
		"holds for how long is not asked.",
	.options = options,
	.json = true,
	.run = run,
};
