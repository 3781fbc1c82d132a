/*
 * source: polls one organisation's alerts, by passes of three kinds, side by side.
 *
 *   lane:  RESTS ─ due ─▶ WANTS_PAGE ─▶ PAGE_FLIES ─▶ WANTS_STORE ─▶ STORING ─ more ─▶ WANTS_PAGE …
 *            ▲                                              │             │
 *            └──────────── given up, after a wait ◀─────────┘             └─ end ─▶ WANTS_END ─▶ ENDING ─▶ RESTS
 *
 * A lane walks the passes of one kind, one after the other: heads look for new alerts, sweeps
 * for what became of active ones, full passes see everything. Heads go first. A pass that did
 * not finish advances nothing (invariant 3). The lanes share the credential, the budget and the
 * order learned. Timers and replies only leave notes; all starts happen in source_turn_end().
 * Sources know nothing of each other.
 */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/budget.h"
#include "flow/directory.h"
#include "flow/holding.h"
#include "flow/lookup.h"
#include "flow/pass.h"
#include "flow/roster.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "store/store.h"

struct source;

/* All borrowed. */
struct source_parts {
	struct source_settings *settings;
	const struct holding *holding;
	int number;
	struct store *store;
	struct xfer *xfer;
	struct turn *turn;
	struct budget *budget; /* shared by the sources of one credential */
	int64_t born_at; /* steady; since when it, or the one that it replaces, wants alerts */
	/* Rows may have become due: called from the completion of a page that made some. */
	void (*stored)(void *arg);
	void *arg;
};

/* NULL and err when its stored state can't be read. */
struct source *source_new(const struct source_parts *parts, uint64_t seed, struct err *err)
	__attribute__((warn_unused_result));
void source_free(struct source **s);
int64_t source_born_at(const struct source *s);

/*
 * The same settings out of another setup, and the roster has new ones: it goes on with whatever
 * it does. Only while source_is_storing() is false.
 */
void source_refit(struct source *s, struct source_settings *settings);
/* A page or the end of a pass is with the store. */
bool source_is_storing(const struct source *s);
/*
 * It is replaced or gone: nothing of it is started or stored any more, and no setting is read;
 * it may be freed once source_is_over(). What is on its way is dropped: no position has moved.
 */
void source_retire(struct source *s);
bool source_is_over(const struct source *s);

/* Leaves a note: a poll is wanted now, and a sweep after it. */
void source_poll(struct source *s);
/*
 * Toktra's webhook: a body and its X-Toktra-Signature (NULL: none). NUDGE_TAKEN: a poll and a sweep
 * are wanted now, whatever the body says.
 */
enum source_nudged { NUDGE_NOT_WANTED, NUDGE_FORGED, NUDGE_TAKEN };
enum source_nudged source_nudge(struct source *s, const char *signature, const char *body,
				size_t len);
/* No passes but one over everything; see source_once_over(). Before the first turn. */
void source_once(struct source *s);
/* No new page is asked for while paused (the disk is nearly full); what is here is stored. */
void source_pause(struct source *s, bool paused);
/* No further request is started (shutdown). */
void source_stop(struct source *s);
/* Called at the end of every turn: starts what is noted. */
void source_turn_end(struct source *s);
/* See directory_want(). */
bool source_want_context(struct source *s, enum context_kind kind, const char *id);
/* See lookup_usage(). */
enum lookup_answer source_usage(struct source *s, const char *user_id, int64_t at,
				const char *model, struct buf *out);
/* No page waits to be stored. A request may still be under way: its answer is not needed. */
bool source_is_idle(const struct source *s);
/* The pass of source_once() is over; *ok: it was complete. */
bool source_once_over(const struct source *s, bool *ok);

/* The longest pass under way. */
struct source_walk {
	const char *kind; /* NULL: none */
	size_t pages, items;
	int64_t total, left_ms; /* -1: not known */
};

/* The passes of one kind, since start. */
struct source_polls {
	int64_t begun, errors; /* errors: answers that were none, and passes given up */
};

struct source_status {
	const char *name;
	const struct source_state *state;
	int64_t limit, remaining; /* -1: not known */
	int64_t allowed, used;    /* requests a minute that may be ours; in the last one */
	const char *error;        /* "" while polls succeed */
	bool ever_complete;       /* a pass was completed since start */
	struct source_walk walk;
	struct source_polls polls[PASS_KINDS];
	int64_t token_errors; /* tokens that were not to be had, since start */
	struct directory_status context[CONTEXT_KINDS]; /* of usage: no lists, errors alone */
	int64_t nudges, forged_nudges; /* since start; -1: they are not wanted */
	int64_t unrouted;              /* alerts that no route wanted, since start */
};
void source_status(const struct source *s, struct source_status *out);

#endif
