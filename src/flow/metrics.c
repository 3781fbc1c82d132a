/*
 * metrics: five tables (of the daemon, its sinks, its sources, their passes, their lists) and two
 * metrics that are no plain number: outcomes by verdict, and the histogram of commits.
 *
 * The format wants all samples of a metric together, so each row of a table walks all sinks.
 */
#include "flow/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

enum unit { AS_IS, SECONDS }; /* SECONDS: kept in ms */

struct metric {
	const char *name, *type, *help;
	size_t offset; /* of an int64_t */
	enum unit unit;
};

/* ---- the tables ---- */

#define AT(member) offsetof(struct metrics_view, member)
static const struct metric of_daemon[] = {
	{ "tocsin_ready", "gauge", "1 when /-/ready says so, else 0.", AT(is_ready), AS_IS },
	{ "tocsin_last_reload_successful", "gauge",
	  "0 while the configuration before a failed reload is in force.", AT(is_reloaded),
	  AS_IS },
	{ "tocsin_start_time_seconds", "gauge", "When the daemon started, in Unix time.",
	  AT(started_at), SECONDS },
	{ "tocsin_resident_memory_bytes", "gauge", "Memory that the daemon holds.",
	  AT(resident_bytes), AS_IS },
	{ "tocsin_store_bytes", "gauge", "The store's file and its log.", AT(store_bytes),
	  AS_IS },
	{ "tocsin_commit_errors_total", "counter",
	  "Transactions of the store that failed, busy ones not counted.", AT(commit_failures),
	  AS_IS },
	{ "tocsin_audited_rows_total", "counter", "Rows that the store's audit has looked at.",
	  AT(audited), AS_IS },
	{ "tocsin_audit_violations_total", "counter",
	  "Rows that are not as they must be: each has a line in the log.", AT(violations),
	  AS_IS },
};
#undef AT

#define AT(member) offsetof(struct metrics_sink, member)
static const struct metric of_sink[] = {
	{ "tocsin_attempts_total", "counter", "Attempts begun.", AT(attempts), AS_IS },
	{ "tocsin_template_failures_total", "counter",
	  "Templates that failed: the built-in plain text went out instead.",
	  AT(template_failures), AS_IS },
	{ "tocsin_sink_up", "gauge", "0 while the sink is held for a failure or a Retry-After.",
	  AT(is_up), AS_IS },
	{ "tocsin_sink_held", "gauge", "1 while the operator holds the sink.", AT(is_held),
	  AS_IS },
	{ "tocsin_deliveries_in_flight", "gauge", "Deliveries under way.", AT(in_flight),
	  AS_IS },
	{ "tocsin_deliveries_due", "gauge", "Deliveries that wait for their turn or a retry.",
	  AT(due), AS_IS },
	{ "tocsin_deliveries_held", "gauge",
	  "Deliveries that wait for another of the same alert.", AT(held), AS_IS },
	{ "tocsin_deliveries_dead", "gauge", "Dead letters in the store.", AT(dead), AS_IS },
	{ "tocsin_oldest_due_timestamp_seconds", "gauge",
	  "When the delivery that waits longest was due; absent when none waits.",
	  AT(oldest_due_at), SECONDS },
};
#undef AT

#define AT(member) offsetof(struct metrics_source, member)
static const struct metric of_source[] = {
	{ "tocsin_token_errors_total", "counter", "Tokens that were not to be had.",
	  AT(token_errors), AS_IS },
	{ "tocsin_nudges_total", "counter", "Webhooks of Toktra's that made us poll.",
	  AT(nudges), AS_IS },
	{ "tocsin_nudges_refused_total", "counter", "Webhooks whose signature was wrong.",
	  AT(forged_nudges), AS_IS },
	{ "tocsin_unrouted_alerts_total", "counter",
	  "Alerts that opened, or reopened, and that no route wanted: nobody was told.",
	  AT(unrouted), AS_IS },
};
#undef AT

#define AT(member) offsetof(struct metrics_pass, member)
static const struct metric of_pass[] = {
	{ "tocsin_polls_total", "counter", "Passes begun, by kind.", AT(begun), AS_IS },
	{ "tocsin_poll_errors_total", "counter",
	  "Answers that were no page, and passes given up, by kind.", AT(errors), AS_IS },
	{ "tocsin_last_complete_pass_timestamp_seconds", "gauge",
	  "When the last pass of this kind was complete; absent before the first.",
	  AT(completed_at), SECONDS },
};
#undef AT

#define AT(member) offsetof(struct metrics_list, member)
static const struct metric of_list[] = {
	{ "tocsin_context_errors_total", "counter",
	  "Answers that were no page of users, policies or budgets, by list.", AT(errors),
	  AS_IS },
	{ "tocsin_context_off", "gauge",
	  "1 while the API refuses the list; it is tried again each hour.", AT(is_off), AS_IS },
	{ "tocsin_context_entries", "gauge", "What the list held when it was last read whole.",
	  AT(count), AS_IS },
	{ "tocsin_context_last_complete_timestamp_seconds", "gauge",
	  "When the list was last read whole; absent before the first time.", AT(completed_at),
	  SECONDS },
};
#undef AT

/* ---- the format ---- */

static void begin(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_label(struct buf *out, char before, const char *name, const char *value)
{
	buf_addf(out, "%c%s=\"", before, name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			buf_addc(out, '\\');
		if (*value == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, *value);
	}
	buf_addc(out, '"');
}

/* Thousandths as a decimal number. */
static void add_thousandths(struct buf *out, int64_t value)
{
	buf_addf(out, "%" PRId64 ".%03d", value / 1000, (int)(value % 1000));
}

static void add_value(struct buf *out, const struct metric *m, int64_t value)
{
	buf_addc(out, ' ');
	switch (m->unit) {
	case AS_IS: buf_addf(out, "%" PRId64, value); break;
	case SECONDS: add_thousandths(out, value); break;
	}
	buf_addc(out, '\n');
}

static int64_t value_of(const struct metric *m, const void *of)
{
	int64_t value;

	memcpy(&value, (const char *)of + m->offset, sizeof(value));
	return value;
}

/* ---- by table ---- */

static void write_daemon(const struct metrics_view *v, const struct metric *m, struct buf *out)
{
	begin(out, m->name, m->type, m->help);
	buf_adds(out, m->name);
	add_value(out, m, value_of(m, v));
}

static void write_sinks(const struct metrics_view *v, const struct metric *m, struct buf *out)
{
	begin(out, m->name, m->type, m->help);
	for (size_t i = 0; i < v->sink_count; i++) {
		int64_t value = value_of(m, &v->sinks[i]);

		if (value == METRIC_UNKNOWN)
			continue;
		buf_adds(out, m->name);
		add_label(out, '{', "sink", v->sinks[i].name);
		buf_addc(out, '}');
		add_value(out, m, value);
	}
}

static void write_sources(const struct metrics_view *v, const struct metric *m, struct buf *out)
{
	begin(out, m->name, m->type, m->help);
	for (size_t i = 0; i < v->source_count; i++) {
		int64_t value = value_of(m, &v->sources[i]);

		if (value == METRIC_UNKNOWN)
			continue;
		buf_adds(out, m->name);
		add_label(out, '{', "source", v->sources[i].name);
		buf_addc(out, '}');
		add_value(out, m, value);
	}
}

static void write_passes(const struct metrics_view *v, const struct metric *m, struct buf *out)
{
	begin(out, m->name, m->type, m->help);
	for (size_t i = 0; i < v->source_count * PASS_KINDS; i++) {
		const struct metrics_source *source = &v->sources[i / PASS_KINDS];
		enum pass_kind kind = (enum pass_kind)(i % PASS_KINDS);
		int64_t value = value_of(m, &source->passes[kind]);

		if (value == METRIC_UNKNOWN)
			continue;
		buf_adds(out, m->name);
		add_label(out, '{', "source", source->name);
		add_label(out, ',', "pass", pass_kind_name(kind));
		buf_addc(out, '}');
		add_value(out, m, value);
	}
}

static void write_lists(const struct metrics_view *v, const struct metric *m, struct buf *out)
{
	begin(out, m->name, m->type, m->help);
	for (size_t i = 0; i < v->source_count * CONTEXT_KINDS; i++) {
		const struct metrics_source *source = &v->sources[i / CONTEXT_KINDS];
		enum context_kind kind = (enum context_kind)(i % CONTEXT_KINDS);
		int64_t value = value_of(m, &source->lists[kind]);

		if (value == METRIC_UNKNOWN)
			continue;
		buf_adds(out, m->name);
		add_label(out, '{', "source", source->name);
		add_label(out, ',', "list", context_name(kind));
		buf_addc(out, '}');
		add_value(out, m, value);
	}
}

/* ---- those that are more than a number ---- */

static void write_build(struct buf *out)
{
	static const char name[] = "tocsin_build_info";

	begin(out, name, "gauge", "1, with the version.");
	buf_adds(out, name);
	add_label(out, '{', "version", TOCSIN_VERSION);
	buf_adds(out, "} 1\n");
}

static void write_outcomes(const struct metrics_view *v, struct buf *out)
{
	static const char name[] = "tocsin_deliveries_total";

	begin(out, name, "counter",
	      "Attempts that ended, by verdict: delivered, again (a step of several is done), "
	      "later (it is tried again), never (this payload will not pass).");
	for (size_t i = 0; i < v->sink_count * VERDICT_KINDS; i++) {
		const struct metrics_sink *sink = &v->sinks[i / VERDICT_KINDS];
		enum verdict verdict = (enum verdict)(i % VERDICT_KINDS);

		buf_adds(out, name);
		add_label(out, '{', "sink", sink->name);
		add_label(out, ',', "verdict", verdict_name(verdict));
		buf_addf(out, "} %" PRId64 "\n", sink->ended[verdict]);
	}
}

/* us as seconds. */
static void add_seconds(struct buf *out, int64_t us)
{
	buf_addf(out, "%" PRId64 ".%06d", us / 1000000, (int)(us % 1000000));
}

static void write_commits(const struct histogram *h, struct buf *out)
{
	int64_t so_far = 0;

	begin(out, "tocsin_commit_seconds", "histogram",
	      "How long the store took to commit a transaction.");
	for (size_t i = 0; i < h->bound_count; i++) {
		so_far += h->counts[i];
		buf_addf(out, "tocsin_commit_seconds_bucket{le=\"%g\"} %" PRId64 "\n",
			 (double)h->bounds[i] / 1e6, so_far);
	}
	buf_addf(out, "tocsin_commit_seconds_bucket{le=\"+Inf\"} %" PRId64 "\n", h->count);
	buf_adds(out, "tocsin_commit_seconds_sum ");
	add_seconds(out, h->sum);
	buf_addf(out, "\ntocsin_commit_seconds_count %" PRId64 "\n", h->count);
}

void metrics_write(const struct metrics_view *v, struct buf *out)
{
	write_build(out);
	for (size_t i = 0; i < ARRAY_LEN(of_daemon); i++)
		write_daemon(v, &of_daemon[i], out);
	write_outcomes(v, out);
	for (size_t i = 0; i < ARRAY_LEN(of_sink); i++)
		write_sinks(v, &of_sink[i], out);
	for (size_t i = 0; i < ARRAY_LEN(of_source); i++)
		write_sources(v, &of_source[i], out);
	for (size_t i = 0; i < ARRAY_LEN(of_pass); i++)
		write_passes(v, &of_pass[i], out);
	for (size_t i = 0; i < ARRAY_LEN(of_list); i++)
		write_lists(v, &of_list[i], out);
	write_commits(v->commits, out);
}
