/* num_parse_fixed(): decimals as whole numbers of their smallest units. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"

static void numbers_are_read_to_their_last_digit_and_rounded(void **state)
{
	static const struct {
		const char *text;
		int decimals;
		int64_t value;
	} rows[] = {
		{ "0", 2, 0 },
		{ "1", 2, 100 },
		{ "12.5", 2, 1250 },
		{ "0.615", 2, 62 },
		{ "1.005", 2, 101 },
		{ "1.0049999999999999", 2, 100 },
		{ "-1.005", 2, -101 },
		{ "-0", 2, 0 },
		{ "0.004", 2, 0 },
		{ "0.0000000005", 9, 1 },
		{ "0.00000000049", 9, 0 },
		{ "9007199254740993", 0, 9007199254740993 },
		{ "92233720368.547758070", 8, INT64_MAX },
		{ "1e3", 2, 100000 },
		{ "1.5E+2", 0, 150 },
		{ "125e-2", 2, 125 },
		{ "5e-1", 0, 1 },
		{ "4e-1", 0, 0 },
		{ "1e-300", 9, 0 },
		{ "1e-99999", 9, 0 },
		{ "0e99999", 9, 0 },
		{ "99.995", 2, 10000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t value = -1;

		if (!num_parse_fixed(rows[i].text, strlen(rows[i].text), rows[i].decimals,
				     &value) ||
		    value != rows[i].value)
			fail_msg("%s: %lld", rows[i].text, (long long)value);
	}
}

static void what_is_none_or_too_large_is_told(void **state)
{
	static const char *const texts[] = {
		"",    "-",    "+1",      ".5",    "1.",  "1e",
		"1e+", "01",   "1,5",     "1 ",    " 1",  "0x1",
		"NaN", "1e30", "1e99999", "1e1e1", "--1", "92233720368547758.08"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t value = 7;

		if (num_parse_fixed(texts[i], strlen(texts[i]), 2, &value))
			fail_msg("%s: %lld", texts[i], (long long)value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_to_their_last_digit_and_rounded),
		cmocka_unit_test(what_is_none_or_too_large_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
