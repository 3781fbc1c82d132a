/*
 * roster: the numbers that the store gave to the names of this configuration.
 *
 * Hot rows carry numbers (store-facts); the configuration has names and order. This is the one
 * place that knows both. Filled once at start; numbers of names that are gone are unknown here.
 */
#ifndef FLOW_ROSTER_H
#define FLOW_ROSTER_H

#include <stddef.h>

#include "base/err.h"
#include "model/settings.h"
#include "store/store.h"

struct roster {
	const struct settings *settings; /* borrowed */
	int *sources, *routes;           /* numbers, in the settings' order; owned */
	struct store_sink *sinks;        /* with the stored state at start; owned */
};

bool roster_fill(struct roster *r, const struct settings *settings, struct store *store,
		 struct err *err) __attribute__((warn_unused_result));
void roster_release(struct roster *r);

/* The settings of a number, or NULL when its name is not in the configuration any more. */
const struct sink_settings *roster_sink(const struct roster *r, int number);
const struct route *roster_route(const struct roster *r, int number);
const struct source_settings *roster_source(const struct roster *r, int number);

#endif
