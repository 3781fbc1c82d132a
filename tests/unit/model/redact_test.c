/* What is left of an alert, by a table of patterns. */
#include "model/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/json.h"

struct row {
	const char *patterns[3], *object, *left;
};

static void expect_left(const struct row *row)
{
	size_t count = 0;
	struct buf out;
	struct err err;

	while (count < 3 && row->patterns[count] != NULL)
		count++;
	buf_init(&out, 4096);
	assert_true(redact_object(&out, row->object, strlen(row->object),
				  (char *const *)row->patterns, count, &err));
	assert_string_equal(out.data, row->left);
	assert_true(json_check(out.data, out.len, &err));
	buf_release(&out);
}

static void what_is_named_is_left_out(void **state)
{
	static const struct row table[] = {
		{ { "message" },
		  "{\"id\":\"a\",\"message\":\"m\",\"n\":1.50}",
		  "{\"redacted\":true,\"id\":\"a\",\"n\":1.50}" },
		{ { "metadata.model" },
		  "{\"metadata\":{\"model\":\"x\",\"tokens\":3},\"model\":1}",
		  "{\"redacted\":true,\"metadata\":{\"tokens\":3},\"model\":1}" },
		{ { "metadata.*" },
		  "{\"metadata\":{\"model\":\"x\"},\"metadatas\":2}",
		  "{\"redacted\":true,\"metadata\":{},\"metadatas\":2}" },
		{ { "metadata" }, "{\"metadata\":{\"model\":\"x\"}}", "{\"redacted\":true}" },
		/* through lists, and deep */
		{ { "m.l.secret" },
		  "{\"m\":{\"l\":[{\"secret\":1,\"b\":2},7,[{\"secret\":3}]]}}",
		  "{\"redacted\":true,\"m\":{\"l\":[{\"b\":2},7,[{}]]}}" },
		/* all within something that has no members: it goes itself */
		{ { "m.*" },
		  "{\"m\":[{\"a\":{\"b\":1}},2],\"n\":1}",
		  "{\"redacted\":true,\"n\":1}" },
		{ { "m.*" },
		  "{\"m\":\"word\",\"mm\":\"x\"}",
		  "{\"redacted\":true,\"mm\":\"x\"}" },
		{ { "a.m.*" },
		  "{\"a\":{\"m\":[\"x\"],\"n\":[\"y\"]}}",
		  "{\"redacted\":true,\"a\":{\"n\":[\"y\"]}}" },
		{ { "m.*" }, "{\"m\":null}", "{\"redacted\":true,\"m\":null}" },
		{ { "a.b", "c" },
		  "{\"a\":{\"b\":1,\"bb\":2},\"c\":3}",
		  "{\"redacted\":true,\"a\":{\"bb\":2}}" },
		/* however it is written, and as often as it comes */
		{ { "message" },
		  "{\"mess\\u0061ge\":1,\"message\":2,\"x\":\"\\u0000\"}",
		  "{\"redacted\":true,\"x\":\"\\u0000\"}" },
		/* not named: letter case, a part, a path that ends elsewhere */
		{ { "message" },
		  "{\"Message\":1,\"message_id\":2,\"a\":{\"message\":3}}",
		  "{\"redacted\":true,\"Message\":1,\"message_id\":2,\"a\":{\"message\":3}}" },
		/* an alert that says so of itself does not say it for us */
		{ { "x" },
		  "{\"redacted\":false,\"x\":1}",
		  "{\"redacted\":true,\"redacted\":false}" },
		{ { NULL }, "{}", "{\"redacted\":true}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		expect_left(&table[i]);
}

static void of_a_context_also_what_it_says_again(void **state)
{
	static const struct row table[] = {
		/* by path, all of an object, all in an object */
		{ { "user.email", "budget.*", "policy" },
		  "{\"user\":{\"email\":\"e\",\"name\":\"n\"},\"policy\":{\"id\":1},"
		  "\"budget\":{\"amount\":5000.00,\"percent\":84.2}}",
		  "{\"redacted\":true,\"user\":{\"name\":\"n\"},\"budget\":{}}" },
		{ { "user.name" },
		  "{\"user\":{\"name\":1,\"n\\u0061me\":2,\"id\":3,\"name\":4}}",
		  "{\"redacted\":true,\"user\":{\"id\":3}}" },
		/* what is said twice goes twice, but no more than is named */
		{ { "user.email" },
		  "{\"usage\":{\"user_id\":\"u\",\"user_email\":\"e\",\"user\\u005femail\":2}}",
		  "{\"redacted\":true,\"usage\":{\"user_id\":\"u\"}}" },
		{ { "user.*" },
		  "{\"user_id\":\"u\",\"usage\":{\"user_id\":\"u\",\"user_email\":\"e\"}}",
		  "{\"redacted\":true,\"user_id\":\"u\",\"usage\":{\"user_id\":\"u\"}}" },
		{ { "user" },
		  "{\"user\":{\"id\":1},\"usage\":{\"user_email\":\"e\"}}",
		  "{\"redacted\":true,\"usage\":{}}" },
		{ { "user_id", "policy_id" },
		  "{\"user_id\":1,\"user\":{\"id\":1,\"name\":2},\"policy\":{\"id\":1,\"name\":2},"
		  "\"usage\":{\"user_id\":1,\"n\":2}}",
		  "{\"redacted\":true,\"user\":{\"name\":2},\"policy\":{\"name\":2},"
		  "\"usage\":{\"n\":2}}" },
		{ { "metadata.*" },
		  "{\"metadata\":{\"model\":1},\"budget\":{\"id\":1,\"n\":2},"
		  "\"usage\":{\"own\":{\"model\":1,\"n\":2}}}",
		  "{\"redacted\":true,\"metadata\":{},\"budget\":{\"n\":2},"
		  "\"usage\":{\"own\":{\"n\":2}}}" },
		{ { "usage.*" },
		  "{\"user_id\":1,\"user\":{\"email\":2},\"usage\":{\"user_email\":2}}",
		  "{\"redacted\":true,\"user_id\":1,\"user\":{\"email\":2},\"usage\":{}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		expect_left(&table[i]);
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = { "", "[]", "\"x\"", "{\"a\":", "{} x" };
	char *const none[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf out;
		struct err err;

		buf_init(&out, 4096);
		assert_false(redact_object(&out, texts[i], strlen(texts[i]), none, 0, &err));
		buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_left_out),
		cmocka_unit_test(of_a_context_also_what_it_says_again),
		cmocka_unit_test(what_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
