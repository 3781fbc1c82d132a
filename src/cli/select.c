/* select: see the header. */
#include "cli/select.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/jline.h"
#include "model/event.h"

const struct cli_option select_options[] = {
	{ "sink", "NAME", "the rows of this sink" },
	{ "state", "STATE", "the rows in this state: due, held, dead, orphaned …" },
	{ .name = NULL },
};

static int read_ids(const struct cli *cli, int64_t *ids)
{
	for (int i = 0; i < cli->argc; i++)
		if (!num_parse_int(cli->argv[i], &ids[i], NULL) || ids[i] <= 0)
			return cli_usage(cli,
					 "\"%s\" is no id of a delivery: `tocsin queue` "
					 "lists them",
					 cli->argv[i]);
	return EXIT_OK;
}

static int check_usage(const struct cli *cli)
{
	const char *state = cli_option(cli, "state");
	bool filtered = cli_has(cli, "sink") || cli_has(cli, "state");
	enum delivery_state parsed;

	if (cli->argc == 0 && !filtered)
		return cli_usage(cli, "it takes ids, or --sink and --state");
	if (cli->argc > 0 && filtered)
		return cli_usage(cli, "it takes either ids or --sink and --state");
	if (state != NULL && !delivery_state_parse(state, &parsed))
		return cli_usage(cli, "\"%s\" is no state of a delivery", state);
	return EXIT_OK;
}

static const char state_query[] =
	"SELECT state FROM v_deliveries WHERE id = CAST(?1 AS INTEGER)";

static bool exists(struct store *store, const char *id, struct err *err)
{
	struct view *v = view_open(store, state_query, &id, 1, err);

	if (v == NULL)
		return false;
	bool found = view_next(v);

	if (!found && !view_failed(v, err))
		err_set(err, "the store knows no delivery %s", id);
	view_close(&v);
	return found;
}

/* Why nothing was done: the state that each of them is in. */
static void tell_states(const struct cli *cli, struct store *store)
{
	struct err err;

	for (int i = 0; i < cli->argc; i++) {
		struct view *v = view_open(store, state_query, &cli->argv[i], 1, &err);

		if (v != NULL && view_next(v))
			fprintf(stderr, "tocsin: left alone: %s is %s\n", cli->argv[i],
				view_text(v, "state"));
		view_close(&v);
	}
}

/* All or nothing: with one id that is a mistake, none is touched. */
static int check_ids(const struct cli *cli, struct store *store)
{
	int code = EXIT_OK;
	struct err err;

	for (int i = 0; i < cli->argc; i++)
		if (!exists(store, cli->argv[i], &err))
			code = cli_failed("%s", err.text);
	return code;
}

static int apply(const struct cli *cli, struct store *store, const struct selection *which,
		 select_change *change, const char *done)
{
	struct err err;
	int code = check_ids(cli, store);

	if (code != EXIT_OK)
		return code;
	int64_t count = change(store, which, clock_now(), &err);

	if (count < 0)
		return cli_failed("%s", err.text);
	if (cli->json) {
		struct jline j;

		jline_begin(&j, stdout);
		jline_int(&j, done, count);
		jline_end(&j);
	} else {
		printf("%s %" PRId64 " %s\n", done, count,
		       count == 1 ? "delivery" : "deliveries");
	}
	if (count == 0)
		tell_states(cli, store);
	return EXIT_OK;
}

int select_run(const struct cli *cli, select_change *change, const char *done)
{
	int64_t *ids = mem_array((size_t)cli->argc, sizeof(*ids));
	const struct selection which = { .ids = ids,
					 .id_count = (size_t)cli->argc,
					 .sink = cli_option(cli, "sink"),
					 .state = cli_option(cli, "state") };
	struct glance glance;
	int code = check_usage(cli);

	if (code == EXIT_OK)
		code = read_ids(cli, ids);
	if (code == EXIT_OK) {
		struct store *store = cli_store(cli, STORE_COMMAND, &glance, &code);

		if (store != NULL) {
			code = apply(cli, store, &which, change, done);
			store_close(&store);
			glance_release(&glance);
		}
	}
	mem_free(&ids);
	return code;
}
