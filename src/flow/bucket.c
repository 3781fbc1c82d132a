/* bucket: see the header; all arithmetic is in one place, refill(). */
#include "flow/bucket.h"

#include <math.h>

void bucket_init(struct bucket *b, struct rate rate, int64_t now)
{
	*b = (struct bucket){ .rate = rate, .tokens = (double)rate.count, .filled_at = now };
}

void bucket_resize(struct bucket *b, struct rate rate)
{
	b->rate = rate;
	b->tokens = fmin(b->tokens, (double)rate.count);
}

static void refill(struct bucket *b, int64_t now)
{
	if (now > b->filled_at)
		b->tokens += (double)(now - b->filled_at) * (double)b->rate.count /
			     (double)b->rate.per_ms;
	b->tokens = fmin(b->tokens, (double)b->rate.count);
	b->filled_at = now;
}

size_t bucket_room(struct bucket *b, int64_t now)
{
	if (b->rate.count == 0)
		return SIZE_MAX;
	refill(b, now);
	/* A hair of rounding must not cost a whole token. */
	return (size_t)(b->tokens + 1e-9);
}

void bucket_take(struct bucket *b, size_t count)
{
	b->tokens -= (double)count;
}

int64_t bucket_wait_ms(struct bucket *b, int64_t now)
{
	if (bucket_room(b, now) > 0)
		return 0;
	return (int64_t)ceil((1.0 - b->tokens) * (double)b->rate.per_ms /
			     (double)b->rate.count);
}
