/* table: columns stand under one another, whatever stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/table.h"

static const struct table_column columns[] = {
	{ .title = "NAME", .max = 6 },
	{ .title = "N", .right = true },
	{ .title = "WHY" },
	{ .title = NULL },
};

struct fixture {
	FILE *out;
	char *data;
	size_t len;
	struct table *table;
};

static void start(struct fixture *f)
{
	*f = (struct fixture){ .data = NULL };
	f->out = open_memstream(&f->data, &f->len);
	f->table = table_new(f->out, columns);
}

static void end(struct fixture *f, const char *expected)
{
	table_free(&f->table);
	fclose(f->out);
	assert_string_equal(f->data, expected);
	free(f->data);
}

static void add(struct fixture *f, const char *name, int64_t n, const char *why)
{
	table_cell(f->table, COLOUR_NONE, name);
	table_int(f->table, n);
	table_cell(f->table, COLOUR_NONE, why);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add(&f, "a", 1, "x");
	add(&f, "éé", 12345, "a longer one");
	table_flush(f.table);
	end(&f, "NAME      N  WHY\n"
		"a         1  x\n"
		"éé    12345  a longer one\n");
}

static void cells_are_cleaned_and_cut(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add(&f, "1234567", 1, "a\n\033[2Jb");
	table_flush(f.table);
	end(&f, "NAME    N  WHY\n"
		"12345…  1  a [2Jb\n");
}

static void no_line_ends_with_blanks(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add(&f, "a", 1, "");
	add(&f, NULL, 2, NULL);
	table_flush(f.table);
	end(&f, "NAME  N  WHY\n"
		"a     1\n"
		"      2\n");
}

static void without_a_row_there_is_no_title(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	table_flush(f.table);
	end(&f, "");
}

static void a_list_in_pieces_has_one_title_and_stays_aligned(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add(&f, "abcdef", 1, "x");
	table_flush(f.table);
	add(&f, "b", 2, "y");
	table_flush(f.table);
	end(&f, "NAME    N  WHY\n"
		"abcdef  1  x\n"
		"b       2  y\n");
}

static void an_instant_is_told_from_now(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	table_at(f.table, 1000000, 1180000);
	table_int(f.table, 0);
	table_at(f.table, 0, 1180000);
	table_flush(f.table);
	end(&f, "NAME    N  WHY\n"
		"3 min…  0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(cells_are_cleaned_and_cut),
		cmocka_unit_test(no_line_ends_with_blanks),
		cmocka_unit_test(without_a_row_there_is_no_title),
		cmocka_unit_test(a_list_in_pieces_has_one_title_and_stays_aligned),
		cmocka_unit_test(an_instant_is_told_from_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
