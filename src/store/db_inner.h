/*
 * db_inner: what the files of db share; nobody outside includes it.
 */
#ifndef STORE_DB_INNER_H
#define STORE_DB_INNER_H

#include <sqlite3.h>

#include "store/db.h"

struct stmt {
	struct db *db;
	sqlite3_stmt *raw; /* NULL until used, or when it could not be prepared */
};

struct db {
	sqlite3 *raw;
	const char *const *texts;
	size_t text_count;
	struct stmt *stmts; /* one for each text */
	struct stmt begin, look, commit, rollback;
	enum db_failure failure;
	struct err error;
	struct err refusal; /* "": none */
	/* db_log.c */
	int64_t frames, checkpoint_at;
	bool waits;      /* commits do, for the disk */
	bool is_late;    /* what was committed may not be on it yet */
	bool is_doubted; /* … and a sync has failed since */
	struct histogram commits;
	int64_t commit_failures;
	int busy_ms;
};

/* The transaction has failed; the first failure stays. */
void db_fail(struct db *db, int code);

/* ---- db_log.c ---- */

void db_log_begin(struct db *db);
/* Before the connection closes. */
void db_log_end(struct db *db);
/* Do the commits that follow wait for the disk? */
void db_log_wait(struct db *db, bool waits);
/* A commit has failed. */
void db_log_failed(struct db *db);
/* Within a transaction, which fails while what is in doubt can't be written anew. */
void db_log_mend(struct db *db);

#endif
