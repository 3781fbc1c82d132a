/* Requests by a hand-moved steady clock: no minute holds too many, each kind has its part. */
#include "flow/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/mem.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define YEAR (INT64_C(365) * 24 * HOUR)

static void say_limit(struct budget *b, int64_t limit, int64_t now)
{
	char headers[64];

	snprintf(headers, sizeof(headers), "X-RateLimit-Limit: %jd\r\n", (intmax_t)limit);
	budget_note(b, &(struct reply){ .status = 200, .headers = headers }, now);
}

static void open_budget(struct budget *b, double share, int64_t limit, int64_t now)
{
	budget_init(b, share, now);
	say_limit(b, limit, now);
}

static const struct {
	double share;
	int64_t limit, allowed;
} sizes[] = {
	{ 0.5, 1000, 500 },  { 1, 1000, 1000 }, { 0.001, 1000, 1 },
	{ 0.0001, 1000, 1 }, { 1, 1, 1 },       { 0.5, 1, 1 },
	{ 0.5, 3, 1 },       { 1, 2, 2 },       { 1, 3, 3 },
	{ 0.5, 10, 5 },      { 1, 7, 7 },       { 0.29, 100, 29 },
	{ 0.5, 119, 59 },    { 1, 60, 60 },     { 0.7, 100000, 70000 },
};

static void what_is_allowed_is_the_share_in_whole_requests(void **state)
{
	(void)state;
	struct budget b;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		open_budget(&b, sizes[i].share, sizes[i].limit, 0);
		assert_int_equal(budget_allowed(&b), sizes[i].allowed);
	}
	budget_init(&b, 0.5, 0);
	assert_int_equal(budget_allowed(&b), 500); /* until the server says */
	assert_int_equal(b.remaining, -1);
}

/* What goes at once after a rest, and a minute after that. */
static int64_t burst_of(int64_t allowed)
{
	return allowed < 8 ? 1 : allowed / 4;
}

static int64_t refill_of(int64_t allowed)
{
	return allowed < 2 ? 1 : allowed - burst_of(allowed);
}

/* ---- no minute holds more ---- */

enum { TAKEN_MAX = 200000 };

/* When requests went. */
static int64_t taken[TAKEN_MAX];
static size_t taken_count;

static void take(struct budget *b, int64_t now)
{
	assert_true(taken_count < TAKEN_MAX);
	budget_take(b, now);
	taken[taken_count++] = now;
}

/* The most that any 60,000 ms held, wherever they begin. */
static size_t fullest_minute(void)
{
	size_t most = 0, first = 0;

	for (size_t i = 0; i < taken_count; i++) {
		while (taken[i] - taken[first] >= MINUTE)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	return most;
}

/* How a caller behaves: how long it rests, and how long it then asks. */
static const struct {
	const char *name;
	int64_t rest_max, work_max;
	bool is_patient; /* waits as long as it was told, else asks every few ms */
} patterns[] = {
	{ "greedy", 1, HOUR, true },
	{ "polls", 10 * SECOND, 1, true },
	{ "walks after rests", 2 * MINUTE, 2 * MINUTE, true },
	{ "short walks", 5 * SECOND, 5 * SECOND, true },
	{ "asks all the time", 20 * SECOND, 20 * SECOND, false },
};

static void run_pattern(struct budget *b, size_t pattern, uint64_t seed, int64_t minutes)
{
	struct chance c;
	int64_t now = 0, until;

	chance_seed(&c, seed);
	taken_count = 0;
	while (now < minutes * MINUTE) {
		now += 1 + chance_below(&c, patterns[pattern].rest_max);
		until = now + chance_below(&c, patterns[pattern].work_max);
		until = until < minutes * MINUTE ? until : minutes * MINUTE;
		do {
			enum pass_kind kind = (enum pass_kind)chance_below(&c, PASS_KINDS);
			int64_t wait = budget_wait_ms(b, kind, now);

			if (wait == 0)
				take(b, now);
			else
				now += patterns[pattern].is_patient ? wait
								    : chance_below(&c, 40);
			if (chance_below(&c, 3) == 0)
				budget_charge(b, kind, now);
		} while (now < until);
	}
}

static void any_minute_holds_at_most_the_share(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t n = 0; n < ARRAY_LEN(patterns); n++) {
			struct budget b;

			if (sizes[i].allowed > 1000)
				continue;
			open_budget(&b, sizes[i].share, sizes[i].limit, 0);
			run_pattern(&b, n, 1 + i * 10 + n, 30);
			if (fullest_minute() > (size_t)sizes[i].allowed)
				fail_msg("%s, %jd allowed: %zu", patterns[n].name,
					 (intmax_t)sizes[i].allowed, fullest_minute());
		}
}

static void the_share_is_used_where_it_is_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct budget b;
		size_t allowed = (size_t)sizes[i].allowed;

		if (allowed > 1000)
			continue;
		open_budget(&b, sizes[i].share, sizes[i].limit, 0);
		run_pattern(&b, 0, 1, 30);
		assert_true(fullest_minute() + 1 >= allowed);
		assert_true((int64_t)taken_count >= 30 * refill_of(sizes[i].allowed));
	}
}

static void when_the_limit_moves_no_minute_holds_more_than_its_largest(void **state)
{
	(void)state;
	static const int64_t limits[] = { 10, 400, 60, 1, 400, 2, 399 };

	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct chance c;
		struct budget b;
		int64_t now = 0;

		chance_seed(&c, seed);
		open_budget(&b, 1, 400, 0);
		taken_count = 0;
		while (now < 30 * MINUTE) {
			int64_t wait = budget_wait_ms(&b, PASS_HEAD, now);

			if (wait == 0)
				take(&b, now);
			now += chance_below(&c, wait + 2);
			if (chance_below(&c, 20) == 0)
				say_limit(&b, limits[chance_below(&c, ARRAY_LEN(limits))], now);
		}
		assert_true(fullest_minute() <= 400);
	}
}

/* Those of the 60,000 ms that end with the newest. */
static size_t newest_minute(void)
{
	size_t first = taken_count;

	while (first > 0 && taken[taken_count - 1] - taken[first - 1] < MINUTE)
		first--;
	return taken_count - first;
}

/* As when the first answers are cut: nobody knew better than the default when those went. */
static void what_went_before_the_limit_fell_counts_against_it(void **state)
{
	(void)state;
	static const int64_t limits[] = { 60, 8, 400 };

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct chance c;
		struct budget b;
		int64_t now = 0;

		chance_seed(&c, seed);
		now = chance_below(&c, HOUR);
		budget_init(&b, 0.5, now);
		taken_count = 0;
		for (int64_t n = 1 + chance_below(&c, 130); n > 0; n--) {
			now += chance_below(&c, seed % 2 == 0 ? 20 : 2 * SECOND);
			take(&b, now += budget_wait_ms(&b, PASS_HEAD, now));
		}
		say_limit(&b, limits[chance_below(&c, ARRAY_LEN(limits))], now);
		for (int n = 0; n < 500; n++) {
			int64_t wait = budget_wait_ms(&b, PASS_HEAD, now);

			assert_true(wait <= MINUTE + 30 * SECOND);
			take(&b, now += wait);
			assert_true(newest_minute() <= (size_t)budget_allowed(&b));
		}
	}
}

/* A reload tells the same share again, and the server another limit now and then. */
static void what_went_is_counted_once(void **state)
{
	(void)state;
	struct budget b;
	int64_t now = 10 * MINUTE;

	open_budget(&b, 0.5, 60, now); /* 7 at once, 23 a minute */
	for (int n = 0; n < 100; n++) {
		int64_t wait = budget_wait_ms(&b, PASS_HEAD, now);

		/* One came back within a second, which is counted at its end. */
		assert_true(wait <= MINUTE / 23 + SECOND + 1);
		budget_take(&b, now += wait);
		budget_share(&b, 0.5, now);
		say_limit(&b, 60 + n % 2, now);
	}
}

static void a_long_walk_is_spread_evenly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct budget b;
		int64_t burst = burst_of(sizes[i].allowed),
			refill = refill_of(sizes[i].allowed);
		int64_t step = (MINUTE + refill - 1) / refill, now = 10 * MINUTE;

		open_budget(&b, sizes[i].share, sizes[i].limit, 0);
		for (int64_t page = 0; page < 3000; page++) {
			int64_t wait = budget_wait_ms(&b, PASS_FULL, now);

			assert_true(page < burst ? wait == 0 : wait <= step);
			now += wait;
			budget_take(&b, now);
			budget_charge(&b, PASS_FULL, now);
		}
		int64_t took = now - 10 * MINUTE, even = (3000 - burst) * MINUTE / refill;

		assert_true(3000 <= burst ? took == 0
					  : took >= even - step && took <= even + step);
	}
}

static void tokens_that_go_unasked_are_paid_for_by_what_follows(void **state)
{
	(void)state;
	struct budget b;

	open_budget(&b, 1, 8, 0); /* 2 at once, 6 a minute */
	for (int i = 0; i < 4; i++)
		budget_take(&b, 0);
	assert_int_equal(budget_wait_ms(&b, PASS_HEAD, 0), 3 * 10 * SECOND);
	/* A minute's worth is all that is owed. */
	for (int i = 0; i < 100; i++)
		budget_take(&b, 0);
	assert_int_equal(budget_wait_ms(&b, PASS_HEAD, 0), 7 * 10 * SECOND);
}

/* ---- parts ---- */

static void a_sweep_that_cost_more_than_its_part_makes_the_next_begin_later(void **state)
{
	(void)state;
	static const struct {
		enum pass_kind kind;
		int pages;
		int64_t wait;
	} table[] = {
		/* 600 allowed: 300 a minute for heads, 200 for sweeps, 300 for full passes, a
		 * quarter of that after a rest */
		{ PASS_HEAD, 75, 0 },
		{ PASS_HEAD, 76, 200 },
		{ PASS_HEAD, 375, MINUTE },
		{ PASS_HEAD, 675, 2 * MINUTE },
		{ PASS_HEAD, 5000, 2 * MINUTE },
		{ PASS_SWEEP, 50, 0 },
		{ PASS_SWEEP, 51, 300 },
		{ PASS_SWEEP, 250, MINUTE },
		{ PASS_SWEEP, 450, 2 * MINUTE },
		{ PASS_SWEEP, 451, 2 * MINUTE },
		{ PASS_FULL, 75, 0 },
		{ PASS_FULL, 76, 200 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct budget b;

		open_budget(&b, 0.6, 1000, 0);
		for (int page = 0; page < table[i].pages; page++) {
			/* Its own pages are never held back. */
			assert_int_equal(budget_wait_ms(&b, table[i].kind, 0), 0);
			budget_charge(&b, table[i].kind, 0);
		}
		for (int kind = 0; kind < PASS_KINDS; kind++)
			assert_int_equal(budget_begin_wait_ms(&b, (enum pass_kind)kind, 0),
					 kind == (int)table[i].kind ? table[i].wait : 0);
		assert_int_equal(budget_begin_wait_ms(&b, table[i].kind, table[i].wait), 0);
	}
}

static void a_page_with_news_costs_its_part_nothing(void **state)
{
	(void)state;
	struct budget b;
	int64_t now = 0;

	open_budget(&b, 0.5, 1000, 0);
	for (int page = 0; page < 1000; page++) {
		now += budget_wait_ms(&b, PASS_FULL, now);
		budget_take(&b, now);
	}
	assert_int_equal(budget_begin_wait_ms(&b, PASS_FULL, now), 0);
}

/* A lane that walks passes of so many pages without news, each a while after the last began. */
struct walker {
	int64_t every;
	int pages;
	/* How it went. */
	int64_t next_at, left, begun, taken;
};

static void step(struct budget *b, struct walker *w, enum pass_kind kind, int64_t now)
{
	if (w->pages == 0)
		return;
	if (w->left == 0 && now >= w->next_at && budget_begin_wait_ms(b, kind, now) == 0) {
		w->left = w->pages;
		w->next_at = now + w->every;
		w->begun++;
	}
	if (w->left == 0 || budget_wait_ms(b, kind, now) > 0)
		return;
	take(b, now);
	budget_charge(b, kind, now);
	w->left--;
	w->taken++;
}

/* Heads first, as the pump does. */
static void walk_all(struct budget *b, struct walker lanes[PASS_KINDS], int64_t minutes)
{
	taken_count = 0;
	for (int64_t now = 0; now < minutes * MINUTE; now += 50)
		for (int kind = 0; kind < PASS_KINDS; kind++)
			step(b, &lanes[kind], (enum pass_kind)kind, now);
	assert_true(fullest_minute() <= (size_t)budget_allowed(b));
}

static void with_one_request_a_minute_each_kind_still_begins(void **state)
{
	(void)state;
	struct walker lanes[PASS_KINDS] = { [PASS_HEAD] = { .every = 5 * SECOND, .pages = 1 },
					    [PASS_SWEEP] = { .every = MINUTE, .pages = 2 },
					    [PASS_FULL] = { .every = MINUTE, .pages = 3 } };
	struct budget b;

	open_budget(&b, 0.001, 1000, 0);
	walk_all(&b, lanes, 240);
	for (int kind = 0; kind < PASS_KINDS; kind++)
		assert_true(lanes[kind].begun >= 10);
	assert_true(lanes[PASS_HEAD].begun >= 100);
}

static void no_kind_takes_much_more_than_its_part(void **state)
{
	(void)state;
	static const int64_t part[PASS_KINDS] = { 2, 3, 2 };
	static const int costs[] = { 1, 2, 7, 50, 200, 400 };

	for (size_t i = 0; i < ARRAY_LEN(costs); i++)
		for (int kind = 0; kind < PASS_KINDS; kind++) {
			struct walker lanes[PASS_KINDS] = { { .pages = 0 } };
			struct budget b;

			open_budget(&b, 0.6, 1000, 0);
			lanes[kind].pages = costs[i];
			walk_all(&b, lanes, 30);
			int64_t share = 30 * 600 / part[kind];

			/* 50 ms a page is as fast as they go here; one pass more at the end. */
			assert_true(lanes[kind].taken <= share + share / 100 + 75 + costs[i]);
			assert_true(lanes[kind].taken >= share * 9 / 10 - costs[i]);
		}
}

static void sweeps_and_full_passes_without_end_leave_heads_their_pace(void **state)
{
	(void)state;
	struct walker lanes[PASS_KINDS] = { [PASS_HEAD] = { .every = 5 * SECOND, .pages = 1 },
					    [PASS_SWEEP] = { .pages = 300 },
					    [PASS_FULL] = { .pages = 100000 } };
	struct budget b;

	open_budget(&b, 0.5, 1000, 0);
	walk_all(&b, lanes, 30);
	assert_true(lanes[PASS_HEAD].begun >= 355); /* of 360 */
	assert_true(lanes[PASS_SWEEP].begun >= 5);
	assert_true(lanes[PASS_FULL].taken >= 30 * 100);
}

/* ---- what was used ---- */

static void used_counts_the_last_minute(void **state)
{
	(void)state;
	static const struct {
		int64_t at;
		int take;
		size_t used;
	} steps[] = {
		{ 0, 3, 3 },
		{ 999, 1, 4 },
		{ 30000, 2, 6 },
		{ 59999, 0, 6 },
		/* by whole seconds: those of the first are gone */
		{ 60000, 0, 2 },
		{ 60000, 5, 7 },
		{ 89999, 0, 7 },
		{ 90000, 0, 5 },
		{ 119999, 0, 5 },
		{ 120000, 0, 0 },
		{ 200000, 1, 1 },
		{ 200000 + YEAR, 0, 0 },
		{ 200000 + YEAR, 2, 2 },
		/* a clock that jumps back: still counted, gone a minute later */
		{ 1000, 1, 3 },
		{ 61000, 0, 0 },
	};
	struct budget b;

	budget_init(&b, 1, 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		for (int n = 0; n < steps[i].take; n++)
			budget_take(&b, steps[i].at);
		assert_int_equal(budget_used(&b, steps[i].at), steps[i].used);
	}
}

static void used_is_never_more_than_is_allowed(void **state)
{
	(void)state;
	struct budget b;
	int64_t now = 12345;

	open_budget(&b, 0.5, 200, now);
	for (int i = 0; i < 2000; i++) {
		now += budget_wait_ms(&b, PASS_HEAD, now);
		budget_take(&b, now);
		assert_true(budget_used(&b, now) <= 100);
	}
	assert_true(budget_used(&b, now) >= 70);
}

/* ---- clocks ---- */

static void a_clock_that_jumps_leaves_no_wait_longer_than_its_own(void **state)
{
	(void)state;
	static const int64_t jumps[] = { 1,  MINUTE,  HOUR,  100 * YEAR,
					 -1, -MINUTE, -HOUR, -100 * YEAR };

	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		struct budget b;
		int64_t now = 200 * YEAR;

		open_budget(&b, 1, 60, now); /* 15 at once, 45 a minute */
		taken_count = 0;
		for (int n = 0; n < 60; n++) {
			budget_take(&b, now);
			budget_charge(&b, PASS_SWEEP, now);
		}
		now += jumps[i];
		for (int kind = 0; kind < PASS_KINDS; kind++) {
			assert_true(budget_wait_ms(&b, (enum pass_kind)kind, now) <=
				    46 * MINUTE / 45 + 1);
			assert_true(budget_begin_wait_ms(&b, (enum pass_kind)kind, now) <=
				    2 * MINUTE);
		}
		for (int n = 0; n < 200; n++) {
			now += budget_wait_ms(&b, PASS_HEAD, now);
			take(&b, now);
		}
		assert_true(fullest_minute() <= 60);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allowed_is_the_share_in_whole_requests),
		cmocka_unit_test(any_minute_holds_at_most_the_share),
		cmocka_unit_test(the_share_is_used_where_it_is_wanted),
		cmocka_unit_test(when_the_limit_moves_no_minute_holds_more_than_its_largest),
		cmocka_unit_test(what_went_before_the_limit_fell_counts_against_it),
		cmocka_unit_test(what_went_is_counted_once),
		cmocka_unit_test(a_long_walk_is_spread_evenly),
		cmocka_unit_test(tokens_that_go_unasked_are_paid_for_by_what_follows),
		cmocka_unit_test(
			a_sweep_that_cost_more_than_its_part_makes_the_next_begin_later),
		cmocka_unit_test(a_page_with_news_costs_its_part_nothing),
		cmocka_unit_test(with_one_request_a_minute_each_kind_still_begins),
		cmocka_unit_test(no_kind_takes_much_more_than_its_part),
		cmocka_unit_test(sweeps_and_full_passes_without_end_leave_heads_their_pace),
		cmocka_unit_test(used_counts_the_last_minute),
		cmocka_unit_test(used_is_never_more_than_is_allowed),
		cmocka_unit_test(a_clock_that_jumps_leaves_no_wait_longer_than_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
