/*
 * queue_refit: the queue goes on with the sinks of another configuration.
 *
 * Sinks are the same by their number in the store, whatever they are called. One that stays
 * keeps what is under way, its hold, its bucket and what it has failed; its settings are the
 * new ones from now on, and what they bound is cut when it is read. One that has another target
 * (a mended URL, another type) is innocent of what the old one did: it is tried at once, one row
 * first. One that is gone keeps its place, without settings, until nothing of it is under way
 * and its hold is stored; should it return meanwhile, it finds its slots as it left them.
 */
#include <stdio.h>

#include "base/mem.h"
#include "flow/queue_inner.h"

void queue_take(struct sink *s, const struct queue_sink *from, int64_t now)
{
	*s = (struct sink){ .settings = from->settings,
			    .number = from->number,
			    .fallback = from->fallback,
			    .look = { .is_wanted = true },
			    .held_until = from->held_until,
			    .down_since = from->down_since,
			    .held_total_ms = from->held_total_ms,
			    .paused_at = from->paused_at,
			    .released_at = from->released_at,
			    .nevers = from->refuses ? QUEUE_NEVERS_MAX : 0 };
	snprintf(s->reason, sizeof(s->reason), "%s", from->reason != NULL ? from->reason : "");
	bucket_init(&s->bucket, s->settings->rate, now);
}

void queue_mend(struct sink *s, int64_t now)
{
	s->mended_at = now;
	s->asked = false;
	s->fails = s->nevers = 0;
	s->delivered_at = 0;
	if (s->held_until <= now)
		return;
	s->held_until = now;
	s->dirty = true;
}

static bool is_same_rate(const struct rate *a, const struct rate *b)
{
	return a->count == b->count && a->per_ms == b->per_ms;
}

/* What was spent of the old rate is spent of the new one. */
static void reshape(struct bucket *b, struct rate rate, int64_t now)
{
	if (is_same_rate(&b->rate, &rate))
		return;
	if (b->rate.count == 0)
		bucket_init(b, rate, now);
	else
		bucket_shape(b, rate, (double)rate.count, b->debt_max, now);
}

static struct sink *find(struct queue *q, int number)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->sinks[i].number == number)
			return &q->sinks[i];
	return NULL;
}

static void fit(struct sink *s, struct sink *old, const struct queue_sink *from, int64_t now)
{
	if (old == NULL) {
		queue_take(s, from, now);
		return;
	}
	*s = *old;
	old->number = 0; /* taken */
	s->settings = from->settings;
	s->next_due_at = 0;
	s->look = (struct look){ .is_wanted = true };
	s->fallback = from->fallback;
	reshape(&s->bucket, from->settings->rate, now);
	if (from->is_mended)
		queue_mend(s, now);
}

/* Something of it is still on its way, or to the store. */
static bool is_needed(const struct sink *s)
{
	return s->number != 0 && (s->under_way > 0 || s->dirty || s->in_commit);
}

void queue_refit(struct queue *q, const struct queue_sink *sinks, size_t count, int64_t now)
{
	struct sink *fresh = mem_array(count + q->count, sizeof(*fresh));

	for (size_t i = 0; i < count; i++)
		fit(&fresh[i], find(q, sinks[i].number), &sinks[i], now);
	for (size_t i = 0; i < q->count; i++) {
		if (!is_needed(&q->sinks[i]))
			continue;
		fresh[count] = q->sinks[i];
		fresh[count].fallback = 0;
		fresh[count++].settings = NULL;
	}
	mem_free(&q->sinks);
	q->sinks = fresh;
	q->count = count;
}

size_t queue_sink_count(const struct queue *q)
{
	return q->count;
}
