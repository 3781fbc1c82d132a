/*
 * life: what happens in the world by itself: alerts open at a rate; most are acknowledged, all
 * are resolved in the end, some come back.
 *
 * It answers one question, "what is due now, and how long may I sleep?", so its caller owns the
 * only timer. Pure: both clocks are arguments.
 */
#ifndef SIM_LIFE_H
#define SIM_LIFE_H

#include <stdint.h>

#include "base/num.h"
#include "sim/world.h"

struct life;

/* Opens alerts at that rate on average; a rate with count 0 opens none. */
struct life *life_new(struct world *world, uint64_t seed, struct rate rate, int64_t steady)
	__attribute__((warn_unused_result));
void life_free(struct life **life);

/* Does all that is due at `steady`, stamping it `now`; ms until more is due, -1 for never. */
int64_t life_run(struct life *life, int64_t steady, int64_t now);

#endif
