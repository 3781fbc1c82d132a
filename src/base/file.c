/*
 * file: whole files, and the lock.
 *
 * The lock is flock(): it goes with the process, however that ends, and (unlike fcntl's) is not
 * dropped when some library opens and closes the same file. The file is never removed: to
 * remove it would let two processes hold a lock each, one on the old file and one on the new.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

enum { READ_STEP = 16384 };

static ssize_t read_some(int fd, void *to, size_t len)
{
	ssize_t got;

	do
		got = read(fd, to, len);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Is there another byte than those that filled out? */
static bool at_end(int fd)
{
	char more;

	return read_some(fd, &more, 1) == 0;
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	for (;;) {
		size_t room = out->max_len - out->len;
		size_t want = room < READ_STEP ? room : READ_STEP;

		if (want == 0)
			return at_end(fd) ||
			       err_set(err, "%s is larger than %zu bytes", path, out->max_len);
		char *to = buf_space(out, want);
		ssize_t got = read_some(fd, to, want);

		buf_commit(out, got > 0 ? (size_t)got : 0);
		if (got < 0)
			return err_set(err, "cannot read %s: %s", path, strerror(errno));
		if (got == 0)
			return true;
	}
}

bool file_read(const char *path, struct buf *out, struct err *err)
{
	/* Without O_NONBLOCK the open of a pipe would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len_before = out->len;
	struct stat st;

	if (fd < 0)
		return err_set(err, "cannot open %s: %s", path, strerror(errno));
	bool is_read = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	if (!is_read)
		err_set(err, "%s is not a regular file", path);
	else
		is_read = read_all(fd, path, out, err);
	if (!is_read)
		buf_truncate(out, len_before);
	close(fd);
	return is_read;
}

char *file_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	if (name[0] == '/' || len == 0)
		return mem_strdup(name);
	return mem_printf("%s%s%s", dir, dir[len - 1] == '/' ? "" : "/", name);
}

char *file_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	return slash == path ? mem_strdup("/") : mem_dup(path, (size_t)(slash - path));
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool file_look(const char *path, struct file_facts *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	*out = (struct file_facts){ .device = st.st_dev,
				    .inode = st.st_ino,
				    .size = st.st_size,
				    .modified_at = (int64_t)st.st_mtim.tv_sec * 1000 +
						   st.st_mtim.tv_nsec / 1000000 };
	return true;
}

bool file_sync(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, "cannot open %s: %s", path, strerror(errno));
	bool is_done = fsync(fd) == 0;

	if (!is_done)
		err_set(err, "cannot sync %s: %s", path, strerror(errno));
	close(fd);
	return is_done;
}

bool file_move(const char *from, const char *to, struct err *err)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	/* Some file systems know no such renaming: then a second name, and the first goes. */
	if (errno == EINVAL && link(from, to) == 0 && unlink(from) == 0)
		return true;
	return err_set(err, "cannot rename %s to %s: %s", from, to, strerror(errno));
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

int64_t file_room(const char *path)
{
	struct statvfs disk;

	if (statvfs(path, &disk) != 0 || disk.f_frsize == 0)
		return -1;
	/* A disk of more bytes than int64 counts has room enough. */
	if (disk.f_bavail > (uint64_t)INT64_MAX / disk.f_frsize)
		return INT64_MAX;
	return (int64_t)(disk.f_bavail * disk.f_frsize);
}

bool file_dir_writable(const char *dir)
{
	return file_is_dir(dir) && faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

/* The pid in a lock file; 0 when there is none (its holder may be writing it right now). */
static long read_pid(int fd)
{
	char text[24];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	int64_t pid;

	if (len <= 0)
		return 0;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return num_parse_int(text, &pid, NULL) && pid > 0 ? (long)pid : 0;
}

/* A pid that cannot be written (the disk is full) is only less to tell: the lock holds. */
static void write_pid(int fd)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	ssize_t written = ftruncate(fd, 0) == 0 ? pwrite(fd, text, (size_t)len, 0) : 0;

	(void)written;
}

bool file_lock(const char *path, int *fd, long *holder_pid, struct err *err)
{
	*fd = -1;
	*holder_pid = 0;
	int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (opened < 0)
		return err_set(err, "cannot open %s: %s", path, strerror(errno));
	if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
		write_pid(opened);
		*fd = opened;
		return true;
	}
	if (errno != EWOULDBLOCK) {
		err_set(err, "cannot lock %s: %s", path, strerror(errno));
	} else {
		*holder_pid = read_pid(opened);
		if (*holder_pid > 0)
			err_set(err, "%s is locked by process %ld", path, *holder_pid);
		else
			err_set(err, "%s is locked by another process", path);
	}
	close(opened);
	return false;
}

/* ---- names ---- */

/* Where name stands, or should stand, among those that there are. */
static size_t place_of(const struct file_names *n, const char *name)
{
	size_t i = 0;

	while (i < n->count && strcmp(n->list[i], name) < 0)
		i++;
	return i;
}

static void add_name(struct file_names *n, char *name)
{
	size_t at = place_of(n, name);

	if (at < n->count && strcmp(n->list[at], name) == 0) {
		mem_free(&name);
		return;
	}
	n->list = mem_resize(n->list, n->count + 1, sizeof(*n->list));
	memmove(n->list + at + 1, n->list + at, (n->count - at) * sizeof(*n->list));
	n->list[at] = name;
	n->count++;
}

void file_add_names(struct file_names *n, const char *dir, const char *suffix)
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		size_t len = strlen(entry->d_name), ending = strlen(suffix);

		if (entry->d_name[0] != '.' && len > ending &&
		    strcmp(entry->d_name + len - ending, suffix) == 0)
			add_name(n, mem_dup(entry->d_name, len - ending));
	}
	if (folder != NULL)
		closedir(folder);
}

void file_release_names(struct file_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		mem_free(&n->list[i]);
	mem_free(&n->list);
	n->count = 0;
}
