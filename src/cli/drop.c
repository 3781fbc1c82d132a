/* `tocsin drop`: give up deliveries. */
#include "cli/cli.h"
#include "cli/operate.h"

static int run(const struct cli *cli)
{
	static const struct operation drop = {
		.done = "dropped",
		.states = 1u << DELIVERY_DUE | 1u << DELIVERY_HELD | 1u << DELIVERY_ORPHANED,
		.leaves = 1u << DELIVERY_CLAIMED | 1u << DELIVERY_DONE | 1u << DELIVERY_MOVED |
			  1u << DELIVERY_DROPPED,
		.change = store_drop,
	};

	return operate_run(cli, &drop);
}

static const struct cli_option options[] = {
	PICK_OPTIONS,
	OPERATE_OPTIONS,
	{ .name = NULL },
};

const struct command command_drop = {
	.name = "drop",
	.arguments = "ID…",
	.summary = "give up deliveries, and with each what waits behind it",
	.details =
		"Takes ids, or options that choose; without --state these mean what is due, held\n"
		"or orphaned. The rows end as `dropped`; those on their way are left alone. What\n"
		"waits behind a row, whatever it is, ends with it.",
	.options = options,
	.json = true,
	.run = run,
};
