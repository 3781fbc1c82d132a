/*
 * aside: what the daemon's start does about a file that is damaged.
 *
 * Such a file is never written to: it is evidence, and much of it can still be read. It is given
 * another name (PATH.damaged-20261124T034556Z, its log and index beside it), and the daemon goes
 * on with a new store rather than stay silent. That one begins where the old one ended, less an
 * overlap: what came up since rings, and so does all from the oldest event on that the damaged
 * file shows as not delivered. Some of it rings twice: with the same delivery ids, and marked as
 * possible repeats. So it is with a backup that was put in the store's place.
 *
 * A small file is looked at whole at each start; a large one only when it is suspect (keep.c),
 * as that takes seconds: damage that lies deep shows when it is read, and makes it suspect. From
 * when on the new store rings is kept in that note until the start is complete, so a start that
 * is cut short forgets nothing.
 *
 * Only what looks like a store of ours is moved: not every file that `store` may name by mistake.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/db_care.h"
#include "store/inner.h"

enum {
	LOOK_BYTES_MAX = 16 << 20, /* read in less than 0.1 s */
	OVERLAP_MS = 10 * 60 * 1000,
	PAGE_BYTES = 8192,
	NAMES_MAX = 100, /* set aside within one second */
};

static const char magic[16] = "SQLite format 3";

static const char *const suffixes[] = { "", "-wal", "-shm" };

/* ---- is it damaged? ---- */

static int64_t size_of(const char *path, const char *suffix)
{
	char *name = mem_printf("%s%s", path, suffix);
	struct file_facts facts;
	int64_t size = file_look(name, &facts) ? facts.size : 0;

	mem_free(&name);
	return size;
}

/* SQLite would delete the log of an empty file. */
static bool is_hollow(const char *path)
{
	return size_of(path, "") == 0 && size_of(path, "-wal") > 0;
}

bool aside_is_damaged(const char *path, struct err *damage)
{
	int64_t since;
	struct buf findings;
	struct err err;

	if (is_hollow(path)) {
		err_set(damage, "the file is empty or gone, and its log is not");
		return true;
	}
	int64_t size = size_of(path, "");

	if (size == 0 || (size > LOOK_BYTES_MAX && !keep_is_suspect(path, &since)))
		return false;
	buf_init(&findings, 4096);
	/* What cannot be read at all is no damage: to open it tells why. */
	bool is_damaged = db_check(path, false, NULL, &findings, &err) && findings.len > 0;

	if (is_damaged)
		err_set(damage, "%.*s", (int)strcspn(findings.data, "\n"), findings.data);
	buf_release(&findings);
	return is_damaged;
}

/* ---- may it be moved? ---- */

static bool has_magic(const char *path)
{
	char bytes[sizeof(magic)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : 0;

	if (fd >= 0)
		close(fd);
	return got == (ssize_t)sizeof(bytes) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static bool looks_ours(const char *path)
{
	return has_magic(path) || size_of(path, "-wal") > 0 ||
	       size_of(path, "") % PAGE_BYTES == 0;
}

/* ---- since when may something be missing? ---- */

static int64_t last_written_at(const char *path)
{
	char *log = mem_printf("%s-wal", path);
	struct file_facts file = { .modified_at = 0 }, wal = { .modified_at = 0 };

	(void)file_look(path, &file);
	(void)file_look(log, &wal);
	mem_free(&log);
	return file.modified_at > wal.modified_at ? file.modified_at : wal.modified_at;
}

/* The oldest event that waits to be delivered rings again, too, if it can be read. */
int64_t aside_rings_from(struct db *db, int64_t written_at)
{
	int64_t waits = db_number(db, "SELECT min(coalesce(a.created_at, e.at))"
				      " FROM deliveries d JOIN events e ON e.id = d.id >> 27"
				      " JOIN alerts a ON a.number = e.alert"
				      " WHERE d.state IN ('due', 'held', 'claimed')");

	if (db_failure(db) != DB_FINE || waits == 0 || waits > written_at)
		waits = written_at;
	db_clear(db);
	return waits - OVERLAP_MS;
}

static int64_t rings_from(const char *path)
{
	const struct db_options options = { .read_only = true };
	struct db *db = db_open(path, &options, NULL);
	int64_t written_at = last_written_at(path);

	if (db == NULL)
		return written_at - OVERLAP_MS;
	int64_t at = aside_rings_from(db, written_at);

	db_abandon(&db);
	return at;
}

/* ---- the move ---- */

static bool is_free(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *file = mem_printf("%s%s", name, suffixes[i]);
		bool is_taken = file_exists(file);

		mem_free(&file);
		if (is_taken)
			return false;
	}
	return true;
}

/* PATH.damaged-20261124T034556Z, with a number behind it when that is taken. */
static void choose_name(const char *path, char *out, size_t size)
{
	char iso[CLOCK_TEXT_MAX], stamp[CLOCK_TEXT_MAX];
	size_t len = 0;

	clock_iso(clock_now(), false, iso);
	for (const char *c = iso; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			stamp[len++] = *c;
	stamp[len] = '\0';
	snprintf(out, size, "%.400s.damaged-%s", path, stamp);
	for (int n = 2; n < NAMES_MAX && !is_free(out); n++)
		snprintf(out, size, "%.400s.damaged-%s-%d", path, stamp, n);
}

/* The log goes after its file: one that is left alone is found by the next start (is_hollow),
 * while a file without its log might pass for sound. */
static bool move_files(const char *path, const char *aside, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *from = mem_printf("%s%s", path, suffixes[i]);
		char *to = mem_printf("%s%s", aside, suffixes[i]);
		bool is_done = !file_exists(from) || file_move(from, to, err);

		mem_free(&from);
		mem_free(&to);
		if (!is_done)
			return false;
	}
	return true;
}

bool aside_move(struct store *s, struct err *err)
{
	struct store_opened *o = &s->opened;
	struct err why;
	char *dir;

	if (!looks_ours(s->path))
		return err_set(
			err,
			"cannot use the store %s: it is no store of tocsin (%.200s): set "
			"`store` to another file, or move this one away",
			s->path, o->damage);
	keep_suspect(s->path, rings_from(s->path));
	choose_name(s->path, o->aside, sizeof(o->aside));
	dir = file_dir(s->path);
	bool is_done = move_files(s->path, o->aside, &why) && file_sync(dir, &why);

	mem_free(&dir);
	if (!is_done)
		return err_set(
			err,
			"the store %.150s is damaged (%.100s) and could not be set aside: "
			"%.100s: move it away, or put a backup in its place",
			s->path, o->damage, why.text);
	o->was_damaged = true;
	return true;
}

/* ---- a backup in the store's place ---- */

bool aside_adopt_backup(struct store *s, struct err *err)
{
	if (db_number(s->db, "PRAGMA application_id") != DB_COPY_MARK)
		return true;
	store_begin_patient(s);
	db_script(s->db, "UPDATE deliveries SET maybe_sent = 1"
			 " WHERE state IN ('due', 'held', 'claimed', 'orphaned');"
			 "PRAGMA application_id = 0");
	s->opened.is_restored = store_commit_patient(s, err);
	return s->opened.is_restored;
}
