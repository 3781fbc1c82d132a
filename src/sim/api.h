/*
 * api: what the Toktra Public API itself answers.
 */
#ifndef SIM_API_H
#define SIM_API_H

#include "sim/sim.h"

/*
 * Answers a request to anything but /_sim. The request counts against its caller's limit. A
 * status that is not 0 replaces the answer by an error, as a fault asks.
 */
void api_answer(struct sim *sim, const struct httpd_request *request, int64_t now, int status,
		struct httpd_answer *answer);

/* Is a list of alerts asked for? */
bool api_is_list(const struct httpd_request *request);

#endif
