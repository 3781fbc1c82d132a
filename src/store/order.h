/*
 * order: one in flight per sink and alert, oldest first (invariant 6), and who folds into whom.
 *
 * A row whose older row of the same sink and alert has not ended is `held`, reason `behind`,
 * with `after` = that row. That is decided when the row is made and undone when the older one
 * ends, so a claim need not look: a row that waits is in no index that a claim reads.
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "store/holds.h"

struct store;

/* Where a new row stands. */
struct place {
	enum delivery_state state; /* DUE, HELD, ORPHANED, or DROPPED */
	int64_t after;             /* 0: nothing is before it */
	int64_t due_at;            /* of a row that waits for nobody */
	enum hold_reason hold;     /* HELD for a time, too; NONE: not */
	int64_t held_until, grp;
	bool begins_storm;  /* it goes at once, as a digest of one */
	const char *reason; /* DROPPED: why */
};

/* What the new row tells, and what holds it. */
struct news {
	bool is_close;
	const struct wish *wish;     /* NULL: nothing holds it */
	const char *severity, *type; /* of its alert, for what a digest counts */
	int64_t key;                 /* of the row, whose event is stored; 0: not told */
};

/*
 * The place of a new row of this sink, after the rows of s->history, which must be of the row's
 * own episode. For a sink that collapses, older rows of which nothing was sent end `dropped`,
 * reason `superseded`, and the new one takes their place. Behind a row that is held for a time
 * the new one shares its hold; but a close goes at once to who heard the open, and what it finds
 * waiting ends.
 */
struct place order_place(struct store *s, int sink, const struct news *news, int64_t now);

/* What a row that nothing older holds is held by; counts it. */
void order_wish(struct store *s, const struct wish *wish, int64_t now, struct place *place);

/*
 * A member of a digest stands in no line. Puts it behind the newest older row of its alert and
 * sink that has not ended; false: there is none.
 */
bool order_queue_up(struct store *s, int64_t id);

/* The time of a held row has passed, or the digest that it was in goes out one by one: it is due
 * at due_at, or behind an older row still. */
void order_free(struct store *s, int64_t id, int64_t due_at);
/* What is to wait with it longer: for another time. */
void order_hold(struct store *s, int64_t id, const struct place *hold);

/* Makes the row with this key, in its place; when it waits for nobody, it is due at due_at. */
void order_make(struct store *s, int64_t key, int route, int64_t due_at, int64_t now);
/* Makes a row there. */
void order_add_row(struct store *s, int64_t key, int route, const struct place *place,
		   int64_t now);

/* The key of the next requeued row of an event and sink; 0: there have been too many. */
int64_t order_requeue_key(struct store *s, int64_t event, int sink);

/* A due row that waits for its time is due now; false: it does not. */
bool order_hasten(struct store *s, int64_t id, int64_t now);

/* Ends a row; what waits behind it is the caller's next call. A row that was `done` stays one
 * that was heard: it is maybe_sent from now on. */
void order_end(struct store *s, int64_t id, enum delivery_state state, const char *reason,
	       int64_t now);

/*
 * Row id has ended: what waits behind it is due at due_at; or, when the row itself waited for
 * an older one (`after`, 0: it did not), waits for that one now.
 */
void order_release(struct store *s, int64_t id, int64_t after, int64_t due_at);

/* The row that waits behind this one; 0: none. */
int64_t order_follower(struct store *s, int64_t id);

/*
 * Row id failed and is due again at due_at. Where the sink collapses, nothing of it was sent and
 * newer news waits behind it, it ends `superseded`, and the news is due then instead.
 */
void order_fold(struct store *s, int64_t id, int64_t due_at, int64_t now);

/* One row as it is now; false: there is none. */
struct stored_row {
	int64_t id;
	enum delivery_state state;
	int64_t after;
	int route;
	int64_t due_at, attempt;
	bool maybe_sent, has_progress;
	int64_t batch; /* of a digest's member, while that has not ended; 0: none */
	int64_t held_until;
};
bool order_find(struct store *s, int64_t id, struct stored_row *row);

/* Does any row of the store wait behind another? */
bool order_any_waiting(struct store *s);

#endif
