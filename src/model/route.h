/*
 * route: which sinks an event goes to.
 *
 * A route's matchers are ANDed; the first matching route wins unless it says `continue`. What is
 * said here of one route and one alert, model/router does for many.
 */
#ifndef MODEL_ROUTE_H
#define MODEL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/facts.h"
#include "model/hours.h"
#include "model/matcher.h"

/* `group = { by; wait; max; }`: rows of the same values go out as one. */
struct route_group {
	char **by; /* names of facts */
	size_t by_count;
	int64_t wait_ms; /* from the first row; 0: the route does not group */
	int64_t max;     /* so many go out at once */
};

/* `storm = { over; within; }`: more rows than that are told as "began", then held. */
struct route_storm {
	int64_t over;
	int64_t within_ms; /* 0: the route does not look for storms */
};

/* `escalate = ( { after; to; } )`: who hears of an alert that is still open. */
struct route_step {
	int64_t after_ms; /* from when the open was observed */
	size_t *to;       /* indexes of sinks */
	size_t to_count;
};

struct route {
	char *name;
	int line;
	struct matcher **match;
	size_t match_count;
	size_t *to; /* indexes of sinks */
	size_t to_count;
	bool goes_on; /* `continue` */
	bool closes;
	unsigned events; /* bit 1 << event_kind */

	/* What it holds (contract.md section 9); zero: nothing. */
	struct route_group group;
	struct hours digest;
	struct route_storm storm;
	int64_t delay_ms, repeat_ms;
	struct quiet *quiet;
	size_t quiet_count;
	struct route_step *escalate;
	size_t escalate_count;
};

bool route_matches(const struct route *r, const struct facts *facts);
/* Does this route let an event of this kind through? A `resolved` only `closes` can stop. */
bool route_wants(const struct route *r, enum event_kind kind);

/* One sink chosen, by the first route that leads there and wants the event. */
struct route_target {
	size_t sink, route; /* indexes */
	bool left_out;      /* only routes lead there whose `events` or `closes` leave it out */
};

/* Adds those of the i-th route, which matches; returns how many there are then. */
size_t route_add_targets(const struct route *routes, size_t i, enum event_kind kind,
			 struct route_target *targets, size_t count, size_t sink_count);

/*
 * The targets of an event, each sink once, in route order; room for sink_count. Returns how
 * many. Facts need alert, event, first and source.
 */
size_t route_choose(const struct route *routes, size_t route_count, const struct facts *facts,
		    struct route_target *targets, size_t sink_count);

#endif
