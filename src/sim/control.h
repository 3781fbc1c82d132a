/*
 * control: /_sim/…: alerts put in, changed and removed, faults, expiry, counts. For tests and
 * people on the same machine; others are refused.
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <stdbool.h>

#include "sim/sim.h"

/* True for a path of the control API. */
bool control_is_path(const char *path);

void control_answer(struct sim *sim, const struct httpd_request *request, int64_t now,
		    struct httpd_answer *answer);

#endif
