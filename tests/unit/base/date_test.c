/* Patterns letter by letter, and zones at the moments when their clocks jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"

static int64_t at(const char *iso)
{
	int64_t at = 0;

	assert_true(clock_parse_iso(iso, strlen(iso), &at));
	return at;
}

static struct zone *zone(const char *name)
{
	struct err err = { "" };
	struct zone *z = zone_new(name, strlen(name), &err);

	if (z == NULL)
		fail_msg("%s (the package tzdata brings zones)", err.text);
	return z;
}

static void expect(const char *pattern, const char *iso, const char *in, const char *wanted)
{
	struct zone *z = in != NULL ? zone(in) : NULL;
	struct err err = { "" };
	struct buf out;

	buf_init(&out, 1000);
	if (!date_pattern(pattern, strlen(pattern), &err))
		fail_msg("%s", err.text);
	assert_true(date_add(&out, pattern, strlen(pattern), at(iso), z));
	assert_string_equal(out.data, wanted);
	buf_release(&out);
	zone_free(&z);
}

static void each_letter_stands_for_its_part(void **state)
{
	static const char morning[] = "2026-11-05T03:04:09.987Z";

	(void)state;
	expect("%Y %y %m %d %e %H %I %M %S", morning, NULL, "2026 26 11 05  5 03 03 04 09");
	expect("%-m %-d %-H %-I %-M %-S", "2026-01-05T15:04:09Z", NULL, "1 5 15 3 4 9");
	expect("%A %a %B %b %p", morning, NULL, "Thursday Thu November Nov AM");
	expect("%I %p", "2026-11-05T00:00:00Z", NULL, "12 AM");
	expect("%I %p", "2026-11-05T12:00:00Z", NULL, "12 PM");
	expect("%F|%T|%R|%%|%s", morning, NULL, "2026-11-05|03:04:09|03:04|%|1793847849");
	expect("%z %Z", morning, NULL, "+0000 UTC");
	expect("%s", "1969-12-31T23:59:59.5Z", NULL, "-1");
	expect("%d. %b, Zürich", morning, NULL, "05. Nov, Zürich");
}

static void a_wrong_pattern_says_why(void **state)
{
	static const struct {
		const char *pattern, *reason;
	} rows[] = {
		{ "", "no date: a pattern needs a %" },
		{ "HH:MM", "no date: a pattern needs a %" },
		{ "%d %Q", "no date has %Q;" },
		{ "%d %", "no date has %;" },
		{ "%-", "no date has %-;" },
		{ "%-a", "no date has %-;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { "" };

		assert_false(date_pattern(rows[i].pattern, strlen(rows[i].pattern), &err));
		if (strncmp(err.text, rows[i].reason, strlen(rows[i].reason)) != 0)
			fail_msg("%s: %s", rows[i].pattern, err.text);
	}
}

static void clocks_jump_where_the_law_says(void **state)
{
	static const struct {
		const char *zone, *at, *wanted;
	} rows[] = {
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 +0100 CET" },
		{ "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 +0200 CEST" },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25 02:59:59 +0200 CEST" },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25 02:00:00 +0100 CET" },
		{ "Europe/Berlin", "2045-07-01T12:00:00Z", "2045-07-01 14:00:00 +0200 CEST" },
		{ "Europe/Berlin", "2045-01-01T12:00:00Z", "2045-01-01 13:00:00 +0100 CET" },
		{ "America/New_York", "2026-03-08T06:59:59Z", "2026-03-08 01:59:59 -0500 EST" },
		{ "America/New_York", "2026-03-08T07:00:00Z", "2026-03-08 03:00:00 -0400 EDT" },
		{ "America/New_York", "2026-11-24T03:45:56Z", "2026-11-23 22:45:56 -0500 EST" },
		{ "Asia/Kolkata", "2026-11-24T20:00:00Z", "2026-11-25 01:30:00 +0530 IST" },
		{ "Australia/Lord_Howe", "2026-12-01T00:00:00Z",
		  "2026-12-01 11:00:00 +1100 +11" },
		{ "Australia/Lord_Howe", "2026-07-01T00:00:00Z",
		  "2026-07-01 10:30:00 +1030 +1030" },
		{ "UTC", "2026-07-01T00:00:00Z", "2026-07-01 00:00:00 +0000 UTC" },
		{ "+02:00", "2026-07-01T00:00:00Z", "2026-07-01 02:00:00 +0200 +02:00" },
		{ "-03:30", "2026-07-01T00:00:00Z", "2026-06-30 20:30:00 -0330 -03:30" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect("%F %T %z %Z", rows[i].at, rows[i].zone, rows[i].wanted);
}

static void a_zone_that_is_none_is_refused(void **state)
{
	static const char *const names[] = {
		"",
		"Europe/Berln",
		"Europe",
		"Europe/",
		"/etc/passwd",
		"../../etc/",
		"Mars/Base",
		"Europe Berlin",
		"../zone1970.tab",
		"berlin",
		"+99:99",
		"zone1970.tab",
		"Europe//Berlin",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = { "" };

		if (zone_new(names[i], strlen(names[i]), &err) != NULL)
			fail_msg("%s is no zone", names[i]);
		assert_non_null(strstr(err.text, "no time zone \""));
		assert_non_null(strstr(err.text, names[i]));
	}
}

/* Without the list of names (a machine's tz database may lack it) nothing is guessed. */
static void a_slip_in_a_zone_is_told_with_the_nearest_one(void **state)
{
	static const struct {
		const char *name, *wanted; /* NULL: no guess */
	} rows[] = {
		{ "Europe/Berln", "Europe/Berlin" },
		{ "Eurpoe/Berlin", "Europe/Berlin" },
		{ "europe/berlin", "Europe/Berlin" },
		{ "Berlin", "Europe/Berlin" },
		{ "new_york", "America/New_York" },
		{ "US/Pacfic", "US/Pacific" }, /* a link */
		{ "PST", NULL },               /* nobody means EST by it */
		{ "Mars/Olympus_Mons", NULL },
		{ "", NULL },
	};

	(void)state;
	if (!file_exists("/usr/share/zoneinfo/tzdata.zi"))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *near = zone_nearest(rows[i].name);
		bool is_right = rows[i].wanted == NULL
					? near == NULL
					: near != NULL && strcmp(near, rows[i].wanted) == 0;

		if (!is_right)
			fail_msg("%s: %s", rows[i].name, near != NULL ? near : "no guess");
		mem_free(&near);
	}
}

static void a_date_that_does_not_fit_says_so(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_false(date_add(&out, "%F", 2, 0, NULL));
	assert_string_equal(out.data, "1970-");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_letter_stands_for_its_part),
		cmocka_unit_test(a_wrong_pattern_says_why),
		cmocka_unit_test(clocks_jump_where_the_law_says),
		cmocka_unit_test(a_zone_that_is_none_is_refused),
		cmocka_unit_test(a_slip_in_a_zone_is_told_with_the_nearest_one),
		cmocka_unit_test(a_date_that_does_not_fit_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
