/* What goes to a fallback, and when: sink 1 ("bus") falls back to sink 2 after ten minutes. */
#include "queue_kit.h"

static struct sink_settings sinks[2];

static struct queue *queue_from(int64_t held_until, int64_t down_since)
{
	sinks[0] = settings_of(8);
	sinks[0].fallback = (char *)"car";
	sinks[0].fallback_after_ms = 10 * MINUTE;
	sinks[1] = settings_of(8);
	struct queue_sink both[2] = { { .settings = &sinks[0],
					.number = 1,
					.fallback = 2,
					.held_until = held_until,
					.down_since = down_since,
					.reason = "503" },
				      { .settings = &sinks[1], .number = 2 } };

	return queue_new(both, 2, 42, START);
}

static struct outcome down_for(int64_t retry_after_ms)
{
	struct outcome o = SINK_DOWN;

	o.retry_after_ms = retry_after_ms;
	return o;
}

/* One row meets the outage, at `now`. */
static void goes_down(struct queue *q, int64_t now, int64_t retry_after_ms)
{
	struct tried row = row_of(1, 1, now);
	struct outcome o = down_for(retry_after_ms);

	claim(q, 1, 1, now);
	end_row(q, &row, &o, now);
	claim(q, 2, 0, INT64_MAX);
}

static bool moves_now(struct queue *q, int64_t now, struct move *move)
{
	struct move moves[2];
	size_t count = queue_moves(q, now, moves);

	assert_true(count <= 1);
	if (count == 1)
		*move = moves[0];
	return count == 1;
}

/* True: the first rows of an outage that went. */
static bool looked(struct queue *q, size_t count, struct move_mark mark, bool is_end)
{
	struct moved moved = { .from = 1, .to = 2, .count = count, .mark = mark };

	moved.is_end = is_end;
	return queue_moved(q, &moved);
}

/* ---- what would die ---- */

static void inv4_a_payload_refused_here_is_for_the_fallback(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct tried row = row_of(delivery_key(7, 1, ORIGIN_FOLLOW, 0), 1, START);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &NEVER, START + 1);

	assert_int_equal(e.settle.state, DELIVERY_MOVED);
	assert_int_equal(e.settle.moved_to, 2);
	assert_string_equal(e.reason, "to car: 400");
	assert_int_equal(e.change, QUEUE_SAME);
	queue_free(&q);
}

static void inv8_what_is_given_up_here_is_for_the_fallback(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct tried row = row_of(1, 900, START + 72 * HOUR);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &ROW_LATER, START + 72 * HOUR);

	assert_int_equal(e.settle.state, DELIVERY_MOVED);
	assert_string_equal(e.reason, "to car: gave up after 72 h: 409");
	queue_free(&q);
}

static void a_row_that_came_by_a_fallback_dies(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct tried row = row_of(delivery_key(7, 1, ORIGIN_FALLBACK, 1), 1, START);

	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &NEVER, START + 1);

	assert_int_equal(e.settle.state, DELIVERY_DEAD);
	assert_int_equal(e.settle.moved_to, 0);
	assert_string_equal(e.settle.reason, "400");
	queue_free(&q);
}

static void inv7_the_fifth_refusal_in_a_row_holds_rather_than_moves(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);

	for (int64_t i = 1; i <= QUEUE_NEVERS_MAX; i++) {
		struct tried row = row_of(i, 1, START + i);
		bool last = i == QUEUE_NEVERS_MAX;

		claim(q, 1, 1, START + i);
		struct end e = end_row(q, &row, &NEVER, START + i);

		assert_int_equal(e.settle.state, last ? DELIVERY_DUE : DELIVERY_MOVED);
	}
	queue_free(&q);
}

/* ---- what waits ---- */

static void rows_go_when_their_sink_was_down_for_so_long(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;

	goes_down(q, START, 30 * MINUTE);
	assert_int_equal(queue_sleep_ms(q, START), 10 * MINUTE);
	assert_false(moves_now(q, START + 10 * MINUTE - 1, &move));
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	assert_int_equal(move.from, 1);
	assert_int_equal(move.to, 2);
	assert_int_equal(move.room, QUEUE_MOVES_MAX);
	assert_string_equal(move.reason, "to car: down for 10 min: 503");
	queue_free(&q);
}

static void an_outage_is_told_once_however_many_rows_go(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;

	goes_down(q, START, 30 * MINUTE);
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	assert_false(looked(q, 0, (struct move_mark){ START, 1 }, false));
	assert_true(looked(q, 100, (struct move_mark){ START, 2 }, false));
	assert_false(looked(q, 50, (struct move_mark){ START, 3 }, true));
	assert_int_equal(queue_moved_count(q, 1), 150);
	queue_free(&q);
}

static void a_sink_that_is_up_keeps_its_rows(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	struct tried probe = row_of(2, 1, START + 40 * MINUTE);

	assert_false(moves_now(q, START, &move));
	goes_down(q, START, 30 * MINUTE);
	claim(q, 1, 1, START);
	end_row(q, &probe, &DELIVERED, START + 40 * MINUTE);
	assert_false(moves_now(q, START + 40 * MINUTE, &move));
	queue_free(&q);
}

static void a_sink_without_a_fallback_keeps_its_rows(void **state)
{
	(void)state;
	struct sink_settings both[2] = { settings_of(8), settings_of(8) };
	struct queue *q = queue_of(both, 2);
	struct move move;

	goes_down(q, START, 30 * MINUTE);
	assert_false(moves_now(q, START + 20 * MINUTE, &move));
	queue_free(&q);
}

static void inv7_when_the_hold_is_over_the_probe_tells_before_anything_moves(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t later = START + 40 * MINUTE; /* held until some time after 30 min */
	struct tried probe = row_of(2, 1, later);
	struct outcome o = down_for(30 * MINUTE);

	goes_down(q, START, 30 * MINUTE);
	assert_false(moves_now(q, later, &move));
	assert_int_equal(asked(q, 1, later), 1);
	claim(q, 1, 1, later);
	assert_false(moves_now(q, later + 1, &move));
	end_row(q, &probe, &o, later + 2);
	assert_true(moves_now(q, later + 2, &move));
	queue_free(&q);
}

static void rows_that_all_went_leave_the_sink_to_the_next_that_comes(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t later = START + 40 * MINUTE;
	struct tried next = row_of(2, 1, later);

	goes_down(q, START, 30 * MINUTE);
	claim(q, 1, 0, INT64_MAX);
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	looked(q, 1, (struct move_mark){ START, 1 }, true);
	claim(q, 2, 0, INT64_MAX);
	assert_int_equal(queue_sleep_ms(q, later), -1);
	queue_wake(q);
	assert_int_equal(asked(q, 1, later), 1);
	claim(q, 1, 1, INT64_MAX);
	assert_int_equal(end_row(q, &next, &DELIVERED, later + 5).change, QUEUE_CAME_UP);
	assert_int_equal(asked(q, 1, later + 5), 8);
	queue_free(&q);
}

static void a_hold_that_ends_before_leaves_nothing_to_wake_for(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);

	goes_down(q, START, MINUTE);
	claim(q, 1, 0, INT64_MAX);
	assert_int_equal(queue_sleep_ms(q, START), -1);
	queue_free(&q);
}

/* ---- by parts ---- */

static void a_look_goes_on_where_it_stopped_and_ends(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t at = START + 10 * MINUTE;

	goes_down(q, START, 30 * MINUTE);
	assert_true(moves_now(q, at, &move));
	assert_int_equal(move.after.due_at, 0);
	looked(q, 60, (struct move_mark){ START + 7, 70 }, false);
	assert_int_equal(queue_sleep_ms(q, at + 1), 0);
	assert_true(moves_now(q, at + 1, &move));
	assert_int_equal(move.after.due_at, START + 7);
	assert_int_equal(move.after.id, 70);
	looked(q, 0, (struct move_mark){ START + HOUR, 90 }, true);
	claim(q, 2, 0, INT64_MAX);
	assert_false(moves_now(q, at + 2, &move));
	/* What comes now is due from when that look began. */
	queue_wake(q);
	assert_true(moves_now(q, at + 3, &move));
	assert_int_equal(move.after.due_at, at);
	queue_free(&q);
}

static void what_comes_during_a_look_is_looked_for_after_it(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t at = START + 10 * MINUTE;

	goes_down(q, START, 30 * MINUTE);
	assert_true(moves_now(q, at, &move));
	queue_wake(q);
	looked(q, 0, (struct move_mark){ START, 7 }, true);
	assert_true(moves_now(q, at, &move));
	queue_free(&q);
}

static void a_move_that_was_not_stored_comes_again(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t at = START + 10 * MINUTE;

	goes_down(q, START, 30 * MINUTE);
	assert_true(moves_now(q, at, &move));
	assert_true(moves_now(q, at + SECOND, &move));
	assert_int_equal(move.after.due_at, 0);
	queue_free(&q);
}

static void each_outage_is_looked_at_from_the_start(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	int64_t up = START + 40 * MINUTE;
	struct tried probe = row_of(2, 1, up);

	goes_down(q, START, 30 * MINUTE);
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	looked(q, 0, (struct move_mark){ START, 7 }, true);
	claim(q, 1, 1, up);
	end_row(q, &probe, &DELIVERED, up);
	goes_down(q, up + 1, 30 * MINUTE);
	assert_false(moves_now(q, up + 10 * MINUTE, &move));
	assert_true(moves_now(q, up + 1 + 10 * MINUTE, &move));
	assert_int_equal(move.after.due_at, 0);
	queue_free(&q);
}

/* ---- the other sink ---- */

static void the_fallback_is_asked_when_rows_came(void **state)
{
	(void)state;
	struct queue *q = queue_from(0, 0);
	struct move move;
	struct tried refused = row_of(delivery_key(7, 1, ORIGIN_ROUTE, 0), 1, START);

	claim(q, 2, 0, INT64_MAX);
	assert_int_equal(asked(q, 2, START), 0);
	claim(q, 1, 1, START);
	end_row(q, &refused, &NEVER, START);
	assert_int_equal(asked(q, 2, START), 8);

	goes_down(q, START, 30 * MINUTE);
	assert_int_equal(asked(q, 2, START), 0);
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	looked(q, 3, (struct move_mark){ START, 7 }, true);
	assert_int_equal(asked(q, 2, START + 10 * MINUTE), 8);
	queue_free(&q);
}

/* ---- restarts and clocks ---- */

static void an_outage_goes_on_over_a_restart(void **state)
{
	(void)state;
	struct queue *q = queue_from(START + MINUTE, START - 9 * MINUTE - 59 * SECOND);
	struct move move;

	assert_false(moves_now(q, START, &move));
	assert_true(moves_now(q, START + SECOND, &move));
	queue_free(&q);
}

static void after_a_long_stop_the_probe_tells_first(void **state)
{
	(void)state;
	struct queue *q = queue_from(START - 23 * HOUR, START - 24 * HOUR);
	struct move move;

	assert_false(moves_now(q, START, &move));
	assert_int_equal(asked(q, 1, START), 1);
	queue_free(&q);
}

static void inv8_a_clock_that_jumped_back_delays_the_fallback_by_no_more_than_its_wait(
	void **state)
{
	(void)state;
	struct queue *q = queue_from(START + 40 * MINUTE, START + 24 * HOUR);
	struct move move;

	assert_false(moves_now(q, START, &move));
	assert_true(moves_now(q, START + 10 * MINUTE, &move));
	looked(q, 0, (struct move_mark){ START, 7 }, true);
	/* It jumps again: what is due before the last look began was not looked at. */
	queue_wake(q);
	assert_false(moves_now(q, START - 5 * MINUTE, &move));
	assert_true(moves_now(q, START + 5 * MINUTE, &move));
	assert_int_equal(move.after.due_at, 0);
	queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inv4_a_payload_refused_here_is_for_the_fallback),
		cmocka_unit_test(inv8_what_is_given_up_here_is_for_the_fallback),
		cmocka_unit_test(a_row_that_came_by_a_fallback_dies),
		cmocka_unit_test(inv7_the_fifth_refusal_in_a_row_holds_rather_than_moves),
		cmocka_unit_test(rows_go_when_their_sink_was_down_for_so_long),
		cmocka_unit_test(an_outage_is_told_once_however_many_rows_go),
		cmocka_unit_test(a_sink_that_is_up_keeps_its_rows),
		cmocka_unit_test(a_sink_without_a_fallback_keeps_its_rows),
		cmocka_unit_test(
			inv7_when_the_hold_is_over_the_probe_tells_before_anything_moves),
		cmocka_unit_test(rows_that_all_went_leave_the_sink_to_the_next_that_comes),
		cmocka_unit_test(a_hold_that_ends_before_leaves_nothing_to_wake_for),
		cmocka_unit_test(a_look_goes_on_where_it_stopped_and_ends),
		cmocka_unit_test(what_comes_during_a_look_is_looked_for_after_it),
		cmocka_unit_test(a_move_that_was_not_stored_comes_again),
		cmocka_unit_test(each_outage_is_looked_at_from_the_start),
		cmocka_unit_test(the_fallback_is_asked_when_rows_came),
		cmocka_unit_test(an_outage_goes_on_over_a_restart),
		cmocka_unit_test(after_a_long_stop_the_probe_tells_first),
		cmocka_unit_test(
			inv8_a_clock_that_jumped_back_delays_the_fallback_by_no_more_than_its_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
