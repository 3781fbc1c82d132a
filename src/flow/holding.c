/*
 * holding: one question after the other, in the contract's order.
 *
 * Who is in one group or storm is told by a key: a hash of the route, the sink and the values
 * that the route groups by. Numbers of names are the store's and last, so a group survives a
 * restart and a reload.
 */
#include "flow/holding.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "flow/recipients.h"

enum {
	KEY_MAX = 64 << 10, /* bytes of values that tell groups apart */
	LOOK_AGAIN_MS = 1000,
	/* So long after its time a step waits for a sweep, which may not come: the API is down. */
	SWEEP_PATIENCE_MS = 60000,
};

/* ---- keys ---- */

static void add_number(struct buf *b, int64_t number)
{
	buf_add(b, &number, sizeof(number));
}

static int64_t key_of(const struct buf *b)
{
	int64_t key = alert_hash(b->data, b->len);

	return key != 0 ? key : 1;
}

static void begin_key(struct buf *b, enum hold_reason reason, const struct holding *h,
		      const struct route *route, int sink)
{
	size_t index = (size_t)(route - h->roster->settings->routes);

	buf_init(b, KEY_MAX);
	add_number(b, reason);
	add_number(b, h->roster->routes[index]);
	add_number(b, sink);
}

/* The length before each value: none runs into the next one. */
static void add_value(struct buf *b, const struct facts *facts, const char *name)
{
	struct value v;

	value_of_facts(facts, &v);
	(void)value_path(&v, name, strlen(name), &v);
	add_number(b, (int64_t)v.len);
	buf_add(b, v.text, v.len);
}

static int64_t group_key(const struct holding *h, const struct route *route, int sink,
			 const struct facts *facts)
{
	const struct sink_settings *to = roster_sink(h->roster, sink);
	struct buf b;

	begin_key(&b, HOLD_GROUP, h, route, sink);
	for (size_t i = 0; i < route->group.by_count; i++)
		add_value(&b, facts, route->group.by[i]);
	/* What is for other people is another group. */
	if (to != NULL && recipients_are_named(to))
		add_number(&b, recipients_key_of(to, facts));
	int64_t key = key_of(&b);

	buf_release(&b);
	return key;
}

static int64_t storm_key(const struct holding *h, const struct route *route, int sink)
{
	struct buf b;

	begin_key(&b, HOLD_STORM, h, route, sink);
	int64_t key = key_of(&b);

	buf_release(&b);
	return key;
}

/* ---- each hold ---- */

static bool hold(struct wish *out, enum hold_reason reason, int64_t until)
{
	out->reason = reason;
	out->until = until;
	return true;
}

static bool is_silenced(const struct holding *h, const struct facts *facts, int64_t now,
			struct wish *out)
{
	int64_t until =
		h->silences != NULL ? silences_until(h->silences, facts, now, &out->grp) : 0;

	return until != 0 && hold(out, HOLD_SILENCE, until);
}

static bool passes(const struct quiet *q, const struct facts *facts)
{
	for (size_t i = 0; i < q->except_count; i++)
		if (matcher_matches(q->except[i], facts))
			return true;
	return false;
}

/* Of several windows the latest end. */
static bool is_quiet(const struct route *route, const struct facts *facts, int64_t now,
		     struct wish *out)
{
	int64_t latest = 0;

	for (size_t i = 0; i < route->quiet_count; i++) {
		int64_t until = hours_quiet_until(&route->quiet[i], now);

		if (until > latest && !passes(&route->quiet[i], facts))
			latest = until;
	}
	return latest != 0 && hold(out, HOLD_QUIET, latest);
}

static bool is_critical(const struct facts *facts)
{
	return facts->alert->severity == SEVERITY_CRITICAL;
}

static bool is_opening(enum event_kind kind)
{
	return kind == EVENT_OPENED || kind == EVENT_REOPENED;
}

static bool is_delayed(const struct route *route, const struct facts *facts, int64_t now,
		       struct wish *out)
{
	return route->delay_ms != 0 && is_opening(facts->event) && !is_critical(facts) &&
	       hold(out, HOLD_DELAY, now + route->delay_ms);
}

static bool is_for_digest(const struct route *route, int64_t now, struct wish *out)
{
	if (route->digest.at_count == 0)
		return false;
	int64_t next = hours_next(&route->digest, now);

	return next != INT64_MAX && hold(out, HOLD_DIGEST, next);
}

/* What the store counts: it knows who else is there. */
static void add_keys(const struct holding *h, const struct route *route, int sink,
		     const struct facts *facts, struct wish *out)
{
	bool counts = !is_critical(facts) && facts->event != EVENT_RESOLVED;

	if (route->storm.within_ms != 0 && counts) {
		out->storm.key = storm_key(h, route, sink);
		out->storm.over = route->storm.over;
		out->storm.within_ms = route->storm.within_ms;
	}
	if (route->group.wait_ms != 0) {
		out->group.key = group_key(h, route, sink, facts);
		out->group.wait_ms = route->group.wait_ms;
		out->group.max = route->group.max;
	}
}

/* ---- a new row ---- */

void holding_wish(const struct holding *h, const struct route *route, int sink,
		  const struct facts *facts, int64_t now, struct wish *out)
{
	*out = (struct wish){ .reason = HOLD_NONE };
	if (route == NULL)
		return;
	add_keys(h, route, sink, facts, out);
	if (is_silenced(h, facts, now, out) || is_quiet(route, facts, now, out) ||
	    is_delayed(route, facts, now, out))
		return;
	(void)is_for_digest(route, now, out);
}

/* ---- an alert that opens again and again ---- */

struct flap holding_flap(const struct holding *h, const struct flap *before, int64_t now)
{
	bool is_same = before->since != 0 && before->since <= now &&
		       now - before->since <= h->roster->settings->flap.within_ms;

	return is_same ? (struct flap){ before->since, before->count + 1 }
		       : (struct flap){ now, 1 };
}

bool holding_is_flapping(const struct holding *h, const struct flap *flap,
			 const struct alert *alert)
{
	int64_t over = h->roster->settings->flap.over;

	return over != 0 && flap->count > over && alert->severity != SEVERITY_CRITICAL;
}

void holding_wish_flap(const struct holding *h, int64_t now, struct wish *wish)
{
	if (wish->reason != HOLD_SILENCE && wish->reason != HOLD_QUIET)
		(void)hold(wish, HOLD_FLAP, now + h->roster->settings->flap.within_ms);
}

void holding_step(const struct route *route, size_t n, int64_t at, struct wish *out)
{
	*out = (struct wish){ .reason = HOLD_ESCALATION,
			      .until = at + route->escalate[n - 1].after_ms };
}

/* ---- a row whose time has come ---- */

static bool is_extra(const struct ripe *row)
{
	return row->origin == ORIGIN_ESCALATION || row->origin == ORIGIN_REPEAT;
}

/* Is it still to be seen whether the alert is open? */
static bool waits_for_sweep(const struct ripe *row, int64_t now)
{
	bool waits = is_extra(row) || row->reason == HOLD_DELAY;

	return waits && row->swept_at < row->until && now >= row->until &&
	       now < row->until + SWEEP_PATIENCE_MS;
}

static void wait_on(struct ripened *out, enum hold_reason reason, int64_t until)
{
	out->fate = RIPE_WAIT;
	(void)hold(&out->wish, reason, until);
}

static void go_on(const struct holding *h, const struct route *route, const struct ripe *row,
		  const struct facts *facts, int64_t now, struct ripened *out)
{
	if (is_silenced(h, facts, now, &out->wish) || is_quiet(route, facts, now, &out->wish) ||
	    (row->reason == HOLD_DELAY && is_for_digest(route, now, &out->wish))) {
		out->fate = RIPE_WAIT;
		return;
	}
	if (row->reason == HOLD_DELAY)
		add_keys(h, route, row->sink, facts, &out->wish);
}

void holding_ripens(const struct holding *h, const struct ripe *row, int64_t now,
		    struct ripened *out)
{
	const struct route *route = roster_route(h->roster, row->route);
	struct alert alert;
	struct err err;

	*out = (struct ripened){ .fate = RIPE_GO };
	if (is_extra(row) && !row->is_open) {
		out->fate = RIPE_DROP;
		out->reason = "no longer open";
		return;
	}
	if (waits_for_sweep(row, now)) {
		wait_on(out, row->reason, now + LOOK_AGAIN_MS);
		return;
	}
	/* Who believes it open hears its close, whatever else there is but a group's wait. */
	if (row->is_owed)
		return;
	/* A route that is gone holds nothing; bytes that cannot be read are for who sends them. */
	if (route == NULL || !alert_read(&alert, row->body, row->body_len, &err))
		return;
	struct json *context =
		row->context_len == 0 ? NULL : json_parse(row->context, row->context_len, &err);
	struct facts facts = { .alert = &alert,
			       .event = row->kind,
			       .source = roster_source_name(h->roster, row->source),
			       .route = route->name,
			       .context = context };

	go_on(h, route, row, &facts, now, out);
	json_free(&context);
	alert_release(&alert);
}

/* ---- in a digest ---- */

void holding_bears(const char *body, size_t len, struct bearing *out)
{
	struct alert alert;
	struct err err;

	*out = (struct bearing){ .rank = 0 };
	if (!alert_read(&alert, body, len, &err))
		return;
	out->rank = (int)alert.severity;
	snprintf(out->severity, sizeof(out->severity), "%s", alert.severity_text);
	snprintf(out->type, sizeof(out->type), "%s", alert.type);
	alert_release(&alert);
}
