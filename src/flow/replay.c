/*
 * replay: routes and templates of the new configuration against rows of the old one.
 *
 * Both sides are made comparable first: of the rows those count that tell their sink, of the
 * routes' targets those that intake would make such a row for. So a route whose `events` leave
 * the opened out tells nobody, then and now.
 */
#include "flow/replay.h"

#include <string.h>

#include "base/mem.h"
#include "flow/envelope.h"
#include "flow/intake.h"
#include "flow/trial.h"
#include "model/route.h"
#include "store/store.h"

struct replay {
	const struct setup *setup;
	struct route_target *chosen;   /* one a sink; owned */
	struct replay_target *targets; /* likewise */
};

static const char *const change_names[REPLAY_CHANGE_COUNT] = {
	[REPLAY_GAINS] = "gains",       [REPLAY_LOSES] = "loses",
	[REPLAY_MOVES] = "moves",       [REPLAY_UNROUTED] = "unrouted",
	[REPLAY_TEMPLATE] = "template",
};

const char *replay_change_name(enum replay_change change)
{
	return change_names[change];
}

/* ---- then ---- */

bool replay_row_tells(const struct replay_row *row)
{
	if (row->state == NULL || strcmp(row->state, "dropped") != 0 || row->reason == NULL)
		return true;
	return !intake_has_dropped(row->reason);
}

/* `was` names one that is gone, so both never fit. */
static bool is_name(const char *name, const char *was, const char *stored)
{
	return stored != NULL &&
	       (strcmp(name, stored) == 0 || (was != NULL && strcmp(was, stored) == 0));
}

bool replay_is_sink(const struct replay *r, const struct replay_row *row, size_t sink)
{
	const struct sink_settings *as = &r->setup->settings->sinks[sink];

	return is_name(as->name, as->was, row->sink);
}

/* ---- now ---- */

static bool would_tell(const struct replay *r, const struct route_target *t,
		       const struct replay_event *event)
{
	const struct sink_settings *sink = &r->setup->settings->sinks[t->sink];

	return intake_drops(t, sink, event->kind, event->first) == NULL;
}

static int find_row(const struct replay *r, const struct replay_event *event, size_t sink)
{
	for (size_t i = 0; i < event->row_count; i++)
		if (replay_is_sink(r, &event->rows[i], sink))
			return (int)i;
	return REPLAY_NONE;
}

/* The source's settings by the stored name; NULL: there is none of it. */
static const struct source_settings *find_source(const struct replay *r, const char *stored)
{
	const struct settings *s = r->setup->settings;

	for (size_t i = 0; i < s->source_count; i++)
		if (is_name(s->sources[i].name, s->sources[i].was, stored))
			return &s->sources[i];
	return NULL;
}

/* False: no route matches. */
static bool route(struct replay *r, const struct replay_event *event, const struct facts *facts,
		  struct replayed *out)
{
	const struct settings *s = r->setup->settings;
	size_t count = router_choose(s->router, facts, r->chosen, s->sink_count);

	for (size_t i = 0; i < count; i++) {
		const struct route_target *t = &r->chosen[i];

		if (!would_tell(r, t, event))
			continue;
		r->targets[out->target_count++] = (struct replay_target){
			.sink = t->sink, .route = t->route, .row = find_row(r, event, t->sink)
		};
	}
	out->targets = r->targets;
	return count > 0;
}

/* ---- both ---- */

static bool is_same_route(const struct replay *r, const struct replay_event *event,
			  const struct replay_target *t)
{
	const char *then = event->rows[t->row].route;

	return then != NULL && strcmp(then, r->setup->settings->routes[t->route].name) == 0;
}

static void compare(const struct replay *r, const struct replay_event *event,
		    struct replayed *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->target_count; i++) {
		struct replay_target *t = &r->targets[i];

		t->moves = t->row != REPLAY_NONE && !is_same_route(r, event, t);
		if (t->row == REPLAY_NONE)
			out->changes |= 1U << REPLAY_GAINS;
		if (t->moves)
			out->changes |= 1U << REPLAY_MOVES;
		kept += t->row != REPLAY_NONE;
	}
	if (kept < event->row_count)
		out->changes |= 1U << REPLAY_LOSES;
}

static bool renders(const struct replay *r, const struct replay_event *event,
		    const struct source_settings *source, const struct replay_target *t,
		    struct err *err)
{
	const struct settings *s = r->setup->settings;
	const struct envelope_names names = { .source = source->name,
					      .route = s->routes[t->route].name,
					      .kind = event->kind,
					      .first = event->first,
					      .episode = event->episode,
					      .seq = event->seq,
					      .at = event->at,
					      .context = event->context,
					      .context_len = event->context_len };
	struct envelope e;

	if (!envelope_fill(&e, &s->sinks[t->sink], &names, event->body, event->body_len, err))
		return false;
	e.message.now = event->at;
	envelope_add_link(&e, r->setup->links[source - s->sources]);
	bool ok = trial_message(r->setup, t->sink, &e.message, err);

	envelope_release(&e);
	return ok;
}

static void render_all(const struct replay *r, const struct replay_event *event,
		       const struct source_settings *source, struct replayed *out)
{
	for (size_t i = 0; i < out->target_count; i++) {
		if (renders(r, event, source, &out->targets[i], &out->failure))
			continue;
		out->changes |= 1U << REPLAY_TEMPLATE;
		out->failed_sink = out->targets[i].sink;
		return;
	}
}

bool replay_ask(struct replay *r, const struct replay_event *event, struct replayed *out,
		struct err *err)
{
	const struct source_settings *source = find_source(r, event->source);
	struct alert alert;

	*out = (struct replayed){ .is_known = source != NULL };
	if (source == NULL)
		return true;
	if (!alert_read(&alert, event->body, event->body_len, err))
		return false;
	struct json *context = event->context_len == 0
				       ? NULL
				       : json_parse(event->context, event->context_len, err);
	const struct facts facts = { .alert = &alert,
				     .event = event->kind,
				     .first = event->first,
				     .source = source->name,
				     .context = context };

	if (route(r, event, &facts, out))
		compare(r, event, out);
	else
		out->changes = 1U << REPLAY_UNROUTED;
	json_free(&context);
	alert_release(&alert);
	render_all(r, event, source, out);
	return true;
}

/* ---- life ---- */

struct replay *replay_new(const struct setup *setup)
{
	struct replay *r = mem_new(sizeof(*r));

	r->setup = setup;
	r->chosen = mem_array(setup->settings->sink_count, sizeof(*r->chosen));
	r->targets = mem_array(setup->settings->sink_count, sizeof(*r->targets));
	return r;
}

void replay_free(struct replay **r)
{
	if (*r == NULL)
		return;
	mem_free(&(*r)->chosen);
	mem_free(&(*r)->targets);
	mem_free(r);
}
