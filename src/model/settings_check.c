/*
 * settings_check: what shows only when the whole configuration has been read.
 *
 * Errors: a fallback that leads nowhere, to itself or round in a circle, since rows would have
 * nowhere to go; a nudge where nobody listens; mails routed by what they are not to show.
 * Warnings: mistakes that harm nobody.
 */
#include <string.h>

#include "model/redact.h"
#include "model/settings_read.h"

/* ---- fallbacks ---- */

/* The sink that this one falls back to; NULL: none that is known. */
static const struct sink_settings *fallback_of(const struct settings *s,
					       const struct sink_settings *sink)
{
	return sink->fallback != NULL ? settings_sink(s, sink->fallback) : NULL;
}

/* Does the way from this sink come back to it? Each circle is told once, at its first sink. */
static bool begins_circle(const struct settings *s, const struct sink_settings *sink)
{
	const struct sink_settings *at = fallback_of(s, sink);

	for (size_t steps = 0; at != NULL && steps < s->sink_count; steps++) {
		if (at <= sink)
			return at == sink;
		at = fallback_of(s, at);
	}
	return false;
}

static void check_fallback(const struct settings_reading *g, const struct conf_node *group,
			   const char *what, const struct sink_settings *sink)
{
	const struct conf_node *n = conf_get(group, "fallback");

	if (sink->fallback == NULL) {
		if (conf_get(group, "fallback_after") != NULL && n == NULL)
			conf_warn(&g->reader, conf_get(group, "fallback_after"),
				  "%s: fallback_after does nothing without a fallback", what);
		return;
	}
	const struct sink_settings *to = fallback_of(g->settings, sink);

	if (to == NULL)
		settings_unknown_sink(g, n, what);
	else if (to == sink)
		conf_error(&g->reader, n, "%s: fallback is this sink itself: name another one",
			   what);
	else if (begins_circle(g->settings, sink))
		conf_error(&g->reader, n,
			   "%s: the fallbacks go round in a circle, by \"%s\" back to this "
			   "sink: take one of them out",
			   what, to->name);
}

static void check_fallbacks(const struct settings_reading *g, const struct conf_node *list)
{
	char what[SETTINGS_WHAT_MAX];

	for (size_t i = 0; i < g->settings->sink_count; i++) {
		settings_say_what(what, "sink", conf_at(list, i), i);
		check_fallback(g, conf_at(list, i), what, &g->settings->sinks[i]);
	}
}

/* ---- mistakes that harm nobody ---- */

static bool leads_to(const struct route *r, size_t sink)
{
	for (size_t k = 0; k < r->to_count; k++)
		if (r->to[k] == sink)
			return true;
	for (size_t n = 0; n < r->escalate_count; n++)
		for (size_t k = 0; k < r->escalate[n].to_count; k++)
			if (r->escalate[n].to[k] == sink)
				return true;
	return false;
}

static bool is_heard_by(const struct settings *s, size_t sink)
{
	for (size_t i = 0; i < s->route_count; i++)
		if (leads_to(&s->routes[i], sink))
			return true;
	for (size_t i = 0; i < s->sink_count; i++)
		if (s->sinks[i].fallback != NULL &&
		    settings_sink(s, s->sinks[i].fallback) == &s->sinks[sink])
			return true;
	return false;
}

/* Only of what is right: a sink whose route has a typo is not idle. */
static void warn_of_idle_sinks(const struct settings_reading *g)
{
	const struct settings *s = g->settings;

	for (size_t i = 0; i < s->sink_count && g->reader.problems->error_count == 0; i++)
		if (s->sinks[i].name != NULL && !is_heard_by(s, i))
			conf_problem(g->reader.problems, CONF_WARNING, s->file,
				     s->sinks[i].line, "sink \"%s\": no route leads here",
				     s->sinks[i].name);
}

/* A nudge that nobody can send is a mistake, as long as all else could be read. */
static void check_nudges(const struct settings_reading *g, const struct conf_node *list)
{
	char what[SETTINGS_WHAT_MAX];

	for (size_t i = 0; i < g->settings->source_count; i++) {
		if (g->settings->sources[i].nudge.secrets.count == 0 ||
		    g->settings->listen == NULL || g->settings->listen[0] != '\0')
			continue;
		settings_say_what(what, "source", conf_at(list, i), i);
		conf_error(
			&g->reader, conf_get(conf_at(list, i), "nudge"),
			"%s: nudge does nothing without a place to listen: set `listen`, such "
			"as \"127.0.0.1:9464\"",
			what);
	}
}

/* ---- what a mail sink must see ---- */

/*
 * Who gets a mail because of a field could tell from that what it holds, so a sink that writes to
 * people cannot be routed to by what they must not see.
 */
static void check_sight(const struct settings_reading *g, const struct conf_node *match,
			const struct route *route, const struct sink_settings *sink)
{
	for (size_t i = 0; i < route->match_count; i++)
		for (size_t k = 0; k < sink->redact.count; k++)
			if (sink->redact.list[k] != NULL && route->match[i] != NULL &&
			    redact_touches(sink->redact.list[k],
					   matcher_field(route->match[i])))
				conf_error(
					&g->reader, match,
					"route \"%s\": match asks for \"%.60s\", which "
					"the mails of \"%s\" are not to show (redact \"%.60s\"): "
					"who gets one could tell from that; take out one of "
					"the two, or send to another sink",
					route->name, matcher_field(route->match[i]), sink->name,
					sink->redact.list[k]);
}

static void check_mails(const struct settings_reading *g, const struct conf_node *routes)
{
	const struct settings *s = g->settings;

	for (size_t i = 0; i < s->route_count; i++)
		for (size_t k = 0; k < s->sink_count; k++) {
			const struct sink_settings *sink = &s->sinks[k];

			if (sink->name != NULL && sink->type != NULL &&
			    sink->type->people != NULL && s->routes[i].name != NULL &&
			    leads_to(&s->routes[i], k))
				check_sight(g, conf_get(conf_at(routes, i), "match"),
					    &s->routes[i], sink);
		}
}

/* ---- context ---- */

/* What a name of the context needs; false: it is none of it. */
static bool needs_context(const char *field, enum context_kind *kind)
{
	static const char *const names[CONTEXT_KINDS] = {
		[CONTEXT_USERS] = "user.",
		[CONTEXT_POLICIES] = "policy.",
		[CONTEXT_BUDGETS] = "budget.",
		[CONTEXT_USAGE] = "usage.",
	};

	for (size_t i = 0; i < CONTEXT_KINDS; i++)
		if (strncmp(field, names[i], strlen(names[i])) == 0) {
			*kind = (enum context_kind)i;
			return true;
		}
	return false;
}

static bool is_kept(const struct settings *s, enum context_kind kind)
{
	for (size_t i = 0; i < s->source_count; i++)
		if ((s->sources[i].context & 1u << kind) != 0)
			return true;
	return false;
}

/* It is empty for every alert, then: no mistake that stops anybody, but hardly what is meant. */
static void warn_of_context(const struct settings_reading *g, const struct route *route,
			    const char *what, const struct conf_node *group)
{
	enum context_kind kind;

	for (size_t i = 0; i < route->match_count; i++) {
		const char *field = matcher_field(route->match[i]);

		if (needs_context(field, &kind) && !is_kept(g->settings, kind))
			conf_warn(
				&g->reader, conf_get(group, "match"),
				"%s: \"%.40s\" is empty for every alert: no source has \"%s\" "
				"in its context",
				what, field, context_name(kind));
	}
}

static void warn_of_contexts(const struct settings_reading *g, const struct conf_node *list)
{
	char what[SETTINGS_WHAT_MAX];

	for (size_t i = 0; i < g->settings->route_count; i++) {
		settings_say_what(what, "route", conf_at(list, i), i);
		warn_of_context(g, &g->settings->routes[i], what, conf_at(list, i));
		if (g->settings->routes[i].digest.budgets &&
		    !is_kept(g->settings, CONTEXT_BUDGETS))
			conf_warn(&g->reader, conf_get(conf_at(list, i), "digest"),
				  "%s: budgets does nothing: no source has \"budgets\" in its "
				  "context",
				  what);
	}
}

void settings_check(const struct settings_reading *g, const struct conf_node *root)
{
	check_mails(g, conf_get(root, "routes"));
	check_nudges(g, conf_get(root, "sources"));
	check_fallbacks(g, conf_get(root, "sinks"));
	warn_of_idle_sinks(g);
	warn_of_contexts(g, conf_get(root, "routes"));
	settings_check_routes(g, conf_get(root, "routes"));
}
