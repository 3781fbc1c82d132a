/*
 * bucket: a token bucket: so many in so long, pure, moved by the caller's clock.
 *
 * It holds at most rate.count tokens and refills evenly; a rate of count 0 is no limit. A clock
 * that jumps back gives nothing and takes nothing; one that jumps forward fills it at most.
 */
#ifndef FLOW_BUCKET_H
#define FLOW_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/num.h"

struct bucket {
	struct rate rate;
	double tokens;
	int64_t filled_at;
};

void bucket_init(struct bucket *b, struct rate rate, int64_t now);
/* Another rate; what is in it is cut to the new size. */
void bucket_resize(struct bucket *b, struct rate rate);
/* How many may go now; SIZE_MAX without a limit. */
size_t bucket_room(struct bucket *b, int64_t now);
void bucket_take(struct bucket *b, size_t count);
/* How long until one may go; 0: now. */
int64_t bucket_wait_ms(struct bucket *b, int64_t now);

#endif
