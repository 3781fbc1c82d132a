/*
 * db_care: a look at a whole database file, and a copy of one beside who writes to it.
 *
 * Both open the file for themselves and leave its bytes alone.
 */
#ifndef STORE_DB_CARE_H
#define STORE_DB_CARE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/care.h"

/* The application_id of a copy, until the first daemon that runs on it: "TocB". */
enum { DB_COPY_MARK = 0x546f6342 };

/*
 * Is its structure sound (and, with is_full, does each index say what its table says)? One
 * finding a line is added to out; none: it is sound. False and err when it could not be looked
 * at, which is no finding.
 */
bool db_check(const char *path, bool is_full, const struct progress *progress, struct buf *out,
	      struct err *err) __attribute__((warn_unused_result));

/*
 * Copies the state at the beginning of the call into `to`, an empty file, as one file without a
 * log beside it, and with DB_COPY_MARK. Writers of `from` never wait for it; its log grows until it is over.
 */
bool db_copy(const char *from, const char *to, const struct progress *progress, struct err *err)
	__attribute__((warn_unused_result));

#endif
