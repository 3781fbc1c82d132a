/*
 * router: route_choose() over many routes: the same answer, sooner.
 *
 * Made once for a configuration's routes, which outlive it. A thousand routes of twenty matchers
 * each cost an alert some microseconds (tests/bench/route_bench.c).
 */
#ifndef MODEL_ROUTER_H
#define MODEL_ROUTER_H

#include "model/route.h"

struct router;

struct router *router_new(const struct route *routes, size_t count)
	__attribute__((warn_unused_result));
void router_free(struct router **r);

/* As route_choose(). Not const: what was asked of this alert is kept in it until the next. */
size_t router_choose(struct router *r, const struct facts *facts, struct route_target *targets,
		     size_t sink_count);

/* A matcher that has held without being sure (matcher_was_cut()), each once; NULL: no more. */
const struct matcher *router_cut(struct router *r);

#endif
