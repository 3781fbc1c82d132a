/* Where a pass begins, when it may stop, what it moves, and when the next full one is due. */
#include "flow/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const int64_t MINUTE = 60000, HOUR = 60 * 60000, DAY = 24 * 60 * 60000;

static struct source_state state_of(const char *order, int64_t full_pages, const char *cursor)
{
	struct source_state s = { .full_pages = full_pages, .baseline_at = DAY };

	snprintf(s.order_seen, sizeof(s.order_seen), "%s", order);
	snprintf(s.head_cursor, sizeof(s.head_cursor), "%s", cursor);
	return s;
}

static void a_head_pass_begins_where_new_alerts_are_found_cheapest(void **state)
{
	(void)state;
	static const struct {
		const char *order;
		int64_t full_pages;
		const char *cursor;
		bool in_doubt;
		enum pass_filter filter;
		const char *from;
	} cases[] = {
		{ "unknown", 0, "", false, FILTER_NONE, NULL },
		{ "newest-first", 0, "", false, FILTER_NONE, NULL },
		{ "newest-first", 900, "c", false, FILTER_NONE, NULL },
		{ "oldest-first", 900, "c", false, FILTER_NONE, "c" },
		{ "oldest-first", 900, "", false, FILTER_OPEN, NULL },
		{ "oldest-first", 1, "", false, FILTER_NONE, NULL },
		{ "unordered", 900, "c", false, FILTER_OPEN, NULL },
		{ "unordered", 1, "", false, FILTER_NONE, NULL },
		{ "unknown", 2, "", false, FILTER_OPEN, NULL },
		{ "newest-first", 900, "c", true, FILTER_OPEN, NULL },
		{ "oldest-first", 900, "c", true, FILTER_OPEN, NULL },
		{ "unordered", 1, "", true, FILTER_OPEN, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source_state s =
			state_of(cases[i].order, cases[i].full_pages, cases[i].cursor);
		struct pass p = { .cursor = NULL };

		plan_head(&s, cases[i].in_doubt, &p);
		assert_int_equal(p.filter, cases[i].filter);
		if (cases[i].from == NULL)
			assert_null(p.cursor);
		else
			assert_string_equal(p.cursor, cases[i].from);
		pass_release(&p);
	}
}

/* A page of ten alerts a minute apart; the last is at `at`. */
static struct alert *alerts_down_to(int64_t at)
{
	static struct alert alerts[10];

	for (size_t i = 0; i < 10; i++)
		alerts[i] = (struct alert){ .id = "x",
					    .created_at = at + (int64_t)(9 - i) * MINUTE };
	return alerts;
}

static void a_head_pass_stops_where_nothing_is_new_beyond_the_last_one(void **state)
{
	(void)state;
	enum { FEW, FALLING, RISING, MIXED };
	static const struct order_evidence shown[] = {
		[FEW] = { .falling = 2 },
		[FALLING] = { .falling = 99, .rising = 1 },
		[RISING] = { .rising = 99 },
		[MIXED] = { .falling = 50, .rising = 49 },
	};
	static const struct {
		const char *order;
		int shown;
		size_t page_count, fresh;
		int64_t head_at; /* the page goes down to 10 h */
		enum plan_step step;
	} cases[] = {
		/* long after: the last pass began an hour behind the page's end */
		{ "newest-first", FALLING, 1, 0, 11 * HOUR, PLAN_DEEP_ENOUGH },
		{ "newest-first", FEW, 1, 0, 11 * HOUR, PLAN_DEEP_ENOUGH },
		{ "newest-first", FALLING, 1, 1, 11 * HOUR, PLAN_GO_ON },
		{ "newest-first", FALLING, 1, 0, 9 * HOUR, PLAN_GO_ON },
		{ "newest-first", RISING, 1, 0, 11 * HOUR, PLAN_OPEN_ONES },
		{ "newest-first", MIXED, 1, 0, 11 * HOUR, PLAN_OPEN_ONES },
		/* nothing learned yet */
		{ "unknown", FEW, 1, 0, 0, PLAN_GO_ON },
		{ "unknown", FEW, 4, 0, 0, PLAN_OPEN_ONES },
		{ "unknown", FALLING, 1, 0, 0, PLAN_DEEP_ENOUGH },
		{ "unknown", RISING, 1, 0, 0, PLAN_OPEN_ONES },
		{ "unknown", MIXED, 1, 0, 0, PLAN_OPEN_ONES },
		/* a list that has outgrown its page */
		{ "oldest-first", FALLING, 1, 0, 11 * HOUR, PLAN_OPEN_ONES },
		{ "unordered", MIXED, 1, 0, 11 * HOUR, PLAN_OPEN_ONES },
	};
	struct page page = { .items = alerts_down_to(10 * HOUR), .item_count = 10 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source_state s = state_of(cases[i].order, 900, "");
		struct pass p = { .from_first = true,
				  .page_count = cases[i].page_count,
				  .evidence = shown[cases[i].shown] };

		s.head_at = cases[i].head_at;
		assert_int_equal(plan_head_step(&s, &p, &page, cases[i].fresh, 12 * HOUR),
				 cases[i].step);
	}
}

static void a_head_pass_goes_deeper_where_a_wrong_date_was_noted(void **state)
{
	(void)state;
	static const struct {
		int64_t head_at, last_head_at; /* the page goes down to 10 h, it is 12 h */
		enum plan_step step;
	} cases[] = {
		{ 11 * HOUR, 9 * HOUR, PLAN_DEEP_ENOUGH },
		{ 12 * HOUR, 9 * HOUR, PLAN_DEEP_ENOUGH },
		{ 12 * HOUR + 1, 9 * HOUR, PLAN_GO_ON },
		{ 62 * HOUR, 9 * HOUR, PLAN_GO_ON },
		{ 62 * HOUR, 11 * HOUR, PLAN_DEEP_ENOUGH },
		{ 62 * HOUR, 63 * HOUR, PLAN_DEEP_ENOUGH }, /* nothing is known */
	};
	struct page page = { .items = alerts_down_to(10 * HOUR), .item_count = 10 };
	struct pass p = { .from_first = true, .page_count = 1, .evidence = { .falling = 99 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source_state s = state_of("newest-first", 900, "");

		s.head_at = cases[i].head_at;
		s.last_head_at = cases[i].last_head_at;
		assert_int_equal(plan_head_step(&s, &p, &page, 0, 12 * HOUR), cases[i].step);
	}
}

static void a_walk_from_a_cursor_or_of_open_ones_goes_to_its_end(void **state)
{
	(void)state;
	struct page page = { .items = alerts_down_to(10 * HOUR), .item_count = 10 };
	struct source_state s = state_of("oldest-first", 900, "c");
	struct pass from_cursor = { .from_first = false };
	struct pass open = { .from_first = true, .filter = FILTER_OPEN };

	s.head_at = 20 * HOUR;
	assert_int_equal(plan_head_step(&s, &from_cursor, &page, 0, 0), PLAN_GO_ON);
	assert_int_equal(plan_head_step(&s, &open, &page, 0, 0), PLAN_GO_ON);
}

static void the_first_head_pass_leaves_a_past_that_rings_to_the_full_pass(void **state)
{
	(void)state;
	struct page page = { .items = alerts_down_to(10 * HOUR), .item_count = 10 };
	struct pass p = { .from_first = true, .page_count = 1, .evidence = { .falling = 99 } };
	struct source_state s = state_of("unknown", 0, "");

	s.baseline_at = 0;
	assert_int_equal(plan_head_step(&s, &p, &page, 10, 12 * HOUR), PLAN_DEEP_ENOUGH);
	/* of a duration only so much */
	s.baseline_at = 9 * HOUR;
	assert_int_equal(plan_head_step(&s, &p, &page, 0, 12 * HOUR), PLAN_GO_ON);
	s.baseline_at = 11 * HOUR;
	assert_int_equal(plan_head_step(&s, &p, &page, 0, 12 * HOUR), PLAN_DEEP_ENOUGH);
}

static const struct {
	enum pass_kind kind;
	struct pass pass;
	bool ended;
	int64_t head, sweep, full, head_at;
	const char *order, *cursor;
} moves[] = {
	{ PASS_HEAD,
	  { .from_first = true, .page_count = 1 },
	  true,
	  7,
	  7,
	  7,
	  5,
	  "newest-first",
	  "" },
	{ PASS_FULL,
	  { .from_first = true,
	    .page_count = 9,
	    .fetched = (char *)(uintptr_t) "z",
	    .evidence = { .rising = 99 } },
	  true,
	  7,
	  7,
	  7,
	  5,
	  "oldest-first",
	  "z" },
	{ PASS_HEAD, { .from_first = true }, false, 7, 1, 1, 5, "newest-first", "c" },
	{ PASS_HEAD,
	  { .fetched = (char *)(uintptr_t) "z" },
	  true,
	  7,
	  1,
	  1,
	  5,
	  "newest-first",
	  "z" },
	{ PASS_HEAD,
	  { .from_first = true, .filter = FILTER_OPEN },
	  true,
	  7,
	  1,
	  1,
	  2,
	  "newest-first",
	  "c" },
	{ PASS_SWEEP,
	  { .from_first = true, .filter = FILTER_ACKNOWLEDGED },
	  true,
	  1,
	  7,
	  1,
	  2,
	  "newest-first",
	  "c" },
	{ PASS_FULL, { .from_first = true }, false, 1, 1, 1, 2, "newest-first", "c" },
};

static void inv3_only_what_a_pass_saw_is_moved(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		struct source_state s = state_of("newest-first", 3, "c");

		s.last_head_at = s.last_sweep_at = s.last_full_at = 1;
		s.head_at = 2;
		plan_move(&s, moves[i].kind, &moves[i].pass, moves[i].ended, 5, 7);
		assert_int_equal(s.last_head_at, moves[i].head);
		assert_int_equal(s.last_sweep_at, moves[i].sweep);
		assert_int_equal(s.last_full_at, moves[i].full);
		assert_int_equal(s.head_at, moves[i].head_at);
		assert_string_equal(s.order_seen, moves[i].order);
		assert_string_equal(s.head_cursor, moves[i].cursor);
	}
}

static void a_full_pass_does_not_take_back_what_heads_saw_meanwhile(void **state)
{
	(void)state;
	struct source_state s = state_of("newest-first", 3, "");
	struct pass p = { .from_first = true, .page_count = 3 };

	s.head_at = 9;
	plan_move(&s, PASS_FULL, &p, true, 5, 10);
	assert_int_equal(s.head_at, 9);
}

/* A list of one page is walked whole by each head pass: that must not make a wrong Date stay. */
static void a_head_pass_takes_back_what_a_wrong_date_said(void **state)
{
	(void)state;
	struct source_state s = state_of("newest-first", 1, "");
	struct pass p = { .from_first = true, .page_count = 1 };

	s.head_at = 900;
	plan_move(&s, PASS_HEAD, &p, true, 5, 10);
	assert_int_equal(s.head_at, 5);
}

static void the_next_full_pass_is_due_when_something_hangs_on_it(void **state)
{
	(void)state;
	static const int64_t last = 100 * DAY;
	static const struct {
		const char *order;
		int64_t full_pages, last_full_at, baseline_at;
		const char *cursor;
		bool in_doubt;
		int64_t due_at;
	} cases[] = {
		{ "unknown", 0, 0, DAY, "", false, 0 },
		{ "newest-first", 0, 0, DAY, "", false, DAY + HOUR + DAY },
		{ "newest-first", 0, 0, 0, "", false, 0 },
		{ "newest-first", 0, 0, DAY, "", true, 0 },
		{ "oldest-first", 0, 0, DAY, "", false, 0 },
		{ "newest-first", 9, last, DAY, "", false, last + DAY },
		{ "newest-first", 9, last, DAY, "", true, last + HOUR },
		{ "newest-first", 1, last, DAY, "", true, 0 },
		{ "oldest-first", 9, last, DAY, "c", false, last + DAY },
		{ "oldest-first", 9, last, DAY, "", false, last + 10 * MINUTE },
		{ "oldest-first", 1000, last, DAY, "", false, last + 20 * MINUTE },
		{ "oldest-first", 1000000, last, DAY, "", false, last + DAY },
		{ "oldest-first", 1, last, DAY, "", false, last + DAY },
		{ "unordered", 9, last, DAY, "", false, last + DAY },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source_state s =
			state_of(cases[i].order, cases[i].full_pages, cases[i].cursor);

		s.last_full_at = cases[i].last_full_at;
		s.baseline_at = cases[i].baseline_at;
		assert_int_equal(plan_full_at(&s, cases[i].in_doubt, HOUR, 500, last),
				 cases[i].due_at);
	}
}

static void a_full_pass_is_not_put_off_by_a_clock_that_was_set_back(void **state)
{
	(void)state;
	static const int64_t last = 100 * DAY;
	static const struct {
		const char *order;
		int64_t last_full_at, baseline_at, behind_ms, due_at;
	} cases[] = {
		{ "newest-first", last, DAY, 0, last + DAY },
		{ "newest-first", last, DAY, HOUR, last + DAY }, /* at most an hour late */
		{ "newest-first", last, DAY, HOUR + 1, 0 },
		{ "newest-first", last, DAY, 29 * HOUR, 0 },
		{ "oldest-first", last, DAY, HOUR, last + 10 * MINUTE },
		{ "oldest-first", last, DAY, HOUR + 1, 0 },
		{ "newest-first", 0, last - HOUR, 0, last + DAY },
		{ "newest-first", 0, last - HOUR, HOUR, last + DAY },
		{ "newest-first", 0, last - HOUR, HOUR + 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source_state s = state_of(cases[i].order, 9, "");

		s.last_full_at = cases[i].last_full_at;
		s.baseline_at = cases[i].baseline_at;
		assert_int_equal(plan_full_at(&s, false, HOUR, 500, last - cases[i].behind_ms),
				 cases[i].due_at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_pass_begins_where_new_alerts_are_found_cheapest),
		cmocka_unit_test(a_head_pass_stops_where_nothing_is_new_beyond_the_last_one),
		cmocka_unit_test(a_head_pass_goes_deeper_where_a_wrong_date_was_noted),
		cmocka_unit_test(a_walk_from_a_cursor_or_of_open_ones_goes_to_its_end),
		cmocka_unit_test(the_first_head_pass_leaves_a_past_that_rings_to_the_full_pass),
		cmocka_unit_test(inv3_only_what_a_pass_saw_is_moved),
		cmocka_unit_test(a_full_pass_does_not_take_back_what_heads_saw_meanwhile),
		cmocka_unit_test(a_head_pass_takes_back_what_a_wrong_date_said),
		cmocka_unit_test(the_next_full_pass_is_due_when_something_hangs_on_it),
		cmocka_unit_test(a_full_pass_is_not_put_off_by_a_clock_that_was_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
