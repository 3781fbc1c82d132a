/* A file that is damaged, gone or another's: what the daemon does, and never does. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/time.h>

#include "base/clock.h"
#include "disk/disk.h"
#include "kit.h"

enum { OVERLAP_MS = 600000, AT_S = 1800000000 }; /* of the file's last write, in the stories */

static char name_buf[2][600];

static const char *beside(struct kit *k, const char *suffix)
{
	snprintf(name_buf[0], sizeof(name_buf[0]), "%s%s", k->path, suffix);
	return name_buf[0];
}

static const char *aside(struct kit *k, const char *suffix)
{
	snprintf(name_buf[1], sizeof(name_buf[1]), "%s%s", store_opened(k->s)->aside, suffix);
	return name_buf[1];
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* How many files of the folder have this in their names. */
static int count_files(struct kit *k, const char *part)
{
	DIR *dir = opendir(k->dir);
	int count = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		count += strstr(e->d_name, part) != NULL;
	closedir(dir);
	return count;
}

static void scribble(const char *path, off_t at, size_t len)
{
	int fd = open(path, O_WRONLY);
	char *garbage = mem_new(len);

	memset(garbage, 0x5a, len);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, garbage, len, at), len);
	close(fd);
	mem_free(&garbage);
}

static void set_times(const char *path)
{
	const struct timeval times[2] = { { .tv_sec = AT_S }, { .tv_sec = AT_S } };

	assert_int_equal(utimes(path, times), 0);
}

static void reopen(struct kit *k)
{
	k->s = store_open(k->path, STORE_DAEMON, &k->err);
	if (k->s == NULL)
		fail_msg("%s", k->err.text);
}

/* As a kill leaves them: the log is not taken in. */
static void leave_files(struct kit *k)
{
	k->s->is_damaged = true;
	store_close(&k->s);
}

static int64_t baseline(struct kit *k)
{
	struct source_state state;

	assert_true(store_source_number(k->s, "acme", &k->source, &k->err));
	assert_true(store_source_load(k->s, k->source, &state, &k->err));
	return state.baseline_known ? state.baseline_at : -1;
}

static void a_damaged_file_is_set_aside_and_a_new_store_begins_where_it_ended(void **state)
{
	struct kit *k = *state;
	struct file_facts before, after;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	store_close(&k->s);
	scribble(k->path, 0, 4096);
	set_times(k->path);
	assert_true(file_look(k->path, &before));
	reopen(k);
	assert_true(store_opened(k->s)->was_damaged);
	assert_string_equal(store_opened(k->s)->damage, "file is not a database");
	assert_true(file_look(store_opened(k->s)->aside, &after));
	assert_int_equal(before.inode, after.inode);
	assert_int_equal(before.modified_at, after.modified_at);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "0");
	assert_int_equal(baseline(k), (int64_t)AT_S * 1000 - OVERLAP_MS);
	/* A start that is cut short here forgets nothing. */
	store_close(&k->s);
	reopen(k);
	assert_false(store_opened(k->s)->was_damaged);
	assert_int_equal(store_opened(k->s)->rings_from_at, (int64_t)AT_S * 1000 - OVERLAP_MS);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	store_close(&k->s);
	reopen(k);
	assert_int_equal(store_opened(k->s)->rings_from_at, 0);
}

static void what_was_not_delivered_rings_again_if_it_can_be_read(void **state)
{
	struct kit *k = *state;
	int64_t created;

	assert_true(clock_parse_iso("2026-11-24T03:45:56Z", 20, &created));
	see(k, "a", "open");
	leave_files(k);
	/* The index of due rows is damaged, the tables are not. */
	set_times(k->path);
	set_times(beside(k, "-wal"));
	k->s = store_open(k->path, STORE_DAEMON, &k->err);
	int64_t root = db_number(k->s->db, "SELECT rootpage FROM sqlite_schema"
					   " WHERE name = 'deliveries_due'");
	store_close(&k->s);
	scribble(k->path, (root - 1) * 8192, 100);
	set_times(k->path);
	reopen(k);
	assert_true(store_opened(k->s)->was_damaged);
	assert_int_equal(store_opened(k->s)->rings_from_at, created - OVERLAP_MS);
}

static void its_log_is_set_aside_with_it(void **state)
{
	struct kit *k = *state;
	struct file_facts log;

	store_close(&k->s);
	kit_open(k);
	see(k, "a", "open");
	leave_files(k);
	scribble(k->path, 0, 100000); /* the log holds some of these pages, not all */
	reopen(k);
	assert_true(file_look(aside(k, "-wal"), &log));
	assert_true(log.size > 0);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "0");
}

static void a_log_without_its_file_is_set_aside(void **state)
{
	struct kit *k = *state;
	struct file_facts log;

	see(k, "a", "open");
	leave_files(k);
	unlink(k->path);
	reopen(k);
	assert_true(store_opened(k->s)->was_damaged);
	assert_true(file_look(aside(k, "-wal"), &log));
	assert_true(log.size > 0);
}

static int64_t frozen(void)
{
	return (int64_t)AT_S * 1000;
}

static void no_damaged_file_takes_the_name_of_another(void **state)
{
	struct kit *k = *state;

	clock_use(frozen, frozen);
	for (int i = 1; i <= 3; i++) {
		store_close(&k->s);
		scribble(k->path, 0, 100);
		reopen(k);
		assert_int_equal(count_files(k, "damaged-20270115T080000Z"), i);
	}
	clock_use(NULL, NULL);
}

static void commands_move_nothing(void **state)
{
	struct kit *k = *state;

	store_close(&k->s);
	scribble(k->path, 0, 100);
	for (int i = 0; i < 2; i++) {
		assert_null(store_open(k->path, i ? STORE_COMMAND : STORE_READ, &k->err));
		assert_non_null(strstr(k->err.text, "tocsin run sets a damaged store aside"));
		assert_non_null(strstr(k->err.text, k->path));
	}
	assert_int_equal(count_files(k, "damaged"), 0);
}

static void what_is_no_store_of_ours_is_not_moved(void **state)
{
	struct kit *k = *state;

	db_begin(k->s->db);
	db_script(k->s->db, "PRAGMA user_version = 99");
	assert_true(db_commit(k->s->db, &k->err));
	store_close(&k->s);
	assert_null(store_open(k->path, STORE_DAEMON, &k->err));
	assert_int_equal(count_files(k, "damaged"), 0);
	/* A text that `store` names by mistake. */
	assert_int_equal(truncate(k->path, 0), 0);
	scribble(k->path, 0, 5000);
	assert_null(store_open(k->path, STORE_DAEMON, &k->err));
	assert_non_null(strstr(k->err.text, "no store of tocsin"));
	assert_int_equal(count_files(k, "damaged"), 0);
}

static void a_disk_that_cannot_be_read_is_no_damage(void **state)
{
	struct kit *k = *state;

	store_close(&k->s);
	disk_install();
	for (int n = 1; n < 12; n++) {
		disk_fail(DISK_READ, n, -1, DISK_IOERR);
		struct store *s = store_open(k->path, STORE_DAEMON, &k->err);

		disk_heal();
		if (s == NULL)
			assert_non_null(strstr(k->err.text, k->path));
		store_close(&s);
	}
	disk_remove();
	assert_int_equal(count_files(k, "damaged"), 0);
	reopen(k);
}

static void deep_damage_shows_when_it_is_read_and_at_the_next_start(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	db_begin(k->s->db);
	db_script(k->s->db,
		  "CREATE TABLE ballast (x);"
		  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		  " WHERE i < 2200) INSERT INTO ballast SELECT zeroblob(8000) FROM n");
	assert_true(db_commit(k->s->db, &k->err));
	int64_t root = db_number(k->s->db, "SELECT rootpage FROM sqlite_schema"
					   " WHERE name = 'deliveries_due'");

	store_close(&k->s);
	scribble(k->path, (root - 1) * 8192, 100);
	reopen(k); /* too large to be read at each start */
	assert_false(store_opened(k->s)->was_damaged);
	kit_turn(k, NULL, 0, 64);
	assert_false(k->ok);
	assert_non_null(strstr(k->error, "malformed"));
	assert_true(store_is_damaged(k->s));
	assert_true(is_there(beside(k, ".suspect")));
	store_close(&k->s);
	reopen(k);
	assert_true(store_opened(k->s)->was_damaged);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	assert_false(is_there(beside(k, ".suspect")));
}

static void a_suspect_that_is_sound_is_trusted_again(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	keep_suspect(k->path, 5000);
	keep_suspect(k->path, 7000);
	store_close(&k->s);
	reopen(k);
	assert_int_equal(store_opened(k->s)->rings_from_at, 5000);
	assert_false(store_opened(k->s)->was_damaged);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "1");
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	assert_false(is_there(beside(k, ".suspect")));
}

/* ---- under the running daemon ---- */

static void expect_lost(struct kit *k, const char *what)
{
	assert_false(store_look(k->s, &k->err));
	assert_non_null(strstr(k->err.text, what));
	kit_turn(k, NULL, 0, 64); /* a row is due */
	assert_false(k->ok);
	assert_true(k->lost);
	kit_show(k, "c", "open", "t");
	assert_false(k->ok);
	assert_true(k->lost);
	assert_non_null(strstr(k->error, what));
	assert_false(store_runtime(k->s, k->now, "{}", &k->err));
}

static void invariant_9_a_store_deleted_under_the_daemon_takes_no_batch(void **state)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	struct kit *k = *state;
	char moved[128];

	see(k, "a", "open");
	assert_true(store_look(k->s, &k->err));
	snprintf(moved, sizeof(moved), "%s/moved", k->dir);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s%s", k->path, files[i]);
		assert_int_equal(rename(name, moved), 0);
		expect_lost(k, "was deleted under the daemon");
		assert_true(is_there(beside(k, ".suspect")));
		/* Put back, it is the same one. */
		assert_int_equal(rename(moved, name), 0);
		assert_true(store_look(k->s, &k->err));
		assert_false(is_there(beside(k, ".suspect")));
		see(k, "b", i == 1 ? "resolved" : "open");
	}
}

static void invariant_9_a_store_replaced_under_the_daemon_is_left_alone(void **state)
{
	struct kit *k = *state;
	char moved[128];
	struct file_facts before, after;

	see(k, "a", "open");
	snprintf(moved, sizeof(moved), "%s/moved", k->dir);
	assert_int_equal(rename(k->path, moved), 0);
	unlink(beside(k, "-wal"));
	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(beside(k, i == 0 ? "" : "-wal"), "w");

		assert_non_null(file);
		fputs("another's\n", file);
		fclose(file);
	}
	assert_true(file_look(beside(k, "-wal"), &before));
	expect_lost(k, "was replaced under the daemon");
	store_close(&k->s);
	assert_true(file_look(beside(k, "-wal"), &after));
	assert_int_equal(before.inode, after.inode);
	assert_int_equal(before.size, after.size);
}

static void a_new_store_after_one_was_deleted_begins_where_it_ended(void **state)
{
	struct kit *k = *state;

	clock_use(frozen, frozen);
	unlink(k->path);
	assert_false(store_look(k->s, &k->err));
	store_close(&k->s);
	unlink(beside(k, "-wal"));
	unlink(beside(k, "-shm"));
	reopen(k);
	assert_int_equal(baseline(k), (int64_t)AT_S * 1000 - OVERLAP_MS);
	clock_use(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_damaged_file_is_set_aside_and_a_new_store_begins_where_it_ended),
		STORY(what_was_not_delivered_rings_again_if_it_can_be_read),
		STORY(its_log_is_set_aside_with_it),
		STORY(a_log_without_its_file_is_set_aside),
		STORY(no_damaged_file_takes_the_name_of_another),
		STORY(commands_move_nothing),
		STORY(what_is_no_store_of_ours_is_not_moved),
		STORY(a_disk_that_cannot_be_read_is_no_damage),
		STORY(deep_damage_shows_when_it_is_read_and_at_the_next_start),
		STORY(a_suspect_that_is_sound_is_trusted_again),
		STORY(invariant_9_a_store_deleted_under_the_daemon_takes_no_batch),
		STORY(invariant_9_a_store_replaced_under_the_daemon_is_left_alone),
		STORY(a_new_store_after_one_was_deleted_begins_where_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
