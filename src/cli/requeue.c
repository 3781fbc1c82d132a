/* `tocsin requeue`: deliver again, the alert as it is now. */
#include "cli/cli.h"
#include "cli/select.h"

static int run(const struct cli *cli)
{
	return select_run(cli, store_requeue, "requeued");
}

const struct command command_requeue = {
	.name = "requeue",
	.arguments = "ID… | --sink NAME [--state STATE]",
	.summary = "deliver again: dead letters, or what was delivered",
	.details =
		"Each row ends as `moved`, and a new one with the alert's latest event is due;\n"
		"rows of one alert and sink share one. Rows on their way are left alone.\n"
		"Without --state: dead.",
	.options = select_options,
	.json = true,
	.run = run,
};
