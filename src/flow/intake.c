/*
 * intake: NEW, CHANGED, SAME; and who is told.
 *
 * What was seen against what was known (rows: known, columns: seen):
 *
 *                 open              acknowledged         resolved
 *   nothing       opened            opened               resolved (first)
 *   active open   (changed?)        acknowledged         resolved
 *   active ack.   (changed?)        (changed?)           resolved
 *   resolved      reopened          reopened             –
 *   silent open   –                 –                    –
 *   silent res.   reopened          reopened             –
 *
 * An alert acknowledged before we first saw it opens all the same: nobody was told yet. One
 * that goes back from acknowledged to open says nothing new to anybody. `changed?` is severity,
 * title or message; where the severity rises the alert is also routed again, and sinks newly
 * matched hear an `opened`. Neither is an event when nobody hears of it: an alert whose title
 * counts something changes with every poll, for weeks. Silent means: older than the baseline,
 * recorded without ringing.
 */
#include "flow/intake.h"

#include <assert.h>
#include <string.h>

#include "base/crash.h"
#include "base/kill.h"
#include "base/mem.h"

enum {
	CONTEXT_MAX = 1 << 20, /* of an event; what makes it up is smaller */
	LOOK_ROOM = 200,       /* events that a batch looks at again */
};

static void add_step(struct decision *d, struct step step)
{
	assert(d->step_count < DECISION_STEPS_MAX);
	d->steps[d->step_count++] = step;
}

static bool steps_for_new(const struct alert *seen, int64_t baseline_at, struct decision *out)
{
	/* Without a time of its own an alert counts as new: rather one ring too many. */
	if (seen->created_at != 0 && seen->created_at < baseline_at) {
		out->silent = true;
		return false;
	}
	bool resolved = seen->status == ALERT_RESOLVED;

	add_step(out, (struct step){ .kind = resolved ? EVENT_RESOLVED : EVENT_OPENED,
				     .first = resolved,
				     .new_episode = true });
	return true;
}

static void steps_for_active(const struct known *known, const struct alert *seen,
			     struct decision *out)
{
	if (alert_content(seen) != known->content)
		add_step(out, (struct step){
				      .kind = EVENT_CHANGED, .follow = true, .if_told = true });
	if (seen->status != ALERT_RESOLVED && seen->severity > known->severity)
		add_step(out, (struct step){ .kind = EVENT_OPENED,
					     .only_new = true,
					     .if_told = true });
	if (seen->status == ALERT_RESOLVED)
		add_step(out, (struct step){ .kind = EVENT_RESOLVED, .follow = true });
	else if (seen->status == ALERT_ACKNOWLEDGED && known->status == ALERT_OPEN)
		add_step(out, (struct step){ .kind = EVENT_ACKNOWLEDGED, .follow = true });
}

bool intake_steps(const struct known *known, const struct alert *seen, int64_t baseline_at,
		  struct decision *out)
{
	*out = (struct decision){ .silent = false };
	if (known == NULL)
		return steps_for_new(seen, baseline_at, out);
	bool was_resolved = known->status == ALERT_RESOLVED;
	bool is_resolved = seen->status == ALERT_RESOLVED;

	if (was_resolved && !is_resolved)
		add_step(out, (struct step){ .kind = EVENT_REOPENED, .new_episode = true });
	else if (known->state == ALERT_IS_SILENT)
		out->silent = true;
	else if (!was_resolved)
		steps_for_active(known, seen, out);
	return !out->silent;
}

/* ---- who is told ---- */

enum untold { UNTOLD_LEFT_OUT, UNTOLD_OVER, UNTOLD_NO_PART, UNTOLD_COUNT };

static const char *const untold_reasons[UNTOLD_COUNT] = {
	[UNTOLD_LEFT_OUT] = STORE_NOT_CHOSEN,
	[UNTOLD_OVER] = "resolved before it was seen open",
	[UNTOLD_NO_PART] = "its preset sends nothing for this event",
};

const char *intake_drops(const struct route_target *chosen, const struct sink_settings *sink,
			 enum event_kind kind, bool first)
{
	if (chosen->left_out)
		return untold_reasons[UNTOLD_LEFT_OUT];
	if (first && sink->pairs)
		return untold_reasons[UNTOLD_OVER];
	if ((sink->events & 1U << kind) == 0)
		return untold_reasons[UNTOLD_NO_PART];
	return NULL;
}

bool intake_has_dropped(const char *reason)
{
	for (size_t i = 0; i < UNTOLD_COUNT; i++)
		if (strcmp(reason, untold_reasons[i]) == 0)
			return true;
	return false;
}

static struct target target_of(const struct intake *in, const struct route_target *chosen,
			       const struct step *step, const struct facts *facts)
{
	const struct settings *s = in->roster->settings;
	const struct sink_settings *sink = &s->sinks[chosen->sink];
	struct target t = { .sink = in->roster->sinks[chosen->sink].number,
			    .route = in->roster->routes[chosen->route] };

	t.reason = intake_drops(chosen, sink, step->kind, step->first);
	t.dropped = t.reason != NULL;
	if (t.dropped)
		return t;
	holding_wish(in->holding, &s->routes[chosen->route], t.sink, facts, in->now, &t.wish);
	if (in->is_flapping)
		holding_wish_flap(in->holding, in->now, &t.wish);
	return t;
}

static void add_target(struct intake *in, const struct target *target)
{
	if (in->target_count == in->target_room) {
		in->target_room = in->target_room * 2 + 16;
		in->targets = mem_resize(in->targets, in->target_room, sizeof(*in->targets));
	}
	in->targets[in->target_count++] = *target;
}

/* Who is to hear of it when it is still open by then: each route that chose a sink says so. */
static void add_steps(struct intake *in, size_t route)
{
	const struct route *r = &in->roster->settings->routes[route];

	for (size_t n = 1; n <= r->escalate_count; n++) {
		const struct route_step *step = &r->escalate[n - 1];

		for (size_t i = 0; i < step->to_count; i++) {
			struct target t = { .sink = in->roster->sinks[step->to[i]].number,
					    .route = in->roster->routes[route],
					    .step = (int)n };

			holding_step(r, n, in->seen_at, &t.wish);
			add_target(in, &t);
		}
	}
}

static bool escalates(const struct step *step, const struct alert *seen)
{
	return (step->kind == EVENT_OPENED || step->kind == EVENT_REOPENED) &&
	       seen->status == ALERT_OPEN;
}

static void say_doubts(struct intake *in, const struct alert *seen)
{
	const struct matcher *cut = router_cut(in->roster->settings->router);

	doubts_severity(&in->doubts, in->source->name, seen);
	if (cut != NULL)
		doubts_pattern(in->source->name, seen, cut);
}

/* Returns how many targets; the step's own are found when all steps have theirs. */
static size_t route_step(struct intake *in, const struct alert *seen, const struct step *step)
{
	const struct settings *s = in->roster->settings;
	struct facts facts = { .alert = seen,
			       .event = step->kind,
			       .first = step->first,
			       .source = in->source->name,
			       .at = in->seen_at,
			       .context = in->known };
	size_t count = router_choose(s->router, &facts, in->chosen, s->sink_count);
	size_t from = in->target_count;

	say_doubts(in, seen);
	for (size_t i = 0; i < count; i++) {
		struct target t = target_of(in, &in->chosen[i], step, &facts);

		add_target(in, &t);
	}
	for (size_t i = 0; i < count && escalates(step, seen); i++)
		if (i == 0 || in->chosen[i].route != in->chosen[i - 1].route)
			add_steps(in, in->chosen[i].route);
	return in->target_count - from;
}

/* One that opens again is counted; what else happens to it changes nothing of that. */
static void look_for_flapping(struct intake *in, const struct known *known,
			      const struct alert *seen, struct decision *out)
{
	bool reopens = out->step_count > 0 && out->steps[0].kind == EVENT_REOPENED;

	in->is_flapping = false;
	if (known == NULL)
		return;
	out->flap = reopens ? holding_flap(in->holding, &known->flap, in->now) : known->flap;
	in->is_flapping = reopens && holding_is_flapping(in->holding, &out->flap, seen);
}

/* ---- its context ---- */

static void keep_context(struct intake *in, struct decision *out)
{
	json_free(&in->known);
	if (in->text.len == 0)
		return;
	in->known = json_parse(in->text.data, in->text.len, NULL);
	out->context = in->text.data;
	out->context_len = in->text.len;
}

/* Fills in->text anew; false: more may come. */
static bool look_up(struct intake *in, const struct alert *seen)
{
	buf_clear(&in->text);
	if (in->context == NULL || !context_is_on(in->context))
		return true;
	return context_add(in->context, seen, &in->text);
}

/* The same for one that waits: where nobody looks anything up, what was known stays so. */
static bool look_up_again(struct intake *in, const struct waiting *event)
{
	if (in->context != NULL)
		return look_up(in, in->seen);
	buf_clear(&in->text);
	if (event->context != NULL)
		buf_adds(&in->text, event->context);
	return true;
}

/* An episode has one context: it is looked up for its first event, and stays as it was. */
static void choose_context(struct intake *in, const struct known *known, struct decision *out)
{
	bool is_new = out->step_count > 0 && out->steps[0].new_episode;

	if (is_new) {
		if (!look_up(in, in->seen) && in->source->context_wait_ms > 0)
			out->wait_until = in->now + in->source->context_wait_ms;
	} else {
		buf_clear(&in->text);
		if (known != NULL && known->context != NULL)
			buf_adds(&in->text, known->context);
	}
	keep_context(in, out);
}

/* ---- the decision ---- */

static void route_steps(struct intake *in, struct decision *out)
{
	for (size_t i = 0; i < out->step_count; i++)
		if (!out->steps[i].follow)
			out->steps[i].target_count = route_step(in, in->seen, &out->steps[i]);
	for (size_t i = 0; i < out->step_count; i++)
		in->unrouted_now +=
			out->steps[i].new_episode && out->steps[i].target_count == 0;
	for (size_t i = 0, from = 0; i < out->step_count; i++) {
		out->steps[i].targets = in->targets + from;
		from += out->steps[i].target_count;
	}
}

/* What the store asks back for each alert that is not SAME. */
static void decide(void *arg, const struct known *known, const struct alert *seen,
		   struct decision *out)
{
	struct intake *in = arg;

	CRASH_POINT("deciding", seen->title);
	in->seen = seen;
	in->seen_at = in->now;
	in->target_count = 0;
	intake_steps(known, seen, in->baseline_at, out);
	look_for_flapping(in, known, seen, out);
	choose_context(in, known, out);
	if (out->wait_until == 0)
		route_steps(in, out);
	KILL_POINT("alert-decided");
}

/* By a clock that was set back it would wait for years. */
static bool waits_on(const struct intake *in, const struct waiting *event)
{
	return !event->is_over && in->now < event->until &&
	       event->until <= in->now + in->source->context_wait_ms;
}

static void takes(void *arg, const struct alert *alert);

/* What the store asks back for an event that has waited for its context. */
static const struct alert *route(void *arg, const struct waiting *event, struct decision *out)
{
	struct intake *in = arg;
	struct err err;

	alert_release(&in->waited);
	/* It was read before; and one that we crashed on is left to who looks for it. */
	if (!alert_read(&in->waited, event->body, event->body_len, &err) ||
	    (in->suspects != NULL && suspects_names(in->suspects, in->waited.id)))
		return NULL;
	takes(in, &in->waited);
	CRASH_POINT("deciding", in->waited.title);
	in->seen = &in->waited;
	in->seen_at = event->at;
	in->target_count = 0;
	if (!look_up_again(in, event) && waits_on(in, event)) {
		out->wait_until = event->until;
		return in->seen;
	}
	in->is_flapping = event->kind == EVENT_REOPENED &&
			  holding_is_flapping(in->holding, &event->flap, in->seen);
	add_step(out, (struct step){ .kind = event->kind,
				     .first = event->first,
				     .new_episode = true });
	keep_context(in, out);
	route_steps(in, out);
	return in->seen;
}

bool intake_follows(const struct roster *roster, int route, int sink, enum event_kind kind)
{
	const struct route *r = roster_route(roster, route);
	const struct sink_settings *s = roster_sink(roster, sink);

	if (s != NULL && (s->events & 1U << kind) == 0)
		return false;
	return r == NULL ? kind != EVENT_CHANGED : route_wants(r, kind);
}

static bool follows(void *arg, int route, int sink, enum event_kind kind, struct wish *wish)
{
	const struct intake *in = arg;
	const struct facts facts = {
		.alert = in->seen,
		.event = kind,
		.source = in->source->name,
		.at = in->now,
		.context = in->known,
	};

	holding_wish(in->holding, roster_route(in->roster, route), sink, &facts, in->now, wish);
	return intake_follows(in->roster, route, sink, kind);
}

/* The store tells which alert it is at: should it be the last one, the next start knows it. */
static void takes(void *arg, const struct alert *alert)
{
	struct intake *in = arg;

	if (alert != NULL && in->is_over)
		in->unrouted_now = 0;
	in->is_over = alert == NULL;
	if (alert == NULL)
		crash_over();
	else
		crash_begin(&(struct crash_work){ .doing = IN_HAND_TAKEN_IN,
						  .place = in->source->name,
						  .name = alert->id });
}

struct page_batch intake_batch(struct intake *in, const struct page *page,
			       const struct source_state *position, int64_t now)
{
	in->now = now;
	return (struct page_batch){ .source = in->source_number,
				    .now = now,
				    .items = page->items,
				    .item_count = page->item_count,
				    .rejects = page->rejects,
				    .reject_count = page->reject_count,
				    .position = position,
				    .decide = decide,
				    .follows = follows,
				    .route = route,
				    .takes = takes,
				    .decide_arg = in };
}

struct page_batch intake_look(struct intake *in, int64_t after, int64_t now)
{
	const struct page nothing = { .items = NULL };
	struct page_batch batch = intake_batch(in, &nothing, NULL, now);

	batch.waiting_after = after;
	batch.waiting_room = LOOK_ROOM;
	return batch;
}

struct ending {
	int64_t after;
	size_t deliveries;
	bool ok;
};

static void on_ended(void *arg, const struct page_result *r)
{
	struct ending *e = arg;

	e->ok = r->ok;
	e->after = r->waiting_after;
	e->deliveries += r->deliveries;
}

bool intake_end_waiting(struct intake *in, struct store *store, int64_t now, size_t *deliveries)
{
	struct ending e = { .ok = true };

	do {
		struct page_batch batch = intake_look(in, e.after, now);

		batch.waiting_ends = true;
		batch.done = on_ended;
		batch.arg = &e;
		store_page(store, &batch);
		if (e.ok)
			intake_stored(in);
	} while (e.ok && e.after != 0);
	*deliveries = e.deliveries;
	return e.ok;
}

void intake_stored(struct intake *in)
{
	in->unrouted += in->unrouted_now;
	in->unrouted_now = 0;
	if (in->context != NULL)
		context_ask(in->context);
}

void intake_init(struct intake *in, const struct holding *holding,
		 const struct source_settings *source, int source_number)
{
	*in = (struct intake){ .holding = holding,
			       .roster = holding->roster,
			       .source_number = source_number };
	buf_init(&in->text, CONTEXT_MAX);
	intake_refit(in, source);
}

void intake_refit(struct intake *in, const struct source_settings *source)
{
	size_t sinks = in->roster->settings->sink_count;

	in->source = source;
	in->chosen = mem_resize(in->chosen, sinks, sizeof(*in->chosen));
}

void intake_release(struct intake *in)
{
	mem_free(&in->chosen);
	mem_free(&in->targets);
	buf_release(&in->text);
	json_free(&in->known);
	alert_release(&in->waited);
	doubts_release(&in->doubts);
}
