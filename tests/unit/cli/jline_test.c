/* jline: one line, one object, valid whatever bytes went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/jline.h"
#include "model/json.h"

struct fixture {
	FILE *out;
	char *data;
	size_t len;
	struct jline j;
};

static void start(struct fixture *f)
{
	*f = (struct fixture){ .data = NULL };
	f->out = open_memstream(&f->data, &f->len);
	jline_begin(&f->j, f->out);
}

static void end(struct fixture *f, const char *expected)
{
	struct err err;

	jline_end(&f->j);
	fclose(f->out);
	assert_string_equal(f->data, expected);
	if (!json_check(f->data, f->len, &err))
		fail_msg("%s", err.text);
	assert_ptr_equal(strpbrk(f->data, "\r\n"), f->data + f->len - 1);
	free(f->data);
}

static void commas_are_put_by_themselves(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	jline_open(&f.j, "a", '[');
	jline_close(&f.j, ']');
	jline_open(&f.j, "b", '{');
	jline_int(&f.j, "c", -7);
	jline_open(&f.j, "d", '[');
	jline_text(&f.j, NULL, "x");
	jline_text(&f.j, NULL, "[");
	jline_bool(&f.j, NULL, true);
	jline_close(&f.j, ']');
	jline_null(&f.j, "e");
	jline_close(&f.j, '}');
	jline_text(&f.j, "f", NULL);
	end(&f, "{\"a\":[],\"b\":{\"c\":-7,\"d\":[\"x\",\"[\",true],\"e\":null},\"f\":null}\n");
}

static void an_instant_is_iso_and_has_milliseconds_where_it_has_some(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	jline_at(&f.j, "a", INT64_C(1795491956000));
	jline_at(&f.j, "b", INT64_C(1795491956007));
	jline_at(&f.j, "c", 0);
	end(&f, "{\"a\":\"2026-11-24T03:45:56Z\",\"b\":\"2026-11-24T03:45:56.007Z\","
		"\"c\":null}\n");
}

static void texts_are_escaped_and_repaired(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\"b\\c", "a\\\"b\\\\c" },
		{ "a\nb", "a\\nb" },
		{ "a\033[1m", "a\\u001b[1m" },
		{ "a\377b", "a\357\277\275b" },
		{ "\302\205", "\\u0085" }, /* NEL: a line's end to some */
		{ "\342\200\250\342\200\251", "\\u2028\\u2029" },
		{ "\177\302\237", "\\u007f\\u009f" },
		{ "\302\240\342\200\247é", "\302\240\342\200\247é" }, /* neighbours stay */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *expected = mem_printf("{\"t\":\"%s\"}\n", cases[i].out);
		struct fixture f;

		start(&f);
		jline_text(&f.j, "t", cases[i].in);
		end(&f, expected);
		mem_free(&expected);
	}
}

static void json_passes_on_one_line(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{\n\t\"a\" : [1,\r\n2] }", "{  \"a\" : [1,  2] }" },
		{ "{\"n\":12345678901234567890.10}", "{\"n\":12345678901234567890.10}" },
		{ "{\"a\":\"\342\200\250x\302\233\"}", "{\"a\":\"\\u2028x\\u009b\"}" },
		{ "null", "null" },
		/* What is no JSON is a text, and still a valid line. */
		{ "{\"a\":", "\"{\\\"a\\\":\"" },
		{ "not\nJSON", "\"not\\nJSON\"" },
		{ "", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *expected = mem_printf("{\"alert\":%s,\"z\":1}\n", cases[i].out);
		struct fixture f;

		start(&f);
		jline_json(&f.j, "alert", cases[i].in, strlen(cases[i].in));
		jline_int(&f.j, "z", 1);
		end(&f, expected);
		mem_free(&expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_are_put_by_themselves),
		cmocka_unit_test(an_instant_is_iso_and_has_milliseconds_where_it_has_some),
		cmocka_unit_test(texts_are_escaped_and_repaired),
		cmocka_unit_test(json_passes_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
