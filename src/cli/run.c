/* `tocsin run`: the daemon. Signals come in here, everything else is flow/app. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/cli.h"
#include "flow/app.h"

static void on_stop(void *arg, int signal_number)
{
	(void)signal_number;
	app_stop(arg);
}

static void on_poll(void *arg, int signal_number)
{
	(void)signal_number;
	app_poll(arg);
}

/* Chance needs no secrecy, only that two daemons do not jitter alike. */
static uint64_t seed(void)
{
	return (uint64_t)clock_now() * 1000003u + (uint64_t)getpid();
}

/*
 * A receiver that closes, a file-size limit and a poll asked for before we listen are no reasons
 * to die: the write fails and is handled, the first poll comes anyway.
 */
static void ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
}

static int run(const struct cli *cli)
{
	ignore_signals();
	struct setup *setup = cli_setup(cli);
	struct err err;

	if (setup == NULL)
		return EXIT_CONFIG;
	log_setup(setup->settings->log_level, setup->settings->log_format);
	struct turn *turn = turn_new();
	struct app *app = app_new(setup, turn, seed(), &err);

	if (app == NULL)
		die(EXIT_FAILED, "%s", err.text);
	turn_on_signal(turn, SIGTERM, on_stop, app);
	turn_on_signal(turn, SIGINT, on_stop, app);
	turn_on_signal(turn, SIGUSR1, on_poll, app);
	app_run(app);
	app_free(&app);
	turn_free(&turn);
	setup_free(&setup);
	return EXIT_OK;
}

const struct command command_run = {
	.name = "run",
	.summary = "run the daemon in the foreground",
	.details = "Signals: TERM and INT stop cleanly (twice: at once), USR1 polls now.\n"
		   "The log goes to stderr.",
	.run = run,
};
