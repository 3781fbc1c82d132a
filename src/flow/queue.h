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
 * A sink with a fallback that has been down for `fallback_after` hands its rows over, while it
 * is held: when the hold ends, the first row that is due is the probe, and stays.
 *
 * An operator may hold a sink (queue_heed) and let it go, down or not; while he holds it, it is
 * neither up nor down.
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

/* A dead sink's rows go to its fallback by so many a turn. */
enum { QUEUE_MOVES_MAX = 100 };

struct queue;

/* One sink of it; index is the sink's in the settings. settings outlive the queue. */
struct queue_sink {
	const struct sink_settings *settings;
	int number;   /* in the store */
	int fallback; /* the number of the sink that takes over; 0: none */
	/* As stored; of a sink that the queue has already, what it knows itself counts. */
	int64_t held_until, down_since, held_total_ms;
	int64_t paused_at, released_at; /* as in queue_heed() */
	const char *reason;
	bool is_mended; /* it has another target than before */
	bool refuses;   /* it had refused QUEUE_NEVERS_MAX in a row, and delivered none since */
};

struct queue *queue_new(const struct queue_sink *sinks, size_t count, uint64_t seed,
			int64_t now) __attribute__((warn_unused_result));
void queue_free(struct queue **q);

/*
 * Another configuration: these are the sinks from now on, the same by number. The settings of the
 * old one need not live on. Not while a batch is with the store.
 */
void queue_refit(struct queue *q, const struct queue_sink *sinks, size_t count, int64_t now);
/* All sinks that it knows, with those that are gone and have something under way. */
size_t queue_sink_count(const struct queue *q);

/* What to ask the store for now (room for all sinks); returns how many asks. */
size_t queue_asks(struct queue *q, int64_t now, struct ask *asks);

/* Does a sink that is asked for have half of its window idle, or more? */
bool queue_is_starved(struct queue *q, const struct ask *asks, size_t count);

/* Which sinks' rows go to a fallback now (room for all sinks); returns how many moves. Texts
 * live until the next call. */
size_t queue_moves(struct queue *q, int64_t now, struct move *moves);

/* How long no ask and no move will come by itself; 0: now, -1: until something is due or
 * settled. */
int64_t queue_sleep_ms(struct queue *q, int64_t now);

/* How long until it is time to look for held rows whose time has come, STORE_TICK_MAX_MS at most;
 * 0: now, -1: until something is made or settled. */
int64_t queue_tick_wait_ms(const struct queue *q, int64_t now);
/* The store's answer: when it is time again (INT64_MAX: not by itself), and whether rows are due
 * by it. */
void queue_ticked(struct queue *q, int64_t next_at, bool any_freed);

/* The store's answer to an ask: rows that are under way from now on. They leave now, and not when
 * it was asked: what the rate gives while a slow disk commits is counted before they are. */
void queue_claimed(struct queue *q, const struct answer *answer, int64_t now);

/* The store's answer to a move. True: the first rows of this outage that went. */
bool queue_moved(struct queue *q, const struct moved *moved);
/* How many rows of this sink (a number) went to its fallback in its last outage. */
int64_t queue_moved_count(struct queue *q, int sink);

/* Rows of any sink may have become due, or be held (a page was stored, an operator wrote). */
void queue_wake(struct queue *q);

/*
 * The operator's word on a sink (by index), as it is stored; says what of it is new. Held since
 * paused_at (0: not), which takes the place of a hold for failures: what is under way ends,
 * nothing else starts, not even a probe, and nothing goes to a fallback. Another released_at than
 * before: it is up, whatever held it.
 */
struct queue_word {
	bool is_held, is_released; /* both: released, then held */
};
struct queue_word queue_heed(struct queue *q, size_t index, int64_t paused_at,
			     int64_t released_at, int64_t now);

/* What the queue must know of the row that was tried. */
struct tried {
	int64_t id;
	int sink; /* number */
	int64_t attempt, first_attempt_at, held_base_ms;
	int64_t batch;               /* the digest that it leads; 0: none */
	size_t events;               /* that it tells of */
	int64_t started_at, took_ms; /* this attempt */
};

/*
 * One attempt ended with this outcome: fills what becomes of the row. Texts in `out` point into
 * `outcome` and into `reason` (REASON_MAX bytes).
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

/*
 * Nothing is to be sent, and nobody's fault is it: the row ends `dropped`; or it leads a digest of
 * what is not for the same people any more, and each of that goes by itself.
 */
void queue_settle_dropped(const struct tried *row, const char *reason, struct settle *out);
void queue_settle_parted(const struct tried *row, int64_t now, struct settle *out);

/* A row of this sink has an outcome: its slot is free for the batch that stores that. */
void queue_landed(struct queue *q, int sink);

/* The outcomes of `count` rows of this sink, landed ones, are on the disk. */
void queue_committed(struct queue *q, int sink, size_t count);

/* Holds that changed and are not stored yet (room for all sinks). */
size_t queue_holds(struct queue *q, struct hold *holds);
/* Those from queue_holds() are stored, or were not: then they come again. */
void queue_holds_stored(struct queue *q);
void queue_holds_failed(struct queue *q);

struct queue_status {
	size_t under_way;
	/* Since the daemon's start: attempts begun, and those that ended, by enum verdict. */
	int64_t attempts, ended[VERDICT_KINDS];
	int64_t held_until, down_since; /* 0: none */
	int64_t paused_at;              /* held by the operator since; 0: not */
	const char *reason;
	bool refuses; /* QUEUE_NEVERS_MAX payloads in a row, and delivered none since */
};
void queue_status(const struct queue *q, size_t index, struct queue_status *out);
size_t queue_under_way(const struct queue *q);

#endif
