/*
 * care: what an operator does for the file: looks whether it is sound, and copies it.
 *
 * Works with the daemon up or down, and for check on a file that no daemon can open.
 */
#ifndef STORE_CARE_H
#define STORE_CARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* How far something long has come, told now and then; total 0: nobody knows. */
struct progress {
	void (*told)(void *arg, int64_t done, int64_t total); /* NULL: nobody asks */
	void *arg;
};

enum { STORE_TABLES_MAX = 32 };

struct store_table {
	char name[48];
	int64_t rows;
};

/* What was found of a file. */
struct store_findings {
	struct buf text;   /* a finding a line; none: it is sound. Freed by the caller */
	int64_t version;   /* of the schema; -1: unreadable */
	int version_known; /* the newest that this tocsin reads */
	int64_t bytes;     /* with its log */
	struct store_table tables[STORE_TABLES_MAX];
	size_t table_count;
};

/* False and err when the file could not be looked at: no such file, no right to. */
bool store_check(const char *path, bool is_full, const struct progress *progress,
		 struct store_findings *out, struct err *err)
	__attribute__((warn_unused_result));

/* Makes the daemon's next start look at all of the store, however large it is. */
void store_suspect(const char *path);

/*
 * Copies a store to a new file, mode 0600: as it was when the copy began, whole and on the disk
 * before it has its name. The daemon beside it never waits. A file that is there is replaced
 * only by force.
 */
bool store_backup(const char *path, const char *to, bool force, const struct progress *progress,
		  struct err *err) __attribute__((warn_unused_result));

#endif
