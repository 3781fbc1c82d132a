/* A set against a plain list, under random work; and its ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/idset.h"
#include "base/mem.h"

enum { IDS = 500, STEPS = 50000 };

/* As keys of deliveries are: events above, fields that hardly differ below. */
static int64_t id_of(int64_t n)
{
	return ((n / 5 + 1) << 27) | (n % 5) << 15;
}

static void it_holds_what_was_added_and_not_removed(void **state)
{
	struct idset set = { .slots = NULL };
	bool is_in[IDS] = { false };
	struct chance chance;
	size_t count = 0;

	(void)state;
	chance_seed(&chance, 7);
	for (int i = 0; i < STEPS; i++) {
		int64_t n = chance_below(&chance, IDS);
		bool add = chance_below(&chance, 2) == 0;

		count += add && !is_in[n];
		count -= !add && is_in[n];
		is_in[n] = add;
		if (add)
			idset_add(&set, id_of(n));
		else
			idset_remove(&set, id_of(n));
		assert_int_equal(set.count, count);
		n = chance_below(&chance, IDS);
		assert_int_equal(idset_has(&set, id_of(n)), is_in[n]);
	}
	for (int64_t n = 0; n < IDS; n++)
		assert_int_equal(idset_has(&set, id_of(n)), is_in[n]);
	idset_release(&set);
}

static void drained_it_gives_its_ids_in_order_and_is_empty(void **state)
{
	struct idset set = { .slots = NULL };

	(void)state;
	for (int64_t n = IDS; n > 0; n--)
		idset_add(&set, n);
	int64_t *ids = idset_drain(&set);

	for (int64_t n = 1; n <= IDS; n++)
		assert_int_equal(ids[n - 1], n);
	assert_int_equal(set.count, 0);
	assert_false(idset_has(&set, 1));
	idset_add(&set, 3);
	assert_true(idset_has(&set, 3));
	mem_free(&ids);
	idset_release(&set);
}

static void an_empty_one_has_nothing(void **state)
{
	struct idset set = { .slots = NULL };

	(void)state;
	assert_false(idset_has(&set, 1));
	assert_false(idset_has(&set, 0));
	idset_remove(&set, 1);
	int64_t *ids = idset_drain(&set);

	mem_free(&ids);
	idset_add(&set, INT64_MAX);
	assert_false(idset_has(&set, 0));
	idset_release(&set);
	idset_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_what_was_added_and_not_removed),
		cmocka_unit_test(drained_it_gives_its_ids_in_order_and_is_empty),
		cmocka_unit_test(an_empty_one_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
