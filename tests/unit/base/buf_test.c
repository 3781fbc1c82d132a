/* buf.h: nothing passes the bound, everything is whole or absent, and data is always a string. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void assert_buf(const struct buf *b, const char *text, bool overflow)
{
	assert_string_equal(b->data, text);
	assert_int_equal(b->len, strlen(text));
	assert_int_equal(b->overflow, overflow);
	assert_true(b->len <= b->max_len);
}

static void an_empty_buffer_is_an_empty_string(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 10);
	assert_buf(&b, "", false);
	assert_true(buf_add(&b, NULL, 0));
	assert_true(buf_adds(&b, ""));
	assert_true(buf_addf(&b, "%s", ""));
	buf_truncate(&b, 0);
	buf_clear(&b);
	assert_buf(&b, "", false);
	buf_release(&b);
	buf_release(&b);
}

static void what_does_not_fit_is_not_added_at_all(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 5);
	assert_true(buf_adds(&b, "abc"));
	assert_false(buf_adds(&b, "def"));
	assert_buf(&b, "abc", true);
	assert_false(buf_addf(&b, "%d", 123));
	assert_buf(&b, "abc", true);
	assert_true(buf_addf(&b, "%d", 45));
	assert_buf(&b, "abc45", true);
	assert_false(buf_addc(&b, '!'));
	buf_clear(&b);
	assert_buf(&b, "", false);
	assert_true(buf_addf(&b, "%s", "12345"));
	assert_buf(&b, "12345", false);
	buf_release(&b);
}

static void a_bound_of_nothing_takes_nothing(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 0);
	assert_false(buf_addc(&b, 'x'));
	assert_false(buf_addf(&b, "%c", 'x'));
	assert_buf(&b, "", true);
	buf_release(&b);
}

static void it_grows_to_its_bound_and_no_further(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_addc(&b, (char)('a' + i % 26)));
	assert_false(buf_addc(&b, 'z'));
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.room, 1001);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_release(&b);
}

static void a_format_is_printed_whole_whatever_room_there_was(void **state)
{
	(void)state;
	char word[140];

	memset(word, 'w', sizeof(word));
	for (size_t before = 0; before <= 70; before++) {
		for (int len = 0; len < (int)sizeof(word); len++) {
			struct buf b;

			buf_init(&b, 400);
			for (size_t i = 0; i < before; i++)
				buf_addc(&b, '.');
			assert_true(buf_addf(&b, "[%.*s]", len, word));
			assert_int_equal(b.len, before + (size_t)len + 2);
			assert_int_equal(strlen(b.data), b.len);
			assert_int_equal(b.data[before], '[');
			assert_int_equal(b.data[b.len - 1], ']');
			buf_release(&b);
		}
	}
}

static void cutting_keeps_the_beginning(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 100);
	buf_adds(&b, "abcdef");
	buf_truncate(&b, 3);
	assert_buf(&b, "abc", false);
	buf_adds(&b, "X");
	assert_buf(&b, "abcX", false);
	buf_release(&b);
}

static void bytes_are_taken_with_their_nuls(void **state)
{
	(void)state;
	struct buf b;
	size_t len;

	buf_init(&b, 100);
	buf_add(&b, "a\0b", 3);
	char *taken = buf_take(&b, &len);

	assert_int_equal(len, 3);
	assert_memory_equal(taken, "a\0b", 4);
	assert_buf(&b, "", false);
	buf_adds(&b, "more");
	assert_buf(&b, "more", false);
	mem_free(&taken);
	buf_release(&b);
	taken = buf_take(&b, NULL);
	assert_string_equal(taken, "");
	mem_free(&taken);
	assert_int_equal(b.max_len, 100);
}

static void a_writer_may_write_in_place(void **state)
{
	(void)state;
	struct buf b;

	buf_init(&b, 8);
	char *to = buf_space(&b, 8);

	assert_non_null(to);
	memcpy(to, "1234", 4);
	buf_commit(&b, 4);
	assert_buf(&b, "1234", false);
	assert_null(buf_space(&b, 5));
	assert_buf(&b, "1234", true);
	assert_null(buf_space(&b, SIZE_MAX));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_string),
		cmocka_unit_test(what_does_not_fit_is_not_added_at_all),
		cmocka_unit_test(a_bound_of_nothing_takes_nothing),
		cmocka_unit_test(it_grows_to_its_bound_and_no_further),
		cmocka_unit_test(a_format_is_printed_whole_whatever_room_there_was),
		cmocka_unit_test(cutting_keeps_the_beginning),
		cmocka_unit_test(bytes_are_taken_with_their_nuls),
		cmocka_unit_test(a_writer_may_write_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
