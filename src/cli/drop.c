/* `tocsin drop`: give up deliveries. */
#include "cli/cli.h"
#include "cli/select.h"

static int run(const struct cli *cli)
{
	return select_run(cli, store_drop, "dropped");
}

const struct command command_drop = {
	.name = "drop",
	.arguments = "ID… | --sink NAME [--state STATE]",
	.summary = "give up deliveries, and with each what waits behind it",
	.details =
		"Due, held, orphaned and dead rows end as `dropped`; rows on their way are left\n"
		"alone. Without --state: all of them but the dead.",
	.options = select_options,
	.json = true,
	.run = run,
};
