/* The policy of delivery as stories: moments by a hand-moved clock, no store, no loop. */
#include "queue_kit.h"

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

static void a_slot_is_free_in_the_batch_that_stores_its_outcome(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(2);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	struct settle settle;
	char reason[REASON_MAX];

	claim(q, 1, 2, START);
	queue_settle(q, &row, &DELIVERED, START + 5, &settle, reason);
	assert_int_equal(asked(q, 1, START + 5), 0);
	assert_int_equal(queue_sleep_ms(q, START + 5), -1);
	queue_landed(q, 1);
	assert_int_equal(asked(q, 1, START + 5), 1);
	assert_int_equal(queue_sleep_ms(q, START + 5), 0);
	assert_int_equal(queue_under_way(q), 2);
	queue_committed(q, 1, 1);
	assert_int_equal(asked(q, 1, START + 5), 1);
	assert_int_equal(queue_under_way(q), 1);
	queue_free(&q);
}

static void a_sink_starves_when_half_of_its_window_is_idle(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(5);
	struct queue *q = queue_of(&s, 1);
	const struct ask ask = { .sink = 1 };

	claim(q, 1, 5, START);
	assert_false(queue_is_starved(q, &ask, 1));
	queue_landed(q, 1);
	queue_landed(q, 1);
	assert_false(queue_is_starved(q, &ask, 1)); /* three of five */
	queue_landed(q, 1);
	assert_true(queue_is_starved(q, &ask, 1));
	assert_false(queue_is_starved(q, &ask, 0)); /* nothing is due */
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

/* Rows leave when their claim is committed: what the rate gave meanwhile is no room of its own. */
static void a_slow_commit_gives_a_rate_nothing(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);

	s.rate = (struct rate){ .count = 4, .per_ms = 4 * SECOND };
	struct queue *q = queue_of(&s, 1);

	assert_int_equal(asked(q, 1, START), 4);
	claim_at(q, 1, 4, START, START + 3 * SECOND);
	assert_int_equal(asked(q, 1, START + 3 * SECOND), 0);
	assert_int_equal(asked(q, 1, START + 4 * SECOND), 1);
	claim_at(q, 1, 1, START, START + 6 * SECOND);
	assert_int_equal(asked(q, 1, START + 6 * SECOND), 2);
	queue_free(&q);
}

/* ---- what may have been heard (invariant 2) ---- */

static void inv2_an_outcome_that_is_unknown_marks_the_row_and_keeps_its_count(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 3, START);
	struct outcome timeout = SINK_DOWN;
	struct settle cut;

	timeout.maybe_sent = true;
	claim(q, 1, 1, START);
	struct end e = end_row(q, &row, &timeout, START + 30 * SECOND);

	assert_int_equal(e.settle.state, DELIVERY_DUE);
	assert_true(e.settle.maybe_sent);
	assert_false(e.settle.uncount);
	assert_int_equal(e.settle.attempt_count, 3);
	queue_settle_cut(&row, true, START, &cut);
	assert_int_equal(cut.state, DELIVERY_DUE);
	assert_true(cut.maybe_sent);
	assert_false(cut.uncount);
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

/* Refusals, with something else between the third and the fourth: does the fifth hold? */
static bool fifth_holds(const struct outcome *between)
{
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	bool holds = false;

	for (int64_t i = 1; i <= QUEUE_NEVERS_MAX; i++) {
		struct tried row = row_of(i, 1, START + i), other = row_of(90, 1, START + i);

		claim(q, 1, 2, START + i);
		if (i == 4)
			end_row(q, &other, between, START + i);
		else
			leave(q, 1, 1);
		struct end e = end_row(q, &row, &NEVER, START + i);

		assert_int_equal(e.settle.state,
				 e.change == QUEUE_WENT_DOWN ? DELIVERY_DUE : DELIVERY_DEAD);
		holds = e.change == QUEUE_WENT_DOWN;
	}
	queue_free(&q);
	return holds;
}

static void inv7_only_a_delivery_breaks_a_row_of_refusals(void **state)
{
	(void)state;
	const struct outcome again = { .verdict = VERDICT_AGAIN, .retry_after_ms = -1 };

	assert_false(fifth_holds(&DELIVERED));
	assert_true(fifth_holds(&ROW_LATER));
	assert_true(fifth_holds(&again));
}

/* A row that is refused ends, or is kept by a hold: so five refusals are five rows. */
static void inv7_the_row_that_was_kept_is_probed_and_kept_again(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(1);
	struct queue *q = queue_of(&s, 1);
	int64_t now = START;

	for (int64_t i = 1; i < QUEUE_NEVERS_MAX; i++) {
		struct tried row = row_of(i, 1, now);

		claim(q, 1, 1, now);
		assert_int_equal(end_row(q, &row, &NEVER, now).settle.state, DELIVERY_DEAD);
	}
	for (int64_t n = 1; n <= 30; n++) {
		struct tried kept = row_of(QUEUE_NEVERS_MAX, n, now);

		claim(q, 1, 1, now);
		struct end e = end_row(q, &kept, &NEVER, now);

		assert_int_equal(e.settle.state, DELIVERY_DUE);
		assert_in_range(e.settle.due_at, now, now + 15 * MINUTE);
		assert_string_equal(e.reason, "5 payloads refused in a row: 400");
		now += 15 * MINUTE;
	}
	struct tried good = row_of(99, 1, now), kept = row_of(QUEUE_NEVERS_MAX, 31, now + 1);

	claim(q, 1, 1, now);
	assert_int_equal(end_row(q, &good, &DELIVERED, now).change, QUEUE_CAME_UP);
	claim(q, 1, 1, now + 1);
	assert_int_equal(end_row(q, &kept, &NEVER, now + 1).settle.state, DELIVERY_DEAD);
	queue_free(&q);
}

/* It would refuse four more at each restart. */
static void inv7_a_sink_that_refused_when_the_last_run_ended_is_held_at_the_next_never(
	void **state)
{
	(void)state;
	struct sink_settings s = settings_of(1);
	struct queue_sink sink = { .settings = &s, .number = 1, .refuses = true };
	struct queue *q = queue_new(&sink, 1, 7, START);
	struct tried row = row_of(1, 1, START);
	struct queue_status status;

	queue_status(q, 0, &status);
	assert_true(status.refuses);
	claim(q, 1, 1, START);
	assert_int_equal(end_row(q, &row, &NEVER, START).settle.state, DELIVERY_DUE);
	claim(q, 1, 1, START + HOUR);
	assert_int_equal(end_row(q, &row, &DELIVERED, START + HOUR).change, QUEUE_CAME_UP);
	queue_status(q, 0, &status);
	assert_false(status.refuses);
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

static void inv7_what_was_delivered_before_a_row_began_proves_nothing(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried good = row_of(1, 1, START), bad = row_of(2, 1, START + 6);

	claim(q, 1, 2, START);
	end_row(q, &good, &DELIVERED, START + 5);
	assert_int_equal(end_row(q, &bad, &SINK_DOWN, START + 9).change, QUEUE_WENT_DOWN);
	queue_free(&q);
}

static void inv7_probes_go_one_at_a_time_however_wide_the_window(void **state)
{
	(void)state;
	struct sink_settings s = settings_of(8);
	struct queue *q = queue_of(&s, 1);
	struct tried row = row_of(1, 1, START);
	int64_t later = START + MINUTE;

	claim(q, 1, 3, START);
	end_row(q, &row, &SINK_DOWN, START);
	/* Two that were under way are still out: nobody needs a probe. */
	assert_int_equal(asked(q, 1, later), 0);
	assert_int_equal(queue_sleep_ms(q, later), -1);
	leave(q, 1, 2);
	assert_int_equal(asked(q, 1, later), 1);
	claim(q, 1, 1, later);
	assert_int_equal(asked(q, 1, later + HOUR), 0);
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

/* ---- steps, and holds on their way to the store ---- */

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
		cmocka_unit_test(a_slot_is_free_in_the_batch_that_stores_its_outcome),
		cmocka_unit_test(a_sink_starves_when_half_of_its_window_is_idle),
		cmocka_unit_test(a_sink_with_nothing_due_is_not_asked_until_woken),
		cmocka_unit_test(it_sleeps_until_the_next_row_is_due),
		cmocka_unit_test(a_rate_spaces_starts),
		cmocka_unit_test(a_slow_commit_gives_a_rate_nothing),
		cmocka_unit_test(
			inv2_an_outcome_that_is_unknown_marks_the_row_and_keeps_its_count),
		cmocka_unit_test(inv7_a_sink_that_is_down_is_held_and_probed_by_one),
		cmocka_unit_test(inv7_rows_of_one_window_that_fail_together_count_once),
		cmocka_unit_test(inv7_a_probe_that_succeeds_opens_the_window),
		cmocka_unit_test(inv7_a_failure_beside_successes_is_the_rows_own),
		cmocka_unit_test(inv7_one_dead_sink_never_slows_another),
		cmocka_unit_test(inv7_five_refused_payloads_in_a_row_hold_the_sink),
		cmocka_unit_test(inv7_only_a_delivery_breaks_a_row_of_refusals),
		cmocka_unit_test(inv7_the_row_that_was_kept_is_probed_and_kept_again),
		cmocka_unit_test(inv7_what_was_delivered_before_a_row_began_proves_nothing),
		cmocka_unit_test(inv7_probes_go_one_at_a_time_however_wide_the_window),
		cmocka_unit_test(
			inv7_a_sink_that_refused_when_the_last_run_ended_is_held_at_the_next_never),
		cmocka_unit_test(one_refused_payload_is_a_dead_letter_and_the_sink_goes_on),
		cmocka_unit_test(inv7_a_row_that_fails_beside_slow_successes_is_not_hammered),
		cmocka_unit_test(inv7_what_was_under_way_lifts_no_retry_after),
		cmocka_unit_test(
			inv7_after_a_clock_jumped_back_a_dead_sink_is_held_all_the_same),
		cmocka_unit_test(one_step_of_several_is_repeated_at_once_and_not_counted),
		cmocka_unit_test(a_hold_that_was_not_stored_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
