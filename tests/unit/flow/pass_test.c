/* A walk over pages: where it goes, and that a circle is noticed. */
#include "flow/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum pass_next advance(struct pass *p, const char *next_cursor)
{
	struct page page = { .next_cursor = (char *)(uintptr_t)next_cursor, .item_count = 10 };

	return pass_advance(p, &page);
}

static void it_ends_where_there_is_no_next_cursor(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, 5);
	assert_null(p.cursor);
	assert_int_equal(advance(&p, "a"), PASS_MORE);
	assert_string_equal(p.cursor, "a");
	assert_int_equal(advance(&p, NULL), PASS_COMPLETE);
	assert_int_equal(p.page_count, 2);
	assert_int_equal(p.items, 20);
	pass_release(&p);
}

static void inv3_only_a_walk_that_has_no_more_and_nowhere_to_go_is_complete(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };
	struct page more = { .next_cursor = (char *)(uintptr_t) "a", .has_more_known = true };
	struct page none = { .has_more = true, .has_more_known = true };

	pass_begin(&p, 5);
	assert_int_equal(pass_advance(&p, &more), PASS_MORE);
	assert_int_equal(pass_advance(&p, &none), PASS_TORN);
	pass_release(&p);
}

/* A tail of `tail` pages, then a circle of `length`: noticed within 3 times both. */
static size_t pages_until_loop(size_t tail, size_t length)
{
	struct pass p = { .cursor = NULL };

	pass_begin(&p, 5);
	for (size_t i = 0;; i++) {
		char cursor[32];
		size_t at = i < tail ? i : tail + (i - tail) % length;

		snprintf(cursor, sizeof(cursor), "c%zu", at);
		if (advance(&p, cursor) == PASS_LOOP)
			break;
	}
	size_t pages = p.page_count;

	pass_release(&p);
	return pages;
}

static void a_circle_is_noticed_whatever_its_length(void **state)
{
	(void)state;
	for (size_t tail = 0; tail < 40; tail++)
		for (size_t length = 1; length < 40; length++)
			assert_true(pages_until_loop(tail, length) <= 3 * (tail + length) + 1);
}

static void a_long_walk_is_no_circle(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, 5);
	for (size_t i = 0; i < 20000; i++) {
		char cursor[32];

		snprintf(cursor, sizeof(cursor), "c%zu", i);
		assert_int_equal(advance(&p, cursor), PASS_MORE);
	}
	pass_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_where_there_is_no_next_cursor),
		cmocka_unit_test(
			inv3_only_a_walk_that_has_no_more_and_nowhere_to_go_is_complete),
		cmocka_unit_test(a_circle_is_noticed_whatever_its_length),
		cmocka_unit_test(a_long_walk_is_no_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
