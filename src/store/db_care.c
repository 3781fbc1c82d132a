/*
 * db_care: SQLite's own check and its backup.
 *
 * A backup whose every step takes a lock of its own begins anew whenever another process has
 * written in between: beside a daemon that commits all the time it would never end. So one read
 * transaction is held from its first step to its last. In write-ahead mode a reader keeps nobody
 * from writing; the log cannot begin anew meanwhile, which is a few seconds' growth. The steps
 * are short and pause, so that the daemon's syncs find the disk free.
 */
#include "store/db_care.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	TELL_STEPS = 500000, /* of the engine, between two words of progress */
	FINDINGS_MAX = 100,
	COPY_PAGES = 64, /* half a MiB */
	COPY_PAUSE_MS = 2,
	BUSY_MS = 10000, /* while another recovers the log */
};

struct check {
	sqlite3 *raw;
	const struct progress *progress;
	int64_t page_count;
};

static int code_of(sqlite3 *raw)
{
	return sqlite3_errcode(raw) & 0xff;
}

static bool is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static bool open_raw(const char *path, int mode, sqlite3 **raw, struct err *err)
{
	if (sqlite3_open_v2(path, raw, mode | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(*raw, BUSY_MS);
		return true;
	}
	err_set(err, "cannot open %s: %s", path, sqlite3_errmsg(*raw));
	sqlite3_close(*raw);
	return false;
}

/* ---- the check ---- */

/* Pages read so far, of two rounds: the trees, then their rows. */
static int tell(void *arg)
{
	const struct check *c = arg;
	int read = 0, most = 0;
	int64_t total = c->page_count * 2;

	sqlite3_db_status(c->raw, SQLITE_DBSTATUS_CACHE_MISS, &read, &most, 0);
	c->progress->told(c->progress->arg, read < total ? read : total, total);
	return 0;
}

static int64_t count_pages(sqlite3 *raw)
{
	sqlite3_stmt *s = NULL;
	int64_t count = 0;

	if (sqlite3_prepare_v2(raw, "PRAGMA page_count", -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		count = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return count;
}

/* "ok", or a row a finding. */
static int collect(sqlite3 *raw, const char *sql, struct buf *out)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(raw, sql, -1, &s, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(s);
		if (code != SQLITE_ROW)
			break;
		const char *text = (const char *)sqlite3_column_text(s, 0);

		if (text != NULL && sqlite3_stricmp(text, "ok") != 0)
			buf_addf(out, "%s\n", text);
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

bool db_check(const char *path, bool is_full, const struct progress *progress, struct buf *out,
	      struct err *err)
{
	struct check c = { .progress = progress };

	if (!open_raw(path, SQLITE_OPEN_READONLY, &c.raw, err))
		return false;
	if (progress != NULL && progress->told != NULL) {
		c.page_count = count_pages(c.raw);
		sqlite3_progress_handler(c.raw, TELL_STEPS, tell, &c);
		progress->told(progress->arg, 0, c.page_count * 2);
	}
	char *sql = mem_printf("PRAGMA %s(%d)", is_full ? "integrity_check" : "quick_check",
			       FINDINGS_MAX);
	bool is_done = collect(c.raw, sql, out) == SQLITE_OK;

	/* Too damaged to be checked is a finding, too. */
	if (!is_done && is_damage(code_of(c.raw))) {
		buf_addf(out, "%s\n", sqlite3_errmsg(c.raw));
		is_done = true;
	}
	if (!is_done)
		err_set(err, "cannot read %s: %s", path, sqlite3_errmsg(c.raw));
	mem_free(&sql);
	sqlite3_close(c.raw);
	return is_done;
}

/* ---- the copy ---- */

static bool run(sqlite3 *raw, const char *sql, const char *path, struct err *err)
{
	if (sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return err_set(err, "%s: %s", path, sqlite3_errmsg(raw));
}

static bool copy_pages(sqlite3 *from, sqlite3 *to, const struct progress *progress,
		       struct err *err)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");

	while (copy != NULL && sqlite3_backup_step(copy, COPY_PAGES) == SQLITE_OK) {
		int total = sqlite3_backup_pagecount(copy);

		if (progress != NULL && progress->told != NULL)
			progress->told(progress->arg, total - sqlite3_backup_remaining(copy),
				       total);
		sqlite3_sleep(COPY_PAUSE_MS);
	}
	/* Of whatever failed, at any step, the target's connection tells. */
	if (copy != NULL && sqlite3_backup_finish(copy) == SQLITE_OK)
		return true;
	return err_set(err, "%s", sqlite3_errmsg(to));
}

bool db_copy(const char *from, const char *to, const struct progress *progress, struct err *err)
{
	sqlite3 *source, *target;

	if (!open_raw(from, SQLITE_OPEN_READONLY, &source, err))
		return false;
	if (!open_raw(to, SQLITE_OPEN_READWRITE, &target, err)) {
		sqlite3_close(source);
		return false;
	}
	char *mark = mem_printf("PRAGMA application_id = %d", DB_COPY_MARK);
	/* The caller syncs the file once it is whole. */
	bool is_done = run(target, "PRAGMA synchronous = OFF", to, err) &&
		       run(source, "BEGIN; SELECT count(*) FROM sqlite_schema", from, err) &&
		       copy_pages(source, target, progress, err) &&
		       run(target, mark, to, err) &&
		       run(target, "PRAGMA journal_mode = DELETE", to, err);

	mem_free(&mark);
	sqlite3_close(target);
	sqlite3_close(source);
	return is_done;
}
