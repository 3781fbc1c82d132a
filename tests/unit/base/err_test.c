/* err.h: a message is one line, cut between characters; the two ends of a process end it. */
#include "base/err.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void setting_is_always_false(void **state)
{
	(void)state;
	struct err err = { "" };

	assert_false(err_set(&err, "no %s at %d", "colon", 7));
	assert_string_equal(err.text, "no colon at 7");
	assert_false(err_prefix(&err, "line %d", 3));
	assert_string_equal(err.text, "line 3: no colon at 7");
	assert_false(err_set(NULL, "%s", "nobody listens"));
	assert_false(err_prefix(NULL, "%s", "nobody listens"));
}

static void the_old_text_may_be_part_of_the_new(void **state)
{
	(void)state;
	struct err err;

	err_set(&err, "inner");
	err_set(&err, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void a_message_is_one_line(void **state)
{
	(void)state;
	struct err err;

	err_set(&err, "a\r\nb\033[31mc\x7f");
	assert_string_equal(err.text, "a  b [31mc ");
	err_prefix(&err, "x\ny");
	assert_string_equal(err.text, "x y: a  b [31mc ");
}

/* However a long text is aligned, its end is a whole character. */
static void a_long_message_is_cut_between_characters(void **state)
{
	(void)state;
	static const char *const letters[] = { "ä", "€", "😀" };
	char text[ERR_TEXT_MAX * 2];

	for (size_t l = 0; l < 3; l++) {
		size_t width = strlen(letters[l]);

		for (size_t shift = 0; shift < 4; shift++) {
			struct err err;
			size_t len = shift;

			memset(text, '.', shift);
			for (; len + width < sizeof(text); len += width)
				memcpy(text + len, letters[l], width);
			text[len] = '\0';
			err_set(&err, "%s", text);
			assert_int_equal((strlen(err.text) - shift) % width, 0);
			assert_true(strlen(err.text) > ERR_TEXT_MAX - 5);
		}
	}
}

static int ends(void (*does)(void), char said[256])
{
	int fds[2], status;

	memset(said, 0, 256);
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
	for (ssize_t len = 0, got = 1; got > 0; len += got)
		got = read(fds[0], said + len, 255 - (size_t)len);
	close(fds[0]);
	return status;
}

/* Leaves by _exit: the sanitizer's leak check at exit is the parent's. */
static void leave(void)
{
	_exit(EXIT_CONFIG);
}

static void dies(void)
{
	atexit(leave);
	die(EXIT_CONFIG, "no store: set %s", "store");
}

static void aborts(void)
{
	bug_at("x.c", 12, "a queue of %d", -1);
}

static void the_two_ends_of_a_process(void **state)
{
	(void)state;
	char said[256];
	int status = ends(dies, said);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 78);
	assert_string_equal(said, "tocsin: no store: set store\n");
	status = ends(aborts, said);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(said, "tocsin: bug at x.c:12: a queue of -1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_is_always_false),
		cmocka_unit_test(the_old_text_may_be_part_of_the_new),
		cmocka_unit_test(a_message_is_one_line),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(the_two_ends_of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
