/*
 * bucket: a token bucket: so many in so long, pure, moved by the caller's clock.
 *
 * It holds at most `size` tokens and refills evenly at its rate; a rate of count 0 is no limit.
 * So any stretch of time sees at most size + rate × time go. What is spent without being there
 * is a debt, paid off by the refill before anything is there again. A clock that jumps back
 * gives nothing and takes nothing; one that jumps forward fills it at most.
 */
#ifndef FLOW_BUCKET_H
#define FLOW_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/num.h"

struct bucket {
	struct rate rate;
	double size, debt_max;
	double tokens; /* below 0: a debt */
	int64_t filled_at;
};

/* Full; its size is the rate's count, and no debt is too large. */
void bucket_init(struct bucket *b, struct rate rate, int64_t now);
/* Another rate and size from now on; what is in it is cut to the size, a debt to debt_max. */
void bucket_shape(struct bucket *b, struct rate rate, double size, double debt_max,
		  int64_t now);
/* How many may go now; SIZE_MAX without a limit. */
size_t bucket_room(struct bucket *b, int64_t now);
/* So many go now, whether they are there or not; a debt past debt_max is forgotten. */
void bucket_spend(struct bucket *b, size_t count, int64_t now);
/* How long until one may go, or so many (at most its size); 0: now. */
int64_t bucket_wait_ms(struct bucket *b, int64_t now);
int64_t bucket_wait_for_ms(struct bucket *b, size_t count, int64_t now);
/* How long until a debt is paid; 0: there is none. */
int64_t bucket_debt_ms(struct bucket *b, int64_t now);

#endif
