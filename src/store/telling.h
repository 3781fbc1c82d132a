/*
 * telling: who is told of an event, and the rows that this makes.
 *
 * For a step of a decision: its own targets, and where it follows, the sinks of its episode
 * (invariant 5). First it is planned, so that an event which nobody would hear need not be made;
 * then the event has its rows. s->history must be of the event's own episode, and end before it.
 *
 * Rows of new alerts which nothing holds are gathered, since a statement of many costs a third less
 * of each: telling_flush() makes what is left of them, before anybody reads rows of these alerts.
 */
#ifndef STORE_TELLING_H
#define STORE_TELLING_H

#include "store/sql.h"
#include "store/store.h"

struct plan;

/* A row that is due. */
struct fresh {
	int64_t key, due_at;
	int route;
};

struct telling {
	struct store *s;
	const struct page_batch *batch;
	const struct alert *seen; /* the alert at hand */
	struct plan *plans;       /* owned */
	size_t count, room;
	size_t made;  /* rows, so far */
	bool gathers; /* the alert at hand is new, and has one event */
	struct fresh fresh[SQL_ROWS_MAX];
	size_t fresh_count;
};

/* Plans the rows of a step; true when there are any. */
bool telling_plan(struct telling *t, const struct step *step);

/* The event to be told. */
struct told {
	int64_t event, prev; /* prev 0: the first of its alert */
	enum event_kind kind;
};
/* Makes the rows that are planned. */
void telling_make(struct telling *t, const struct told *told);
void telling_flush(struct telling *t);

void telling_release(struct telling *t);

#endif
