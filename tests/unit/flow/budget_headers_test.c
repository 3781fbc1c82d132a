/* What the server's headers ask for, and what is no header at all: who waits, and how long. */
#include "flow/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define YEAR      (INT64_C(365) * 24 * HOUR)
#define SERVER_AT INT64_C(1800000000000) /* 15 January 2027 08:00:00 by the server */
#define DATE      "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
#define IN_40_S   "X-RateLimit-Reset: 1800000040\r\n"

/* An answer whose arrival our clock puts at `at`. */
static struct reply answer(int status, const char *headers, int64_t at)
{
	return (struct reply){ .status = status, .headers = headers, .at = at };
}

static void note(struct budget *b, const char *headers, int64_t now)
{
	struct reply reply = answer(200, headers, SERVER_AT);

	budget_note(b, &reply, now);
}

static void assert_waits(struct budget *b, int64_t now, int64_t head, int64_t others)
{
	assert_int_equal(budget_wait_ms(b, PASS_HEAD, now), head);
	assert_int_equal(budget_wait_ms(b, PASS_SWEEP, now), others);
	assert_int_equal(budget_wait_ms(b, PASS_FULL, now), others);
}

/* ---- Remaining ---- */

static void when_others_have_used_it_up_heads_go_first(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		int64_t head, others;
	} table[] = {
		/* low is a twentieth of the limit, 1000 until it is said */
		{ "X-RateLimit-Remaining: 51\r\n" DATE IN_40_S, 0, 0 },
		{ "X-RateLimit-Remaining: 50\r\n" DATE IN_40_S, 6 * SECOND, 40 * SECOND },
		{ "X-RateLimit-Remaining: 1\r\n" DATE IN_40_S, 6 * SECOND, 40 * SECOND },
		{ "X-RateLimit-Remaining: 0\r\n" DATE IN_40_S, 40 * SECOND, 40 * SECOND },
		{ "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 6\r\n" DATE IN_40_S, 0, 0 },
		{ "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 5\r\n" DATE IN_40_S,
		  6 * SECOND, 40 * SECOND },
		{ "X-RateLimit-Limit: 19\r\nX-RateLimit-Remaining: 1\r\n" DATE IN_40_S, 0, 0 },
		{ "X-RateLimit-Limit: 19\r\nX-RateLimit-Remaining: 0\r\n" DATE IN_40_S,
		  40 * SECOND, 40 * SECOND },
		/* heads wait no longer than the minute lasts */
		{ "X-RateLimit-Remaining: 9\r\n" DATE "X-RateLimit-Reset: 1800000002\r\n",
		  2 * SECOND, 2 * SECOND },
		/* whatever their case */
		{ "x-ratelimit-remaining:0\r\ndate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
		  "x-ratelimit-reset:  1800000040 \r\n",
		  40 * SECOND, 40 * SECOND },
		/* more than the limit is healthy, too */
		{ "X-RateLimit-Remaining: 9223372036854775807\r\n" DATE IN_40_S, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct budget b;

		budget_init(&b, 1, 0);
		note(&b, table[i].headers, 7000);
		assert_waits(&b, 7000, table[i].head, table[i].others);
		/* Asked again it is the same, and it passes. */
		assert_waits(&b, 7000, table[i].head, table[i].others);
		assert_int_equal(budget_wait_ms(&b, PASS_HEAD, 7000 + table[i].head), 0);
		assert_waits(&b, 7000 + table[i].others, 0, 0);
	}
}

static void reset_is_read_against_the_servers_own_date(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		int64_t others;
	} table[] = {
		{ DATE IN_40_S, 40 * SECOND },
		{ DATE "X-RateLimit-Reset: 1800000001\r\n", SECOND },
		{ DATE "X-RateLimit-Reset: 1800000120\r\n", 120 * SECOND },
		/* what cannot be the end of a minute: six seconds, and the next answer tells */
		{ DATE "X-RateLimit-Reset: 1800000121\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 1800000000\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 1799999990\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 40\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 0\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: -1\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 1800000040000\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 9223372036854775807\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 10000000000000000\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 99999999999999999999999999\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: soon\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset:\r\n", 6 * SECOND },
		{ DATE "X-RateLimit-Reset: 2027-01-15T08:00:40Z\r\n", 6 * SECOND },
		{ DATE, 6 * SECOND },
		{ "Date: yesterday\r\nX-RateLimit-Reset: soon\r\n", 6 * SECOND },
	};
	static const int64_t errors[] = { 0, YEAR, -YEAR, 50 * YEAR, -SERVER_AT };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t n = 0; n < ARRAY_LEN(errors); n++) {
			char headers[256];
			struct budget b;

			snprintf(headers, sizeof(headers), "X-RateLimit-Remaining: 7\r\n%s",
				 table[i].headers);
			struct reply reply = answer(200, headers, SERVER_AT + errors[n]);

			budget_init(&b, 1, 0);
			budget_note(&b, &reply, 5);
			assert_waits(&b, 5,
				     table[i].others < 6 * SECOND ? table[i].others
								  : 6 * SECOND,
				     table[i].others);
		}
}

static void without_a_date_our_clock_stands_in(void **state)
{
	(void)state;
	static const char headers[] = "X-RateLimit-Remaining: 7\r\n" IN_40_S;
	static const struct {
		int64_t error, others;
	} table[] = { { 0, 40 * SECOND },
		      { -30 * SECOND, 70 * SECOND },
		      { 30 * SECOND, 10 * SECOND },
		      { YEAR, 6 * SECOND },
		      { -YEAR, 6 * SECOND } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct reply reply = answer(200, headers, SERVER_AT + table[i].error);
		struct budget b;

		budget_init(&b, 1, 0);
		budget_note(&b, &reply, 0);
		assert_waits(&b, 0, 6 * SECOND, table[i].others);
	}
}

static void a_later_answer_that_is_healthy_ends_the_waiting(void **state)
{
	(void)state;
	struct budget b;

	budget_init(&b, 1, 0);
	note(&b, "X-RateLimit-Remaining: 0\r\n" DATE IN_40_S, 0);
	assert_waits(&b, SECOND, 39 * SECOND, 39 * SECOND);
	note(&b, "X-RateLimit-Remaining: 900\r\n", SECOND);
	assert_waits(&b, SECOND, 0, 0);
	assert_int_equal(b.remaining, 900);
}

static void what_a_later_answer_does_not_say_changes_nothing(void **state)
{
	(void)state;
	static const char *const silent[] = {
		"",
		"Server: x\r\n",
		DATE IN_40_S,
		"X-RateLimit-Remaining:\r\n" DATE IN_40_S,
		"X-RateLimit-Remaining: -1\r\n",
		"X-RateLimit-Remaining: -9223372036854775808\r\n",
		"X-RateLimit-Remaining: 1e3\r\n",
		"X-RateLimit-Remaining: 900.0\r\n",
		"X-RateLimit-Remaining: 900, 900\r\n",
		"X-RateLimit-Remaining: 900;w=60\r\n",
		"X-RateLimit-Remaining: plenty\r\n",
		"X-RateLimit-Remaining: 0x384\r\n",
		"X-RateLimit-Remaining: +900\r\n",
		"X-RateLimit-Remaining: 99999999999999999999\r\n",
		"X-RateLimit-Remaining: 000000000000000000000000000000000000900\r\n",
		"X-RateLimit-Remainings: 900\r\n",
		"RateLimit-Remaining: 900\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		struct budget b;

		budget_init(&b, 1, 0);
		note(&b, "X-RateLimit-Remaining: 7\r\n" DATE IN_40_S, 0);
		note(&b, silent[i], SECOND);
		assert_int_equal(b.remaining, 7);
		assert_waits(&b, SECOND, 5 * SECOND, 39 * SECOND);
	}
}

static void a_limit_that_is_none_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *limit;
		int64_t allowed;
	} table[] = {
		{ "600", 300 },
		{ "1", 1 },
		{ "1000000", 500000 },
		{ "0", 500 },
		{ "1000001", 500 },
		{ "-600", 500 },
		{ "600.0", 500 },
		{ "6e2", 500 },
		{ "", 500 },
		{ "many", 500 },
		{ "600 a minute", 500 },
		{ "600, 600;w=60", 500 },
		{ "99999999999999999999", 500 },
		{ "0000000000000000000000000000000000000000600", 500 },
		{ "9223372036854775807", 500 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char headers[128];
		struct budget b;

		snprintf(headers, sizeof(headers), "X-RateLimit-Limit: %s\r\n", table[i].limit);
		budget_init(&b, 0.5, 0);
		note(&b, headers, 0);
		assert_int_equal(budget_allowed(&b), table[i].allowed);
		assert_waits(&b, 0, 0, 0);
		note(&b, "", 0); /* and silence keeps it */
		assert_int_equal(budget_allowed(&b), table[i].allowed);
	}
}

/* How often others get a request in ten minutes in which heads poll every second that they may,
 * and each answer, a second later, says this. */
static size_t others_in_ten_minutes(const char *remaining, int64_t reset_ahead_s)
{
	struct budget b;
	size_t others = 0, under_way = 0;

	budget_init(&b, 1, 0);
	for (int64_t now = 0; now < 10 * MINUTE; now += SECOND) {
		char headers[200];

		snprintf(headers, sizeof(headers),
			 "X-RateLimit-Remaining: %s\r\nX-RateLimit-Reset: %jd\r\n", remaining,
			 (intmax_t)((SERVER_AT + now) / 1000 + reset_ahead_s));
		struct reply reply = answer(200, headers, SERVER_AT + now);

		for (; under_way > 0; under_way--)
			budget_note(&b, &reply, now);
		for (int kind = 0; kind < PASS_KINDS; kind++) {
			if (budget_wait_ms(&b, (enum pass_kind)kind, now) > 0)
				continue;
			budget_take(&b, now);
			under_way++;
			others += kind != PASS_HEAD;
		}
	}
	return others;
}

static void a_key_that_is_always_used_up_starves_nobody(void **state)
{
	(void)state;
	static const char *const remaining[] = { "0", "7" };

	for (size_t i = 0; i < ARRAY_LEN(remaining); i++) {
		/* A Reset that keeps its distance; one that is nonsense. */
		assert_true(others_in_ten_minutes(remaining[i], 60) >= 18);
		assert_true(others_in_ten_minutes(remaining[i], 10) >= 90);
		assert_true(others_in_ten_minutes(remaining[i], -1) >= 140);
		assert_true(others_in_ten_minutes(remaining[i], YEAR) >= 140);
	}
}

static void an_answer_at_the_very_end_of_a_wait_begins_no_other(void **state)
{
	(void)state;
	static const char low[] = "X-RateLimit-Remaining: 7\r\n" DATE IN_40_S;
	struct budget b;

	budget_init(&b, 1, 0);
	note(&b, low, 0);
	note(&b, low, 39 * SECOND);
	assert_waits(&b, 39 * SECOND, SECOND, SECOND);
	note(&b, low, 40 * SECOND);
	assert_waits(&b, 40 * SECOND, 0, 0);
	note(&b, low, 40 * SECOND + 1);
	assert_waits(&b, 40 * SECOND + 1, 6 * SECOND, 40 * SECOND);
	/* A nearer end is believed, and none at all changes nothing. */
	note(&b, "X-RateLimit-Remaining: 7\r\n", 40 * SECOND + 1);
	assert_waits(&b, 40 * SECOND + 1, 6 * SECOND, 40 * SECOND);
	note(&b, "X-RateLimit-Remaining: 7\r\n" DATE "X-RateLimit-Reset: 1800000010\r\n",
	     41 * SECOND);
	assert_waits(&b, 41 * SECOND, 6 * SECOND, 10 * SECOND);
}

/* ---- 429 ---- */

static void a_429_says_how_long_to_wait(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		int64_t asked;
	} table[] = {
		{ "Retry-After: 30\r\n", 30 * SECOND },
		{ "Retry-After: 30\r\n" DATE IN_40_S, 30 * SECOND },
		{ "Retry-After: 0\r\n" DATE IN_40_S, 0 },
		{ "Retry-After: 1000000000000\r\n", INT64_C(10000000000) * SECOND },
		{ DATE "Retry-After: Fri, 15 Jan 2027 08:00:25 GMT\r\n", 25 * SECOND },
		{ DATE "Retry-After: Friday, 15-Jan-27 08:00:25 GMT\r\n", 25 * SECOND },
		{ DATE "Retry-After: Fri, 15 Jan 2027 07:59:00 GMT\r\n", 0 },
		{ "Retry-After: 1.5\r\n" DATE IN_40_S, 2 * SECOND },
		/* else until its Reset */
		{ DATE IN_40_S, 40 * SECOND },
		{ "Retry-After: soon\r\n" DATE IN_40_S, 40 * SECOND },
		{ "Retry-After: -5\r\n" DATE IN_40_S, 40 * SECOND },
		{ "Retry-After:\r\n" DATE IN_40_S, 40 * SECOND },
		/* nothing that can be believed */
		{ "", -1 },
		{ "Retry-After: soon\r\n", -1 },
		{ "Retry-After: -5\r\n", -1 },
		{ "Retry-After: Fri, 99 Jan 2027 08:00:25 GMT\r\n", -1 },
		{ DATE "X-RateLimit-Reset: 1800000000\r\n", -1 },
		{ DATE "X-RateLimit-Reset: 1800000121\r\n", -1 },
		{ DATE "X-RateLimit-Reset: 40\r\n", -1 },
		{ DATE "X-RateLimit-Reset: soon\r\n", -1 },
		{ DATE "X-RateLimit-Reset: -5\r\n", -1 },
		{ DATE "X-RateLimit-Reset: 1000000000000\r\n", -1 },
	};
	/* Our own clock does not matter. */
	static const int64_t errors[] = { 0, YEAR, -YEAR };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t n = 0; n < ARRAY_LEN(errors); n++) {
			struct reply reply =
				answer(429, table[i].headers, SERVER_AT + errors[n]);

			if (budget_asked_ms(&reply) != table[i].asked)
				fail_msg("%s: %jd", table[i].headers,
					 (intmax_t)budget_asked_ms(&reply));
		}
}

static void without_a_date_a_429_is_read_by_our_clock(void **state)
{
	(void)state;
	struct reply reply =
		answer(429, "Retry-After: Fri, 15 Jan 2027 08:00:25 GMT\r\n", SERVER_AT);

	assert_int_equal(budget_asked_ms(&reply), 25 * SECOND);
	reply.headers = IN_40_S;
	assert_int_equal(budget_asked_ms(&reply), 40 * SECOND);
}

static void every_answer_has_a_reset_and_only_a_429_asks_to_wait_for_it(void **state)
{
	(void)state;
	static const int statuses[] = { 0, 200, 401, 403, 408, 500, 502, 503 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct reply reply = answer(statuses[i], DATE IN_40_S, SERVER_AT);

		assert_int_equal(budget_asked_ms(&reply), -1);
		reply.headers = "Retry-After: 30\r\n" DATE IN_40_S;
		assert_int_equal(budget_asked_ms(&reply), 30 * SECOND);
	}
}

static void a_block_holds_all_and_the_later_of_two_wins(void **state)
{
	(void)state;
	static const struct {
		int64_t blocks[2], wait; /* at 1000 */
	} table[] = {
		{ { 0, 0 }, 0 },
		{ { 1000, 1000 }, 0 },
		{ { 5000, 0 }, 4000 },
		{ { 5000, 3000 }, 4000 },
		{ { 3000, 5000 }, 4000 },
		{ { HOUR, 0 }, HOUR - 1000 },
		/* an hour and its jitter is the longest that anybody can ask for */
		{ { 75 * MINUTE + 1000, 0 }, 75 * MINUTE },
		{ { 75 * MINUTE + 1001, 0 }, 75 * MINUTE },
		{ { YEAR, 0 }, 75 * MINUTE },
		{ { INT64_MAX, HOUR }, 75 * MINUTE },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct budget b;

		budget_init(&b, 1, 0);
		budget_block(&b, table[i].blocks[0]);
		budget_block(&b, table[i].blocks[1]);
		assert_waits(&b, 1000, table[i].wait, table[i].wait);
		if (table[i].wait > 0)
			assert_waits(&b, 1000 + table[i].wait - 1, 1, 1);
		assert_waits(&b, 1000 + table[i].wait, 0, 0);
	}
}

static void the_longest_of_all_reasons_to_wait_counts(void **state)
{
	(void)state;
	struct budget b;

	budget_init(&b, 1, 0);
	note(&b, "X-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: 0\r\n" DATE IN_40_S, 0);
	budget_block(&b, 20 * SECOND);
	assert_waits(&b, 0, 40 * SECOND, 40 * SECOND);
	budget_block(&b, 50 * SECOND);
	assert_waits(&b, 0, 50 * SECOND, 50 * SECOND);
	budget_take(&b, 0);
	assert_waits(&b, 0, MINUTE, MINUTE);
}

/* ---- clocks ---- */

static void a_clock_that_jumps_back_leaves_no_wait_without_end(void **state)
{
	(void)state;
	int64_t now = 10 * YEAR;
	struct budget b;

	budget_init(&b, 1, now);
	note(&b, "X-RateLimit-Remaining: 0\r\n" DATE IN_40_S, now);
	assert_waits(&b, 0, 2 * MINUTE, 2 * MINUTE);
	assert_waits(&b, MINUTE, MINUTE, MINUTE);
	budget_block(&b, now + HOUR);
	assert_waits(&b, MINUTE, 75 * MINUTE, 75 * MINUTE);
	assert_waits(&b, 76 * MINUTE, 0, 0);
}

/* ---- a seeded storm ---- */

/* Whatever it is told, in whatever order: waits have their caps, and all comes back to rest. */
static void no_headers_stop_it_for_good(void **state)
{
	(void)state;
	static const char *const names[] = { "X-RateLimit-Limit", "X-RateLimit-Remaining",
					     "X-RateLimit-Reset", "Date", "Retry-After" };
	static const char *const values[] = { "0",
					      "1",
					      "7",
					      "1000",
					      "1000000",
					      "1800000040",
					      "9223372036854775807",
					      "-1",
					      "",
					      "soon",
					      "1e9",
					      "Fri, 15 Jan 2027 08:00:00 GMT",
					      "Mon, 01 Jan 0000 00:00:00 GMT",
					      "Fri, 31 Dec 9999 23:59:59 GMT" };
	struct chance c;
	struct budget b;
	int64_t now = 0;

	chance_seed(&c, 1);
	budget_init(&b, 0.5, now);
	for (int i = 0; i < 20000; i++) {
		char headers[512] = "";
		size_t len = 0;

		for (size_t n = 0; n < ARRAY_LEN(names); n++)
			len += (size_t)snprintf(headers + len, sizeof(headers) - len,
						"%s: %s\r\n", names[n],
						values[chance_below(&c, ARRAY_LEN(values))]);
		struct reply reply = answer(chance_below(&c, 2) != 0 ? 200 : 429, headers,
					    chance_below(&c, 2) != 0 ? SERVER_AT : 0);

		budget_note(&b, &reply, now);
		assert_true(budget_asked_ms(&reply) >= -1);
		for (int kind = 0; kind < PASS_KINDS; kind++) {
			budget_take(&b, now);
			budget_charge(&b, (enum pass_kind)kind, now);
			assert_in_range(budget_wait_ms(&b, (enum pass_kind)kind, now), 0,
					2 * MINUTE);
			assert_in_range(budget_begin_wait_ms(&b, (enum pass_kind)kind, now), 0,
					6 * MINUTE);
		}
		now += chance_below(&c, 5 * SECOND);
	}
	assert_waits(&b, now + 2 * MINUTE, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_others_have_used_it_up_heads_go_first),
		cmocka_unit_test(reset_is_read_against_the_servers_own_date),
		cmocka_unit_test(without_a_date_our_clock_stands_in),
		cmocka_unit_test(a_later_answer_that_is_healthy_ends_the_waiting),
		cmocka_unit_test(what_a_later_answer_does_not_say_changes_nothing),
		cmocka_unit_test(a_limit_that_is_none_changes_nothing),
		cmocka_unit_test(a_key_that_is_always_used_up_starves_nobody),
		cmocka_unit_test(an_answer_at_the_very_end_of_a_wait_begins_no_other),
		cmocka_unit_test(a_429_says_how_long_to_wait),
		cmocka_unit_test(without_a_date_a_429_is_read_by_our_clock),
		cmocka_unit_test(every_answer_has_a_reset_and_only_a_429_asks_to_wait_for_it),
		cmocka_unit_test(a_block_holds_all_and_the_later_of_two_wins),
		cmocka_unit_test(the_longest_of_all_reasons_to_wait_counts),
		cmocka_unit_test(a_clock_that_jumps_back_leaves_no_wait_without_end),
		cmocka_unit_test(no_headers_stop_it_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
