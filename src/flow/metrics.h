/*
 * metrics: how all goes, in Prometheus' text format, version 0.0.4.
 *
 * Pure: plain numbers in, text out. Every metric is a row of a table with its help, begins with
 * `tocsin_` and counts in base units (seconds, bytes). What is not known is left out: a series
 * that is absent deceives no alert, a zero would.
 */
#ifndef FLOW_METRICS_H
#define FLOW_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/histogram.h"
#include "flow/pass.h"
#include "model/context.h"
#include "model/event.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { METRIC_UNKNOWN = -1 };

struct metrics_sink {
	const char *name;
	int64_t attempts, ended[VERDICT_KINDS];
	int64_t is_up, is_held, in_flight;
	int64_t template_failures;
	int64_t due, held, dead; /* METRIC_UNKNOWN: not counted yet */
	int64_t oldest_due_at;   /* METRIC_UNKNOWN: nothing is due */
};

struct metrics_pass {
	int64_t begun, errors;
	int64_t completed_at; /* METRIC_UNKNOWN: never */
};

/* A list of the directory; METRIC_UNKNOWN: it is not kept, or not known. */
struct metrics_list {
	int64_t errors, is_off, completed_at, count;
};

struct metrics_source {
	const char *name;
	struct metrics_pass passes[PASS_KINDS];
	struct metrics_list lists[CONTEXT_KINDS];
	int64_t token_errors;
	int64_t nudges, forged_nudges; /* METRIC_UNKNOWN: none are wanted */
	int64_t unrouted;              /* alerts that no route wanted */
};

struct metrics_view {
	const struct metrics_sink *sinks;
	size_t sink_count;
	const struct metrics_source *sources;
	size_t source_count;
	const struct histogram *commits; /* in us */
	int64_t commit_failures;
	int64_t audited, violations; /* rows that the store's audit has looked at */
	int64_t is_reloaded;         /* the last reload took, or there was none */
	int64_t is_ready, started_at, resident_bytes, store_bytes;
};

void metrics_write(const struct metrics_view *v, struct buf *out);

#endif
