/*
 * budget: when a source may ask the API again; pure, on the steady clock.
 *
 * At most `share` of what the server says it allows a minute (X-RateLimit-Limit) is ours, spread
 * out so that no minute holds more, nor one that began before the server said so. Of that the
 * passes have parts: heads at most a half, sweeps a third, full passes a half, what is left being
 * the last's. A part holds back the beginning of a pass, never its pages: a walk that pauses lets
 * its cursors die. So a pass that took more than its part makes the next one of its kind begin
 * later. When others have used up nearly all of a shared key (Remaining), sweeps and full passes
 * wait for the server's minute to end. The directory's pages are no news to anybody: each of them
 * waits for its part.
 *
 * Sources with the same credentials share one budget.
 */
#ifndef FLOW_BUDGET_H
#define FLOW_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/bucket.h"
#include "flow/pass.h"
#include "model/request.h"

enum { BUDGET_SECONDS = 60 };

struct budget {
	double share;             /* over 0, at most 1 */
	int64_t limit, remaining; /* as the server last said; remaining -1: it did not */
	/* Steady; while nearly nothing remains, sweeps and full passes, and heads, wait. */
	int64_t resets_at, heads_at;
	int64_t blocked_until; /* steady */
	struct bucket all, parts[PASS_KINDS];
	struct bucket context; /* the directory's */
	/* Requests of the last minute, by second. */
	size_t used[BUDGET_SECONDS];
	int64_t used_at; /* steady, in seconds: the newest of them */
};

void budget_init(struct budget *b, double share, int64_t now);
/* Another share from now on; what was used and what the server said stay known. */
void budget_share(struct budget *b, double share, int64_t now);
/* What the headers of an answer say of it. */
void budget_note(struct budget *b, const struct reply *reply, int64_t now);
/*
 * How long a 429 asks us to wait, in ms: its Retry-After in either form, else until its Reset,
 * read against its own Date so that our clock does not matter; -1 when it says nothing that can
 * be believed.
 */
int64_t budget_asked_ms(const struct reply *reply);
/* Nothing may go before that instant. */
void budget_block(struct budget *b, int64_t until);

/* How long until a pass of this kind may begin; 0: now. */
int64_t budget_begin_wait_ms(struct budget *b, enum pass_kind kind, int64_t now);
/* How long until the next request of such a pass may go; 0: now. */
int64_t budget_wait_ms(struct budget *b, enum pass_kind kind, int64_t now);
/* … when it can't wait for its part of the minute and becomes a debt. */
int64_t budget_hurry_wait_ms(struct budget *b, enum pass_kind kind, int64_t now);
/* A request goes. */
void budget_take(struct budget *b, int64_t now);
/* A page of such a pass brought nothing new: it is paid out of the pass's part. */
void budget_charge(struct budget *b, enum pass_kind kind, int64_t now);

/*
 * How long until the directory (and what else is asked about an alert) may ask; 0: now. Each of its
 * requests is paid out of a quarter of what is ours, and leaves some for a poll.
 */
int64_t budget_context_wait_ms(struct budget *b, int64_t now);
/* Such a request goes. */
void budget_take_context(struct budget *b, int64_t now);

/* Requests in the last minute, and how many a minute may be ours. */
size_t budget_used(struct budget *b, int64_t now);
int64_t budget_allowed(const struct budget *b);

#endif
