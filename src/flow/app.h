/*
 * app: one running tocsin: it owns every part and the order in which they live and die.
 *
 * app_new() opens the store (taking the lock), recovers rows whose outcome is unknown, and
 * starts nothing; app_run() runs until app_stop(), then stops cleanly (invariant 11): no more
 * polls, no more claims, `grace` for what is in flight, then a cut, and every outcome stored.
 * It names no library and reads no clock but base/clock, so all of it runs in a simulated world.
 */
#ifndef FLOW_APP_H
#define FLOW_APP_H

#include <stdint.h>

#include "base/err.h"
#include "flow/setup.h"
#include "io/turn.h"

struct app;

/* setup and turn are borrowed; seed is where chance starts. NULL and err: see store_open(). */
struct app *app_new(struct setup *setup, struct turn *turn, uint64_t seed, struct err *err)
	__attribute__((warn_unused_result));
void app_free(struct app **a);

/* Until stopped. */
void app_run(struct app *a);
/* Stops cleanly; called again: at once, still losing nothing. */
void app_stop(struct app *a);
/* All sources poll now. */
void app_poll(struct app *a);

#endif
