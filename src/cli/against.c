/*
 * against: reads the first event of each episode with the rows that routes made of it, a piece
 * in a short read transaction after the other, and tells of each what the replay says.
 *
 * For people the numbers stand first, so the first changes wait in a table until all are counted;
 * JSON goes out piece by piece. An alert that has changed in two ways (it gains a sink and loses
 * another) is told twice, and counted once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/against_inner.h"

enum { PIECE_BYTES = 8 << 20 };

/* The rows of an event as a list of [sink, route, state, reason]. The source of our own alerts
 * has no routes. */
static const char query[] =
	"SELECT e.id, e.source, e.alert_id, e.episode, e.seq, e.kind, e.first, e.at, e.body, e.context, "
	"(SELECT json_group_array(json_array(d.sink, d.route, d.state, d.reason)) "
	"FROM v_deliveries d WHERE d.id >= e.id << 27 AND d.id < (e.id + 1) << 27 "
	"AND d.origin = 'route') AS told "
	"FROM v_events e WHERE e.id > CAST(?1 AS INTEGER) AND e.seq = 1 "
	"AND e.wait_until IS NULL AND e.at >= CAST(?2 AS INTEGER) AND e.source IS NOT '" SETTINGS_OWN_SOURCE
	"' "
	"ORDER BY e.id LIMIT 500";
enum { PIECE = 500 };

/* ---- counting ---- */

static struct sink_count *count_of(struct against *a, const char *name)
{
	for (size_t i = 0; i < a->sink_count; i++)
		if (strcmp(a->sinks[i].name, name) == 0)
			return &a->sinks[i];
	a->sinks = mem_resize(a->sinks, a->sink_count + 1, sizeof(*a->sinks));
	a->sinks[a->sink_count] = (struct sink_count){ .name = mem_strdup(name) };
	return &a->sinks[a->sink_count++];
}

const char *against_sink(const struct against *a, size_t sink)
{
	return a->settings->sinks[sink].name;
}

const struct replay_target *against_target(const struct replayed *r, size_t row)
{
	for (size_t i = 0; i < r->target_count; i++)
		if (r->targets[i].row == (int)row)
			return &r->targets[i];
	return NULL;
}

/* A sink that has another name now is counted under that. */
static const char *name_of_row(const struct against *a, const struct replay_row *row)
{
	for (size_t i = 0; i < a->settings->sink_count; i++)
		if (replay_is_sink(a->replay, row, i))
			return against_sink(a, i);
	return row->sink != NULL ? row->sink : "?";
}

static void count_sinks(struct against *a, const struct replayable *e, const struct replayed *r)
{
	for (size_t i = 0; i < e->event.row_count; i++) {
		struct sink_count *c = count_of(a, name_of_row(a, &e->rows[i]));

		c->before++;
		c->loses += against_target(r, i) == NULL;
	}
	for (size_t i = 0; i < r->target_count; i++) {
		struct sink_count *c = count_of(a, against_sink(a, r->targets[i].sink));

		c->after++;
		c->gains += r->targets[i].row == REPLAY_NONE;
		c->moves += r->targets[i].moves;
	}
	if ((r->changes & 1U << REPLAY_TEMPLATE) != 0)
		count_of(a, against_sink(a, r->failed_sink))->fails++;
}

/* Does it go as before, to nobody? That is told, but is no change. */
static bool is_unrouted_still(const struct replayable *e, const struct replayed *r)
{
	return r->changes == 1U << REPLAY_UNROUTED && e->event.row_count == 0;
}

static void count(struct against *a, const struct replayable *e, const struct replayed *r)
{
	a->count++;
	for (int i = 0; i < REPLAY_CHANGE_COUNT; i++)
		a->by_change[i] += r->changes >> i & 1;
	if (is_unrouted_still(e, r))
		a->unrouted_before++;
	else
		a->changed += r->changes != 0;
	count_sinks(a, e, r);
}

/* ---- reading ---- */

static void take_rows(struct replayable *e, const char *told, size_t len)
{
	struct err err;

	e->doc = json_parse(told, len, &err);
	e->rows = mem_array(json_count(json_root(e->doc)), sizeof(*e->rows));
	e->event.rows = e->rows;
	for (const struct json_value *v = json_first(json_root(e->doc)); v != NULL;
	     v = json_next(v)) {
		const struct json_value *sink = json_first(v), *route = json_next(sink),
					*state = json_next(route), *reason = json_next(state);
		struct replay_row row = { json_text(sink, NULL), json_text(route, NULL),
					  json_text(state, NULL), json_text(reason, NULL) };

		if (replay_row_tells(&row))
			e->rows[e->event.row_count++] = row;
	}
}

static void fill(struct replayable *e, struct view *v)
{
	*e = (struct replayable){ .alert_id = view_text(v, "alert_id") };
	e->event = (struct replay_event){ .source = view_text(v, "source"),
					  .first = view_int(v, "first") != 0,
					  .episode = view_int(v, "episode"),
					  .seq = view_int(v, "seq"),
					  .at = view_int(v, "at"),
					  .body = view_text(v, "body"),
					  .body_len = view_len(v, "body"),
					  .context = view_text(v, "context"),
					  .context_len = view_len(v, "context") };
	if (!event_kind_parse(view_text(v, "kind"), &e->event.kind))
		e->event.kind = EVENT_OPENED;
	take_rows(e, view_text(v, "told"), view_len(v, "told"));
}

static void take(struct against *a, struct view *v)
{
	struct replayable e;
	struct replayed r;
	struct err err;

	fill(&e, v);
	bool ok = replay_ask(a->replay, &e.event, &r, &err);

	if (!ok) {
		a->unread++;
	} else if (!r.is_known) {
		a->unknown++;
	} else {
		count(a, &e, &r);
		for (int i = 0; i < REPLAY_CHANGE_COUNT; i++)
			if ((r.changes >> i & 1) != 0)
				against_tell(a, (enum replay_change)i, &e, &r);
	}
	mem_free(&e.rows);
	json_free(&e.doc);
}

/* False: it was the last piece, or err tells. */
static bool read_piece(struct against *a, struct err *err)
{
	char after[24], from[24];
	const char *args[] = { after, from };
	size_t rows = 0, bytes = 0;

	snprintf(after, sizeof(after), "%" PRId64, a->last_id);
	snprintf(from, sizeof(from), "%" PRId64, a->from_at);
	struct view *v = view_open(a->store, query, args, ARRAY_LEN(args), err);

	if (v == NULL)
		return false;
	while (bytes < PIECE_BYTES && view_next(v)) {
		rows++;
		bytes += view_len(v, "body");
		a->last_id = view_int(v, "id");
		take(a, v);
	}
	bool failed = view_failed(v, err);

	view_close(&v);
	return !failed && (rows == PIECE || bytes >= PIECE_BYTES);
}

static bool read_all(struct against *a, struct err *err)
{
	bool more;

	err->text[0] = '\0';
	do {
		spool_open(&a->spool);
		more = read_piece(a, err);
		more = spool_close(&a->spool) && more;
	} while (more);
	return err->text[0] == '\0';
}

static void release(struct against *a)
{
	for (size_t i = 0; i < a->sink_count; i++)
		mem_free(&a->sinks[i].name);
	mem_free(&a->sinks);
	table_free(&a->shown);
	replay_free(&a->replay);
	store_close(&a->store);
}

int against_run(const struct cli *cli, const struct setup *setup, int64_t span_ms)
{
	struct against a = { .cli = cli, .settings = setup->settings, .now = clock_now() };
	struct err err;

	a.from_at = a.now - span_ms;
	a.store = store_open(setup->settings->store, STORE_READ, &err);
	if (a.store == NULL)
		return cli_failed("%s", err.text);
	a.replay = replay_new(setup);
	a.shown = table_new(stdout, against_columns);
	for (size_t i = 0; i < setup->settings->sink_count; i++)
		(void)count_of(&a, against_sink(&a, i));
	bool ok = read_all(&a, &err);

	if (ok && !cli->json)
		against_summary(&a);
	if (ok)
		against_left_out(&a, span_ms);
	release(&a);
	return ok ? EXIT_OK : cli_failed("%s", err.text);
}
