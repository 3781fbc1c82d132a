/* The file: who may open it, what is in it, how its statements look for their rows. */
#include "kit.h"

static void refuses(struct kit *k, const char *path, enum store_mode mode, const char *reason)
{
	struct store *s = store_open(path, mode, &k->err);

	assert_null(s);
	if (strstr(k->err.text, reason) == NULL)
		fail_msg("no \"%s\" in: %s", reason, k->err.text);
}

static void script(struct kit *k, const char *sql)
{
	db_begin(k->s->db);
	db_script(k->s->db, sql);
	assert_true(db_commit(k->s->db, &k->err));
}

static void the_file_is_private_and_durable(void **state)
{
	struct kit *k = *state;
	struct stat st;

	assert_int_equal(stat(k->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(db_number(k->s->db, "PRAGMA user_version"), 10);
	assert_int_equal(db_number(k->s->db, "PRAGMA page_size"), 8192);
	assert_int_equal(db_number(k->s->db, "PRAGMA synchronous"), 2);
	assert_int_equal(db_number(k->s->db, "PRAGMA journal_mode = wal") +
				 db_number(k->s->db, "PRAGMA wal_autocheckpoint"),
			 0);
}

static void invariant_13_a_second_daemon_is_refused_with_the_firsts_pid(void **state)
{
	struct kit *k = *state;
	char pid[40];

	snprintf(pid, sizeof(pid), "in use by tocsin (pid %ld)", (long)getpid());
	refuses(k, k->path, STORE_DAEMON, pid);
	store_close(&k->s);
	k->s = store_open(k->path, STORE_DAEMON, &k->err);
	assert_non_null(k->s);
}

static void commands_open_a_store_that_is_there(void **state)
{
	struct kit *k = *state;
	char other[128];

	snprintf(other, sizeof(other), "%s/none.db", k->dir);
	refuses(k, other, STORE_READ, "`tocsin run` makes it");
	refuses(k, other, STORE_COMMAND, "`tocsin run` makes it");
	assert_int_equal(access(other, F_OK), -1);
	struct store *reader = store_open(k->path, STORE_READ, &k->err);

	assert_non_null(reader);
	assert_int_equal(store_drop(reader, &(struct selection){ .id_count = 0 }, 0, &k->err),
			 0);
	assert_false(store_runtime(reader, 1, "{}", &k->err));
	store_close(&reader);
}

static void what_cannot_be_a_store_is_refused_with_the_remedy(void **state)
{
	struct kit *k = *state;
	char other[128];
	FILE *file;

	snprintf(other, sizeof(other), "%s/none/tocsin.db", k->dir);
	refuses(k, other, STORE_DAEMON, "does not exist: make it, or set `store`");
	snprintf(other, sizeof(other), "%s/text.db", k->dir);
	file = fopen(other, "w");
	assert_non_null(file);
	for (int i = 0; i < 500; i++)
		fputs("this is a letter and no database\n", file);
	fclose(file);
	refuses(k, other, STORE_DAEMON, "it is no store of tocsin (file is not a database)");
	refuses(k, other, STORE_READ, "not a database");
	script(k, "PRAGMA user_version = 11");
	store_close(&k->s);
	refuses(k, k->path, STORE_DAEMON, "of version 11 and this tocsin knows 10");
	refuses(k, k->path, STORE_COMMAND, "of version 11 and this tocsin knows 10");
}

static void another_programs_database_is_left_alone(void **state)
{
	struct kit *k = *state;

	script(k, "PRAGMA user_version = 0");
	store_close(&k->s);
	refuses(k, k->path, STORE_DAEMON, "another program's");
}

static void a_migration_cut_short_leaves_an_empty_file(void **state)
{
	struct kit *k = *state;
	char other[128];
	struct err err;
	struct db_options options = { .create = true, .busy_ms = 0 };

	snprintf(other, sizeof(other), "%s/cut.db", k->dir);
	struct db *db = db_open(other, &options, &err);

	db_begin(db);
	db_script(db, "CREATE TABLE alerts (id)");
	db_close(&db);
	struct store *s = store_open(other, STORE_DAEMON, &err);

	if (s == NULL)
		fail_msg("%s", err.text);
	store_close(&s);
}

/* Contract: these names and columns are there from the first commit. */
static void the_views_have_their_columns(void **state)
{
	struct kit *k = *state;
	static const char *const queries[] = {
		"SELECT name, org_id, order_seen, baseline_at, last_head_at, last_sweep_at,"
		" last_full_at FROM v_sources",
		"SELECT name, type, held_until, down_since, reason, state FROM v_sinks",
		"SELECT source, id, status, severity, episode, body, created_at, first_seen_at,"
		" last_seen_at, resolved_at, state FROM v_alerts",
		"SELECT id, alert_id, source, episode, seq, kind, at, body, first FROM v_events",
		"SELECT id, alert_id, source, event, sink, origin, n, route, state, reason,"
		" attempt, due_at, held_until, batch_id, maybe_sent, first_attempt_at,"
		" claimed_at, claimed_by, ended_at, episode, seq, at, status, took_ms, org_id"
		" FROM v_deliveries",
		"SELECT delivery, alert_id, source, sink, n, at, took_ms, verdict, status,"
		" answer FROM v_attempts",
		"SELECT id, matchers, since, until, comment, who FROM v_silences",
		"SELECT id, why, storm, rest FROM v_batches",
		"SELECT source, hash, reason, body, first_seen_at, count FROM v_rejects",
		"SELECT sink, state, count, oldest_due_at FROM v_counts",
		"SELECT at, json FROM v_runtime",
		"SELECT head_at, full_pages FROM v_sources",
		"SELECT missing_since FROM v_alerts",
		"SELECT source, alert_id, since, absences, look_at FROM v_missing",
		"SELECT delivery, source, alert_id, hash, count, at, reason, version"
		" FROM v_crashes",
	};

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct view *v = view_open(k->s, queries[i], NULL, 0, &k->err);

		if (v == NULL)
			fail_msg("%s: %s", queries[i], k->err.text);
		view_close(&v);
	}
}

static void the_hot_statements_search_and_never_sort(void **state)
{
	struct kit *k = *state;
	static const enum sql hot[] = {
		SQL_ALERT_ADD,      SQL_ALERT_FIND,
		SQL_ALERT_SAVE,     SQL_EVENT_ADD,
		SQL_EVENT_LINK,     SQL_ROWS_OF_EVENT,
		SQL_ROW_ADD,        SQL_EVENT_LAST,
		SQL_WAITING_FIND,   SQL_WAITING_RELEASE,
		SQL_WAITING_MOVE,   SQL_ROW_END,
		SQL_SETTLE_DONE,    SQL_SETTLE_ONE,
		SQL_ATTEMPT_ADD,    SQL_ATTEMPT_TRIM,
		SQL_DUE_NEXT,       SQL_DUE_ROWS,
		SQL_CLAIM,          SQL_CLAIM_EVENT,
		SQL_CLAIM_HANDLE,   SQL_HOLD,
		SQL_ROW_FIND,       SQL_ORDINAL_LAST,
		SQL_REJECT_AGAIN,   SQL_SOURCE_SAVE,
		SQL_SOURCE_LOAD,    SQL_MISSING_ANY,
		SQL_MISSING_COUNT,  SQL_MISSING_FOUND,
		SQL_MISSING_DUE,    SQL_MISSING_AGAIN,
		SQL_MISSING_ADD,    SQL_ALERT_VANISH,
		SQL_ALERTS_ACTIVE,  SQL_DUE_AFTER,
		SQL_ALERT_OF_EVENT,
	};

	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		struct buf plan;

		buf_init(&plan, 4096);
		db_plan(k->s->db, sql_texts[hot[i]], &plan);
		assert_int_equal(db_failure(k->s->db), DB_FINE);
		if (strstr(plan.data, "SCAN") != NULL || strstr(plan.data, "TEMP") != NULL)
			fail_msg("%s: %s", sql_texts[hot[i]], plan.data);
		buf_release(&plan);
	}
}

static void the_due_rows_come_by_their_index(void **state)
{
	struct kit *k = *state;
	struct buf plan;

	buf_init(&plan, 4096);
	db_plan(k->s->db, sql_texts[SQL_DUE_ROWS], &plan);
	assert_string_equal(plan.data, "SEARCH deliveries USING INDEX deliveries_due"
				       " (sink=? AND due_at<?)\n");
	buf_clear(&plan);
	db_plan(k->s->db, sql_texts[SQL_DUE_AFTER], &plan);
	assert_string_equal(plan.data, "SEARCH deliveries USING INDEX deliveries_due"
				       " (sink=? AND due_at>?)\n");
	buf_clear(&plan);
	/* The partial index holds waiting rows alone, so the first of it is the answer. */
	db_plan(k->s->db, sql_texts[SQL_ANY_WAITING], &plan);
	assert_string_equal(
		plan.data,
		"SEARCH deliveries USING COVERING INDEX deliveries_after (after>?)\n");
	buf_release(&plan);
}

/* To know which are active no alert that is over is read; nor is the row of one that is, since
 * nothing but its number is asked. */
static void the_active_alerts_come_by_their_index(void **state)
{
	struct kit *k = *state;
	struct buf plan;

	buf_init(&plan, 4096);
	db_plan(k->s->db, sql_texts[SQL_ALERTS_ACTIVE], &plan);
	assert_string_equal(plan.data, "SEARCH alerts USING INDEX alerts_active (source=?)\n");
	buf_clear(&plan);
	db_plan(k->s->db, sql_texts[SQL_MISSING_ANY], &plan);
	assert_string_equal(plan.data, "SEARCH missing USING PRIMARY KEY (source=?)\n");
	buf_release(&plan);
}

static void a_name_keeps_its_number(void **state)
{
	struct kit *k = *state;
	int first, second, again;

	assert_true(store_route_number(k->s, "page", &first, &k->err));
	assert_true(store_route_number(k->s, "finops", &second, &k->err));
	assert_true(store_route_number(k->s, "page", &again, &k->err));
	assert_int_equal(first, again);
	assert_true(first != second);
	int number = k->sinks[1].number;
	struct store_sink turned[2] = { k->sinks[1], k->sinks[0] };

	assert_true(store_sinks(k->s, turned, 2, &k->err));
	assert_int_equal(turned[0].number, number);
}

static void invariant_12_rows_of_a_sink_that_is_gone_wait_for_its_return(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "a", "resolved");
	see(k, "b", "open");
	see(k, "c", "open");
	kit_turn(k, NULL, 0, 1);
	kit_sinks(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:claimed resolved:orphaned(behind) "
					     "opened:orphaned opened:orphaned");
	/* What was on its way settles, and is an orphan too when it must wait. */
	settle_all(k, DELIVERY_DUE);
	see(k, "b", "resolved");
	turn(k);
	assert_int_equal(k->claim_count, 0);
	assert_string_equal(rows(k, "hook"),
			    "opened:orphaned resolved:orphaned(behind) opened:orphaned "
			    "opened:orphaned resolved:orphaned(behind)");
	k->now += 100000;
	kit_sinks(k, 2);
	assert_string_equal(rows(k, "hook"), "opened:due resolved:held(behind) opened:due "
					     "opened:due resolved:held(behind)");
	turn(k);
	assert_string_equal(claimed(k), "opened@1 opened@1 opened@2");
	assert_int_equal(k->claims[2].first_attempt_at, k->now); /* orphans do not age */
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1 resolved@1");
}

static void an_orphan_is_released_without_being_due(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	kit_sinks(k, 1);
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:done resolved:orphaned");
	kit_sinks(k, 2);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void claimed_rows_of_a_sink_that_is_gone_are_recovered_as_orphans(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	kit_sinks(k, 1);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 1);
	assert_string_equal(rows(k, "hook"), "opened:orphaned");
}

static void the_runtime_is_one_row(void **state)
{
	struct kit *k = *state;

	assert_true(store_runtime(k->s, 5, "{\"pid\":1}", &k->err));
	assert_true(store_runtime(k->s, 6, "{\"pid\":2}", &k->err));
	assert_string_equal(ask(k, "SELECT at||json AS x FROM v_runtime"), "6{\"pid\":2}");
}

static void a_view_binds_texts_and_reads_by_name(void **state)
{
	struct kit *k = *state;
	const char *const args[] = { "hook", NULL };

	struct view *v = view_open(k->s,
				   "SELECT name, held_until, collapse, ?2 AS empty FROM v_sinks"
				   " WHERE name = ?1",
				   args, 2, &k->err);

	assert_true(view_next(v));
	assert_string_equal(view_text(v, "name"), "hook");
	assert_int_equal(view_len(v, "name"), 4);
	assert_true(view_is_null(v, "held_until"));
	assert_null(view_text(v, "empty"));
	assert_int_equal(view_int(v, "collapse"), 0);
	assert_false(view_next(v));
	view_close(&v);
	assert_null(view_open(k->s, "SELECT x FROM v_nothing", NULL, 0, &k->err));
	assert_non_null(strstr(k->err.text, "v_nothing"));
	assert_null(view_open(k->s, "DELETE FROM alerts", NULL, 0, &k->err));
}

static void the_log_is_taken_in_when_it_is_long(void **state)
{
	struct kit *k = *state;
	struct stat st;

	script(k, "CREATE TABLE ballast (x)");
	script(k,
	       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4100)"
	       " INSERT INTO ballast SELECT randomblob(7000) FROM n");
	assert_int_equal(stat(k->path, &st), 0);
	assert_true(st.st_size < 1 << 20);
	store_tidy(k->s);
	assert_int_equal(stat(k->path, &st), 0);
	assert_true(st.st_size > 4100 * 7000);
	store_tidy(k->s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_file_is_private_and_durable),
		STORY(invariant_13_a_second_daemon_is_refused_with_the_firsts_pid),
		STORY(commands_open_a_store_that_is_there),
		STORY(what_cannot_be_a_store_is_refused_with_the_remedy),
		STORY(another_programs_database_is_left_alone),
		STORY(a_migration_cut_short_leaves_an_empty_file),
		STORY(the_views_have_their_columns),
		STORY(the_hot_statements_search_and_never_sort),
		STORY(the_due_rows_come_by_their_index),
		STORY(the_active_alerts_come_by_their_index),
		STORY(a_name_keeps_its_number),
		STORY(invariant_12_rows_of_a_sink_that_is_gone_wait_for_its_return),
		STORY(an_orphan_is_released_without_being_due),
		STORY(claimed_rows_of_a_sink_that_is_gone_are_recovered_as_orphans),
		STORY(the_runtime_is_one_row),
		STORY(a_view_binds_texts_and_reads_by_name),
		STORY(the_log_is_taken_in_when_it_is_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
