/* What is JSON, what it says, and what is kept of its bytes; and the lenient split. */
#include "model/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* A literal with its length, so that it may hold NULs. */
#define TEXT(s) (s), sizeof(s) - 1

struct text {
	const char *bytes;
	size_t len;
};

static const struct text good[] = {
	{ TEXT("0") },
	{ TEXT("-0") },
	{ TEXT("-1.5e+300") },
	{ TEXT("1E400") },
	{ TEXT("0e1") },
	{ TEXT(" \t\r\n null \n") },
	{ TEXT("true") },
	{ TEXT("false") },
	{ TEXT("\"\"") },
	{ TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") },
	{ TEXT("\"\\u0000\\u00e9\\ud83d\\ude00\\uFFFF\"") },
	{ TEXT("\"\x7f\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") },
	{ TEXT("[]") },
	{ TEXT("[ ]") },
	{ TEXT("[[],{},[1,2 ]]") },
	{ TEXT("{}") },
	{ TEXT("{\"\":0,\"\":1}") },
	{ TEXT("{ \"a\" : { \"b\" : [ 1 , { \"c\" : null } ] } }") },
	{ TEXT("[12345678901234567890123456789012345678901234567890123456789012345678901234567890]") },
};

static const struct text bad[] = {
	{ TEXT("") },
	{ TEXT(" ") },
	{ TEXT("\xef\xbb\xbf{}") },
	{ TEXT("01") },
	{ TEXT("-01") },
	{ TEXT("-") },
	{ TEXT("+1") },
	{ TEXT(".5") },
	{ TEXT("1.") },
	{ TEXT("1.e1") },
	{ TEXT("1e") },
	{ TEXT("1e+") },
	{ TEXT("0x10") },
	{ TEXT("NaN") },
	{ TEXT("-Infinity") },
	{ TEXT("nul") },
	{ TEXT("nulll") },
	{ TEXT("True") },
	{ TEXT("1 2") },
	{ TEXT("{} {}") },
	{ TEXT("{}\0") },
	{ TEXT("\"") },
	{ TEXT("\"\\") },
	{ TEXT("\"\\\"") },
	{ TEXT("\"\\x\"") },
	{ TEXT("\"\\\0\"") },
	{ TEXT("\"\\u12\"") },
	{ TEXT("\"\\u12g4\"") },
	{ TEXT("\"\\u123") },
	{ TEXT("\"\\ud800\"") },
	{ TEXT("\"\\ud800\\u0041\"") },
	{ TEXT("\"\\ud800\\ud800\"") },
	{ TEXT("\"\\udc00\"") },
	{ TEXT("\"\\udfff\\ud800\"") },
	{ TEXT("\"a\nb\"") },
	{ TEXT("\"a\0b\"") },
	{ TEXT("\"\x1f\"") },
	{ TEXT("\"\x80\"") },
	{ TEXT("\"\xc0\x80\"") },
	{ TEXT("\"\xc1\xbf\"") },
	{ TEXT("\"\xc3\"") },
	{ TEXT("\"\xe0\x9f\xbf\"") },
	{ TEXT("\"\xe2\x82\"") },
	{ TEXT("\"\xed\xa0\x80\"") },
	{ TEXT("\"\xf0\x8f\xbf\xbf\"") },
	{ TEXT("\"\xf4\x90\x80\x80\"") },
	{ TEXT("\"\xf5\x80\x80\x80\"") },
	{ TEXT("\"\xff\"") },
	{ TEXT("\"\xf0\x9f\x98") },
	{ TEXT("'a'") },
	{ TEXT("[") },
	{ TEXT("[1") },
	{ TEXT("[1,") },
	{ TEXT("[1,]") },
	{ TEXT("[,1]") },
	{ TEXT("[1 2]") },
	{ TEXT("[1}") },
	{ TEXT("]") },
	{ TEXT("{") },
	{ TEXT("{\"a\"}") },
	{ TEXT("{\"a\":}") },
	{ TEXT("{\"a\":1,}") },
	{ TEXT("{a:1}") },
	{ TEXT("{1:1}") },
	{ TEXT("{\"a\" 1}") },
	{ TEXT("{\"a\":1") },
	{ TEXT("{\"a\":1]") },
	{ TEXT("[1]//") },
	{ TEXT("[1]/**/") },
	{ TEXT("<html>") },
};

/* A copy without a NUL behind it, so that a read past the end is a report. */
static char *exact(const char *bytes, size_t len)
{
	char *copy = mem_array(len, 1);

	memcpy(copy, bytes, len);
	return copy;
}

static bool accepts(const char *bytes, size_t len)
{
	char *copy = exact(bytes, len);
	struct err check_err = { "" }, parse_err = { "" };
	bool ok = json_check(copy, len, &check_err);
	struct json *j = json_parse(copy, len, &parse_err);

	assert_true(ok == (j != NULL));
	assert_string_equal(check_err.text, parse_err.text);
	assert_true(ok == (check_err.text[0] == '\0'));
	json_free(&j);
	mem_free(&copy);
	return ok;
}

static void exactly_rfc_8259_in_utf8_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!accepts(good[i].bytes, good[i].len))
			fail_msg("refused: %s", good[i].bytes);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (accepts(bad[i].bytes, bad[i].len))
			fail_msg("accepted: %s", bad[i].bytes);
}

static void every_prefix_of_a_text_is_refused(void **state)
{
	static const char text[] = "{\"a\":[1.5e3,\"\\ud83d\\ude00\xe2\x82\xac\",true,{}]}";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_false(accepts(text, len));
	assert_true(accepts(text, sizeof(text) - 1));
}

static void an_error_names_the_byte(void **state)
{
	struct err err;

	(void)state;
	assert_false(json_check(TEXT("{\"a\": 01}"), &err));
	assert_string_equal(err.text, "not JSON at byte 7: comma or end expected");
	assert_false(json_check(TEXT("[\"\xff\"]"), &err));
	assert_string_equal(err.text, "not JSON at byte 2: invalid UTF-8");
	assert_false(json_check(TEXT("[]"), NULL) == json_check(TEXT("["), NULL));
}

static void depth_is_bounded(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1)];
	size_t half = JSON_DEPTH_MAX;
	char *deep = mem_array(1000000, 1);

	(void)state;
	memset(text, '[', half);
	memset(text + half, ']', half);
	assert_true(accepts(text, 2 * half));
	half++;
	memset(text, '[', half);
	memset(text + half, ']', half);
	assert_false(accepts(text, 2 * half));
	memset(deep, '[', 1000000);
	assert_false(accepts(deep, 1000000));
	for (size_t i = 0; i < 1000000; i += 5)
		memcpy(deep + i, "{\"a\":", 5);
	assert_false(accepts(deep, 1000000));
	mem_free(&deep);
}

static void a_text_without_end_is_refused_before_it_is_read(void **state)
{
	struct err err;

	(void)state;
	assert_false(json_check("", (size_t)JSON_BYTES_MAX + 1, &err));
	assert_null(json_parse("", (size_t)JSON_BYTES_MAX + 1, &err));
}

static struct json *parsed(const char *bytes, size_t len)
{
	struct err err = { "" };
	struct json *j = json_parse(bytes, len, &err);

	assert_string_equal(err.text, "");
	assert_non_null(j);
	return j;
}

static void says(const struct json_value *v, enum json_kind kind, const char *text, size_t len)
{
	size_t got;

	assert_int_equal(json_kind(v), kind);
	assert_memory_equal(json_text(v, &got), text, len + 1);
	assert_int_equal(got, len);
}

static void values_are_found_by_key_and_by_order(void **state)
{
	struct json *j =
		parsed(TEXT("{\"a\":[1,\"two\",[],{\"x\":null}],\"b\":true,\"c\":false}"));
	const struct json_value *root = json_root(j);
	const struct json_value *v = json_first(json_get(root, "a"));

	(void)state;
	assert_int_equal(json_count(root), 3);
	assert_int_equal(json_count(json_get(root, "a")), 4);
	assert_null(json_key(v));
	says(v, JSON_NUMBER, TEXT("1"));
	v = json_next(v);
	says(v, JSON_STRING, TEXT("two"));
	v = json_next(v);
	assert_int_equal(json_kind(v), JSON_ARRAY);
	assert_null(json_first(v));
	v = json_next(v);
	assert_int_equal(json_kind(json_get(v, "x")), JSON_NULL);
	assert_null(json_text(json_get(v, "x"), NULL));
	assert_null(json_next(v));
	v = json_next(json_first(root));
	assert_string_equal(json_key(v), "b");
	says(v, JSON_TRUE, TEXT("true"));
	says(json_get_n(root, "cde", 1), JSON_FALSE, TEXT("false"));
	assert_null(json_get(root, "d"));
	assert_null(json_get(json_get(root, "a"), ""));
	json_free(&j);
	assert_null(j);
}

static void a_missing_value_answers_nothing(void **state)
{
	size_t len = 9;
	int64_t n;

	(void)state;
	assert_int_equal(json_kind(NULL), JSON_MISSING);
	assert_null(json_get(NULL, "a"));
	assert_null(json_first(NULL));
	assert_null(json_next(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_null(json_key(NULL));
	assert_null(json_text(NULL, &len));
	assert_int_equal(len, 0);
	assert_false(json_int(NULL, &n));
	assert_null(json_root(NULL));
	assert_int_equal(json_bytes(NULL, NULL).len, 0);
}

static void strings_keep_their_nuls(void **state)
{
	struct json *j =
		parsed(TEXT("{\"i\\u0000d\":\"x\\u0000y\\n\\ud83d\\ude00\",\"id\":\"z\"}"));

	(void)state;
	says(json_get_n(json_root(j), TEXT("i\0d")), JSON_STRING,
	     TEXT("x\0y\n\xf0\x9f\x98\x80"));
	assert_null(json_get(json_root(j), "i")); /* cut at its NUL it would be */
	says(json_get(json_root(j), "id"), JSON_STRING, TEXT("z"));
	json_free(&j);
}

/* Strings are looked through sixteen bytes at a time. */
static void a_byte_is_seen_wherever_it_stands(void **state)
{
	static const struct {
		char byte;
		bool is_plain;
	} table[] = {
		{ ' ', true },     { '!', true },     { '#', true },     { '[', true },
		{ ']', true },     { '\x7f', true },  { '"', false },    { '\\', false },
		{ '\x01', false }, { '\x1f', false }, { '\x80', false }, { '\xff', false },
	};
	enum { LEN = 40 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t at = 1; at < LEN - 1; at++) {
			char text[LEN];
			struct err err;

			memset(text, 'a', LEN);
			text[0] = text[LEN - 1] = '"';
			text[at] = table[i].byte;
			assert_int_equal(json_check(text, LEN, &err), table[i].is_plain);
		}
	}
}

static void the_first_of_equal_keys_wins(void **state)
{
	struct json *j = parsed(TEXT("{\"a\":1,\"\\u0061\":2,\"a\":3}"));

	(void)state;
	says(json_get(json_root(j), "a"), JSON_NUMBER, TEXT("1"));
	assert_int_equal(json_count(json_root(j)), 3);
	json_free(&j);
}

static void numbers_keep_their_digits(void **state)
{
	static const char *const numbers[] = {
		"9007199254740993",
		"-0",
		"1.10",
		"1E+2",
		"123456789012345678901234567890",
		/* longer than cJSON before 1.7.19 reads */
		"0.12345678901234567890123456789012345678901234567890123456789012345678901234567",
		"-9999999999999999999999999999999999999999999999999999999999999999999999999999e99",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[256];
		size_t len = (size_t)snprintf(text, sizeof(text), "{\"a\":[%s,\"é\"],\"b\":%s}",
					      numbers[i], numbers[i]);
		struct json *j = parsed(text, len);
		const struct json_value *a = json_first(json_get(json_root(j), "a"));

		says(a, JSON_NUMBER, numbers[i], strlen(numbers[i]));
		says(json_next(a), JSON_STRING, TEXT("é"));
		says(json_get(json_root(j), "b"), JSON_NUMBER, numbers[i], strlen(numbers[i]));
		json_free(&j);
	}
}

static void whole_numbers_are_read_exactly_or_not_at_all(void **state)
{
	static const struct {
		const char *text;
		bool whole;
		int64_t value;
	} table[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "9007199254740993", true, 9007199254740993 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775807", true, -INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "3600.0", true, 3600 },
		{ "1e3", true, 1000 },
		{ "1.5", false, 0 },
		{ "1e300", false, 0 },
		{ "1e999", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
		{ "[1]", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct json *j = parsed(table[i].text, strlen(table[i].text));
		int64_t value = 0;

		assert_true(json_int(json_root(j), &value) == table[i].whole);
		if (table[i].whole)
			assert_int_equal(value, table[i].value);
		json_free(&j);
	}
}

static void each_value_keeps_its_own_bytes(void **state)
{
	struct json *j =
		parsed(TEXT(" {\"a\" : {\"b\": [ 1.0 , \"\\u0041\"] } , \"c\":\"\xc3\xa9\"} "));
	const struct json_value *a = json_get(json_root(j), "a");
	const struct json_value *b = json_get(a, "b");
	const struct {
		const struct json_value *v;
		const char *bytes;
	} table[] = {
		{ json_root(j),
		  "{\"a\" : {\"b\": [ 1.0 , \"\\u0041\"] } , \"c\":\"\xc3\xa9\"}" },
		{ a, "{\"b\": [ 1.0 , \"\\u0041\"] }" },
		{ b, "[ 1.0 , \"\\u0041\"]" },
		{ json_first(b), "1.0" },
		{ json_next(json_first(b)), "\"\\u0041\"" },
		{ json_get(json_root(j), "c"), "\"\xc3\xa9\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct json_span span = json_bytes(j, table[i].v);

		assert_int_equal(span.len, strlen(table[i].bytes));
		assert_memory_equal(span.at, table[i].bytes, span.len);
	}
	json_free(&j);
}

static bool list_member(void *arg, struct json_span key, struct json_span value)
{
	buf_addf(arg, "%.*s=%.*s;", (int)key.len, key.at, (int)value.len, value.at);
	return value.len != 4 || memcmp(value.at, "stop", 4) != 0;
}

static void splitting_looks_only_at_strings_and_brackets(void **state)
{
	static const struct {
		const char *text, *members; /* NULL: refused */
	} table[] = {
		{ "[]", "" },
		{ " [ ] ", "" },
		{ "{}", "" },
		{ "[1]", "=1;" },
		{ " [ 1 , 2 ] ", "=1;=2;" },
		{ "{\"a\":1,\"b\" : [ 2 ] }", "a=1;b=[ 2 ];" },
		{ "[{\"a\":\"]}\"},\"[\\\"{\"]", "={\"a\":\"]}\"};=\"[\\\"{\";" },
		{ "[{nonsense},01,{\"x\":\"\n\xff\"},{\"a\":1}]",
		  "={nonsense};=01;={\"x\":\"\n\xff\"};={\"a\":1};" },
		{ "[{\"a\":[}},1]", "={\"a\":[}};=1;" },
		{ "[1,,2]", "=1;=;=2;" },
		{ "[1,]", "=1;" },
		{ "{\"a\":}", "a=;" },
		{ "{\"a\\\"b\":1}", "a\\\"b=1;" },
		{ "[\"\",\"\\\\\",\"\\\\\\\",]\",\"\\\\\\\\\"]",
		  "=\"\";=\"\\\\\";=\"\\\\\\\",]\";=\"\\\\\\\\\";" },
		{ "[1,stop,2]", NULL },
		{ "", NULL },
		{ "  ", NULL },
		{ "1", NULL },
		{ "\"a\"", NULL },
		{ "<html>[1]</html>", NULL },
		{ "[", NULL },
		{ "[1", NULL },
		{ "[1,", NULL },
		{ "[\"a]", NULL },
		{ "[\"a\\", NULL },
		{ "[\"a\\\\\\\"]", NULL },
		{ "[[1]", NULL },
		{ "[1}", NULL },
		{ "{\"a\":1]", NULL },
		{ "{\"a\":1,}", NULL },
		{ "{\"a\"", NULL },
		{ "{\"a", NULL },
		{ "{\"a\"}", NULL },
		{ "{\"a\":", NULL },
		{ "{1:2}", NULL },
		{ "[1]]", NULL },
		{ "[1][2]", NULL },
		{ "{}x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t len = strlen(table[i].text);
		char *copy = exact(table[i].text, len);
		struct err err = { "" };
		struct buf seen;

		buf_init(&seen, 1000);
		bool ok = json_split(copy, len, list_member, &seen, &err);

		if (ok != (table[i].members != NULL))
			fail_msg("split %s: %s", table[i].text, err.text);
		if (ok)
			assert_string_equal(seen.data, table[i].members);
		else
			assert_string_not_equal(err.text, "");
		buf_release(&seen);
		mem_free(&copy);
	}
}

static void a_text_of_the_worst_bytes_is_written_as_json(void **state)
{
	char all[256], expect[] = "\"\xef\xbf\xbd"
				  "ab\\u0000\\\"\\\\\"";
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	buf_init(&out, 10000);
	assert_true(json_add_text(&out, all, sizeof(all)));
	assert_true(json_check(out.data, out.len, NULL));
	buf_clear(&out);
	assert_true(json_add_text(&out, TEXT("\xff"
					     "ab\0\"\\")));
	assert_string_equal(out.data, expect);
	buf_clear(&out);
	assert_true(json_add_string(&out, NULL));
	assert_true(json_add_string(&out, ""));
	assert_string_equal(out.data, "null\"\"");
	buf_release(&out);
	buf_init(&out, 5);
	assert_false(json_add_string(&out, "abcdef"));
	assert_true(out.overflow);
	buf_release(&out);
}

static void a_repair_touches_only_what_is_no_text(void **state)
{
	static const struct {
		const char *text, *repaired; /* NULL: nothing to repair */
	} table[] = {
		{ "\"\\ud83d\\ude00 \\\\ud800 \\n\"", NULL },
		{ "not json", NULL },
		{ "\"\\ud83d\"", "\"\\ufffd\"" },
		{ "\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\"" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"" },
		{ "\"\\\\\\uDFFF\"", "\"\\\\\\ufffd\"" },
		{ "\"\xc3(\"", "\"\xef\xbf\xbd(\"" },
		{ "\"\xff\\ud800", "\"\xef\xbf\xbd\\ufffd" },
		{ "\"\\ud80", NULL },
		{ "\\", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *expect = table[i].repaired ? table[i].repaired : table[i].text;
		struct buf out;

		buf_init(&out, 1000);
		assert_true(json_repair(&out, table[i].text, strlen(table[i].text)) ==
			    (table[i].repaired == NULL));
		assert_string_equal(out.data, expect);
		buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_rfc_8259_in_utf8_is_accepted),
		cmocka_unit_test(every_prefix_of_a_text_is_refused),
		cmocka_unit_test(an_error_names_the_byte),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_text_without_end_is_refused_before_it_is_read),
		cmocka_unit_test(values_are_found_by_key_and_by_order),
		cmocka_unit_test(a_missing_value_answers_nothing),
		cmocka_unit_test(strings_keep_their_nuls),
		cmocka_unit_test(a_byte_is_seen_wherever_it_stands),
		cmocka_unit_test(the_first_of_equal_keys_wins),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(whole_numbers_are_read_exactly_or_not_at_all),
		cmocka_unit_test(each_value_keeps_its_own_bytes),
		cmocka_unit_test(splitting_looks_only_at_strings_and_brackets),
		cmocka_unit_test(a_text_of_the_worst_bytes_is_written_as_json),
		cmocka_unit_test(a_repair_touches_only_what_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
