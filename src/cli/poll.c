/*
 * `tocsin poll --once`: no daemon: one complete pass of everything, what is due is delivered.
 *
 * For cron and for trying things out. It takes the store as the daemon does, so both never run
 * at once; what waits for longer than some seconds stays for the next time.
 */
#include <stdio.h>

#include "base/err.h"
#include "cli/jline.h"
#include "cli/process.h"

static void tell(const struct process *p, bool json)
{
	const struct settings *s = p->setup->settings;
	struct jline j;

	if (!json) {
		for (size_t i = 0; i < s->source_count; i++)
			if (!app_is_polled(p->app, i))
				fprintf(stderr,
					"tocsin: source %s: no complete pass; its log lines "
					"tell why\n",
					s->sources[i].name);
		return;
	}
	jline_begin(&j, stdout);
	jline_bool(&j, "ok", app_all_polled(p->app));
	jline_open(&j, "sources", '[');
	for (size_t i = 0; i < s->source_count; i++) {
		jline_open(&j, NULL, '{');
		jline_text(&j, "name", s->sources[i].name);
		jline_bool(&j, "ok", app_is_polled(p->app, i));
		jline_close(&j, '}');
	}
	jline_close(&j, ']');
	jline_end(&j);
}

static int run(const struct cli *cli)
{
	struct process p;

	if (cli->argc > 0)
		return cli_usage(cli, "it takes no argument");
	if (!cli_has(cli, "once"))
		return cli_usage(cli,
				 "the daemon polls by itself, and at once on USR1; without "
				 "one say --once");
	int code = process_begin(&p, cli);

	if (code != EXIT_OK)
		return code;
	app_once(p.app);
	app_run(p.app);
	tell(&p, cli->json);
	code = app_all_polled(p.app) ? EXIT_OK : EXIT_FAILED;
	process_end(&p);
	return code;
}

static const struct cli_option options[] = {
	{ "once", NULL, "one complete pass of each source, deliver what is due, exit" },
	{ .name = NULL },
};

const struct command command_poll = {
	.name = "poll",
	.summary = "poll once without a daemon, deliver what is due, and exit",
	.details =
		"For cron. Exits 1 when the pass of a source was not complete. A daemon that "
		"runs\nis asked to poll now by USR1 instead.",
	.options = options,
	.json = true,
	.run = run,
};
