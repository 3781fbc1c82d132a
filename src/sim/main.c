/* toktra-sim: the command line, the loop, and the end. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/httpd.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "sim/args.h"
#include "sim/dice.h"
#include "sim/sim.h"

enum {
	CONNECTIONS_MAX = 512,
	BODY_MAX = 16 << 20, /* of a request: an injected alert may be larger than a page */
	IDLE_MS = 75000,     /* as common servers keep a connection */
};

struct program {
	struct turn *turn;
	struct sim *sim;
	struct timer *life;
	struct xfer *xfer; /* the webhook's */
};

static void on_signal(void *arg, int signal_number)
{
	struct program *program = arg;

	(void)signal_number;
	turn_stop(program->turn);
}

static void on_life(void *arg)
{
	struct program *program = arg;
	int64_t wait_ms = sim_live(program->sim);

	if (wait_ms >= 0)
		timer_set(program->life, wait_ms);
}

static void on_turn_end(void *arg)
{
	struct program *program = arg;

	if (program->sim->hook != NULL)
		hook_turn_end(program->sim->hook, program->xfer);
}

static void start_webhook(struct program *program)
{
	program->xfer = xfer_new(program->turn);
	turn_on_end(program->turn, on_turn_end, program);
}

/* What is under way is cut, what waits is forgotten: an end does not wait for a receiver. */
static void end_webhook(struct program *program)
{
	xfer_cut(program->xfer);
	xfer_free(&program->xfer);
}

static int complain(int code, const struct err *err)
{
	fprintf(stderr, "toktra-sim: %s\n", err->text);
	return code;
}

static int serve(struct program *program, const struct args *args)
{
	struct httpd_settings settings = { .address = "127.0.0.1",
					   .port = args->port,
					   .connection_max = CONNECTIONS_MAX,
					   .idle_ms = IDLE_MS,
					   .body_max = BODY_MAX,
					   .handle = sim_handle,
					   .arg = program->sim };
	struct err err = { "" };
	struct httpd *server = httpd_new(program->turn, &settings, &err);

	if (server == NULL)
		return complain(EXIT_FAILED, &err);
	turn_on_signal(program->turn, SIGTERM, on_signal, program);
	turn_on_signal(program->turn, SIGINT, on_signal, program);
	on_life(program);
	printf("listening on http://127.0.0.1:%u/v1\n", (unsigned)httpd_port(server));
	fflush(stdout);
	turn_run(program->turn);
	httpd_free(&server);
	return EXIT_OK;
}

static int run(const struct args *args)
{
	uint64_t seed = args->has_seed ? args->seed : dice_mix((uint64_t)clock_now());
	struct program program = { .turn = turn_new() };
	int code;

	program.sim = sim_new(args, seed);
	program.life = timer_new(program.turn, on_life, &program);
	start_webhook(&program);
	code = serve(&program, args);
	end_webhook(&program);
	timer_free(&program.life);
	turn_free(&program.turn);
	sim_free(&program.sim);
	return code;
}

static int print_help(void)
{
	struct buf help;

	buf_init(&help, 16 << 10);
	args_add_help(&help);
	fputs(help.data, stdout);
	buf_release(&help);
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct args args;
	struct err err = { "" };
	int code;

	if (!args_parse(&args, argc, argv, &err))
		code = complain(EXIT_USAGE, &err);
	else
		code = args.help ? print_help() : run(&args);
	args_release(&args);
	return code;
}
