/*
 * spend: who used which model how much, told from the seed, the user, the model and the day. An
 * hour, a week and a month are parts and sums of days, so whatever is asked adds up to the same.
 */
#ifndef SIM_SPEND_H
#define SIM_SPEND_H

#include <stdbool.h>
#include <stdint.h>

enum { SPEND_SLOTS = 3 }; /* models that one user may use */

struct spend {
	int64_t requests;
	int64_t input_tokens, output_tokens;
	int64_t micros; /* of a US dollar */
};

/* The row of cast_models that the user's slot stands for; -1: none. */
int spend_model(uint64_t seed, uint32_t user, uint32_t slot);

/* Adds what was used on that day (since the epoch), or in that hour of it (-1: all of it). */
void spend_add(struct spend *sum, uint64_t seed, uint32_t user, uint32_t slot, int64_t day,
	       int hour);

#endif
