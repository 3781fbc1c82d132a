/*
 * The whole of flow on a scripted wire: real store, real sinks, no socket, no sleep. Stories of
 * hours pass in milliseconds; each says an invariant of src/README.md by its number.
 */
#include "world.h"

/* ---- stories ---- */

static int claimed_before_it_speaks(const struct hit *hit)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) AS n FROM v_deliveries WHERE alert_id = '%s' AND state = "
		 "'claimed'",
		 hit->id);
	assert_int_equal(count_of(sql), 1);
	return 200;
}

static void inv1_no_byte_leaves_before_its_claim_is_on_the_disk(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(20, "open", "high");
	world.receive = claimed_before_it_speaks;
	begin();
	run_until(START + 5 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 20);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 20);
}

static int hangs(const struct hit *hit)
{
	(void)hit;
	return 0;
}

static void inv2_what_was_in_flight_at_a_crash_is_marked_and_sent_again_under_its_id(
	void **state)
{
	(void)state;
	char before[64];

	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(1, "open", "high");
	world.receive = hangs;
	begin();
	run_until(START + SECOND);
	assert_int_equal(world.hit_count, 1);
	snprintf(before, sizeof(before), "%s", world.hits[0].webhook_id);
	die_here();
	world.receive = always_ok;
	begin();
	run_until(START + 5 * SECOND);
	assert_int_equal(world.hit_count, 2);
	assert_true(world.hits[1].possible_repeat);
	assert_string_equal(world.hits[1].webhook_id, before);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done' AND "
			 "maybe_sent = 1 AND attempt = 2"),
		1);
}

static void inv5_who_heard_the_open_hears_the_rest(void **state)
{
	(void)state;
	write_conf(
		BUS "," CAR,
		"{ name = \"hot\"; match = [ \"status = open\", \"severity = high\" ]; to = [ "
		"\"bus\" ]; }, { name = \"rest\"; to = [ \"car\" ]; }");
	list_alerts(3, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	list_alerts(3, "acknowledged", "high");
	run_until(START + 15 * SECOND);
	list_alerts(3, "resolved", "low");
	run_until(START + 25 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 3);
	assert_int_equal(hits_of("/bus", "acknowledged"), 3);
	assert_int_equal(hits_of("/bus", "resolved"), 3);
	assert_int_equal(hits_of("/car", "resolved"), 0);
}

static void inv5_a_severity_that_rises_is_routed_again(void **state)
{
	(void)state;
	write_conf(BUS "," CAR,
		   "{ name = \"page\"; match = [ \"severity = critical\" ]; to = [ "
		   "\"car\" ]; continue = true; }, { name = \"rest\"; to = [ \"bus\" ]; }");
	list_alerts(1, "open", "low");
	begin();
	run_until(START + 5 * SECOND);
	list_alerts(1, "open", "critical");
	run_until(START + 15 * SECOND);
	list_alerts(1, "resolved", "critical");
	run_until(START + 25 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 1);
	assert_int_equal(hits_of("/car", "opened"), 1);
	assert_int_equal(hits_of("/bus", "resolved"), 1);
	assert_int_equal(hits_of("/car", "resolved"), 1);
}

static int opens_fail_for_a_minute(const struct hit *hit)
{
	return strcmp(hit->type, "opened") == 0 && hit->at < START + MINUTE ? 409 : 200;
}

static void inv6_a_close_never_overtakes_its_open(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(5, "open", "high");
	world.receive = opens_fail_for_a_minute;
	begin();
	run_until(START + 5 * SECOND);
	list_alerts(5, "resolved", "high");
	run_until(START + 10 * MINUTE);
	for (size_t i = 0; i < world.hit_count; i++)
		if (strcmp(world.hits[i].type, "resolved") == 0)
			assert_true(world.hits[i].at >= START + MINUTE);
	assert_int_equal(hits_of("/bus", "resolved"), 5);
}

static int down_for_an_hour(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 && hit->at < START + HOUR ? 503 : 200;
}

static void inv7_an_outage_is_probed_not_hammered_and_slows_nobody_else(void **state)
{
	(void)state;
	world.poll_every = "1h";
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	list_alerts(30, "open", "high");
	world.receive = down_for_an_hour;
	begin();
	run_until(START + MINUTE);
	assert_int_equal(hits_of("/car", "opened"), 30);
	run_until(START + HOUR);
	/* The window that met the outage, then probes: 1 s doubling to 15 min. */
	assert_true(hits_of("/bus", "opened") <= 8 + 40);
	run_until(START + 2 * HOUR);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 60);
}

static int one_is_refused(const struct hit *hit)
{
	return strcmp(hit->id, "a7") == 0 ? 400 : 200;
}

static void inv7_one_bad_payload_is_a_dead_letter_alone(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(30, "open", "high");
	world.receive = one_is_refused;
	begin();
	run_until(START + MINUTE);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 29);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'dead' AND "
			 "alert_id = 'a7' AND reason <> ''"),
		1);
}

static int always_down(const struct hit *hit)
{
	(void)hit;
	return 503;
}

static void inv8_four_days_of_outage_kill_nothing(void **state)
{
	(void)state;
	world.poll_every = "1h";
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(5, "open", "high");
	world.receive = always_down;
	begin();
	run_until(START + 4 * 24 * HOUR);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'due'"),
			 5);
	world.receive = always_ok;
	run_until(START + 4 * 24 * HOUR + HOUR);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 5);
}

static void inv8_a_clock_that_jumps_back_delays_by_the_cap_at_most(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	world.receive = down_for_an_hour;
	begin();
	run_until(START + MINUTE);
	/* A day back, and the receiver is well. */
	fake.skew = -24 * HOUR;
	world.receive = always_ok;
	run_until(START + 2 * HOUR + 30 * MINUTE);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 3);
}

/* Rows of a machine that started ten years ahead, until somebody told it the time. */
static void inv8_what_was_held_by_a_clock_years_ahead_goes_when_it_is_set_back(void **state)
{
	(void)state;
	write_conf(BUS, "{ name = \"all\"; to = \"bus\"; delay = \"1h\"; }");
	fake.skew = 3650 * (24LL * HOUR);
	begin();
	run_until(START + MINUTE);
	list_alerts(3, "open", "high");
	run_until(START + 2 * MINUTE);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'held'"), 3);
	fake.skew = 0;
	run_until(START + 3 * MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 3);
}

static int never_ready(const struct hit *hit)
{
	return strcmp(hit->id, "a1") == 0 ? 409 : 200;
}

static void inv8_a_row_is_given_up_by_age_with_its_reason(void **state)
{
	(void)state;
	world.poll_every = "1h";
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(2, "open", "high");
	world.receive = never_ready;
	begin();
	run_until(START + 71 * HOUR);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'dead'"), 0);
	run_until(START + 73 * HOUR);
	assert_int_equal(
		count_of(
			"SELECT count(*) AS n FROM v_deliveries WHERE state = 'dead' AND reason "
			"LIKE 'gave up after 72 h%'"),
		1);
}

static void inv11_stopping_waits_for_what_is_in_flight_and_stores_it(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(20, "open", "high");
	world.receive_ms = 2 * SECOND;
	begin();
	run_until(START + SECOND);
	assert_int_equal(world.hit_count, 8);
	app_stop(world.app);
	run_until(START + HOUR);
	assert_true(fake.now < START + 10 * SECOND);
	assert_int_equal(world.hit_count, 8);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 8);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'due'"),
			 12);
}

static void inv11_what_outlasts_the_grace_is_cut_and_marked(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(2, "open", "high");
	world.receive_ms = 25 * SECOND;
	begin();
	run_until(START + SECOND);
	app_stop(world.app);
	run_until(START + HOUR);
	assert_true(fake.now < START + 12 * SECOND);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'due' AND "
			 "maybe_sent = 1"),
		2);
	/* It was our doing, not the sink's. */
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_sinks WHERE state = 'up' AND "
				  "down_since IS NULL"),
			 1);
}

static void status_knows_the_daemon_from_its_first_moment(void **state)
{
	char mine[120];

	(void)state;
	snprintf(mine, sizeof(mine),
		 "SELECT count(*) AS n FROM v_runtime WHERE json LIKE '%%\"pid\":%ld,%%'",
		 (long)getpid());
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	assert_int_equal(count_of(mine), 1);
}

static void the_history_is_recorded_without_ringing_and_a_restart_changes_nothing(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(1, "open", "high"); /* created at 16:30; the server says 16:00 */
	begin();
	run_until(START + 5 * SECOND);
	assert_int_equal(world.hit_count, 1);
	die_here();
	snprintf(world.page, sizeof(world.page),
		 "{\"items\":[{\"id\":\"old\",\"status\":\"open\",\"severity\":\"low\","
		 "\"created_at\":\"2025-11-24T15:59:59Z\"}],\"next_cursor\":null}");
	begin();
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 1);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts WHERE state = 'silent'"),
			 1);
}

static void a_poll_that_fails_moves_no_position_and_recovers(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(1, "open", "high");
	world.page_status = 503;
	begin();
	run_until(START + MINUTE);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_sources WHERE last_head_at IS NULL"), 1);
	world.page_status = 200;
	run_until(START + 20 * MINUTE);
	assert_int_equal(world.hit_count, 1);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_sources WHERE last_head_at IS NOT NULL"),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv1_no_byte_leaves_before_its_claim_is_on_the_disk),
		STORY(inv2_what_was_in_flight_at_a_crash_is_marked_and_sent_again_under_its_id),
		STORY(inv5_who_heard_the_open_hears_the_rest),
		STORY(inv5_a_severity_that_rises_is_routed_again),
		STORY(inv6_a_close_never_overtakes_its_open),
		STORY(inv7_an_outage_is_probed_not_hammered_and_slows_nobody_else),
		STORY(inv7_one_bad_payload_is_a_dead_letter_alone),
		STORY(inv8_four_days_of_outage_kill_nothing),
		STORY(inv8_a_clock_that_jumps_back_delays_by_the_cap_at_most),
		STORY(inv8_what_was_held_by_a_clock_years_ahead_goes_when_it_is_set_back),
		STORY(inv8_a_row_is_given_up_by_age_with_its_reason),
		STORY(inv11_stopping_waits_for_what_is_in_flight_and_stores_it),
		STORY(inv11_what_outlasts_the_grace_is_cut_and_marked),
		STORY(status_knows_the_daemon_from_its_first_moment),
		STORY(the_history_is_recorded_without_ringing_and_a_restart_changes_nothing),
		STORY(a_poll_that_fails_moves_no_position_and_recovers),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
