/* spending.h: one user's day, added up. */
#include "model/spending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* What the items come to, written for a model; the caller frees it. */
static char *spent_on(const char *items, const char *model)
{
	struct json *json = json_parse(items, strlen(items), NULL);
	struct spending s = { 0 };
	struct buf out;
	char *text;

	assert_non_null(json);
	for (const struct json_value *v = json_first(json_root(json)); v != NULL;
	     v = json_next(v))
		spending_add(&s, v, "u1");
	buf_init(&out, 4096);
	spending_write(&s, "u1", "2026-11-24", model, &out);
	text = buf_take(&out, NULL);
	assert_true(json_check(text, strlen(text), NULL));
	spending_release(&s);
	json_free(&json);
	return text;
}

#define ITEM(model, requests, cost)                                                         \
	"{\"user_id\":\"u1\",\"user_email\":\"a@b\",\"model\":" model                       \
	",\"provider\":\"p\",\"total_requests\":" requests                                  \
	",\"total_input_tokens\":10,\"total_output_tokens\":3,\"estimated_cost_usd\":" cost \
	"}"
#define SUM(email, requests, input, output, cost)                               \
	"{\"user_id\":\"u1\",\"user_email\":" email ",\"date\":\"2026-11-24\"," \
	"\"total_requests\":" requests ",\"total_input_tokens\":" input         \
	",\"total_output_tokens\":" output ",\"estimated_cost_usd\":" cost

static void items_are_added_up_and_those_of_others_passed_over(void **state)
{
	static const struct {
		const char *items, *model, *want;
	} rows[] = {
		{ "[]", NULL, SUM("null", "0", "0", "0", "0.00") "}" },
		{ "[" ITEM("\"m\"", "2", "0.1") "," ITEM("\"n\"", "5", "0.2") "]", NULL,
		  SUM("\"a@b\"", "7", "20", "6", "0.30") "}" },
		{ "[" ITEM("\"m\"", "2", "0.105") "," ITEM("\"m\"", "1", "1e-6") "," ITEM(
			  "\"n\"", "5", "0.2") "]",
		  "m",
		  SUM("\"a@b\"", "8", "30", "9",
		      "0.305001") ",\"own\":{\"model\":\"m\",\"provider\":\"p\",\"total_requests\":3,"
				  "\"total_input_tokens\":20,\"total_output_tokens\":6,"
				  "\"estimated_cost_usd\":0.105001}}" },
		{ "[" ITEM("\"m\"", "2", "0.1") "]", "other",
		  SUM("\"a@b\"", "2", "10", "3", "0.10") "}" },
		{ "[" ITEM("null", "2", "0.1") "," ITEM("7", "1", "-0.05") "]", "m",
		  SUM("\"a@b\"", "3", "20", "6", "0.05") "}" },
		{ "[{\"user_id\":\"u2\",\"total_requests\":9},{\"user_id\":null},7,{},"
		  "{\"user_id\":\"u1\",\"total_requests\":null,\"estimated_cost_usd\":\"x\"},"
		  "{\"user_id\":\"u1\",\"total_requests\":1.5,\"estimated_cost_usd\":1e30}]",
		  NULL, SUM("null", "0", "0", "0", "0.00") "}" },
		{ "[" ITEM("\"m\"", "9223372036854775807", "9e9") "," ITEM("\"m\"", "1",
									   "9e9") "]",
		  NULL,
		  SUM("\"a@b\"", "9223372036854775807", "20", "6",
		      "9223372036.854775807") "}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = spent_on(rows[i].items, rows[i].model);

		assert_string_equal(got, rows[i].want);
		mem_free(&got);
	}
}

static void models_beyond_a_hundred_are_in_the_sum_alone(void **state)
{
	struct buf items;
	char *got;

	(void)state;
	buf_init(&items, 1 << 16);
	for (int i = 0; i < 150; i++)
		buf_addf(&items,
			 "%c{\"user_id\":\"u1\",\"model\":\"m%d\",\"total_requests\":1}",
			 i == 0 ? '[' : ',', i);
	buf_addc(&items, ']');
	got = spent_on(items.data, "m99");
	assert_non_null(strstr(got, "\"total_requests\":150,"));
	assert_non_null(strstr(got, "\"own\":{\"model\":\"m99\""));
	mem_free(&got);
	got = spent_on(items.data, "m100");
	assert_null(strstr(got, "own"));
	mem_free(&got);
	buf_release(&items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_added_up_and_those_of_others_passed_over),
		cmocka_unit_test(models_beyond_a_hundred_are_in_the_sum_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
