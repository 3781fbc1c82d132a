/*
 * `tocsin route`: which routes and sinks would this alert take, and why?
 *
 * Asked as the daemon asks at an episode's first event, without a store unless an id is given.
 * What follows on an alert goes to whoever heard of it, whatever routes say then: a stored alert
 * is therefore asked about as if it opened now.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/routing.h"
#include "cli/sample_options.h"
#include "flow/intake.h"
#include "model/json.h"

/* ---- what the voices ask ---- */

void routing_ask(const struct routing *r, const struct matcher *m, struct asked *out)
{
	bool by_severity = strcmp(matcher_field(m), "severity") == 0;

	matcher_see(matcher_field(m), r->facts, &out->sight);
	out->held = matcher_holds(m, &out->sight);
	out->note = NULL;
	if (matcher_was_cut(m))
		out->note = "its pattern takes too many steps, which counts as a match";
	else if (by_severity && !r->facts->alert->severity_known)
		out->note = "an unknown severity counts as high";
}

const char *routing_drops(const struct routing *r, size_t i)
{
	const struct route_target *t = &r->chosen[i];

	return intake_drops(t, &r->settings->sinks[t->sink], r->facts->event, r->facts->first);
}

bool routing_is_hold(const struct conf_node *n)
{
	static const char *const others[] = { "name",     "match",  "to",
					      "continue", "events", "closes" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (conf_name(n) != NULL && strcmp(conf_name(n), others[i]) == 0)
			return false;
	return true;
}

/* ---- the alert ---- */

/* The routes up to the one that ends the search. */
static size_t count_asked(const struct settings *s, const struct facts *facts)
{
	size_t i = 0;

	while (i < s->route_count) {
		const struct route *r = &s->routes[i++];

		if (!r->goes_on && route_matches(r, facts))
			break;
	}
	return i;
}

/* An episode does not begin with an acknowledgement or a change: it opens; and what was resolved
 * since it opened, did. */
static enum event_kind first_kind(const struct cli *cli, const struct subject *s)
{
	bool began_resolved = s->kind == EVENT_RESOLVED && (s->source == NULL || s->first);

	if (cli_has(cli, "event") || began_resolved || s->kind == EVENT_REOPENED)
		return s->kind;
	return EVENT_OPENED;
}

static int tell(const struct cli *cli, const struct settings *s, const struct glance *g,
		const struct subject *subject, const char *source)
{
	struct alert alert;
	struct err err;

	if (!alert_read(&alert, subject->bytes.data, subject->bytes.len, &err))
		return cli_failed("it is no alert: %s", err.text);
	struct json *context =
		subject->context.len == 0
			? NULL
			: json_parse(subject->context.data, subject->context.len, &err);
	struct facts facts = { .alert = &alert,
			       .context = context,
			       .event = first_kind(cli, subject),
			       .source = source,
			       .at = subject->at };
	struct route_target *chosen = mem_array(s->sink_count, sizeof(*chosen));
	struct routing r = { .settings = s,
			     .glance = g,
			     .subject = subject,
			     .facts = &facts,
			     .chosen = chosen,
			     .asked = 0 };

	facts.first = facts.event == EVENT_RESOLVED;
	r.asked = count_asked(s, &facts);
	r.chosen_count = route_choose(s->routes, s->route_count, &facts, chosen, s->sink_count);
	if (cli->json)
		routing_json(&r);
	else
		routing_text(&r);
	mem_free(&chosen);
	json_free(&context);
	alert_release(&alert);
	return EXIT_OK;
}

/* ---- the command ---- */

/* The source that the alert is of: as stored, as asked for, or the first. NULL: it was said. */
static const char *find_source(const struct cli *cli, const struct settings *s,
			       const struct subject *subject)
{
	const char *name = cli_option(cli, "source");

	if (name == NULL && subject->source != NULL)
		return subject->source;
	if (name == NULL)
		return s->sources[0].name;
	if (settings_source(s, name) != NULL)
		return name;
	cli_failed("no source is named \"%s\"", name);
	return NULL;
}

static int route(const struct cli *cli, const struct settings *s, const struct subject *subject)
{
	struct conf_problems problems = { .list = NULL };
	const char *source = find_source(cli, s, subject);
	struct glance glance;
	int code = EXIT_FAILED;

	if (source == NULL)
		return code;
	if (glance_read(&glance, cli->config, &problems))
		code = tell(cli, s, &glance, subject, source);
	glance_release(&glance);
	conf_problems_release(&problems);
	return code;
}

static int check_usage(const struct cli *cli)
{
	static const char *const origins[] = { "sample", "alert", "id" };
	int given = 0;

	if (cli->argc > 0)
		return cli_usage(cli, "the alert is named by --sample, --alert or --id");
	for (size_t i = 0; i < ARRAY_LEN(origins); i++)
		given += cli_has(cli, origins[i]) ? 1 : 0;
	return given > 1 ? cli_usage(cli, "--sample, --alert and --id exclude each other")
			 : EXIT_OK;
}

static int run(const struct cli *cli)
{
	enum event_kind kind;
	struct subject subject;
	const char *type;
	int code = check_usage(cli);

	if (code == EXIT_OK)
		code = sample_options(cli, &kind, &type);
	if (code != EXIT_OK)
		return code;
	struct setup *setup = cli_setup(cli);

	if (setup == NULL)
		return EXIT_CONFIG;
	code = subject_take(cli, type, kind, &subject);
	if (code == EXIT_OK)
		code = route(cli, setup->settings, &subject);
	subject_release(&subject);
	setup_free(&setup);
	return code;
}

static const struct cli_option options[] = {
	{ "event", "KIND", "opened, acknowledged, resolved, reopened or changed" },
	{ "sample", "TYPE",
	  "policy_violation, budget_exceeded, anomaly_detected or security_event" },
	{ "alert", "FILE", "the alert in this file" },
	{ "id", "ALERT_ID", "the alert in the store, as it is now" },
	{ "context", "FILE", "who and what is behind it: { \"user\": { … }, … }, or none" },
	{ "source", "NAME", "the source that it is of; the first one unless set" },
	{ .name = NULL },
};

const struct command command_route = {
	.name = "route",
	.summary = "tell which routes and sinks an alert would take, and why",
	.details =
		"For each route whether it matches: which matchers hold (+) and which fail (-), with\n"
		"the value that they saw; then which sinks are told, by which route. Routes choose\n"
		"at an alert's first event: it opened, reopened, or was resolved when it was first\n"
		"seen. What follows goes to the sinks that heard of it. It sends nothing.",
	.options = options,
	.json = true,
	.run = run,
};
