/* rules: see the header. */
#include "world/rules.h"

#include "base/mem.h"
#include "world/api.h"

static const unsigned all_but_changed = ((1U << EVENT_KIND_COUNT) - 1) & ~(1U << EVENT_CHANGED);

static const char *const severity_words[] = { "low", "medium", "high", "critical" };

void rules_plain(struct rules *r, size_t sinks)
{
	*r = (struct rules){ .route_count = 1 };
	r->routes[0] =
		(struct route_rule){ .type = -1, .closes = true, .events = all_but_changed };
	for (size_t i = 0; i < SINKS_MAX; i++) {
		r->present[i] = r->routes[0].to[i] = i < sinks;
		r->fallback[i] = -1;
	}
}

static bool percent(struct chance *c, int64_t n)
{
	return chance_below(c, 100) < n;
}

/* At least one sink that is there. */
static void draw_targets(struct route_rule *route, const struct rules *r, struct chance *c)
{
	bool any = false;

	for (size_t i = 0; i < SINKS_MAX; i++) {
		route->to[i] = r->present[i] && percent(c, 45);
		any |= route->to[i];
	}
	for (size_t i = 0; i < SINKS_MAX && !any; i++)
		any = route->to[i] = r->present[i];
}

static void draw_route(struct route_rule *route, const struct rules *r, struct chance *c)
{
	*route = (struct route_rule){ .type = percent(c, 25) ? (int)chance_below(c, 4) : -1,
				      .from = (enum alert_severity)(
					      percent(c, 50) ? chance_below(c, 4) : 0),
				      .goes_on = percent(c, 40),
				      .closes = !percent(c, 8),
				      .has_events = percent(c, 25),
				      .events = all_but_changed };
	if (route->has_events)
		route->events =
			(unsigned)chance_below(c, 1 << EVENT_KIND_COUNT) | (1U << EVENT_OPENED);
	draw_targets(route, r, c);
}

void rules_draw(struct rules *r, size_t sinks, struct chance *c)
{
	int first = (int)chance_below(c, ROUTE_NAMES);

	rules_plain(r, sinks);
	for (size_t i = 1; i < sinks; i++)
		r->present[i] = !percent(c, 15);
	/* To a later one, so there is no circle. */
	for (size_t i = 0; i + 1 < sinks; i++) {
		size_t to = i + 1 + (size_t)chance_below(c, (int64_t)(sinks - i - 1));

		r->fallback[i] = percent(c, 30) && r->present[to] ? (int)to : -1;
	}
	r->route_count = 1 + (size_t)chance_below(c, ROUTES_MAX);
	for (size_t i = 0; i < r->route_count; i++) {
		draw_route(&r->routes[i], r, c);
		r->routes[i].number = (first + (int)i) % ROUTE_NAMES;
	}
	/* Mostly the last one takes the rest. */
	if (percent(c, 80)) {
		r->routes[r->route_count - 1].type = -1;
		r->routes[r->route_count - 1].from = SEVERITY_LOW;
	}
}

static bool wants(const struct route_rule *route, enum event_kind kind)
{
	return kind == EVENT_RESOLVED ? route->closes : (route->events >> kind & 1) != 0;
}

/* One sink gets one row: of the first route that lets the event through, else of the first. */
static void take_target(struct choice *out, size_t sink, int route, bool left_out)
{
	if (out->route[sink] >= 0 && !(out->left_out[sink] && !left_out))
		return;
	out->route[sink] = route;
	out->left_out[sink] = left_out;
}

void rules_choose(const struct rules *r, const struct matter *m, struct choice *out)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		out->route[i] = -1;
	for (size_t i = 0; i < r->route_count; i++) {
		const struct route_rule *route = &r->routes[i];

		if (m->severity < route->from || (route->type >= 0 && m->type != route->type))
			continue;
		for (size_t s = 0; s < SINKS_MAX; s++)
			if (route->to[s])
				take_target(out, s, (int)i, !wants(route, m->kind));
		if (!route->goes_on)
			return;
	}
}

bool rules_follow(const struct rules *r, int number, enum event_kind kind)
{
	for (size_t i = 0; i < r->route_count; i++)
		if (r->routes[i].number == number)
			return wants(&r->routes[i], kind);
	return kind != EVENT_CHANGED;
}

/* ---- as a configuration ---- */

static void write_names(struct buf *out, const bool to[SINKS_MAX])
{
	const char *comma = "";

	for (size_t i = 0; i < SINKS_MAX; i++)
		if (to[i]) {
			buf_addf(out, "%s\"s%zu\"", comma, i);
			comma = ", ";
		}
}

static void write_events(struct buf *out, unsigned events)
{
	const char *comma = "";

	buf_adds(out, "events = [ ");
	for (size_t kind = 0; kind < EVENT_KIND_COUNT; kind++)
		if ((events >> kind & 1) != 0) {
			buf_addf(out, "%s\"%s\"", comma,
				 event_kind_name((enum event_kind)kind));
			comma = ", ";
		}
	buf_adds(out, " ]; ");
}

static void write_route(const struct route_rule *route, struct buf *out)
{
	buf_addf(out, "{ name = \"r%d\"; ", route->number);
	if (route->from > SEVERITY_LOW || route->type >= 0) {
		buf_addf(out, "match = [ \"severity >= %s\"", severity_words[route->from]);
		if (route->type >= 0)
			buf_addf(out, ", \"type = %s\"", api_type_word(route->type));
		buf_adds(out, " ]; ");
	}
	buf_adds(out, "to = [ ");
	write_names(out, route->to);
	buf_addf(out, " ]; continue = %s; closes = %s; ", route->goes_on ? "true" : "false",
		 route->closes ? "true" : "false");
	if (route->has_events)
		write_events(out, route->events);
	buf_adds(out, "}");
}

void rules_write(const struct rules *r, struct buf *out)
{
	buf_adds(out, "routes = ( ");
	for (size_t i = 0; i < r->route_count; i++) {
		buf_adds(out, i > 0 ? ", " : "");
		write_route(&r->routes[i], out);
	}
	buf_adds(out, " );\n");
}
