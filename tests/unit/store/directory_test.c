/* directory.h: lists that are mirrored page by page, and what becomes of those who leave them. */
#include "kit.h"

#include "store/directory.h"

static const struct directory_list users = { 1, CONTEXT_USERS };
static const struct directory_list budgets = { 1, CONTEXT_BUDGETS };

/* One page as the API would answer it. */
static size_t put(struct kit *k, struct directory_list of, const char *items,
		  struct bits *listed)
{
	char *text = mem_printf("{\"items\":[%s],\"next_cursor\":null}", items);
	struct listing page;
	size_t changed;

	if (!listing_read(&page, of.kind, text, strlen(text), &k->err))
		fail_msg("%s", k->err.text);
	assert_int_equal(store_directory_page(k->s, of, &page, listed, &changed, &k->err),
			 DIRECTORY_DONE);
	listing_release(&page);
	mem_free(&text);
	return changed;
}

static void end(struct kit *k, struct directory_list of, struct bits *listed)
{
	int64_t from = 0;

	while (store_directory_end(k->s, of, listed, k->now, &from, &k->err) == DIRECTORY_MORE)
		;
	bits_release(listed);
}

static const char *body_of(struct kit *k, struct directory_list of, const char *id,
			   enum directory_known *known)
{
	static char text[200];
	struct buf body;

	buf_init(&body, sizeof(text) - 1);
	assert_true(store_directory_find(k->s, of, id, &body, known, &k->err));
	snprintf(text, sizeof(text), "%s", body.data);
	buf_release(&body);
	return text;
}

static void a_page_writes_what_is_news_and_nothing_else(void **state)
{
	struct kit *k = *state;
	struct bits listed = { 0 };
	enum directory_known known;

	assert_int_equal(put(k, users, "{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\"}", &listed),
			 2);
	assert_int_equal(put(k, users, "{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\"}", &listed),
			 0);
	assert_int_equal(put(k, users, "{\"id\":\"a\",\"name\":\"Z\"}", &listed), 1);
	assert_int_equal(bits_count(&listed), 2);
	assert_string_equal(body_of(k, users, "a", &known), "{\"id\":\"a\",\"name\":\"Z\"}");
	assert_int_equal(known, DIRECTORY_KNOWN);
	bits_release(&listed);
}

static void one_source_and_one_list_know_nothing_of_another(void **state)
{
	static const struct directory_list others[] = { { 2, CONTEXT_USERS },
							{ 1, CONTEXT_POLICIES } };
	struct kit *k = *state;
	struct bits listed = { 0 };
	enum directory_known known;

	put(k, users, "{\"id\":\"a\"}", &listed);
	bits_release(&listed);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_string_equal(body_of(k, others[i], "a", &known), "");
		assert_int_equal(known, DIRECTORY_UNKNOWN);
		end(k, others[i], &listed);
	}
	body_of(k, users, "a", &known);
	assert_int_equal(known, DIRECTORY_KNOWN);
}

static void only_the_end_of_a_pass_says_who_is_gone_and_his_name_stays(void **state)
{
	struct kit *k = *state;
	struct bits listed = { 0 };
	enum directory_known known;
	int64_t at, count;

	put(k, users, "{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	assert_true(store_directory_mirrored(k->s, users, &at, &count, &k->err));
	assert_int_equal(at, k->now);
	assert_int_equal(count, 2);
	/* a pass that is cut short */
	put(k, users, "{\"id\":\"b\"}", &listed);
	bits_release(&listed);
	body_of(k, users, "a", &known);
	assert_int_equal(known, DIRECTORY_KNOWN);
	/* a whole one */
	k->now += 1000;
	put(k, users, "{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	assert_string_equal(body_of(k, users, "a", &known), "{\"id\":\"a\",\"name\":\"A\"}");
	assert_int_equal(known, DIRECTORY_GONE);
	/* back, with the same bytes */
	assert_int_equal(put(k, users, "{\"id\":\"a\",\"name\":\"A\"}", &listed), 1);
	bits_release(&listed);
	body_of(k, users, "a", &known);
	assert_int_equal(known, DIRECTORY_KNOWN);
}

static void who_is_gone_for_long_is_forgotten(void **state)
{
	struct kit *k = *state;
	struct bits listed = { 0 };
	enum directory_known known;

	put(k, users, "{\"id\":\"a\"},{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	put(k, users, "{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	k->now += DIRECTORY_KEEP_MS;
	put(k, users, "{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	body_of(k, users, "a", &known);
	assert_int_equal(known, DIRECTORY_GONE);
	k->now += 1;
	put(k, users, "{\"id\":\"b\"}", &listed);
	end(k, users, &listed);
	body_of(k, users, "a", &known);
	assert_int_equal(known, DIRECTORY_UNKNOWN);
	body_of(k, users, "b", &known);
	assert_int_equal(known, DIRECTORY_KNOWN);
}

static void thousands_leave_in_steps(void **state)
{
	struct kit *k = *state;
	struct bits listed = { 0 };
	int64_t from = 0, steps = 1;

	for (int page = 0; page < 25; page++) {
		struct buf items;

		buf_init(&items, 1 << 16);
		for (int i = 0; i < 100; i++)
			buf_addf(&items, "%s{\"id\":\"u%d\"}", i > 0 ? "," : "",
				 page * 100 + i);
		put(k, users, items.data, &listed);
		buf_release(&items);
	}
	bits_release(&listed);
	while (store_directory_end(k->s, users, &listed, k->now, &from, &k->err) ==
	       DIRECTORY_MORE)
		steps++;
	assert_int_equal(steps, 3);
	assert_int_equal(
		db_number(k->s->db, "SELECT count(*) FROM directory WHERE gone_at IS NULL"), 0);
	assert_int_equal(db_number(k->s->db, "SELECT count(*) FROM v_directory"), 2500);
}

static void an_unknown_id_is_asked_for_once(void **state)
{
	struct kit *k = *state;
	struct bits listed = { 0 };
	enum directory_known known;
	bool is_first;

	store_directory_ask(k->s, users, "x", k->now, &is_first, &k->err);
	assert_true(is_first);
	assert_string_equal(body_of(k, users, "x", &known), "");
	assert_int_equal(known, DIRECTORY_ASKED);
	store_directory_ask(k->s, users, "x", k->now, &is_first, &k->err);
	assert_false(is_first);
	assert_int_equal(db_number(k->s->db, "SELECT count(*) FROM v_directory"), 0);
	put(k, users, "{\"id\":\"x\"}", &listed);
	end(k, users, &listed);
	body_of(k, users, "x", &known);
	assert_int_equal(known, DIRECTORY_KNOWN);
	store_directory_ask(k->s, users, "x", k->now, &is_first, &k->err);
	assert_false(is_first);
}

static void take(void *arg, const char *body, size_t len)
{
	struct buf *all = arg;

	buf_addf(all, "%.*s;", (int)len, body);
}

static void budgets_are_found_by_their_place_while_they_are_listed(void **state)
{
	static const char list[] = "{\"id\":\"1\",\"department\":\"Legal\"},"
				   "{\"id\":\"2\",\"department\":null},"
				   "{\"id\":\"3\",\"department\":\"LEGAL\"},{\"id\":\"4\"}";
	struct kit *k = *state;
	struct bits listed = { 0 };
	struct buf all;

	buf_init(&all, 1000);
	put(k, budgets, list, &listed);
	end(k, budgets, &listed);
	assert_true(store_directory_budgets(k->s, 1, "legal", take, &all, &k->err));
	assert_string_equal(all.data, "{\"id\":\"1\",\"department\":\"Legal\"};"
				      "{\"id\":\"3\",\"department\":\"LEGAL\"};");
	buf_clear(&all);
	assert_true(store_directory_budgets(k->s, 1, "", take, &all, &k->err));
	assert_string_equal(all.data, "{\"id\":\"2\",\"department\":null};{\"id\":\"4\"};");
	put(k, budgets, "{\"id\":\"1\",\"department\":\"Legal\"}", &listed);
	end(k, budgets, &listed);
	buf_clear(&all);
	assert_true(store_directory_budgets(k->s, 1, "", take, &all, &k->err));
	assert_string_equal(all.data, "");
	buf_release(&all);
}

static void all_budgets_of_a_source_are_those_that_are_listed(void **state)
{
	static const struct directory_list others = { 2, CONTEXT_BUDGETS };
	struct kit *k = *state;
	struct bits listed = { 0 };
	struct buf all;

	buf_init(&all, 1000);
	assert_true(store_directory_all_budgets(k->s, 1, take, &all, &k->err));
	assert_string_equal(all.data, "");
	put(k, users, "{\"id\":\"u\",\"department\":\"Legal\"}", &listed);
	end(k, users, &listed);
	put(k, budgets, "{\"id\":\"1\",\"department\":\"Legal\"},{\"id\":\"2\"},{\"id\":\"3\"}",
	    &listed);
	end(k, budgets, &listed);
	put(k, others, "{\"id\":\"4\"}", &listed);
	end(k, others, &listed);
	put(k, budgets, "{\"id\":\"1\",\"department\":\"Legal\"},{\"id\":\"3\"}", &listed);
	end(k, budgets, &listed);
	assert_true(store_directory_all_budgets(k->s, 1, take, &all, &k->err));
	assert_string_equal(all.data,
			    "{\"id\":\"1\",\"department\":\"Legal\"};{\"id\":\"3\"};");
	buf_release(&all);
}

static void rows_are_found_without_a_scan(void **state)
{
	static const enum sql hot[] = { SQL_DIRECTORY_FIND,   SQL_DIRECTORY_BODY,
					SQL_DIRECTORY_STEP,   SQL_DIRECTORY_GO,
					SQL_DIRECTORY_FORGET, SQL_DIRECTORY_BUDGETS,
					SQL_MIRRORED_GET };
	struct kit *k = *state;

	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		struct buf plan;

		buf_init(&plan, 4096);
		db_plan(k->s->db, sql_texts[hot[i]], &plan);
		if (strstr(plan.data, "SCAN") != NULL || strstr(plan.data, "TEMP") != NULL)
			fail_msg("%s: %s", sql_texts[hot[i]], plan.data);
		buf_release(&plan);
	}
}

static void a_store_that_refuses_keeps_what_it_had(void **state)
{
	struct kit *k = *state;
	struct listing page;
	struct bits listed = { 0 };
	size_t changed;
	static const char text[] = "{\"items\":[{\"id\":\"a\"}]}";

	assert_true(listing_read(&page, CONTEXT_USERS, text, strlen(text), &k->err));
	db_refuse(k->s->db, "no more");
	assert_int_equal(store_directory_page(k->s, users, &page, &listed, &changed, &k->err),
			 DIRECTORY_FAILED);
	assert_int_equal(bits_count(&listed), 0);
	db_refuse(k->s->db, "");
	assert_int_equal(store_directory_page(k->s, users, &page, &listed, &changed, &k->err),
			 DIRECTORY_DONE);
	assert_int_equal(bits_count(&listed), 1);
	bits_release(&listed);
	listing_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_page_writes_what_is_news_and_nothing_else),
		STORY(one_source_and_one_list_know_nothing_of_another),
		STORY(only_the_end_of_a_pass_says_who_is_gone_and_his_name_stays),
		STORY(who_is_gone_for_long_is_forgotten),
		STORY(thousands_leave_in_steps),
		STORY(an_unknown_id_is_asked_for_once),
		STORY(budgets_are_found_by_their_place_while_they_are_listed),
		STORY(all_budgets_of_a_source_are_those_that_are_listed),
		STORY(rows_are_found_without_a_scan),
		STORY(a_store_that_refuses_keeps_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
