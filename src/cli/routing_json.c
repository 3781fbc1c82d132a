/* routing_json: one object. What is written in the configuration is passed on as it is. */
#include "cli/jline.h"
#include "cli/routing.h"

static void written(struct jline *j, const char *key, const struct conf_node *n)
{
	enum conf_shape shape = conf_shape(n);

	switch (shape) {
	case CONF_STRING: jline_text(j, key, conf_string(n)); return;
	case CONF_WHOLE: jline_int(j, key, conf_whole(n)); return;
	case CONF_TRUTH: jline_bool(j, key, conf_truth(n)); return;
	case CONF_GROUP:
	case CONF_LIST:
		jline_open(j, key, shape == CONF_GROUP ? '{' : '[');
		for (size_t i = 0; i < conf_count(n); i++)
			written(j, shape == CONF_GROUP ? conf_name(conf_at(n, i)) : NULL,
				conf_at(n, i));
		jline_close(j, shape == CONF_GROUP ? '}' : ']');
		return;
	case CONF_FRACTION: /* no key of a route is one */
	case CONF_NOTHING: break;
	}
	jline_null(j, key);
}

static void tell_matcher(struct jline *j, const struct routing *r, const struct matcher *m)
{
	struct asked a;

	routing_ask(r, m, &a);
	jline_open(j, NULL, '{');
	jline_text(j, "matcher", matcher_text(m));
	jline_bool(j, "held", a.held);
	jline_bytes(j, "value", a.sight.operand.text, a.sight.operand.len);
	if (a.note != NULL)
		jline_text(j, "note", a.note);
	jline_close(j, '}');
}

static void tell_events(struct jline *j, const struct route *route)
{
	jline_open(j, "events", '[');
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		if (route_wants(route, (enum event_kind)i))
			jline_text(j, NULL, event_kind_name((enum event_kind)i));
	jline_close(j, ']');
}

static void tell_holds(struct jline *j, const struct routing *r, const char *name)
{
	const struct conf_node *group = glance_find(r->glance, "routes", name);

	jline_open(j, "holds", '{');
	for (size_t i = 0; i < conf_count(group); i++)
		if (routing_is_hold(conf_at(group, i)))
			written(j, conf_name(conf_at(group, i)), conf_at(group, i));
	jline_close(j, '}');
}

static void tell_route(struct jline *j, const struct routing *r, size_t i)
{
	const struct route *route = &r->settings->routes[i];

	jline_open(j, NULL, '{');
	jline_text(j, "route", route->name);
	jline_int(j, "line", route->line);
	jline_bool(j, "reached", i < r->asked);
	jline_bool(j, "matches", route_matches(route, r->facts));
	jline_open(j, "matchers", '[');
	for (size_t k = 0; k < route->match_count; k++)
		tell_matcher(j, r, route->match[k]);
	jline_close(j, ']');
	jline_bool(j, "continue", route->goes_on);
	tell_events(j, route);
	jline_open(j, "to", '[');
	for (size_t k = 0; k < route->to_count; k++)
		jline_text(j, NULL, r->settings->sinks[route->to[k]].name);
	jline_close(j, ']');
	tell_holds(j, r, route->name);
	jline_close(j, '}');
}

static void tell_sink(struct jline *j, const struct routing *r, size_t i)
{
	const char *reason = routing_drops(r, i);

	jline_open(j, NULL, '{');
	jline_text(j, "sink", r->settings->sinks[r->chosen[i].sink].name);
	jline_text(j, "route", r->settings->routes[r->chosen[i].route].name);
	jline_bool(j, "told", reason == NULL);
	jline_text(j, "reason", reason);
	jline_close(j, '}');
}

void routing_json(const struct routing *r)
{
	struct jline j;

	jline_begin(&j, stdout);
	jline_text(&j, "alert_id", r->facts->alert->id);
	jline_text(&j, "source", r->facts->source);
	jline_text(&j, "event", event_kind_name(r->facts->event));
	jline_bool(&j, "first", r->facts->first);
	jline_open(&j, "routes", '[');
	for (size_t i = 0; i < r->settings->route_count; i++)
		tell_route(&j, r, i);
	jline_close(&j, ']');
	jline_open(&j, "sinks", '[');
	for (size_t i = 0; i < r->chosen_count; i++)
		tell_sink(&j, r, i);
	jline_close(&j, ']');
	jline_bool(&j, "unrouted", r->chosen_count == 0);
	jline_end(&j);
}
