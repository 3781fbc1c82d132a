/* file.h: whole files or none, paths, and one lock for one process. */
#include "base/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tocsin-file-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* A file of this test, removed by done(). */
static char *make_file(const char *name, const char *bytes, size_t len)
{
	char *path = file_join(dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void done(char **path)
{
	assert_int_equal(unlink(*path), 0);
	mem_free(path);
}

static void a_file_is_read_whole(void **state)
{
	(void)state;
	char *path = make_file("a", "one\0two\n", 8);
	struct buf out;

	buf_init(&out, 100);
	buf_adds(&out, ">");
	assert_true(file_read(path, &out, NULL));
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.data, ">one\0two\n", 10);
	buf_release(&out);
	done(&path);
}

static void a_file_larger_than_the_bound_is_not_read_at_all(void **state)
{
	(void)state;
	static char big[100000];
	char *path;
	struct buf out;
	struct err err;

	memset(big, 'x', sizeof(big));
	path = make_file("big", big, sizeof(big));
	buf_init(&out, sizeof(big));
	assert_true(file_read(path, &out, &err));
	assert_int_equal(out.len, sizeof(big));
	assert_memory_equal(out.data, big, sizeof(big));
	buf_release(&out);
	buf_init(&out, sizeof(big) - 1);
	buf_adds(&out, "");
	assert_false(file_read(path, &out, &err));
	assert_non_null(strstr(err.text, "/big is larger than 99999 bytes"));
	assert_string_equal(out.data, "");
	buf_release(&out);
	done(&path);
}

static void an_empty_file_fits_anywhere(void **state)
{
	(void)state;
	char *path = make_file("empty", "", 0);
	struct buf out;

	buf_init(&out, 0);
	assert_true(file_read(path, &out, NULL));
	assert_string_equal(out.data, "");
	buf_release(&out);
	done(&path);
}

/* The pipe has no writer: to open it the usual way would wait for ever. */
static void what_is_no_file_is_refused_at_once(void **state)
{
	(void)state;
	char *pipe_path = file_join(dir, "pipe");
	char *none = file_join(dir, "none");
	struct buf out;
	struct err err;

	buf_init(&out, 100);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_false(file_read(pipe_path, &out, &err));
	assert_non_null(strstr(err.text, "/pipe is not a regular file"));
	assert_false(file_read(dir, &out, &err));
	assert_non_null(strstr(err.text, "is not a regular file"));
	assert_false(file_read("/dev/zero", &out, &err));
	assert_string_equal(err.text, "/dev/zero is not a regular file");
	assert_false(file_read(none, &out, &err));
	assert_non_null(strstr(err.text, "/none: No such file or directory"));
	assert_int_equal(out.len, 0);
	buf_release(&out);
	done(&pipe_path);
	mem_free(&none);
}

static void paths_are_joined_and_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *name, *path;
	} joins[] = {
		{ "/etc", "x", "/etc/x" },   { "/etc/", "x", "/etc/x" }, { "/", "x", "/x" },
		{ "/etc", "/abs", "/abs" },  { ".", "x", "./x" },        { "", "x", "x" },
		{ "a/b", "c/d", "a/b/c/d" },
	};
	static const struct {
		const char *path, *dir;
	} dirs[] = {
		{ "/etc/tocsin/tocsin.conf", "/etc/tocsin" },
		{ "tocsin.conf", "." },
		{ "/tocsin.conf", "/" },
		{ "//x", "/" },
		{ "a//b", "a" },
		{ "a/", "a" },
		{ "", "." },
	};

	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		char *path = file_join(joins[i].dir, joins[i].name);

		assert_string_equal(path, joins[i].path);
		mem_free(&path);
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *folder = file_dir(dirs[i].path);

		assert_string_equal(folder, dirs[i].dir);
		mem_free(&folder);
	}
}

static void what_is_there_is_seen(void **state)
{
	(void)state;
	char *path = make_file("there", "x", 1);

	assert_true(file_exists(path));
	assert_false(file_is_dir(path));
	assert_false(file_dir_writable(path));
	assert_true(file_exists(dir));
	assert_true(file_is_dir(dir));
	assert_true(file_dir_writable(dir));
	done(&path);
	assert_false(file_exists("/nonexistent/x"));
	assert_false(file_dir_writable("/nonexistent"));
	assert_false(file_dir_writable("/proc/self"));
}

/* Runs as another process: exits 0 when it gets the lock, 1 when `holder` has it, 2 else. */
static int lock_in_child(const char *path, long holder)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		long seen = -1;
		int fd = -2;
		struct err err;

		if (file_lock(path, &fd, &seen, &err))
			_exit(fd >= 0 ? 0 : 2);
		_exit(seen == holder && fd == -1 && strstr(err.text, "is locked by") ? 1 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void one_process_has_the_lock(void **state)
{
	(void)state;
	char *path = file_join(dir, "lock");
	long holder = -1;
	int fd;
	struct stat st;
	struct err err;

	assert_true(file_lock(path, &fd, &holder, &err));
	assert_int_equal(holder, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lock_in_child(path, getpid()), 1);
	assert_int_equal(lock_in_child(path, getpid()), 1);
	close(fd);
	assert_int_equal(lock_in_child(path, 0), 0);
	done(&path);
}

static void the_lock_goes_with_its_process_however_that_ends(void **state)
{
	(void)state;
	char *path = file_join(dir, "lock");
	int ready[2], fd;
	long holder;
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		if (file_lock(path, &fd, &holder, NULL) && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_false(file_lock(path, &fd, &holder, NULL));
	assert_int_equal(holder, child);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(file_lock(path, &fd, &holder, NULL));
	close(fd);
	close(ready[0]);
	close(ready[1]);
	done(&path);
}

/* Some program wrote something else in it: the lock tells, the text does not. */
static void the_lock_does_not_depend_on_what_the_file_says(void **state)
{
	(void)state;
	char *path = make_file("lock", "999999 is running, honest\n", 26);
	long holder;
	int fd;

	struct buf says;
	char ours[32];

	assert_true(file_lock(path, &fd, &holder, NULL));
	buf_init(&says, 100);
	assert_true(file_read(path, &says, NULL));
	snprintf(ours, sizeof(ours), "%ld\n", (long)getpid());
	assert_string_equal(says.data, ours);
	buf_release(&says);
	assert_int_equal(lock_in_child(path, getpid()), 1);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lock_in_child(path, 0), 1);
	assert_int_equal(pwrite(fd, "soup", 4, 0), 4);
	assert_int_equal(lock_in_child(path, 0), 1);
	close(fd);
	done(&path);
}

static void a_lock_that_cannot_be_made_says_why(void **state)
{
	(void)state;
	struct err err;
	long holder;
	int fd;

	assert_false(file_lock("/nonexistent/lock", &fd, &holder, &err));
	assert_string_equal(err.text,
			    "cannot open /nonexistent/lock: No such file or directory");
	assert_int_equal(fd, -1);
	assert_int_equal(holder, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole),
		cmocka_unit_test(a_file_larger_than_the_bound_is_not_read_at_all),
		cmocka_unit_test(an_empty_file_fits_anywhere),
		cmocka_unit_test(what_is_no_file_is_refused_at_once),
		cmocka_unit_test(paths_are_joined_and_taken_apart),
		cmocka_unit_test(what_is_there_is_seen),
		cmocka_unit_test(one_process_has_the_lock),
		cmocka_unit_test(the_lock_goes_with_its_process_however_that_ends),
		cmocka_unit_test(the_lock_does_not_depend_on_what_the_file_says),
		cmocka_unit_test(a_lock_that_cannot_be_made_says_why),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
