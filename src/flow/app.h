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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/setup.h"
#include "io/turn.h"

struct app;

/* setup is held while it is in force, turn is borrowed; seed is where chance starts. NULL and err: see store_open(). */
struct app *app_new(struct setup *setup, struct turn *turn, uint64_t seed, struct err *err)
	__attribute__((warn_unused_result));
void app_free(struct app **a);

/*
 * Before app_run(), for the daemon: the pages over HTTP at `listen`, and the service manager is
 * told. False and err, with the remedy, when it cannot listen there.
 */
bool app_watch(struct app *a, struct err *err) __attribute__((warn_unused_result));

/* Until stopped. */
void app_run(struct app *a);
/* Stops cleanly; called again: at once, still losing nothing. */
void app_stop(struct app *a);
/* All sources poll now. */
void app_poll(struct app *a);
/*
 * Reads the file of the setup again, soon, and goes on with what it says; with any mistake in it
 * all stays as it is, the log tells each one and `status` the first. Stops no delivery.
 */
void app_reload(struct app *a);

/*
 * Before app_run(), which then returns by itself: one complete pass of each source, and what is
 * due is tried; what waits stays in the store.
 */
void app_once(struct app *a);
/* After that: was the pass of a source (as in the settings) complete? Of all? */
bool app_is_polled(const struct app *a, size_t source);
bool app_all_polled(const struct app *a);

#endif
