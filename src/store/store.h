/*
 * store: what survives: alerts, events, deliveries, positions. The database is the queue.
 *
 * Two hot calls write for the daemon, each a batch in and a completion out, exactly once:
 * store_page() (what intake saw on one page) and store_turn() (outcomes of the last turn and
 * the claims of the next, in one transaction). This engine completes inline, before the call
 * returns; callers must not rely on that. All else is synchronous, for commands and start. The
 * header names no engine. One daemon a store: store_open() with STORE_DAEMON takes the lock.
 *
 * Rows and who writes them: store_page() makes alerts, events, deliveries and rejects, moves
 * positions and keeps what is missing; store_turn() moves deliveries, attempts and sinks'
 * holds; what stands under "the operator" is his. Nobody else writes.
 *
 * A failed commit changes nothing: done() gets ok = false and the caller keeps the batch. What a
 * page wrote that moves no position is on the disk with the next commit of another kind, or with
 * store_tidy(); all else is when the call returns.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/num.h"
#include "model/alert.h"
#include "model/event.h"
#include "model/page.h"
#include "store/holds.h"

struct store;

enum store_mode {
	STORE_DAEMON,  /* creates and migrates; takes the lock for life */
	STORE_COMMAND, /* must exist; reads and writes beside a daemon */
	STORE_READ,    /* must exist; reads only */
};

/* NULL and err: no such file, newer schema, damaged, held by pid N … with the remedy. The daemon
 * sets a damaged file aside and makes a new one: see store_opened(). */
struct store *store_open(const char *path, enum store_mode mode, struct err *err)
	__attribute__((warn_unused_result));
void store_close(struct store **s);

/* What was out of the ordinary when the daemon opened it. */
struct store_opened {
	bool was_damaged;
	char damage[200]; /* what was found */
	char aside[480];  /* where that file lies now */
	/* 0, or: the store before went astray, and sources that this one does not know yet begin
	 * here: what came up since rings (store_source_number() sees to it). */
	int64_t rings_from_at;
	/* It is a backup: what waits in it, and what it does not know, may have been sent since, so
	 * that is marked (maybe_sent). */
	bool is_restored;
};
const struct store_opened *store_opened(const struct store *s);

/*
 * Is the file still where it was? Asked once a second by the daemon. False and err, which names
 * it, when it was deleted or replaced under us: until it is back every batch fails, and nothing
 * is written. The remedy is store_lost_hint().
 */
bool store_look(struct store *s, struct err *err);
const char *store_lost_hint(void);
/* True once the engine has called the file damaged: to open it again looks at all of it. */
bool store_is_damaged(const struct store *s);

/* ---- names: numbers in hot rows, names in views ---- */

/* The number of a name, made when new. 1-based, stable for the life of the store. */
bool store_source_number(struct store *s, const char *name, int *number, struct err *err);
bool store_route_number(struct store *s, const char *name, int *number, struct err *err);

/*
 * A source that was called `was`: when the store knows that name and not yet the new one, what
 * it holds of it is the new one's from now on. Where it knows both, each keeps its own.
 */
enum store_rename { RENAME_NONE, RENAME_DONE, RENAME_LATE };
bool store_source_rename(struct store *s, const char *was, const char *name,
			 enum store_rename *out, struct err *err);

struct store_sink {
	const char *name, *type;
	const char *was; /* the name that it takes over from; NULL: none */
	bool collapse;
	bool pairs;               /* pairs opens and closes: hears no close without its open */
	int64_t batch_max;        /* rows that one send tells; 1: it takes no digests */
	int64_t listed_max;       /* … and lists: where people read; 0: each row is listed */
	bool names_people;        /* its recipients are the alerts' to name */
	int64_t hurry_at;         /* rows due later than that are due then; 0: they wait */
	int number;               /* out */
	bool retyped;             /* out: it had another type */
	enum store_rename rename; /* out: of `was`; LATE: both had rows, and it is the heir */
	/* out: its stored state */
	int64_t held_until, down_since; /* 0: none */
	int64_t held_total_ms;          /* all the time it was held so far */
	int64_t paused_at;              /* held by the operator since; 0: not */
	int64_t released_at;            /* when he last let it go; 0: never */
	char reason[240];               /* why it is down, or his */
};
/*
 * Says which sinks there are now, in one transaction: numbers them, fills their stored state,
 * and takes over from `was`: by a rename when the new name is new, so that all rows stay as they
 * are; else the new one is the old one's heir for good, and what follows on an episode that the
 * old one heard is the heir's. The rows are then store_adopt()'s.
 */
bool store_sinks(struct store *s, struct store_sink *sinks, size_t count, struct err *err);
/*
 * Some hundred rows of sinks that are gone become `orphaned`, of those that are back due again;
 * what has not ended of one that has an heir ends `moved`, "adopted by NAME", and a row of the
 * heir's takes its place (origin requeue), unless the heir has news of that alert that are as
 * new. DONE when nothing was left; MORE: call again between turns; FAILED, with err: later.
 */
enum store_adopted { ADOPT_DONE, ADOPT_MORE, ADOPT_FAILED };
enum store_adopted store_adopt(struct store *s, int64_t now, struct err *err);

/* Reads their stored state anew: an operator may have held or released some. */
bool store_sinks_look(struct store *s, struct store_sink *sinks, size_t count, struct err *err);

/* At the daemon's start: rows that were claimed when the last one died become due and
 * maybe_sent, and what it left in the log is made safe. Returns how many, or -1. */
int64_t store_recover(struct store *s, int64_t now, struct err *err);

/* ---- crashes ---- */

/* So often counted, a row is given up, and so is an alert. */
enum { STORE_CRASHES_MAX = 2 };

/* What the last run was working on when it crashed. */
struct store_crash {
	int64_t at;           /* when: the same crash is counted once */
	int64_t delivery;     /* this row; 0: an alert that was being taken in */
	const char *source;   /* of this source ("" for a row) */
	const char *alert;    /* by its id; "": it was still being read */
	int64_t hash;         /* then by a hash of its bytes; else 0 */
	const char *reason;   /* one line: of the attempt that it was */
	const char *given_up; /* of what is given up */
};
/* STALE: no such row waits, no such source is known, or it is counted already. */
enum store_crashed { CRASHED_NOT_STORED, CRASHED_STALE, CRASHED_COUNTED, CRASHED_GIVEN_UP };
/* At the daemon's start, after store_recover(). A row that is given up ends as a dead letter. */
enum store_crashed store_crashed(struct store *s, const struct store_crash *crash, int64_t now,
				 int64_t *times, struct err *err);

/* Alerts of this source that are given up: by id, or ("") by the hash of their bytes. */
typedef void store_crashed_fn(void *arg, const char *alert, int64_t hash, const char *reason);
bool store_crashed_alerts(struct store *s, int source, store_crashed_fn *take, void *arg,
			  struct err *err) __attribute__((warn_unused_result));

/* ---- sources ---- */

enum { HEAD_CURSOR_MAX = 1024 }; /* bytes; a longer one is not kept: it is only a hint */

struct source_state {
	char org_id[256];
	char order_seen[16]; /* "unknown" until learned */
	int64_t baseline_at; /* 0: not taken yet; older alerts than this do not ring */
	bool baseline_known;
	int64_t last_head_at, last_sweep_at, last_full_at; /* last complete pass; 0: never */
	/* By the server's clock: everything listed by then was seen by a complete pass. */
	int64_t head_at;
	char head_cursor[HEAD_CURSOR_MAX + 1]; /* what fetched the last page; "": none */
	int64_t full_pages; /* how many the last full pass had; 0: none was complete */
};

/* Alerts held as active that the last sweep did not list. */
struct missing {
	size_t count;
	int64_t look_at; /* when one of them is to be looked for; INT64_MAX: none is missing */
};
bool store_source_load(struct store *s, int source, struct source_state *out, struct err *err);
bool store_source_missing(struct store *s, int source, struct missing *out, struct err *err);
/* As page_result.waiting_until. */
int64_t store_source_waiting(struct store *s, int source);
/* The next source after this number of which events wait, configured or not; name NULL: there is
 * none, else the caller frees it. */
bool store_waiting_source(struct store *s, int after, int *number, char **name, struct err *err)
	__attribute__((warn_unused_result));

/* The bytes of each active alert of this source, for who wants its own back. */
bool store_active_alerts(struct store *s, int source,
			 void (*take)(void *arg, const char *bytes, size_t len), void *arg,
			 struct err *err) __attribute__((warn_unused_result));

/* ---- intake ---- */

/* How often an alert has opened again since then. */
struct flap {
	int64_t since, count;
};

/* What the store holds of an alert. */
struct known {
	enum alert_state state;
	enum alert_status status;
	enum alert_severity severity;
	int64_t content;      /* alert_content(): severity, title and message, for `changed` */
	int64_t episode, seq; /* of its newest event; 0 for silent ones */
	int64_t created_at, resolved_at;
	struct flap flap;
	char *context; /* of its newest event; NULL: none. The store's */
};

/* Reason of a row that a route's `events` left out; its sink belongs to the episode all the same. */
#define STORE_NOT_CHOSEN "event not chosen"

/* One row to make for an event. */
struct target {
	int sink, route; /* numbers; route 0: none */
	bool dropped; /* made `dropped` with reason (an event the route did not choose …) */
	const char *reason;
	int step; /* of an escalation, from 1; 0: none, it is told at once */
	struct wish wish;
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
	struct flap flap; /* as it is now; of one that has not opened again zero */
	/* What is kept with its events, a JSON object; NULL: nothing. Lives until the next call. */
	const char *context;
	size_t context_len;
	/* Not 0: its event, the first of an episode, is kept without rows, and looked at again
	 * until then. */
	int64_t wait_until;
};

/* An event that has waited for its context. */
struct waiting {
	enum event_kind kind;
	bool first;
	int64_t at, until;
	struct flap flap; /* the alert's */
	bool is_over;     /* it waits no longer, whatever is known */
	const char *body; /* the alert's bytes at the event; borrowed */
	size_t body_len;
	const char *context; /* what was known when it came; NULL: nothing; borrowed */
};

/*
 * The end of a walk that listed all active alerts, or all there are. An active alert that it did
 * not list is missing: a page that lists it ends that; a walk over all that is complete and does
 * not, once its time to be looked for has come, is one absence. The wait until the next look
 * grows fourfold each time; the last absence makes it vanished. One absence never does.
 */
struct walk_end {
	bool saw_all;               /* else: all active ones */
	const struct bits *sighted; /* numbers of the alerts listed since the walk began */
	int64_t look_again_ms;      /* after the first absence */
	int64_t absences_max;       /* so many make it vanished; at least 2 */
};

struct page_result;
struct page_batch {
	int source;
	int64_t now;
	/*
	 * When the page was asked for, and the first of its walk; 0: it does not matter. Walks go
	 * side by side and lists may be snapshots, so a page may tell of a time before what is
	 * known: an alert that was written since then is left as it is. That one is resolved is
	 * believed of every page asked for later; all else a later pass tells as well.
	 */
	int64_t asked_at, walked_from_at;
	const struct alert *items; /* borrowed until done() */
	size_t item_count;
	const struct reject *rejects;
	size_t reject_count;
	/*
	 * So many events of this source that wait are looked at again, those after this one first
	 * (0: from the oldest on). 0: none but those whose alert the page brings as another one:
	 * these wait no longer.
	 */
	size_t waiting_room;
	int64_t waiting_after;
	bool waiting_ends; /* they wait no longer, whatever is known */
	/* NULL, or what a complete pass moves to: written last, in the same transaction. A batch
	 * may hold nothing else. */
	const struct source_state *position;
	const struct walk_end *end; /* NULL, or with the position */

	/*
	 * Decides for one alert; called once for each that is NEW (known NULL) or whose bytes
	 * changed, inside the transaction, so it must be pure. Targets may live in the caller's
	 * scratch until the next call.
	 */
	void (*decide)(void *decide_arg, const struct known *known, const struct alert *seen,
		       struct decision *out);
	/*
	 * A follow-up of this kind for this sink, whose episode row was made by this route
	 * (number; 0 none): false: no row is made. Fills what holds it.
	 */
	bool (*follows)(void *decide_arg, int route, int sink, enum event_kind kind,
			struct wish *wish);
	/*
	 * Decides on an event that waits: wait_until again, or its context and one step's targets.
	 * Returns the alert as it was at the event, which lives until the next call; NULL: it
	 * cannot be read, and nobody is told. Never called where nothing waits.
	 */
	const struct alert *(*route)(void *decide_arg, const struct waiting *event,
				     struct decision *out);
	/* This alert is in hand from now on; NULL: none is any more. May be NULL itself. */
	void (*takes)(void *decide_arg, const struct alert *alert);
	void *decide_arg;
	void (*done)(void *arg, const struct page_result *result);
	void *arg;
};

struct page_result {
	bool ok;
	bool full;                   /* no room on the disk */
	bool busy;                   /* a command writes: the same page again soon */
	bool lost;                   /* see store_look(), which tells it once for all */
	const char *error, *hint;    /* with the path; what to do */
	size_t fresh, changed, same; /* alerts */
	size_t silent; /* of the fresh: older than the baseline, they do not ring */
	size_t repaired;
	size_t rejected;           /* rejects that the store had not seen before */
	size_t events, deliveries; /* made, dropped rows included */
	/* Of the items' alerts, in their order, until done() returns; 0: one of the past, which
	 * was known once and is passed over. */
	const int64_t *numbers;
	struct missing missing; /* of this source, after the page */
	size_t vanished;        /* by the end of the walk */
	/* Until when the first of the source's events waits; INT64_MAX: none does. */
	int64_t waiting_until;
	int64_t waiting_after; /* the last one looked at; 0: there are no more after it */
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
	enum delivery_state state; /* DONE, DEAD, MOVED, DROPPED, or DUE again */
	int64_t due_at;            /* of DUE */
	int moved_to;         /* of MOVED: the sink that takes over; its row is made here */
	bool maybe_sent;      /* sets the mark; never takes it away */
	bool uncount;         /* the attempt does not count (AGAIN, or never started) */
	const char *reason;   /* NULL: none */
	const char *handle;   /* NULL: none */
	const char *progress; /* NULL: keep */
	struct attempt attempt;
	int64_t attempt_count; /* the row's count at this try, for first-success */
	int64_t batch;         /* the digest that it leads; 0: none */
	bool split;            /* of DUE: its members go out one by one */
	bool repeats;          /* of DONE: it, or a member, may be told again */
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

/*
 * "Up to room rows that wait at a sink that is down go to its fallback", beginning after a mark:
 * rows that stay are not looked at twice. What stays: rows that came by a fallback themselves
 * (there are no chains), and rows of an episode of which the sink has heard, since whoever heard
 * an alert open is to hear it close, and from the same sink.
 */
struct move_mark {
	int64_t due_at, id;
};
struct move {
	int from, to;
	size_t room;
	struct move_mark after;
	const char *reason; /* what they end with */
};
/* The answer to it. */
struct moved {
	int from, to;
	size_t count;          /* rows that ended `moved`, without those that waited behind */
	struct move_mark mark; /* so far they have been looked at … */
	bool is_end;           /* … and that was the last one */
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
	const char *context; /* what is kept with it, a JSON object; "" */
	size_t context_len;
	const char *handle;   /* of an earlier row of this episode and sink; "" */
	const char *progress; /* "" */
	/* Where its people are those of an earlier event: that one; body NULL: they are its own. */
	struct opening opening;

	/* A digest, which this row leads; batch 0: it is none. */
	int64_t batch;
	const char *why, *storm, *rest; /* "" none */
	struct claim *members;          /* that are listed, in order; this row may be none */
	size_t member_count;
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
	const struct move *moves;
	size_t move_count;
	const struct ask *asks;
	size_t ask_count;
	const struct tick *tick; /* NULL: not now */
	/* How long after this one a delivery by that route is told again; 0: it is not. */
	int64_t (*repeat_ms)(void *arg, int route);
	void (*done)(void *arg, const struct turn_result *result);
	void *arg;
};

struct turn_result {
	bool ok;
	bool full, busy, lost;      /* as of a page */
	const char *error, *hint;   /* likewise */
	const struct claim *claims; /* live until done() returns */
	size_t claim_count;
	const struct answer *answers; /* one an ask, in order */
	size_t answer_count;
	const struct moved *moved; /* one a move, in order */
	size_t moved_count;
	int64_t next_tick_at; /* when the next tick is wanted, within STORE_TICK_MAX_MS; INT64_MAX:
			       * nothing is held. Only where there was a tick. */
	size_t freed;         /* rows that became due by it */
};

void store_turn(struct store *s, const struct turn_batch *batch);

/* How long commits took so far, in us, and how many failed (busy ones are none). */
const struct histogram *store_commits(const struct store *s);
int64_t store_commit_failures(const struct store *s);
/* What the store at this path takes on the disk, its log included. */
int64_t store_bytes(const char *path);

/* Changes when another connection has written: new work may be due. */
int64_t store_version(struct store *s);
/* Pages go to the disk that no turn has taken there; a checkpoint when enough frames wait. Called
 * between turns, once a second. */
void store_tidy(struct store *s);

/*
 * One small step of forgetting: rows, events and alerts that were over before the instant
 * `before`, and old rejects. Called between turns, at a pace. MORE: there may be more to do;
 * DONE: a round is over, what is young now takes its time; FAILED, with err: as before, later.
 */
enum store_pruned { PRUNE_MORE, PRUNE_DONE, PRUNE_FAILED };
enum store_pruned store_prune(struct store *s, int64_t now, int64_t before, struct err *err);

/* ---- what only the daemon knows ---- */

/* Writes the `runtime` row (JSON text) for `status`; the caller paces it. */
bool store_runtime(struct store *s, int64_t now, const char *json, struct err *err);

/* ---- the operator ---- */

/*
 * Each call is one transaction, of a size that a daemon does not feel; who has more rows goes on
 * with the next ones. Which rows these are is found by views.
 */
enum { STORE_CHUNK_MAX = 500 };

/* How requeued rows are spread: each sink's n-th is due at start_at + n / rate. Zero the rest. */
struct pace {
	struct rate rate;
	int64_t start_at;
	int64_t made[DELIVERY_SINK_MAX + 1]; /* rows so far, by the sink's number */
};

struct selection {
	const int64_t *ids;
	size_t id_count;   /* at most STORE_CHUNK_MAX */
	unsigned states;   /* bits 1 << delivery_state: rows in no such state any more are left
			    * alone; 0: any */
	struct pace *pace; /* of a requeue; NULL: all are due at once */
	int64_t *kept_ms;  /* NULL, or filled: how long nobody else could write */
};

/*
 * Ends each selected row `moved: requeued` and makes a new due one with the alert's latest
 * event (origin requeue, next ordinal); rows of one alert and sink share one. Rows on their way
 * or moved are left alone. Returns rows made, or -1.
 */
int64_t store_requeue(struct store *s, const struct selection *which, int64_t now,
		      struct err *err);
/*
 * Ends each selected row `dropped: operator` (due, held, orphaned and dead ones), and with it
 * what waits behind. Returns rows ended, or -1.
 */
int64_t store_drop(struct store *s, const struct selection *which, int64_t now,
		   struct err *err);
/* Selected rows that are due later are due now. Returns how many, or -1. */
int64_t store_hasten(struct store *s, const struct selection *which, int64_t now,
		     struct err *err);

/*
 * Holds a sink until it is released: nothing of it is claimed, and its rows do not age. This
 * takes the place of a hold for its failures. Held already: only the reason (NULL: none) is new.
 */
bool store_sink_hold(struct store *s, const char *name, const char *reason, int64_t now,
		     struct err *err);
/* Ends that hold, and one for failures. */
bool store_sink_release(struct store *s, const char *name, int64_t now, struct err *err);

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
