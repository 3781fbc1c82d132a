/* `tocsin check`: is this configuration fit to run? It needs no network and no store. */
#include <stdio.h>

#include "base/err.h"
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

static int run(const struct cli *cli)
{
	struct conf_problems problems = { .list = NULL };

	if (cli->argc > 0)
		return cli_usage(cli, "the configuration is named by -c FILE");
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
	setup_free(&setup);
	return ok ? EXIT_OK : EXIT_CONFIG;
}

const struct command command_check = {
	.name = "check",
	.summary = "tell every mistake of the configuration, with its line",
	.details =
		"Reads the configuration, its secrets and its templates, and renders each\n"
		"template against samples of every alert type and event. Looks whether the\n"
		"store's folder can be written, and touches neither the network nor the store.\n"
		"Exit code 78 when there are errors; warnings are 0.",
	.json = true,
	.run = run,
};
