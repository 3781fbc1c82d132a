/*
 * db: one connection to the store's file; the only place that knows the engine.
 *
 * Statements are texts in a table given to db_open(), each prepared at its first use and kept.
 * Failures stick: once a statement has failed, every later one does nothing (a query has no
 * row, a change changes nothing), and db_commit() rolls back and tells. So a transaction is
 * written straight down and asked once, at its end. db_begin() and db_clear() forget a failure.
 *
 * A text bound or read is not copied: a bound one lives until the statement has run, a read
 * one until the next row.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/histogram.h"

struct db;
struct stmt;

enum db_failure {
	DB_FINE,
	DB_FULL,    /* no room on the disk */
	DB_BUSY,    /* another connection writes */
	DB_DAMAGED, /* what the file holds is no sound database */
	DB_REFUSED, /* see db_refuse() */
	DB_BROKEN,  /* anything else; the text tells */
};

struct db_options {
	bool read_only;
	bool create;              /* an empty file, mode 0600, when there is none */
	int busy_ms;              /* how long a writer waits for another one */
	const char *const *texts; /* SQL by number; outlives the db */
	size_t text_count;
	enum db_failure *why; /* NULL, or gets why it could not be opened */
};

struct db *db_open(const char *path, const struct db_options *options, struct err *err)
	__attribute__((warn_unused_result));
void db_close(struct db **db);
/* Closes and leaves the files as they lie: no log is taken in or removed. */
void db_abandon(struct db **db);
void db_patience(struct db *db, int busy_ms);

/* ---- transactions ---- */

/* Begins to look at the store as it is at this moment, until db_rollback(); takes no lock. */
void db_look(struct db *db);
/* Takes the write lock; a failure shows at db_commit(), or at once in db_failure(). */
void db_begin(struct db *db);
/* The same, but its commit does not wait for the disk: what it wrote is there with the next
 * commit of another, or with db_tidy(). */
void db_begin_late(struct db *db);
/* False and err when anything failed since db_begin(): then nothing was changed. */
bool db_commit(struct db *db, struct err *err) __attribute__((warn_unused_result));
void db_rollback(struct db *db);
/* How long commits took that succeeded, in us; and how many did not. */
const struct histogram *db_commits(const struct db *db);
int64_t db_commit_failures(const struct db *db);

/*
 * Within a transaction: what the log holds so far goes to the disk once more, byte by byte. When a
 * sync fails, the system holds for written what is not, and tries no more; who is killed then finds
 * the log as he left it, builds upon it, and a power cut takes it all from there on. A failure
 * is the transaction's; where a disk is full, what is there stays.
 */
void db_write_anew(struct db *db);

/* From now on every transaction fails with this text before it begins; "": no more. */
void db_refuse(struct db *db, const char *why);

enum db_failure db_failure(const struct db *db);
/* The text of the failure; "" when fine. */
const char *db_error(const struct db *db);
void db_clear(struct db *db);
/* Between db_begin() and db_commit(). */
bool db_is_begun(struct db *db);

/* ---- statements ---- */

/* Statement `number` of the table, unbound; it must not be in use. Bind all, then run. */
struct stmt *db_use(struct db *db, size_t number);
/* A statement of the caller's own, read-only; freed by stmt_free(). NULL and err on failure. */
struct stmt *db_query(struct db *db, const char *sql, struct err *err)
	__attribute__((warn_unused_result));
void stmt_free(struct stmt **s);

void stmt_bind_int(struct stmt *s, int at, int64_t value);
/* 0 becomes NULL: "none" or "not yet". */
void stmt_bind_some(struct stmt *s, int at, int64_t value);
void stmt_bind_text(struct stmt *s, int at, const char *text); /* NULL: NULL */
void stmt_bind_bytes(struct stmt *s, int at, const char *text, size_t len);

/* Runs a change to its end; returns how many rows it changed. */
int64_t stmt_run(struct stmt *s);
/* The next row of a query; at false the statement is ended. */
bool stmt_row(struct stmt *s);
/* For who leaves before the last row. */
void stmt_end(struct stmt *s);

/* Of the current row, columns from 0; NULL reads as 0, as NULL and as "". */
int64_t stmt_int(struct stmt *s, int column);
const char *stmt_text(struct stmt *s, int column, size_t *len);
const char *stmt_word(struct stmt *s, int column);
bool stmt_is_null(struct stmt *s, int column);
int stmt_column(struct stmt *s, const char *name); /* -1: no such column */

/* ---- the rest ---- */

int64_t db_last_id(struct db *db);
/* Several statements of no result, as in a schema. */
void db_script(struct db *db, const char *sql);
/* The one number that a statement gives, as PRAGMA user_version. */
int64_t db_number(struct db *db, const char *sql);
/* What was committed late goes to the disk; a checkpoint when enough frames wait in the log. Never
 * waits for readers or writers. */
void db_tidy(struct db *db);

/* For tests: how a statement would look for its rows, a line a step; and a disk with room for
 * so many pages more (-1: no end). */
void db_plan(struct db *db, const char *sql, struct buf *out);
void db_room(struct db *db, int64_t pages);

#endif
