/*
 * holds: rows that are held for a time, and what becomes of them when it has passed.
 *
 *   made ─▶ held until … ─▶ ripe ──┬─▶ alone: due, or behind an older row
 *                ▲                 ├─▶ in a digest with others: one row leads, the rest wait for it
 *                └── held anew ◀───┼─▶ dropped, with its reason
 *
 * Flow decides by the configuration, the store keeps what must survive: until when a row is
 * held and why, which groups are open, which storms go on, and who is in a digest. A row that
 * has been made keeps its time; when that has come, flow is asked again.
 */
#ifndef STORE_HOLDS_H
#define STORE_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "model/rest.h"

struct store;

/* What a new row is held by. */
struct wish {
	enum hold_reason reason; /* this comes before a storm and a group; NONE: nothing does */
	int64_t until;
	int64_t grp; /* of a silence: its id */
	/* Storms and groups that rows of the same key are counted in; key 0: none. */
	struct {
		int64_t key, over, within_ms;
	} storm;
	struct {
		int64_t key, wait_ms, max;
	} group;
};

/* A row whose time has come. */
struct ripe {
	int64_t id;
	int sink, route, source; /* numbers */
	enum hold_reason reason;
	enum delivery_origin origin;
	enum event_kind kind;
	int64_t until;    /* as it was first told */
	int64_t swept_at; /* the source's last complete walk over what is active; 0: none */
	bool is_owed;     /* a close, and its sink believes the alert open */
	bool is_open; /* its alert is neither acknowledged nor over, nor in a later episode */
	const char *body; /* the alert's bytes at the event; borrowed */
	size_t body_len;
	const char *context; /* kept with it, a JSON object; "" */
	size_t context_len;
};

enum ripe_fate {
	RIPE_GO,   /* `wish` may still name a storm and a group */
	RIPE_WAIT, /* `wish` says for what and until when */
	RIPE_DROP, /* `reason` says why */
};
struct ripened {
	enum ripe_fate fate;
	struct wish wish;
	const char *reason; /* lives until the turn is done */
};

/* How an alert counts in a digest. */
struct bearing {
	int rank; /* of its severity: the more severe the higher; at least 0 */
	char severity[REST_NAME_MAX], type[REST_NAME_MAX];
};

/* A tick is wanted after so long at the latest while anything is held for a time. Who finds that
 * the next one is further off knows that the clock was set back. */
enum { STORE_TICK_MAX_MS = 3600 * 1000 };

/* The part of a turn that looks for rows whose time has come. Both functions are pure. */
struct tick {
	size_t room; /* rows that it looks at, at most */
	/* Silences have changed, or the clock was set back: rows that are held by a silence that
	 * is over, or for longer than their reason can hold, need not wait any longer. */
	bool looks_ahead;
	void (*ripens)(void *arg, const struct ripe *row, struct ripened *out);
	void (*bears)(void *arg, const char *body, size_t len, struct bearing *out);
	void *arg;
};

/* The event whose people a row is for. Borrowed. */
struct opening {
	int source;
	enum event_kind kind;
	bool first;
	int64_t at;
	const char *body;
	size_t body_len;
	const char *context; /* kept with it, a JSON object; "" */
	size_t context_len;
};

/*
 * Who tells people apart, of sinks whose recipients alerts name: a digest is for the same ones.
 * Pure; called within transactions; not 0, and STORE_NOBODY where the alert names nobody.
 */
enum { STORE_NOBODY = 1 };
struct store_namer {
	int64_t (*people)(void *arg, int sink, const struct opening *opening);
	void *arg; /* outlives the store, or until another namer is set */
};
void store_set_namer(struct store *s, const struct store_namer *namer);

/* Reason of a row that was for nobody: no episode is known by it. */
#define STORE_NO_RECIPIENT "no recipient"

#endif
