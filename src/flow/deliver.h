/*
 * deliver: the pump that hands outcomes to the store and sends what it claims.
 *
 *   settled list ──┐                       ┌─▶ render → build → transfer → judge ─┐
 *                  ├─▶ store_turn ─ done ──┤                                      │
 *   queue's asks ──┘                       └─ slots free                          │
 *        ▲                                                                        │
 *        └────────────────────────── settled list ◀───────────────────────────────┘
 *
 * Write, commit, then speak (invariant 1): a request is built and started only in the
 * completion of the turn that committed its claim. An outcome waits in memory until a commit
 * takes it; while the store refuses, nothing new starts (invariant 9).
 */
#ifndef FLOW_DELIVER_H
#define FLOW_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/holding.h"
#include "flow/queue.h"
#include "flow/roster.h"
#include "flow/setup.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "store/store.h"

struct deliver;

/* Borrowed; all but the setup, which may be refitted, outlive it. */
struct deliver_parts {
	struct setup *setup;
	const struct roster *roster;
	const struct holding *holding; /* of the same roster */
	struct queue *queue;
	struct store *store;
	struct xfer *xfer;
	struct turn *turn;
};

struct deliver *deliver_new(const struct deliver_parts *parts)
	__attribute__((warn_unused_result));
/* Nothing may be under way. Outcomes not yet stored are lost with the process: see idle. */
void deliver_free(struct deliver **d);

/* Called at the end of every turn: stores what is settled, asks for what may start. */
void deliver_turn_end(struct deliver *d);

/*
 * Another setup, for what is claimed from now on; roster and queue have it already. What is under
 * way holds the setup that it was built from. Only while deliver_is_storing() is false.
 */
void deliver_refit(struct deliver *d, struct setup *setup);
/* Silences have changed, or the clock was set back: the next ticks let go what is held in vain. */
void deliver_look_ahead(struct deliver *d);
/* A batch is with the store. */
bool deliver_is_storing(const struct deliver *d);

/* No new claims from now on (shutdown); outcomes are still stored. */
void deliver_drain(struct deliver *d);
/* From now on a transfer that is cut was cut by us, to stop: no fault of its sink. */
void deliver_cut(struct deliver *d);
/* Nothing is under way and every outcome is on the disk. */
bool deliver_is_idle(const struct deliver *d);
/* So, and no row will start within some seconds: what is left waits longer, or for people. */
bool deliver_is_done_for_now(const struct deliver *d);

struct deliver_status {
	bool store_failing;
	char store_error[200];
	int64_t delivered, failed; /* attempts, since start */
};
void deliver_status(const struct deliver *d, struct deliver_status *out);

#endif
