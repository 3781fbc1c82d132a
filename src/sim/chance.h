/*
 * chance: seeded chance. The same seed tells the same story, on every machine.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdint.h>

/* Scatters x over all 64 bits, one to one (the finalizer of splitmix64). */
uint64_t chance_mix(uint64_t x);

/* 0..n-1 (n >= 1) for the pair (hash, salt): independent draws from one number. */
uint32_t chance_pick(uint64_t hash, uint64_t salt, uint32_t n);

/* A sequence. */
struct chance {
	uint64_t state;
};

uint64_t chance_next(struct chance *c);
/* from <= result < to; from when the range is empty. */
int64_t chance_between(struct chance *c, int64_t from, int64_t to);
/* A wait of that mean, as between independent events; at most 20 times the mean. */
double chance_wait(struct chance *c, double mean);

#endif
