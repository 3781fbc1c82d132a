/* against_tell: changes and their numbers, for programs and for people. */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/against_inner.h"

enum { SHOWN = 20, TEXT_MAX = 4096 };

/* ---- what a change is about ---- */

struct about {
	const struct replay_row *row;       /* NULL: none */
	const struct replay_target *target; /* likewise */
};

static bool is_about(enum replay_change change, const struct replay_target *t,
		     const struct replayed *r)
{
	switch (change) {
	case REPLAY_GAINS: return t->row == REPLAY_NONE;
	case REPLAY_MOVES: return t->moves;
	case REPLAY_TEMPLATE: return t->sink == r->failed_sink;
	case REPLAY_LOSES:
	case REPLAY_UNROUTED: break;
	}
	return false;
}

/* Of several sinks the first that has changed so; else the first there is. */
static struct about about(enum replay_change change, const struct replayable *e,
			  const struct replayed *r)
{
	struct about a = { e->event.row_count > 0 ? &e->rows[0] : NULL,
			   r->target_count > 0 ? &r->targets[0] : NULL };

	for (size_t i = r->target_count; i > 0; i--)
		if (is_about(change, &r->targets[i - 1], r))
			a.target = &r->targets[i - 1];
	if (change == REPLAY_MOVES)
		a.row = &e->rows[a.target->row];
	for (size_t i = e->event.row_count; change == REPLAY_LOSES && i > 0; i--)
		if (against_target(r, i - 1) == NULL)
			a.row = &e->rows[i - 1];
	return a;
}

/* ---- telling: JSON ---- */

static const char *route_name(const struct against *a, const struct replay_target *t)
{
	return a->settings->routes[t->route].name;
}

static void tell_from(struct jline *j, const struct replayable *e, const struct about *of)
{
	jline_open(j, "from", '{');
	jline_text(j, "route", of->row != NULL ? of->row->route : NULL);
	jline_open(j, "sinks", '[');
	for (size_t i = 0; i < e->event.row_count; i++)
		jline_text(j, NULL, e->rows[i].sink);
	jline_close(j, ']');
	jline_open(j, "routes", '[');
	for (size_t i = 0; i < e->event.row_count; i++)
		jline_text(j, NULL, e->rows[i].route);
	jline_close(j, ']');
	jline_close(j, '}');
}

static void tell_to(const struct against *a, struct jline *j, const struct replayed *r,
		    const struct about *of)
{
	jline_open(j, "to", '{');
	jline_text(j, "route", of->target != NULL ? route_name(a, of->target) : NULL);
	jline_open(j, "sinks", '[');
	for (size_t i = 0; i < r->target_count; i++)
		jline_text(j, NULL, against_sink(a, r->targets[i].sink));
	jline_close(j, ']');
	jline_open(j, "routes", '[');
	for (size_t i = 0; i < r->target_count; i++)
		jline_text(j, NULL, route_name(a, &r->targets[i]));
	jline_close(j, ']');
	jline_close(j, '}');
}

static void tell_json(struct against *a, enum replay_change change, const struct replayable *e,
		      const struct replayed *r)
{
	const struct about of = about(change, e, r);
	struct jline j;

	jline_begin(&j, a->spool.out);
	jline_text(&j, "source", e->event.source);
	jline_text(&j, "alert_id", e->alert_id);
	jline_text(&j, "event", event_kind_name(e->event.kind));
	jline_at(&j, "at", e->event.at);
	tell_from(&j, e, &of);
	tell_to(a, &j, r, &of);
	jline_text(&j, "change", replay_change_name(change));
	if (change == REPLAY_TEMPLATE) {
		jline_text(&j, "sink", against_sink(a, r->failed_sink));
		jline_text(&j, "reason", r->failure.text);
	}
	jline_end(&j);
}

/* ---- telling: people ---- */

const struct table_column against_columns[] = {
	{ .title = "CHANGE" },
	{ .title = "ALERT", .max = 30 },
	{ .title = "SOURCE", .max = 16 },
	{ .title = "EVENT" },
	{ .title = "SEEN" },
	{ .title = "FROM", .max = 40 },
	{ .title = "TO", .max = 80 },
	{ .title = NULL },
};

static void add_sink(struct buf *out, const char *sink, const char *by)
{
	buf_addf(out, "%s%s (%s)", out->len > 0 ? ", " : "", sink != NULL ? sink : "?",
		 by != NULL ? by : "no route");
}

static void tell_row(struct against *a, enum replay_change change, const struct replayable *e,
		     const struct replayed *r)
{
	struct buf from, to;

	if (a->told++ >= SHOWN)
		return;
	buf_init(&from, TEXT_MAX);
	buf_init(&to, TEXT_MAX);
	for (size_t i = 0; i < e->event.row_count; i++)
		add_sink(&from, e->rows[i].sink, e->rows[i].route);
	for (size_t i = 0; i < r->target_count && change != REPLAY_TEMPLATE; i++)
		add_sink(&to, against_sink(a, r->targets[i].sink),
			 route_name(a, &r->targets[i]));
	if (change == REPLAY_TEMPLATE)
		buf_addf(&to, "%s: %s", against_sink(a, r->failed_sink), r->failure.text);
	table_cell(a->shown,
		   change == REPLAY_GAINS || change == REPLAY_MOVES ? COLOUR_NONE : COLOUR_WARN,
		   replay_change_name(change));
	table_cell(a->shown, COLOUR_NONE, e->alert_id);
	table_cell(a->shown, COLOUR_NONE, e->event.source);
	table_cell(a->shown, COLOUR_NONE, event_kind_name(e->event.kind));
	table_at(a->shown, e->event.at, a->now);
	table_cell(a->shown, COLOUR_NONE, from.len > 0 ? from.data : "nobody");
	table_cell(a->shown, COLOUR_NONE, to.len > 0 ? to.data : "nobody");
	buf_release(&from);
	buf_release(&to);
}

static void print_changes(const struct against *a)
{
	static const struct table_column titles[] = {
		{ .title = "CHANGE" },
		{ .title = "ALERTS", .right = true },
		{ .title = NULL },
	};
	static const char *const words[REPLAY_CHANGE_COUNT] = {
		[REPLAY_GAINS] = "gains a sink",
		[REPLAY_LOSES] = "loses a sink",
		[REPLAY_MOVES] = "moves to another route",
		[REPLAY_UNROUTED] = "matches no route",
		[REPLAY_TEMPLATE] = "fails a template",
	};
	struct table *t = table_new(stdout, titles);

	for (int i = 0; i < REPLAY_CHANGE_COUNT; i++) {
		int64_t n = a->by_change[i] - (i == REPLAY_UNROUTED ? a->unrouted_before : 0);

		if (n == 0)
			continue;
		table_cell(t, COLOUR_NONE, words[i]);
		table_int(t, n);
	}
	if (a->unrouted_before > 0) {
		table_cell(t, COLOUR_NONE, "matches no route, as before");
		table_int(t, a->unrouted_before);
	}
	table_flush(t);
	table_free(&t);
}

static void print_sinks(const struct against *a)
{
	static const struct table_column titles[] = {
		{ .title = "SINK", .max = 24 },      { .title = "BEFORE", .right = true },
		{ .title = "AFTER", .right = true }, { .title = "GAINS", .right = true },
		{ .title = "LOSES", .right = true }, { .title = "MOVES", .right = true },
		{ .title = "FAILS", .right = true }, { .title = NULL },
	};
	struct table *t = table_new(stdout, titles);

	for (size_t i = 0; i < a->sink_count; i++) {
		const struct sink_count *c = &a->sinks[i];

		table_cell(t, COLOUR_NONE, c->name);
		table_int(t, c->before);
		table_int(t, c->after);
		table_int(t, c->gains);
		table_int(t, c->loses);
		table_int(t, c->moves);
		table_int(t, c->fails);
	}
	table_flush(t);
	table_free(&t);
}

void against_summary(const struct against *a)
{
	printf("\n%" PRId64 " %s of the last %s, %" PRId64 " of which would go another way\n",
	       a->count, a->count == 1 ? "alert" : "alerts", cli_option(a->cli, "against"),
	       a->changed);
	if (a->changed + a->unrouted_before == 0)
		return;
	putchar('\n');
	print_changes(a);
	putchar('\n');
	print_sinks(a);
	putchar('\n');
	table_flush(a->shown);
	if (a->told > SHOWN)
		printf("… and %" PRId64 " more: --json tells all\n", a->told - SHOWN);
}

void against_left_out(const struct against *a, int64_t span_ms)
{
	if (a->unknown > 0)
		fprintf(stderr,
			"tocsin: left out: %" PRId64 " of sources that this "
			"configuration does not have\n",
			a->unknown);
	if (a->unread > 0)
		fprintf(stderr, "tocsin: left out: %" PRId64 " that can't be read any more\n",
			a->unread);
	if (span_ms > a->settings->retention_ms)
		fprintf(stderr, "tocsin: the store forgets what is older than `retention`, and "
				"over\n");
}

void against_tell(struct against *a, enum replay_change change, const struct replayable *e,
		  const struct replayed *r)
{
	if (a->cli->json)
		tell_json(a, change, e, r);
	else
		tell_row(a, change, e, r);
}
