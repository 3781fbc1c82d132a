/*
 * plan: which pass is due, from where it walks, when it may stop and what it moves; pure.
 *
 *   head   newest-first   from the first page until one lies beyond the last complete pass
 *          oldest-first   on from the cursor that fetched the last page
 *          else           the open ones
 *   sweep                 the open ones, then the acknowledged ones
 *   full                  everything; or until all that is missing is found
 *
 * A list that fits one page is walked whole by each head pass, which is then a sweep and a full
 * pass, too. An oldest-first list whose cursor was refused, and one that shows another order
 * than was learned, is asked for its open ones until a full pass has been through it again.
 * Only complete walks from the first page teach the order; a head pass may only doubt it.
 */
#ifndef FLOW_PLAN_H
#define FLOW_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/pass.h"
#include "store/store.h"

/* Starts a head pass. in_doubt: until the next full pass the order counts for nothing. */
void plan_head(const struct source_state *state, bool in_doubt, struct pass *pass);

enum plan_step {
	PLAN_GO_ON,
	PLAN_DEEP_ENOUGH,
	PLAN_OPEN_ONES, /* the list is long and not newest first: ask for its open ones instead */
};

/* After a page of a head pass that has more; so many of its alerts were new and ring. */
enum plan_step plan_head_step(const struct source_state *state, const struct pass *pass,
			      const struct page *page, size_t fresh, int64_t listed_at);

/* Did a walk that ended see everything? */
bool plan_saw_all(const struct pass *pass);

/*
 * What a complete pass moves. It was asked for at listed_at by the server's clock and ended now;
 * ended: it came to the list's end, else it was deep enough.
 */
void plan_move(struct source_state *state, enum pass_kind kind, const struct pass *pass,
	       bool ended, int64_t listed_at, int64_t now);

/*
 * When the next full pass is due, by the clock of the stored instants; in the past: now. start
 * is how far before the first start alerts ring (of "24h"), allowed the requests a minute that
 * may be ours. What was noted more than an hour ahead of now makes it due: a clock was set back.
 * What is missing is apart: see struct missing.
 */
int64_t plan_full_at(const struct source_state *state, bool in_doubt, int64_t start_since_ms,
		     int64_t allowed, int64_t now);

#endif
