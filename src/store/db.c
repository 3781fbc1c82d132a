/*
 * db: SQLite in write-ahead mode, synchronous=FULL: a commit is on the disk when it returns, but
 * for one that may be late (db_log.c).
 *
 * The settings are measured ones. Pages of 8 KiB; one mutex less (a connection belongs to one
 * thread) and no memory statistics; no automatic checkpoint, which stops a page of alerts for
 * 9 ms at its worst: db_tidy() does it between turns.
 */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db_blocks.h"
#include "store/db_inner.h"

/* In us: a fast disk's commit, a slow one's, a sick one's. */
static const int64_t commit_bounds[] = {
	100,   250,   500,    1000,   2500,   5000,    10000,
	25000, 50000, 100000, 250000, 500000, 1000000, 2500000
};

/* What the engine's own text does not say. */
static const char *remedy(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL: return ": make room on the disk";
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return ": give the file and its folder to the user that runs this";
	default: return "";
	}
}

void db_fail(struct db *db, int code)
{
	if (db->failure != DB_FINE)
		return;
	switch (code & 0xff) {
	case SQLITE_FULL: db->failure = DB_FULL; break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: db->failure = DB_BUSY; break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT: db->failure = DB_DAMAGED; break;
	case SQLITE_IOERR:
		db->failure = sqlite3_system_errno(db->raw) == ENOSPC ? DB_FULL : DB_BROKEN;
		break;
	default: db->failure = DB_BROKEN; break;
	}
	/* What a file answered to us is unknown to the connection. */
	const char *text = sqlite3_errcode(db->raw) != SQLITE_OK ? sqlite3_errmsg(db->raw)
								 : sqlite3_errstr(code);

	err_set(&db->error, "%s%s", text, remedy(code));
}

static void prepare(struct stmt *s, const char *sql, unsigned flags)
{
	int code = sqlite3_prepare_v3(s->db->raw, sql, -1, flags, &s->raw, NULL);

	if (code != SQLITE_OK)
		db_fail(s->db, code);
}

/* A database's log and index get the mode of its file, so it is made here and not by SQLite. Its
 * name must outlive a power cut as what is committed to it does. */
static bool make_file(const char *path, struct err *err)
{
	bool is_new = !file_exists(path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, "cannot open %s: %s", path, strerror(errno));
	close(fd);
	if (!is_new)
		return true;
	char *dir = file_dir(path);
	bool is_synced = file_sync(dir, err);

	mem_free(&dir);
	return is_synced;
}

static void configure(struct db *db, const struct db_options *options)
{
	db_patience(db, options->busy_ms);
	sqlite3_extended_result_codes(db->raw, 1);
	if (options->create)
		db_script(db, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;");
	db_script(db, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
		      "PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;"
		      "SELECT count(*) FROM sqlite_schema;");
	db_log_begin(db);
}

struct db *db_open(const char *path, const struct db_options *options, struct err *err)
{
	int mode = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

	if (options->create && !make_file(path, err))
		return NULL;
	/* Refused, harmlessly, once another connection of this process is open. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	db_keep_blocks();
	struct db *db = mem_new(sizeof(*db));

	db->texts = options->texts;
	db->text_count = options->text_count;
	db->stmts = mem_array(db->text_count + 1, sizeof(*db->stmts));
	histogram_init(&db->commits, commit_bounds, ARRAY_LEN(commit_bounds));
	db->begin.db = db->look.db = db->commit.db = db->rollback.db = db;
	for (size_t i = 0; i < db->text_count; i++)
		db->stmts[i].db = db;
	int code = sqlite3_open_v2(path, &db->raw, mode | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK)
		db_fail(db, code);
	else
		configure(db, options);
	if (db->failure == DB_FINE)
		return db;
	err_set(err, "%s", db->error.text);
	if (options->why != NULL)
		*options->why = db->failure;
	db_abandon(&db);
	return NULL;
}

void db_close(struct db **db)
{
	struct db *d = *db;

	if (d == NULL)
		return;
	db_log_end(d);
	for (size_t i = 0; i < d->text_count; i++)
		sqlite3_finalize(d->stmts[i].raw);
	sqlite3_finalize(d->begin.raw);
	sqlite3_finalize(d->look.raw);
	sqlite3_finalize(d->commit.raw);
	sqlite3_finalize(d->rollback.raw);
	if (sqlite3_close(d->raw) != SQLITE_OK)
		BUG("a statement is still in use");
	mem_free(&d->stmts);
	mem_free(db);
}

void db_abandon(struct db **db)
{
	if (*db != NULL && (*db)->raw != NULL)
		sqlite3_db_config((*db)->raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	db_close(db);
}

/* Looks again each millisecond: SQLite's own waits grow to 100 ms, and between the turns of a busy
 * daemon there is no such gap that one would hit. */
static int wait_busy(void *arg, int count)
{
	const struct db *db = arg;

	if (count >= db->busy_ms)
		return 0;
	sqlite3_sleep(1);
	return 1;
}

void db_patience(struct db *db, int busy_ms)
{
	db->busy_ms = busy_ms;
	sqlite3_busy_handler(db->raw, wait_busy, db);
}

/* ---- transactions ---- */

static void run_own(struct stmt *s, const char *sql)
{
	if (s->raw == NULL)
		prepare(s, sql, SQLITE_PREPARE_PERSISTENT);
	stmt_run(s);
}

void db_look(struct db *db)
{
	assert(sqlite3_get_autocommit(db->raw));
	db_clear(db);
	run_own(&db->look, "BEGIN");
}

static void begin(struct db *db, bool may_be_late)
{
	assert(sqlite3_get_autocommit(db->raw));
	db_clear(db);
	if (db->refusal.text[0] != '\0') {
		db->failure = DB_REFUSED;
		db->error = db->refusal;
	}
	db_log_wait(db, !may_be_late);
	run_own(&db->begin, "BEGIN IMMEDIATE");
	db_log_mend(db);
}

void db_begin(struct db *db)
{
	begin(db, false);
}

void db_begin_late(struct db *db)
{
	begin(db, true);
}

void db_refuse(struct db *db, const char *why)
{
	err_set(&db->refusal, "%s", why);
}

void db_rollback(struct db *db)
{
	/* Some failures have rolled back by themselves. */
	if (!sqlite3_get_autocommit(db->raw)) {
		struct err kept = db->error;
		enum db_failure failure = db->failure;

		db_clear(db);
		run_own(&db->rollback, "ROLLBACK");
		db->failure = failure;
		db->error = kept;
	}
}

bool db_commit(struct db *db, struct err *err)
{
	int64_t from = clock_steady_us();

	if (db->failure == DB_FINE)
		run_own(&db->commit, "COMMIT");
	if (db->failure == DB_FINE) {
		histogram_add(&db->commits, clock_steady_us() - from);
		return true;
	}
	db->commit_failures += db->failure != DB_BUSY;
	db_rollback(db);
	db_log_failed(db);
	return err_set(err, "%s", db->error.text);
}

const struct histogram *db_commits(const struct db *db)
{
	return &db->commits;
}

int64_t db_commit_failures(const struct db *db)
{
	return db->commit_failures;
}

enum db_failure db_failure(const struct db *db)
{
	return db->failure;
}

const char *db_error(const struct db *db)
{
	return db->error.text;
}

bool db_is_begun(struct db *db)
{
	return sqlite3_get_autocommit(db->raw) == 0;
}

void db_clear(struct db *db)
{
	db->failure = DB_FINE;
	db->error.text[0] = '\0';
}

/* ---- statements ---- */

struct stmt *db_use(struct db *db, size_t number)
{
	struct stmt *s = &db->stmts[number];

	assert(number < db->text_count);
	if (s->raw == NULL && db->failure == DB_FINE)
		prepare(s, db->texts[number], SQLITE_PREPARE_PERSISTENT);
	assert(s->raw == NULL || !sqlite3_stmt_busy(s->raw));
	return s;
}

struct stmt *db_query(struct db *db, const char *sql, struct err *err)
{
	struct stmt *s = mem_new(sizeof(*s));

	db_clear(db);
	s->db = db;
	prepare(s, sql, 0);
	if (s->raw != NULL && sqlite3_stmt_readonly(s->raw))
		return s;
	err_set(err, "%s", s->raw == NULL ? db->error.text : "the statement would write");
	stmt_free(&s);
	return NULL;
}

void stmt_free(struct stmt **s)
{
	if (*s == NULL)
		return;
	sqlite3_finalize((*s)->raw);
	mem_free(s);
}

/* True when the statement may go on; a failure that came before makes all silent. */
static bool is_live(const struct stmt *s)
{
	return s->db->failure == DB_FINE && s->raw != NULL;
}

static void bound(struct stmt *s, int code)
{
	assert(code != SQLITE_RANGE && code != SQLITE_MISUSE);
	if (code != SQLITE_OK)
		db_fail(s->db, code);
}

void stmt_bind_int(struct stmt *s, int at, int64_t value)
{
	if (is_live(s))
		bound(s, sqlite3_bind_int64(s->raw, at, value));
}

void stmt_bind_some(struct stmt *s, int at, int64_t value)
{
	if (value != 0)
		stmt_bind_int(s, at, value);
	else
		stmt_bind_text(s, at, NULL);
}

void stmt_bind_text(struct stmt *s, int at, const char *text)
{
	if (text != NULL)
		stmt_bind_bytes(s, at, text, strlen(text));
	else if (is_live(s))
		bound(s, sqlite3_bind_null(s->raw, at));
}

void stmt_bind_bytes(struct stmt *s, int at, const char *text, size_t len)
{
	if (is_live(s))
		bound(s,
		      sqlite3_bind_text64(s->raw, at, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

bool stmt_row(struct stmt *s)
{
	if (!is_live(s)) {
		stmt_end(s);
		return false;
	}
	int code = sqlite3_step(s->raw);

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		db_fail(s->db, code);
	stmt_end(s);
	return false;
}

int64_t stmt_run(struct stmt *s)
{
	if (stmt_row(s)) {
		stmt_end(s);
		BUG("a change gives rows: %s", sqlite3_sql(s->raw));
	}
	return s->db->failure == DB_FINE ? sqlite3_changes64(s->db->raw) : 0;
}

void stmt_end(struct stmt *s)
{
	sqlite3_reset(s->raw);
}

int64_t stmt_int(struct stmt *s, int column)
{
	return sqlite3_column_int64(s->raw, column);
}

const char *stmt_text(struct stmt *s, int column, size_t *len)
{
	const unsigned char *text = sqlite3_column_text(s->raw, column);

	*len = (size_t)sqlite3_column_bytes(s->raw, column);
	return (const char *)text;
}

const char *stmt_word(struct stmt *s, int column)
{
	const unsigned char *text = sqlite3_column_text(s->raw, column);

	return text == NULL ? "" : (const char *)text;
}

bool stmt_is_null(struct stmt *s, int column)
{
	return sqlite3_column_type(s->raw, column) == SQLITE_NULL;
}

int stmt_column(struct stmt *s, const char *name)
{
	int count = sqlite3_column_count(s->raw);

	for (int i = 0; i < count; i++)
		if (strcmp(sqlite3_column_name(s->raw, i), name) == 0)
			return i;
	return -1;
}

/* ---- the rest ---- */

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->raw);
}

void db_script(struct db *db, const char *sql)
{
	if (db->failure != DB_FINE)
		return;
	int code = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		db_fail(db, code);
}

int64_t db_number(struct db *db, const char *sql)
{
	struct stmt s = { .db = db };
	int64_t number = 0;

	if (db->failure != DB_FINE)
		return 0;
	prepare(&s, sql, 0);
	if (stmt_row(&s))
		number = stmt_int(&s, 0);
	sqlite3_finalize(s.raw);
	return number;
}

void db_plan(struct db *db, const char *sql, struct buf *out)
{
	char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sql);
	struct stmt s = { .db = db };

	prepare(&s, explain, 0);
	while (stmt_row(&s))
		buf_addf(out, "%s\n", stmt_word(&s, 3));
	sqlite3_finalize(s.raw);
	mem_free(&explain);
}

void db_room(struct db *db, int64_t pages)
{
	int64_t most = pages < 0 ? 4294967294 : db_number(db, "PRAGMA page_count") + pages;
	char *sql = mem_printf("PRAGMA max_page_count = %" PRId64, most);

	(void)db_number(db, sql);
	mem_free(&sql);
}
