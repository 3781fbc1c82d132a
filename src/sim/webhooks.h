/*
 * webhooks: POST /v1/webhooks. The simulated organisation has one, by --webhook or by this.
 */
#ifndef SIM_WEBHOOKS_H
#define SIM_WEBHOOKS_H

#include "sim/ask.h"

void webhooks_register(const struct ask *ask);

/* Has `told` from now on whatever opens or changes. Borrows url and secret. */
void webhooks_begin(struct sim *sim, const char *url, const char *secret, uint64_t seed);

#endif
