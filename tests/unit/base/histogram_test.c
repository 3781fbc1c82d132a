/* histogram.h: where values count. */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static void a_value_counts_up_to_its_bound(void **state)
{
	static const int64_t bounds[] = { 10, 20 };
	static const struct {
		int64_t value;
		size_t bucket;
	} cases[] = { { 0, 0 },  { 9, 0 },  { 10, 0 }, { 11, 1 },
		      { 20, 1 }, { 21, 2 }, { -1, 0 }, { INT32_MAX, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct histogram h;

		histogram_init(&h, bounds, ARRAY_LEN(bounds));
		histogram_add(&h, cases[i].value);
		assert_int_equal(h.counts[cases[i].bucket], 1);
		assert_int_equal(h.count, 1);
		assert_int_equal(h.sum, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_counts_up_to_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
