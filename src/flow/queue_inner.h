/*
 * queue_inner: what the files of queue share; nobody outside includes it.
 *
 *   queue.c         what may start or move now, and how long to sleep
 *   queue_settle.c  what becomes of a row and of its sink after an attempt
 *   queue_refit.c   another configuration
 */
#ifndef FLOW_QUEUE_INNER_H
#define FLOW_QUEUE_INNER_H

#include "flow/bucket.h"
#include "flow/queue.h"

/* How far a sink's rows have been looked at, to hand them over. */
struct look {
	bool is_wanted;   /* there may be rows that were not looked at */
	bool is_going_on; /* from `mark` on, begun at began_at */
	int64_t began_at;
	struct move_mark mark;
};

struct sink {
	const struct sink_settings *settings; /* NULL: gone from the configuration */
	int number;
	int fallback; /* the number of another sink; 0: none */
	struct look look;
	int64_t moved; /* rows that went there since it went down last */
	struct bucket bucket;
	size_t under_way;    /* claimed, and its outcome not on the disk */
	size_t landed;       /* of those: the outcome is known */
	int64_t next_due_at; /* 0: unknown, ask; INT64_MAX: nothing is due until a wake */

	int64_t held_until;    /* 0: not held */
	int64_t down_since;    /* 0: up; else held or probing */
	bool asked;            /* … for so long by the destination itself */
	int64_t paused_at;     /* held by the operator since; 0: not */
	int64_t released_at;   /* when he last let it go, as far as is heeded */
	int64_t held_total_ms; /* of holds that are over */
	int64_t fails;         /* probes failed, for the penalty */
	int64_t nevers;        /* in a row */
	int64_t delivered_at;
	int64_t mended_at;                      /* has another target since; 0: never */
	int64_t attempts, ended[VERDICT_KINDS]; /* for those who watch */
	char reason[REASON_MAX];
	char move_reason[REASON_MAX]; /* of the moves under way */
	bool dirty;                   /* the hold is not stored as it is */
	bool in_commit;               /* … but is part of the batch under way */
};

struct queue {
	struct sink *sinks; /* as in the settings, then those that are gone */
	size_t count;
	struct chance chance;
	int64_t next_tick_at; /* 0: unknown, look; INT64_MAX: none until a wake */
};

static inline int64_t queue_max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Configured no longer; only what was under way is still to end. */
static inline bool queue_is_gone(const struct sink *s)
{
	return s->settings == NULL;
}

/* A sink that the queue did not have, as it is stored. */
void queue_take(struct sink *s, const struct queue_sink *from, int64_t now);
/* It sends to another target now: what the old one did is forgotten, and it is tried at once. */
void queue_mend(struct sink *s, int64_t now);

/* There is one; else it is a mistake of ours. */
struct sink *queue_sink_of(struct queue *q, int number);

/* The longest wait that could have been chosen: a tenth more than the caps, for jitter. */
int64_t queue_wait_cap_ms(const struct sink *s);

/* A hold that ends later than any wait could is cut to the longest one. */
bool queue_is_held(struct sink *s, int64_t now);

/* All the time this sink was held, up to now. */
int64_t queue_held_total_ms(const struct sink *s, int64_t now);

/* Ends whatever holds the sink; what failed need not wait any longer. */
void queue_end_hold(struct sink *s, int64_t now);

#endif
