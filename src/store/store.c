/*
 * store: opens the file, makes or migrates it, and keeps it to one daemon.
 *
 * The lock is a file of its own beside the store (PATH.lock): it goes with the process however
 * that ends, and SQLite's own locks are left to writers. `PRAGMA user_version` is the schema's;
 * each migration brings a store from the version before to its own, all in one transaction, so
 * an upgrade that is cut short leaves the old store.
 */
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/inner.h"
#include "store/schema.h"

static const char *const migrations[] = {
	store_schema_sql, /* to version 1 */
};

enum { VERSION = ARRAY_LEN(migrations) };

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

static bool open_db(struct store *s, const char *path, struct err *err)
{
	struct db_options options = {
		.read_only = s->mode == STORE_READ,
		.create = s->mode == STORE_DAEMON,
		.busy_ms = PATIENCE_COMMAND_MS,
		.texts = sql_texts,
		.text_count = SQL_COUNT,
	};

	s->db = db_open(path, &options, err);
	if (s->db == NULL || !check_version(s->db, s->mode, err))
		return err_prefix(err, "cannot use the store %s", path);
	if (s->mode == STORE_DAEMON)
		db_patience(s->db, 0);
	store_load_sinks(s);
	return true;
}

struct store *store_open(const char *path, enum store_mode mode, struct err *err)
{
	if (!check_path(path, mode, err))
		return NULL;
	struct store *s = mem_new(sizeof(*s));

	s->mode = mode;
	s->lock_fd = -1;
	if ((mode == STORE_DAEMON && !take_lock(s, path, err)) || !open_db(s, path, err))
		store_close(&s);
	return s;
}

void store_close(struct store **s)
{
	if (*s == NULL)
		return;
	db_close(&(*s)->db);
	if ((*s)->lock_fd >= 0)
		close((*s)->lock_fd);
	history_release(&(*s)->history);
	mem_free(s);
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

	if (s->mode == STORE_DAEMON)
		db_patience(s->db, 0);
	return is_done;
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
	db_tidy(s->db);
}
