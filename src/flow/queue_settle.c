/*
 * queue_settle: the policy of delivery: whose fault a failure is, and who waits for how long.
 *
 * Fault of the destination (outcome.sink_down): the sink is held, its rows stay due, so that
 * all go at once when it is back; each failed probe doubles the wait. The row that met the
 * failure waits as long as its sink and no longer. But when others of the same sink were
 * delivered while this row was under way, the destination is evidently well, and the failure is
 * this row's own: it backs off and the sink goes on. A Retry-After is a word of the
 * destination's: it always holds, and nothing that was under way when it came lifts it.
 *
 * Fault of the row: LATER backs off by itself, NEVER is a dead letter; a digest that is refused
 * goes out one by one instead. Five NEVERs in a row are
 * a broken template or a changed receiver rather than five bad alerts: from the fifth on the
 * rows are kept and the sink is held, which the operator is told.
 *
 * A row dies of age only: `give_up` after its first attempt, less the time in which its sink
 * was held, by us or by the operator, and only right after a failed attempt. So an outage of a
 * week kills nothing. What would die goes to the sink's fallback, but for rows that came by one:
 * there are no chains.
 *
 * Clocks jump. A row tried n times is no older than n of the longest waits; and what was
 * delivered "later than now" proves nothing.
 */
#include <stdio.h>

#include "base/clock.h"
#include "flow/queue_inner.h"

/* One attempt that ended: what is known, and what comes of it. */
struct ending {
	struct queue *queue;
	struct sink *sink;
	const struct tried *row;
	const struct outcome *outcome;
	int64_t now;
	char *reason; /* REASON_MAX bytes, for a reason of our own */
	struct settle *out;
};

/* The wait that the destination asked for, within retry_after_max, and a little more; 0: none. */
static int64_t asked_wait_ms(const struct ending *e)
{
	int64_t asked = e->outcome->retry_after_ms, max = e->sink->settings->retry_after_max_ms;

	if (asked < 0)
		return 0;
	return backoff_jitter_ms(&e->queue->chance, asked < max ? asked : max);
}

static int64_t penalty_ms(const struct ending *e, int64_t tries)
{
	const struct sink_settings *s = e->sink->settings;

	return backoff_ms(&e->queue->chance, s->retry_min_ms, s->retry_max_ms, tries);
}

/*
 * Starts a hold or makes it longer. Rows that were under way when it began fail too; their word
 * adds nothing but a Retry-After of their own.
 */
static enum queue_change hold(const struct ending *e, const char *reason)
{
	struct sink *s = e->sink;
	bool was_down = s->down_since != 0;

	if (s->paused_at != 0)
		return QUEUE_SAME;
	bool first_word = !was_down || e->row->started_at >= s->held_until;

	if (!was_down) {
		s->down_since = e->now;
		s->look = (struct look){ .is_wanted = true };
		s->moved = 0;
	}
	if (first_word) {
		s->fails++;
		s->held_until = queue_max(s->held_until, e->now + penalty_ms(e, s->fails));
	}
	s->held_until = queue_max(s->held_until, e->now + asked_wait_ms(e));
	s->asked |= e->outcome->retry_after_ms > 0;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	s->dirty = true;
	if (!was_down)
		return QUEUE_WENT_DOWN;
	return first_word ? QUEUE_STILL_DOWN : QUEUE_SAME;
}

static enum queue_change release(const struct ending *e)
{
	struct sink *s = e->sink;

	if (s->asked && s->held_until > e->now)
		return QUEUE_SAME;
	s->fails = 0;
	if (s->down_since == 0)
		return QUEUE_SAME;
	queue_end_hold(s, e->now);
	return QUEUE_CAME_UP;
}

/* Whose fault: is the sink well although this row says it is down? */
static bool is_rows_own(const struct ending *e)
{
	/* It went to where the sink does not send to any more. */
	if (e->row->started_at < e->sink->mended_at)
		return true;
	return e->outcome->retry_after_ms < 0 && e->sink->delivered_at != 0 &&
	       e->sink->delivered_at >= e->row->started_at && e->sink->delivered_at <= e->now;
}

static bool is_too_old(const struct ending *e)
{
	const struct sink_settings *s = e->sink->settings;
	int64_t held = queue_held_total_ms(e->sink, e->now) - e->row->held_base_ms;
	int64_t age = e->now - e->row->first_attempt_at - queue_max(held, 0);
	int64_t oldest = e->row->attempt * (queue_wait_cap_ms(e->sink) + s->timeout_ms);

	return age >= s->give_up_ms && oldest >= s->give_up_ms;
}

/* It will not be delivered here: the fallback takes it, unless it came by one. */
static void settle_dead(const struct ending *e, const char *reason)
{
	const struct sink *s = e->sink;
	char why[REASON_MAX];

	e->out->state = DELIVERY_DEAD;
	e->out->reason = reason;
	if (s->fallback == 0 || delivery_key_origin(e->row->id) == ORIGIN_FALLBACK)
		return;
	snprintf(why, sizeof(why), "%s", reason); /* which may be e->reason */
	snprintf(e->reason, REASON_MAX, "to %s: %.160s", s->settings->fallback, why);
	e->out->state = DELIVERY_MOVED;
	e->out->moved_to = s->fallback;
	e->out->reason = e->reason;
}

/* The row is tried again: with its sink where that is held, else after a backoff of its own. */
static void settle_later(const struct ending *e, const char *reason, bool sink_holds)
{
	int64_t wait = queue_max(penalty_ms(e, e->row->attempt), asked_wait_ms(e));

	e->out->state = DELIVERY_DUE;
	e->out->due_at = sink_holds ? queue_max(e->sink->held_until, e->now) : e->now + wait;
	e->out->reason = reason;
}

static enum queue_change settle_failed(const struct ending *e)
{
	const struct outcome *o = e->outcome;
	bool holds = o->sink_down && !is_rows_own(e);
	enum queue_change change = QUEUE_SAME;

	if (holds)
		change = hold(e, o->reason);
	else if (!o->sink_down)
		change = release(e);
	if (!is_too_old(e)) {
		settle_later(e, o->reason, holds);
		return change;
	}
	char span[CLOCK_TEXT_MAX];

	clock_span(e->sink->settings->give_up_ms, span);
	snprintf(e->reason, REASON_MAX, "gave up after %s: %.160s", span, o->reason);
	settle_dead(e, e->reason);
	return change;
}

/* One of them may be what it refuses: each goes by itself. */
static enum queue_change settle_split(const struct ending *e)
{
	e->out->state = DELIVERY_DUE;
	e->out->due_at = e->now;
	e->out->split = true;
	e->out->reason = e->outcome->reason;
	return release(e);
}

static enum queue_change settle_never(const struct ending *e)
{
	if (e->row->events > 1)
		return settle_split(e);
	e->sink->nevers++;
	if (e->sink->nevers < QUEUE_NEVERS_MAX) {
		settle_dead(e, e->outcome->reason);
		return release(e);
	}
	snprintf(e->reason, REASON_MAX, "%d payloads refused in a row: %.160s",
		 QUEUE_NEVERS_MAX, e->outcome->reason);
	enum queue_change change = hold(e, e->reason);

	settle_later(e, e->reason, true);
	return change;
}

static enum queue_change settle_delivered(const struct ending *e)
{
	e->out->state = DELIVERY_DONE;
	e->out->handle = e->outcome->handle[0] != '\0' ? e->outcome->handle : NULL;
	/* Delivered, yet something is to be said: a recipient was refused. */
	if (e->outcome->hint[0] != '\0')
		e->out->reason = e->outcome->reason;
	e->sink->delivered_at = e->now;
	e->sink->nevers = 0;
	return release(e);
}

static enum queue_change settle_again(const struct ending *e)
{
	e->out->state = DELIVERY_DUE;
	e->out->due_at = e->now;
	e->out->uncount = true;
	return release(e);
}

/* There is no sink any more that could be held; what is not over is an orphan (store_turn()). */
static void settle_gone(const struct ending *e)
{
	const struct outcome *o = e->outcome;

	e->out->reason = o->reason;
	switch (o->verdict) {
	case VERDICT_DELIVERED:
		e->out->state = DELIVERY_DONE;
		e->out->handle = o->handle[0] != '\0' ? o->handle : NULL;
		e->out->reason = o->hint[0] != '\0' ? o->reason : NULL;
		return;
	case VERDICT_NEVER: e->out->state = DELIVERY_DEAD; return;
	case VERDICT_AGAIN:
	case VERDICT_LATER:
		e->out->state = DELIVERY_DUE;
		e->out->due_at = e->now;
		e->out->uncount = o->verdict == VERDICT_AGAIN;
		return;
	}
	BUG("verdict %d", o->verdict);
}

enum queue_change queue_settle(struct queue *q, const struct tried *row,
			       const struct outcome *outcome, int64_t now, struct settle *out,
			       char reason[REASON_MAX])
{
	struct ending e = { .queue = q,
			    .sink = queue_sink_of(q, row->sink),
			    .row = row,
			    .outcome = outcome,
			    .now = now,
			    .reason = reason,
			    .out = out };

	*out = (struct settle){
		.id = row->id,
		.maybe_sent = outcome->maybe_sent,
		.progress = outcome->progress[0] != '\0' ? outcome->progress : NULL,
		.attempt_count = row->attempt,
		.batch = row->batch,
		.attempt = { .at = now,
			     .took_ms = row->took_ms,
			     .verdict = outcome->verdict,
			     .status = outcome->status,
			     .answer = outcome->reason },
	};
	e.sink->ended[outcome->verdict]++;
	if (queue_is_gone(e.sink)) {
		settle_gone(&e);
		return QUEUE_SAME;
	}
	switch (outcome->verdict) {
	case VERDICT_DELIVERED: return settle_delivered(&e);
	case VERDICT_AGAIN: return settle_again(&e);
	case VERDICT_LATER: return settle_failed(&e);
	case VERDICT_NEVER: return settle_never(&e);
	}
	BUG("verdict %d", outcome->verdict);
}

void queue_settle_cut(const struct tried *row, bool maybe_sent, int64_t now, struct settle *out)
{
	static const char reason[] = "cut by our own stop";

	*out = (struct settle){ .id = row->id,
				.state = DELIVERY_DUE,
				.due_at = now,
				.maybe_sent = maybe_sent,
				.reason = reason,
				.attempt_count = row->attempt,
				.batch = row->batch,
				.attempt = { .at = now,
					     .took_ms = row->took_ms,
					     .verdict = VERDICT_LATER,
					     .answer = reason } };
}

void queue_settle_dropped(const struct tried *row, const char *reason, struct settle *out)
{
	*out = (struct settle){ .id = row->id,
				.state = DELIVERY_DROPPED,
				.uncount = true,
				.reason = reason,
				.attempt_count = row->attempt,
				.batch = row->batch };
}

void queue_settle_parted(const struct tried *row, int64_t now, struct settle *out)
{
	*out = (struct settle){ .id = row->id,
				.state = DELIVERY_DUE,
				.due_at = now,
				.uncount = true,
				.attempt_count = row->attempt,
				.batch = row->batch,
				.split = true };
}
