/* lists.h and crowd.h: the people, policies, budgets and usage that the API lists. */
#include "desk.h"

#include "sim/people.h"

/* All ids of a list, walked page by page; how many. */
static size_t walk(struct desk *d, const char *list, struct buf *ids)
{
	char *target = mem_printf("%s", list);
	size_t count = 0;

	while (target != NULL) {
		char *cursor;

		assert_int_equal(desk_get(d, target), 200);
		count += desk_ids(d, ids);
		cursor = desk_member(d, "next_cursor");
		mem_free(&target);
		if (cursor != NULL)
			target = mem_printf("%s%ccursor=%s", list,
					    strchr(list, '?') == NULL ? '?' : '&', cursor);
		mem_free(&cursor);
	}
	return count;
}

static void every_list_is_walked_whole_and_the_same_seed_lists_the_same(void **state)
{
	static const struct {
		const char *list;
		size_t count;
	} rows[] = {
		{ "/v1/users?limit=7", 60 },
		{ "/v1/users", 60 },
		{ "/v1/policies?limit=3", 8 },
		{ "/v1/budgets?limit=2", 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf ids[2];
		struct desk d;

		for (int k = 0; k < 2; k++) {
			buf_init(&ids[k], 1 << 16);
			desk_open(&d, (const char *const[]){ "--users", "60", NULL });
			assert_int_equal(walk(&d, rows[i].list, &ids[k]), rows[i].count);
			desk_close(&d);
		}
		assert_string_equal(ids[0].data, ids[1].data);
		buf_release(&ids[0]);
		buf_release(&ids[1]);
	}
}

static void filters_list_those_who_pass_and_count_them(void **state)
{
	static const struct {
		const char *target;
		int status;
		const char *says;
	} rows[] = {
		{ "/v1/users?department=legal&limit=1", 200, "Fatima El-Amin" },
		{ "/v1/users?department=legal&limit=1", 200, "\"total_count\":2}" },
		{ "/v1/users?department=nowhere", 200, "{\"items\":[]," },
		{ "/v1/users?status=suspended", 200, "\"total_count\":0}" },
		{ "/v1/users?status=gone", 400, "active, inactive, suspended" },
		{ "/v1/users?limit=0", 400, "limit" },
		{ "/v1/users?cursor=cur_x", 400, "cursor" },
		{ "/v1/usage?period=yearly", 400, "hourly, daily, weekly, monthly" },
		{ "/v1/usage?start_date=2026-13-01", 400, "start_date must be a date" },
		{ "/v1/usage?start_date=2026-11-25", 400, "after end_date" },
		{ "/v1/usage?start_date=2020-01-01", 400, "at most 366 days" },
		{ "/v1/usage?user_id=nobody", 200, "{\"items\":[]," },
		{ "/v1/usage?model=none", 200, "{\"items\":[]," },
		{ "/v1/budgets/none", 404, "not_found" },
		{ "/v1/budgets/", 404, "not_found" },
		{ "/v1/users/05e70000-0000-4000-8000-000000000001", 404, "not_found" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(desk_get(&d, rows[i].target), rows[i].status);
		desk_has(&d, rows[i].says);
	}
	desk_close(&d);
}

static void a_cursor_of_one_list_is_none_of_another(void **state)
{
	static const char *const others[] = { "/v1/policies?cursor=%s", "/v1/alerts?cursor=%s",
					      "/v1/users?status=active&cursor=%s",
					      "/v1/usage?cursor=%s" };
	struct desk d;
	char *cursor;

	(void)state;
	desk_open(&d, NULL);
	desk_get(&d, "/v1/users?limit=2");
	cursor = desk_member(&d, "next_cursor");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *target =
			mem_printf("%.*s%s", (int)(strlen(others[i]) - 2), others[i], cursor);

		assert_int_equal(desk_get(&d, target), 400);
		mem_free(&target);
	}
	mem_free(&cursor);
	desk_close(&d);
}

static void whom_an_alert_names_is_listed(void **state)
{
	static const struct {
		const char *member;
		const char *group;
		uint32_t count;
	} rows[] = { { "user_id", people_user_group, 24 },
		     { "policy_id", people_policy_group, 8 } };
	struct json *json;
	struct desk d;
	int seen = 0;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "100", NULL });
	desk_get(&d, "/v1/alerts?limit=100");
	json = json_parse(d.answer.body.data, d.answer.body.len, NULL);
	for (const struct json_value *v = json_first(json_get(json_root(json), "items"));
	     v != NULL; v = json_next(v))
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const char *id = json_text(json_get(v, rows[i].member), NULL);
			uint32_t row;

			if (id == NULL)
				continue;
			assert_true(people_row(rows[i].group, id, &row));
			assert_true(row < rows[i].count);
			seen++;
		}
	assert_true(seen > 50);
	json_free(&json);
	desk_close(&d);
}

static void money_of_a_budget_adds_up_in_its_currency(void **state)
{
	struct json *json;
	struct desk d;
	size_t count = 0;

	(void)state;
	desk_open(&d, NULL);
	desk_get(&d, "/v1/budgets");
	json = json_parse(d.answer.body.data, d.answer.body.len, NULL);
	for (const struct json_value *v = json_first(json_get(json_root(json), "items"));
	     v != NULL; v = json_next(v)) {
		static const char *const names[] = { "amount", "spent", "remaining" };
		bool is_yen = strcmp(json_text(json_get(v, "currency"), NULL), "JPY") == 0;
		double values[3];

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			size_t len;
			const char *text = json_text(json_get(v, names[i]), &len);

			assert_true(num_parse_decimal(text, len, &values[i]));
			assert_true((strchr(text, '.') == NULL) == is_yen);
		}
		assert_true(values[0] - values[1] - values[2] < 0.005);
		assert_true(values[0] - values[1] - values[2] > -0.005);
		count++;
	}
	assert_int_equal(count, 6);
	json_free(&json);
	desk_close(&d);
}

/* The sum of a member over all of a list, without its point. */
static int64_t sum_of(struct desk *d, const char *list, const char *member)
{
	char *target = mem_printf("%s", list);
	int64_t sum = 0;

	while (target != NULL) {
		struct json *json;
		const char *cursor;

		assert_int_equal(desk_get(d, target), 200);
		json = json_parse(d->answer.body.data, d->answer.body.len, NULL);
		mem_free(&target);
		for (const struct json_value *v =
			     json_first(json_get(json_root(json), "items"));
		     v != NULL; v = json_next(v)) {
			int64_t value;

			assert_true(json_int(json_get(v, member), &value));
			sum += value;
		}
		cursor = json_text(json_get(json_root(json), "next_cursor"), NULL);
		if (cursor != NULL)
			target = mem_printf("%s&cursor=%s", list, cursor);
		json_free(&json);
	}
	return sum;
}

static void usage_of_hours_days_and_weeks_is_the_same_usage(void **state)
{
	static const char range[] = "start_date=2026-11-09&end_date=2026-11-22&limit=100"
				    "&user_id=05e70000-0000-4000-8000-000000000001";
	static const char *const periods[] = { "hourly", "daily", "weekly", "monthly" };
	static const char *const members[] = { "total_requests", "total_input_tokens",
					       "total_output_tokens" };
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t m = 0; m < ARRAY_LEN(members); m++) {
		int64_t sums[ARRAY_LEN(periods)];

		for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
			char *list = mem_printf("/v1/usage?period=%s&%s", periods[i], range);

			sums[i] = sum_of(&d, list, members[m]);
			mem_free(&list);
			assert_true(sums[i] > 0);
			assert_int_equal(sums[i], sums[0]);
		}
	}
	desk_close(&d);
}

static void users_are_put_in_changed_and_removed_by_hand(void **state)
{
	static const char id[] = "05e70000-0000-4000-8000-000000000001";
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	assert_int_equal(desk_post(&d, "/_sim/users/05e70000-0000-4000-8000-000000000001",
				   "{\"department\":\"legal\",\"name\":\"A \\\"B\\\"\"}"),
			 200);
	desk_has(&d, id);
	desk_get(&d, "/v1/users?department=legal&limit=1");
	desk_has(&d, "A \\\"B\\\"");
	desk_has(&d, "\"total_count\":3}");
	assert_int_equal(desk_post(&d, "/_sim/users", "[{\"id\": \"x\"},{\"id\":\"x\"},7]"),
			 200);
	desk_get(&d, "/v1/users?limit=100");
	desk_has(&d, ",{\"id\": \"x\"},{\"id\":\"x\"},7],");
	desk_has(&d, "\"total_count\":27}");
	assert_int_equal(desk_ask(&d, "DELETE", "/_sim/users/x", NULL), 200);
	desk_has(&d, "{\"removed\":2}");
	assert_int_equal(desk_ask(&d, "DELETE", "/_sim/users/x", NULL), 404);
	desk_get(&d, "/v1/users?limit=100");
	desk_has(&d, "\"total_count\":25}");
	assert_int_equal(desk_post(&d, "/_sim/users", "{}"), 400);
	assert_int_equal(desk_post(&d, "/_sim/budgets/b0d9e700-0000-4000-8000-000000000001",
				   "{\"amount\":1e30,\"currency\":\"XTS\"}"),
			 200);
	desk_get(&d, "/v1/budgets/b0d9e700-0000-4000-8000-000000000001");
	desk_has(&d, "\"amount\":1e30");
	assert_int_equal(desk_ask(&d, "DELETE",
				  "/_sim/policies/90110000-0000-4000-8000-000000000002", NULL),
			 200);
	desk_get(&d, "/v1/policies");
	desk_has(&d, "\"total_count\":7}");
	desk_close(&d);
}

static void a_fault_is_for_the_path_that_it_names(void **state)
{
	static const char *const paths[] = { "/v1/users", "/v1/policies", "/v1/budgets",
					     "/v1/usage" };
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *fault = mem_printf("{\"path\":\"%s\",\"kind\":\"status\",\"status\":403}",
					 paths[i]);

		assert_int_equal(desk_get(&d, paths[i]), 200);
		desk_post(&d, "/_sim/faults", fault);
		assert_int_equal(desk_get(&d, paths[i]), 403);
		desk_has(&d, "\"error\":\"forbidden\"");
		assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
		mem_free(&fault);
	}
	desk_close(&d);
}

static void nobody_asks_without_a_key(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	d.key = NULL;
	assert_int_equal(desk_get(&d, "/v1/users"), 401);
	assert_int_equal(desk_get(&d, "/v1/budgets/x"), 401);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_list_is_walked_whole_and_the_same_seed_lists_the_same),
		cmocka_unit_test(filters_list_those_who_pass_and_count_them),
		cmocka_unit_test(a_cursor_of_one_list_is_none_of_another),
		cmocka_unit_test(whom_an_alert_names_is_listed),
		cmocka_unit_test(money_of_a_budget_adds_up_in_its_currency),
		cmocka_unit_test(usage_of_hours_days_and_weeks_is_the_same_usage),
		cmocka_unit_test(users_are_put_in_changed_and_removed_by_hand),
		cmocka_unit_test(a_fault_is_for_the_path_that_it_names),
		cmocka_unit_test(nobody_asks_without_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
