/* Texts that are wrong in one place each, and the one line that must be said of them. */
#include "model/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"
#include "model/facts.h"

enum colour { RED, GREEN, BLUE };

struct bell {
	char *text;
	struct conf_secret secret;
	int64_t wait_ms, size, count;
	struct rate rate;
	double share;
	bool loud;
	enum colour colour;
	struct conf_texts people;
	struct conf_pairs headers;
	int64_t inner_ms;
};

#define AT(member) offsetof(struct bell, member)

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct conf_key inner_keys[] = {
	{ .name = "wait", .kind = CONF_DURATION, .offset = AT(inner_ms), .fallback = "7s" },
	{ .name = NULL },
};

static const struct conf_key keys[] = {
	{ .name = "text", .kind = CONF_TEXT, .offset = AT(text), .one_line = true },
	{ .name = "secret", .kind = CONF_SECRET, .offset = AT(secret), .one_line = true },
	{ .name = "wait",
	  .kind = CONF_DURATION,
	  .offset = AT(wait_ms),
	  .fallback = "5s",
	  .min = "1s",
	  .max = "1h" },
	{ .name = "size",
	  .kind = CONF_SIZE,
	  .offset = AT(size),
	  .fallback = "64KiB",
	  .min = "1KiB" },
	{ .name = "count",
	  .kind = CONF_INT,
	  .offset = AT(count),
	  .fallback = "8",
	  .min = "1",
	  .max = "10" },
	{ .name = "rate", .kind = CONF_RATE, .offset = AT(rate), .fallback = "1/s" },
	{ .name = "share",
	  .kind = CONF_REAL,
	  .offset = AT(share),
	  .fallback = "0.5",
	  .max = "1" },
	{ .name = "loud", .kind = CONF_BOOL, .offset = AT(loud), .fallback = "true" },
	{ .name = "colour",
	  .kind = CONF_WORD,
	  .offset = AT(colour),
	  .words = colours,
	  .fallback = "green" },
	{ .name = "people",
	  .kind = CONF_TEXTS,
	  .offset = AT(people),
	  .fallback = "everybody",
	  .one_line = true },
	{ .name = "headers", .kind = CONF_PAIRS, .offset = AT(headers), .one_line = true },
	{ .name = "inner", .kind = CONF_NESTED, .nested = inner_keys },
	{ .name = NULL },
};

/* The world outside: one variable, one file of two lines, and nothing else. */
static char *resolve(const char *text, struct err *err)
{
	if (strcmp(text, "env:GOOD") == 0)
		return mem_strdup("hunter2");
	if (strcmp(text, "file:two-lines") == 0)
		return mem_strdup("hunter2\nhunter3");
	if (strncmp(text, "env:", 4) == 0) {
		err_set(err, "%s: the environment variable is not set", text);
		return NULL;
	}
	return mem_strdup(text);
}

/* Reads a text into b; every problem as "line: message\n" in said. */
static void read_bell(const char *text, struct bell *b, char *said, size_t size)
{
	struct conf_problems problems = { 0 };
	struct conf *conf = conf_parse(text, strlen(text), "t.conf", &problems);
	struct conf_reader r = { "t.conf", resolve, &problems };

	*b = (struct bell){ 0 };
	if (conf != NULL) {
		conf_fill(&r, conf_root(conf), "", keys, b);
		conf_check_names(&r, conf_root(conf), "",
				 (const struct conf_key *const[]){ keys, NULL });
	}
	conf_problems_sort(&problems);
	said[0] = '\0';
	for (size_t i = 0; i < problems.count; i++) {
		size_t len = strlen(said);

		snprintf(said + len, size - len, "%d: %s\n", problems.list[i].line,
			 problems.list[i].message);
	}
	conf_free(&conf);
	conf_problems_release(&problems);
}

static void a_key_that_is_not_set_has_its_default(void **state)
{
	struct bell b;
	char said[2000];

	(void)state;
	read_bell("", &b, said, sizeof(said));
	assert_string_equal(said, "");
	assert_null(b.text);
	assert_null(b.secret.reference);
	assert_int_equal(b.wait_ms, 5000);
	assert_int_equal(b.size, 65536);
	assert_int_equal(b.count, 8);
	assert_int_equal(b.rate.count, 1);
	assert_int_equal(b.rate.per_ms, 1000);
	assert_true(b.share == 0.5);
	assert_true(b.loud);
	assert_int_equal(b.colour, GREEN);
	assert_int_equal(b.people.count, 1);
	assert_string_equal(b.people.list[0], "everybody");
	assert_int_equal(b.headers.count, 0);
	assert_int_equal(b.inner_ms, 7000);
	conf_release(keys, &b);
}

static void every_kind_is_read(void **state)
{
	static const char text[] =
		"text = \"env:GOOD\"; secret = \"env:GOOD\"; wait = \"2m\"; size = \"1MiB\";\n"
		"count = 3; rate = \"5/10s\"; share = 1; loud = false; colour = \"blue\";\n"
		"people = [ \"ann\", \"env:GOOD\" ]; headers = { X-A = \"a\"; X-B = \"\"; };\n"
		"inner = { wait = \"9s\"; };\n";
	struct bell b;
	char said[2000];

	(void)state;
	read_bell(text, &b, said, sizeof(said));
	assert_string_equal(said, "");
	assert_string_equal(b.text, "hunter2");
	assert_string_equal(b.secret.reference, "env:GOOD");
	assert_string_equal(b.secret.value, "hunter2");
	assert_int_equal(b.wait_ms, 120000);
	assert_int_equal(b.size, 1 << 20);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.rate.per_ms, 10000);
	assert_true(b.share == 1.0);
	assert_false(b.loud);
	assert_int_equal(b.colour, BLUE);
	assert_int_equal(b.people.count, 2);
	assert_string_equal(b.people.list[1], "hunter2");
	assert_int_equal(b.headers.count, 2);
	assert_string_equal(b.headers.list[1].name, "X-B");
	assert_string_equal(b.headers.list[1].value, "");
	assert_int_equal(b.inner_ms, 9000);
	conf_release(keys, &b);
}

static const struct {
	const char *text;
	const char *said;
} mistakes[] = {
	/* kinds */
	{ "text = 5;", "1: text must be a string, in quotes\n" },
	{ "secret = true;", "1: secret must be a string, in quotes\n" },
	{ "wait = 5;",
	  "1: wait must be a string and needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"\n" },
	{ "wait = \"5\";",
	  "1: wait: \"5\" needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"\n" },
	{ "wait = true;", "1: wait must be a string such as \"5s\", \"10m\" or \"3d\"\n" },
	{ "size = 65536;", "1: size must be a string such as \"64MiB\"\n" },
	{ "rate = 1;", "1: rate must be a string such as \"1/s\", \"120/min\" or \"off\"\n" },
	{ "count = \"5\";", "1: count must be a whole number, without quotes\n" },
	{ "count = 5.0;", "1: count must be a whole number, without quotes\n" },
	{ "share = \"1\";", "1: share must be a number, without quotes\n" },
	{ "loud = \"true\";", "1: loud must be true or false, without quotes\n" },
	{ "colour = 1;", "1: colour must be \"red\", \"green\" or \"blue\"\n" },
	{ "colour = \"pink\";",
	  "1: colour is \"pink\"; it must be \"red\", \"green\" or \"blue\"\n" },
	{ "people = 5;",
	  "1: people must be a string or a list of strings: [ \"a\", \"b\" ]\n" },
	{ "people = ( \"a\", 5 );",
	  "1: people must be a string or a list of strings: [ \"a\", \"b\" ]\n" },
	{ "headers = \"X: y\";",
	  "1: headers must be a group of strings: { name = \"value\"; }\n" },
	{ "headers = { X-A = 5; };", "1: headers: X-A must be a string, in quotes\n" },
	{ "inner = \"5s\";", "1: inner must be a group: { key = value; }\n" },
	/* bounds */
	{ "wait = \"1ms\";", "1: wait must be from \"1s\" to \"1h\"\n" },
	{ "wait = \"61m\";", "1: wait must be from \"1s\" to \"1h\"\n" },
	{ "size = \"10\";", "1: size must be at least \"1KiB\"\n" },
	{ "count = 0;", "1: count must be from 1 to 10\n" },
	{ "count = 11;", "1: count must be from 1 to 10\n" },
	{ "count = 99999999999L;", "1: count must be from 1 to 10\n" },
	{ "share = 1.5;", "1: share must be at most 1\n" },
	{ "share = 1e999;", "1: share must be at most 1\n" },
	/* texts */
	{ "text = \"\";", "1: text is empty: give it a value, or leave it out\n" },
	{ "text = \"a\\nBcc: b\";", "1: text holds a line break: it must be one line\n" },
	{ "secret = \"file:two-lines\";",
	  "1: secret holds a line break: it must be one line\n" },
	{ "secret = \"env:BAD\";",
	  "1: secret: env:BAD: the environment variable is not set\n" },
	{ "\npeople = [ \"ann\",\n \"bo\\rb\"\n ];",
	  "3: people holds a line break: it must be one line\n" },
	{ "headers = { X-A = \"a\\r\\nX-B: b\"; };",
	  "1: headers: X-A holds a line break: it must be one line\n" },
	{ "headers = { X-A = \"env:BAD\"; };",
	  "1: headers: X-A: env:BAD: the environment variable is not set\n" },
	/* names */
	{ "\n\ntxet = \"a\";", "3: unknown key \"txet\"; did you mean \"text\"?\n" },
	{ "zzzzzzzz = 1;", "1: unknown key \"zzzzzzzz\"\n" },
	{ "inner = { wiat = \"9s\"; };",
	  "1: inner: unknown key \"wiat\"; did you mean \"wait\"?\n" },
	/* what libconfig stops at */
	{ "text = \"a\";\ntext = \"b\";", "2: duplicate setting name: this key is set twice in "
					  "its group; keep one\n" },
	{ "people = [ \"a\", 5 ];",
	  "1: mismatched element type in array: all of [ ... ] must be of one kind\n" },
	{ "count = 5;\n text \"a\";",
	  "2: a string can't stand here: is a = or a comma missing before it?\n" },
	{ "\ntext = \"a;\ncount = 5;\n",
	  "2: the string that begins here is never closed: look for a missing \"\n" },
	{ "text = \"a\"\n\n }",
	  "3: syntax error: look here and just above for a missing quote, bracket or \";\", or a "
	  "comma before a closing bracket\n" },
	/* what libconfig would change without a word */
	{ "text = \"a\\x00b\";", "1: a string can't hold a NUL (\\x00): remove it\n" },
	{ "count = 4294967299;", "1: the number 4294967299 is too large\n" },
	{ "count = 0x100000003;", "1: the number 0x100000003 is too large\n" },
	{ "\n@include \"/etc/hostname\"\n",
	  "2: @include is not supported: keep the configuration in one file, secrets apart by "
	  "\"file:PATH\"\n" },
	/* and what it does not: these look like it, and are right */
	{ "# 4294967299 \\x00 @include\n// \"\n/* \" @include\n*/ text = \"@include 4294967299\";",
	  "" },
	{ "text = \"a\\\\x00\";", "" },
	{ "text = \"a\\\"\\x30\" /* joined */ \"b\";", "" },
	{ "count = 3L;", "" },
	{ "count=-1;", "1: count must be from 1 to 10\n" },
};

static void each_mistake_is_one_line_with_its_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct bell b;
		char said[2000];

		read_bell(mistakes[i].text, &b, said, sizeof(said));
		if (strcmp(said, mistakes[i].said) != 0)
			print_error("in: %s\n", mistakes[i].text);
		assert_string_equal(said, mistakes[i].said);
		assert_null(strstr(said, "hunter"));
		conf_release(keys, &b);
	}
}

static void a_text_with_a_nul_is_not_parsed(void **state)
{
	struct conf_problems problems = { 0 };

	(void)state;
	assert_null(conf_parse("a = 1;\n\0b = 2;", 14, "t.conf", &problems));
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.list[0].line, 2);
	conf_problems_release(&problems);
}

/* libconfig notes a string one token late, so "d" would be told as line 8. */
static void strings_in_lists_have_their_own_line(void **state)
{
	static const char text[] = "l = (\n"
				   "\"a\"\n"
				   ",\n"
				   "\"b\"\n"
				   ", \"c\" /* and\n"
				   "more */ \"c\",\n"
				   "\"d\"\n"
				   ");\n";
	static const int lines[] = { 2, 4, 5, 7 };
	struct conf_problems problems = { 0 };
	struct conf *conf = conf_parse(text, strlen(text), "t.conf", &problems);

	(void)state;
	assert_non_null(conf);
	const struct conf_node *list = conf_get(conf_root(conf), "l");

	assert_int_equal(conf_count(list), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(conf_line(conf_at(list, i)), lines[i]);
	assert_string_equal(conf_string(conf_at(list, 2)), "cc");
	conf_free(&conf);
	conf_problems_release(&problems);
}

static void problems_are_told_in_order_of_line_errors_first(void **state)
{
	struct conf_problems problems = { 0 };

	(void)state;
	conf_problem(&problems, CONF_ERROR, "b", 1, "fifth");
	conf_problem(&problems, CONF_WARNING, "a", 9, "third");
	conf_problem(&problems, CONF_ERROR, "a", 9, "second");
	conf_problem(&problems, CONF_ERROR, "a", 0, "first");
	conf_problem(&problems, CONF_ERROR, "a", 10, "fourth\nis one line");
	conf_problems_sort(&problems);
	assert_int_equal(problems.count, 5);
	assert_int_equal(problems.error_count, 4);
	assert_string_equal(problems.list[0].message, "first");
	assert_string_equal(problems.list[1].message, "second");
	assert_string_equal(problems.list[2].message, "third");
	assert_string_equal(problems.list[3].message, "fourth is one line");
	assert_string_equal(problems.list[4].message, "fifth");
	conf_problems_release(&problems);
}

/* Every cut of a good text, and of one full of odd tokens: an answer, never a crash. */
static void a_text_that_is_cut_off_anywhere_is_answered(void **state)
{
	static const char text[] =
		"a = { b = ( [ 1, 0xffL ], { c = \"x\\x00\\\"\" \"y\"; } ); "
		"/* c */ d = -1.5e3, # e\n e = TRUE; } // f\n @include \"g\"";
	(void)state;
	for (size_t len = 0; len <= strlen(text); len++) {
		struct conf_problems problems = { 0 };
		struct conf *conf = conf_parse(text, len, "t.conf", &problems);

		assert_true(conf != NULL || problems.error_count > 0);
		conf_free(&conf);
		conf_problems_release(&problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_not_set_has_its_default),
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(each_mistake_is_one_line_with_its_remedy),
		cmocka_unit_test(a_text_with_a_nul_is_not_parsed),
		cmocka_unit_test(strings_in_lists_have_their_own_line),
		cmocka_unit_test(problems_are_told_in_order_of_line_errors_first),
		cmocka_unit_test(a_text_that_is_cut_off_anywhere_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
