/*
 * operate: see the header.
 *
 * The ids are chosen first (8 MB for a million), by short reads, so that what is told before is
 * what is meant; then they change, in chunks. A row that left its state in between is left alone:
 * what a daemon has just delivered is not sent again because it was due a moment ago.
 *
 * Nobody is asked whether he is sure: `--dry-run` is there to look first, and a script must not
 * hang for an answer.
 */
#include "cli/operate.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/jline.h"
#include "cli/table.h"
#include "cli/tally.h"

enum { PIECE = 20000, SAMPLE = 5, SLOWEST_MS = 60000 };

struct chosen {
	const struct operation *op;
	bool is_filtered;
	int64_t *ids; /* owned */
	size_t count, room;
	struct tally tally;
	/* Rows that are left alone, and the state of the last one; each named one is told at once. */
	int64_t left_count;
	const char *left_state;
};

/* ---- choosing ---- */

static bool is_left(const struct operation *op, const char *word, enum delivery_state *state)
{
	return word == NULL || !delivery_state_parse(word, state) ||
	       (op->leaves >> *state & 1) != 0;
}

static void add_row(void *arg, struct view *v)
{
	struct chosen *c = arg;
	enum delivery_state state = DELIVERY_DEAD;

	if (is_left(c->op, view_text(v, "state"), &state)) {
		c->left_count++;
		c->left_state = delivery_state_name(state);
		if (!c->is_filtered)
			fprintf(stderr, "tocsin: left alone: %" PRId64 " is %s\n",
				view_int(v, "id"), c->left_state);
		return;
	}
	if (c->count == c->room) {
		c->room = c->room * 2 + STORE_CHUNK_MAX;
		c->ids = mem_resize(c->ids, c->room, sizeof(*c->ids));
	}
	c->ids[c->count++] = view_int(v, "id");
	tally_add(&c->tally, view_text(v, "sink"), view_text(v, "state"));
}

static bool choose(struct chosen *c, const struct pick *pick, struct store *store,
		   struct err *err)
{
	struct pick_walk walk = { .pick = pick,
				  .columns = "d.id, d.state, d.sink",
				  .piece = PIECE,
				  .each = add_row,
				  .arg = c };

	err->text[0] = '\0';
	while (pick_next(&walk, store, err))
		;
	return err->text[0] == '\0';
}

static void chosen_release(struct chosen *c)
{
	tally_release(&c->tally);
	mem_free(&c->ids);
}

/* ---- a dry run ---- */

static const struct table_column sample_columns[] = {
	{ .title = "ID", .right = true },
	{ .title = "STATE" },
	{ .title = "SINK", .max = 24 },
	{ .title = "EVENT" },
	{ .title = "ALERT", .max = 40 },
	{ .title = "AGE" },
	{ .title = NULL },
};

static void show_row(void *arg, struct view *v)
{
	struct table *t = arg;
	const char *state = view_text(v, "state");
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, view_int(v, "id"));
	table_cell(t, COLOUR_NONE, text);
	table_cell(t, print_colour_of(state), state);
	table_cell(t, COLOUR_NONE, view_text(v, "sink"));
	table_cell(t, COLOUR_NONE, view_text(v, "event"));
	table_cell(t, COLOUR_NONE, view_text(v, "alert_id"));
	table_at(t, view_int(v, "at"), clock_now());
}

static bool show_sample(const struct chosen *c, struct store *store, struct err *err)
{
	const struct pick first = { .ids = c->ids,
				    .id_count = c->count < SAMPLE ? c->count : SAMPLE,
				    .states = PICK_ALL,
				    .limit = SAMPLE };
	struct table *t = table_new(stdout, sample_columns);
	struct pick_walk walk = { .pick = &first,
				  .columns = "d.id, d.state, d.sink, d.event, d.alert_id, d.at",
				  .piece = SAMPLE + 1,
				  .each = show_row,
				  .arg = t };

	err->text[0] = '\0';
	(void)pick_next(&walk, store, err);
	table_flush(t);
	table_free(&t);
	return err->text[0] == '\0';
}

static int dry_run(const struct cli *cli, struct chosen *c, struct store *store)
{
	struct err err;
	struct jline j;

	if (cli->json) {
		jline_begin(&j, stdout);
		jline_bool(&j, "dry_run", true);
		jline_int(&j, "selected", c->tally.total);
		jline_open(&j, "by", '[');
		tally_json(&c->tally, &j);
		jline_close(&j, ']');
		jline_end(&j);
		return EXIT_OK;
	}
	printf("would be %s: %" PRId64 " %s\n", c->op->done, c->tally.total,
	       c->tally.total == 1 ? "row" : "rows");
	if (c->count == 0)
		return EXIT_OK;
	putchar('\n');
	tally_print(&c->tally, stdout);
	printf("\nthe first of them:\n");
	return show_sample(c, store, &err) ? EXIT_OK : cli_failed("%s", err.text);
}

/* ---- a run ---- */

static int tell_cut(const struct chunks *run, const char *why)
{
	return cli_failed("%s: %s %zu of %zu rows, the rest is as it was", why, run->done,
			  run->taken, run->id_count);
}

static void tell_done(const struct cli *cli, const struct chosen *c, int64_t changed)
{
	struct jline j;

	if (!cli->json) {
		printf("%s %" PRId64 " %s\n", c->op->done, changed,
		       changed == 1 ? "delivery" : "deliveries");
		return;
	}
	jline_begin(&j, stdout);
	jline_int(&j, c->op->done, changed);
	jline_int(&j, "selected", c->tally.total);
	jline_end(&j);
}

static int change(const struct cli *cli, struct chosen *c, struct chunks *run)
{
	struct err err;

	if (!cli->json && run->states != 0)
		tally_print(&c->tally, stderr);
	bool ok = chunks_run(run, &err);

	tell_done(cli, c, run->changed);
	if (!ok)
		return tell_cut(run, err.text);
	return run->is_interrupted ? tell_cut(run, "interrupted") : EXIT_OK;
}

static int operate(const struct cli *cli, const struct operation *op, const struct pick *pick,
		   struct store *store, struct pace *pace)
{
	struct chosen c = { .op = op, .is_filtered = pick->is_filtered };
	struct err err;
	int code = pick_check(pick, store);

	if (code == EXIT_OK && !choose(&c, pick, store, &err))
		code = cli_failed("%s", err.text);
	if (code == EXIT_OK && cli_has(cli, "dry-run")) {
		code = dry_run(cli, &c, store);
	} else if (code == EXIT_OK) {
		struct chunks run = { .store = store,
				      .ids = c.ids,
				      .id_count = c.count,
				      .states = pick->is_filtered ? pick->states : 0,
				      .pace = pace,
				      .change = op->change,
				      .done = op->done };

		code = change(cli, &c, &run);
	}
	/* By options they are of one state: that which was asked for. */
	if (pick->is_filtered && c.left_count != 0)
		fprintf(stderr, "tocsin: left alone: %" PRId64 " that are %s\n", c.left_count,
			c.left_state);
	chosen_release(&c);
	return code;
}

/* ---- usage ---- */

/*
 * A rate that is slower than one a minute would have rows wait for longer than the longest wait
 * of some sinks, and such a wait is taken for the work of a clock that jumped.
 */
static int read_pace(struct pace *pace, const struct cli *cli)
{
	const char *text = cli_option(cli, "rate");
	struct err err;

	if (text == NULL)
		return EXIT_OK;
	if (!num_parse_rate(text, &pace->rate, &err))
		return cli_usage(cli, "--rate: %s", err.text);
	if (pace->rate.count != 0 && pace->rate.per_ms / pace->rate.count > SLOWEST_MS)
		return cli_usage(cli, "--rate: at least 1/min");
	pace->start_at = clock_now();
	return EXIT_OK;
}

static int run_picked(const struct cli *cli, const struct operation *op,
		      const struct pick *pick)
{
	struct pace *pace = mem_new(sizeof(*pace));
	struct glance glance;
	int code = op->is_paced ? read_pace(pace, cli) : EXIT_OK;

	if (code == EXIT_OK && cli->argc == 0 && !pick->is_filtered)
		code = cli_usage(cli, "it takes ids, or options that choose");
	if (code == EXIT_OK) {
		enum store_mode mode = cli_has(cli, "dry-run") ? STORE_READ : STORE_COMMAND;
		struct store *store = cli_store(cli, mode, &glance, &code);

		if (store != NULL) {
			code = operate(cli, op, pick, store, pace);
			store_close(&store);
			glance_release(&glance);
		}
	}
	mem_free(&pace);
	return code;
}

int operate_run(const struct cli *cli, const struct operation *op)
{
	struct pick pick;
	int code = pick_read(&pick, cli, op->states, clock_now());

	if (code == EXIT_OK)
		code = run_picked(cli, op, &pick);
	pick_release(&pick);
	return code;
}
