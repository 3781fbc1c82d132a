/*
 * References that are read again: what is another by now is taken, what cannot be read is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/conf.h"
#include "model/facts.h"

struct inner {
	struct conf_secret key;
};

struct bell {
	struct conf_secret secret;
	struct conf_texts both;
	struct conf_pairs vars;
	struct inner inner;
};

static const struct conf_key inner_keys[] = {
	{ .name = "key", .kind = CONF_SECRET, .offset = offsetof(struct inner, key) },
	{ .name = NULL },
};

static const struct conf_key keys[] = {
	{ .name = "secret",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct bell, secret) },
	{ .name = "both", .kind = CONF_TEXTS, .offset = offsetof(struct bell, both) },
	{ .name = "vars", .kind = CONF_PAIRS, .offset = offsetof(struct bell, vars) },
	{ .name = "inner",
	  .kind = CONF_NESTED,
	  .nested = inner_keys,
	  .offset = offsetof(struct bell, inner) },
	{ .name = NULL },
};

/* What "env:A" and "env:B" stand for now; NULL: nothing. Other texts stand for themselves. */
static const char *a, *b;

static char *resolve(const char *text, struct err *err)
{
	const char *value = strcmp(text, "env:A") == 0   ? a
			    : strcmp(text, "env:B") == 0 ? b
							 : text;

	if (value == NULL)
		err_set(err, "%s is not set", text);
	return mem_strdup(value);
}

static void read_bell(struct bell *bell)
{
	static const char text[] = "secret = \"env:A\"; both = [ \"plain\", \"env:B\" ];"
				   "vars = { team = \"sec\"; token = \"env:B\"; };"
				   "inner = { key = \"env:A\"; };";
	struct conf_problems problems = { .list = NULL };
	struct conf *conf = conf_parse(text, strlen(text), "t.conf", &problems);
	const struct conf_reader r = { "t.conf", resolve, &problems };

	a = "a-1";
	b = "b-1";
	*bell = (struct bell){ .inner = { .key = { .value = NULL } } };
	conf_fill(&r, conf_root(conf), "", keys, bell);
	assert_int_equal(problems.count, 0);
	conf_free(&conf);
}

static void expect(const struct bell *bell, const char *of_a, const char *of_b)
{
	assert_string_equal(bell->secret.value, of_a);
	assert_string_equal(bell->inner.key.value, of_a);
	assert_string_equal(bell->both.list[0], "plain");
	assert_string_equal(bell->both.list[1], of_b);
	assert_string_equal(bell->vars.list[0].value, "sec");
	assert_string_equal(bell->vars.list[1].value, of_b);
}

static void what_is_another_by_now_is_taken_and_the_former_kept_beside_it(void **state)
{
	struct bell bell;

	(void)state;
	read_bell(&bell);
	expect(&bell, "a-1", "b-1");
	assert_false(conf_refresh(keys, &bell, resolve));
	assert_null(bell.secret.former);
	a = "a-2";
	assert_true(conf_refresh(keys, &bell, resolve));
	expect(&bell, "a-2", "b-1");
	assert_string_equal(bell.secret.former, "a-1");
	b = "b-2";
	assert_true(conf_refresh(keys, &bell, resolve));
	expect(&bell, "a-2", "b-2");
	assert_string_equal(bell.vars.list[1].former, "b-1");
	assert_false(conf_refresh(keys, &bell, resolve));
	conf_release(keys, &bell);
}

static void what_cannot_be_read_or_be_one_changes_nothing(void **state)
{
	struct bell bell;

	(void)state;
	read_bell(&bell);
	a = b = NULL;
	assert_false(conf_refresh(keys, &bell, resolve));
	expect(&bell, "a-1", "b-1");
	a = b = "";
	assert_false(conf_refresh(keys, &bell, resolve));
	expect(&bell, "a-1", "b-1");
	a = "two\nlines"; /* which the nested key allows, and `secret` does not */
	assert_true(conf_refresh(keys, &bell, resolve));
	assert_string_equal(bell.secret.value, "a-1");
	assert_string_equal(bell.inner.key.value, "two\nlines");
	conf_release(keys, &bell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_another_by_now_is_taken_and_the_former_kept_beside_it),
		cmocka_unit_test(what_cannot_be_read_or_be_one_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
