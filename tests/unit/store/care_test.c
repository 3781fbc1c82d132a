/* The operator's: is the file sound, and a copy of it. */
#include "kit.h"
#include "store/care.h"

static int64_t told_done, told_total;
static int told_count;

static void note_progress(void *arg, int64_t done, int64_t total)
{
	(void)arg;
	assert_true(done >= 0 && done <= total);
	assert_true(told_count == 0 || total != told_total || done >= told_done);
	told_done = done;
	told_total = total;
	told_count++;
}

static const struct progress progress = { note_progress, NULL };

static const char *copy_path(struct kit *k)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/copy.db", k->dir);
	return path;
}

/* How many rows of a table the findings tell; -2: no such table. */
static int64_t rows_of(const struct store_findings *f, const char *table)
{
	for (size_t i = 0; i < f->table_count; i++)
		if (strcmp(f->tables[i].name, table) == 0)
			return f->tables[i].rows;
	return -2;
}

static bool is_sound(const char *path, bool is_full)
{
	struct store_findings f;
	struct err err;

	if (!store_check(path, is_full, &progress, &f, &err))
		fail_msg("%s", err.text);
	bool is_good = f.text.len == 0;

	buf_release(&f.text);
	return is_good;
}

static void scribble(const char *path, long at, size_t len)
{
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	fseek(file, at, SEEK_SET);
	while (len-- > 0)
		fputc('Z', file);
	fclose(file);
}

static void grow(struct kit *k, int pages)
{
	char *sql =
		mem_printf("CREATE TABLE IF NOT EXISTS ballast (x);"
			   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			   " WHERE i < %d) INSERT INTO ballast SELECT zeroblob(8000) FROM n",
			   pages);

	db_begin(k->s->db);
	db_script(k->s->db, sql);
	assert_true(db_commit(k->s->db, &k->err));
	mem_free(&sql);
}

static void a_sound_store_is_told_with_its_counts(void **state)
{
	struct kit *k = *state;
	struct store_findings f;

	see(k, "a", "open");
	see(k, "b", "open");
	assert_true(store_check(k->path, false, &progress, &f, &k->err));
	assert_int_equal(f.text.len, 0);
	assert_int_equal(f.version, store_version_known);
	assert_int_equal(rows_of(&f, "alerts"), 2);
	assert_int_equal(rows_of(&f, "deliveries"), 4);
	assert_true(f.bytes > 8192);
	buf_release(&f.text);
	assert_true(is_sound(k->path, true));
}

static void damage_is_found_and_the_file_left_alone(void **state)
{
	struct kit *k = *state;
	struct store_findings f;
	struct file_facts before, after;

	see(k, "a", "open");
	int64_t root =
		db_number(k->s->db, "SELECT rootpage FROM sqlite_schema WHERE name = 'events'");

	store_close(&k->s);
	scribble(k->path, (long)(root - 1) * 8192, 200);
	assert_true(file_look(k->path, &before));
	assert_true(store_check(k->path, false, NULL, &f, &k->err));
	assert_true(f.text.len > 0);
	assert_int_equal(rows_of(&f, "events"), -1);
	assert_int_equal(rows_of(&f, "alerts"), 1);
	buf_release(&f.text);
	scribble(k->path, 0, 100);
	assert_true(store_check(k->path, false, NULL, &f, &k->err));
	assert_non_null(strstr(f.text.data, "not a database"));
	assert_int_equal(f.version, -1);
	buf_release(&f.text);
	assert_true(file_look(k->path, &after));
	assert_int_equal(before.inode, after.inode);
	assert_int_equal(before.size, after.size);
}

/* A row that its index does not have: only the full check compares them. */
static void only_the_full_check_compares_indexes(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	db_begin(k->s->db);
	db_script(k->s->db, "PRAGMA writable_schema = ON;"
			    "UPDATE sqlite_schema SET sql = replace(sql, 'state = ''due''',"
			    " 'state = ''done''') WHERE name = 'deliveries_due'");
	assert_true(db_commit(k->s->db, &k->err));
	store_close(&k->s);
	assert_true(is_sound(k->path, false));
	assert_false(is_sound(k->path, true));
}

static void what_is_not_there_cannot_be_checked(void **state)
{
	struct kit *k = *state;
	struct store_findings f;

	assert_false(store_check(copy_path(k), false, NULL, &f, &k->err));
	assert_non_null(strstr(k->err.text, copy_path(k)));
	buf_release(&f.text);
	assert_int_equal(access(copy_path(k), F_OK), -1);
}

static void a_copy_is_whole_private_and_one_file(void **state)
{
	struct kit *k = *state;
	struct stat st;
	char log[160];

	see(k, "a", "open");
	grow(k, 300);
	told_count = 0;
	assert_true(store_backup(k->path, copy_path(k), false, &progress, &k->err));
	assert_true(told_count > 2);
	assert_int_equal(stat(copy_path(k), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(log, sizeof(log), "%s-wal", copy_path(k));
	assert_int_equal(access(log, F_OK), -1);
	assert_true(is_sound(copy_path(k), true));
	/* Nothing else was left in the folder, or done to the store. */
	see(k, "b", "open");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "2");
}

static void a_file_that_is_there_is_replaced_by_force_alone(void **state)
{
	struct kit *k = *state;
	char log[160], other[160];

	assert_true(store_backup(k->path, copy_path(k), false, NULL, &k->err));
	assert_false(store_backup(k->path, copy_path(k), false, NULL, &k->err));
	assert_non_null(strstr(k->err.text, "--force"));
	assert_true(store_backup(k->path, copy_path(k), true, NULL, &k->err));
	/* Never the store itself, by whatever name, nor the folder, nor beside a log in use. */
	assert_false(store_backup(k->path, k->path, true, NULL, &k->err));
	snprintf(other, sizeof(other), "%s/other", k->dir);
	assert_int_equal(symlink(k->path, other), 0);
	assert_false(store_backup(k->path, other, true, NULL, &k->err));
	assert_non_null(strstr(k->err.text, "the store itself"));
	assert_false(store_backup(k->path, k->dir, true, NULL, &k->err));
	snprintf(log, sizeof(log), "%s-wal", copy_path(k));
	fclose(fopen(log, "w"));
	assert_false(store_backup(k->path, copy_path(k), true, NULL, &k->err));
	assert_non_null(strstr(k->err.text, log));
	assert_false(store_backup(k->path, "/nowhere/copy.db", false, NULL, &k->err));
	assert_non_null(strstr(k->err.text, "/nowhere/copy.db"));
}

static struct kit *writer;
static int writes;

static void write_on(void *arg, int64_t done, int64_t total)
{
	char id[16];

	(void)arg;
	(void)done;
	(void)total;
	snprintf(id, sizeof(id), "w%d", writes++);
	see(writer, id, "open"); /* fails the test when it has to wait */
	store_tidy(writer->s);
}

/* However many commits come in between, the copy is of the moment when it began, and ends. */
static void a_copy_beside_a_busy_daemon_is_of_one_moment(void **state)
{
	struct kit *k = *state;
	const struct progress busy = { write_on, NULL };

	grow(k, 600);
	see(k, "a", "open");
	writer = k;
	writes = 0;
	assert_true(store_backup(k->path, copy_path(k), false, &busy, &k->err));
	assert_true(writes > 5);
	struct store_findings f;

	assert_true(store_check(copy_path(k), true, NULL, &f, &k->err));
	assert_int_equal(f.text.len, 0);
	assert_int_equal(rows_of(&f, "alerts"), 1);
	buf_release(&f.text);
}

static void put_back(struct kit *k)
{
	char log[160];

	store_close(&k->s);
	snprintf(log, sizeof(log), "%s-wal", k->path);
	assert_int_equal(access(log, F_OK), -1);
	assert_int_equal(rename(copy_path(k), k->path), 0);
	kit_open(k);
}

/* What waits in a backup may have been sent since it was made, and so may what it lacks. */
static void invariant_2_what_a_backup_sends_again_is_marked(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "b", "open");
	assert_true(store_backup(k->path, copy_path(k), false, NULL, &k->err));
	see(k, "c", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	put_back(k);
	assert_true(store_opened(k->s)->is_restored);
	k->s->doubt_until = INT64_MAX; /* "c" came up before now */
	see(k, "c", "open");
	assert_string_equal(
		ask(k, "SELECT alert_id || state || maybe_sent AS x FROM v_deliveries"),
		"adone0 bdue1 cdue1");
	/* The next start is one like any other. */
	store_close(&k->s);
	kit_open(k);
	assert_false(store_opened(k->s)->is_restored);
	see(k, "d", "open");
	assert_string_equal(ask(k, "SELECT maybe_sent AS x FROM v_deliveries"
				   " WHERE alert_id = 'd'"),
			    "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_sound_store_is_told_with_its_counts),
		STORY(damage_is_found_and_the_file_left_alone),
		STORY(only_the_full_check_compares_indexes),
		STORY(what_is_not_there_cannot_be_checked),
		STORY(a_copy_is_whole_private_and_one_file),
		STORY(a_file_that_is_there_is_replaced_by_force_alone),
		STORY(a_copy_beside_a_busy_daemon_is_of_one_moment),
		STORY(invariant_2_what_a_backup_sends_again_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
