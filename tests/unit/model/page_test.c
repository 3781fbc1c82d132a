/*
 * What an API may answer, from the documented page to hostile bytes: good items are taken, bad
 * ones set aside with a reason, and what is no page is refused whole.
 */
#include "model/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"

#define TEXT(s) (s), sizeof(s) - 1

static void a_page_is_its_items_and_the_next_cursor(void **state)
{
	struct page p;

	(void)state;
	assert_true(page_read(&p,
			      TEXT("{\"items\":[{\"id\":\"a\",\"n\": 1.0 },\n {\"id\":\"b\"}],"
				   "\"next_cursor\":\"c\\u0041\\/=\",\"has_more\":true,"
				   "\"total_count\":\"many\",\"new\":{}}"),
			      NULL));
	assert_int_equal(p.item_count, 2);
	assert_string_equal(p.items[0].id, "a");
	assert_string_equal(p.items[0].bytes, "{\"id\":\"a\",\"n\": 1.0 }");
	assert_string_equal(p.items[1].bytes, "{\"id\":\"b\"}");
	assert_int_equal(p.reject_count, 0);
	assert_string_equal(p.next_cursor, "cA/=");
	assert_true(p.has_more && p.has_more_known);
	page_release(&p);
	assert_null(p.items);
}

static void the_last_page_has_no_cursor(void **state)
{
	static const struct {
		const char *text, *cursor;
		bool has_more, known;
	} table[] = {
		{ "{\"items\":[],\"next_cursor\":null,\"has_more\":false}", NULL, false, true },
		{ "{\"items\":[]}", NULL, false, false },
		{ "{\"items\":[],\"next_cursor\":\"\",\"has_more\":null}", NULL, false, false },
		/* contradictions are the caller's to judge */
		{ "{\"items\":[],\"next_cursor\":null,\"has_more\":true}", NULL, true, true },
		{ "{\"items\":[],\"next_cursor\":\"x\",\"has_more\":false}", "x", false, true },
		/* of two equal keys the first wins */
		{ "{\"items\":[],\"next_cursor\":\"x\",\"items\":7,\"next_cursor\":8}", "x",
		  false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct page p;

		assert_true(page_read(&p, table[i].text, strlen(table[i].text), NULL));
		assert_int_equal(p.item_count + p.reject_count, 0);
		if (table[i].cursor == NULL)
			assert_null(p.next_cursor);
		else
			assert_string_equal(p.next_cursor, table[i].cursor);
		assert_true(p.has_more == table[i].has_more);
		assert_true(p.has_more_known == table[i].known);
		page_release(&p);
	}
}

static void a_count_that_is_none_is_not_known_and_no_error(void **state)
{
	static const struct {
		const char *member;
		int64_t total;
	} table[] = {
		{ "", -1 },
		{ ",\"total_count\":0", 0 },
		{ ",\"total_count\": 1234567 ", 1234567 },
		{ ",\"total_count\":1e6", 1000000 },
		{ ",\"total_count\":25.0", 25 },
		{ ",\"total_count\":9223372036854775807", INT64_MAX },
		{ ",\"total_count\":9223372036854775808", -1 },
		{ ",\"total_count\":-0", 0 },
		{ ",\"total_count\":-1", -1 },
		{ ",\"total_count\":-9223372036854775808", -1 },
		{ ",\"total_count\":2.5", -1 },
		{ ",\"total_count\":1e999", -1 },
		{ ",\"total_count\":null", -1 },
		{ ",\"total_count\":true", -1 },
		{ ",\"total_count\":\"12\"", -1 },
		{ ",\"total_count\":\"\xff\"", -1 },
		{ ",\"total_count\":[12]", -1 },
		{ ",\"total_count\":{\"value\":12}", -1 },
		{ ",\"total_count\":~12", -1 },
		{ ",\"total_count\":12 13", -1 },
		{ ",\"total_count\":012", -1 },
		{ ",\"total_count\":", -1 },
		{ ",\"total_count\":1.0000000000000000000000000000000000000", 1 },
		{ ",\"total_count\":1.000000000000000000000000000000000000000", -1 },
		/* of two equal keys the first wins */
		{ ",\"total_count\":5,\"total_count\":6", 5 },
		{ ",\"total_count\":\"many\",\"total_count\":6", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char *text = mem_printf("{\"items\":[{\"id\":\"a\"}]%s}", table[i].member);
		struct page p;

		assert_true(page_read(&p, text, strlen(text), NULL));
		assert_int_equal(p.item_count, 1);
		if (p.total_count != table[i].total)
			fail_msg("%s is %jd", table[i].member, (intmax_t)p.total_count);
		page_release(&p);
		mem_free(&text);
	}
}

static void what_is_no_page_is_refused(void **state)
{
	static const struct {
		const char *text, *reason;
	} table[] = {
		{ "", "not a JSON object or array" },
		{ "<html><body>502 Bad Gateway</body></html>", "not a JSON object or array" },
		{ "\x1f\x8b\x08garbage", "not a JSON object or array" },
		{ "null", "not a JSON object or array" },
		{ "{\"items\":[{\"id\":\"a\"},{\"id\":\"b",
		  "cut: the text ends inside a member" },
		{ "{\"items\":[{\"id\":\"a\"}]", "cut: the text ends inside a member" },
		{ "{\"items\":[{\"id\":\"a\"}],", "a member without a key" },
		{ "{\"items\":[{\"id\":\"a\"}],\"next", "the text ends in a key" },
		{ "{\"items\":[]}{\"items\":[]}", "more after the end" },
		{ "[]", "no items" },
		{ "[{\"id\":\"a\"}]", "no items" },
		{ "{}", "no items" },
		{ "{\"error\":\"unauthorized\"}", "no items" },
		{ "{\"items\":null}", "items is not an array" },
		{ "{\"items\":{}}", "items is not an array" },
		{ "{\"items\":\"[]\"}", "items is not an array" },
		{ "{\"items\":}", "items is not an array" },
		{ "{\"items\":[]]}", "brackets that do not match" },
		{ "{\"items\":[][]}", "items: more after the end" },
		{ "{\"items\":[],\"next_cursor\":7}",
		  "next_cursor is neither a string nor null" },
		{ "{\"items\":[],\"next_cursor\":{}}",
		  "next_cursor is neither a string nor null" },
		{ "{\"items\":[],\"next_cursor\":\"a\\u0000b\"}", "next_cursor holds a NUL" },
		{ "{\"items\":[],\"next_cursor\":\"\xff\"}",
		  "next_cursor: not JSON at byte 1: invalid UTF-8" },
		{ "{\"items\":[],\"next_cursor\":abc}",
		  "next_cursor: not JSON at byte 0: value expected" },
		{ "{\"items\":[],\"has_more\":1}", "has_more is neither true nor false" },
		{ "{\"items\":[],\"has_more\":\"true\"}",
		  "has_more is neither true nor false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char expect[200];
		struct err err = { "" };
		struct page p;

		snprintf(expect, sizeof(expect), "no page of alerts: %s", table[i].reason);
		if (page_read(&p, table[i].text, strlen(table[i].text), &err))
			fail_msg("taken: %s", table[i].text);
		assert_string_equal(err.text, expect);
		assert_null(p.items);
	}
}

static void every_prefix_of_a_page_is_refused(void **state)
{
	static const char text[] =
		"{\"items\":[{\"id\":\"a\",\"t\":\"\\\"}]\"},{\"id\":\"b\"}],"
		"\"next_cursor\":\"x\",\"has_more\":true}";
	struct page p;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_false(page_read(&p, text, len, NULL));
}

static void a_cursor_has_a_bound(void **state)
{
	static const struct {
		size_t len;
		bool ok;
	} table[] = { { CURSOR_MAX, true }, { CURSOR_MAX + 1, false }, { 100000, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char *cursor = mem_new(table[i].len + 1);
		struct page p;
		char *text;

		memset(cursor, 'c', table[i].len);
		text = mem_printf("{\"items\":[],\"next_cursor\":\"%s\"}", cursor);
		assert_true(page_read(&p, text, strlen(text), NULL) == table[i].ok);
		if (table[i].ok)
			assert_string_equal(p.next_cursor, cursor);
		page_release(&p);
		mem_free(&text);
		mem_free(&cursor);
	}
}

/* One bad item between two good ones, for each way in which an item can be bad. */
static void a_bad_item_costs_only_itself(void **state)
{
	static const struct {
		const char *item, *reason;
	} table[] = {
		{ "{\"title\":\"no id\"}", "no id" },
		{ "{\"id\":7}", "id is not a string" },
		{ "{\"id\":\"x\",\"title\":[]}", "title is not a string" },
		{ "null", "not an object" },
		{ "[{\"id\":\"x\"}]", "not an object" },
		{ "{id:x}", "not JSON at byte 1: key expected" },
		{ "{\"id\":\"x\",}", "not JSON at byte 10: member expected after a comma" },
		{ "{\"id\":\"x\"} {\"id\":\"y\"}", "not JSON at byte 11: more after the end" },
		{ "{\"id\":\"x\",\"n\":NaN}", "not JSON at byte 14: value expected" },
		{ "{\"id\":\"x\",\"m\":[}}", "not JSON at byte 15: value expected" },
		{ "{\"id\":\"x\",\"m\":\"\t\"}",
		  "not JSON at byte 15: control character in a string" },
		{ "", "not JSON at byte 0: value expected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char *text = mem_printf("{\"items\":[{\"id\":\"a\"}, %s ,{\"id\":\"b\"}]}",
					table[i].item);
		struct err err = { "" };
		struct page p;

		assert_true(page_read(&p, text, strlen(text), &err));
		assert_int_equal(p.item_count, 2);
		assert_string_equal(p.items[0].id, "a");
		assert_string_equal(p.items[1].id, "b");
		assert_int_equal(p.reject_count, 1);
		assert_string_equal(p.rejects[0].reason, table[i].reason);
		assert_string_equal(p.rejects[0].body, table[i].item);
		assert_int_equal(p.rejects[0].hash,
				 alert_hash(table[i].item, strlen(table[i].item)));
		page_release(&p);
		mem_free(&text);
	}
}

static void bad_utf8_is_repaired_not_set_aside(void **state)
{
	struct page p;

	(void)state;
	assert_true(
		page_read(&p,
			  TEXT("{\"items\":[{\"id\":\"a\"},{\"id\":\"b\",\"title\":\"\xff\"},"
			       "{\"id\":\"c\",\"title\":\"\\udead\"},{\"id\":\"\xe9\"},\xff]}"),
			  NULL));
	assert_int_equal(p.item_count, 4);
	assert_false(p.items[0].repaired);
	assert_true(p.items[1].repaired && p.items[2].repaired && p.items[3].repaired);
	assert_string_equal(p.items[1].title, "\xef\xbf\xbd");
	assert_string_equal(p.items[1].bytes, "{\"id\":\"b\",\"title\":\"\xef\xbf\xbd\"}");
	assert_string_equal(p.items[2].bytes, "{\"id\":\"c\",\"title\":\"\\ufffd\"}");
	assert_int_equal(p.reject_count, 1);
	assert_string_equal(p.rejects[0].body, "\xef\xbf\xbd");
	assert_int_equal(p.rejects[0].hash, alert_hash("\xff", 1));
	page_release(&p);
}

static void unknown_fields_and_words_pass_through(void **state)
{
	struct page p;

	(void)state;
	assert_true(page_read(&p,
			      TEXT("{\"items\":[{\"id\":\"a\",\"severity\":\"apocalyptic\","
				   "\"type\":\"new\",\"status\":\"snoozed\",\"x\":{\"y\":1}},"
				   "{\"id\":\"a\"}]}"),
			      NULL));
	assert_int_equal(p.item_count, 2); /* a repeated item is the store's to know */
	assert_string_equal(p.items[0].severity_text, "apocalyptic");
	assert_int_equal(p.items[0].severity, SEVERITY_HIGH);
	assert_int_equal(json_kind(json_get(json_root(p.items[0].json), "x")), JSON_OBJECT);
	page_release(&p);
}

/* A page of one item: before, then `len` times byte, then after. */
static struct page page_of(const char *before, char byte, size_t len, const char *after)
{
	struct page p;
	struct buf text;
	char *middle = mem_new(len);

	memset(middle, byte, len);
	buf_init(&text, PAGE_BYTES_MAX);
	buf_addf(&text, "{\"items\":[{\"id\":\"z\"},%s", before);
	buf_add(&text, middle, len);
	buf_addf(&text, "%s]}", after);
	assert_false(text.overflow);
	assert_true(page_read(&p, text.data, text.len, NULL));
	buf_release(&text);
	mem_free(&middle);
	return p;
}

static void a_huge_item_is_set_aside_with_its_beginning(void **state)
{
	struct page p = page_of("{\"id\":\"", 'x', ALERT_BYTES_MAX, "\"}");

	(void)state;
	assert_int_equal(p.item_count, 1);
	assert_int_equal(p.reject_count, 1);
	assert_int_equal(p.rejects[0].body_len, 64 << 10);
	assert_int_equal(strlen(p.rejects[0].body), 64 << 10);
	assert_string_equal(p.rejects[0].reason, "larger than 1048576 bytes");
	page_release(&p);

	p = page_of("{ ", (char)0xff, 200000, "}"); /* grows as it is repaired */
	assert_int_equal(p.reject_count, 1);
	assert_int_equal(p.rejects[0].body_len, (64 << 10) - 2); /* not half a character */
	assert_true(utf8_valid(p.rejects[0].body, p.rejects[0].body_len));
	page_release(&p);
}

static void a_long_id_is_an_id(void **state)
{
	struct page p = page_of("{\"id\":\"", 'x', 10000, "\"}");

	(void)state;
	assert_int_equal(p.item_count, 2);
	assert_int_equal(strlen(p.items[1].id), 10000);
	page_release(&p);
}

static void a_deep_item_hides_no_other(void **state)
{
	char deep[JSON_DEPTH_MAX * 4 + 1] = "";
	struct page p;

	(void)state;
	memset(deep, ']', sizeof(deep) - 1);
	memset(deep, '[', (sizeof(deep) - 1) / 2);
	p = page_of(deep, ' ', 1, "");
	assert_int_equal(p.item_count, 1);
	assert_string_equal(p.rejects[0].reason, "not JSON at byte 64: nested too deeply");
	page_release(&p);
}

static void bodies_and_counts_are_bounded(void **state)
{
	struct buf text;
	struct err err;
	struct page p;

	(void)state;
	buf_init(&text, PAGE_BYTES_MAX);
	buf_adds(&text, "{\"items\":[0");
	for (size_t i = 1; i < PAGE_ITEMS_MAX; i++)
		buf_adds(&text, ",0");
	buf_adds(&text, "]}");
	assert_true(page_read(&p, text.data, text.len, NULL));
	assert_int_equal(p.reject_count, PAGE_ITEMS_MAX);
	page_release(&p);

	buf_truncate(&text, text.len - 2);
	buf_adds(&text, ",0]}");
	assert_false(page_read(&p, text.data, text.len, &err));
	assert_string_equal(err.text, "no page of alerts: more than 10000 items");
	buf_release(&text);
}

static void an_alert_that_is_too_large_is_set_aside_and_the_page_goes_on(void **state)
{
	struct buf text;
	struct page p;

	(void)state;
	buf_init(&text, 2 * ITEM_BYTES_MAX);
	buf_adds(&text, "{\"items\":[{\"id\":\"");
	for (size_t i = 0; i < ITEM_BYTES_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\"}],\"next_cursor\":\"on\"}");
	assert_true(page_read(&p, text.data, text.len, NULL));
	assert_int_equal(p.item_count, 0);
	assert_int_equal(p.reject_count, 1);
	assert_string_equal(p.rejects[0].reason, "an alert of more than 8 MiB");
	assert_string_equal(p.next_cursor, "on");
	page_release(&p);
	buf_release(&text);
}

static void an_error_is_one_line_whatever_its_shape(void **state)
{
	static const struct {
		const char *body, *text;
	} table[] = {
		{ "{\"error\":\"unauthorized\"}", "unauthorized" },
		{ "{\"error\":\"rate_limited\",\"message\":\"slow down\",\"request_id\":\"r1\"}",
		  "rate_limited: slow down, request r1" },
		{ "{\"error\":{\"type\":\"bad_request\",\"message\":\"cursor expired\"},"
		  "\"request_id\":\"r2\"}",
		  "bad_request: cursor expired, request r2" },
		{ "{\"error\":{\"code\":400,\"message\":\"no\"}}", "400: no" },
		{ "{\"error\":{\"type\":\"t\",\"code\":\"c\"}}", "t c" },
		{ "{\"error\":\"x\",\"message\":\"x\"}", "x" },
		{ "{\"error\":\"invalid_client\",\"error_description\":\"unknown\"}",
		  "invalid_client: unknown" },
		{ "{\"message\":\"a\\r\\nb\\u0000c\\u001b[31m\"}", "a  b c [31m" },
		{ "{\"message\":\"only\"}", "only" },
		{ "{\"error\":[],\"message\":null}", "JSON without an error in it" },
		{ "{}", "JSON without an error in it" },
		{ "[1]", "JSON without an error in it" },
		{ "\"oops\"", "JSON without an error in it" },
		{ "<html><h1>502</h1></html>", "not JSON" },
		{ "{\"error\":\"cut", "not JSON" },
		{ "{\"error\":\"\xff\"}", "not JSON" },
		{ "", "an empty body" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		page_error_text(table[i].body, strlen(table[i].body), text, sizeof(text));
		assert_string_equal(text, table[i].text);
	}
}

static void an_error_is_cut_between_characters(void **state)
{
	static const char body[] = "{\"error\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}";
	char text[8] = "canary!";

	(void)state;
	page_error_text(TEXT(body), text, 6);
	assert_string_equal(text, "\xc3\xa9\xc3\xa9");
	page_error_text(TEXT(body), text, 7);
	assert_string_equal(text, "\xc3\xa9\xc3\xa9\xc3\xa9");
	page_error_text(TEXT(body), text, 1);
	assert_string_equal(text, "");
	page_error_text(TEXT(body), text, 0);
}

static void an_error_is_the_same_whatever_its_request_and_however_long_it_took(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} table[] = {
		{ "", "", true },
		{ "401: no, request r1", "401: no, request r2", true },
		{ "401: no, request r1", "401: no", true },
		{ "401: no, request r1", "403: no, request r1", false },
		{ "no answer after 7 ms", "no answer after 30012 ms", true },
		{ "timed out after 30 milliseconds", "timed out after 31 milliseconds", true },
		{ "port 1 after 0 ms: no", "port 2 after 0 ms: no", false },
		{ "", "401", false },
		{ "401", "4011", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(page_error_same(table[i].a, table[i].b), table[i].same);
		assert_int_equal(page_error_same(table[i].b, table[i].a), table[i].same);
	}
}

/* ---- a seeded storm of damaged pages ---- */

static const char sample[] =
	"{\"items\":[{\"id\":\"al1\",\"org_id\":\"or1\",\"severity\":\"high\",\"status\":\"open\","
	"\"title\":\"caf\xc3\xa9 \\ud83d\\ude00\",\"user_id\":null,\"metadata\":{\"n\":4200,"
	"\"deep\":[[{\"x\":-1.5e3}]]},\"created_at\":\"2025-01-15T10:30:00Z\"},{\"id\":\"al2\"}],"
	"\"next_cursor\":\"abc\",\"has_more\":true,\"total_count\":2}";

static uint64_t chance(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Sets, inserts or deletes one byte; the bytes that JSON is made of are the likeliest. */
static size_t damage(char *text, size_t len, uint64_t *seed)
{
	static const char likely[] = "\"\\{}[],:0-eu\xff\xed\0 \n/tfn";
	uint64_t r = chance(seed);
	size_t at = (size_t)((r >> 16) % len);
	char byte = r & 1 ? likely[(r >> 8) % (sizeof(likely) - 1)] : (char)(r >> 8);

	switch (r >> 1 & 3) {
	case 0:
		memmove(text + at + 1, text + at, len - at);
		text[at] = byte;
		return len + 1;
	case 1: memmove(text + at, text + at + 1, len - at - 1); return len > 1 ? len - 1 : len;
	case 2: return at == 0 ? len : r >> 60 == 0 ? at : len; /* cut, now and then */
	}
	text[at] = byte;
	return len;
}

static void agrees_with_itself(const char *text, size_t len)
{
	bool ok = json_check(text, len, NULL);
	struct json *j = json_parse(text, len, NULL);
	struct json_span root = json_bytes(j, json_root(j));

	assert_true(ok == (j != NULL));
	assert_true(!ok || json_check(root.at, root.len, NULL));
	json_free(&j);
}

static void holds_what_it_promises(const struct page *p)
{
	assert_true(p->total_count >= -1);
	for (size_t i = 0; i < p->item_count; i++) {
		const struct alert *a = &p->items[i];

		assert_true(json_check(a->bytes, a->bytes_len, NULL));
		assert_true(a->id[0] != '\0');
		assert_true(utf8_valid(a->title, strlen(a->title)));
	}
	for (size_t i = 0; i < p->reject_count; i++) {
		const struct reject *r = &p->rejects[i];

		assert_true(utf8_valid(r->body, r->body_len));
		assert_true(r->reason[0] != '\0' && r->hash >= 0);
	}
}

static void no_damage_brings_it_down(void **state)
{
	enum { ROUNDS = 20000, DAMAGES_MAX = 6 };
	uint64_t seed = 20261124;
	size_t pages = 0, repaired = 0, rejects = 0;
	int64_t until = clock_steady() + 1500; /* a slow machine does fewer rounds */

	(void)state;
	for (size_t round = 0; round < ROUNDS && clock_steady() < until; round++) {
		size_t len = sizeof(sample) - 1;
		char *text = mem_new(len + DAMAGES_MAX);
		char line[64];
		struct page p;

		memcpy(text, sample, len);
		for (size_t n = 1 + chance(&seed) % DAMAGES_MAX; n > 0; n--)
			len = damage(text, len, &seed);
		char *exact =
			mem_resize(text, len, 1); /* the end of the memory is the text's */

		agrees_with_itself(exact, len);
		page_error_text(exact, len, line, sizeof(line));
		if (page_read(&p, exact, len, NULL)) {
			pages++;
			rejects += p.reject_count;
			for (size_t i = 0; i < p.item_count; i++)
				repaired += p.items[i].repaired;
			holds_what_it_promises(&p);
			page_release(&p);
		}
		mem_free(&exact);
	}
	assert_true(pages > 0 && rejects > 0 && repaired > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_its_items_and_the_next_cursor),
		cmocka_unit_test(the_last_page_has_no_cursor),
		cmocka_unit_test(a_count_that_is_none_is_not_known_and_no_error),
		cmocka_unit_test(what_is_no_page_is_refused),
		cmocka_unit_test(every_prefix_of_a_page_is_refused),
		cmocka_unit_test(a_cursor_has_a_bound),
		cmocka_unit_test(a_bad_item_costs_only_itself),
		cmocka_unit_test(bad_utf8_is_repaired_not_set_aside),
		cmocka_unit_test(unknown_fields_and_words_pass_through),
		cmocka_unit_test(a_huge_item_is_set_aside_with_its_beginning),
		cmocka_unit_test(a_long_id_is_an_id),
		cmocka_unit_test(a_deep_item_hides_no_other),
		cmocka_unit_test(bodies_and_counts_are_bounded),
		cmocka_unit_test(an_alert_that_is_too_large_is_set_aside_and_the_page_goes_on),
		cmocka_unit_test(an_error_is_one_line_whatever_its_shape),
		cmocka_unit_test(an_error_is_cut_between_characters),
		cmocka_unit_test(
			an_error_is_the_same_whatever_its_request_and_however_long_it_took),
		cmocka_unit_test(no_damage_brings_it_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
