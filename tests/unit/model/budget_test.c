/* budget.h: how much is spent, and a table of many. */
#include "model/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void spent_is_in_tenths_of_a_percent(void **state)
{
	static const struct {
		const char *budget;
		int64_t tenths;
	} cases[] = {
		{ "{\"amount\":5000.00,\"spent\":4212.50}", 842 },
		{ "{\"amount\":3,\"spent\":2.9999}",
		  999 }, /* rounded down: not yet all of it */
		{ "{\"amount\":\"200\",\"spent\":\"250.0\"}", 1250 },
		{ "{\"amount\":1,\"spent\":0}", 0 },
		{ "{\"amount\":1,\"spent\":-5}", 0 },
		{ "{\"amount\":1e-9,\"spent\":1e30}", 1000000000 },
		{ "{\"amount\":0,\"spent\":5}", -1 },
		{ "{\"amount\":-5,\"spent\":-7.5}", -1 },
		{ "{\"amount\":null,\"spent\":1}", -1 },
		{ "{\"amount\":1}", -1 },
		{ "{\"amount\":\"much\",\"spent\":1}", -1 },
		{ "{}", -1 },
		{ "[]", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json *j = json_parse(cases[i].budget, strlen(cases[i].budget), NULL);

		assert_non_null(j);
		if (budget_tenths(json_root(j)) != cases[i].tenths)
			fail_msg("%s: %lld", cases[i].budget,
				 (long long)budget_tenths(json_root(j)));
		json_free(&j);
	}
}

static void it_is_written_as_it_came_with_its_percent(void **state)
{
	static const struct {
		const char *budget, *written;
	} cases[] = {
		{ "{\"amount\":5000.00,\"spent\": 4212.50}",
		  "{\"amount\":5000.00,\"spent\": 4212.50,\"percent\":84.2}" },
		{ " {\"amount\":1,\"spent\":2 } ",
		  "{\"amount\":1,\"spent\":2 ,\"percent\":200.0}" },
		{ "{\"amount\":1,\"spent\":1,\"percent\":7}",
		  "{\"amount\":1,\"spent\":1,\"percent\":7}" },
		{ "{\"amount\":0,\"spent\":1}", "{\"amount\":0,\"spent\":1}" },
		{ "{}", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 1000);
		budget_write(&out, cases[i].budget, strlen(cases[i].budget));
		assert_string_equal(out.data, cases[i].written);
		buf_release(&out);
	}
}

static void add(struct budget_list *l, const char *budget)
{
	budget_list_add(l, budget, strlen(budget));
}

static void a_table_has_those_spent_most_first(void **state)
{
	struct budget_list list = { .count = 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	budget_list_write(&list, 3, &out);
	assert_string_equal(out.data, "[]");
	add(&list, "{\"id\":\"odd\"}");
	add(&list, "{\"id\":\"low\",\"amount\":100,\"spent\":1}");
	add(&list, "[1]");
	add(&list, "no JSON");
	add(&list, "{\"id\":\"high\",\"amount\":10,\"spent\":12}");
	add(&list, "{\"id\":\"mid\",\"amount\":1000,\"spent\":500}");
	buf_clear(&out);
	budget_list_write(&list, 10, &out);
	assert_string_equal(out.data,
			    "[{\"id\":\"high\",\"amount\":10,\"spent\":12,\"percent\":120.0},"
			    "{\"id\":\"mid\",\"amount\":1000,\"spent\":500,\"percent\":50.0},"
			    "{\"id\":\"low\",\"amount\":100,\"spent\":1,\"percent\":1.0},"
			    "{\"id\":\"odd\"}]");
	buf_clear(&out);
	budget_list_write(&list, 1, &out);
	assert_string_equal(out.data,
			    "[{\"id\":\"high\",\"amount\":10,\"spent\":12,\"percent\":120.0}]");
	buf_release(&out);
	budget_list_release(&list);
}

static void a_long_table_is_cut_at_the_most(void **state)
{
	struct budget_list list = { .count = 0 };
	struct json *table;
	struct buf out;
	size_t count = 0;

	(void)state;
	buf_init(&out, 1 << 20);
	for (int i = 0; i < 1000; i++) {
		char *budget = mem_printf("{\"amount\":1000,\"spent\":%d}", i * 7 % 1000);

		add(&list, budget);
		mem_free(&budget);
	}
	budget_list_write(&list, 50, &out);
	table = json_parse(out.data, out.len, NULL);
	for (const struct json_value *v = json_first(json_root(table)); v != NULL;
	     v = json_next(v))
		assert_int_equal(budget_tenths(v), 999 - (int)count++);
	assert_int_equal(count, 50);
	json_free(&table);
	buf_release(&out);
	budget_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spent_is_in_tenths_of_a_percent),
		cmocka_unit_test(it_is_written_as_it_came_with_its_percent),
		cmocka_unit_test(a_table_has_those_spent_most_first),
		cmocka_unit_test(a_long_table_is_cut_at_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
