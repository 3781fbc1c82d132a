/*
 * queue: what may start or move now, and how long to sleep else.
 *
 * Rows of a sink with a fallback that has been down for `fallback_after` move while the sink is
 * held; when the hold is over, the probe's outcome is awaited, so that a sink that is well again
 * keeps its rows. A look at what waits goes through all of it, a part each turn; the next one
 * begins where that one began in time, since what was seen then stays for good reasons.
 *
 * The operator's hold is for as long as he wants, so it takes the place of ours: failures of what
 * was under way change nothing, and when he lets the sink go, it is up.
 *
 * Clocks jump. Stored instants beyond any wait we could have chosen are cut to the longest one
 * when they are read, and a sink cannot have been down since later than now.
 */
#include "flow/queue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/queue_inner.h"

struct queue *queue_new(const struct queue_sink *sinks, size_t count, uint64_t seed,
			int64_t now)
{
	struct queue *q = mem_new(sizeof(*q));

	chance_seed(&q->chance, seed);
	q->count = count;
	q->sinks = mem_array(count, sizeof(*q->sinks));
	for (size_t i = 0; i < count; i++) {
		queue_take(&q->sinks[i], &sinks[i], now);
		if (sinks[i].is_mended)
			queue_mend(&q->sinks[i], now);
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

struct sink *queue_sink_of(struct queue *q, int number)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->sinks[i].number == number)
			return &q->sinks[i];
	BUG("no sink has number %d", number);
}

int64_t queue_wait_cap_ms(const struct sink *s)
{
	int64_t cap = queue_max(s->settings->retry_after_max_ms, s->settings->retry_max_ms);

	return cap + cap / 10 + 1;
}

bool queue_is_held(struct sink *s, int64_t now)
{
	if (s->held_until > now + queue_wait_cap_ms(s)) {
		s->held_until = now + queue_wait_cap_ms(s);
		s->dirty = true;
	}
	return s->held_until > now;
}

/* When the next row is due; further off than any wait only after a clock jumped back. */
static int64_t next_due_at(struct sink *s, int64_t now)
{
	if (s->next_due_at != INT64_MAX && s->next_due_at > now + queue_wait_cap_ms(s))
		s->next_due_at = now + queue_wait_cap_ms(s);
	return s->next_due_at;
}

/* From when on its rows go to the fallback; INT64_MAX: they do not. */
static int64_t hand_over_at(struct sink *s, int64_t now)
{
	if (s->fallback == 0 || s->down_since == 0)
		return INT64_MAX;
	if (s->down_since > now) {
		s->down_since = now;
		s->dirty = true;
	}
	return s->down_since + s->settings->fallback_after_ms;
}

int64_t queue_held_total_ms(const struct sink *s, int64_t now)
{
	int64_t since = s->paused_at != 0 ? s->paused_at : s->down_since;

	return s->held_total_ms + (since != 0 ? queue_max(now - since, 0) : 0);
}

/* A sink that is down gets one probe at a time. */
static size_t window_of(const struct sink *s)
{
	return s->down_since != 0 ? 1 : (size_t)s->settings->window;
}

/* The batch that claims a row stores first what has landed, so those slots are free in it. */
static size_t flying(const struct sink *s)
{
	return s->under_way - s->landed;
}

/* How many rows may start. */
static size_t room_of(struct sink *s, int64_t now)
{
	size_t window = window_of(s);

	if (s->paused_at != 0 || queue_is_held(s, now) || flying(s) >= window)
		return 0;
	size_t room = window - flying(s), tokens = bucket_room(&s->bucket, now);

	return room < tokens ? room : tokens;
}

size_t queue_asks(struct queue *q, int64_t now, struct ask *asks)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct sink *s = &q->sinks[i];

		if (queue_is_gone(s) || next_due_at(s, now) > now)
			continue;
		size_t room = room_of(s, now);

		if (room == 0)
			continue;
		asks[count++] = (struct ask){ .sink = s->number,
					      .room = room,
					      .probe = s->down_since != 0,
					      .held_total_ms = queue_held_total_ms(s, now),
					      .wait_max_ms = queue_wait_cap_ms(s) };
	}
	return count;
}

bool queue_is_starved(struct queue *q, const struct ask *asks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sink *s = queue_sink_of(q, asks[i].sink);

		if (flying(s) * 2 <= window_of(s))
			return true;
	}
	return false;
}

/* How long nothing of this sink goes to its fallback; -1: until something happens to it. */
static int64_t move_wait_ms(struct sink *s, int64_t now)
{
	if (queue_is_gone(s))
		return -1;
	int64_t at = queue_max(hand_over_at(s, now), now);
	bool is_looking = s->look.is_wanted || s->look.is_going_on;

	/* Once the hold is over the probe tells. */
	return is_looking && queue_is_held(s, now) && at < s->held_until ? at - now : -1;
}

static void look_on(struct look *look, int64_t now)
{
	if (look->is_going_on)
		return;
	if (look->mark.due_at > now) /* a clock has jumped back */
		look->mark = (struct move_mark){ 0, 0 };
	look->is_wanted = false;
	look->is_going_on = true;
	look->began_at = now;
}

static void say_why_moved(struct sink *s)
{
	char span[CLOCK_TEXT_MAX];

	clock_span(s->settings->fallback_after_ms, span);
	snprintf(s->move_reason, REASON_MAX, "to %s: down for %s: %.120s",
		 s->settings->fallback, span, s->reason);
}

size_t queue_moves(struct queue *q, int64_t now, struct move *moves)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct sink *s = &q->sinks[i];

		if (move_wait_ms(s, now) != 0)
			continue;
		look_on(&s->look, now);
		say_why_moved(s);
		moves[count++] = (struct move){ .from = s->number,
						.to = s->fallback,
						.room = QUEUE_MOVES_MAX,
						.after = s->look.mark,
						.reason = s->move_reason };
	}
	return count;
}

/* How long this sink has nothing to ask; -1: until something happens to it. */
static int64_t ask_wait_ms(struct sink *s, int64_t now)
{
	if (queue_is_gone(s))
		return -1;
	if (s->paused_at != 0 || s->next_due_at == INT64_MAX || flying(s) >= window_of(s))
		return -1;
	int64_t wait = queue_max(next_due_at(s, now) - now, bucket_wait_ms(&s->bucket, now));

	if (queue_is_held(s, now))
		wait = queue_max(wait, s->held_until - now);
	return queue_max(wait, 0);
}

/* The shorter of two waits, of which -1 has no end. */
static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return queue_max(a, b);
	return a < b ? a : b;
}

int64_t queue_sleep_ms(struct queue *q, int64_t now)
{
	int64_t sleep = -1;

	for (size_t i = 0; i < q->count; i++) {
		sleep = sooner(sleep, ask_wait_ms(&q->sinks[i], now));
		sleep = sooner(sleep, move_wait_ms(&q->sinks[i], now));
	}
	return sleep;
}

int64_t queue_tick_wait_ms(const struct queue *q, int64_t now)
{
	if (q->next_tick_at == INT64_MAX)
		return -1;
	int64_t wait = queue_max(q->next_tick_at - now, 0);

	return wait > STORE_TICK_MAX_MS ? 0 : wait; /* a clock has jumped back */
}

/* There may be rows that the queue does not know of. */
static void wake_sink(struct sink *s)
{
	s->next_due_at = 0;
	s->look.is_wanted = true;
}

void queue_claimed(struct queue *q, const struct answer *answer, int64_t now)
{
	struct sink *s = queue_sink_of(q, answer->sink);

	s->under_way += answer->claimed;
	s->attempts += (int64_t)answer->claimed;
	s->next_due_at = answer->next_due_at;
	if (s->bucket.rate.count != 0)
		bucket_spend(&s->bucket, answer->claimed, now);
}

bool queue_moved(struct queue *q, const struct moved *moved)
{
	struct sink *s = queue_sink_of(q, moved->from);
	struct look *look = &s->look;
	bool is_first = moved->count > 0 && s->moved == 0;

	s->moved += (int64_t)moved->count;
	look->mark = moved->mark;
	if (moved->is_end) {
		look->is_going_on = false;
		look->mark = (struct move_mark){ look->began_at, 0 };
	}
	if (moved->count > 0)
		wake_sink(queue_sink_of(q, moved->to));
	return is_first;
}

int64_t queue_moved_count(struct queue *q, int sink)
{
	return queue_sink_of(q, sink)->moved;
}

static void wake_sinks(struct queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		wake_sink(&q->sinks[i]);
}

void queue_wake(struct queue *q)
{
	wake_sinks(q);
	q->next_tick_at = 0;
}

void queue_ticked(struct queue *q, int64_t next_at, bool any_freed)
{
	q->next_tick_at = next_at;
	if (any_freed)
		wake_sinks(q);
}

void queue_landed(struct queue *q, int sink)
{
	struct sink *s = queue_sink_of(q, sink);

	assert(s->landed < s->under_way);
	s->landed++;
}

void queue_committed(struct queue *q, int sink, size_t count)
{
	struct sink *s = queue_sink_of(q, sink);

	assert(s->landed >= count);
	s->landed -= count;
	s->under_way -= count;
	/* What ended may have released rows behind it, and made some for the fallback. */
	wake_sink(s);
	if (s->fallback != 0)
		wake_sink(queue_sink_of(q, s->fallback));
}

/* ---- the operator's word ---- */

void queue_end_hold(struct sink *s, int64_t now)
{
	s->held_total_ms = queue_held_total_ms(s, now);
	s->paused_at = 0;
	s->held_until = 0;
	s->down_since = 0;
	s->asked = false;
	s->fails = 0;
	s->reason[0] = '\0';
	s->dirty = true;
}

static void let_go(struct sink *s, int64_t released_at, int64_t now)
{
	queue_end_hold(s, now);
	s->released_at = released_at;
	s->nevers = 0;
	wake_sink(s);
}

struct queue_word queue_heed(struct queue *q, size_t index, int64_t paused_at,
			     int64_t released_at, int64_t now)
{
	struct sink *s = &q->sinks[index];
	struct queue_word word = { .is_released = released_at != s->released_at };

	if (word.is_released)
		let_go(s, released_at, now);
	word.is_held = paused_at != 0 && paused_at != s->paused_at;
	if (word.is_held) {
		queue_end_hold(s, paused_at);
		s->paused_at = paused_at;
	}
	return word;
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
				      .attempts = s->attempts,
				      .held_until = s->held_until,
				      .down_since = s->down_since,
				      .paused_at = s->paused_at,
				      .reason = s->reason,
				      .refuses = s->nevers >= QUEUE_NEVERS_MAX };
	memcpy(out->ended, s->ended, sizeof(out->ended));
}

size_t queue_under_way(const struct queue *q)
{
	size_t count = 0;

	for (size_t i = 0; i < q->count; i++)
		count += q->sinks[i].under_way;
	return count;
}
