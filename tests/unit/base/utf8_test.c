/* esc.h, the utf8_ calls: what is a character, and where one ends. */
#include "base/esc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *bytes;
	size_t len;
	const char *repaired; /* NULL: valid as it is */
} rows[] = {
	{ "", 0, NULL },
	{ "plain text of more than eight bytes", 35, NULL },
	{ "a\0b", 3, NULL },
	{ "\x7f", 1, NULL },
	{ "\xc2\x80", 2, NULL },         /* U+0080, the first of two bytes */
	{ "\xdf\xbf", 2, NULL },         /* U+07FF, the last */
	{ "\xe0\xa0\x80", 3, NULL },     /* U+0800 */
	{ "\xed\x9f\xbf", 3, NULL },     /* U+D7FF, before the surrogates */
	{ "\xee\x80\x80", 3, NULL },     /* U+E000, behind them */
	{ "\xef\xbf\xbf", 3, NULL },     /* U+FFFF */
	{ "\xf0\x90\x80\x80", 4, NULL }, /* U+10000 */
	{ "\xf4\x8f\xbf\xbf", 4, NULL }, /* U+10FFFF, the last of all */
	{ "\x80", 1, BAD },
	{ "\xbf", 1, BAD },
	{ "\xc0\x80", 2, BAD BAD },                 /* overlong NUL */
	{ "\xc1\xbf", 2, BAD BAD },                 /* overlong U+007F */
	{ "\xe0\x9f\xbf", 3, BAD BAD BAD },         /* overlong U+07FF */
	{ "\xf0\x8f\xbf\xbf", 4, BAD BAD BAD BAD }, /* overlong U+FFFF */
	{ "\xed\xa0\x80", 3, BAD BAD BAD },         /* U+D800 */
	{ "\xed\xbf\xbf", 3, BAD BAD BAD },         /* U+DFFF */
	{ "\xf4\x90\x80\x80", 4, BAD BAD BAD BAD }, /* U+110000 */
	{ "\xf5\x80\x80\x80", 4, BAD BAD BAD BAD },
	{ "\xf8\x88\x80\x80\x80", 5, BAD BAD BAD BAD BAD },
	{ "\xfe\xff", 2, BAD BAD },
	{ "\xc3", 1, BAD },
	{ "\xe2\x82", 2, BAD BAD },
	{ "\xf0\x9f\x98", 3, BAD BAD BAD },
	{ "\xc3z", 2, BAD "z" },
	{ "\xe2\x82z", 3, BAD BAD "z" },
	{ "\xe2\xe2\x82\xac", 4, BAD "€" },
	{ "caf\xe9 au lait, sans UTF-8", 24, "caf" BAD " au lait, sans UTF-8" },
	{ "0123456\xc3\xa4 89abcdef\xff", 19, "0123456ä 89abcdef" BAD },
};

static void characters_are_told_from_bad_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *want = rows[i].repaired == NULL ? rows[i].bytes : rows[i].repaired;
		size_t want_len = rows[i].repaired == NULL ? rows[i].len : strlen(want);
		char *bytes = malloc(rows[i].len == 0 ? 1 : rows[i].len);
		struct buf out;

		memcpy(bytes, rows[i].bytes, rows[i].len);
		buf_init(&out, 1000);
		assert_int_equal(utf8_valid(bytes, rows[i].len), rows[i].repaired == NULL);
		assert_int_equal(utf8_repair(&out, bytes, rows[i].len),
				 rows[i].repaired == NULL);
		assert_int_equal(out.len, want_len);
		assert_memory_equal(out.data, want, want_len);
		assert_true(utf8_valid(out.data, out.len));
		buf_release(&out);
		free(bytes);
	}
}

/* Every code point is written as one character that is valid, and no other number is. */
static void every_code_point_is_one_character(void **state)
{
	(void)state;
	struct buf out;

	buf_init(&out, 8);
	for (uint32_t code = 0; code < 0x110000; code++) {
		bool is_surrogate = code >= 0xd800 && code <= 0xdfff;

		buf_clear(&out);
		assert_true(utf8_add(&out, code));
		assert_int_equal(utf8_len(out.data, out.len), out.len);
		assert_int_equal(strcmp(out.data, BAD) == 0, is_surrogate || code == 0xfffd);
	}
	buf_clear(&out);
	utf8_add(&out, 0x110000);
	utf8_add(&out, UINT32_MAX);
	assert_string_equal(out.data, BAD BAD);
	assert_int_equal(utf8_len("", 0), 0);
	buf_release(&out);
}

static void a_cut_is_between_characters(void **state)
{
	(void)state;
	static const char text[] = "aä€😀b";
	static const size_t ends[] = { 0, 1, 3, 6, 10, 11, 11, 11 };
	size_t len = sizeof(text) - 1;

	for (size_t count = 0; count < ARRAY_LEN(ends); count++)
		assert_int_equal(utf8_cut(text, len, count), ends[count]);
	assert_int_equal(utf8_cut(text, len, SIZE_MAX), len);
	assert_int_equal(utf8_count(text, len), 5);
	assert_int_equal(utf8_count("", 0), 0);
	assert_int_equal(utf8_cut("", 0, 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_told_from_bad_bytes),
		cmocka_unit_test(every_code_point_is_one_character),
		cmocka_unit_test(a_cut_is_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
