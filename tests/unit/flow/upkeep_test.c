/* The daemon looks at its own store: what it finds is said, told, counted, and mended or not. */
#include "store/inner.h"
#include "world.h"

static void plant(const char *sql)
{
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	db_script(store->db, sql);
	assert_int_equal(db_failure(store->db), DB_FINE);
	store_close(&store);
}

static size_t told(const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += strcmp(world.hits[i].id, "tocsin:audit") == 0 &&
			 strcmp(world.hits[i].type, type) == 0;
	return count;
}

static void begin_delivered(void)
{
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	hear_log();
	begin();
	run_until(START + 5 * MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 3);
	assert_int_equal(said("audit-violation"), 0);
}

static void inv4_a_violation_is_said_and_told_and_closed_when_it_is_gone(void **state)
{
	(void)state;
	begin_delivered();
	plant("UPDATE deliveries SET ended_at = NULL WHERE id = (SELECT min(id) FROM deliveries)");
	run_until(fake.now + 3 * MINUTE);
	assert_true(said("level=error msg=audit-violation sink=bus alert=a1 delivery=134250496 "
			 "reason=\"it has ended, but at no time\"") > 0);
	assert_int_equal(told("opened"), 1);
	run_until(fake.now + 10 * MINUTE);
	assert_int_equal(told("opened"), 1);
	assert_int_equal(told("resolved"), 0);
	plant("UPDATE deliveries SET ended_at = 5 WHERE ended_at IS NULL");
	run_until(fake.now + 5 * MINUTE);
	assert_int_equal(told("resolved"), 1);
	said("msg");
	run_until(fake.now + 5 * MINUTE);
	assert_int_equal(said("audit-violation"), 0);
}

static void inv4_a_row_that_waited_in_vain_is_sent(void **state)
{
	(void)state;
	begin_delivered();
	plant("UPDATE deliveries SET state = 'held', after = 77, ended_at = NULL"
	      " WHERE id = (SELECT min(id) FROM deliveries)");
	run_until(fake.now + 3 * MINUTE);
	assert_int_equal(said("it waits for a row that has ended"), 1);
	assert_int_equal(hits_of("/bus", "opened"), 3 + 1 + 1); /* it, and what we say of it */
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state <> 'done'"), 0);
}

static void many_violations_are_few_lines(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(60, "open", "high");
	hear_log();
	begin();
	run_until(START + 5 * MINUTE);
	said("msg");
	plant("UPDATE deliveries SET ended_at = NULL");
	run_until(fake.now + 2 * MINUTE);
	assert_in_range(said("msg=audit-violation"), 21, 63);
	assert_int_equal(told("opened"), 1);
}

static void what_is_over_is_forgotten_after_retention(void **state)
{
	(void)state;
	begin_delivered();
	world.setup->settings->retention_ms = 2 * HOUR;
	list_alerts(3, "resolved", "high");
	run_until(fake.now + MINUTE);
	list_alerts(0, "open", "high");
	run_until(fake.now + HOUR);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts"), 3);
	run_until(fake.now + 2 * HOUR);
	/* The newest event of all stays, so that ids only go up. */
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts"), 1);
	list_alerts(3, "resolved", "high");
	run_until(fake.now + HOUR);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts"), 1);
	assert_int_equal(hits_of("/bus", "resolved"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv4_a_violation_is_said_and_told_and_closed_when_it_is_gone),
		STORY(inv4_a_row_that_waited_in_vain_is_sent),
		STORY(many_violations_are_few_lines),
		STORY(what_is_over_is_forgotten_after_retention),
	};

	log_setup(LOG_WARN, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
