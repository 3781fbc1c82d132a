/* bucket: see the header; all arithmetic is in two places, refill() and time_of(). */
#include "flow/bucket.h"

#include <math.h>

/* A hair of rounding must not cost a whole token. */
static const double hair = 1e-9;

void bucket_init(struct bucket *b, struct rate rate, int64_t now)
{
	*b = (struct bucket){ .rate = rate,
			      .size = (double)rate.count,
			      .debt_max = INFINITY,
			      .tokens = (double)rate.count,
			      .filled_at = now };
}

static void cut(struct bucket *b)
{
	b->tokens = fmax(fmin(b->tokens, b->size), -b->debt_max);
}

static void refill(struct bucket *b, int64_t now)
{
	if (b->rate.count == 0)
		return;
	if (now > b->filled_at)
		b->tokens += (double)(now - b->filled_at) * (double)b->rate.count /
			     (double)b->rate.per_ms;
	b->filled_at = now;
	cut(b);
}

void bucket_shape(struct bucket *b, struct rate rate, double size, double debt_max, int64_t now)
{
	refill(b, now);
	b->rate = rate;
	b->size = size;
	b->debt_max = debt_max;
	b->filled_at = now;
	cut(b);
}

size_t bucket_room(struct bucket *b, int64_t now)
{
	if (b->rate.count == 0)
		return SIZE_MAX;
	refill(b, now);
	return b->tokens < 0 ? 0 : (size_t)(b->tokens + hair);
}

void bucket_spend(struct bucket *b, size_t count, int64_t now)
{
	refill(b, now);
	b->tokens -= (double)count;
	cut(b);
}

/* How long so many take to come. */
static int64_t time_of(const struct bucket *b, double tokens)
{
	return (int64_t)ceil(tokens * (double)b->rate.per_ms / (double)b->rate.count);
}

int64_t bucket_wait_for_ms(struct bucket *b, size_t count, int64_t now)
{
	return bucket_room(b, now) >= count ? 0 : time_of(b, (double)count - hair - b->tokens);
}

int64_t bucket_wait_ms(struct bucket *b, int64_t now)
{
	return bucket_wait_for_ms(b, 1, now);
}

int64_t bucket_debt_ms(struct bucket *b, int64_t now)
{
	bucket_room(b, now);
	return b->rate.count == 0 || b->tokens >= -hair ? 0 : time_of(b, -b->tokens);
}
