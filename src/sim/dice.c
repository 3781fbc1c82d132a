/* dice: splitmix64, and what is drawn with it. */
#include "sim/dice.h"

uint64_t dice_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint32_t dice_pick(uint64_t hash, uint64_t salt, uint32_t n)
{
	return (uint32_t)(dice_mix(hash ^ (salt << 56)) % n);
}

uint64_t dice_next(struct dice *c)
{
	c->state += UINT64_C(0x9e3779b97f4a7c15);
	return dice_mix(c->state);
}

int64_t dice_between(struct dice *c, int64_t from, int64_t to)
{
	return to <= from ? from : from + (int64_t)(dice_next(c) % (uint64_t)(to - from));
}

/*
 * -ln(u) without the mathematics library: each halving of the range costs ln 2, and what is
 * left of u, in [0.5, 1), is near enough a line: on average 3.8 % above, which is taken off.
 */
double dice_wait(struct dice *c, double mean)
{
	double u = (double)((dice_next(c) >> 11) + 1) / 9007199254740992.0;
	double sum = 0;

	while (u < 0.5 && sum < 19) {
		u *= 2;
		sum += 0.6931471805599453;
	}
	return mean / 1.0385 * (sum + (1 - u) * 1.3862943611198906);
}
