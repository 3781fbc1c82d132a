/* settings.h: where to listen, as people write it. */
#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void an_address_and_a_port_are_taken(void **state)
{
	static const struct {
		const char *text, *address;
		unsigned port;
	} cases[] = {
		{ "127.0.0.1:9464", "127.0.0.1", 9464 }, { "0.0.0.0:1", "0.0.0.0", 1 },
		{ "[::1]:9464", "::1", 9464 },           { "[::]:65535", "::", 65535 },
		{ "[fe80::a:b]:80", "fe80::a:b", 80 },   { "127.0.0.1:0", "127.0.0.1", 0 },
		{ "localhost:9464", "127.0.0.1", 9464 },
	};
	struct settings_listen at;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!settings_parse_listen(cases[i].text, &at, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_true(at.is_on);
		assert_string_equal(at.address, cases[i].address);
		assert_int_equal(at.port, cases[i].port);
	}
}

static void nothing_is_nowhere(void **state)
{
	struct settings_listen at;

	(void)state;
	assert_true(settings_parse_listen("", &at, NULL));
	assert_false(at.is_on);
}

static void what_is_neither_is_an_error_with_the_remedy(void **state)
{
	static const struct {
		const char *text, *remedy;
	} cases[] = {
		{ "9464", "\"127.0.0.1:9464\"" },
		{ ":9464", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1:", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1:http", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1:65536", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1:-1", "\"127.0.0.1:9464\"" },
		{ "127.0.0.1:9464 ", "\"127.0.0.1:9464\"" },
		{ "[]:9464", "\"127.0.0.1:9464\"" },
		{ "1234567890123456789012345678901234567890123456789:1", "\"127.0.0.1:9464\"" },
		{ "*:9464", "\"0.0.0.0:9464\" for all" },
		{ "::1:9464", "numeric address" },
		{ "[127.0.0.1]:9464", "numeric address" },
		{ "127.1:9464", "numeric address" },
		{ "monitor.example.com:9464", "numeric address" },
		{ "http://127.0.0.1:9464", "numeric address" },
	};
	struct settings_listen at;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (settings_parse_listen(cases[i].text, &at, &err))
			fail_msg("%s is taken", cases[i].text);
		if (strstr(err.text, cases[i].remedy) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_and_a_port_are_taken),
		cmocka_unit_test(nothing_is_nowhere),
		cmocka_unit_test(what_is_neither_is_an_error_with_the_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
