/* process: see the header. TERM and INT stop cleanly, twice at once; USR1 polls, HUP reloads. */
#include "cli/process.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/suspects.h"

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

static void on_reload(void *arg, int signal_number)
{
	(void)signal_number;
	app_reload(arg);
}

void process_reload_on_hangup(struct process *p)
{
	turn_on_signal(p->turn, SIGHUP, on_reload, p->app);
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

static void watch_crashes(const char *store)
{
	char *note = suspects_note_path(store);

	crash_watch(note);
	mem_free(&note);
}

int process_begin(struct process *p, const struct cli *cli)
{
	struct err err;

	ignore_signals();
	mem_keep_room();
	p->setup = cli_setup(cli);
	if (p->setup == NULL)
		return EXIT_CONFIG;
	log_setup(p->setup->settings->log_level, p->setup->settings->log_format);
	p->turn = turn_new();
	p->app = app_new(p->setup, p->turn, seed(), &err);
	if (p->app == NULL)
		die(EXIT_FAILED, "%s", err.text);
	watch_crashes(p->setup->settings->store);
	turn_on_signal(p->turn, SIGTERM, on_stop, p->app);
	turn_on_signal(p->turn, SIGINT, on_stop, p->app);
	turn_on_signal(p->turn, SIGUSR1, on_poll, p->app);
	return EXIT_OK;
}

void process_end(struct process *p)
{
	app_free(&p->app);
	turn_free(&p->turn);
	setup_free(&p->setup);
}
