/*
 * queue_kit: a queue of a few sinks without store or loop, for stories moved by hand.
 *
 * The sinks are numbered from 1 in the order of their settings. claim() is the store's answer to
 * an ask, end_row() one attempt that ended and was stored.
 */
#ifndef TESTS_FLOW_QUEUE_KIT_H
#define TESTS_FLOW_QUEUE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flow/queue.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define START INT64_C(1764000000000)

static inline struct sink_settings settings_of(int64_t window)
{
	return (struct sink_settings){ .name = (char *)"bus",
				       .window = window,
				       .retry_min_ms = SECOND,
				       .retry_max_ms = 15 * MINUTE,
				       .retry_after_max_ms = HOUR,
				       .give_up_ms = 72 * HOUR };
}

static inline struct queue *queue_of(const struct sink_settings *settings, size_t count)
{
	struct queue_sink sinks[8] = { { .settings = NULL } };

	for (size_t i = 0; i < count; i++)
		sinks[i] =
			(struct queue_sink){ .settings = &settings[i], .number = (int)i + 1 };
	return queue_new(sinks, count, 42, START);
}

static int64_t kit_asked_at = START;

/* The room asked for one sink now; 0: no ask. */
static inline size_t asked(struct queue *q, int sink, int64_t now)
{
	struct ask asks[8];
	size_t count = queue_asks(q, now, asks);

	kit_asked_at = now;

	for (size_t i = 0; i < count; i++)
		if (asks[i].sink == sink)
			return asks[i].room;
	return 0;
}

static inline void claim_at(struct queue *q, int sink, size_t count, int64_t next_due_at,
			    int64_t now)
{
	const struct answer answer = { .sink = sink,
				       .claimed = count,
				       .next_due_at = next_due_at };

	queue_claimed(q, &answer, now);
}

/* At the time of the last ask. */
static inline void claim(struct queue *q, int sink, size_t count, int64_t next_due_at)
{
	claim_at(q, sink, count, next_due_at, kit_asked_at);
}

static const struct outcome DELIVERED = { .verdict = VERDICT_DELIVERED, .retry_after_ms = -1 };
static const struct outcome ROW_LATER = { .verdict = VERDICT_LATER,
					  .retry_after_ms = -1,
					  .reason = "409" };
static const struct outcome SINK_DOWN = {
	.verdict = VERDICT_LATER, .sink_down = true, .retry_after_ms = -1, .reason = "503"
};
static const struct outcome NEVER = { .verdict = VERDICT_NEVER,
				      .retry_after_ms = -1,
				      .reason = "400" };

struct end {
	enum queue_change change;
	struct settle settle;
	char reason[REASON_MAX];
};

/* So many rows of the sink have some outcome, which is stored. */
static inline void leave(struct queue *q, int sink, size_t count)
{
	for (size_t i = 0; i < count; i++)
		queue_landed(q, sink);
	queue_committed(q, sink, count);
}

/* A row of that sink, tried first at `first_at`, ends so at `now`, and that is stored. */
static inline struct end end_row(struct queue *q, const struct tried *row,
				 const struct outcome *o, int64_t now)
{
	struct end e;

	memset(&e, 0, sizeof(e));
	e.change = queue_settle(q, row, o, now, &e.settle, e.reason);
	leave(q, row->sink, 1);
	return e;
}

static inline struct tried row_of(int64_t id, int64_t attempt, int64_t started_at)
{
	return (struct tried){ .id = id,
			       .sink = 1,
			       .attempt = attempt,
			       .first_attempt_at = START,
			       .started_at = started_at };
}

#endif
