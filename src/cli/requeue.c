/* `tocsin requeue`: deliver again, the alert as it is now. */
#include "cli/cli.h"
#include "cli/operate.h"

static int run(const struct cli *cli)
{
	static const struct operation requeue = {
		.done = "requeued",
		.states = 1u << DELIVERY_DEAD,
		.leaves = 1u << DELIVERY_CLAIMED | 1u << DELIVERY_MOVED,
		.change = store_requeue,
		.is_paced = true,
	};

	return operate_run(cli, &requeue);
}

static const struct cli_option options[] = {
	PICK_OPTIONS,
	{ "rate", "RATE", "spread: 10/s or 600/min to each sink, however many they are" },
	OPERATE_OPTIONS,
	{ .name = NULL },
};

const struct command command_requeue = {
	.name = "requeue",
	.arguments = "ID…",
	.summary = "deliver again: dead letters, or what was delivered",
	.details =
		"Takes ids, or options that choose; without --state these mean dead letters.\n"
		"Each row ends as `moved`, and a new one with the alert's latest event is due;\n"
		"rows of one alert and sink share one. Rows on their way are left alone.\n\n"
		"With --rate each row gets a time of its own, so the pace holds when this\n"
		"command has long ended, and new alerts go out in between. News of an alert do\n"
		"not wait for its row's time. What falls due while a sink is down goes out when\n"
		"it is back, by the sink's own `rate`.",
	.options = options,
	.json = true,
	.run = run,
};
