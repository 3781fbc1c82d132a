/* print: whatever comes in, what goes out is one safe line of at most so many characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/print.h"

static const struct {
	const char *says, *in;
	size_t max;
	const char *out;
} lines[] = {
	{ "plain text stays", "a title", 40, "a title" },
	{ "nothing is nothing", "", 40, "" },
	{ "white space becomes one space", " a \t\r\n  b ", 40, "a b" },
	{ "a terminal's commands lose their start", "a\033[31mb\aX", 40, "a [31mb X" },
	{ "DEL and C1 are gaps", "a\177b\302\233c", 40, "a b c" },
	{ "line separators are gaps", "a\342\200\250b\342\200\251c", 40, "a b c" },
	{ "marks of direction are gone", "a\342\200\256b\342\201\247c\357\273\277d", 40,
	  "abcd" },
	{ "bad UTF-8 is repaired", "a\377b\303", 40, "a\357\277\275b\357\277\275" },
	{ "exactly as long as allowed is not cut", "12345", 5, "12345" },
	{ "one more is cut, the ellipsis counts", "123456", 5, "1234…" },
	{ "characters count, not bytes", "ééééé", 5, "ééééé" },
	{ "and none is split", "éééééé", 5, "éééé…" },
	{ "a cut after a gap leaves no blank behind", "123 456", 5, "123…" },
	{ "blanks at the end are no reason to cut", "12345   ", 5, "12345" },
};

static void a_line_is_safe_and_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct buf out;

		buf_init(&out, 1000);
		buf_adds(&out, "> ");
		print_line(&out, lines[i].in, strlen(lines[i].in), lines[i].max);
		if (strcmp(out.data + 2, lines[i].out) != 0)
			fail_msg("%s: \"%s\"", lines[i].says, out.data + 2);
		buf_release(&out);
	}
}

static void a_text_of_megabytes_is_cut_like_any_other(void **state)
{
	size_t len = 8 << 20;
	char *text = mem_new(len);
	struct buf out;

	(void)state;
	memset(text, 'x', len);
	buf_init(&out, 1000);
	print_line(&out, text, len, 10);
	assert_string_equal(out.data, "xxxxxxxxx…");
	buf_release(&out);
	mem_free(&text);
}

static char *block_of(const char *text)
{
	char *data = NULL;
	size_t len;
	FILE *out = open_memstream(&data, &len);

	print_block(out, text, strlen(text));
	fclose(out);
	return data;
}

static void a_block_keeps_its_lines_and_tabs_alone(void **state)
{
	static const char *const cases[][2] = {
		{ "a\tb\n\n  c\n", "a\tb\n\n  c\n" },
		{ "a", "a\n" },
		{ "a\r\nb\033[2J\n", "a\nb[2J\n" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *out = block_of(cases[i][0]);

		assert_string_equal(out, cases[i][1]);
		free(out);
	}
}

static void what_is_no_terminal_has_no_colour(void **state)
{
	char *data = NULL;
	size_t len;
	FILE *out = open_memstream(&data, &len);

	(void)state;
	print_coloured(out, COLOUR_BAD, "dead");
	fclose(out);
	assert_string_equal(data, "dead");
	free(data);
}

static void problems_come_in_order_with_their_place(void **state)
{
	struct conf_problems p = { .list = NULL };
	char *data = NULL;
	size_t len;
	FILE *out = open_memstream(&data, &len);

	(void)state;
	conf_problem(&p, CONF_WARNING, "a.conf", 7, "odd \"x\"");
	conf_problem(&p, CONF_ERROR, "a.conf", 3, "wrong");
	conf_problem(&p, CONF_ERROR, "a.conf", 0, "all of it");
	print_problems(out, &p, false);
	print_problems(out, &p, true);
	fclose(out);
	assert_string_equal(
		data,
		"a.conf: all of it\na.conf:3: wrong\na.conf:7: warning: odd \"x\"\n"
		"{\"file\":\"a.conf\",\"line\":0,\"level\":\"error\",\"message\":\"all of it\"}\n"
		"{\"file\":\"a.conf\",\"line\":3,\"level\":\"error\",\"message\":\"wrong\"}\n"
		"{\"file\":\"a.conf\",\"line\":7,\"level\":\"warning\","
		"\"message\":\"odd \\\"x\\\"\"}\n");
	free(data);
	conf_problems_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_safe_and_short),
		cmocka_unit_test(a_text_of_megabytes_is_cut_like_any_other),
		cmocka_unit_test(a_block_keeps_its_lines_and_tabs_alone),
		cmocka_unit_test(what_is_no_terminal_has_no_colour),
		cmocka_unit_test(problems_come_in_order_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
