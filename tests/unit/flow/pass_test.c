/* A walk over pages: where it goes, that a circle is noticed, and when it is deep enough. */
#include "flow/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static enum pass_next advance(struct pass *p, const char *next_cursor)
{
	struct alert items[10] = { { .id = "a" } };

	for (size_t i = 1; i < 10; i++)
		items[i].id = "a";
	struct page page = { .next_cursor = (char *)(uintptr_t)next_cursor,
			     .items = items,
			     .item_count = 10,
			     .total_count = -1 };

	return pass_advance(p, &page, 7);
}

/* ---- where it goes ---- */

static void it_ends_where_there_is_no_next_cursor(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	assert_null(p.cursor);
	assert_true(p.from_first);
	assert_int_equal(advance(&p, "a"), PASS_MORE);
	assert_string_equal(p.cursor, "a");
	assert_int_equal(advance(&p, NULL), PASS_ENDED);
	assert_null(p.cursor);
	assert_int_equal(p.page_count, 2);
	assert_int_equal(p.items, 20);
	pass_release(&p);
}

static void inv3_only_a_walk_that_has_no_more_and_nowhere_to_go_is_complete(void **state)
{
	(void)state;
	static const struct {
		const char *next_cursor;
		bool has_more, known;
		enum pass_next next;
		bool ends, is_empty;
	} table[] = {
		{ NULL, false, true, PASS_ENDED, true, false },
		{ NULL, false, false, PASS_ENDED, true, false },
		{ "b", true, true, PASS_MORE, false, false },
		{ "b", false, false, PASS_MORE, false, false },
		/* contradictions: a cursor is followed, a promise without one is torn */
		{ "b", false, true, PASS_MORE, false, false },
		{ NULL, true, true, PASS_TORN, false, false },
		{ "b", false, true, PASS_MORE, false, true },
		{ "b", false, false, PASS_MORE, false, true },
		{ "b", true, true, PASS_MORE, false, true },
	};
	struct alert item = { .id = "a" };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct pass p = { .cursor = NULL };
		struct page page = { .next_cursor = (char *)(uintptr_t)table[i].next_cursor,
				     .items = &item,
				     .item_count = table[i].is_empty ? 0 : 1,
				     .has_more = table[i].has_more,
				     .has_more_known = table[i].known };

		pass_begin(&p, FILTER_NONE, NULL);
		assert_int_equal(advance(&p, "a"), PASS_MORE);
		assert_int_equal(pass_ends_with(&page), table[i].ends);
		assert_int_equal(pass_advance(&p, &page, 7), table[i].next);
		pass_release(&p);
	}
}

static void pages_without_an_alert_are_not_followed_for_ever(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };
	enum pass_next next = PASS_MORE;
	char cursor[16];

	pass_begin(&p, FILTER_NONE, NULL);
	for (int i = 0; i < 20000 && next == PASS_MORE; i++) {
		snprintf(cursor, sizeof(cursor), "%d", i);
		struct page page = { .next_cursor = cursor, .total_count = -1 };

		next = pass_advance(&p, &page, 7);
	}
	assert_int_equal(next, PASS_VOID);
	assert_in_range(p.page_count, 10000, 10002);
	pass_release(&p);
}

static void what_fetched_the_newest_page_is_remembered(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	assert_null(p.fetched);
	advance(&p, "a");
	assert_null(p.fetched); /* the first page has none */
	advance(&p, "b");
	assert_string_equal(p.fetched, "a");
	assert_int_equal(advance(&p, NULL), PASS_ENDED);
	assert_string_equal(p.fetched, "b");
	pass_release(&p);
	assert_null(p.fetched);
}

static void a_walk_of_one_page_from_a_cursor_keeps_that(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, "kept");
	assert_false(p.from_first);
	assert_string_equal(p.cursor, "kept");
	assert_int_equal(p.cursor_at, 0); /* it may be old */
	assert_int_equal(advance(&p, NULL), PASS_ENDED);
	assert_string_equal(p.fetched, "kept");
	pass_release(&p);
}

static void a_new_walk_forgets_the_last_one(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	for (size_t i = 0; i < 5; i++) {
		char cursor[8];

		snprintf(cursor, sizeof(cursor), "%zu", i);
		advance(&p, cursor);
	}
	p.began_at = 3;
	p.total = 4;
	pass_begin(&p, FILTER_ACKNOWLEDGED, NULL);
	assert_int_equal(p.filter, FILTER_ACKNOWLEDGED);
	assert_true(p.from_first && p.cursor == NULL && p.fetched == NULL);
	assert_int_equal(p.page_count + p.items, 0);
	assert_int_equal(p.total, -1);
	assert_int_equal(p.began_at + p.cursor_at, 0);
	assert_false(p.evidence.any);
	assert_int_equal(advance(&p, "0"), PASS_MORE); /* no mark is left of it */
	pass_release(&p);
}

static void a_walk_may_begin_at_its_own_cursor(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	advance(&p, "a");
	advance(&p, "b");
	pass_begin(&p, FILTER_NONE, p.fetched);
	assert_string_equal(p.cursor, "a");
	pass_begin(&p, FILTER_NONE, p.cursor);
	assert_string_equal(p.cursor, "a");
	pass_release(&p);
}

static void it_keeps_the_count_that_was_said_last(void **state)
{
	(void)state;
	static const int64_t totals[][2] = { /* said, kept */
					     { -1, -1 },   { 500, 500 }, { -1, 500 },
					     { 510, 510 }, { 0, 0 },     { -1, 0 }
	};
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
		struct page page = { .has_more = true, .total_count = totals[i][0] };

		pass_advance(&p, &page, 1000 + (int64_t)i);
		assert_int_equal(p.total, totals[i][1]);
		assert_int_equal(p.cursor_at, 1000 + (int64_t)i);
	}
	pass_release(&p);
}

static void it_gathers_evidence_of_the_order_over_all_its_pages(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	for (int64_t i = 0; i < 5; i++) {
		struct alert items[] = { { .id = "a", .created_at = 100 - 2 * i },
					 { .id = "b", .created_at = 99 - 2 * i } };
		struct page page = { .items = items, .item_count = 2 };

		pass_advance(&p, &page, 7);
	}
	assert_int_equal(p.evidence.falling, 9);
	assert_int_equal(order_verdict(&p.evidence), ORDER_NEWEST_FIRST);
	pass_release(&p);
}

/* ---- circles ---- */

/* A tail of `tail` pages, then a circle of `length`: noticed within 3 times both. */
static size_t pages_until_loop(size_t tail, size_t length)
{
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
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

static void a_page_that_leads_to_itself_is_a_circle(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, "same");
	assert_int_equal(advance(&p, "same"), PASS_MORE);
	assert_int_equal(advance(&p, "same"), PASS_LOOP);
	pass_release(&p);
}

static void a_long_walk_is_no_circle(void **state)
{
	(void)state;
	struct pass p = { .cursor = NULL };

	pass_begin(&p, FILTER_NONE, NULL);
	for (size_t i = 0; i < 20000; i++) {
		char cursor[32];

		snprintf(cursor, sizeof(cursor), "c%zu", i);
		assert_int_equal(advance(&p, cursor), PASS_MORE);
	}
	pass_release(&p);
}

/* ---- how deep ---- */

static void a_head_pass_reaches_two_minutes_further_back(void **state)
{
	(void)state;
	static const struct {
		int64_t head_at, reach;
	} table[] = {
		{ 0, 0 },
		{ 1, 0 },
		{ 119999, 0 },
		{ 120000, 0 },
		{ 120001, 1 },
		{ -1, 0 },
		{ INT64_MIN, 0 },
		{ INT64_MAX, INT64_MAX - 120000 },
		{ 1767225600000, 1767225480000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(pass_reach(table[i].head_at), table[i].reach);
}

enum { ITEMS_MAX = 12 };

/* A page by the times of its items; the first negative one ends it. */
static bool is_deep(const int64_t *times, size_t fresh, int64_t reach_at)
{
	struct alert items[ITEMS_MAX] = { { .id = "a" } };
	struct page page = { .items = items };

	for (; times[page.item_count] >= 0; page.item_count++)
		items[page.item_count] =
			(struct alert){ .id = "a", .created_at = times[page.item_count] };
	return pass_is_deep(&page, fresh, reach_at);
}

static void a_page_is_deep_when_it_is_old_as_a_whole(void **state)
{
	(void)state;
	static const struct {
		int64_t times[ITEMS_MAX];
		size_t fresh;
		bool is_deep;
	} table[] = { /* all reach back to 100 */
		      { { 99, 98, 97, -1 }, 0, true },
		      { { 99, -1 }, 0, true },
		      { { 1, -1 }, 0, true },
		      /* something new, or not yet beyond */
		      { { 99, 98, 97, -1 }, 1, false },
		      { { 99, 98, 97, -1 }, 3, false },
		      { { 103, 102, 101, -1 }, 0, false },
		      { { 100, -1 }, 0, false },
		      { { 102, 101, 100, -1 }, 0, false },
		      /* the border lies in the page: half of it is enough, and its last */
		      { { 102, 101, 99, 98, -1 }, 0, true },
		      { { 101, 99, 98, -1 }, 0, true },
		      { { 102, 101, 100, 99, -1 }, 0, false },
		      { { 103, 102, 101, 99, 98, -1 }, 0, false },
		      { { 101, 99, -1 }, 0, true },
		      /* an old one out of place deceives nobody, at the end or elsewhere */
		      { { 110, 109, 108, 107, 50, -1 }, 0, false },
		      { { 50, 110, 109, 108, 107, -1 }, 0, false },
		      { { 50, 51, 110, 109, -1 }, 0, false },
		      { { 110, 109, 50, 51, -1 }, 0, true },
		      /* a late one that is new to the list, at the end: one page more */
		      { { 99, 98, 97, 96, 110, -1 }, 0, false },
		      { { 99, 98, 110, 96, 95, -1 }, 0, true },
		      /* oldest first is never deep by its first pages' end */
		      { { 97, 98, 99, 100, -1 }, 0, false },
		      /* items without a time do not count */
		      { { 99, 98, 0, -1 }, 0, true },
		      { { 0, 99, 98, 0, -1 }, 0, true },
		      { { 0, 0, 0, 0, 0, 99, -1 }, 0, true },
		      { { 101, 0, 0, 0, -1 }, 0, false },
		      { { 101, 100, 99, 0, 0, 0, -1 }, 0, false },
		      { { 0, 0, 0, -1 }, 0, false },
		      { { 0, -1 }, 0, false },
		      { { -1 }, 0, false }
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is_deep(table[i].times, table[i].fresh, 100) != table[i].is_deep)
			fail_msg("row %zu", i);
}

static void nothing_is_deep_where_there_is_nothing_to_reach_past(void **state)
{
	(void)state;
	assert_false(is_deep((const int64_t[]){ 3, 2, 1, -1 }, 0, 0));
	assert_false(is_deep((const int64_t[]){ 3, 2, 1, -1 }, 0, pass_reach(0)));
	assert_false(is_deep((const int64_t[]){ -1 }, 0, INT64_MAX));
	assert_true(is_deep((const int64_t[]){ 3, 2, 1, -1 }, 0, INT64_MAX));
}

/* ---- words ---- */

static void kinds_and_filters_have_their_words(void **state)
{
	(void)state;
	assert_string_equal(pass_kind_name(PASS_HEAD), "head");
	assert_string_equal(pass_kind_name(PASS_SWEEP), "sweep");
	assert_string_equal(pass_kind_name(PASS_FULL), "full");
	assert_null(pass_filter_status(FILTER_NONE));
	assert_string_equal(pass_filter_status(FILTER_OPEN), "open");
	assert_string_equal(pass_filter_status(FILTER_ACKNOWLEDGED), "acknowledged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_where_there_is_no_next_cursor),
		cmocka_unit_test(
			inv3_only_a_walk_that_has_no_more_and_nowhere_to_go_is_complete),
		cmocka_unit_test(pages_without_an_alert_are_not_followed_for_ever),
		cmocka_unit_test(what_fetched_the_newest_page_is_remembered),
		cmocka_unit_test(a_walk_of_one_page_from_a_cursor_keeps_that),
		cmocka_unit_test(a_new_walk_forgets_the_last_one),
		cmocka_unit_test(a_walk_may_begin_at_its_own_cursor),
		cmocka_unit_test(it_keeps_the_count_that_was_said_last),
		cmocka_unit_test(it_gathers_evidence_of_the_order_over_all_its_pages),
		cmocka_unit_test(a_circle_is_noticed_whatever_its_length),
		cmocka_unit_test(a_page_that_leads_to_itself_is_a_circle),
		cmocka_unit_test(a_long_walk_is_no_circle),
		cmocka_unit_test(a_page_is_deep_when_it_is_old_as_a_whole),
		cmocka_unit_test(a_head_pass_reaches_two_minutes_further_back),
		cmocka_unit_test(nothing_is_deep_where_there_is_nothing_to_reach_past),
		cmocka_unit_test(kinds_and_filters_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
