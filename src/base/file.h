/*
 * file: whole files, and the lock that keeps a store to one daemon.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds the whole file to out; fails, adding nothing, when it is larger than out's room, or no
 * regular file. */
bool file_read(const char *path, struct buf *out, struct err *err)
	__attribute__((warn_unused_result));

/* "dir/name"; the caller frees it. A name that begins with / stands for itself. */
char *file_join(const char *dir, const char *name);

/* The folder of a path ("." when it has none); the caller frees it. */
char *file_dir(const char *path);

bool file_exists(const char *path);

struct file_facts {
	uint64_t device, inode; /* which file it is, whatever its name */
	int64_t size, modified_at;
};
/* False: nothing lies at path; or, which errno tells, it cannot be seen. */
bool file_look(const char *path, struct file_facts *out);

/* Puts what was written to a file, or the names that were made in a folder, on the disk. */
bool file_sync(const char *path, struct err *err) __attribute__((warn_unused_result));

/* Gives a file another name on the same disk; never over a file that is there. */
bool file_move(const char *from, const char *to, struct err *err)
	__attribute__((warn_unused_result));

bool file_is_dir(const char *path);

/* Names of files, sorted, each once. */
struct file_names {
	char **list; /* owned */
	size_t count;
};
/* Adds the files of a folder that end with the suffix, without it; a missing folder has none. */
void file_add_names(struct file_names *n, const char *dir, const char *suffix);
void file_release_names(struct file_names *n);

/* Its bytes; 0 when there is no such file. */
int64_t file_size(const char *path);
/* Bytes that this user may still write on the disk that holds path; -1: unknown. */
int64_t file_room(const char *path);

/* True when files can be made in dir. */
bool file_dir_writable(const char *dir);

/*
 * Takes an exclusive lock on path (created 0600) for the life of *fd and writes our pid in it.
 * Held by another: false, *fd -1, *holder_pid its pid (0 if unknown), err says so. The file
 * must never be removed, and *fd is not passed on to a program that is executed.
 */
bool file_lock(const char *path, int *fd, long *holder_pid, struct err *err)
	__attribute__((warn_unused_result));

#endif
