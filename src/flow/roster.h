/*
 * roster: the numbers that the store gave to the names of this configuration.
 *
 * Hot rows carry numbers (store-facts); the configuration has names and order. This is the one
 * place that knows both. Filled at start and for each reload; numbers of names that are gone are
 * unknown here. It is where `was` takes effect.
 */
#ifndef FLOW_ROSTER_H
#define FLOW_ROSTER_H

#include <stddef.h>

#include "base/err.h"
#include "model/settings.h"
#include "store/store.h"

/* The source of what the daemon has to say itself (flow/alarm); no configured one has its name. */
#define ROSTER_OWN_SOURCE SETTINGS_OWN_SOURCE

struct roster {
	const struct settings *settings; /* borrowed */
	int *sources, *routes;           /* numbers, in the settings' order; owned */
	int own_source;                  /* number */
	struct store_sink *sinks;        /* with the stored state at start; owned */
};

/*
 * In two steps, so that a reload can still fail between them: first sources and routes, of which
 * a number too many harms nobody; then the sinks, which takes effect. `old` (NULL: none) is the
 * roster in force: rows that wait for a sink which was down and is mended go at once.
 */
bool roster_begin(struct roster *r, const struct settings *settings, struct store *store,
		  struct err *err) __attribute__((warn_unused_result));
bool roster_finish(struct roster *r, const struct roster *old, struct store *store,
		   struct err *err) __attribute__((warn_unused_result));
/* Has the sink, by its name or by `was`, another target than in the roster before? */
bool roster_is_mended(const struct roster *old, const struct sink_settings *sink);
void roster_release(struct roster *r);

/* The number of a sink's fallback (the sink by its place in the settings); 0: it has none. */
int roster_fallback(const struct roster *r, size_t sink);

/* The settings of a number, or NULL when its name is not in the configuration any more. */
const struct sink_settings *roster_sink(const struct roster *r, int number);
const struct route *roster_route(const struct roster *r, int number);
const struct source_settings *roster_source(const struct roster *r, int number);
/* The name of a source, also of our own; "" when it is not in the configuration any more. */
const char *roster_source_name(const struct roster *r, int number);

#endif
