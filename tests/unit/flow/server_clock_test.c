/* The API's clock: one wrong Date moves nothing, a step that lasts is believed. */
#include "flow/server_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static const int64_t wall = 1764000000000, steady = 5000000;

struct answer {
	bool has_date;
	int64_t ahead_ms; /* its Date, of our wall clock */
};

static void hear(struct server_clock *c, const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t passed = (int64_t)i * 5000;
		int64_t date = answers[i].has_date ? wall + passed + answers[i].ahead_ms : 0;

		server_clock_note(c, date, wall + passed, steady + passed);
	}
}

static int64_t ahead(const struct server_clock *c)
{
	return server_clock_at(c, steady) - wall;
}

static void it_is_known_by_answers_that_agree(void **state)
{
	static const struct {
		struct answer answers[6];
		size_t count;
		bool is_known;
		int64_t ahead_ms;
	} table[] = {
		{ { { true, 0 } }, 1, true, 0 },
		{ { { true, 1500 } }, 1, true, 1500 },
		{ { { false, 0 } }, 1, true, 0 },
		/* far off: not at once, and not when it is said only now and then */
		{ { { true, HOUR } }, 1, false, 0 },
		{ { { true, HOUR }, { true, HOUR } }, 2, false, 0 },
		{ { { true, HOUR }, { true, 500 } }, 2, true, 500 },
		{ { { true, HOUR }, { true, HOUR }, { true, HOUR } }, 3, true, HOUR },
		{ { { true, HOUR }, { true, -HOUR }, { true, HOUR } }, 3, false, 0 },
		/* no agreement: ours */
		{ { { true, HOUR },
		    { true, -HOUR },
		    { true, HOUR },
		    { true, -HOUR },
		    { true, HOUR },
		    { true, -HOUR } },
		  6,
		  true,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct server_clock c = { .is_known = false };

		hear(&c, table[i].answers, table[i].count);
		assert_int_equal(c.is_known, table[i].is_known);
		if (c.is_known)
			assert_int_equal(ahead(&c), table[i].ahead_ms);
	}
}

static void once_known_it_moves_by_steps_that_last(void **state)
{
	static const struct {
		struct answer answers[5];
		size_t count;
		int64_t ahead_ms;
	} table[] = {
		{ { { true, MINUTE } }, 1, MINUTE },
		{ { { true, HOUR } }, 1, 0 },
		{ { { true, HOUR }, { true, HOUR }, { true, 0 } }, 3, 0 },
		{ { { true, HOUR }, { true, HOUR }, { true, 0 }, { true, HOUR } }, 4, 0 },
		{ { { true, -HOUR }, { true, -HOUR }, { true, -HOUR } }, 3, -HOUR },
		{ { { true, HOUR }, { false, 0 }, { true, HOUR }, { true, HOUR } }, 4, HOUR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct server_clock c = { .is_known = false };

		server_clock_note(&c, wall, wall, steady);
		hear(&c, table[i].answers, table[i].count);
		assert_int_equal(ahead(&c), table[i].ahead_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_known_by_answers_that_agree),
		cmocka_unit_test(once_known_it_moves_by_steps_that_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
