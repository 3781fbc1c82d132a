/* Waits, caps, and when a row is given up (invariant 8), by a hand-moved clock. */
#include "queue_kit.h"

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

/* Long past give_up, tried by hundreds. */
static const int64_t LATE = 1764000000000 + 100LL * 3600 * 1000;

static void inv8_a_row_dies_only_right_after_a_failed_attempt(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 900, LATE);
	const struct outcome again = { .verdict = VERDICT_AGAIN, .retry_after_ms = -1 };
	struct settle cut;

	claim(q, 1, 3, START);
	assert_int_equal(end_row(q, &row, &again, LATE).settle.state, DELIVERY_DUE);
	assert_int_equal(end_row(q, &row, &DELIVERED, LATE).settle.state, DELIVERY_DONE);
	queue_settle_cut(&row, false, LATE, &cut);
	assert_int_equal(cut.state, DELIVERY_DUE);
	assert_int_equal(end_row(q, &row, &ROW_LATER, LATE).settle.state, DELIVERY_DEAD);
	queue_free(&q);
}

static void inv8_a_hold_that_has_just_ended_does_not_count(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	/* Down since an hour after the row's first try, and so all through give_up. */
	struct queue_sink stored = {
		.settings = &s, .number = 1, .held_until = LATE, .down_since = START + HOUR
	};
	struct queue *q = queue_new(&stored, 1, 42, LATE);
	struct tried row = row_of(1, 900, LATE);

	/* The probe fails, first by the sink's fault, then by the row's own, which lifts the hold. */
	claim(q, 1, 1, LATE);
	assert_int_equal(end_row(q, &row, &SINK_DOWN, LATE + 1).settle.state, DELIVERY_DUE);
	claim(q, 1, 1, LATE + HOUR);
	struct end e = end_row(q, &row, &ROW_LATER, LATE + HOUR);

	assert_int_equal(e.change, QUEUE_CAME_UP);
	assert_int_equal(e.settle.state, DELIVERY_DUE);
	queue_free(&q);
}

static void inv8_a_clock_that_jumped_back_makes_no_row_old(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue_sink stored = { .settings = &s, .number = 1, .down_since = LATE };
	struct queue *q = queue_new(&stored, 1, 42, START);
	struct tried row = row_of(1, 900, START);

	row.first_attempt_at = LATE;
	row.held_base_ms = 500LL * HOUR; /* of a store that was set back */
	claim(q, 1, 1, START);
	assert_int_equal(end_row(q, &row, &ROW_LATER, START + 1).settle.state, DELIVERY_DUE);
	struct hold holds[1];

	assert_int_equal(queue_holds(q, holds), 1);
	assert_int_equal(holds[0].held_total_ms, 0);
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

static void a_tick_that_seems_further_off_than_any_is_wanted_now(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);

	assert_int_equal(queue_tick_wait_ms(q, START), 0);
	queue_ticked(q, START + HOUR, false);
	assert_int_equal(queue_tick_wait_ms(q, START), HOUR);
	assert_int_equal(queue_tick_wait_ms(q, START + 2 * HOUR), 0);
	assert_int_equal(queue_tick_wait_ms(q, START - 1), 0);
	queue_ticked(q, INT64_MAX, false);
	assert_int_equal(queue_tick_wait_ms(q, START - 1), -1);
	queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inv8_a_retry_after_holds_the_sink_that_long),
		cmocka_unit_test(inv8_a_hostile_retry_after_is_cut_to_the_cap),
		cmocka_unit_test(inv8_a_clock_that_jumps_back_keeps_no_sink_held_for_ever),
		cmocka_unit_test(inv8_a_due_time_beyond_any_wait_is_cut_to_the_longest),
		cmocka_unit_test(inv8_a_row_dies_of_age_after_a_failed_attempt),
		cmocka_unit_test(inv8_time_in_which_the_sink_was_held_does_not_count),
		cmocka_unit_test(inv8_a_row_dies_only_right_after_a_failed_attempt),
		cmocka_unit_test(inv8_a_hold_that_has_just_ended_does_not_count),
		cmocka_unit_test(inv8_a_clock_that_jumped_back_makes_no_row_old),
		cmocka_unit_test(inv8_a_clock_that_jumps_forward_or_a_long_stop_kills_no_row),
		cmocka_unit_test(a_row_that_is_not_ready_backs_off_within_bounds),
		cmocka_unit_test(a_tick_that_seems_further_off_than_any_is_wanted_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
