/* mem.h: what it hands out is zeroed, counted right, and freed through the pointer's address. */
#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_comes_zeroed(void **state)
{
	(void)state;
	unsigned char *p = mem_new(100);
	int64_t *numbers = mem_array(10, sizeof(*numbers));

	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(numbers[i], 0);
	mem_free(&p);
	mem_free(&numbers);
	assert_null(p);
	assert_null(numbers);
}

static void nothing_can_be_freed_too(void **state)
{
	(void)state;
	void *none = mem_new(0);
	char *null = NULL;

	assert_non_null(none);
	mem_free(&none);
	mem_free(&null);
	mem_free_secret(&null);
	assert_null(null);
}

static void growing_keeps_what_was_there(void **state)
{
	(void)state;
	int *p = mem_resize(NULL, 2, sizeof(*p));

	p[0] = 1;
	p[1] = 2;
	p = mem_resize(p, 1000, sizeof(*p));
	p[999] = 3;
	assert_int_equal(p[0] + p[1], 3);
	p = mem_resize(p, 0, sizeof(*p));
	mem_free(&p);
}

static void copies_end_with_a_nul(void **state)
{
	(void)state;
	char *part = mem_dup("abcdef", 3);
	char *with_nul = mem_dup("a\0b", 3);
	char *empty = mem_dup(NULL, 0);
	char *text = mem_printf("%s-%d", "seven", 7);
	char *copy = mem_strdup(text);

	assert_string_equal(part, "abc");
	assert_memory_equal(with_nul, "a\0b", 4);
	assert_string_equal(empty, "");
	assert_string_equal(copy, "seven-7");
	assert_null(mem_strdup(NULL));
	mem_free(&part);
	mem_free(&with_nul);
	mem_free(&empty);
	mem_free(&text);
	mem_free_secret(&copy);
	assert_null(copy);
}

/* Does it end by SIGABRT, and with the line? */
static void assert_aborts(void (*does)(void), const char *line)
{
	char said[256] = "";
	int fds[2], status;

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		does();
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(fds[0], said, sizeof(said) - 1) > 0);
	close(fds[0]);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(said, line);
}

static size_t half = SIZE_MAX / 2 + 1;

static void resize_past_everything(void)
{
	void *p = mem_resize(NULL, half, 2);

	mem_free(&p);
}

static void copy_past_everything(void)
{
	char *p = mem_dup("", half * 2 - 1);

	mem_free(&p);
}

static void a_size_that_overflows_aborts(void **state)
{
	(void)state;
	assert_aborts(resize_past_everything, "tocsin: out of memory\n");
	assert_aborts(copy_past_everything, "tocsin: out of memory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_zeroed),
		cmocka_unit_test(nothing_can_be_freed_too),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(a_size_that_overflows_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
