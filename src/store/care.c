/*
 * care: see the header. A copy is made under a name of its own beside its place, synced, and only
 * then takes the place: whoever finds a backup by its name finds a whole one.
 */
#include "store/care.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db_care.h"
#include "store/inner.h"

enum { FINDINGS_BYTES_MAX = 64 << 10 };

/* ---- check ---- */

static int64_t bytes_of(const char *path)
{
	char *log = mem_printf("%s-wal", path);
	struct file_facts facts;
	int64_t bytes = file_look(path, &facts) ? facts.size : 0;

	bytes += file_look(log, &facts) ? facts.size : 0;
	mem_free(&log);
	return bytes;
}

static bool count_rows(struct db *db, struct store_table *table)
{
	char *sql = mem_printf("SELECT count(*) FROM \"%s\"", table->name);

	table->rows = db_number(db, sql);
	mem_free(&sql);
	return db_failure(db) == DB_FINE;
}

/* What can be read of a file that may be damaged anywhere. */
static void read_facts(const char *path, struct store_findings *out)
{
	const struct db_options options = { .read_only = true, .busy_ms = PATIENCE_COMMAND_MS };
	struct db *db = db_open(path, &options, NULL);
	struct stmt *q = NULL;

	if (db == NULL)
		return;
	int64_t version = db_number(db, "PRAGMA user_version");

	if (db_failure(db) == DB_FINE)
		out->version = version;
	q = db_query(db,
		     "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE"
		     " 'sqlite_%' ORDER BY name",
		     NULL);
	while (q != NULL && out->table_count < STORE_TABLES_MAX && stmt_row(q)) {
		struct store_table *table = &out->tables[out->table_count++];

		snprintf(table->name, sizeof(table->name), "%s", stmt_word(q, 0));
	}
	stmt_free(&q);
	for (size_t i = 0; i < out->table_count; i++) {
		if (count_rows(db, &out->tables[i]))
			continue;
		out->tables[i].rows = -1;
		db_clear(db);
	}
	db_abandon(&db);
}

bool store_check(const char *path, bool is_full, const struct progress *progress,
		 struct store_findings *out, struct err *err)
{
	*out = (struct store_findings){ .version = -1,
					.version_known = store_version_known,
					.bytes = bytes_of(path) };
	buf_init(&out->text, FINDINGS_BYTES_MAX);
	if (!file_exists(path))
		return err_set(err, "there is no file %s", path);
	if (!db_check(path, is_full, progress, &out->text, err))
		return false;
	read_facts(path, out);
	return true;
}

void store_suspect(const char *path)
{
	keep_suspect(path, clock_now());
}

/* ---- backup ---- */

static bool is_same_file(const char *a, const char *b)
{
	struct file_facts of_a, of_b;

	return file_look(a, &of_a) && file_look(b, &of_b) && of_a.device == of_b.device &&
	       of_a.inode == of_b.inode;
}

static bool check_target(const char *path, const char *to, bool force, struct err *err)
{
	static const char *const beside[] = { "-wal", "-journal" };

	if (file_is_dir(to))
		return err_set(err, "%s is a folder: name a file in it", to);
	if (is_same_file(path, to))
		return err_set(err, "%s is the store itself: name another file", to);
	if (file_exists(to) && !force)
		return err_set(err, "%s is there already: --force replaces it", to);
	/* It would be taken for the new file's. */
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		char *log = mem_printf("%s%s", to, beside[i]);
		bool is_there = file_exists(log);

		if (is_there)
			err_set(err,
				"%s lies there, of a store in use or cut short: name another",
				log);
		mem_free(&log);
		if (is_there)
			return false;
	}
	return true;
}

static bool make_empty(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, "cannot make %s: %s", path, strerror(errno));
	close(fd);
	return true;
}

static bool take_place(const char *temporary, const char *to, bool force, struct err *err)
{
	char *dir = file_dir(to);
	bool is_done = file_sync(temporary, err);

	if (is_done && !force)
		is_done = file_move(temporary, to, err);
	else if (is_done && rename(temporary, to) != 0)
		is_done = err_set(err, "cannot rename %s to %s: %s", temporary, to,
				  strerror(errno));
	if (is_done)
		is_done = file_sync(dir, err);
	mem_free(&dir);
	return is_done;
}

bool store_backup(const char *path, const char *to, bool force, const struct progress *progress,
		  struct err *err)
{
	if (!file_exists(path))
		return err_set(err, "there is no store at %s yet: `tocsin run` makes it", path);
	if (!check_target(path, to, force, err))
		return false;
	char *temporary = mem_printf("%s.%ld.part", to, (long)getpid());
	bool is_made = make_empty(temporary, err);
	bool is_done = is_made && db_copy(path, temporary, progress, err) &&
		       take_place(temporary, to, force, err);

	if (is_made && !is_done) {
		char *journal = mem_printf("%s-journal", temporary);

		unlink(temporary);
		unlink(journal);
		mem_free(&journal);
	}
	mem_free(&temporary);
	return is_done;
}
