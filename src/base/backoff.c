/*
 * backoff: chance is splitmix64 (Steele, Lea and Flood 2014): one word of state that any seed
 * may fill, which is all that spreading waits needs. It guards no secret.
 */
#include "base/backoff.h"

#include <assert.h>

void chance_seed(struct chance *c, uint64_t seed)
{
	c->state = seed;
}

uint64_t chance_next(struct chance *c)
{
	uint64_t z = (c->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The remainder favours small answers, so draws from the last, incomplete round are thrown away
 * (fewer than every third one, for the worst `below`). */
int64_t chance_below(struct chance *c, int64_t below)
{
	assert(below >= 1);
	uint64_t n = (uint64_t)below;
	uint64_t incomplete = (UINT64_MAX - n + 1) % n; /* 2^64 mod n */
	uint64_t drawn;

	do
		drawn = chance_next(c);
	while (drawn < incomplete);
	return (int64_t)(drawn % n);
}

int64_t backoff_ms(struct chance *c, int64_t min_ms, int64_t max_ms, int64_t n)
{
	assert(min_ms > 0 && min_ms <= max_ms && max_ms < INT64_MAX);
	assert(n >= 1);
	int64_t doublings = n - 1;
	int64_t cap = max_ms;

	if (doublings < 62 && min_ms <= max_ms >> doublings)
		cap = min_ms << doublings;
	return chance_below(c, cap + 1);
}

int64_t backoff_jitter_ms(struct chance *c, int64_t wait_ms)
{
	assert(wait_ms >= 0 && wait_ms <= INT64_MAX / 2);
	int64_t tenth = wait_ms / 10;

	return wait_ms + 1 + chance_below(c, tenth < 1 ? 1 : tenth);
}
