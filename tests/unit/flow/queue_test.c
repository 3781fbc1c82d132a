/* The policy of delivery as stories: moments by a hand-moved clock, no store, no loop. */
#include "flow/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t START = 1764000000000;

static struct sink_settings settings_of(int64_t window)
{
	return (struct sink_settings){ .name = (char *)"bus",
				       .window = window,
				       .retry_min_ms = SECOND,
				       .retry_max_ms = 15 * MINUTE,
				       .retry_after_max_ms = HOUR,
				       .give_up_ms = 72 * HOUR };
}

static struct queue *queue_of(const struct sink_settings *settings, size_t count)
{
	struct queue_sink sinks[8] = { { .settings = NULL } };

	for (size_t i = 0; i < count; i++)
		sinks[i] =
			(struct queue_sink){ .settings = &settings[i], .number = (int)i + 1 };
	return queue_new(sinks, count, 42, START);
}

/* The room asked for one sink now; 0: no ask. */
static size_t asked(struct queue *q, int sink, int64_t now)
{
	struct ask asks[8];
	size_t count = queue_asks(q, now, asks);

	for (size_t i = 0; i < count; i++)
		if (asks[i].sink == sink)
			return asks[i].room;
	return 0;
}

static void claim(struct queue *q, int sink, size_t count, int64_t next_due_at)
{
	queue_claimed(q, &(struct answer){
				 .sink = sink, .claimed = count, .next_due_at = next_due_at });
}

static const struct outcome DELIVERED = { .verdict = VERDICT_DELIVERED, .retry_after_ms = -1 };
static const struct outcome ROW_LATER = { .verdict = VERDICT_LATER,
					  .retry_after_ms = -1,
					  .reason = "409" };
static const struct outcome SINK_DOWN = {
	.verdict = VERDICT_LATER, .sink_down = true, .retry_after_ms = -1, .reason = "503"
};
static const struct outcome NEVER = { .verdict = VERDICT_NEVER,
				      .retry_after_ms = -1,
				      .reason = "400" };

struct end {
	enum queue_change change;
	struct settle settle;
	char reason[REASON_MAX];
};

/* A row of that sink, tried first at `first_at`, ends so at `now`, and that is stored. */
static struct end end_row(struct queue *q, const struct tried *row, const struct outcome *o,
			  int64_t now)
{
	struct end e;

	memset(&e, 0, sizeof(e));
	e.change = queue_settle(q, row, o, now, &e.settle, e.reason);
	queue_committed(q, row->sink, 1);
	return e;
}

static struct tried row_of(int64_t id, int64_t attempt, int64_t started_at)
{
	return (struct tried){ .id = id,
			       .sink = 1,
			       .attempt = attempt,
			       .first_attempt_at = START,
			       .started_at = started_at };
}

/* ---- windows ---- */

static void a_window_is_filled_and_never_overfilled(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	assert_int_equal(asked(q, 1, START), 8);
	claim(q, 1, 5, START);
	assert_int_equal(asked(q, 1, START), 3);
	claim(q, 1, 3, START);
	assert_int_equal(asked(q, 1, START), 0);
	assert_int_equal(queue_sleep_ms(q, START), -1);
	queue_free(&q);
}

static void a_slot_is_free_only_when_its_outcome_is_stored(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(1);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct settle settle;
	char reason[REASON_MAX];

	claim(q, 1, 1, START);
	queue_settle(q, &row, &DELIVERED, START + 5, &settle, reason);
	assert_int_equal(asked(q, 1, START + 5), 0);
	queue_committed(q, 1, 1);
	assert_int_equal(asked(q, 1, START + 5), 1);
	queue_free(&q);
}

static void a_sink_with_nothing_due_is_not_asked_until_woken(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	claim(q, 1, 0, INT64_MAX);
	assert_int_equal(asked(q, 1, START + HOUR), 0);
	assert_int_equal(queue_sleep_ms(q, START + HOUR), -1);
	queue_wake(q);
	assert_int_equal(asked(q, 1, START + HOUR), 8);
	queue_free(&q);
}

static void it_sleeps_until_the_next_row_is_due(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	claim(q, 1, 0, START + 700);
	assert_int_equal(queue_sleep_ms(q, START), 700);
	assert_int_equal(asked(q, 1, START + 699), 0);
	assert_int_equal(asked(q, 1, START + 700), 8);
	queue_free(&q);
}

static void a_rate_spaces_starts(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);

	s.rate = (struct rate){ .count = 1, .per_ms = SECOND };
	struct queue *q = queue_of(&s, 1);

	assert_int_equal(asked(q, 1, START), 1);
	claim(q, 1, 1, START);
	assert_int_equal(asked(q, 1, START), 0);
	assert_int_equal(queue_sleep_ms(q, START), SECOND);
	assert_int_equal(asked(q, 1, START + SECOND), 1);
	queue_free(&q);
}

/* ---- whose fault (invariant 7) ---- */

static void inv7_a_sink_that_is_down_is_held_and_probed_by_one(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &SINK_DOWN, START + 10);

	assert_int_equal(e.change, QUEUE_WENT_DOWN);
	assert_int_equal(e.settle.state, DELIVERY_DUE);
	assert_in_range(e.settle.due_at, START + 10, START + 10 + SECOND);
	struct ask asks[8];
	int64_t later = START + 10 + SECOND;

	assert_int_equal(queue_asks(q, later, asks), 1);
	assert_int_equal(asks[0].room, 1);
	assert_true(asks[0].probe);
	queue_free(&q);
}

static void inv7_rows_of_one_window_that_fail_together_count_once(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	claim(q, 1, 8, START);
	for (int64_t i = 1; i <= 8; i++) {
		struct tried row = row_of(i, 1, START);
		struct end e = end_row(q, &row, &SINK_DOWN, START + 10);

		assert_int_equal(e.change, i == 1 ? QUEUE_WENT_DOWN : QUEUE_SAME);
	}
	/* One failure's penalty is at most retry.min. */
	assert_int_equal(asked(q, 1, START + 10 + SECOND), 1);
	queue_free(&q);
}

static void inv7_a_probe_that_succeeds_opens_the_window(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START), probe = row_of(2, 1, START + MINUTE);

	claim(q, 1, 1, START);
	end_row(q, &row, &SINK_DOWN, START);
	claim(q, 1, 1, START + MINUTE);
	struct end e = end_row(q, &probe, &DELIVERED, START + MINUTE + 5);

	assert_int_equal(e.change, QUEUE_CAME_UP);
	assert_int_equal(asked(q, 1, START + MINUTE + 5), 8);
	struct hold holds[1];

	assert_int_equal(queue_holds(q, holds), 1);
	assert_int_equal(holds[0].held_until, 0);
	assert_int_equal(holds[0].held_total_ms, MINUTE + 5);
	assert_string_equal(holds[0].reason, "");
	queue_free(&q);
}

static void inv7_a_failure_beside_successes_is_the_rows_own(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried good = row_of(1, 1, START), bad = row_of(2, 3, START);

	claim(q, 1, 2, START);
	end_row(q, &good, &DELIVERED, START + 5);
	struct end e = end_row(q, &bad, &SINK_DOWN, START + 9);

	assert_int_equal(e.change, QUEUE_SAME);
	assert_int_equal(e.settle.state, DELIVERY_DUE);
	assert_int_equal(asked(q, 1, START + 9), 8);
	queue_free(&q);
}

static void inv7_one_dead_sink_never_slows_another(void **state)
{
	(void)state;
	struct sink_settings s[2] = { settings_of(8), settings_of(4) };
	struct queue *q = queue_of(s, 2);
	struct tried row = row_of(1, 1, START);

	claim(q, 1, 1, START);
	end_row(q, &row, &SINK_DOWN, START);
	assert_int_equal(asked(q, 2, START), 4);
	queue_free(&q);
}

static void inv7_five_refused_payloads_in_a_row_hold_the_sink(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(1);
	struct queue *q = queue_of(&s, 1);

	for (int64_t i = 1; i <= QUEUE_NEVERS_MAX; i++) {
		struct tried row = row_of(i, 1, START + i);
		bool last = i == QUEUE_NEVERS_MAX;

		claim(q, 1, 1, START + i);
		struct end e = end_row(q, &row, &NEVER, START + i);

		assert_int_equal(e.settle.state, last ? DELIVERY_DUE : DELIVERY_DEAD);
		assert_int_equal(e.change, last ? QUEUE_WENT_DOWN : QUEUE_SAME);
	}
	queue_free(&q);
}

static void one_refused_payload_is_a_dead_letter_and_the_sink_goes_on(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &NEVER, START + 1);

	assert_int_equal(e.settle.state, DELIVERY_DEAD);
	assert_string_equal(e.settle.reason, "400");
	assert_int_equal(asked(q, 1, START + 1), 8);
	queue_free(&q);
}

static void inv7_a_row_that_fails_beside_slow_successes_is_not_hammered(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried bad = row_of(1, 1, START), slow = row_of(2, 1, START);

	claim(q, 1, 2, START);
	struct end e = end_row(q, &bad, &SINK_DOWN, START + 1);
	struct hold holds[1];

	assert_int_equal(queue_holds(q, holds), 1);
	assert_int_equal(e.settle.due_at, holds[0].held_until);
	/* The sink is up again by a row that was under way; the bad one waits its wait. */
	assert_int_equal(end_row(q, &slow, &DELIVERED, START + 2).change, QUEUE_CAME_UP);
	assert_int_equal(asked(q, 1, START + 2), 8);
	queue_free(&q);
}

static void inv7_what_was_under_way_lifts_no_retry_after(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried first = row_of(1, 1, START), second = row_of(2, 1, START);
	struct tried probe = row_of(3, 1, START + MINUTE);
	struct outcome o = SINK_DOWN;

	o.retry_after_ms = 30 * SECOND;
	claim(q, 1, 2, START);
	end_row(q, &first, &o, START + 1);
	assert_int_equal(end_row(q, &second, &DELIVERED, START + 2).change, QUEUE_SAME);
	assert_int_equal(asked(q, 1, START + 30 * SECOND), 0);
	claim(q, 1, 1, START + MINUTE);
	assert_int_equal(end_row(q, &probe, &DELIVERED, START + MINUTE).change, QUEUE_CAME_UP);
	assert_int_equal(asked(q, 1, START + MINUTE), 8);
	queue_free(&q);
}

static void inv7_after_a_clock_jumped_back_a_dead_sink_is_held_all_the_same(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried before = row_of(1, 1, START + 24 * HOUR), after = row_of(2, 1, START);

	claim(q, 1, 2, START);
	end_row(q, &before, &DELIVERED, START + 24 * HOUR);
	assert_int_equal(end_row(q, &after, &SINK_DOWN, START + 10).change, QUEUE_WENT_DOWN);
	queue_free(&q);
}

/* ---- waits (invariant 8) ---- */

static void inv8_a_retry_after_holds_the_sink_that_long(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct outcome o = SINK_DOWN;

	o.retry_after_ms = 30 * SECOND;
	claim(q, 1, 1, START);
	end_row(q, &row, &o, START);
	assert_int_equal(asked(q, 1, START + 30 * SECOND - 1), 0);
	assert_int_equal(asked(q, 1, START + 33 * SECOND + 1), 1);
	queue_free(&q);
}

static void inv8_a_hostile_retry_after_is_cut_to_the_cap(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct outcome o = SINK_DOWN;

	o.retry_after_ms = 1000LL * 365 * 24 * HOUR;
	claim(q, 1, 1, START);
	end_row(q, &row, &o, START);
	assert_int_equal(asked(q, 1, START + HOUR - 1), 0);
	assert_int_equal(asked(q, 1, START + HOUR + HOUR / 10 + 1), 1);
	queue_free(&q);
}

static void inv8_a_clock_that_jumps_back_keeps_no_sink_held_for_ever(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue_sink stored = { .settings = &s,
				     .number = 1,
				     .held_until = START + 1000LL * 24 * HOUR,
				     .down_since = START };
	struct queue *q = queue_new(&stored, 1, 42, START);

	assert_int_equal(asked(q, 1, START), 0);
	assert_true(queue_sleep_ms(q, START) <= HOUR + HOUR / 10 + 1);
	queue_free(&q);
}

static void inv8_a_due_time_beyond_any_wait_is_cut_to_the_longest(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	claim(q, 1, 0, START + 1000LL * 24 * HOUR);
	assert_int_equal(asked(q, 1, START), 0);
	assert_int_equal(asked(q, 1, START + HOUR + HOUR / 10 + 1), 8);
	queue_free(&q);
}

static void inv8_a_row_dies_of_age_after_a_failed_attempt(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 900, START + 72 * HOUR - 2);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &ROW_LATER, START + 72 * HOUR - 1);

	assert_int_equal(e.settle.state, DELIVERY_DUE);
	claim(q, 1, 1, START);
	e = end_row(q, &row, &ROW_LATER, START + 72 * HOUR);
	assert_int_equal(e.settle.state, DELIVERY_DEAD);
	assert_string_equal(e.reason, "gave up after 72 h: 409");
	queue_free(&q);
}

static void inv8_time_in_which_the_sink_was_held_does_not_count(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue_sink stored = { .settings = &s, .number = 1, .held_total_ms = 100 * HOUR };
	struct queue *q = queue_new(&stored, 1, 42, START);
	struct tried row = row_of(1, 2, START + 80 * HOUR);

	row.held_base_ms = 70 * HOUR; /* so 30 of the 80 hours since were held */
	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &ROW_LATER, START + 80 * HOUR);

	assert_int_equal(e.settle.state, DELIVERY_DUE);
	queue_free(&q);
}

static void inv8_a_clock_that_jumps_forward_or_a_long_stop_kills_no_row(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 2, START + 1000LL * HOUR);

	/* Tried twice, it can have waited no longer than twice the longest wait. */
	claim(q, 1, 2, START);
	struct end e = end_row(q, &row, &ROW_LATER, START + 1000LL * HOUR);

	assert_int_equal(e.settle.state, DELIVERY_DUE);
	e = end_row(q, &row, &SINK_DOWN, START + 1000LL * HOUR);
	assert_int_equal(e.settle.state, DELIVERY_DUE);
	queue_free(&q);
}

static void a_row_that_is_not_ready_backs_off_within_bounds(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	for (int64_t n = 1; n <= 40; n++) {
		struct tried row = row_of(n, n, START);
		int64_t cap = n < 20 ? SECOND << (n - 1) : 15 * MINUTE;

		claim(q, 1, 1, START);
		struct end e = end_row(q, &row, &ROW_LATER, START);

		assert_true(e.settle.due_at >= START);
		assert_true(e.settle.due_at <= START + (cap < 15 * MINUTE ? cap : 15 * MINUTE));
		assert_int_equal(asked(q, 1, START), 8);
	}
	queue_free(&q);
}

static void one_step_of_several_is_repeated_at_once_and_not_counted(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct outcome o = { .verdict = VERDICT_AGAIN,
			     .retry_after_ms = -1,
			     .progress = "a@x" };

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &o, START);

	assert_int_equal(e.settle.state, DELIVERY_DUE);
	assert_int_equal(e.settle.due_at, START);
	assert_true(e.settle.uncount);
	assert_string_equal(e.settle.progress, "a@x");
	queue_free(&q);
}

static void a_hold_that_was_not_stored_comes_again(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct hold holds[1];

	claim(q, 1, 1, START);
	end_row(q, &row, &SINK_DOWN, START);
	assert_int_equal(queue_holds(q, holds), 1);
	queue_holds_failed(q);
	assert_int_equal(queue_holds(q, holds), 1);
	queue_holds_stored(q);
	assert_int_equal(queue_holds(q, holds), 0);
	queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_is_filled_and_never_overfilled),
		cmocka_unit_test(a_slot_is_free_only_when_its_outcome_is_stored),
		cmocka_unit_test(a_sink_with_nothing_due_is_not_asked_until_woken),
		cmocka_unit_test(it_sleeps_until_the_next_row_is_due),
		cmocka_unit_test(a_rate_spaces_starts),
		cmocka_unit_test(inv7_a_sink_that_is_down_is_held_and_probed_by_one),
		cmocka_unit_test(inv7_rows_of_one_window_that_fail_together_count_once),
		cmocka_unit_test(inv7_a_probe_that_succeeds_opens_the_window),
		cmocka_unit_test(inv7_a_failure_beside_successes_is_the_rows_own),
		cmocka_unit_test(inv7_one_dead_sink_never_slows_another),
		cmocka_unit_test(inv7_five_refused_payloads_in_a_row_hold_the_sink),
		cmocka_unit_test(one_refused_payload_is_a_dead_letter_and_the_sink_goes_on),
		cmocka_unit_test(inv7_a_row_that_fails_beside_slow_successes_is_not_hammered),
		cmocka_unit_test(inv7_what_was_under_way_lifts_no_retry_after),
		cmocka_unit_test(
			inv7_after_a_clock_jumped_back_a_dead_sink_is_held_all_the_same),
		cmocka_unit_test(inv8_a_retry_after_holds_the_sink_that_long),
		cmocka_unit_test(inv8_a_hostile_retry_after_is_cut_to_the_cap),
		cmocka_unit_test(inv8_a_clock_that_jumps_back_keeps_no_sink_held_for_ever),
		cmocka_unit_test(inv8_a_due_time_beyond_any_wait_is_cut_to_the_longest),
		cmocka_unit_test(inv8_a_row_dies_of_age_after_a_failed_attempt),
		cmocka_unit_test(inv8_time_in_which_the_sink_was_held_does_not_count),
		cmocka_unit_test(inv8_a_clock_that_jumps_forward_or_a_long_stop_kills_no_row),
		cmocka_unit_test(a_row_that_is_not_ready_backs_off_within_bounds),
		cmocka_unit_test(one_step_of_several_is_repeated_at_once_and_not_counted),
		cmocka_unit_test(a_hold_that_was_not_stored_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
