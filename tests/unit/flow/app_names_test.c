/*
 * What becomes of rows when the daemon is restarted with other sinks, routes and settings, and
 * when an operator requeues and drops beside it: no row is forgotten, none waits for ever.
 */
#include "../change_rows.h"
#include "world.h"

#define CHAT \
	"{ name = \"chat\"; type = \"webhook\"; url = \"http://127.0.0.1:1/chat\"; collapse = true; }"
#define CHAT_IN_ORDER \
	"{ name = \"chat\"; type = \"webhook\"; url = \"http://127.0.0.1:1/chat\"; collapse = false; }"

static int refuses(const struct hit *hit)
{
	(void)hit;
	return 503;
}

static int64_t stuck(void)
{
	return count_of("SELECT count(*) AS n FROM v_deliveries WHERE state NOT IN ('done', "
			"'dropped', 'moved', 'dead')");
}

/* The stored order of one sink's alert: "opened resolved …" as received. */
static void heard_in_order(const char *path, const char *id, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < world.hit_count; i++)
		if (world.hits[i].status == 200 && strcmp(world.hits[i].path, path) == 0 &&
		    strcmp(world.hits[i].id, id) == 0)
			snprintf(out + strlen(out), size - strlen(out), "%s%s",
				 out[0] != '\0' ? " " : "", world.hits[i].type);
}

static void expect_heard(const char *path, const char *events)
{
	char heard[400];

	heard_in_order(path, "a1", heard, sizeof(heard));
	assert_string_equal(heard, events);
}

/* One alert opens, is acknowledged, resolves, opens again and resolves, and nobody takes it. */
static void live_unheard(void)
{
	static const char *const life[] = { "open", "acknowledged", "resolved", "open",
					    "resolved" };

	world.receive = refuses;
	begin();
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		list_alerts(1, life[i], "high");
		run_until(fake.now + 11 * SECOND);
	}
}

static void restart_well(void)
{
	die_here();
	world.receive = always_ok;
	begin();
	run_until(fake.now + HOUR);
}

#define ALL_OF_IT "opened acknowledged resolved reopened resolved"

static void inv4_rows_of_a_sink_that_went_wait_for_it_and_go_out_in_order(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	live_unheard();
	write_conf(CAR, ALL_TO("\"car\""));
	restart_well();
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'orphaned'"), 5);
	expect_heard("/car", ALL_OF_IT);
	expect_heard("/bus", "");
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	restart_well();
	expect_heard("/bus", ALL_OF_IT);
	assert_int_equal(stuck(), 0);
}

static void inv5_what_happens_while_a_sink_is_gone_is_told_when_it_is_back(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	list_alerts(1, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	write_conf(CAR, ALL_TO("\"car\""));
	list_alerts(1, "resolved", "high");
	restart_well();
	write_conf(BUS "," CAR, ALL_TO("\"car\""));
	restart_well();
	expect_heard("/bus", "opened resolved");
	expect_heard("/car", "opened resolved");
	assert_int_equal(stuck(), 0);
}

static void rows_that_wait_in_order_fold_when_their_sink_collapses_now(void **state)
{
	(void)state;
	write_conf(CHAT_IN_ORDER, ALL_TO("\"chat\""));
	live_unheard();
	write_conf(CHAT, ALL_TO("\"chat\""));
	die_here();
	world.receive = refuses;
	begin();
	list_alerts(1, "open", "high");
	run_until(fake.now + HOUR);
	restart_well();
	expect_heard("/chat", "reopened");
	assert_int_equal(stuck(), 0);
}

static void rows_that_folded_go_on_in_order_when_their_sink_does_not_now(void **state)
{
	(void)state;
	write_conf(CHAT, ALL_TO("\"chat\""));
	live_unheard();
	write_conf(CHAT_IN_ORDER, ALL_TO("\"chat\""));
	die_here();
	world.receive = refuses;
	begin();
	list_alerts(1, "open", "high");
	run_until(fake.now + 11 * SECOND);
	restart_well();
	expect_heard("/chat", "resolved reopened");
	assert_int_equal(stuck(), 0);
}

static void inv5_a_route_that_went_still_has_its_closes(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(1, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	write_conf(BUS "," CAR, "{ name = \"other\"; to = [ \"car\" ]; }");
	list_alerts(1, "resolved", "high");
	restart_well();
	expect_heard("/bus", "opened resolved");
	expect_heard("/car", "");
}

static void what_no_route_wants_is_recorded_and_nobody_is_told(void **state)
{
	(void)state;
	write_conf(BUS, "{ name = \"none\"; match = [ \"id = nobody\" ]; to = [ \"bus\" ]; }");
	list_alerts(3, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	list_alerts(3, "resolved", "critical");
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 0);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts WHERE state = "
				  "'resolved'"),
			 3);
}

/* ---- the operator ---- */

static int64_t operate(bool requeues, const char *state)
{
	char path[128], where[64];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	snprintf(where, sizeof(where), "state = '%s'", state);
	int64_t count = change_rows(store, requeues ? store_requeue : store_drop, where,
				    clock_now(), &err);

	store_close(&store);
	return count;
}

/* Requeues and drops of every state at any moment of a life: each row ends, nothing waits for
 * what has ended. */
static void inv13_whatever_an_operator_does_beside_the_daemon_every_row_ends(void **state)
{
	static const char *const states[] = { "due", "held", "claimed", "done", "dead" };

	for (size_t i = 0; i < 4 * ARRAY_LEN(states); i++) {
		write_conf(BUS "," CHAT, ALL_TO("\"bus\", \"chat\""));
		world.receive_ms = 2 * SECOND;
		live_unheard();
		run_until(fake.now + (int64_t)i * 777);
		assert_true(operate(i % 2 == 0, states[i / 4]) >= 0);
		run_until(fake.now + 3 * SECOND);
		assert_true(operate(i % 4 < 2, states[i / 4]) >= 0);
		world.receive = always_ok;
		list_alerts(1, "open", "high");
		run_until(fake.now + 2 * HOUR);
		assert_int_equal(stuck(), 0);
		assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE after "
					  "IS NOT NULL"),
				 0);
		tear_down(state);
		set_up(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv4_rows_of_a_sink_that_went_wait_for_it_and_go_out_in_order),
		STORY(inv5_what_happens_while_a_sink_is_gone_is_told_when_it_is_back),
		STORY(rows_that_wait_in_order_fold_when_their_sink_collapses_now),
		STORY(rows_that_folded_go_on_in_order_when_their_sink_does_not_now),
		STORY(inv5_a_route_that_went_still_has_its_closes),
		STORY(what_no_route_wants_is_recorded_and_nobody_is_told),
		STORY(inv13_whatever_an_operator_does_beside_the_daemon_every_row_ends),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
