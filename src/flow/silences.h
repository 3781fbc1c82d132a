/*
 * silences: what the operator wants quiet for a while.
 */
#ifndef FLOW_SILENCES_H
#define FLOW_SILENCES_H

#include <stdint.h>

#include "model/facts.h"

struct silences;

/* The latest end among those that match and are in force; 0: none is. *id: which one. */
int64_t silences_until(const struct silences *s, const struct facts *facts, int64_t now,
		       int64_t *id);

#endif
