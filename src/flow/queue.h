/*
 * queue: which rows may start, and what becomes of a row and its sink after an attempt.
 *
 * Pure policy: no clock, no store, no loop; `now` and the outcome come in, asks, settles and
 * holds go out, so a test moves it by hand. The rows themselves are in the store: the queue
 * knows of each sink only how many are under way, until when it is held, and when the next
 * row is due. It answers one question: "ask for these rows", or "sleep this long".
 *
 *            an attempt fails by the destination's fault
 *      UP ──────────────────────────────────────────────▶ HELD ──┐ again, longer
 *       ▲                                                  │     │
 *       └── anything else comes of it ── PROBING ◀── the hold ends (one row at a time)
 *
 * Who counts: a row takes a slot of its sink's window from queue_claimed() until
 * queue_committed(), that is, until its outcome is on the disk.
 */
#ifndef FLOW_QUEUE_H
#define FLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "model/settings.h"
#include "model/sink.h"
#include "store/store.h"

/* So many payloads refused one after another, by what would pass: the sink is held instead. */
enum { QUEUE_NEVERS_MAX = 5 };

struct queue;

/* One sink of it; index is the sink's in the settings. settings outlive the queue. */
struct queue_sink {
	const struct sink_settings *settings;
	int number; /* in the store */
	/* As stored when the daemon starts. */
	int64_t held_until, down_since, held_total_ms;
	const char *reason;
};

struct queue *queue_new(const struct queue_sink *sinks, size_t count, uint64_t seed,
			int64_t now) __attribute__((warn_unused_result));
void queue_free(struct queue **q);

/* What to ask the store for now (room for all sinks); returns how many asks. */
size_t queue_asks(struct queue *q, int64_t now, struct ask *asks);

/* How long no ask will come by itself; 0: now, -1: until something is due or settled. */
int64_t queue_sleep_ms(struct queue *q, int64_t now);

/* The store's answer to an ask: rows that are under way from now on. */
void queue_claimed(struct queue *q, const struct answer *answer);

/* Rows of any sink may have become due (a page was stored, an operator wrote). */
void queue_wake(struct queue *q);

/* What the queue must know of the row that was tried. */
struct tried {
	int64_t id;
	int sink; /* number */
	int64_t attempt, first_attempt_at, held_base_ms;
	int64_t started_at, took_ms; /* this attempt */
};

/*
 * One attempt ended with this outcome: fills what becomes of the row. Texts in `out` point into
 * `outcome` and into `reason` (REASON_MAX bytes), which the caller keeps until it is stored.
 * Returns how the sink changed, for the log.
 */
enum queue_change { QUEUE_SAME, QUEUE_WENT_DOWN, QUEUE_STILL_DOWN, QUEUE_CAME_UP };
enum queue_change queue_settle(struct queue *q, const struct tried *row,
			       const struct outcome *outcome, int64_t now, struct settle *out,
			       char reason[REASON_MAX]);

/*
 * We ended this attempt ourselves, to stop: nobody's fault, so neither row nor sink waits for it.
 * It is due again, perhaps already heard.
 */
void queue_settle_cut(const struct tried *row, bool maybe_sent, int64_t now,
		      struct settle *out);

/* The outcomes of `count` rows of this sink are on the disk: their slots are free. */
void queue_committed(struct queue *q, int sink, size_t count);

/* Holds that changed and are not stored yet (room for all sinks). */
size_t queue_holds(struct queue *q, struct hold *holds);
/* Those from queue_holds() are stored, or were not: then they come again. */
void queue_holds_stored(struct queue *q);
void queue_holds_failed(struct queue *q);

struct queue_status {
	size_t under_way;
	int64_t held_until, down_since; /* 0: none */
	const char *reason;
};
void queue_status(const struct queue *q, size_t index, struct queue_status *out);
size_t queue_under_way(const struct queue *q);

#endif
