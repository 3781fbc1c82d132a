/* What may go into a request, and what a reply's headers say. */
#include "model/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void a_header_cannot_end_its_line(void **state)
{
	static const struct {
		const char *name, *value;
		bool ok;
	} table[] = {
		{ "X-Team", "sec", true },
		{ "X-Empty", "", true },
		{ "Subject", "=?UTF-8?Q?=C3=A9?= \xc3\xa9 \"a: b\"", true },
		{ "webhook-id", "tcs_1", true },
		{ "X", "a\r\nBcc: all@acme.com", false },
		{ "X", "a\nb", false },
		{ "X", "a\rb", false },
		{ "X", "\n", false },
		{ "X\r\nY", "a", false },
		{ "X\nY", "a", false },
		{ "X: Y", "a", false },
		{ "X:", "a", false },
		{ "X Y", "a", false },
		{ "X\tY", "a", false },
		{ "\xc3\xa9", "a", false },
		{ "", "a", false },
	};
	struct request r;
	size_t taken = 0;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { "" };

		assert_true(request_header(&r, table[i].name, table[i].value, &err) ==
			    table[i].ok);
		assert_true((err.text[0] == '\0') == table[i].ok);
		assert_null(strchr(err.text, '\n'));
		taken += table[i].ok;
	}
	assert_int_equal(r.header_count, taken);
	assert_string_equal(r.headers[0], "X-Team: sec");
	request_release(&r);
}

static void a_name_is_of_the_bytes_of_a_token(void **state)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct request r;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	for (int c = 1; c < 256; c++) {
		const char name[] = { 'X', (char)c, '\0' };

		assert_true(request_header(&r, name, "a", NULL) == (strchr(token, c) != NULL));
	}
	request_release(&r);
}

static void a_refused_value_is_not_told(void **state)
{
	struct request r;
	struct err err;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_false(request_header(&r, "Authorization", "s3cret\n", &err));
	assert_null(strstr(err.text, "s3cret"));
	request_release(&r);
}

static void a_header_is_found_whatever_its_case(void **state)
{
	struct request r;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_null(request_get_header(&r, "a"));
	assert_true(request_header(&r, "Content-Type", "application/json", NULL));
	assert_true(request_header(&r, "Content", "x", NULL));
	assert_string_equal(request_get_header(&r, "content-type"), "application/json");
	assert_string_equal(request_get_header(&r, "CONTENT"), "x");
	assert_null(request_get_header(&r, "Conten"));
	assert_null(request_get_header(&r, "Content-Type:"));
	request_release(&r);
	assert_int_equal(r.header_count, 0);
}

static void a_recipient_is_one_address(void **state)
{
	static const struct {
		const char *address;
		bool ok;
	} table[] = {
		{ "oncall@acme.com", true },
		{ "o'neil+x@acme.com", true },
		{ "", false },
		{ "a@b\r\nRCPT TO:<c@d", false },
		{ "a@b\n", false },
		{ "a@b\r", false },
		{ "<a@b>", false },
		{ "a@b> NOTIFY=NEVER", false },
		{ "a@b c@d", false },
		{ "a@b\tc", false },
	};
	struct request r;

	(void)state;
	request_init(&r, REQUEST_MAIL);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_true(request_recipient(&r, table[i].address, NULL) == table[i].ok);
	assert_int_equal(r.recipient_count, 2);
	assert_string_equal(r.recipients[0], "oncall@acme.com");
	request_release(&r);
}

static void a_request_frees_all_that_it_owns(void **state)
{
	struct request r;
	char **texts[] = {
		&r.url,  &r.method, &r.username, &r.password,  &r.bearer,   &r.from,
		&r.text, &r.html,   &r.ca_file,  &r.cert_file, &r.key_file, &r.proxy
	};

	(void)state;
	request_init(&r, REQUEST_MAIL);
	assert_int_equal(r.kind, REQUEST_MAIL);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = mem_strdup("x");
	assert_true(buf_adds(&r.body, "body"));
	request_release(&r);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_null(*texts[i]);
	request_release(&r);
}

static void a_reply_header_is_found_whatever_its_case(void **state)
{
	static const char headers[] = "Date: Tue, 24 Nov 2026 03:45:56 GMT\r\n"
				      "X-RateLimit-Limit:\t 1000 \t\r\n"
				      "empty:\r\n"
				      "Twice: one\r\n"
				      "TWICE: two\r\n"
				      "no colon\r\n"
				      ": no name\r\n"
				      "cut: of";
	static const struct {
		const char *name, *value; /* NULL: none */
	} table[] = {
		{ "date", "Tue, 24 Nov 2026 03:45:56 GMT" },
		{ "x-ratelimit-limit", "1000" },
		{ "Empty", "" },
		{ "twice", "two" },
		{ "Cut", "of" },
		{ "X-RateLimit", NULL },
		{ "no colon", NULL },
		{ "absent", NULL },
	};
	struct reply r = { .headers = headers };
	char value[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_true(reply_header(&r, table[i].name, value, sizeof(value)) ==
			    (table[i].value != NULL));
		if (table[i].value != NULL)
			assert_string_equal(value, table[i].value);
	}
	assert_true(reply_header(&r, "Date", value, 4));
	assert_string_equal(value, "Tue");
	r.headers = "";
	assert_false(reply_header(&r, "Date", value, sizeof(value)));
}

static void retry_after_is_read_in_either_form(void **state)
{
	static const struct {
		const char *headers;
		int64_t wait_ms;
	} table[] = {
		{ "", -1 },
		{ "Retry-After: 0\r\n", 0 },
		{ "Retry-After: 120\r\n", 120000 },
		{ "retry-after:\t120 \r\n", 120000 },
		{ "Retry-After: 120, 5\r\n", 120000 },
		{ "Retry-After: 120 ,5\r\n", 120000 },
		{ "Retry-After: 9\r\nRetry-After: 7\r\n", 7000 },
		{ "Retry-After: 99999999999999999999\r\n", 10000000000000 },
		{ "Retry-After: 9223372036854775808\r\n", 10000000000000 },
		{ "Retry-After: Tue, 24 Nov 2026 03:46:56 GMT\r\n", 60000 },
		{ "Retry-After: Tuesday, 24-Nov-26 03:46:56 GMT\r\n", 60000 },
		{ "Retry-After: Tue Nov 24 03:46:56 2026\r\n", 60000 },
		{ "Retry-After: Tue, 24 Nov 2026 03:45:56 GMT\r\n", 0 },
		{ "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0 },
		{ "Retry-After: -1\r\n", -1 },
		{ "Retry-After: +5\r\n", -1 },
		{ "Retry-After: 1.5\r\n", 2000 },
		{ "Retry-After: 1.0\r\n", 1000 },
		{ "Retry-After: 0.75, 9\r\n", 1000 },
		{ "Retry-After: 1.5s\r\n", -1 },
		{ "Retry-After: 1.\r\n", -1 },
		{ "Retry-After: .5\r\n", -1 },
		{ "Retry-After: 5s\r\n", -1 },
		{ "Retry-After: 0x10\r\n", -1 },
		{ "Retry-After: soon\r\n", -1 },
		{ "Retry-After:\r\n", -1 },
		{ "Retry-After: , 5\r\n", -1 },
		{ "Retry-After: Tue, 99 Nov 2026 03:46:56 GMT\r\n", -1 },
		{ "X-Retry-After: 5\r\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		/* Tue, 24 Nov 2026 03:45:56 GMT */
		struct reply r = { .headers = table[i].headers, .at = 1795491956000 };

		if (reply_retry_after_ms(&r) != table[i].wait_ms)
			fail_msg("%s: %lld ms", table[i].headers,
				 (long long)reply_retry_after_ms(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_cannot_end_its_line),
		cmocka_unit_test(a_name_is_of_the_bytes_of_a_token),
		cmocka_unit_test(a_refused_value_is_not_told),
		cmocka_unit_test(a_header_is_found_whatever_its_case),
		cmocka_unit_test(a_recipient_is_one_address),
		cmocka_unit_test(a_request_frees_all_that_it_owns),
		cmocka_unit_test(a_reply_header_is_found_whatever_its_case),
		cmocka_unit_test(retry_after_is_read_in_either_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
