/* A set of numbers that grows. */
#include "base/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_set_has_what_was_added_and_nothing_else(void **state)
{
	(void)state;
	static const int64_t in[] = { 0, 1, 63, 64, 65, 1000, 1023, 1024, 4000000 };
	struct bits b = { .words = NULL };

	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		bits_add(&b, in[i]);
	for (int64_t n = 0; n < 4100000; n++) {
		bool is_in = false;

		for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
			is_in = is_in || in[i] == n;
		if (bits_has(&b, n) != is_in)
			fail_msg("%lld", (long long)n);
	}
	bits_release(&b);
	assert_false(bits_has(&b, 64));
}

static void what_is_beyond_its_bounds_is_never_in_it(void **state)
{
	(void)state;
	struct bits b = { .words = NULL };

	bits_add(&b, -1);
	bits_add(&b, BITS_MAX);
	bits_add(&b, INT64_MAX);
	bits_add(&b, INT64_MIN);
	assert_null(b.words);
	assert_false(bits_has(&b, -1));
	assert_false(bits_has(&b, INT64_MAX));
	bits_release(&b);
}

static void a_million_take_little_room(void **state)
{
	(void)state;
	struct bits b = { .words = NULL };

	for (int64_t n = 0; n < 1000000; n++)
		bits_add(&b, n);
	assert_in_range(b.word_count * sizeof(*b.words), 125000, 263000);
	bits_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_has_what_was_added_and_nothing_else),
		cmocka_unit_test(what_is_beyond_its_bounds_is_never_in_it),
		cmocka_unit_test(a_million_take_little_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
