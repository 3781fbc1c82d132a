/* secret.h: where a value may come from, what it must be, and that no error shows it. */
#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

#define HUSH "hush-hush-4711"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tocsin-secret-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	char *path = file_join(dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	mem_free(&path);
}

static void remove_file(const char *name)
{
	char *path = file_join(dir, name);

	assert_int_equal(unlink(path), 0);
	mem_free(&path);
}

static void assert_resolves(const char *text, const char *value)
{
	struct err err = { "" };
	char *resolved = secret_resolve(text, &err);

	if (resolved == NULL)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(resolved, value);
	mem_free_secret(&resolved);
}

/* Each error begins with the reference and never holds what the value is. */
static void assert_fails(const char *text, const char *says)
{
	struct err err = { "" };

	assert_null(secret_resolve(text, &err));
	assert_null(secret_resolve(text, NULL));
	assert_memory_equal(err.text, text, strlen(text));
	assert_memory_equal(err.text + strlen(text), ": ", 2);
	if (strstr(err.text, says) == NULL)
		fail_msg("%s", err.text);
	assert_null(strstr(err.text, "hush"));
}

static void references_are_told_from_values(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_reference;
	} rows[] = {
		{ "env:X", true },          { "file:/x", true },    { "cred:x", true },
		{ "env:", true },           { "", false },          { "env", false },
		{ " env:X", false },        { "ENV:X", false },     { "files:/x", false },
		{ "https://hooks", false }, { "environ:X", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(secret_is_reference(rows[i].text), rows[i].is_reference);
}

static void a_plain_text_is_its_own_value(void **state)
{
	(void)state;
	assert_resolves(HUSH, HUSH);
	assert_resolves("", "");
	assert_resolves(" as it is ", " as it is ");
}

static void a_value_comes_from_the_environment(void **state)
{
	(void)state;
	setenv("TOCSIN_TEST_SECRET", " \t" HUSH "\r\n", 1);
	assert_resolves("env:TOCSIN_TEST_SECRET", HUSH);
	setenv("TOCSIN_TEST_SECRET", " \n", 1);
	assert_fails("env:TOCSIN_TEST_SECRET", "the value is empty");
	setenv("TOCSIN_TEST_SECRET", "", 1);
	assert_fails("env:TOCSIN_TEST_SECRET", "the value is empty");
	unsetenv("TOCSIN_TEST_SECRET");
	assert_fails("env:TOCSIN_TEST_SECRET", "the environment variable is not set");
	assert_fails("env:", "a name must follow");
}

static void a_value_comes_from_a_file(void **state)
{
	(void)state;
	char *text = mem_printf("file:%s/f", dir);

	assert_fails(text, "No such file or directory");
	write_file("f", "\n" HUSH " two words\n\n", strlen(HUSH) + 13);
	assert_resolves(text, HUSH " two words");
	write_file("f", "\n\n", 2);
	assert_fails(text, "the value is empty");
	write_file("f", "", 0);
	assert_fails(text, "the value is empty");
	write_file("f", HUSH "\0" HUSH, 2 * strlen(HUSH) + 1);
	assert_fails(text, "NUL byte");
	remove_file("f");
	mem_free(&text);
	assert_fails("file:/dev/zero", "is not a regular file");
	assert_fails("file:", "a name must follow");
}

static void a_value_has_a_bound(void **state)
{
	(void)state;
	static char hush[65537];
	char *text = mem_printf("file:%s/f", dir);
	struct err err;

	for (size_t i = 0; i < sizeof(hush); i++)
		hush[i] = "hush"[i % 4];
	write_file("f", hush, sizeof(hush) - 1);
	char *value = secret_resolve(text, &err);

	assert_non_null(value);
	assert_int_equal(strlen(value), 65536);
	mem_free_secret(&value);
	write_file("f", hush, sizeof(hush));
	assert_fails(text, "is larger than 65536 bytes");
	remove_file("f");
	mem_free(&text);
	char *endless = mem_printf("%.65536s!", hush);

	setenv("TOCSIN_TEST_SECRET", endless, 1);
	assert_fails("env:TOCSIN_TEST_SECRET", "is larger than 65536 bytes");
	unsetenv("TOCSIN_TEST_SECRET");
	mem_free(&endless);
}

static void a_value_comes_from_systemd(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_fails("cred:token", "LoadCredential=");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_fails("cred:token", "No such file or directory");
	write_file("token", HUSH "\n", strlen(HUSH) + 1);
	assert_resolves("cred:token", HUSH);
	assert_fails("cred:../token", "without a folder");
	assert_fails("cred:/etc/passwd", "without a folder");
	assert_fails("cred:..", "without a folder");
	assert_fails("cred:", "a name must follow");
	remove_file("token");
	unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_told_from_values),
		cmocka_unit_test(a_plain_text_is_its_own_value),
		cmocka_unit_test(a_value_comes_from_the_environment),
		cmocka_unit_test(a_value_comes_from_a_file),
		cmocka_unit_test(a_value_has_a_bound),
		cmocka_unit_test(a_value_comes_from_systemd),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
