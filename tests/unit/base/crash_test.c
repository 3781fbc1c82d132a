/* crash.h: what was in hand at a fatal signal is on the disk, and the signal does its work. */
#include "base/crash.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tocsin-crash-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/store.crash", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static const struct crash_work row = { .doing = "building", .place = "hook", .number = 4711 };

/* ---- ways to go ---- */

static void by_reading(void)
{
	const volatile char *page =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	_exit(page[1]);
}

static void by_abort(void)
{
	abort();
}

static void by_trap(void)
{
	__builtin_trap();
}

static void by_fpe(void)
{
	raise(SIGFPE);
}

static void by_kill(void)
{
	raise(SIGKILL);
}

/* Deeper than any stack. */
__attribute__((noinline)) static int sink(volatile const char *above, int depth)
{
	volatile char room[4096];

	room[0] = above[0];
	return (depth == 0 ? 0 : sink(room, depth - 1)) + room[0];
}

static void by_deep_stack(void)
{
	volatile char first[1] = { 1 };

	_exit(sink(first, INT32_MAX));
}

static void *read_it(void *arg)
{
	(void)arg;
	by_reading();
	return NULL;
}

static void by_another_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_it, NULL) == 0)
		pthread_join(thread, NULL);
}

/* The signal that ended a child which watches, has this in hand and goes so; 0: it was none. */
static int dies(const struct crash_work *work, void (*go)(void))
{
	static const int fatal[] = { SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE };
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		/* Those of the test's framework and of a sanitizer would tell of it at length. */
		for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
			signal(fatal[i], SIG_DFL);
		crash_watch(path);
		if (work != NULL)
			crash_begin(work);
		go();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool read_note(struct crash_note *note)
{
	bool is_there;
	struct err err = { "" };
	bool is_whole = crash_read(path, note, &is_there, &err);

	assert_true(is_whole || !is_there);
	unlink(path);
	return is_whole;
}

/* ---- tests ---- */

static void each_fatal_signal_leaves_a_note_and_ends_the_process(void **state)
{
	static const struct {
		void (*go)(void);
		int number;
		const char *name;
	} table[] = {
		{ by_reading, SIGSEGV, "SIGSEGV" },    { by_abort, SIGABRT, "SIGABRT" },
		{ by_trap, SIGILL, "SIGILL" },         { by_fpe, SIGFPE, "SIGFPE" },
		{ by_deep_stack, SIGSEGV, "SIGSEGV" },
	};
	struct crash_note note;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(dies(&row, table[i].go), table[i].number);
		assert_true(read_note(&note));
		assert_string_equal(note.signal, table[i].name);
		assert_string_equal(note.doing, "building");
		assert_string_equal(note.place, "hook");
		assert_string_equal(note.name, "");
		assert_int_equal(note.number, 4711);
		assert_int_equal(note.hash, 0);
		assert_true(note.at > 1600000000000);
		crash_release(&note);
	}
}

static void what_accuses_nobody_leaves_no_note(void **state)
{
	struct crash_note note;

	(void)state;
	assert_int_equal(dies(&row, by_kill), SIGKILL);
	assert_false(read_note(&note));
	crash_release(&note);
	/* nothing in hand */
	assert_int_equal(dies(NULL, by_reading), SIGSEGV);
	assert_false(read_note(&note));
	crash_release(&note);
	/* a resolver's thread, while something is in hand here */
	assert_int_equal(dies(&row, by_another_thread), SIGSEGV);
	assert_false(read_note(&note));
	crash_release(&note);
}

static void any_name_comes_back_as_it_was(void **state)
{
	static const char name[] = "a b%\n\t\x7f\xc3\xa4 end\n%41";
	static char long_name[16385];
	struct crash_work work = { .doing = "deciding", .place = "acme", .name = name };
	struct crash_note note;

	(void)state;
	assert_int_equal(dies(&work, by_abort), SIGABRT);
	assert_true(read_note(&note));
	assert_string_equal(note.name, name);
	crash_release(&note);

	memset(long_name, '\n', sizeof(long_name) - 1);
	work.name = long_name;
	assert_int_equal(dies(&work, by_abort), SIGABRT);
	assert_true(read_note(&note));
	assert_string_equal(note.name, long_name);
	crash_release(&note);
}

static void what_has_no_name_yet_is_told_by_its_bytes(void **state)
{
	const struct crash_work work = {
		.doing = "reading", .place = "acme", .bytes = "{\"id\":7}", .bytes_len = 8
	};
	struct crash_note note;

	(void)state;
	assert_int_equal(dies(&work, by_reading), SIGSEGV);
	assert_true(read_note(&note));
	assert_int_equal(note.hash, crash_hash("{\"id\":7}", 8));
	crash_release(&note);
	/* It is stored. */
	assert_int_equal(crash_hash("", 0), 0x4bf29ce484222325);
	assert_int_equal(crash_hash("a", 1), 0x2f63dc4c8601ec8c);
}

static void bytes_that_cannot_be_read_cut_the_note_short(void **state)
{
	struct crash_work work = { .doing = "reading",
				   .bytes = (const char *)8,
				   .bytes_len = 9 };
	struct crash_note note;
	struct err err;
	bool is_there;

	(void)state;
	assert_int_equal(dies(&work, by_abort), SIGSEGV);
	assert_false(crash_read(path, &note, &is_there, &err));
	assert_true(is_there);
	assert_string_equal(note.doing, "");
	crash_release(&note);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fatal_signal_leaves_a_note_and_ends_the_process),
		cmocka_unit_test(what_accuses_nobody_leaves_no_note),
		cmocka_unit_test(any_name_comes_back_as_it_was),
		cmocka_unit_test(what_has_no_name_yet_is_told_by_its_bytes),
		cmocka_unit_test(bytes_that_cannot_be_read_cut_the_note_short),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
