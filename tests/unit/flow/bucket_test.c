/* Tokens in a bucket, by a clock moved by hand: what goes, what is owed, how long to wait. */
#include "flow/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };
#define YEAR (INT64_C(365) * 24 * 60 * MINUTE)

static const struct rate ten_a_minute = { .count = 10, .per_ms = MINUTE };

static void a_bucket_by_its_rate_alone_holds_a_times_worth(void **state)
{
	(void)state;
	static const struct {
		int64_t now;
		size_t room, take;
		int64_t wait; /* after that */
	} steps[] = {
		{ 0, 10, 3, 0 },         { 0, 7, 7, 6 * SECOND },
		{ 0, 0, 0, 6 * SECOND }, { 1, 0, 0, 6 * SECOND - 1 },
		{ 5999, 0, 0, 1 },       { 6000, 1, 1, 6 * SECOND },
		{ 18000, 2, 0, 0 },      { 10 * MINUTE, 10, 10, 6 * SECOND },
	};
	struct bucket b;

	bucket_init(&b, ten_a_minute, 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		assert_int_equal(bucket_room(&b, steps[i].now), steps[i].room);
		bucket_spend(&b, steps[i].take, steps[i].now);
		assert_int_equal(bucket_wait_ms(&b, steps[i].now), steps[i].wait);
	}
}

static void a_rate_of_none_is_no_limit(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, (struct rate){ .count = 0 }, 0);
	for (int64_t now = 0; now < 5; now++) {
		assert_true(bucket_room(&b, now) == SIZE_MAX);
		assert_int_equal(bucket_wait_ms(&b, now), 0);
		bucket_spend(&b, 1000, now);
		assert_int_equal(bucket_debt_ms(&b, now), 0);
	}
}

static void its_size_is_apart_from_its_rate(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, ten_a_minute, 0);
	bucket_shape(&b, ten_a_minute, 2.5, 5, 0);
	assert_int_equal(bucket_room(&b, 0), 2);
	bucket_spend(&b, 2, 0);
	assert_int_equal(bucket_wait_ms(&b, 0), 3 * SECOND); /* half a token is there */
	assert_int_equal(bucket_room(&b, 10 * MINUTE), 2);
}

static void a_debt_is_paid_before_anything_is_there(void **state)
{
	(void)state;
	static const struct {
		size_t spend;
		int64_t debt_ms, wait_ms;
	} table[] = {
		{ 0, 0, 0 },
		{ 1, 0, 0 },
		/* empty is no debt */
		{ 2, 0, 6 * SECOND },
		{ 3, 6 * SECOND, 12 * SECOND },
		{ 7, 30 * SECOND, 36 * SECOND },
		/* at most five are owed */
		{ 8, 30 * SECOND, 36 * SECOND },
		{ 1000000, 30 * SECOND, 36 * SECOND },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct bucket b;

		bucket_init(&b, ten_a_minute, 0);
		bucket_shape(&b, ten_a_minute, 2, 5, 0);
		bucket_spend(&b, table[i].spend, 0);
		assert_int_equal(bucket_debt_ms(&b, 0), table[i].debt_ms);
		assert_int_equal(bucket_wait_ms(&b, 0), table[i].wait_ms);
		if (table[i].debt_ms > 0)
			assert_true(bucket_debt_ms(&b, table[i].debt_ms - 1) > 0);
		assert_int_equal(bucket_debt_ms(&b, table[i].debt_ms), 0);
		assert_true(bucket_room(&b, table[i].wait_ms) > 0);
	}
}

static void what_is_too_much_to_owe_is_forgotten_at_once(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, ten_a_minute, 0);
	bucket_shape(&b, ten_a_minute, 2, 5, 0);
	bucket_spend(&b, 1000, 0);
	assert_int_equal(bucket_debt_ms(&b, 12 * SECOND), 18 * SECOND);

	bucket_init(&b, ten_a_minute, 0);
	bucket_spend(&b, 1000, 0);
	bucket_shape(&b, ten_a_minute, 2, 5, 0);
	assert_int_equal(bucket_debt_ms(&b, 12 * SECOND), 18 * SECOND);
}

static void what_came_meanwhile_is_spent_first(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, ten_a_minute, 0);
	bucket_shape(&b, ten_a_minute, 2, 5, 0);
	bucket_spend(&b, 7, 0); /* owes 5 */
	bucket_spend(&b, 5, 30 * SECOND);
	assert_int_equal(bucket_debt_ms(&b, 30 * SECOND), 30 * SECOND);
	assert_int_equal(bucket_debt_ms(&b, 45 * SECOND), 15 * SECOND);
}

static void another_shape_pays_nothing_for_the_past(void **state)
{
	(void)state;
	static const struct rate fast = { .count = 1000, .per_ms = MINUTE };
	static const struct rate slow = { .count = 1, .per_ms = MINUTE };
	struct bucket b;

	bucket_init(&b, slow, 0);
	bucket_spend(&b, 1, 0);
	bucket_shape(&b, fast, 250, 100, 30 * SECOND); /* half a minute at 1 a minute */
	assert_int_equal(bucket_room(&b, 30 * SECOND), 0);
	assert_int_equal(bucket_wait_ms(&b, 30 * SECOND), 30);
	assert_int_equal(bucket_room(&b, 10 * MINUTE), 250);
	bucket_shape(&b, slow, 1, 1, 10 * MINUTE);
	assert_int_equal(bucket_room(&b, 10 * MINUTE), 1);
	/* A debt is cut, too. */
	bucket_shape(&b, fast, 250, 100, 10 * MINUTE);
	bucket_spend(&b, 101, 10 * MINUTE);
	bucket_shape(&b, slow, 1, 1, 10 * MINUTE);
	assert_int_equal(bucket_debt_ms(&b, 10 * MINUTE), MINUTE);
}

static void a_clock_that_jumps_back_gives_nothing(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, ten_a_minute, YEAR);
	bucket_spend(&b, 10, YEAR);
	assert_int_equal(bucket_room(&b, 0), 0);
	assert_int_equal(bucket_wait_ms(&b, 0), 6 * SECOND);
	assert_int_equal(bucket_room(&b, 6 * SECOND), 1);
}

static void a_clock_that_jumps_forward_fills_it_at_most(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, ten_a_minute, 0);
	bucket_spend(&b, 10, 0);
	assert_int_equal(bucket_room(&b, 100 * YEAR), 10);
	bucket_spend(&b, 10, 100 * YEAR);
	assert_int_equal(bucket_wait_ms(&b, 100 * YEAR), 6 * SECOND);
}

/* Thirds and sevenths of a token add up to whole ones at the very millisecond. */
static void the_wait_ends_when_there_is_room_and_not_a_moment_later(void **state)
{
	(void)state;
	for (int64_t count = 1; count <= 9; count++) {
		struct bucket b, sooner;

		bucket_init(&b, (struct rate){ .count = count, .per_ms = SECOND }, 0);
		bucket_spend(&b, (size_t)count, 0);
		for (int64_t now = 0, wait; now < MINUTE; now += wait) {
			wait = bucket_wait_ms(&b, now);
			sooner = b;
			assert_int_equal(bucket_room(&sooner, now + wait - 1), 0);
			assert_int_equal(bucket_room(&b, now + wait), 1);
			bucket_spend(&b, 1, now + wait);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_by_its_rate_alone_holds_a_times_worth),
		cmocka_unit_test(a_rate_of_none_is_no_limit),
		cmocka_unit_test(its_size_is_apart_from_its_rate),
		cmocka_unit_test(a_debt_is_paid_before_anything_is_there),
		cmocka_unit_test(what_is_too_much_to_owe_is_forgotten_at_once),
		cmocka_unit_test(what_came_meanwhile_is_spent_first),
		cmocka_unit_test(another_shape_pays_nothing_for_the_past),
		cmocka_unit_test(a_clock_that_jumps_back_gives_nothing),
		cmocka_unit_test(a_clock_that_jumps_forward_fills_it_at_most),
		cmocka_unit_test(the_wait_ends_when_there_is_room_and_not_a_moment_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
