/* form.h: bodies, a field's name, and what it is decoded to. */
#include "sim/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void a_field_is_found_and_decoded(void **state)
{
	static const struct {
		const char *body;
		const char *value; /* of "a"; NULL: none */
	} rows[] = {
		{ "a=1", "1" },
		{ "b=2&a=1", "1" },
		{ "a=1&a=2", "1" },
		{ "a=", "" },
		{ "a=x+y%20z", "x y z" },
		{ "a=%26%3d%2B", "&=+" },
		{ "a=b=c", "b=c" },
		{ "%61=1", "1" },
		{ "a=%C3%a9", "\xc3\xa9" },
		{ "", NULL },
		{ "a", NULL },
		{ "aa=1", NULL },
		{ "a=%", NULL },
		{ "a=%4", NULL },
		{ "a=%zz", NULL },
		{ "a=x%00y", NULL },
		{ "&&a=1&", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *value = form_get(rows[i].body, strlen(rows[i].body), "a");

		if ((value == NULL) != (rows[i].value == NULL))
			fail_msg("\"%s\": %s", rows[i].body, value == NULL ? "none" : value);
		if (value != NULL)
			assert_string_equal(value, rows[i].value);
		mem_free(&value);
	}
}

static void a_form_is_known_by_its_type(void **state)
{
	(void)state;
	assert_true(form_is_type("application/x-www-form-urlencoded"));
	assert_true(form_is_type("Application/X-WWW-Form-Urlencoded; charset=utf-8"));
	assert_false(form_is_type("application/x-www-form-urlencodedx"));
	assert_false(form_is_type("application/json"));
	assert_false(form_is_type(""));
	assert_false(form_is_type(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_found_and_decoded),
		cmocka_unit_test(a_form_is_known_by_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
