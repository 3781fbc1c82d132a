/* clock.h: tables of instants and their texts, and of texts that are none. */
#include "base/clock.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define DAWN_2026 INT64_C(1795492800000) /* 2026-11-24T04:00:00Z */

static const struct {
	int64_t at;
	const char *iso;
	const char *iso_ms;
	const char *mail;
} instants[] = {
	{ 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z",
	  "Thu, 01 Jan 1970 00:00:00 +0000" },
	{ INT64_C(1795491956123), "2026-11-24T03:45:56Z", "2026-11-24T03:45:56.123Z",
	  "Tue, 24 Nov 2026 03:45:56 +0000" },
	{ -1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z",
	  "Wed, 31 Dec 1969 23:59:59 +0000" },
	{ INT64_C(951782400000), "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z",
	  "Tue, 29 Feb 2000 00:00:00 +0000" },
	{ INT64_C(1709251199999), "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.999Z",
	  "Thu, 29 Feb 2024 23:59:59 +0000" },
	{ INT64_C(4107542400000), "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000Z",
	  "Mon, 01 Mar 2100 00:00:00 +0000" },
	{ INT64_C(-62167219200000), "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z",
	  "Sat, 01 Jan 0000 00:00:00 +0000" },
	{ INT64_C(-62162035200001), "0000-02-29T23:59:59Z", "0000-02-29T23:59:59.999Z",
	  "Tue, 29 Feb 0000 23:59:59 +0000" },
	{ INT64_C(253402300799999), "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z",
	  "Fri, 31 Dec 9999 23:59:59 +0000" },
};

static void instants_have_their_texts(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_MAX];
	int64_t at;

	for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
		clock_iso(instants[i].at, false, text);
		assert_string_equal(text, instants[i].iso);
		clock_iso(instants[i].at, true, text);
		assert_string_equal(text, instants[i].iso_ms);
		assert_true(clock_parse_iso(text, strlen(text), &at));
		assert_int_equal(at, instants[i].at);
		clock_mail(instants[i].at, text);
		assert_string_equal(text, instants[i].mail);
	}
}

static void years_past_the_calendar_are_clamped(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_MAX];

	clock_iso(INT64_MAX, true, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	clock_iso(INT64_MIN, false, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
	clock_mail(INT64_MIN, text);
	assert_string_equal(text, "Sat, 01 Jan 0000 00:00:00 +0000");
}

/* Every day of 800 years follows the day before, and reads back. */
static void no_day_is_missing(void **state)
{
	(void)state;
	const int64_t day = 86400000;
	char text[CLOCK_TEXT_MAX], before[CLOCK_TEXT_MAX] = "";
	int64_t at = INT64_C(-11676096000000); /* 1600-01-01 */
	int64_t read;

	for (int i = 0; i < 2 * 146097; i++, at += day) {
		clock_iso(at, false, text);
		assert_true(strcmp(before, text) < 0);
		assert_true(clock_parse_iso(text, strlen(text), &read));
		assert_true(read == at);
		memcpy(before, text, sizeof(before));
	}
	assert_string_equal(text, "2399-12-31T00:00:00Z");
}

static void iso_texts_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t at;
	} rows[] = {
		{ "2026-11-24T04:00:00Z", DAWN_2026 },
		{ "2026-11-24t04:00:00z", DAWN_2026 },
		{ "2026-11-24 04:00:00Z", DAWN_2026 },
		{ "2026-11-24T04:00:00.5Z", DAWN_2026 + 500 },
		{ "2026-11-24T04:00:00.12Z", DAWN_2026 + 120 },
		{ "2026-11-24T04:00:00.123456Z", DAWN_2026 + 123 },
		{ "2026-11-24T04:00:00.9999999999999999999999Z", DAWN_2026 + 999 },
		{ "2026-11-24T05:00:00+01:00", DAWN_2026 },
		{ "2026-11-24T05:00:00+0100", DAWN_2026 },
		{ "2026-11-23T23:00:00-05:00", DAWN_2026 },
		{ "2026-11-24T09:45:00.001+05:45", DAWN_2026 + 1 },
		{ "2026-11-24T04:00:00-00:00", DAWN_2026 },
		{ "2026-11-25T03:59:00+23:59", DAWN_2026 },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800000) },
		{ "2017-01-01T00:59:60+01:00", INT64_C(1483228800000) },
		{ "0000-01-01T00:00:00+01:00", INT64_C(-62167222800000) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = -7;

		if (!clock_parse_iso(rows[i].text, strlen(rows[i].text), &at))
			fail_msg("not read: %s", rows[i].text);
		if (at != rows[i].at)
			fail_msg("%s read as %" PRId64, rows[i].text, at);
	}
}

static void other_texts_are_no_iso_time(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"now",
		"2026",
		"2026-11-24",
		"2026-11-24T04:00Z",
		"2026-11-24T04:00:00",
		"2026-11-24T04:00:00.Z",
		"2026-11-24T04:00:00,5Z",
		"2026-11-24T04:00:00.5",
		"2026-11-24T04:00:00ZZ",
		"2026-11-24T04:00:00Z ",
		" 2026-11-24T04:00:00Z",
		"2026-11-24T04:00:00+1:00",
		"2026-11-24T04:00:00+01",
		"2026-11-24T04:00:00+24:00",
		"2026-11-24T04:00:00+01:60",
		"2026-11-24T04:00:00 +01:00",
		"2026-11-24T24:00:00Z",
		"2026-11-24T04:60:00Z",
		"2026-11-24T04:00:61Z",
		"2026-11-24T04:00:60Z",
		"2026-11-24T23:59:60+01:00",
		"2026-00-24T04:00:00Z",
		"2026-13-24T04:00:00Z",
		"2026-11-00T04:00:00Z",
		"2026-11-31T04:00:00Z",
		"2026-02-29T04:00:00Z",
		"1900-02-29T04:00:00Z",
		"2100-02-29T04:00:00Z",
		"26-11-24T04:00:00Z",
		"+2026-11-24T04:00:00Z",
		"12026-11-24T04:00:00Z",
		"2026-1-24T04:00:00Z",
		"2026/11/24T04:00:00Z",
		"2026-11-24X04:00:00Z",
		"20261124T040000Z",
		"2026-11-24T-4:00:00Z",
		"2026-W48-2T04:00:00Z",
		"٢٠٢٦-11-24T04:00:00Z",
		"1795492800",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = -7;

		if (clock_parse_iso(rows[i], strlen(rows[i]), &at) || at != -7)
			fail_msg("read as %" PRId64 ": %s", at, rows[i]);
	}
}

static void a_nul_is_no_part_of_a_time(void **state)
{
	(void)state;
	int64_t at;

	assert_false(clock_parse_iso("2026-11-24T04:00:00Z\0", 21, &at));
	assert_false(clock_parse_iso("2026-11-24\0"
				     "04:00:00Z",
				     20, &at));
	assert_true(clock_parse_iso("2026-11-24T04:00:00Zjunk", 20, &at));
}

/* A text cut anywhere is none; read from memory without a NUL behind it. */
static void a_cut_time_is_none(void **state)
{
	(void)state;
	static const char whole[] = "2026-11-24T05:00:00.25+01:00";
	int64_t at;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *part = malloc(len + 1);

		memcpy(part, whole, len);
		part = realloc(part, len == 0 ? 1 : len);
		assert_false(clock_parse_iso(part, len, &at));
		free(part);
	}
}

static int64_t in_2026(void)
{
	return DAWN_2026;
}

static int64_t in_1994(void)
{
	return INT64_C(784111777000);
}

static void the_three_http_forms_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t at;
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000) },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777000) },
		{ "Sun Nov  6 08:49:37 1994", INT64_C(784111777000) },
		{ "Tue Nov 24 04:00:00 2026", DAWN_2026 },
		{ "Tue, 24 Nov 2026 04:00:00 GMT", DAWN_2026 },
		{ "Mon, 24 Nov 2026 04:00:00 GMT", DAWN_2026 },
		{ "Tuesday, 24-Nov-26 04:00:00 GMT", DAWN_2026 },
		{ "Thu, 29 Feb 2024 23:59:59 GMT", INT64_C(1709251199000) },
		{ "Thursday, 01-Jan-70 00:00:00 GMT", INT64_C(3155760000000) },
		{ "Thursday, 01-Jan-76 00:00:00 GMT", INT64_C(3345062400000) },
		{ "Saturday, 01-Jan-77 00:00:00 GMT", INT64_C(220924800000) },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", INT64_C(1483228800000) },
	};

	clock_use(in_2026, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = -7;

		if (!clock_parse_http(rows[i].text, &at))
			fail_msg("not read: %s", rows[i].text);
		if (at != rows[i].at)
			fail_msg("%s read as %" PRId64, rows[i].text, at);
	}
	clock_use(NULL, NULL);
}

static void a_short_year_is_near_the_present(void **state)
{
	(void)state;
	int64_t at;

	clock_use(in_1994, NULL);
	assert_true(clock_parse_http("Thursday, 01-Jan-70 00:00:00 GMT", &at));
	assert_int_equal(at, 0);
	assert_true(clock_parse_http("Friday, 01-Jan-44 00:00:00 GMT", &at));
	assert_true(at < 0);
	clock_use(NULL, NULL);
}

static void other_texts_are_no_http_date(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"0",
		"120",
		"-1",
		"soon",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"sun, 06 nov 1994 08:49:37 gmt",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sonntag, 06-Nov-94 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Tue, 29 Feb 2026 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  6 08:49:37 1994 GMT",
		"1994-11-06T08:49:37Z",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = -7;

		if (clock_parse_http(rows[i], &at) || at != -7)
			fail_msg("read as %" PRId64 ": %s", at, rows[i]);
	}
}

static void people_read_how_long_ago(void **state)
{
	(void)state;
	static const struct {
		int64_t since;
		const char *text;
	} rows[] = {
		{ 0, "now" },
		{ 999, "now" },
		{ -999, "now" },
		{ 1000, "1 s ago" },
		{ 59999, "59 s ago" },
		{ 60000, "1 min ago" },
		{ 180000, "3 min ago" },
		{ 3599999, "59 min ago" },
		{ 3600000, "1 h ago" },
		{ -7200000, "in 2 h" },
		{ 172799999, "47 h ago" },
		{ 172800000, "2 days ago" },
		{ 4 * INT64_C(86400000), "4 days ago" },
		{ -30 * INT64_C(86400000), "in 30 days" },
	};
	char text[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		clock_ago(DAWN_2026 - rows[i].since, DAWN_2026, text);
		assert_string_equal(text, rows[i].text);
	}
	clock_ago(INT64_MIN, INT64_MAX, text);
	assert_string_equal(text, "106751991167 days ago");
	clock_ago(INT64_MAX, INT64_MIN, text);
	assert_string_equal(text, "in 106751991167 days");
}

static void people_read_how_long(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "0 ms" },
		{ 41, "41 ms" },
		{ 999, "999 ms" },
		{ 1000, "1 s" },
		{ 1500, "1.5 s" },
		{ 5000, "5 s" },
		{ 59999, "59.9 s" },
		{ 60000, "1 min" },
		{ 125000, "2 min 5 s" },
		{ 600000, "10 min" },
		{ 3600000, "1 h" },
		{ 5400000, "1 h 30 min" },
		{ 72 * INT64_C(3600000), "72 h" },
		{ 96 * INT64_C(3600000), "4 days" },
		{ 30 * INT64_C(86400000), "30 days" },
		{ -5000, "-5 s" },
		{ INT64_MAX, "106751991167 days" },
		{ INT64_MIN, "-106751991167 days" },
	};
	char text[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		clock_span(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_test_moves_the_time_by_hand(void **state)
{
	(void)state;
	int64_t steady = clock_steady();

	assert_true(clock_now() > INT64_C(1700000000000));
	clock_use(in_1994, in_2026);
	assert_int_equal(clock_now(), in_1994());
	assert_int_equal(clock_steady(), DAWN_2026);
	clock_use(NULL, NULL);
	assert_true(clock_now() > INT64_C(1700000000000));
	assert_true(clock_steady() >= steady);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants_have_their_texts),
		cmocka_unit_test(years_past_the_calendar_are_clamped),
		cmocka_unit_test(no_day_is_missing),
		cmocka_unit_test(iso_texts_are_read),
		cmocka_unit_test(other_texts_are_no_iso_time),
		cmocka_unit_test(a_nul_is_no_part_of_a_time),
		cmocka_unit_test(a_cut_time_is_none),
		cmocka_unit_test(the_three_http_forms_are_read),
		cmocka_unit_test(a_short_year_is_near_the_present),
		cmocka_unit_test(other_texts_are_no_http_date),
		cmocka_unit_test(people_read_how_long_ago),
		cmocka_unit_test(people_read_how_long),
		cmocka_unit_test(a_test_moves_the_time_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
