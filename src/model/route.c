/*
 * route: the first matching route wins, unless it says `continue`.
 *
 * Matching alone decides who wins; `events` and `closes` then decide whether this event is let
 * through. A route that matches but does not want the event still ends the search: otherwise an
 * alert's acknowledgement would be routed elsewhere than its open.
 */
#include "model/route.h"

bool route_matches(const struct route *r, const struct facts *facts)
{
	for (size_t i = 0; i < r->match_count; i++)
		if (!matcher_matches(r->match[i], facts))
			return false;
	return true;
}

bool route_wants(const struct route *r, enum event_kind kind)
{
	if (kind == EVENT_RESOLVED)
		return r->closes;
	return (r->events & (1U << kind)) != 0;
}

static bool is_chosen(const struct route_target *targets, size_t count, size_t sink)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].sink == sink)
			return true;
	return false;
}

size_t route_choose(const struct route *routes, size_t route_count, const struct facts *facts,
		    struct route_target *targets, size_t sink_count)
{
	size_t count = 0;

	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];

		if (!route_matches(r, facts))
			continue;
		for (size_t k = 0; k < r->to_count && route_wants(r, facts->event); k++)
			if (count < sink_count && !is_chosen(targets, count, r->to[k]))
				targets[count++] = (struct route_target){ r->to[k], i };
		if (!r->goes_on)
			break;
	}
	return count;
}
