/* What is left of an alert, by a table of patterns. */
#include "model/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/json.h"

static void what_is_named_is_left_out(void **state)
{
	static const struct {
		const char *patterns[3], *object, *left;
	} table[] = {
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
		{ { "m.*" },
		  "{\"m\":[{\"a\":{\"b\":1}},2]}",
		  "{\"redacted\":true,\"m\":[{},2]}" },
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
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t count = 0;
		struct buf out;
		struct err err;

		while (count < 3 && table[i].patterns[count] != NULL)
			count++;
		buf_init(&out, 4096);
		assert_true(redact_object(&out, table[i].object, strlen(table[i].object),
					  (char *const *)table[i].patterns, count, &err));
		assert_string_equal(out.data, table[i].left);
		assert_true(json_check(out.data, out.len, &err));
		buf_release(&out);
	}
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
		cmocka_unit_test(what_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
