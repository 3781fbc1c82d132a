/* conf/tocsin.conf as it is shipped, read with the sinks that exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "model/settings.h"

static const char path[] = "conf/tocsin.conf";
static const char *const variables[] = { "TOKTRA_CLIENT_ID", "TOKTRA_CLIENT_SECRET",
					 "SLACK_WEBHOOK_URL" };

static char *find_preset(const struct settings *settings, const char *name, char **found,
			 size_t *len, struct err *err)
{
	struct buf text;

	(void)settings;
	*found = mem_printf("templates/presets/%s.preset", name);
	buf_init(&text, 1 << 20);
	assert_true(file_read(*found, &text, err));
	return buf_take(&text, len);
}

/* Reads text as the file; the problems are the caller's. */
static bool is_right(const char *text, size_t len, struct conf_problems *problems)
{
	struct settings_context ctx = { .file = path,
					.types = sink_types,
					.resolve = secret_resolve,
					.preset = find_preset };
	struct settings *s = settings_read(text, len, &ctx, problems);
	bool answer = s != NULL;

	for (size_t i = 0; i < problems->count; i++)
		print_message("%d: %s\n", problems->list[i].line, problems->list[i].message);
	settings_free(&s);
	return answer;
}

static void load(struct buf *text)
{
	struct err err;

	buf_init(text, 1 << 20);
	assert_true(file_read(path, text, &err));
}

static void without_the_secrets_each_of_them_is_asked_for_and_nothing_else(void **state)
{
	struct conf_problems problems = { 0 };
	struct buf text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	load(&text);
	assert_false(is_right(text.data, text.len, &problems));
	assert_int_equal(problems.count, ARRAY_LEN(variables));
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		assert_non_null(strstr(problems.list[i].message, variables[i]));
	conf_problems_release(&problems);
	buf_release(&text);
}

static void set_secrets(void)
{
	setenv("TOKTRA_CLIENT_ID", "ci", 1);
	setenv("TOKTRA_CLIENT_SECRET", "cs", 1);
	setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/x", 1);
	setenv("SLACK_BOT_TOKEN", "xoxb-1", 1);
	setenv("SMTP_PASSWORD", "p", 1);
	setenv("PAGERDUTY_KEY", "0123456789abcdef0123456789abcdef", 1);
	setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
}

static void with_the_secrets_it_is_right(void **state)
{
	struct conf_problems problems = { 0 };
	struct buf text;

	(void)state;
	set_secrets();
	load(&text);
	assert_true(is_right(text.data, text.len, &problems));
	assert_int_equal(problems.count, 0);
	conf_problems_release(&problems);
	buf_release(&text);
}

/* Makes a commented line of ours live: "#x" where x is no blank, after any indentation. */
static void uncomment_blocks(struct buf *out, const char *text)
{
	static const char *const starts[] = { "#, {", "#  ", "#}", "#{" };

	while (*text != '\0') {
		size_t len = strcspn(text, "\n"), indent = strspn(text, " ");
		bool is_example = false;

		for (size_t i = 0; i < ARRAY_LEN(starts); i++)
			is_example |= indent > 0 &&
				      strncmp(text + indent, starts[i], strlen(starts[i])) == 0;
		if (is_example)
			buf_add(out, text + indent + 1, len - indent - 1);
		else
			buf_add(out, text, len);
		buf_addc(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void its_examples_are_right_too(void **state)
{
	struct conf_problems problems = { 0 };
	struct buf text, live;

	(void)state;
	set_secrets();
	load(&text);
	buf_init(&live, 1 << 20);
	uncomment_blocks(&live, text.data);
	assert_non_null(strstr(live.data, "\n  name   = \"mail\""));
	assert_true(is_right(live.data, live.len, &problems));
	conf_problems_release(&problems);
	buf_release(&text);
	buf_release(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_the_secrets_each_of_them_is_asked_for_and_nothing_else),
		cmocka_unit_test(with_the_secrets_it_is_right),
		cmocka_unit_test(its_examples_are_right_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
