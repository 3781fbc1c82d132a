/*
 * budget: when a source may ask the API again; pure, on the steady clock.
 *
 * At most `share` of what the server says it allows (X-RateLimit-Limit), as a bucket a minute;
 * and when others have used up nearly all of a shared key, a pause before the next request.
 */
#ifndef FLOW_BUDGET_H
#define FLOW_BUDGET_H

#include "flow/bucket.h"
#include "model/request.h"

struct budget {
	double share;             /* over 0, at most 1 */
	int64_t limit, remaining; /* as the server last said; remaining -1: it did not */
	bool is_low;              /* the next request pauses first */
	struct bucket bucket;
};

void budget_init(struct budget *b, double share, int64_t now);
/* What the headers of an answer say of it. */
void budget_note(struct budget *b, const struct reply *reply);
/* How long until the next request is within the budget; 0: it may go. */
int64_t budget_wait_ms(struct budget *b, int64_t now);
/* A request goes. */
void budget_take(struct budget *b);

#endif
