/*
 * route: the first matching route wins, unless it says `continue`.
 *
 * Matching alone decides who wins; `events` and `closes` then decide whether this event is let
 * through. A route that matches but does not want the event still ends the search: otherwise an
 * alert's acknowledgement would be routed elsewhere than its open. Its sinks are told as left
 * out, for they belong to the episode and hear what follows.
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

static struct route_target *find_target(struct route_target *targets, size_t count, size_t sink)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].sink == sink)
			return &targets[i];
	return NULL;
}

size_t route_add_targets(const struct route *routes, size_t i, enum event_kind kind,
			 struct route_target *targets, size_t count, size_t sink_count)
{
	const struct route *r = &routes[i];
	bool left_out = !route_wants(r, kind);

	for (size_t k = 0; k < r->to_count; k++) {
		struct route_target t = { r->to[k], i, left_out };
		struct route_target *have = find_target(targets, count, t.sink);

		if (have != NULL && have->left_out && !left_out)
			*have = t;
		else if (have == NULL && count < sink_count)
			targets[count++] = t;
	}
	return count;
}

size_t route_choose(const struct route *routes, size_t route_count, const struct facts *facts,
		    struct route_target *targets, size_t sink_count)
{
	size_t count = 0;

	for (size_t i = 0; i < route_count; i++) {
		if (!route_matches(&routes[i], facts))
			continue;
		count = route_add_targets(routes, i, facts->event, targets, count, sink_count);
		if (!routes[i].goes_on)
			break;
	}
	return count;
}
