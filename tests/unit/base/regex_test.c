/* regex.h: whole subjects, UTF-8, and an answer whatever the pattern does. */
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

static void a_pattern_matches_the_whole_subject(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *subject;
		bool matches;
	} rows[] = {
		{ "gpt-4", "gpt-4", true },
		{ "gpt-4", "gpt-4o", false },
		{ "gpt-4", "my gpt-4", false },
		{ "gpt-4.*", "gpt-4o-mini", true },
		{ "a|ab|abc", "abc", true },
		{ "a|b", "ab", false },
		{ "^abc$", "abc", true },
		{ "abc$", "abc\n", false },
		{ "", "", true },
		{ "", "x", false },
		{ ".*", "", true },
		{ ".*over budget.*", "team A\nis over budget\nby 3 %", true },
		{ "(?i)CRITICAL", "critical", true },
		{ "caf.", "café", true },
		{ "caf..", "café", false },
		{ ".", "😀", true },
		{ "[ä-ü]", "ö", true },
		{ "\\d+", "12345", true },
		{ "(x)(?:y)\\1", "xyx", true },
		{ "a\\Qb.c\\E", "ab.c", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { "" };
		struct regex *re = regex_new(rows[i].pattern, &err);
		bool hit_limit = true;

		if (re == NULL)
			fail_msg("%s: %s", rows[i].pattern, err.text);
		if (regex_matches(re, rows[i].subject, strlen(rows[i].subject), &hit_limit) !=
		    rows[i].matches)
			fail_msg("%s and %s", rows[i].pattern, rows[i].subject);
		assert_false(hit_limit);
		regex_free(&re);
		assert_null(re);
	}
}

static void what_does_not_compile_is_said_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *says;
	} rows[] = {
		{ "abc(def", "missing closing parenthesis at offset 7" },
		{ "*", "quantifier does not follow a repeatable item at offset 0" },
		{ "[a", "at offset 2" },
		{ "a{9999999}", "at offset" },
		{ "\\C", "at offset" },
		{ "\xff", "UTF-8 error" },
		{ "(?<", "at offset" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { "" };

		assert_null(regex_new(rows[i].pattern, &err));
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].pattern, err.text);
		assert_null(regex_new(rows[i].pattern, NULL));
	}
}

static void an_endless_pattern_is_refused(void **state)
{
	(void)state;
	char pattern[5001];
	struct err err = { "" };

	memset(pattern, 'a', 5000);
	pattern[5000] = '\0';
	assert_null(regex_new(pattern, &err));
	assert_true(err.text[0] != '\0');
}

/* Backtracks 2^30 ways when left alone. */
static void a_pattern_without_end_counts_as_a_match_and_says_so(void **state)
{
	(void)state;
	static const char subject[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
	struct regex *re = regex_new("(?:a|a?)+b|(a+)+c", NULL);
	bool hit_limit = false;
	int64_t start = clock_steady();

	assert_true(regex_matches(re, subject, sizeof(subject) - 1, &hit_limit));
	assert_true(hit_limit);
	for (int i = 0; i < 200; i++)
		assert_true(regex_matches(re, subject, sizeof(subject) - 1, NULL));
	assert_true(clock_steady() - start < 1500);
	assert_false(regex_matches(re, "no", 2, &hit_limit));
	assert_false(hit_limit);
	regex_free(&re);
}

/* A text that needs more stack than compiled patterns have is still decided, not guessed. */
static void a_long_subject_is_decided(void **state)
{
	(void)state;
	struct regex *re = regex_new("(?:(a)|b)*c", NULL);
	bool hit_limit = true;
	struct buf subject;

	buf_init(&subject, 4000);
	for (int i = 0; i < 3000; i++)
		buf_addc(&subject, i % 2 == 0 ? 'a' : 'b');
	assert_false(regex_matches(re, subject.data, subject.len, &hit_limit));
	assert_false(hit_limit);
	buf_addc(&subject, 'c');
	assert_true(regex_matches(re, subject.data, subject.len, &hit_limit));
	assert_false(hit_limit);
	buf_release(&subject);
	regex_free(&re);
}

static void bad_utf8_never_matches(void **state)
{
	(void)state;
	struct regex *re = regex_new(".*", NULL);
	static const char *const bad[] = { "\xff", "abc\xc3", "\xc0\x80", "\xed\xa0\x80" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool hit_limit = true;

		assert_false(regex_matches(re, bad[i], strlen(bad[i]), &hit_limit));
		assert_false(hit_limit);
	}
	assert_true(regex_matches(re, "a\0b", 3, NULL));
	regex_free(&re);
	regex_free(&re);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_matches_the_whole_subject),
		cmocka_unit_test(what_does_not_compile_is_said_with_its_place),
		cmocka_unit_test(an_endless_pattern_is_refused),
		cmocka_unit_test(a_pattern_without_end_counts_as_a_match_and_says_so),
		cmocka_unit_test(a_long_subject_is_decided),
		cmocka_unit_test(bad_utf8_never_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
