/* `tocsin run`: the daemon. Everything is flow/app. */
#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/process.h"

/* A reload asked for while we start comes when we listen: the file may have been read already. */
static void block_hangup(bool blocks)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(blocks ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int run(const struct cli *cli)
{
	struct process p;
	struct err err;

	block_hangup(true);
	int code = process_begin(&p, cli);

	if (code != EXIT_OK)
		return code;
	if (!app_watch(p.app, &err))
		die(EXIT_FAILED, "%s", err.text);
	process_reload_on_hangup(&p);
	block_hangup(false);
	app_run(p.app);
	process_end(&p);
	return EXIT_OK;
}

const struct command command_run = {
	.name = "run",
	.summary = "run the daemon in the foreground",
	.details =
		"Signals: TERM and INT stop cleanly (twice: at once), USR1 polls now,\n"
		"HUP reads the configuration again; with a mistake in it the old one stays.\n"
		"The log goes to stderr.",
	.run = run,
};
