/*
 * source: polls one organisation's alerts, pass by pass.
 *
 *   SLEEPING ─ poll due ─▶ TOKEN? ─▶ PAGE ─▶ STORING ─ next cursor ─▶ PAGE …
 *      ▲                     │         │         │
 *      └──── pass failed ◀───┴─────────┘         └─ last page ─▶ pass complete ─▶ SLEEPING
 *
 * Each poll is one complete pass over /alerts; its last page carries the position. A pass that
 * did not finish advances nothing (invariant 3). Timers and replies only leave notes; all
 * starts happen in source_turn_end(). Sources know nothing of each other.
 */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/roster.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "store/store.h"

struct source;

/* All borrowed. */
struct source_parts {
	struct source_settings *settings;
	const struct roster *roster;
	int number;
	struct store *store;
	struct xfer *xfer;
	struct turn *turn;
	/* Rows may have become due: called from the completion of a page that made some. */
	void (*stored)(void *arg);
	void *arg;
};

/* NULL and err when its stored state can't be read. */
struct source *source_new(const struct source_parts *parts, uint64_t seed, struct err *err)
	__attribute__((warn_unused_result));
void source_free(struct source **s);

/* Leaves a note: a poll is wanted now. */
void source_poll(struct source *s);
/* No new page is asked for while paused (the disk is nearly full); what is here is stored. */
void source_pause(struct source *s, bool paused);
/* No further request is started (shutdown). */
void source_stop(struct source *s);
/* Called at the end of every turn: starts what is noted. */
void source_turn_end(struct source *s);
/* No page waits to be stored. A request may still be under way: its answer is not needed. */
bool source_is_idle(const struct source *s);

struct source_status {
	const char *name;
	const struct source_state *state;
	int64_t limit, remaining; /* -1: not known */
	const char *error;        /* "" while polls succeed */
	bool ever_complete;       /* a pass was completed since start */
};
void source_status(const struct source *s, struct source_status *out);

#endif
