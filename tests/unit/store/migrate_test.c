/* A store of an older version is brought to ours with all that it holds. */
#include "kit.h"

#include "store/schema.h"

enum { COPY_MAX = 128 };

/* A row or two of everything, as version 1 wrote it: open, over, and older than the baseline. */
static const char *const content =
	"INSERT INTO sources VALUES (1, 'acme', 'org_1', 'newest-first', 5, 11, 12, 13),"
	" (2, 'other', '', 'unknown', NULL, NULL, NULL, NULL);"
	"INSERT INTO sinks VALUES (1, 'chat', 'slack', 1, 1, 0, NULL, NULL, 0, NULL),"
	" (2, 'hook', 'webhook', 0, 1, 1, 99, 98, 97, 'HTTP 503');"
	"INSERT INTO routes VALUES (1, 'rest');"
	"INSERT INTO alerts VALUES"
	" (1, 1, 'a', 101, 201, 'open', 'high', 'active', 1, 1, 1, 1, 7, 8, 9, NULL, NULL),"
	" (2, 1, 'b', 102, 202, 'resolved', 'low', 'resolved', 1, 2, 3, 3, 7, 8, 9, 10, NULL),"
	" (3, 2, 'a', 103, 203, 'open', 'high', 'silent', 0, 0, 0, 0, 1, 8, 9, NULL, '{3}');"
	"INSERT INTO events VALUES (1, 1, 1, 0, 1, 1, 'opened', 0, 9, '{1}'),"
	" (2, 2, 1, 0, 1, 1, 'opened', 0, 9, '{2}'),"
	" (3, 2, 1, 2, 1, 2, 'resolved', 0, 10, '{2r}');"
	"INSERT INTO deliveries (id, sink, route, state, due_at, attempt, reason) VALUES"
	" ((1 << 27) + (2 << 15), 2, 1, 'due', 9, 1, 'HTTP 503'),"
	" ((3 << 27) + (2 << 15), 2, 1, 'done', 9, 1, NULL);"
	"INSERT INTO attempts VALUES ((1 << 27) + (2 << 15), 1, 9, 41, 'later', 503, 'no');"
	"INSERT INTO rejects VALUES (1, 77, 'no id', '{', 9, 2);"
	"INSERT INTO silences VALUES (1, '[]', 1, 2, 'c', 'w');"
	"INSERT INTO batches VALUES (1, 'group', NULL, NULL);"
	"INSERT INTO runtime VALUES (1, 9, '{}');"
	"PRAGMA user_version = 1;";

static void path_beside(char *out, const struct kit *k, const char *name)
{
	snprintf(out, COPY_MAX, "%s/%s", k->dir, name);
}

static void run_on(const char *path, const char *const *scripts, size_t count)
{
	struct db_options options = { .create = true };
	struct err err;
	struct db *db = db_open(path, &options, &err);

	if (db == NULL)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++)
		db_script(db, scripts[i]);
	if (db_failure(db) != DB_FINE)
		fail_msg("%s", db_error(db));
	db_close(&db);
}

static void make_version_1(const char *path)
{
	const char *const scripts[] = { store_schema_sql, content };

	run_on(path, scripts, 2);
}

static struct store *opened(const char *path)
{
	struct err err;
	struct store *s = store_open(path, STORE_DAEMON, &err);

	if (s == NULL)
		fail_msg("%s", err.text);
	return s;
}

static void attach(struct store *s, const char *path, const char *name)
{
	char sql[2 * COPY_MAX];

	snprintf(sql, sizeof(sql), "ATTACH '%s' AS %s", path, name);
	db_script(s->db, sql);
	assert_int_equal(db_failure(s->db), DB_FINE);
}

/* Every row of the one is a row of the other, and there are as many. */
static void same_rows(struct store *s, const char *columns, const char *ours,
		      const char *theirs)
{
	char sql[2048];

	snprintf(sql, sizeof(sql),
		 "SELECT (SELECT count(*) FROM (SELECT %s FROM %s EXCEPT SELECT %s FROM %s))"
		 " + abs((SELECT count(*) FROM %s) - (SELECT count(*) FROM %s))"
		 " + ((SELECT count(*) FROM %s) = 0)",
		 columns, theirs, columns, ours, ours, theirs, theirs);
	if (db_number(s->db, sql) != 0 || db_failure(s->db) != DB_FINE)
		fail_msg("%s and %s differ: %s", ours, theirs, db_error(s->db));
}

static void a_store_of_version_1_keeps_all_it_holds(void **state)
{
	static const struct {
		const char *name, *columns;
	} tables[] = {
		{ "sources", "number, name, org_id, order_seen, baseline_at, last_head_at,"
			     " last_sweep_at, last_full_at" },
		{ "sinks", "number, name, type, is_collapse, is_present,"
			   " held_until, down_since, held_total_ms, reason" },
		{ "routes", "*" },
		{ "alerts",
		  "number, source, id, hash, content, status, severity, state, episode, seq,"
		  " last_event, unended_from, created_at, first_seen_at, written_at,"
		  " resolved_at, body" },
		{ "events", "id, alert, source, prev, episode, seq, kind, is_first, at, body" },
		{ "deliveries", "id, sink, route, state, due_at, attempt, maybe_sent, status,"
				" reason, after, held_until, first_attempt_at, held_base_ms,"
				" claimed_at, claimed_by, ended_at, batch, handle, progress" },
		{ "attempts", "*" },
		{ "rejects", "*" },
		{ "silences", "id, matchers, since, until, comment, who" },
		{ "runtime", "*" },
		{ "origins", "*" },
		/* What people read is as it was, with columns more at the end. */
		{ "v_sources", "name, org_id, order_seen, baseline_at, last_head_at,"
			       " last_sweep_at, last_full_at" },
		{ "v_alerts", "source, id, status, severity, episode, body, created_at,"
			      " first_seen_at, last_seen_at, resolved_at, state, last_event" },
		{ "v_events",
		  "id, alert_id, source, episode, seq, kind, first, at, body, prev" },
		{ "v_deliveries",
		  "id, alert_id, source, event, sink, origin, n, route, state,"
		  " reason, attempt, due_at, held_until, batch_id, maybe_sent,"
		  " first_attempt_at, claimed_at, claimed_by, ended_at, status,"
		  " took_ms, after, handle, progress, event_id, episode, seq, at,"
		  " org_id" },
		{ "v_counts", "*" },
	};
	struct kit *k = *state;
	char old[COPY_MAX], path[COPY_MAX];

	path_beside(old, k, "old.db");
	path_beside(path, k, "new.db");
	make_version_1(old);
	make_version_1(path);
	struct store *s = opened(path);

	assert_int_equal(db_number(s->db, "PRAGMA user_version"), 10);
	attach(s, old, "old");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		char ours[40], theirs[40];

		snprintf(ours, sizeof(ours), "main.%s", tables[i].name);
		snprintf(theirs, sizeof(theirs), "old.%s", tables[i].name);
		same_rows(s, tables[i].columns, ours, theirs);
	}
	store_close(&s);
}

static void one_brought_up_and_one_made_new_have_the_same_schema(void **state)
{
	struct kit *k = *state;
	char path[COPY_MAX];

	path_beside(path, k, "new.db");
	make_version_1(path);
	struct store *s = opened(path);

	attach(s, k->path, "fresh");
	same_rows(s, "type, name, tbl_name, sql", "main.sqlite_schema", "fresh.sqlite_schema");
	store_close(&s);
}

static void a_store_that_was_brought_up_goes_on_where_it_was(void **state)
{
	struct kit *k = *state;
	struct source_state at;
	struct missing missing;

	store_close(&k->s);
	snprintf(k->path, sizeof(k->path), "%s/new.db", k->dir);
	make_version_1(k->path);
	kit_open(k);
	assert_int_equal(k->source, 1);
	assert_true(store_source_load(k->s, k->source, &at, &k->err));
	assert_string_equal(at.order_seen, "newest-first");
	assert_int_equal(at.baseline_at, 5);
	assert_int_equal(at.last_full_at, 13);
	assert_int_equal(at.head_at, 0);
	assert_string_equal(at.head_cursor, "");
	assert_int_equal(at.full_pages, 0);
	assert_true(store_source_missing(k->s, k->source, &missing, &k->err));
	assert_int_equal(missing.count, 0);
	see(k, "a", "resolved");
	assert_int_equal(k->page.changed, 1);
	assert_string_equal(ask(k, "SELECT event||':'||state AS x FROM v_deliveries"
				   " WHERE alert_id = 'a' ORDER BY id"),
			    "opened:due resolved:held");
}

/* The step fails since a name is taken: nothing of it stays, and without that it succeeds. */
static void a_step_that_fails_leaves_the_old_store(void **state)
{
	struct kit *k = *state;
	const char *const hinder[] = { "CREATE TABLE v_missing (x)" };
	const char *const remove[] = { "DROP TABLE v_missing" };
	char path[COPY_MAX];
	struct err err;

	path_beside(path, k, "new.db");
	make_version_1(path);
	run_on(path, hinder, 1);
	assert_null(store_open(path, STORE_DAEMON, &err));
	assert_non_null(strstr(err.text, "v_missing"));
	run_on(path, remove, 1);
	assert_null(store_open(path, STORE_READ, &err));
	assert_non_null(strstr(err.text, "of version 1: `tocsin run` brings it to 10"));
	struct store *s = opened(path);

	attach(s, k->path, "fresh");
	same_rows(s, "type, name, tbl_name, sql", "main.sqlite_schema", "fresh.sqlite_schema");
	assert_int_equal(db_number(s->db, "SELECT count(*) FROM main.v_alerts"), 3);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_store_of_version_1_keeps_all_it_holds),
		STORY(one_brought_up_and_one_made_new_have_the_same_schema),
		STORY(a_store_that_was_brought_up_goes_on_where_it_was),
		STORY(a_step_that_fails_leaves_the_old_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
