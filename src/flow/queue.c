/*
 * queue: the policy of delivery: whose fault a failure is, and who waits for how long.
 *
 * Fault of the destination (outcome.sink_down): the sink is held, its rows stay due, so that
 * all go at once when it is back; each failed probe doubles the wait. The row that met the
 * failure waits as long as its sink and no longer. But when others of the same sink were
 * delivered while this row was under way, the destination is evidently well, and the failure is
 * this row's own: it backs off and the sink goes on. A Retry-After is a word of the
 * destination's: it always holds, and nothing that was under way when it came lifts it.
 *
 * Fault of the row: LATER backs off by itself, NEVER is a dead letter. Five NEVERs in a row are
 * a broken template or a changed receiver rather than five bad alerts: from the fifth on the
 * rows are kept and the sink is held, which the operator is told.
 *
 * A row dies of age only: `give_up` after its first attempt, less the time in which its sink
 * was held, and only right after a failed attempt. So an outage of a week kills nothing.
 *
 * Clocks jump. A hold that ends later than any wait we could have chosen is cut to the longest
 * one when it is read; a row tried n times is no older than n of the longest waits; and what was
 * delivered "later than now" proves nothing.
 */
#include "flow/queue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/bucket.h"

struct sink {
	const struct sink_settings *settings;
	int number;
	struct bucket bucket;
	size_t under_way;
	int64_t next_due_at; /* 0: unknown, ask; INT64_MAX: nothing is due until a wake */

	int64_t held_until;    /* 0: not held */
	int64_t down_since;    /* 0: up; else held or probing */
	bool asked;            /* … for so long by the destination itself */
	int64_t held_total_ms; /* of holds that are over */
	int64_t fails;         /* probes failed, for the penalty */
	int64_t nevers;        /* in a row */
	int64_t delivered_at;
	char reason[REASON_MAX];
	bool dirty;     /* the hold is not stored as it is */
	bool in_commit; /* … but is part of the batch under way */
};

struct queue {
	struct sink *sinks;
	size_t count;
	struct chance chance;
};

struct queue *queue_new(const struct queue_sink *sinks, size_t count, uint64_t seed,
			int64_t now)
{
	struct queue *q = mem_new(sizeof(*q));

	chance_seed(&q->chance, seed);
	q->count = count;
	q->sinks = mem_array(count, sizeof(*q->sinks));
	for (size_t i = 0; i < count; i++) {
		struct sink *s = &q->sinks[i];

		s->settings = sinks[i].settings;
		s->number = sinks[i].number;
		s->held_until = sinks[i].held_until;
		s->down_since = sinks[i].down_since;
		s->held_total_ms = sinks[i].held_total_ms;
		snprintf(s->reason, sizeof(s->reason), "%s",
			 sinks[i].reason != NULL ? sinks[i].reason : "");
		bucket_init(&s->bucket, s->settings->rate, now);
	}
	return q;
}

void queue_free(struct queue **q)
{
	if (*q == NULL)
		return;
	mem_free(&(*q)->sinks);
	mem_free(q);
}

static struct sink *find_sink(struct queue *q, int number)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->sinks[i].number == number)
			return &q->sinks[i];
	BUG("no sink has number %d", number);
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The longest wait that could have been chosen: a tenth more than the caps, for jitter. */
static int64_t wait_cap_ms(const struct sink *s)
{
	int64_t cap = max_of(s->settings->retry_after_max_ms, s->settings->retry_max_ms);

	return cap + cap / 10 + 1;
}

static bool is_held(struct sink *s, int64_t now)
{
	if (s->held_until > now + wait_cap_ms(s)) {
		s->held_until = now + wait_cap_ms(s);
		s->dirty = true;
	}
	return s->held_until > now;
}

/* When the next row is due; further off than any wait only after a clock jumped back. */
static int64_t next_due_at(struct sink *s, int64_t now)
{
	if (s->next_due_at != INT64_MAX && s->next_due_at > now + wait_cap_ms(s))
		s->next_due_at = now + wait_cap_ms(s);
	return s->next_due_at;
}

/* All the time this sink was held, up to now. */
static int64_t held_total_ms(const struct sink *s, int64_t now)
{
	return s->held_total_ms + (s->down_since != 0 ? max_of(now - s->down_since, 0) : 0);
}

/* How many rows may start; a sink that is down gets one probe at a time. */
static size_t room_of(struct sink *s, int64_t now)
{
	size_t window = s->down_since != 0 ? 1 : (size_t)s->settings->window;

	if (is_held(s, now) || s->under_way >= window)
		return 0;
	size_t room = window - s->under_way, tokens = bucket_room(&s->bucket, now);

	return room < tokens ? room : tokens;
}

size_t queue_asks(struct queue *q, int64_t now, struct ask *asks)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct sink *s = &q->sinks[i];
		size_t room = next_due_at(s, now) <= now ? room_of(s, now) : 0;

		if (room == 0)
			continue;
		asks[count++] = (struct ask){ .sink = s->number,
					      .room = room,
					      .probe = s->down_since != 0,
					      .held_total_ms = held_total_ms(s, now),
					      .wait_max_ms = wait_cap_ms(s) };
	}
	return count;
}

/* How long this sink has nothing to ask; -1: until something happens to it. */
static int64_t sink_sleep_ms(struct sink *s, int64_t now)
{
	size_t window = s->down_since != 0 ? 1 : (size_t)s->settings->window;

	if (s->next_due_at == INT64_MAX || s->under_way >= window)
		return -1;
	int64_t wait = max_of(next_due_at(s, now) - now, bucket_wait_ms(&s->bucket, now));

	if (is_held(s, now))
		wait = max_of(wait, s->held_until - now);
	return max_of(wait, 0);
}

int64_t queue_sleep_ms(struct queue *q, int64_t now)
{
	int64_t sleep = -1;

	for (size_t i = 0; i < q->count; i++) {
		int64_t ms = sink_sleep_ms(&q->sinks[i], now);

		if (ms >= 0 && (sleep < 0 || ms < sleep))
			sleep = ms;
	}
	return sleep;
}

void queue_claimed(struct queue *q, const struct answer *answer)
{
	struct sink *s = find_sink(q, answer->sink);

	s->under_way += answer->claimed;
	s->next_due_at = answer->next_due_at;
	if (s->bucket.rate.count != 0)
		bucket_take(&s->bucket, answer->claimed);
}

void queue_wake(struct queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		q->sinks[i].next_due_at = 0;
}

/* ---- after an attempt ---- */

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
	bool first_word = !was_down || e->row->started_at >= s->held_until;

	if (!was_down)
		s->down_since = e->now;
	if (first_word) {
		s->fails++;
		s->held_until = max_of(s->held_until, e->now + penalty_ms(e, s->fails));
	}
	s->held_until = max_of(s->held_until, e->now + asked_wait_ms(e));
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
	s->held_total_ms = held_total_ms(s, e->now);
	s->held_until = 0;
	s->down_since = 0;
	s->asked = false;
	s->reason[0] = '\0';
	s->dirty = true;
	return QUEUE_CAME_UP;
}

/* Whose fault: is the sink well although this row says it is down? */
static bool is_rows_own(const struct ending *e)
{
	return e->outcome->retry_after_ms < 0 && e->sink->delivered_at != 0 &&
	       e->sink->delivered_at >= e->row->started_at && e->sink->delivered_at <= e->now;
}

static bool is_too_old(const struct ending *e)
{
	const struct sink_settings *s = e->sink->settings;
	int64_t held = held_total_ms(e->sink, e->now) - e->row->held_base_ms;
	int64_t age = e->now - e->row->first_attempt_at - max_of(held, 0);
	int64_t oldest = e->row->attempt * (wait_cap_ms(e->sink) + s->timeout_ms);

	return age >= s->give_up_ms && oldest >= s->give_up_ms;
}

static void settle_dead(const struct ending *e, const char *reason)
{
	e->out->state = DELIVERY_DEAD;
	e->out->reason = reason;
}

/* The row is tried again: with its sink where that is held, else after a backoff of its own. */
static void settle_later(const struct ending *e, const char *reason, bool sink_holds)
{
	int64_t wait = max_of(penalty_ms(e, e->row->attempt), asked_wait_ms(e));

	e->out->state = DELIVERY_DUE;
	e->out->due_at = sink_holds ? e->sink->held_until : e->now + wait;
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

static enum queue_change settle_never(const struct ending *e)
{
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

enum queue_change queue_settle(struct queue *q, const struct tried *row,
			       const struct outcome *outcome, int64_t now, struct settle *out,
			       char reason[REASON_MAX])
{
	struct ending e = { .queue = q,
			    .sink = find_sink(q, row->sink),
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
		.attempt = { .at = now,
			     .took_ms = row->took_ms,
			     .verdict = outcome->verdict,
			     .status = outcome->status,
			     .answer = outcome->reason },
	};
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
				.attempt = { .at = now,
					     .took_ms = row->took_ms,
					     .verdict = VERDICT_LATER,
					     .answer = reason } };
}

void queue_committed(struct queue *q, int sink, size_t count)
{
	struct sink *s = find_sink(q, sink);

	assert(s->under_way >= count);
	s->under_way -= count;
	/* What ended may have released rows behind it. */
	s->next_due_at = 0;
}

/* ---- holds on their way to the store ---- */

size_t queue_holds(struct queue *q, struct hold *holds)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct sink *s = &q->sinks[i];

		s->in_commit = s->dirty;
		if (!s->dirty)
			continue;
		s->dirty = false;
		holds[count++] = (struct hold){ .sink = s->number,
						.held_until = s->held_until,
						.down_since = s->down_since,
						.held_total_ms = s->held_total_ms,
						.reason = s->reason };
	}
	return count;
}

void queue_holds_stored(struct queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		q->sinks[i].in_commit = false;
}

void queue_holds_failed(struct queue *q)
{
	for (size_t i = 0; i < q->count; i++) {
		q->sinks[i].dirty |= q->sinks[i].in_commit;
		q->sinks[i].in_commit = false;
	}
}

void queue_status(const struct queue *q, size_t index, struct queue_status *out)
{
	const struct sink *s = &q->sinks[index];

	*out = (struct queue_status){ .under_way = s->under_way,
				      .held_until = s->held_until,
				      .down_since = s->down_since,
				      .reason = s->reason };
}

size_t queue_under_way(const struct queue *q)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++)
		count += q->sinks[i].under_way;
	return count;
}
