/*
 * `tocsin status`: is all well?
 *
 * What only the daemon knows comes from the row it writes, everything else from the store, so
 * the answer is as good with the daemon down, and says then that it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/print.h"
#include "cli/rows.h"
#include "cli/sink_state.h"
#include "cli/status_lists.h"
#include "cli/table.h"
#include "cli/unrouted.h"

struct report {
	const struct cli *cli;
	const struct glance *glance;
	struct store *store;
	struct daemon_says daemon;
	struct spool spool;
	struct jline j;
	struct table *lists; /* of all sources */
	size_t list_count;
	int64_t now;
};

/* Rows of one sink; a sink that is gone shows as long as it has rows that nobody takes. */
static const char sinks_query[] =
	"SELECT " SINK_STATE_COLUMNS ", "
	"coalesce(sum(CASE c.state WHEN 'due' THEN c.count END), 0) AS due, "
	"coalesce(sum(CASE c.state WHEN 'held' THEN c.count END), 0) AS held, "
	"coalesce(sum(CASE c.state WHEN 'claimed' THEN c.count END), 0) AS in_flight, "
	"coalesce(sum(CASE c.state WHEN 'dead' THEN c.count END), 0) AS dead, "
	"coalesce(sum(CASE c.state WHEN 'orphaned' THEN c.count END), 0) AS orphaned, "
	"coalesce(sum(CASE c.state WHEN 'done' THEN c.count END), 0) AS done, "
	"min(CASE c.state WHEN 'due' THEN c.oldest_due_at END) AS oldest_due_at "
	"FROM v_sinks k LEFT JOIN v_counts c ON c.sink = k.name GROUP BY k.name "
	"HAVING k.present OR orphaned > 0 ORDER BY k.present DESC, k.name";

static const char sources_query[] =
	"SELECT name, order_seen, last_head_at, last_sweep_at, last_full_at, "
	"(SELECT count(*) FROM v_missing m WHERE m.source = s.name) AS missing, "
	"(SELECT count(*) FROM v_alerts a WHERE a.source = s.name AND a.state = 'vanished') "
	"AS vanished, "
	"(SELECT count(*) FROM v_alerts a WHERE a.source = s.name AND a.state = 'active' "
	"AND " UNROUTED ") AS unrouted, "
	"(SELECT count(*) FROM v_rejects r WHERE r.source = s.name) AS rejected "
	"FROM v_sources s";

static const char store_query[] =
	"SELECT (SELECT count(*) FROM v_alerts) AS alerts, "
	"(SELECT coalesce(sum(count), 0) FROM v_counts) AS deliveries";

/* ---- the daemon ---- */

static void say_absence(const struct report *r, char *text, size_t size)
{
	char ago[CLOCK_TEXT_MAX];

	if (!r->daemon.known) {
		snprintf(text, size, "no daemon runs: none has run on this store yet");
		return;
	}
	clock_ago(r->daemon.at, r->now, ago);
	snprintf(text, size, "no daemon runs: the last one (pid %" PRId64 ") last wrote %s",
		 r->daemon.pid, ago);
}

/* What it said last may not be so any more. */
static bool is_ready(const struct report *r)
{
	return !r->daemon.silent && json_kind(daemon_get(&r->daemon, "ready")) == JSON_TRUE;
}

static void say_silence(const struct report *r, char *text, size_t size)
{
	char ago[CLOCK_TEXT_MAX];

	clock_ago(r->daemon.at, r->now, ago);
	snprintf(
		text, size,
		"it last wrote %s, and should each minute: does its store take writes? see its "
		"log",
		ago);
}

static const char *version_of(const struct report *r)
{
	const char *version = json_text(daemon_get(&r->daemon, "version"), NULL);

	return version != NULL ? version : TOCSIN_VERSION;
}

/* NULL: the configuration in force is the one that was last asked for. */
static const char *reload_error(const struct report *r)
{
	return json_text(daemon_get(&r->daemon, "reload_error"), NULL);
}

static void daemon_json(struct report *r)
{
	const struct json_value *reason = json_first(daemon_get(&r->daemon, "reasons"));
	char text[200];

	jline_text(&r->j, "version", version_of(r));
	if (r->daemon.alive)
		jline_int(&r->j, "pid", r->daemon.pid);
	else
		jline_null(&r->j, "pid");
	jline_bool(&r->j, "ready", is_ready(r));
	jline_open(&r->j, "reasons", '[');
	if (!r->daemon.alive) {
		say_absence(r, text, sizeof(text));
		jline_text(&r->j, NULL, text);
	}
	if (r->daemon.silent) {
		say_silence(r, text, sizeof(text));
		jline_text(&r->j, NULL, text);
	}
	for (; reason != NULL; reason = json_next(reason))
		jline_text(&r->j, NULL, json_text(reason, NULL));
	jline_close(&r->j, ']');
	jline_text(&r->j, "reload_error", reload_error(r));
}

static void print_since(const struct report *r)
{
	const char *started = json_text(daemon_get(&r->daemon, "started_at"), NULL);
	char span[CLOCK_TEXT_MAX];
	int64_t at;

	if (started == NULL || !clock_parse_iso(started, strlen(started), &at))
		return;
	if (r->now - at < 1000) {
		printf(", just started");
		return;
	}
	clock_span((r->now - at) / 1000 * 1000, span);
	printf(", up %s", span);
}

static void daemon_text(struct report *r)
{
	const struct json_value *reason = json_first(daemon_get(&r->daemon, "reasons"));
	bool ready = is_ready(r);
	char text[200];

	printf("tocsin ");
	print_text(stdout, version_of(r), 40);
	if (!r->daemon.alive) {
		say_absence(r, text, sizeof(text));
		printf(": ");
		print_coloured(stdout, COLOUR_BAD, text);
		putchar('\n');
		return;
	}
	printf(", pid %" PRId64, r->daemon.pid);
	print_since(r);
	printf(", ");
	print_coloured(stdout, ready ? COLOUR_GOOD : COLOUR_BAD, ready ? "ready" : "not ready");
	putchar('\n');
	if (r->daemon.silent) {
		say_silence(r, text, sizeof(text));
		printf("  %s\n", text);
	}
	for (; reason != NULL; reason = json_next(reason)) {
		printf("  ");
		print_text(stdout, json_text(reason, NULL), 300);
		putchar('\n');
	}
	if (reload_error(r) == NULL)
		return;
	printf("  ");
	print_coloured(stdout, COLOUR_BAD, "the last reload failed, ");
	printf("the configuration before it is in force: ");
	print_text(stdout, reload_error(r), 700);
	putchar('\n');
}

/* ---- sources ---- */

static const struct table_column source_columns[] = {
	{ .title = "SOURCE", .max = 24 },
	{ .title = "ORDER" },
	{ .title = "LAST HEAD" },
	{ .title = "LAST SWEEP" },
	{ .title = "LAST FULL" },
	{ .title = "MISSING", .right = true },
	{ .title = "VANISHED", .right = true },
	{ .title = "UNROUTED", .right = true },
	{ .title = "SET ASIDE", .right = true },
	{ .title = "RATE", .right = true },
	{ .title = "WALK", .max = 60 },
	{ .title = "ERROR", .max = 100 },
	{ .title = NULL },
};

/* What the living daemon says of the source, or NULL. */
static const struct json_value *live_source(const struct report *r, const char *name)
{
	return r->daemon.alive ? daemon_find(&r->daemon, "sources", name) : NULL;
}

static void number_json(struct jline *j, const char *key, const struct json_value *v)
{
	int64_t number;

	if (json_int(v, &number))
		jline_int(j, key, number);
	else
		jline_null(j, key);
}

static void walk_json(struct jline *j, const struct json_value *walk)
{
	static const char *const numbers[] = { "pages", "items", "total", "left_ms" };

	if (json_kind(walk) != JSON_OBJECT) {
		jline_null(j, "pass");
		return;
	}
	jline_open(j, "pass", '{');
	jline_text(j, "kind", json_text(json_get(walk, "kind"), NULL));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		number_json(j, numbers[i], json_get(walk, numbers[i]));
	jline_close(j, '}');
}

/* "full: 1200 of 100000, 1 min 24 s left" */
static void describe_walk(const struct json_value *walk, char *text, size_t size)
{
	const char *kind = json_text(json_get(walk, "kind"), NULL);
	int64_t items = 0, total, left;
	char span[CLOCK_TEXT_MAX];

	text[0] = '\0';
	if (kind == NULL)
		return;
	json_int(json_get(walk, "items"), &items);
	snprintf(text, size, "%s: %" PRId64, kind, items);
	if (json_int(json_get(walk, "total"), &total))
		snprintf(text + strlen(text), size - strlen(text), " of %" PRId64, total);
	if (!json_int(json_get(walk, "left_ms"), &left))
		return;
	clock_span(left / 1000 * 1000, span);
	snprintf(text + strlen(text), size - strlen(text), ", %s left", span);
}

static void source_json(struct report *r, struct view *v)
{
	const struct json_value *live = live_source(r, view_text(v, "name"));
	const struct json_value *rate = json_get(live, "rate");
	static const char *const counts[] = { "missing", "vanished", "unrouted", "rejected" };

	jline_open(&r->j, NULL, '{');
	jline_text(&r->j, "name", view_text(v, "name"));
	jline_text(&r->j, "order", view_text(v, "order_seen"));
	jline_at(&r->j, "last_head_at", view_int(v, "last_head_at"));
	jline_at(&r->j, "last_sweep_at", view_int(v, "last_sweep_at"));
	jline_at(&r->j, "last_full_at", view_int(v, "last_full_at"));
	jline_open(&r->j, "rate", '{');
	number_json(&r->j, "limit", json_get(rate, "limit"));
	number_json(&r->j, "remaining", json_get(rate, "remaining"));
	number_json(&r->j, "allowed", json_get(rate, "allowed"));
	number_json(&r->j, "used", json_get(rate, "used"));
	jline_close(&r->j, '}');
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		jline_int(&r->j, counts[i], view_int(v, counts[i]));
	walk_json(&r->j, json_get(live, "pass"));
	status_lists_json(&r->j, live);
	jline_text(&r->j, "error", json_text(json_get(live, "error"), NULL));
	jline_close(&r->j, '}');
}

static void source_row(struct report *r, struct table *t, struct view *v)
{
	const struct json_value *live = live_source(r, view_text(v, "name"));
	const struct json_value *rate = json_get(live, "rate");
	int64_t allowed, used;
	char text[64] = "", walk[100];

	if (json_int(json_get(rate, "allowed"), &allowed) &&
	    json_int(json_get(rate, "used"), &used))
		snprintf(text, sizeof(text), "%" PRId64 " of %" PRId64, used, allowed);
	describe_walk(json_get(live, "pass"), walk, sizeof(walk));
	table_cell(t, COLOUR_NONE, view_text(v, "name"));
	table_cell(t, COLOUR_NONE, view_text(v, "order_seen"));
	table_at(t, view_int(v, "last_head_at"), r->now);
	table_at(t, view_int(v, "last_sweep_at"), r->now);
	table_at(t, view_int(v, "last_full_at"), r->now);
	table_int(t, view_int(v, "missing"));
	table_int(t, view_int(v, "vanished"));
	table_int(t, view_int(v, "unrouted"));
	table_int(t, view_int(v, "rejected"));
	table_cell(t, COLOUR_NONE, text);
	table_cell(t, COLOUR_NONE, walk);
	table_cell(t, COLOUR_BAD, json_text(json_get(live, "error"), NULL));
	r->list_count += status_lists_rows(r->lists, view_text(v, "name"), live, r->now);
}

/* One that the last daemon did not have is a source of old. */
static bool is_current(const struct report *r, const char *name)
{
	return r->daemon.json == NULL || daemon_find(&r->daemon, "sources", name) != NULL;
}

/* ---- sinks ---- */

static const struct table_column sink_columns[] = {
	{ .title = "SINK", .max = 24 },
	{ .title = "TYPE" },
	{ .title = "STATE" },
	{ .title = "DUE", .right = true },
	{ .title = "HELD", .right = true },
	{ .title = "IN FLIGHT", .right = true },
	{ .title = "DEAD", .right = true },
	{ .title = "DONE", .right = true },
	{ .title = "OLDEST DUE" },
	{ .title = "WHY", .max = 100 },
	{ .title = NULL },
};

static bool is_gone(struct view *v)
{
	return view_int(v, "present") == 0;
}

static void sink_json(struct report *r, struct view *v)
{
	static const char *const counts[] = { "due", "held", "in_flight", "dead", "orphaned" };

	jline_open(&r->j, NULL, '{');
	sink_state_json(&r->j, v);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		jline_int(&r->j, counts[i], view_int(v, counts[i]));
	jline_at(&r->j, "oldest_due_at", view_int(v, "oldest_due_at"));
	jline_int(&r->j, "done", view_int(v, "done"));
	jline_close(&r->j, '}');
}

/* Why it is as it is, or what became of a sink that is gone. */
static void sink_why(const struct report *r, struct view *v, char *text, size_t size)
{
	if (is_gone(v))
		snprintf(text, size, "not in the configuration; %" PRId64 " orphaned",
			 view_int(v, "orphaned"));
	else
		sink_state_why(v, r->now, r->daemon.alive, text, size);
}

static void sink_row(struct report *r, struct table *t, struct view *v)
{
	const char *state = is_gone(v) ? "gone" : view_text(v, "state");
	char why[600];

	sink_why(r, v, why, sizeof(why));
	table_cell(t, COLOUR_NONE, view_text(v, "name"));
	table_cell(t, COLOUR_NONE, view_text(v, "type"));
	table_cell(t, print_colour_of(state), state);
	table_int(t, view_int(v, "due"));
	table_int(t, view_int(v, "held"));
	table_int(t, view_int(v, "in_flight"));
	table_int(t, view_int(v, "dead"));
	table_int(t, view_int(v, "done"));
	table_at(t, view_int(v, "oldest_due_at"), r->now);
	table_cell(t, COLOUR_NONE, why);
}

/* ---- lists ---- */

struct section {
	const char *key, *query;
	const struct table_column *columns;
	void (*json)(struct report *r, struct view *v);
	void (*row)(struct report *r, struct table *t, struct view *v);
	bool current_only;
};

static const struct section sections[] = {
	{ "sources", sources_query, source_columns, source_json, source_row, true },
	{ "sinks", sinks_query, sink_columns, sink_json, sink_row, false },
};

static bool tell_section(struct report *r, const struct section *section, struct err *err)
{
	struct view *v = view_open(r->store, section->query, NULL, 0, err);

	if (v == NULL)
		return false;
	struct table *t = table_new(stdout, section->columns);

	if (r->cli->json)
		jline_open(&r->j, section->key, '[');
	while (view_next(v)) {
		if (section->current_only && !is_current(r, view_text(v, "name")))
			continue;
		if (r->cli->json)
			section->json(r, v);
		else
			section->row(r, t, v);
	}
	if (r->cli->json)
		jline_close(&r->j, ']');
	bool ok = !view_failed(v, err);

	view_close(&v);
	if (!r->cli->json)
		putchar('\n');
	table_flush(t);
	table_free(&t);
	return ok;
}

/* ---- the store ---- */

static bool tell_store(struct report *r, struct err *err)
{
	int64_t bytes = store_bytes(r->glance->store);
	struct view *v = view_open(r->store, store_query, NULL, 0, err);

	if (v == NULL)
		return false;
	int64_t alerts = view_next(v) ? view_int(v, "alerts") : 0;
	int64_t deliveries = alerts > 0 ? view_int(v, "deliveries") : 0;
	bool ok = alerts > 0 || !view_failed(v, err);

	view_close(&v);
	if (!r->cli->json) {
		printf("\nstore %s: %.1f MiB, %" PRId64 " alerts, %" PRId64 " deliveries\n",
		       r->glance->store, (double)bytes / (1 << 20), alerts, deliveries);
		return ok;
	}
	jline_open(&r->j, "store", '{');
	jline_int(&r->j, "bytes", bytes);
	jline_int(&r->j, "alerts", alerts);
	jline_int(&r->j, "deliveries", deliveries);
	jline_close(&r->j, '}');
	return ok;
}

static bool tell(struct report *r, struct err *err)
{
	if (!daemon_read(&r->daemon, r->store, err))
		return false;
	if (r->cli->json) {
		jline_begin(&r->j, r->spool.out);
		daemon_json(r);
	} else {
		daemon_text(r);
	}
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (!tell_section(r, &sections[i], err))
			return false;
	if (r->list_count > 0) {
		putchar('\n');
		table_flush(r->lists);
	}
	if (!tell_store(r, err))
		return false;
	if (r->cli->json)
		jline_end(&r->j);
	return true;
}

static int run(const struct cli *cli)
{
	struct glance glance;
	struct err err;
	int code;

	if (cli->argc > 0)
		return cli_usage(cli, "it takes no argument");
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	struct report r = { .cli = cli, .glance = &glance, .store = store, .now = clock_now() };

	spool_open(&r.spool);
	r.lists = table_new(stdout, status_lists_columns);
	bool ok = tell(&r, &err);

	if (ok)
		spool_close(&r.spool);
	else
		spool_discard(&r.spool);
	table_free(&r.lists);
	daemon_release(&r.daemon);
	store_close(&store);
	glance_release(&glance);
	return ok ? EXIT_OK : cli_failed("%s", err.text);
}

const struct command command_status = {
	.name = "status",
	.summary = "tell whether all is well: the daemon, sources, sinks, the store",
	.json = true,
	.run = run,
};
