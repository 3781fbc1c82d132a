/* The disk of the tests keeps what it promises: else what is tested on it proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "disk/disk.h"

static struct {
	char dir[64], path[96];
	sqlite3 *db;
} t;

static int run(const char *sql)
{
	return sqlite3_exec(t.db, sql, NULL, NULL, NULL);
}

static void must(const char *sql)
{
	if (run(sql) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(t.db));
}

static void open_as(const char *synchronous)
{
	char sql[200];

	assert_int_equal(sqlite3_open(t.path, &t.db), SQLITE_OK);
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode = WAL; PRAGMA synchronous = %s;"
		 "PRAGMA wal_autocheckpoint = 0; CREATE TABLE IF NOT EXISTS n (i, text)",
		 synchronous);
	must(sql);
}

static void close_db(void)
{
	assert_int_equal(sqlite3_close(t.db), SQLITE_OK);
	t.db = NULL;
}

static const char *text_of(const char *sql)
{
	static char text[200];
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(t.db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return text;
}

static int64_t row_count(void)
{
	return strtoll(text_of("SELECT count(*) FROM n"), NULL, 10);
}

static int add_row(void)
{
	return run("INSERT INTO n SELECT count(*), hex(randomblob(900)) FROM n");
}

static void add_rows(int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(add_row(), SQLITE_OK);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(t.dir, sizeof(t.dir), "/tmp/tocsin-disk-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/t.db", t.dir);
	disk_install();
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	close_db();
	disk_remove();
	snprintf(command, sizeof(command), "rm -rf %s", t.dir);
	return system(command);
}

/* A life of commits and checkpoints, up to the power cut; how many rows were committed. */
static int64_t live_and_lose_power(uint64_t seed, const char *synchronous)
{
	if (row_count() > 60)
		must("DELETE FROM n; PRAGMA wal_checkpoint(TRUNCATE)");
	int64_t committed = row_count();

	for (uint64_t i = 0; i < 1 + seed % 7; i++) {
		add_rows(1 + (int)(seed % 3));
		committed += 1 + (int64_t)(seed % 3);
		if ((seed + i) % 4 == 0)
			must("PRAGMA wal_checkpoint(TRUNCATE)");
		else if ((seed + i) % 4 == 1)
			must("PRAGMA wal_checkpoint");
	}
	if (seed % 2 == 0) { /* amid a transaction, some of it spilt to the log */
		must("PRAGMA cache_size = 1; BEGIN");
		add_rows(8);
	}
	disk_power_cut(seed);
	close_db();
	open_as(synchronous);
	return committed;
}

/* How many of the power cuts lost a committed row. */
static int losses(const char *synchronous, uint64_t seeds)
{
	int count = 0;

	open_as(synchronous);
	for (uint64_t seed = 0; seed < seeds; seed++) {
		int64_t committed = live_and_lose_power(seed, synchronous);
		int64_t found = row_count();

		count += found < committed;
		assert_true(found <= committed + 8);
		assert_string_equal(text_of("PRAGMA integrity_check"), "ok");
		assert_string_equal(text_of("SELECT count(DISTINCT i) = count(*) FROM n"), "1");
	}
	return count;
}

static void what_was_synced_survives_every_power_cut(void **state)
{
	(void)state;
	assert_int_equal(losses("FULL", 200), 0);
}

static void what_was_not_synced_is_often_lost(void **state)
{
	(void)state;
	assert_true(losses("NORMAL", 100) > 20);
}

static void without_any_sync_a_power_cut_damages_the_file(void **state)
{
	bool is_damaged = false;

	(void)state;
	for (uint64_t seed = 0; seed < 200 && !is_damaged; seed++) {
		open_as("OFF");
		add_rows(20);
		must("PRAGMA wal_checkpoint(TRUNCATE)");
		disk_power_cut(seed);
		close_db();
		assert_int_equal(sqlite3_open(t.path, &t.db), SQLITE_OK);
		is_damaged = run("PRAGMA integrity_check; SELECT * FROM n") != SQLITE_OK;
		close_db();
		unlink(t.path);
	}
	assert_true(is_damaged);
}

static void a_kill_keeps_what_was_written(void **state)
{
	(void)state;
	open_as("OFF");
	add_rows(5);
	must("BEGIN");
	add_rows(5);
	disk_kill();
	assert_int_not_equal(run("COMMIT"), SQLITE_OK);
	close_db();
	open_as("FULL");
	assert_int_equal(row_count(), 5);
}

static void a_cut_by_the_same_seed_leaves_the_same(void **state)
{
	int64_t first[8];

	(void)state;
	for (int life = 0; life < 2; life++) {
		for (uint64_t seed = 0; seed < ARRAY_LEN(first); seed++) {
			open_as("NORMAL");
			must("DELETE FROM n; PRAGMA wal_checkpoint(TRUNCATE)");
			add_rows(9);
			disk_power_cut(seed);
			close_db();
			open_as("NORMAL");
			if (life == 0)
				first[seed] = row_count();
			assert_int_equal(row_count(), first[seed]);
			close_db();
		}
	}
}

static void an_operation_fails_from_the_nth_on_until_it_is_healed(void **state)
{
	static const struct {
		enum disk_op op;
		enum disk_fault how;
		int code;
	} cases[] = {
		{ DISK_WRITE, DISK_IOERR, SQLITE_IOERR },
		{ DISK_WRITE, DISK_FULL, SQLITE_FULL },
		{ DISK_SYNC, DISK_IOERR, SQLITE_IOERR },
		{ DISK_LOCK, DISK_BUSY, SQLITE_BUSY },
		{ DISK_LOCK, DISK_IOERR, SQLITE_IOERR },
	};

	(void)state;
	open_as("FULL");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t before = row_count();

		disk_fail(cases[i].op, 1, -1, cases[i].how);
		assert_int_equal(add_row() & 0xff, cases[i].code);
		disk_heal();
		assert_int_equal(row_count(), before);
		add_rows(1);
	}
	int64_t writes = disk_count(DISK_WRITE);

	disk_fail(DISK_WRITE, 100, -1, DISK_IOERR);
	while (add_row() == SQLITE_OK)
		;
	assert_int_equal(disk_count(DISK_WRITE), writes + 100);
	assert_int_not_equal(add_row(), SQLITE_OK);
	disk_heal();
	add_rows(1);
}

static void a_read_or_an_open_fails(void **state)
{
	sqlite3 *other;

	(void)state;
	open_as("FULL");
	add_rows(50);
	must("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory");
	disk_fail(DISK_READ, 1, -1, DISK_IOERR);
	assert_int_equal(run("SELECT sum(length(text)) FROM n") & 0xff, SQLITE_IOERR);
	disk_heal();
	disk_fail(DISK_OPEN, 1, 1, DISK_IOERR);
	assert_int_equal(sqlite3_open(t.path, &other), SQLITE_CANTOPEN);
	sqlite3_close(other);
}

static void a_full_disk_takes_what_it_has_room_for(void **state)
{
	(void)state;
	open_as("FULL");
	add_rows(3);
	disk_set_room(20000);
	while (add_row() == SQLITE_OK)
		assert_true(disk_room() >= 0);
	assert_int_equal(sqlite3_errcode(t.db), SQLITE_FULL);
	assert_true(disk_room() < 20000);
	disk_set_room(-1);
	add_rows(1);
	disk_set_room(100000);
	must("DELETE FROM n; PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(disk_room() > 100000);
}

/* The next commit writes anew, over what the failed one had left in the log. */
static void a_commit_after_a_failed_sync_is_safe(void **state)
{
	(void)state;
	open_as("FULL");
	for (uint64_t seed = 0; seed < 60; seed++) {
		int64_t before = row_count();

		disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
		assert_int_not_equal(add_row(), SQLITE_OK);
		add_rows(1);
		disk_power_cut(seed);
		close_db();
		open_as("FULL");
		assert_int_equal(row_count(), before + 1);
	}
}

static void count_one(void *arg)
{
	++*(int *)arg;
}

static void each_sync_is_told(void **state)
{
	int syncs = 0;

	(void)state;
	open_as("FULL");
	disk_on_sync(count_one, &syncs);
	add_rows(3);
	assert_int_equal(syncs, 3);
}

static void the_logs_index_is_lost_with_the_power(void **state)
{
	char path[112];
	struct stat st;

	(void)state;
	open_as("FULL");
	add_rows(3);
	snprintf(path, sizeof(path), "%s-shm", t.path);
	assert_int_equal(stat(path, &st), 0);
	disk_power_cut(1);
	assert_int_not_equal(stat(path, &st), 0);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_was_synced_survives_every_power_cut),
		STORY(what_was_not_synced_is_often_lost),
		STORY(without_any_sync_a_power_cut_damages_the_file),
		STORY(a_kill_keeps_what_was_written),
		STORY(a_cut_by_the_same_seed_leaves_the_same),
		STORY(an_operation_fails_from_the_nth_on_until_it_is_healed),
		STORY(a_read_or_an_open_fails),
		STORY(a_full_disk_takes_what_it_has_room_for),
		STORY(a_commit_after_a_failed_sync_is_safe),
		STORY(each_sync_is_told),
		STORY(the_logs_index_is_lost_with_the_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
