/*
 * store: opens the file, makes or migrates it, and keeps it to one daemon.
 *
 * The lock is a file of its own beside the store (PATH.lock): it goes with the process however
 * that ends, and SQLite's own locks are left to writers. `PRAGMA user_version` is the schema's;
 * each migration brings a store from the version before to its own, all in one transaction, so
 * an upgrade that is cut short leaves the old store.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/inner.h"
#include "store/schema.h"

static const char *const migrations[] = {
	store_schema_sql,    /* to version 1 */
	store_schema_2_sql,  /* to version 2 */
	store_schema_3_sql,  /* to version 3 */
	store_schema_4_sql,  /* to version 4 */
	store_schema_5_sql,  /* to version 5 */
	store_schema_6_sql,  /* to version 6 */
	store_schema_7_sql,  /* to version 7 */
	store_schema_8_sql,  /* to version 8 */
	store_schema_9_sql,  /* to version 9 */
	store_schema_10_sql, /* to version 10 */
};

enum { VERSION = ARRAY_LEN(migrations) };

const int store_version_known = VERSION;

static bool take_lock(struct store *s, const char *path, struct err *err)
{
	char *name = mem_printf("%s.lock", path);
	long pid;
	bool is_ours = file_lock(name, &s->lock_fd, &pid, err);

	if (!is_ours && pid > 0)
		err_set(err,
			"the store %s is in use by tocsin (pid %ld): stop it first, or"
			" choose another file with `store`",
			path, pid);
	mem_free(&name);
	return is_ours;
}

static bool check_dir(const char *dir, enum store_mode mode, struct err *err)
{
	if (!file_is_dir(dir))
		return err_set(err,
			       "the store's folder %s does not exist: make it, or set `store`",
			       dir);
	if (mode == STORE_DAEMON && !file_dir_writable(dir))
		return err_set(err,
			       "the store's folder %s cannot be written: give it to the user"
			       " that runs tocsin, or set `store`",
			       dir);
	return true;
}

static bool check_path(const char *path, enum store_mode mode, struct err *err)
{
	char *dir = file_dir(path);
	bool is_good = check_dir(dir, mode, err);

	mem_free(&dir);
	if (is_good && mode != STORE_DAEMON && !file_exists(path))
		return err_set(err, "there is no store at %s yet: `tocsin run` makes it", path);
	return is_good;
}

/* Brings a store of this or an older version to ours; `version` is what it has. */
static bool migrate(struct db *db, int64_t version, struct err *err)
{
	db_begin(db);
	for (int64_t v = version; v < VERSION; v++)
		db_script(db, migrations[v]);
	char *sql = mem_printf("PRAGMA user_version = %d", VERSION);

	db_script(db, sql);
	mem_free(&sql);
	return db_commit(db, err);
}

static bool check_version(struct db *db, enum store_mode mode, struct err *err)
{
	int64_t version = db_number(db, "PRAGMA user_version");
	int64_t tables = db_number(db, "SELECT count(*) FROM sqlite_schema");

	if (db_failure(db) != DB_FINE)
		return err_set(err, "%s", db_error(db));
	if (version > VERSION)
		return err_set(
			err,
			"it is of version %d and this tocsin knows %d: install the tocsin"
			" that wrote it, or a newer one",
			(int)version, VERSION);
	if (version == 0 && tables != 0)
		return err_set(err, "it is another program's: set `store` to another file");
	if (version == VERSION)
		return true;
	if (mode != STORE_DAEMON)
		return err_set(err, "it is of version %d: `tocsin run` brings it to %d",
			       (int)version, VERSION);
	return migrate(db, version, err);
}

/* What a command says of a file that it cannot read; it never moves one. */
static const char *damage_remedy(enum store_mode mode)
{
	if (mode == STORE_DAEMON)
		return "";
	return ": tocsin run sets a damaged store aside when it starts; or stop it and put a "
	       "backup in its place (tocsin store check tells what is damaged)";
}

static bool open_db(struct store *s, enum db_failure *why, struct err *err)
{
	struct db_options options = {
		.read_only = s->mode == STORE_READ,
		.create = s->mode == STORE_DAEMON,
		.busy_ms = PATIENCE_COMMAND_MS,
		.texts = sql_texts,
		.text_count = SQL_COUNT,
		.why = why,
	};
	bool is_good = false;

	*why = DB_FINE;
	s->db = db_open(s->path, &options, err);
	if (s->db != NULL) {
		is_good = check_version(s->db, s->mode, err);
		*why = db_failure(s->db);
	}
	if (is_good)
		return true;
	if (*why == DB_DAMAGED)
		snprintf(s->opened.damage, sizeof(s->opened.damage), "%.190s", err->text);
	return err_set(err, "cannot use the store %.160s: %.200s%s", s->path, err->text,
		       *why == DB_DAMAGED ? damage_remedy(s->mode) : "");
}

/* The daemon's: a damaged file makes way for a new one, once. */
static bool open_or_begin_anew(struct store *s, struct err *err)
{
	struct err damage = { "" };
	enum db_failure why = DB_DAMAGED;
	bool is_damaged = aside_is_damaged(s->path, &damage);

	snprintf(s->opened.damage, sizeof(s->opened.damage), "%.190s", damage.text);
	if (!is_damaged && open_db(s, &why, err))
		return true;
	if (why != DB_DAMAGED)
		return false;
	db_abandon(&s->db);
	return aside_move(s, err) && open_db(s, &why, err);
}

static bool open_daemon(struct store *s, struct err *err)
{
	int64_t since;

	if (!take_lock(s, s->path, err) || !open_or_begin_anew(s, err))
		return false;
	if (!aside_adopt_backup(s, err))
		return err_prefix(err, "cannot use the backup that lies in the store's place");
	if (keep_is_suspect(s->path, &since))
		s->opened.rings_from_at = since;
	if (s->opened.rings_from_at != 0 || s->opened.is_restored)
		s->doubt_until = clock_now();
	db_patience(s->db, 0);
	return store_look(s, err);
}

struct store *store_open(const char *path, enum store_mode mode, struct err *err)
{
	enum db_failure why;

	if (!check_path(path, mode, err))
		return NULL;
	struct store *s = mem_new(sizeof(*s));

	s->mode = mode;
	s->lock_fd = -1;
	s->adopt_from = -1;
	s->path = mem_strdup(path);
	if (mode == STORE_DAEMON ? open_daemon(s, err) : open_db(s, &why, err))
		store_load_sinks(s);
	else
		store_close(&s);
	return s;
}

void store_close(struct store **s)
{
	if (*s == NULL)
		return;
	/* Neither may a damaged file be written to, nor the log of another be removed. */
	if ((*s)->is_damaged || (*s)->lost[0] != '\0')
		db_abandon(&(*s)->db);
	else
		db_close(&(*s)->db);
	if ((*s)->lock_fd >= 0)
		close((*s)->lock_fd);
	history_release(&(*s)->history);
	idset_release(&(*s)->noted.events);
	idset_release(&(*s)->claimed);
	mem_free(&(*s)->path);
	mem_free(s);
}

const struct store_opened *store_opened(const struct store *s)
{
	return &s->opened;
}

bool store_is_damaged(const struct store *s)
{
	return s->is_damaged;
}

void store_begin_patient(struct store *s)
{
	if (s->mode == STORE_DAEMON)
		db_patience(s->db, PATIENCE_START_MS);
	db_begin(s->db);
}

bool store_commit_patient(struct store *s, struct err *err)
{
	bool is_done = db_commit(s->db, err);

	if (!is_done)
		(void)keep_failed(s, err);
	if (s->mode == STORE_DAEMON)
		db_patience(s->db, 0);
	return is_done;
}

const struct histogram *store_commits(const struct store *s)
{
	return db_commits(s->db);
}

int64_t store_commit_failures(const struct store *s)
{
	return db_commit_failures(s->db);
}

int64_t store_bytes(const char *path)
{
	char *log = mem_printf("%s-wal", path);
	int64_t bytes = file_size(path) + file_size(log);

	mem_free(&log);
	return bytes;
}

int64_t store_version(struct store *s)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_DATA_VERSION);

	if (stmt_row(q))
		s->version_seen = stmt_int(q, 0);
	stmt_end(q);
	return s->version_seen;
}

void store_tidy(struct store *s)
{
	if (s->lost[0] == '\0' && !s->is_damaged)
		db_tidy(s->db);
}
