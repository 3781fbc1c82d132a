/* backoff.h: bounds of every wait, evenness of chance, and the same seed for the same story. */
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

/* The first numbers of splitmix64 from 1234567, as its authors publish them. */
static void chance_is_splitmix64(void **state)
{
	(void)state;
	static const uint64_t published[] = {
		UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821),
	};
	struct chance c;

	chance_seed(&c, 1234567);
	for (size_t i = 0; i < ARRAY_LEN(published); i++)
		assert_true(chance_next(&c) == published[i]);
}

static void the_same_seed_gives_the_same_waits(void **state)
{
	(void)state;
	struct chance a, b;

	chance_seed(&a, 42);
	chance_seed(&b, 42);
	for (int n = 1; n < 100; n++)
		assert_int_equal(backoff_ms(&a, 1000, 900000, n),
				 backoff_ms(&b, 1000, 900000, n));
}

static void chance_is_even(void **state)
{
	(void)state;
	int64_t seen[7] = { 0 };
	struct chance c;

	chance_seed(&c, 1);
	for (int i = 0; i < 70000; i++)
		seen[chance_below(&c, 7)]++;
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_in_range(seen[i], 9500, 10500);
	assert_int_equal(chance_below(&c, 1), 0);
	for (int i = 0; i < 1000; i++) {
		int64_t drawn = chance_below(&c, INT64_MAX);

		assert_true(drawn >= 0 && drawn < INT64_MAX);
	}
}

static const struct {
	int64_t min_ms, max_ms, n;
	int64_t cap; /* the longest wait there may be, and is */
} waits[] = {
	{ 10, 160, 1, 10 },     { 10, 160, 2, 20 },  { 10, 160, 3, 40 }, { 10, 160, 5, 160 },
	{ 10, 160, 6, 160 },    { 10, 100, 5, 100 }, { 10, 10, 1, 10 },  { 10, 10, 50, 10 },
	{ 1, 5, 62, 5 },        { 1, 5, 63, 5 },     { 1, 5, 64, 5 },    { 1, 5, 65, 5 },
	{ 1, 5, INT64_MAX, 5 },
};

static void waits_are_drawn_from_nothing_to_the_cap(void **state)
{
	(void)state;
	struct chance c;

	chance_seed(&c, 7);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		int64_t least = INT64_MAX, most = -1;

		for (int draw = 0; draw < 4000; draw++) {
			int64_t ms =
				backoff_ms(&c, waits[i].min_ms, waits[i].max_ms, waits[i].n);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_int_equal(least, 0);
		assert_int_equal(most, waits[i].cap);
	}
}

static void the_largest_bounds_do_not_overflow(void **state)
{
	(void)state;
	struct chance c;

	chance_seed(&c, 9);
	for (int64_t n = 1; n < 200; n++) {
		int64_t ms = backoff_ms(&c, INT64_MAX / 3, INT64_MAX - 1, n);

		assert_true(ms >= 0 && ms < INT64_MAX);
	}
}

static void a_wait_that_was_asked_for_is_never_cut_short(void **state)
{
	(void)state;
	static const struct {
		int64_t wait_ms, least, most;
	} rows[] = {
		{ 0, 1, 1 },
		{ 5, 6, 6 },
		{ 30, 31, 33 },
		{ 100, 101, 110 },
	};
	struct chance c;

	chance_seed(&c, 3);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t least = INT64_MAX, most = -1;

		for (int draw = 0; draw < 1000; draw++) {
			int64_t ms = backoff_jitter_ms(&c, rows[i].wait_ms);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_int_equal(least, rows[i].least);
		assert_int_equal(most, rows[i].most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_is_splitmix64),
		cmocka_unit_test(the_same_seed_gives_the_same_waits),
		cmocka_unit_test(chance_is_even),
		cmocka_unit_test(waits_are_drawn_from_nothing_to_the_cap),
		cmocka_unit_test(the_largest_bounds_do_not_overflow),
		cmocka_unit_test(a_wait_that_was_asked_for_is_never_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
