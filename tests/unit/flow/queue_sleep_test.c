/*
 * "Ask for these rows" or "sleep this long", and never both or neither: seeded lives of three
 * sinks against a store of a few lines. After each step the queue's sleep is held to what it
 * asks: nothing before, something then; and at the end of each life all rows have come through.
 */
#include "base/backoff.h"
#include "base/mem.h"
#include "flow/queue_inner.h"
#include "queue_kit.h"

enum { SINKS = 3, ROWS = 400, STEPS = 400, SEEDS = 200 };

enum row_state { DUE, CLAIMED, ENDED };

struct row {
	int sink;
	enum row_state state;
	int64_t due_at, attempt, first_at, started_at;
	bool stays; /* of an episode that its sink has heard of */
};

struct life {
	struct queue *q;
	struct sink_settings settings[SINKS];
	struct chance chance;
	struct row rows[ROWS];
	size_t row_count;
	int64_t now;
	uint64_t seed;
	bool is_calm; /* the end: all is well, and no new rows come */
	bool is_dead; /* … but for sink 1, which is never well again */
};

static int64_t dice(struct life *l, int64_t below)
{
	return chance_below(&l->chance, below);
}

static void begin(struct life *l, uint64_t seed)
{
	struct queue_sink sinks[SINKS];

	memset(l, 0, sizeof(*l));
	l->seed = seed;
	l->now = START;
	chance_seed(&l->chance, seed);
	for (int i = 0; i < SINKS; i++) {
		struct sink_settings *s = &l->settings[i];

		*s = settings_of(1 + dice(l, 4));
		s->timeout_ms = 30 * SECOND;
		s->retry_max_ms = SECOND << dice(l, 10);
		if (dice(l, 3) == 0)
			s->rate = (struct rate){ .count = 1 + dice(l, 5),
						 .per_ms = SECOND << dice(l, 8) };
		sinks[i] = (struct queue_sink){ .settings = s, .number = i + 1 };
	}
	l->settings[0].fallback = (char *)"b";
	l->settings[0].fallback_after_ms = 1 + dice(l, 20 * MINUTE);
	sinks[0].fallback = 2;
	l->q = queue_new(sinks, SINKS, seed, START);
}

/* ---- a store of a few lines ---- */

static int64_t next_due(const struct life *l, int sink)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < l->row_count; i++)
		if (l->rows[i].sink == sink && l->rows[i].state == DUE &&
		    l->rows[i].due_at < next)
			next = l->rows[i].due_at;
	return next;
}

static struct row *first_due(struct life *l, int sink, int64_t until)
{
	struct row *first = NULL;

	for (size_t i = 0; i < l->row_count; i++) {
		struct row *r = &l->rows[i];

		if (r->sink == sink && r->state == DUE && r->due_at <= until &&
		    (first == NULL || r->due_at < first->due_at))
			first = r;
	}
	return first;
}

static size_t answer(struct life *l, const struct ask *ask)
{
	size_t count = 0;
	struct row *r;
	/* What waits longer than any wait was stored by a clock that has jumped back. */
	int64_t next = next_due(l, ask->sink);
	int64_t until = next != INT64_MAX && next > l->now + ask->wait_max_ms ? next : l->now;

	for (; count < ask->room && (r = first_due(l, ask->sink, until)) != NULL; count++) {
		r->state = CLAIMED;
		r->attempt++;
		r->started_at = l->now;
		r->first_at = r->first_at != 0 ? r->first_at : l->now;
	}
	claim(l->q, ask->sink, count, next_due(l, ask->sink));
	return count;
}

/* The first due row behind the mark. */
static struct row *after_mark(struct life *l, int sink, struct move_mark mark)
{
	struct row *first = NULL;

	for (size_t i = 0; i < l->row_count; i++) {
		struct row *r = &l->rows[i];
		bool is_after = r->due_at > mark.due_at ||
				(r->due_at == mark.due_at && (int64_t)i > mark.id);

		if (r->sink == sink && r->state == DUE && is_after &&
		    (first == NULL || r->due_at < first->due_at))
			first = r;
	}
	return first;
}

static size_t move(struct life *l, const struct move *m)
{
	struct moved moved = { .from = m->from, .to = m->to, .mark = m->after };
	struct row *r;

	for (int room = 3; room > 0 && !moved.is_end; room--) {
		r = after_mark(l, m->from, moved.mark);
		moved.is_end = r == NULL;
		if (r == NULL)
			break;
		moved.mark = (struct move_mark){ r->due_at, r - l->rows };
		if (r->stays)
			continue;
		r->sink = m->to;
		r->due_at = l->now;
		moved.count++;
	}
	queue_moved(l->q, &moved);
	return moved.count;
}

/* ---- what the queue says, held against what it does ---- */

/* A look into the future changes nothing: it is a copy that looks. */
static struct queue *copy_of(const struct queue *q)
{
	struct queue *copy = (struct queue *)(void *)mem_dup(q, sizeof(*q));

	copy->sinks = (void *)mem_dup(q->sinks, q->count * sizeof(*q->sinks));
	return copy;
}

static size_t wants(const struct life *l, int64_t at)
{
	struct queue *q = copy_of(l->q);
	struct ask asks[SINKS];
	struct move moves[SINKS];
	size_t count = queue_asks(q, at, asks) + queue_moves(q, at, moves);

	queue_free(&q);
	return count;
}

static void expect(struct life *l, bool is_true, const char *what)
{
	if (!is_true)
		fail_msg("seed %d, %lld ms in: %s", (int)l->seed, (long long)(l->now - START),
			 what);
}

static void expect_no_wake_missed(struct life *l)
{
	for (size_t i = 0; i < l->row_count; i++)
		if (l->rows[i].state == CLAIMED)
			return; /* its end will wake */
	for (int sink = 1; sink <= SINKS; sink++)
		expect(l, next_due(l, sink) == INT64_MAX, "it sleeps for ever, and rows wait");
}

static int64_t check_sleep(struct life *l)
{
	int64_t sleep = queue_sleep_ms(l->q, l->now);
	int64_t until = sleep < 0 ? 100LL * 24 * HOUR : sleep;

	if (until > 0) {
		expect(l, wants(l, l->now) == 0, "it asks and sleeps");
		expect(l, wants(l, l->now + dice(l, until)) == 0, "it asks in its sleep");
		expect(l, wants(l, l->now + until - 1) == 0, "it asks before it wakes");
	}
	if (sleep < 0)
		expect_no_wake_missed(l);
	else
		expect(l, wants(l, l->now + sleep) > 0, "it wakes and asks for nothing");
	return sleep;
}

/* One turn; true when it made anything go. */
static bool turn(struct life *l)
{
	struct ask asks[SINKS];
	struct move moves[SINKS];
	struct hold holds[SINKS];
	size_t ask_count = queue_asks(l->q, l->now, asks), went = 0;
	size_t move_count = queue_moves(l->q, l->now, moves);

	queue_holds(l->q, holds);
	if (!l->is_calm && dice(l, 10) == 0) { /* the commit fails */
		queue_holds_failed(l->q);
		return true;
	}
	queue_holds_stored(l->q);
	for (size_t i = 0; i < move_count; i++)
		went += move(l, &moves[i]);
	for (size_t i = 0; i < ask_count; i++)
		went += answer(l, &asks[i]);
	return went > 0 || move_count > 0;
}

/* To ask for nothing is fine once; then the queue knows. */
static void turns(struct life *l)
{
	for (int i = 0; wants(l, l->now) > 0; i++) {
		expect(l, i < 3 * ROWS, "it never comes to rest");
		if (!turn(l))
			expect(l, wants(l, l->now) == 0, "it asks again for what is not there");
	}
}

/* ---- what happens ---- */

static void rows_come(struct life *l)
{
	for (int64_t n = 1 + dice(l, 5); n > 0 && l->row_count < ROWS; n--) {
		l->rows[l->row_count++] = (struct row){ .sink = 1 + (int)dice(l, SINKS),
							.due_at = l->now,
							.stays = dice(l, 4) == 0 };
	}
	queue_wake(l->q);
}

static struct outcome some_outcome(struct life *l, const struct row *r)
{
	struct outcome o = DELIVERED;

	if (l->is_dead && r->sink == 1)
		return SINK_DOWN;
	if (l->is_calm)
		return o;
	switch (dice(l, 6)) {
	case 0: return ROW_LATER;
	case 1: return NEVER;
	case 2: o.verdict = VERDICT_AGAIN; return o;
	case 3:
		o = SINK_DOWN;
		o.retry_after_ms = dice(l, 2 * HOUR);
		return o;
	case 4: return SINK_DOWN;
	default: return o;
	}
}

static void row_ends(struct life *l, struct row *r)
{
	struct tried tried = { .id = delivery_key(r - l->rows + 1, r->sink, ORIGIN_ROUTE, 0),
			       .sink = r->sink,
			       .attempt = r->attempt,
			       .first_attempt_at = r->first_at,
			       .started_at = r->started_at };
	struct outcome o = some_outcome(l, r);
	struct end e = end_row(l->q, &tried, &o, l->now);

	r->state = e.settle.state == DELIVERY_DUE ? DUE : ENDED;
	r->due_at = e.settle.due_at;
	if (e.settle.state == DELIVERY_MOVED) {
		r->sink = e.settle.moved_to;
		r->due_at = l->now;
		r->state = DUE;
	}
}

static void some_row_ends(struct life *l)
{
	size_t from = (size_t)dice(l, ROWS);

	for (size_t i = 0; i < l->row_count; i++) {
		struct row *r = &l->rows[(from + i) % l->row_count];

		if (r->state != CLAIMED)
			continue;
		row_ends(l, r);
		return;
	}
}

static void one_step(struct life *l, int64_t sleep)
{
	switch (dice(l, 8)) {
	case 0: rows_come(l); break;
	case 1:
	case 2:
	case 3: some_row_ends(l); break;
	case 4:
	case 5: l->now += sleep > 0 ? sleep : 0; break;
	case 6: l->now += dice(l, 40 * SECOND); break;
	default:
		if (dice(l, 30) == 0) /* the clock jumps */
			l->now += dice(l, 4 * HOUR) - 2 * HOUR;
	}
}

/* Nothing is left but what a dead sink has heard of, and is owed. */
static bool is_over(const struct life *l)
{
	for (size_t i = 0; i < l->row_count; i++) {
		const struct row *r = &l->rows[i];

		if (r->state != ENDED && !(l->is_dead && r->sink == 1 && r->stays))
			return false;
	}
	return true;
}

/* All is well now: everything that waits must come through, without a wake from outside. */
static void come_to_rest(struct life *l)
{
	int64_t sleep = 0;

	l->is_calm = true;
	for (int i = 0; sleep >= 0 && !(l->is_dead && is_over(l)); i++) {
		expect(l, i < 1000 * ROWS, "rows never come through");
		turns(l);
		for (size_t k = 0; k < l->row_count; k++)
			if (l->rows[k].state == CLAIMED)
				row_ends(l, &l->rows[k]);
		sleep = check_sleep(l);
		l->now += sleep > 0 ? sleep : 0;
	}
}

static void live(struct life *l, uint64_t seed)
{
	begin(l, seed);
	for (int i = 0; i < STEPS; i++) {
		turns(l);
		one_step(l, check_sleep(l));
	}
}

static void inv7_inv8_asking_and_sleeping_never_disagree(void **state)
{
	static struct life l;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		live(&l, seed);
		come_to_rest(&l);
		expect(&l, is_over(&l), "a row did not come through");
		queue_free(&l.q);
	}
}

static void a_sink_that_stays_dead_keeps_only_what_is_owed_to_it(void **state)
{
	static struct life l;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS / 10; seed++) {
		live(&l, seed);
		l.is_dead = true;
		come_to_rest(&l);
		expect(&l, is_over(&l), "a row did not reach the fallback");
		queue_free(&l.q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inv7_inv8_asking_and_sleeping_never_disagree),
		cmocka_unit_test(a_sink_that_stays_dead_keeps_only_what_is_owed_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
