/* What one item says, what is forgiven, and what sets it aside. */
#include "model/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define TEXT(s) (s), sizeof(s) - 1

static const char documented[] =
	"{\"id\":\"al1b2c3d-0000-0000-0000-000000000001\",\"org_id\":\"or1\","
	"\"type\":\"policy_violation\",\"severity\":\"high\",\"status\":\"open\","
	"\"title\":\"GPT-4 usage by non-engineering user\",\"message\":\"m\\u00e9\","
	"\"user_id\":\"us1\",\"policy_id\":null,"
	"\"metadata\":{\"model\":\"gpt-4\",\"provider\":\"openai\",\"token_count\":4200},"
	"\"created_at\":\"2025-01-15T10:30:00Z\",\"resolved_at\":null,"
	"\"budget\": 9007199254740993 , \"new_field\":[1.0]}";

static void the_documented_alert_is_read_whole(void **state)
{
	struct alert a;
	size_t len;

	(void)state;
	assert_true(alert_read(&a, TEXT(documented), NULL));
	assert_string_equal(a.id, "al1b2c3d-0000-0000-0000-000000000001");
	assert_string_equal(a.org_id, "or1");
	assert_string_equal(a.type, "policy_violation");
	assert_string_equal(a.severity_text, "high");
	assert_string_equal(a.status_text, "open");
	assert_string_equal(a.title, "GPT-4 usage by non-engineering user");
	assert_string_equal(a.message, "m\xc3\xa9");
	assert_string_equal(a.user_id, "us1");
	assert_string_equal(a.policy_id, "");
	assert_string_equal(a.created_text, "2025-01-15T10:30:00Z");
	assert_string_equal(a.resolved_text, "");
	assert_int_equal(a.created_at, 1736937000000);
	assert_int_equal(a.resolved_at, 0);
	assert_int_equal(a.severity, SEVERITY_HIGH);
	assert_int_equal(a.status, ALERT_OPEN);
	assert_true(a.severity_known && a.status_known);
	assert_false(a.repaired);
	assert_string_equal(json_text(json_get(json_root(a.json), "budget"), &len),
			    "9007199254740993");
	alert_release(&a);
	assert_null(a.json);
}

static void its_bytes_stay_as_they_came(void **state)
{
	struct alert a;

	(void)state;
	assert_true(alert_read(&a, TEXT(documented), NULL));
	assert_int_equal(a.bytes_len, sizeof(documented) - 1);
	assert_string_equal(a.bytes, documented);
	assert_ptr_not_equal(a.bytes, documented);
	alert_release(&a);
}

static void an_id_alone_is_an_alert(void **state)
{
	struct alert a;

	(void)state;
	assert_true(alert_read(&a, TEXT(" {\"id\":\"a\"} "), NULL));
	assert_string_equal(a.id, "a");
	assert_string_equal(a.org_id, "");
	assert_string_equal(a.title, "");
	assert_int_equal(a.severity, SEVERITY_HIGH);
	assert_int_equal(a.status, ALERT_OPEN);
	assert_false(a.severity_known || a.status_known);
	assert_int_equal(a.created_at, 0);
	alert_release(&a);
}

static void fields_come_in_any_order_and_the_first_of_equal_ones_counts(void **state)
{
	struct alert a;

	(void)state;
	assert_true(alert_read(
		&a,
		TEXT("{\"resolved_at\":\"r\",\"id\\u0000\":\"no\",\"x\":1,\"title\":\"t\",\"status\":null,"
		     "\"title\":\"no\",\"id\":\"a\",\"status\":\"resolved\",\"org_id\":\"o\",\"id\":7}"),
		NULL));
	assert_string_equal(a.id, "a");
	assert_string_equal(a.org_id, "o");
	assert_string_equal(a.title, "t");
	assert_string_equal(a.status_text, "");
	assert_string_equal(a.resolved_text, "r");
	assert_string_equal(a.message, "");
	alert_release(&a);
}

static void unknown_words_and_times_pass_through(void **state)
{
	struct alert a;

	(void)state;
	assert_true(alert_read(
		&a,
		TEXT("{\"id\":\"a\",\"type\":\"t!\",\"severity\":\"Critical\",\"status\":\"closed\","
		     "\"created_at\":\"yesterday\",\"resolved_at\":\"2025-01-15T10:30:00.5+01:00\","
		     "\"metadata\":7}"),
		NULL));
	assert_string_equal(a.type, "t!");
	assert_string_equal(a.severity_text, "Critical");
	assert_string_equal(a.status_text, "closed");
	assert_string_equal(a.created_text, "yesterday");
	assert_false(a.severity_known || a.status_known);
	assert_int_equal(a.severity, SEVERITY_HIGH);
	assert_int_equal(a.status, ALERT_OPEN);
	assert_int_equal(a.created_at, 0);
	assert_int_equal(a.resolved_at, 1736933400500);
	alert_release(&a);
}

static void each_status_is_known(void **state)
{
	static const char *const words[] = { "open", "acknowledged", "resolved" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char text[100];
		struct alert a;

		snprintf(text, sizeof(text), "{\"id\":\"a\",\"status\":\"%s\"}", words[i]);
		assert_true(alert_read(&a, text, strlen(text), NULL));
		assert_true(a.status_known);
		assert_int_equal(a.status, i);
		alert_release(&a);
	}
}

static void severities_are_ordered(void **state)
{
	static const char *const words[] = { "low", "medium", "high", "critical" };
	bool known;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_int_equal(alert_severity_rank(words[i], &known), i);
		assert_true(known);
	}
	assert_int_equal(alert_severity_rank("urgent", &known), SEVERITY_HIGH);
	assert_false(known);
	assert_int_equal(alert_severity_rank("", NULL), SEVERITY_HIGH);
}

static void what_is_no_alert_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} table[] = {
		{ "", "not JSON at byte 0: value expected" },
		{ "{\"id\":\"a\"", "not JSON at byte 9: comma or end expected" },
		{ "{\"id\":\"a\"}}", "not JSON at byte 10: more after the end" },
		{ "{\"id\":\"a\",\"n\":01}", "not JSON at byte 15: comma or end expected" },
		{ "{\"id\":\"a\",\"t\":\"\n\"}",
		  "not JSON at byte 15: control character in a string" },
		{ "<html>\xff</html>", "not JSON at byte 0: value expected" },
		{ "null", "not an object" },
		{ "[]", "not an object" },
		{ "\"id\"", "not an object" },
		{ "{}", "no id" },
		{ "{\"ID\":\"a\"}", "no id" },
		{ "{\"id\":null}", "no id" },
		{ "{\"id\":\"\"}", "no id" },
		{ "{\"id\":7}", "id is not a string" },
		{ "{\"id\":{\"id\":\"a\"}}", "id is not a string" },
		{ "{\"id\":[\"a\"]}", "id is not a string" },
		{ "{\"id\":\"a\\u0000b\"}", "an id that holds a NUL" },
		{ "{\"id\":\"a\",\"org_id\":1}", "org_id is not a string" },
		{ "{\"title\":1,\"org_id\":1,\"id\":\"a\"}", "org_id is not a string" },
		{ "{\"id\":\"a\",\"type\":[]}", "type is not a string" },
		{ "{\"id\":\"a\",\"severity\":4}", "severity is not a string" },
		{ "{\"id\":\"a\",\"status\":true}", "status is not a string" },
		{ "{\"id\":\"a\",\"title\":{}}", "title is not a string" },
		{ "{\"id\":\"a\",\"message\":false}", "message is not a string" },
		{ "{\"id\":\"a\",\"user_id\":1}", "user_id is not a string" },
		{ "{\"id\":\"a\",\"policy_id\":1}", "policy_id is not a string" },
		{ "{\"id\":\"a\",\"created_at\":1736937000}", "created_at is not a string" },
		{ "{\"id\":\"a\",\"resolved_at\":0}", "resolved_at is not a string" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { "" };
		struct alert a;

		if (alert_read(&a, table[i].text, strlen(table[i].text), &err))
			fail_msg("taken: %s", table[i].text);
		assert_string_equal(err.text, table[i].reason);
		assert_null(a.bytes);
		assert_null(a.json);
	}
}

/* An item {"id":"xxx…"} whose id has len bytes; the caller frees it. */
static char *with_id_of(size_t len)
{
	char *id = mem_new(len + 1);
	char *text;

	memset(id, 'x', len);
	text = mem_printf("{\"id\":\"%s\"}", id);
	mem_free(&id);
	return text;
}

static void sizes_are_bounded(void **state)
{
	static const struct {
		size_t id_len;
		const char *reason; /* NULL: taken */
	} table[] = {
		{ 10000, NULL },
		{ ALERT_ID_MAX, NULL },
		{ ALERT_ID_MAX + 1, "an id of more than 16384 bytes" },
		{ ALERT_BYTES_MAX, "larger than 1048576 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char *text = with_id_of(table[i].id_len);
		struct err err = { "" };
		struct alert a;

		assert_true(alert_read(&a, text, strlen(text), &err) ==
			    (table[i].reason == NULL));
		assert_string_equal(err.text, table[i].reason ? table[i].reason : "");
		alert_release(&a);
		mem_free(&text);
	}
}

static void what_is_no_text_is_repaired_and_flagged(void **state)
{
	static const struct {
		const char *text, *title;
	} table[] = {
		{ "{\"id\":\"a\",\"title\":\"caf\xe9\"}", "caf\xef\xbf\xbd" },
		{ "{\"id\":\"a\",\"title\":\"cut \xf0\x9f\x98\"}", NULL },
		{ "{\"id\":\"a\",\"title\":\"cut \\ud83d\"}", "cut \xef\xbf\xbd" },
		{ "{\"id\":\"a\",\"title\":\"ok\",\"x\":\"\xff\"}", "ok" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct alert a;

		assert_true(alert_read(&a, table[i].text, strlen(table[i].text), NULL));
		assert_true(a.repaired);
		if (table[i].title != NULL)
			assert_string_equal(a.title, table[i].title);
		assert_true(json_check(a.bytes, a.bytes_len, NULL));
		alert_release(&a);
	}
}

static void a_repair_may_not_pass_the_bound(void **state)
{
	char *text = mem_new(ALERT_BYTES_MAX);
	struct err err;
	struct alert a;

	(void)state;
	memset(text, 0xff, ALERT_BYTES_MAX);
	memcpy(text, "{\"id\":\"a\",\"t\":\"", 15);
	memcpy(text + ALERT_BYTES_MAX - 2, "\"}", 2);
	assert_false(alert_read(&a, text, ALERT_BYTES_MAX, &err));
	assert_string_equal(err.text, "not JSON at byte 15: invalid UTF-8");
	mem_free(&text);
}

/* Hashes are stored: they never change. */
static void the_hash_is_for_ever(void **state)
{
	(void)state;
	assert_int_equal(alert_hash("", 0), 7183457195969485844);
	assert_int_equal(alert_hash(TEXT("{}")), 4905387166444775306);
	assert_int_equal(alert_hash(TEXT("{\"id\":\"a\"}")), 326974823887840096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documented_alert_is_read_whole),
		cmocka_unit_test(its_bytes_stay_as_they_came),
		cmocka_unit_test(an_id_alone_is_an_alert),
		cmocka_unit_test(fields_come_in_any_order_and_the_first_of_equal_ones_counts),
		cmocka_unit_test(unknown_words_and_times_pass_through),
		cmocka_unit_test(each_status_is_known),
		cmocka_unit_test(severities_are_ordered),
		cmocka_unit_test(what_is_no_alert_is_refused_with_a_reason),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(what_is_no_text_is_repaired_and_flagged),
		cmocka_unit_test(a_repair_may_not_pass_the_bound),
		cmocka_unit_test(the_hash_is_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
