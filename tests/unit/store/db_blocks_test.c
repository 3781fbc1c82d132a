/* Blocks that SQLite gives back and takes again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/db_blocks.h"

static int keep(void **state)
{
	(void)state;
	db_keep_blocks();
	return sqlite3_initialize();
}

static void a_small_block_is_used_again(void **state)
{
	(void)state;
	void *first = sqlite3_malloc(100);

	sqlite3_free(first);
	void *other = sqlite3_malloc(300);
	void *again = sqlite3_malloc(120); /* as large, rounded up */

	assert_ptr_equal(again, first);
	assert_ptr_not_equal(other, first);
	sqlite3_free(again);
	sqlite3_free(other);
}

static void blocks_in_use_are_apart(void **state)
{
	enum { COUNT = 200 };
	unsigned char *blocks[COUNT];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			size_t size = (size_t)(1 + (i * 37 + round * 11) % 1500);

			blocks[i] = sqlite3_malloc64(size);
			assert_true(sqlite3_msize(blocks[i]) >= size);
			memset(blocks[i], i, size);
		}
		for (int i = 0; i < COUNT; i++) {
			size_t size = (size_t)(1 + (i * 37 + round * 11) % 1500);

			assert_int_equal(blocks[i][0], i);
			assert_int_equal(blocks[i][size - 1], i);
			sqlite3_free(blocks[i]);
		}
	}
}

/* Into its class, into another one, and out of all of them. */
static void a_block_that_grows_keeps_what_it_holds(void **state)
{
	static const int sizes[] = { 10, 60, 65, 1000, 1024, 1025, 5000, 30 };
	char *block = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		block = sqlite3_realloc(block, sizes[i]);
		assert_non_null(block);
		if (i > 0)
			assert_string_equal(block, "alert");
		memcpy(block, "alert", 6);
	}
	sqlite3_free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_block_is_used_again),
		cmocka_unit_test(blocks_in_use_are_apart),
		cmocka_unit_test(a_block_that_grows_keeps_what_it_holds),
	};

	return cmocka_run_group_tests(tests, keep, NULL);
}
