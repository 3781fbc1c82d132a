/*
 * sim: the simulated API, from a request to its answer; no socket and no clock of its own
 * besides base/clock.
 *
 *   sim_handle ─┬─ /_sim/… ──▶ control
 *               └─ a fault? ──▶ api ──▶ the fault's misdeed, the count
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdint.h>

#include "io/httpd.h"
#include "sim/args.h"
#include "sim/crowd.h"
#include "sim/dice.h"
#include "sim/faults.h"
#include "sim/gate.h"
#include "sim/hook.h"
#include "sim/life.h"
#include "sim/stats.h"
#include "sim/world.h"

struct sim {
	const struct args *args; /* borrowed */
	uint64_t seed;
	struct world *world;
	struct crowd *crowd;
	struct life *life;
	struct hook *hook;            /* NULL: no webhook */
	char *hook_url, *hook_secret; /* owned; of one that was registered; else NULL */
	struct gate gate;
	struct seal seal; /* of cursors */
	int64_t cursor_epoch;
	struct faults faults;
	struct stats stats;
	struct dice request_ids;
};

/* A world with its history, and a life that begins now. */
struct sim *sim_new(const struct args *args, uint64_t seed) __attribute__((warn_unused_result));
void sim_free(struct sim **sim);

/* An httpd_handler; arg is the struct sim. */
void sim_handle(void *arg, const struct httpd_request *request, struct httpd_answer *answer);

/* Lets happen what is due; ms until there is more, -1 for never. */
int64_t sim_live(struct sim *sim);

/* ---- for the parts ---- */

/* Makes the answer an error in the API's schema; the error's type follows from the status. */
void sim_refuse(struct sim *sim, struct httpd_answer *answer, int status, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* Marks the answer as JSON. */
void sim_json(struct httpd_answer *answer);

#endif
