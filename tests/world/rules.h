/*
 * rules: who is told, by the operator's configuration: a model of routes of its own.
 *
 * Each configuration that the program ever ran with is kept, with the first event that it
 * decided about: what was right for an event is asked of the rules of its time.
 */
#ifndef WORLD_RULES_H
#define WORLD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "model/alert.h"
#include "model/event.h"

enum { SINKS_MAX = 5, ROUTES_MAX = 4, ROUTE_NAMES = 6 };

struct route_rule {
	int number;               /* its name is r and that */
	enum alert_severity from; /* severity >= that */
	int type;                 /* of api_type(); -1: any */
	bool to[SINKS_MAX];
	bool goes_on, closes, has_events;
	unsigned events; /* bits 1 << event_kind */
};

struct rules {
	bool present[SINKS_MAX];
	int fallback[SINKS_MAX]; /* a sink's; -1: none */
	struct route_rule routes[ROUTES_MAX];
	size_t route_count;
	int64_t window[SINKS_MAX];
	/* Events from first_event on are decided by these rules; those from unsure_event to there
	 * by these or the ones before. */
	int64_t unsure_event, first_event;
};

/* What an event is, for a route. */
struct matter {
	enum event_kind kind;
	enum alert_severity severity;
	int type;
};

/* Who is told of one event: by sink, the index of the route; -1: nobody's. */
struct choice {
	int route[SINKS_MAX];
	bool left_out[SINKS_MAX]; /* by the route's events */
};

/* All alerts to all sinks. */
void rules_plain(struct rules *r, size_t sinks);
void rules_draw(struct rules *r, size_t sinks, struct chance *chance);
void rules_choose(const struct rules *r, const struct matter *m, struct choice *out);
/* Does a route of that number let a follow-up through? One that is gone filters no more. */
bool rules_follow(const struct rules *r, int route, enum event_kind kind);
/* `routes = ( … );` */
void rules_write(const struct rules *r, struct buf *out);

#endif
