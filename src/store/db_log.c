/*
 * db_log: how much of the log is on the disk, and when it is taken into the file.
 *
 * A commit that may be late leaves its bytes with the system. They go to the disk with the next
 * commit that waits, for the log is one file, or with db_tidy(). When a sync fails the system
 * holds for written what is not, and tries no more; SQLite writes the commit that failed anew,
 * but not what was late before it. So that is done here, before anything else is. (Linux tells
 * everybody who has the file open, once: a command's failed sync fails the daemon's next, too.)
 *
 * The log is taken in by the count of frames that a commit reports. (Its size on the disk is no
 * measure: the file never shrinks by itself.) When a reader keeps a checkpoint from finishing,
 * the next one waits for as many frames again. On a full disk the log is taken in at once: it
 * is then written from its beginning, in room that it has.
 */
#include <assert.h>

#include "base/mem.h"
#include "store/db_inner.h"

enum {
	CHECKPOINT_FRAMES = 4000, /* 32 MB of log */
	PIECE = 64 << 10          /* SQLite's file system takes less than 128 KiB at a time */
};

/* After each commit that wrote something. */
static int note_frames(void *arg, sqlite3 *raw, const char *name, int frames)
{
	struct db *db = arg;

	(void)raw;
	(void)name;
	db->frames = frames;
	db->is_late = !db->waits;
	return SQLITE_OK;
}

void db_log_begin(struct db *db)
{
	db->checkpoint_at = CHECKPOINT_FRAMES;
	db->waits = true;
	sqlite3_wal_hook(db->raw, note_frames, db);
}

/* At once, lest another process takes in a log of whose doubt it does not know. */
static void mend_now(struct db *db)
{
	db_begin(db);
	db_rollback(db);
}

/* A log in doubt is not taken in: what the disk lost of it would be missing from the file's middle.
 * The next start writes it anew. */
void db_log_end(struct db *db)
{
	if (db->is_doubted)
		mend_now(db);
	if (db->is_doubted)
		sqlite3_db_config(db->raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void db_log_wait(struct db *db, bool waits)
{
	if (db->waits == waits)
		return;
	db_script(db, waits ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
	if (db->failure == DB_FINE)
		db->waits = waits;
}

void db_log_failed(struct db *db)
{
	if (db->failure == DB_FULL)
		db->checkpoint_at = 0;
	db->is_doubted = db->is_doubted || (db->is_late && db->failure != DB_BUSY);
}

/* ---- to the disk ---- */

/* NULL: there is none yet. */
static sqlite3_file *log_of(struct db *db)
{
	sqlite3_file *log = NULL;
	int code = sqlite3_file_control(db->raw, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);

	return code == SQLITE_OK && log->pMethods != NULL ? log : NULL;
}

/* A disk that takes no sync yet is not written to in vain, over and over. */
static int write_anew(sqlite3_file *log)
{
	sqlite3_int64 size = 0;
	int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);

	if (code == SQLITE_OK)
		code = log->pMethods->xFileSize(log, &size);
	char *piece = mem_array(1, PIECE);

	for (sqlite3_int64 at = 0, len; at < size && code == SQLITE_OK; at += len) {
		len = size - at < PIECE ? size - at : PIECE;
		code = log->pMethods->xRead(log, piece, (int)len, at);
		if (code == SQLITE_OK)
			code = log->pMethods->xWrite(log, piece, (int)len, at);
	}
	if (code == SQLITE_OK && size > 0)
		code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	mem_free(&piece);
	return code;
}

void db_write_anew(struct db *db)
{
	if (db->failure != DB_FINE)
		return;
	assert(!sqlite3_get_autocommit(db->raw));
	sqlite3_file *log = log_of(db);
	int code = log != NULL ? write_anew(log) : SQLITE_OK;

	if (code == SQLITE_OK)
		db->is_late = db->is_doubted = false;
	else if (code != SQLITE_FULL)
		db_fail(db, code);
}

void db_log_mend(struct db *db)
{
	if (!db->is_doubted)
		return;
	db_write_anew(db);
	if (db->is_doubted)
		db_fail(db, SQLITE_FULL); /* had it no room; another failure was told before */
}

static void sync_log(struct db *db)
{
	sqlite3_file *log = log_of(db);

	if (!db->is_late || db->is_doubted || log == NULL)
		return;
	if (log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		db->is_late = false;
	else
		db->is_doubted = true;
}

void db_tidy(struct db *db)
{
	int in_log = 0, moved = 0;

	sync_log(db);
	if (db->is_doubted)
		mend_now(db);
	if (db->is_doubted || db->frames < db->checkpoint_at)
		return;
	/* What fails here (no room, a writer) is tried again, and shows in the next commit. */
	int code = sqlite3_wal_checkpoint_v2(db->raw, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
					     &moved);
	bool is_whole = code == SQLITE_OK && moved >= in_log;

	db->checkpoint_at = is_whole ? CHECKPOINT_FRAMES : db->frames + CHECKPOINT_FRAMES;
	db->frames = is_whole ? 0 : db->frames;
}
