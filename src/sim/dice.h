/*
 * dice: seeded chance. The same seed tells the same story, on every machine.
 */
#ifndef SIM_DICE_H
#define SIM_DICE_H

#include <stdint.h>

/* Scatters x over all 64 bits, one to one (the finalizer of splitmix64). */
uint64_t dice_mix(uint64_t x);

/* 0..n-1 (n >= 1) for the pair (hash, salt): independent draws from one number. */
uint32_t dice_pick(uint64_t hash, uint64_t salt, uint32_t n);

/* A sequence. */
struct dice {
	uint64_t state;
};

uint64_t dice_next(struct dice *c);
/* from <= result < to; from when the range is empty. */
int64_t dice_between(struct dice *c, int64_t from, int64_t to);
/* A wait of that mean, as between independent events; at most 20 times the mean. */
double dice_wait(struct dice *c, double mean);

#endif
