/* num.h: tables of texts, what they are worth, and what is said of those that are none. */
#include "base/num.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

typedef bool parse_fn(const char *text, int64_t *value, struct err *err);

struct row {
	const char *text;
	int64_t value;
	const char *says; /* a part of the error; NULL: it is one */
};

static void assert_parses(parse_fn *parse, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = -77;
		struct err err = { "" };
		bool is_one = parse(rows[i].text, &value, &err);

		if (is_one != (rows[i].says == NULL))
			fail_msg("\"%s\": %s", rows[i].text, is_one ? "taken" : err.text);
		assert_int_equal(value, is_one ? rows[i].value : -77);
		if (!is_one && strstr(err.text, rows[i].says) == NULL)
			fail_msg("\"%s\": %s", rows[i].text, err.text);
		assert_int_equal(parse(rows[i].text, &value, NULL), is_one);
	}
}

static void whole_numbers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "0", 0, NULL },
		{ "-0", 0, NULL },
		{ "8", 8, NULL },
		{ "007", 7, NULL },
		{ "-12", -12, NULL },
		{ "2147483648", INT64_C(2147483648), NULL },
		{ "9223372036854775807", INT64_MAX, NULL },
		{ "-9223372036854775807", -INT64_MAX, NULL },
		{ "9223372036854775808", 0, "too large" },
		{ "99999999999999999999999999999", 0, "too large" },
		{ "18446744073709551617", 0, "too large" },
		{ "", 0, "whole number" },
		{ "-", 0, "whole number" },
		{ "+1", 0, "whole number" },
		{ " 1", 0, "whole number" },
		{ "1 ", 0, "whole number" },
		{ "1.0", 0, "whole number" },
		{ "0x10", 0, "whole number" },
		{ "1e3", 0, "whole number" },
		{ "--1", 0, "whole number" },
		{ "١", 0, "whole number" },
	};

	assert_parses(num_parse_int, rows, ARRAY_LEN(rows));
}

static void a_number_is_written_as_it_is_read(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ 10, "10" },
		{ -1, "-1" },
		{ 1790000000123, "1790000000123" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[NUM_TEXT_MAX];

		assert_int_equal(num_text(rows[i].value, text), strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
}

static void durations_have_a_unit(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "250ms", 250, NULL },
		{ "5s", 5000, NULL },
		{ "10m", 600000, NULL },
		{ "24h", 86400000, NULL },
		{ "3d", 259200000, NULL },
		{ "0s", 0, NULL },
		{ "3650d", INT64_C(315360000000), NULL },
		{ "315360000000ms", INT64_C(315360000000), NULL },
		{ "3651d", 0, "longer than 3650d" },
		{ "315360000001ms", 0, "longer than 3650d" },
		{ "106751991168d", 0, "longer than 3650d" },
		{ "213503982335d", 0, "longer than 3650d" },
		{ "99999999999999999999s", 0, "longer than 3650d" },
		{ "5", 0, "\"5\" needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"" },
		{ "0", 0, "needs a unit" },
		{ "5 s", 0, "unknown unit" },
		{ "5S", 0, "unknown unit" },
		{ "5min", 0, "unknown unit" },
		{ "1h30m", 0, "unknown unit" },
		{ "1.5h", 0, "unknown unit" },
		{ "5s ", 0, "unknown unit" },
		{ "", 0, "not a duration" },
		{ "s", 0, "not a duration" },
		{ "-5s", 0, "not a duration" },
		{ " 5s", 0, "not a duration" },
		{ "forever", 0, "not a duration" },
	};

	assert_parses(num_parse_duration, rows, ARRAY_LEN(rows));
}

static void sizes_may_have_a_unit(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "512", 512, NULL },
		{ "512B", 512, NULL },
		{ "0", 0, NULL },
		{ "64KiB", 65536, NULL },
		{ "64MiB", 67108864, NULL },
		{ "1GiB", 1073741824, NULL },
		{ "10kB", 10000, NULL },
		{ "10MB", 10000000, NULL },
		{ "3GB", INT64_C(3000000000), NULL },
		{ "8388607TiB", INT64_C(8388607) << 40, NULL },
		{ "8388608TiB", 0, "too large" },
		{ "9223372036854775808", 0, "too large" },
		{ "16777217TiB", 0, "too large" },
		{ "64K", 0, "unknown unit" },
		{ "64KB", 0, "unknown unit" },
		{ "64mib", 0, "unknown unit" },
		{ "64 MiB", 0, "unknown unit" },
		{ "1.5MiB", 0, "unknown unit" },
		{ "", 0, "not a size" },
		{ "MiB", 0, "not a size" },
		{ "-1", 0, "not a size" },
	};

	assert_parses(num_parse_size, rows, ARRAY_LEN(rows));
}

static void rates_are_a_count_in_a_time(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct rate rate;
		const char *says;
	} rows[] = {
		{ "off", { 0, 0 }, NULL },
		{ "1/s", { 1, 1000 }, NULL },
		{ "120/min", { 120, 60000 }, NULL },
		{ "120/m", { 120, 60000 }, NULL },
		{ "5/10s", { 5, 10000 }, NULL },
		{ "250/day", { 250, 86400000 }, NULL },
		{ "30/h", { 30, 3600000 }, NULL },
		{ "2/500ms", { 2, 500 }, NULL },
		{ "1000000/s", { 1000000, 1000 }, NULL },
		{ "0/s", { 0, 0 }, "use \"off\"" },
		{ "1000001/s", { 0, 0 }, "use \"off\"" },
		{ "99999999999999999999/s", { 0, 0 }, "use \"off\"" },
		{ "1/0s", { 0, 0 }, "not a rate" },
		{ "1/3651d", { 0, 0 }, "not a rate" },
		{ "1/99999999999999999999s", { 0, 0 }, "not a rate" },
		{ "1", { 0, 0 }, "not a rate" },
		{ "1/", { 0, 0 }, "not a rate" },
		{ "1/10", { 0, 0 }, "not a rate" },
		{ "/s", { 0, 0 }, "not a rate" },
		{ "1 / s", { 0, 0 }, "not a rate" },
		{ "-1/s", { 0, 0 }, "not a rate" },
		{ "0.5/s", { 0, 0 }, "not a rate" },
		{ "1/s/s", { 0, 0 }, "not a rate" },
		{ "Off", { 0, 0 }, "not a rate" },
		{ "", { 0, 0 }, "not a rate" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rate rate = { -7, -7 };
		struct err err = { "" };
		bool is_one = num_parse_rate(rows[i].text, &rate, &err);

		if (is_one != (rows[i].says == NULL))
			fail_msg("\"%s\": %s", rows[i].text, is_one ? "taken" : err.text);
		if (!is_one && strstr(err.text, rows[i].says) == NULL)
			fail_msg("\"%s\": %s", rows[i].text, err.text);
		assert_int_equal(rate.count, is_one ? rows[i].rate.count : -7);
		assert_int_equal(rate.per_ms, is_one ? rows[i].rate.per_ms : -7);
	}
}

static void decimals_are_written_as_in_json(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{ "0", 0 },        { "-0", 0 },       { "1", 1 },
		{ "-1.5", -1.5 },  { "0.25", 0.25 },  { "1e3", 1000 },
		{ "25E-2", 0.25 }, { "1.5e+2", 150 }, { "1e-999", 0 },
	};
	static const char *const none[] = {
		"",    "-",   "+1",   ".5",    "5.",     "01",   "-01",   "1e",
		"1e+", "0x1", "1 ",   " 1",    "1,5",    "nan",  "inf",   "1_0",
		"1f",  "--1", "1.e1", "1e999", "-1e999", "1..2", "1e1.5",
	};
	double value = -7;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(num_parse_decimal(rows[i].text, strlen(rows[i].text), &value));
		assert_true(value >= rows[i].value && value <= rows[i].value);
	}
	value = -7;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (num_parse_decimal(none[i], strlen(none[i]), &value))
			fail_msg("taken: %s", none[i]);
	assert_false(num_parse_decimal("1\0", 2, &value));
	assert_true(value < -6);
	assert_true(num_parse_decimal("12345", 2, &value));
	assert_true(value > 11.9 && value < 12.1);
}

static void a_decimal_may_have_any_number_of_digits(void **state)
{
	(void)state;
	char digits[2000];
	double value;

	memset(digits, '3', sizeof(digits));
	digits[1] = '.';
	assert_true(num_parse_decimal(digits, sizeof(digits), &value));
	assert_true(value > 3.3 && value < 3.4);
}

static void a_typo_finds_its_word(void **state)
{
	(void)state;
	static const char *const names[] = { "store", "listen", "templates", "retention",
					     "to",    "cc",     "timeout",   "poll_every",
					     "url",   NULL };
	static const struct {
		const char *word;
		const char *name;
	} rows[] = {
		{ "stor", "store" },
		{ "stroe", "store" },
		{ "Store", "store" },
		{ "sotre", "store" },
		{ "lisetn", "listen" },
		{ "template", "templates" },
		{ "retension", "retention" },
		{ "tiemout", "timeout" },
		{ "pollevery", "poll_every" },
		{ "poll-every", "poll_every" },
		{ "uri", "url" },
		{ "rul", "url" },
		{ "ot", "to" },
		{ "store", "store" },
		{ "xyz", NULL },
		{ "", NULL },
		{ "q", NULL },
		{ "completely", NULL },
		{ "ab", NULL },
	};
	char endless[500];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = num_nearest(rows[i].word, names);

		if ((name == NULL) != (rows[i].name == NULL) ||
		    (name != NULL && strcmp(name, rows[i].name) != 0))
			fail_msg("%s: %s", rows[i].word, name == NULL ? "nothing" : name);
	}
	memset(endless, 's', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_null(num_nearest(endless, names));
	assert_null(num_nearest("store", (const char *const[]){ endless, NULL }));
	assert_null(num_nearest("store", (const char *const[]){ NULL }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(a_number_is_written_as_it_is_read),
		cmocka_unit_test(durations_have_a_unit),
		cmocka_unit_test(sizes_may_have_a_unit),
		cmocka_unit_test(rates_are_a_count_in_a_time),
		cmocka_unit_test(decimals_are_written_as_in_json),
		cmocka_unit_test(a_decimal_may_have_any_number_of_digits),
		cmocka_unit_test(a_typo_finds_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
