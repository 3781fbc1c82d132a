/* listing.h: pages of users, policies and budgets, good ones and odd ones. */
#include "model/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

#define LONG_TEXT_LEN 70000

static void what_has_an_id_is_taken_and_the_rest_left_out(void **state)
{
	static const struct {
		const char *items;
		const char *ids;
		size_t left_out;
		const char *why;
	} rows[] = {
		{ "", "", 0, "" },
		{ "{\"id\":\"a\"},{\"id\":\"a\",\"x\":1}", "a,a,", 0, "" },
		{ "{\"id\":\"a\"},{},{\"id\":null},{\"id\":7},{\"id\":\"\"}", "a,", 4,
		  "without an id" },
		{ "null,7,\"x\",[],{\"id\":\"a\"}", "a,", 4, "no object" },
		{ "{\"id\":\"a\\u0000b\"},{\"id\":\"b\"}", "b,", 1, "odd id" },
		{ "{\"id\":\"a\",},{\"id\":\"b\"}", "b,", 1, "" },
		{ "{\"id\":\"a\",\"amount\":1e30,\"spent\":-0.5,\"currency\":\"\xff\"}", "a,",
		  0, "" },
		{ "{\"id\":\"a\",\"name\":null,\"email\":null,\"department\":null}", "a,", 0,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("{\"items\":[%s]}", rows[i].items);
		struct listing l;
		struct buf ids;
		struct err err = { "" };

		if (!listing_read(&l, CONTEXT_USERS, text, strlen(text), &err))
			fail_msg("%s: %s", text, err.text);
		buf_init(&ids, 100);
		for (size_t k = 0; k < l.item_count; k++)
			buf_addf(&ids, "%s,", l.items[k].id);
		assert_string_equal(ids.data, rows[i].ids);
		assert_int_equal(l.left_out, rows[i].left_out);
		if (strstr(l.why, rows[i].why) == NULL)
			fail_msg("\"%s\" does not say %s", l.why, rows[i].why);
		buf_release(&ids);
		listing_release(&l);
		mem_free(&text);
	}
}

static void bytes_are_kept_and_mended_where_they_are_no_text(void **state)
{
	static const struct {
		const char *item, *body;
	} rows[] = {
		{ "{ \"id\" : \"a\", \"n\": 1.50e+1 }", "{ \"id\" : \"a\", \"n\": 1.50e+1 }" },
		{ "{\"id\":\"a\",\"s\":\"\xff\"}", "{\"id\":\"a\",\"s\":\"\xef\xbf\xbd\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("{\"items\":[ %s ]}", rows[i].item);
		struct listing l;

		assert_true(listing_read(&l, CONTEXT_USERS, text, strlen(text), NULL));
		assert_string_equal(l.items[0].body, rows[i].body);
		assert_int_equal(l.items[0].body_len, strlen(rows[i].body));
		listing_release(&l);
		mem_free(&text);
	}
}

static void an_item_that_is_too_large_is_left_out(void **state)
{
	struct listing l;
	struct buf text;

	(void)state;
	buf_init(&text, 2 * LONG_TEXT_LEN);
	buf_adds(&text, "{\"items\":[{\"id\":\"a\",\"x\":\"");
	for (int i = 0; i < LONG_TEXT_LEN; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\"},{\"id\":\"b\"}]}");
	assert_true(listing_read(&l, CONTEXT_USERS, text.data, text.len, NULL));
	assert_int_equal(l.item_count, 1);
	assert_string_equal(l.items[0].id, "b");
	assert_non_null(strstr(l.why, "64 KiB"));
	listing_release(&l);
	buf_release(&text);
}

static void take_text(void *arg, const struct json *item)
{
	size_t len;
	const char *text = json_text(json_get(json_root(item), "s"), &len);

	buf_add((struct buf *)arg, text, len);
	buf_addc((struct buf *)arg, ' ');
}

static void each_object_is_handed_over_and_what_is_none_left_out(void **state)
{
	struct buf list, said;
	struct err err;

	(void)state;
	buf_init(&list, 2 * LONG_TEXT_LEN);
	buf_init(&said, 100);
	buf_adds(&list, "[{\"s\":\"a\"}, 7, {\"s\":,}, [], {\"s\":\"\xff\"}, {\"s\":\"");
	for (int i = 0; i < LONG_TEXT_LEN; i++)
		buf_addc(&list, 'x');
	buf_adds(&list, "\"}, {\"s\":\"b\"}]");
	struct json_span items = { list.data, list.len };

	assert_true(listing_each(items, take_text, &said, &err));
	assert_string_equal(said.data, "a \xef\xbf\xbd b ");
	buf_clear(&said);
	items.len -= 2;
	assert_false(listing_each(items, take_text, &said, &err));
	buf_release(&list);
	buf_release(&said);
}

static void a_budget_has_a_place(void **state)
{
	static const struct {
		const char *department, *place;
	} rows[] = {
		{ "\"Engineering\"", "engineering" },
		{ "\"R&D\"", "r&d" },
		{ "\"ÉTUDES\"", "études" },
		{ "null", "" },
		{ "7", "" },
		{ "\"\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("{\"items\":[{\"id\":\"b\",\"department\":%s}]}",
					rows[i].department);
		struct listing l;

		assert_true(listing_read(&l, CONTEXT_BUDGETS, text, strlen(text), NULL));
		assert_string_equal(l.items[0].place, rows[i].place);
		listing_release(&l);
		assert_true(listing_read(&l, CONTEXT_USERS, text, strlen(text), NULL));
		assert_null(l.items[0].place);
		listing_release(&l);
		mem_free(&text);
	}
}

static void what_is_no_page_is_told(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "no page" },
		{ "<html>", "no page" },
		{ "{\"items\":{}}", "not an array" },
		{ "{\"data\":[]}", "no items" },
		{ "{\"items\":[{\"id\":\"a\"}", "cut" },
		{ "{\"items\":[],\"next_cursor\":7}", "next_cursor" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listing l;
		struct err err = { "" };

		assert_false(listing_read(&l, CONTEXT_USERS, rows[i].text, strlen(rows[i].text),
					  &err));
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void a_page_says_what_follows(void **state)
{
	static const struct {
		const char *more, *cursor;
		bool is_torn;
	} rows[] = {
		{ "", NULL, false },
		{ ",\"next_cursor\":null,\"has_more\":false", NULL, false },
		{ ",\"next_cursor\":\"c\",\"has_more\":true", "c", false },
		{ ",\"next_cursor\":\"c\",\"has_more\":false", "c", false },
		{ ",\"next_cursor\":null,\"has_more\":true", NULL, true },
		{ ",\"next_cursor\":\"\"", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("{\"items\":[]%s}", rows[i].more);
		struct listing l;

		assert_true(listing_read(&l, CONTEXT_USERS, text, strlen(text), NULL));
		assert_int_equal(l.is_torn, rows[i].is_torn);
		if (rows[i].cursor == NULL)
			assert_null(l.next_cursor);
		else
			assert_string_equal(l.next_cursor, rows[i].cursor);
		listing_release(&l);
		mem_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_an_id_is_taken_and_the_rest_left_out),
		cmocka_unit_test(bytes_are_kept_and_mended_where_they_are_no_text),
		cmocka_unit_test(an_item_that_is_too_large_is_left_out),
		cmocka_unit_test(each_object_is_handed_over_and_what_is_none_left_out),
		cmocka_unit_test(a_budget_has_a_place),
		cmocka_unit_test(what_is_no_page_is_told),
		cmocka_unit_test(a_page_says_what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
