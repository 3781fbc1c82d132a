/* args.h: command lines, what they come to, and what is said of wrong ones. */
#include "sim/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

enum { WORDS_MAX = 8 };

static bool parse(struct args *args, const char *const *words, struct err *err)
{
	char *argv[WORDS_MAX + 1] = { mem_strdup("toktra-sim") };
	int argc = 1;
	bool good;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = mem_strdup(words[argc - 1]);
	good = args_parse(args, argc, argv, err);
	for (int i = 0; i < argc; i++)
		mem_free(&argv[i]);
	return good;
}

static void no_options_are_a_sandbox(void **state)
{
	struct args args;

	(void)state;
	assert_true(parse(&args, (const char *const[]){ NULL }, NULL));
	assert_int_equal(args.port, 0);
	assert_false(args.has_seed);
	assert_int_equal(args.order, ORDER_NEWEST);
	assert_int_equal(args.history, 0);
	assert_int_equal(args.users, 24);
	assert_int_equal(args.rate.count, 0);
	assert_int_equal(args.limit_rpm, 1000);
	assert_int_equal(args.page_max, 100);
	assert_int_equal(args.cursor_ttl_ms, 600000);
	assert_int_equal(args.token_ttl_ms, 3600000);
	assert_int_equal(args.client_count, 1);
	assert_string_equal(args.clients[0].id, "sandbox");
	assert_string_equal(args.clients[0].secret, "sandbox");
	assert_null(args.hook_url);
	assert_int_equal(args.key_count, 1);
	assert_string_equal(args.keys[0], "sandbox-key");
	args_release(&args);
}

static void values_come_after_a_space_or_an_equals_sign(void **state)
{
	struct args args;

	(void)state;
	assert_true(parse(&args,
			  (const char *const[]){ "--port", "8080", "--seed=3", "--order=mixed",
						 "--rate", "2/s", "--history=9", NULL },
			  NULL));
	assert_int_equal(args.port, 8080);
	assert_true(args.has_seed);
	assert_int_equal(args.seed, 3);
	assert_int_equal(args.order, ORDER_MIXED);
	assert_int_equal(args.history, 9);
	assert_int_equal(args.rate.count, 2);
	args_release(&args);
}

static void clients_and_keys_replace_the_sandbox(void **state)
{
	struct args args;

	(void)state;
	assert_true(parse(&args,
			  (const char *const[]){ "--clients", "a:1,b:2:3", "--keys", "", NULL },
			  NULL));
	assert_int_equal(args.client_count, 2);
	assert_string_equal(args.clients[0].id, "a");
	assert_string_equal(args.clients[1].id, "b");
	assert_string_equal(args.clients[1].secret, "2:3");
	assert_int_equal(args.key_count, 0);
	args_release(&args);
}

static void a_wrong_option_is_told_with_a_hint(void **state)
{
	static const struct {
		const char *words[3];
		const char *says;
	} rows[] = {
		{ { "--prot", "1" }, "unknown option \"--prot\": did you mean --port?" },
		{ { "--hlep" }, "did you mean --help?" },
		{ { "xylophone" }, "see toktra-sim --help" },
		{ { "--webhook", "http://h:s" }, "--webhook \"...\": is plain http" },
		{ { "--webhook" }, "--webhook needs a value: --webhook URL:SECRET" },
		{ { "--port" }, "--port needs a value: --port P" },
		{ { "--port", "65536" }, "--port \"65536\": must be 0 to 65535" },
		{ { "--port", "-1" }, "must be 0 to 65535" },
		{ { "--seed", "x" }, "--seed \"x\"" },
		{ { "--order", "random" }, "newest, oldest or mixed" },
		{ { "--history", "5000000" }, "must be 0 to 4000000" },
		{ { "--users", "23" }, "must be 24 to 100000" },
		{ { "--rate", "5" }, "--rate \"5\"" },
		{ { "--rate", "10001/s" }, "more than 10000/s" },
		{ { "--limit-rpm", "0" }, "must be 1 to" },
		{ { "--page-max", "0" }, "must be 1 to 100" },
		{ { "--page-max", "101" }, "must be 1 to 100" },
		{ { "--cursor-ttl", "10" }, "--cursor-ttl \"10\"" },
		{ { "--token-ttl", "500ms" }, "1s or more" },
		{ { "--clients", "nocolon" }, "ID:SECRET" },
		{ { "--clients", ":secret" }, "ID:SECRET" },
		{ { "--clients", "id:" }, "ID:SECRET" },
		{ { "--keys", "a,,b" }, "KEY,KEY" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct args args;
		struct err err = { "" };

		if (parse(&args, rows[i].words, &err) || strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: \"%s\"", rows[i].words[0], err.text);
		args_release(&args);
	}
}

static void the_last_webhook_counts(void **state)
{
	struct args args;

	(void)state;
	assert_true(parse(&args,
			  (const char *const[]){ "--webhook", "https://a/:x",
						 "--webhook=https://b/:y", NULL },
			  NULL));
	assert_string_equal(args.hook_url, "https://b/");
	assert_string_equal(args.hook_secret, "y");
	args_release(&args);
}

static void a_secret_is_never_said(void **state)
{
	static const char *const rows[][3] = {
		{ "--clients", "a:hunter2,b" },
		{ "--webhook", "http://h/hunter2:hunter2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct args args;
		struct err err = { "" };

		assert_false(parse(&args, rows[i], &err));
		assert_null(strstr(err.text, "hunter2"));
		args_release(&args);
	}
}

static void help_names_every_option_and_wins(void **state)
{
	static const char *const names[] = { "--port",      "--seed",       "--order",
					     "--history",   "--users",      "--rate",
					     "--limit-rpm", "--cursor-ttl", "--token-ttl",
					     "--clients",   "--keys",       "--webhook",
					     "--help",      "/_sim/faults" };
	struct args args;
	struct buf help;

	(void)state;
	assert_true(parse(&args, (const char *const[]){ "--help", "--wrong", NULL }, NULL));
	assert_true(args.help);
	buf_init(&help, 1 << 16);
	args_add_help(&help);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(strstr(help.data, names[i]));
	buf_release(&help);
	args_release(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_options_are_a_sandbox),
		cmocka_unit_test(values_come_after_a_space_or_an_equals_sign),
		cmocka_unit_test(clients_and_keys_replace_the_sandbox),
		cmocka_unit_test(a_wrong_option_is_told_with_a_hint),
		cmocka_unit_test(the_last_webhook_counts),
		cmocka_unit_test(a_secret_is_never_said),
		cmocka_unit_test(help_names_every_option_and_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
