/*
 * store: what survives: alerts, events, deliveries, positions. The database is the queue.
 *
 * Two hot calls write for the daemon, each a batch in and a completion out, exactly once:
 * store_page() (what intake saw on one page) and store_turn() (outcomes of the last turn and
 * the claims of the next, in one transaction). This engine completes inline, before the call
 * returns; callers must not rely on that. All else is synchronous, for commands and start. The
 * header names no engine. One daemon a store: store_open() with STORE_DAEMON takes the lock.
 *
 * Rows and who writes them: store_page() makes alerts, events, deliveries and rejects and
 * moves positions; store_turn() moves deliveries, attempts and sinks' holds; store_requeue()
 * and store_drop() are the operator's. Nobody else writes.
 *
 * A failed commit changes nothing: done() gets ok = false and the caller keeps the batch.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/alert.h"
#include "model/event.h"
#include "model/page.h"

struct store;

enum store_mode {
	STORE_DAEMON,  /* creates and migrates; takes the lock for life */
	STORE_COMMAND, /* must exist; reads and writes beside a daemon */
	STORE_READ,    /* must exist; reads only */
};

/* NULL and err: no such file, newer schema, damaged, held by pid N … with the remedy. */
struct store *store_open(const char *path, enum store_mode mode, struct err *err)
	__attribute__((warn_unused_result));
void store_close(struct store **s);

/* ---- names: numbers in hot rows, names in views ---- */

/* The number of a name, made when new. 1-based, stable for the life of the store. */
bool store_source_number(struct store *s, const char *name, int *number, struct err *err);
bool store_route_number(struct store *s, const char *name, int *number, struct err *err);

struct store_sink {
	const char *name, *type;
	bool collapse;
	int number; /* out */
	/* out: its stored state */
	int64_t held_until, down_since; /* 0: none */
	int64_t held_total_ms;          /* all the time it was held so far */
	char reason[240];
};
/*
 * Says which sinks there are now, in one go: numbers them, fills their stored state, and makes
 * rows of sinks that are gone `orphaned` (and back to `due` when one returns by name).
 */
bool store_sinks(struct store *s, struct store_sink *sinks, size_t count, struct err *err);

/* At the daemon's start: rows that were claimed when the last one died become due and
 * maybe_sent. Returns how many, or -1. */
int64_t store_recover(struct store *s, int64_t now, struct err *err);

/* ---- sources ---- */

struct source_state {
	char org_id[256];
	char order_seen[16]; /* "unknown" until learned */
	int64_t baseline_at; /* 0: not taken yet; older alerts than this do not ring */
	bool baseline_known;
	int64_t last_head_at, last_sweep_at, last_full_at; /* last complete pass; 0: never */
};
bool store_source_load(struct store *s, int source, struct source_state *out, struct err *err);

/* ---- intake ---- */

/* What the store holds of an alert. */
struct known {
	enum alert_state state;
	enum alert_status status;
	enum alert_severity severity;
	int64_t content;      /* alert_content(): severity, title and message, for `changed` */
	int64_t episode, seq; /* of its newest event; 0 for silent ones */
	int64_t created_at, resolved_at;
};

/* Reason of a row that a route's `events` left out; its sink belongs to the episode all the same. */
#define STORE_NOT_CHOSEN "event not chosen"

/* One row to make for an event. */
struct target {
	int sink, route; /* numbers; route 0: none */
	bool dropped; /* made `dropped` with reason (an event the route did not choose …) */
	const char *reason;
};

/* One event to record. */
struct step {
	enum event_kind kind;
	bool first;       /* first sighting was already resolved */
	bool new_episode; /* starts the next episode */
	bool follow;      /* rows for the sinks with a live or heard row of this episode */
	bool only_new;    /* targets that have such a row already are skipped */
	bool if_told;     /* not recorded when it makes no row */
	const struct target *targets;
	size_t target_count;
};

enum { DECISION_STEPS_MAX = 3 };

/* What intake decides for one alert whose bytes are new to the store. */
struct decision {
	bool silent; /* recorded without an event: older than the baseline */
	struct step steps[DECISION_STEPS_MAX];
	size_t step_count;
};

struct page_result;
struct page_batch {
	int source;
	int64_t now;
	const struct alert *items; /* borrowed until done() */
	size_t item_count;
	const struct reject *rejects;
	size_t reject_count;
	/* NULL, or what a complete pass moves to: written last, in the same transaction. */
	const struct source_state *position;

	/*
	 * Decides for one alert; called once for each that is NEW (known NULL) or whose bytes
	 * changed, inside the transaction, so it must be pure. Targets may live in the caller's
	 * scratch until the next call.
	 */
	void (*decide)(void *decide_arg, const struct known *known, const struct alert *seen,
		       struct decision *out);
	/*
	 * A follow-up of this kind for this sink, whose episode row was made by this route
	 * (number; 0 none): false: no row is made.
	 */
	bool (*follows)(void *decide_arg, int route, int sink, enum event_kind kind);
	void *decide_arg;
	void (*done)(void *arg, const struct page_result *result);
	void *arg;
};

struct page_result {
	bool ok;
	bool full; /* no room on the disk */
	bool busy; /* a command writes: the same page again soon */
	const char *error;
	size_t fresh, changed, same; /* alerts */
	size_t repaired;
	size_t rejected;           /* rejects that the store had not seen before */
	size_t events, deliveries; /* made, dropped rows included */
	int64_t newest_created_at;
};

void store_page(struct store *s, const struct page_batch *batch);

/* ---- the turn ---- */

/* One try of a delivery, kept unless it is a first success. */
struct attempt {
	int64_t at; /* 0: it was never started, and nothing is kept */
	int64_t took_ms;
	enum verdict verdict;
	int status;
	const char *answer; /* one line */
};

/* What becomes of a claimed row. */
struct settle {
	int64_t id;
	enum delivery_state state; /* DONE, DEAD, DROPPED, or DUE again */
	int64_t due_at;            /* of DUE */
	bool maybe_sent;           /* sets the mark; never takes it away */
	bool uncount;              /* the attempt does not count (AGAIN, or never started) */
	const char *reason;        /* NULL: none */
	const char *handle;        /* NULL: none */
	const char *progress;      /* NULL: keep */
	struct attempt attempt;
	int64_t attempt_count; /* the row's count at this try, for first-success */
};

/* A sink's stored state. */
struct hold {
	int sink;
	int64_t held_until, down_since, held_total_ms;
	const char *reason; /* "" when up */
};

/* "Up to room rows of this sink that are due." */
struct ask {
	int sink;
	size_t room;
	bool probe;            /* the row with fewest attempts first */
	int64_t held_total_ms; /* the sink's, noted in rows tried for the first time */
	/* No row waits longer than this: one due later was stored by a clock that has jumped
	 * back, and when nothing else is due it is (invariant 8). 0: there is no such bound. */
	int64_t wait_max_ms;
};

/* A row claimed: to be sent once done() says the transaction is committed. */
struct claim {
	int64_t id, event;
	int sink, route, source;
	enum event_kind kind;
	enum delivery_origin origin;
	int ordinal;
	bool first, possible_repeat;
	int64_t episode, seq;
	int64_t at;      /* when the event was observed */
	int64_t attempt; /* this try's number, from 1 */
	int64_t first_attempt_at;
	int64_t held_base_ms; /* the sink's held_total_ms at the first attempt */
	const char *body;     /* the alert's bytes at the event */
	size_t body_len;
	const char *handle;   /* of an earlier row of this episode and sink; "" */
	const char *progress; /* "" */
};

/* The answer to one ask. */
struct answer {
	int sink;
	size_t claimed;
	int64_t next_due_at; /* the earliest row left that waits; INT64_MAX: none */
};

struct turn_result;
struct turn_batch {
	int64_t now;
	const struct settle *settles;
	size_t settle_count;
	const struct hold *holds;
	size_t hold_count;
	const struct ask *asks;
	size_t ask_count;
	void (*done)(void *arg, const struct turn_result *result);
	void *arg;
};

struct turn_result {
	bool ok;
	bool full, busy;
	const char *error;
	const struct claim *claims; /* live until done() returns */
	size_t claim_count;
	const struct answer *answers; /* one an ask, in order */
	size_t answer_count;
};

void store_turn(struct store *s, const struct turn_batch *batch);

/* Changes when another connection has written: new work may be due. */
int64_t store_version(struct store *s);
/* A checkpoint when enough frames wait; called between turns. */
void store_tidy(struct store *s);

/* ---- what only the daemon knows ---- */

/* Writes the `runtime` row (JSON text) for `status`; the caller paces it. */
bool store_runtime(struct store *s, int64_t now, const char *json, struct err *err);

/* ---- the operator ---- */

/* Which rows: ids, or a filter (NULL and empty: any). */
struct selection {
	const int64_t *ids;
	size_t id_count;
	const char *sink;
	const char *state; /* default for requeue: dead */
};

/*
 * Ends each selected row `moved: requeued` and makes a new due one with the alert's latest
 * event (origin requeue, next ordinal); rows of one alert and sink share one. In chunks of 500
 * rows. Rows on their way or moved are left alone. Returns rows made, or -1.
 */
int64_t store_requeue(struct store *s, const struct selection *which, int64_t now,
		      struct err *err);
/*
 * Ends each selected row `dropped: operator` (due, held, orphaned and dead ones; without a
 * state all but the dead), and with it what waits behind. Returns rows ended, or -1.
 */
int64_t store_drop(struct store *s, const struct selection *which, int64_t now,
		   struct err *err);

/* ---- reading by views (commands) ---- */

struct view;
/*
 * A query over views; ?1… are bound to texts (NULL: null). NULL and err on a failure. Where a
 * number is computed, compare with CAST(?1 AS INTEGER). Close it soon: while it is open the
 * log of the store cannot shrink.
 */
struct view *view_open(struct store *s, const char *sql, const char *const *args, size_t count,
		       struct err *err) __attribute__((warn_unused_result));
bool view_next(struct view *v);
/* After the last row: true and err when the rows ended by a failure. */
bool view_failed(struct view *v, struct err *err);
/* Of the current row; text lives until the next view_next(). NULL for SQL null. */
const char *view_text(struct view *v, const char *column);
size_t view_len(struct view *v, const char *column);
int64_t view_int(struct view *v, const char *column);
bool view_is_null(struct view *v, const char *column);
void view_close(struct view **v);

#endif
