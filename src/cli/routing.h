/*
 * routing: which routes an alert takes, and why, as `tocsin route` tells it in two voices.
 */
#ifndef CLI_ROUTING_H
#define CLI_ROUTING_H

#include "cli/glance.h"
#include "cli/subject.h"
#include "model/settings.h"

struct routing {
	const struct settings *settings;
	const struct glance *glance; /* the routes as they are written */
	const struct subject *subject;
	const struct facts *facts;
	const struct route_target *chosen;
	size_t chosen_count;
	size_t asked; /* routes from the first; the rest is not reached */
};

/* What became of one matcher. */
struct asked {
	struct sight sight;
	bool held;
	const char *note; /* what was taken for granted; NULL: nothing */
};

void routing_ask(const struct routing *r, const struct matcher *m, struct asked *out);

/* As intake_drops(), of the i-th that was chosen. */
const char *routing_drops(const struct routing *r, size_t i);

/*
 * Keys of a route that say when it tells, not whom (group, quiet …): n is a member of its group in
 * the configuration.
 */
bool routing_is_hold(const struct conf_node *n);

/* One JSON object; and the same for people. */
void routing_json(const struct routing *r);
void routing_text(const struct routing *r);

#endif
