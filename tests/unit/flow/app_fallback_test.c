/*
 * A fallback, from an alert to its close: "bus" falls back to "car" after two minutes.
 */
#include "world.h"

#define FALLING_BUS                                                                \
	"{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; " \
	"fallback = \"car\"; fallback_after = \"2m\"; }"

static int64_t bus_up_at;

static int bus_is_down(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 && hit->at < bus_up_at ? 503 : 200;
}

static int bus_refuses(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 && strcmp(hit->id, "a2") == 0 ? 400 : 200;
}

static int bus_hangs(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 && hit->at < bus_up_at ? 0 : 200;
}

static void start_with(size_t alerts, int (*receive)(const struct hit *hit), int64_t up_at)
{
	bus_up_at = up_at;
	world.receive = receive;
	write_conf(FALLING_BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(alerts, "open", "high");
	begin();
}

static size_t accepted(const char *path, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += world.hits[i].status == 200 && strcmp(world.hits[i].path, path) == 0 &&
			 strcmp(world.hits[i].type, type) == 0;
	return count;
}

static int64_t rows_of(const char *sink, const char *state)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) AS n FROM v_deliveries WHERE sink = '%s' AND state = '%s'",
		 sink, state);
	return count_of(sql);
}

static void inv4_inv5_a_long_outage_is_told_elsewhere_once_and_so_is_the_close(void **state)
{
	(void)state;
	start_with(30, bus_is_down, START + HOUR);
	run_until(START + MINUTE);
	assert_int_equal(hits_of("/car", "opened"), 0);
	run_until(START + 3 * MINUTE);
	assert_int_equal(hits_of("/car", "opened"), 30);
	assert_int_equal(rows_of("bus", "moved"), 30);
	list_alerts(30, "resolved", "high");
	run_until(START + 2 * HOUR);
	assert_int_equal(hits_of("/car", "opened"), 30);
	assert_int_equal(hits_of("/car", "resolved"), 30);
	assert_int_equal(accepted("/bus", "opened") + accepted("/bus", "resolved"), 0);
	assert_int_equal(rows_of("car", "done"), 60);
}

static void inv7_a_dead_sink_whose_rows_all_went_comes_up_with_the_next(void **state)
{
	(void)state;
	start_with(3, bus_is_down, START + HOUR);
	run_until(START + 2 * HOUR);
	assert_int_equal(hits_of("/car", "opened"), 3);
	list_alerts(5, "open", "high");
	run_until(START + 2 * HOUR + MINUTE);
	assert_int_equal(accepted("/bus", "opened"), 2);
	assert_int_equal(hits_of("/car", "opened"), 3);
	assert_int_equal(
		count_of(
			"SELECT count(*) AS n FROM v_sinks WHERE name = 'bus' AND state = 'up'"),
		1);
}

static void inv5_who_heard_the_open_hears_the_close_when_it_is_back(void **state)
{
	(void)state;
	start_with(4, bus_is_down, 0);
	run_until(START + MINUTE);
	assert_int_equal(accepted("/bus", "opened"), 4);
	bus_up_at = START + HOUR;
	list_alerts(4, "resolved", "high");
	run_until(START + 2 * HOUR);
	assert_int_equal(accepted("/bus", "resolved"), 4);
	assert_int_equal(hits_of("/car", "resolved"), 0);
}

static void inv2_inv5_who_may_have_heard_and_the_fallback_both_hear_the_rest(void **state)
{
	(void)state;
	start_with(2, bus_hangs, START + HOUR);
	run_until(START + 10 * MINUTE);
	assert_int_equal(hits_of("/car", "opened"), 2);
	list_alerts(2, "resolved", "high");
	run_until(START + 2 * HOUR);
	assert_int_equal(hits_of("/car", "resolved"), 2);
	assert_int_equal(accepted("/bus", "opened"), 0);
	assert_int_equal(accepted("/bus", "resolved"), 2);
}

static void inv7_a_payload_refused_here_is_told_there(void **state)
{
	(void)state;
	start_with(4, bus_refuses, 0);
	hear_log();
	log_setup(LOG_WARN, LOG_TEXT);
	run_until(START + MINUTE);
	log_setup(LOG_ERROR, LOG_TEXT);
	assert_int_equal(said("msg=moved sink=bus alert=a2 event=opened"), 1);
	assert_int_equal(accepted("/bus", "opened"), 3);
	assert_int_equal(hits_of("/car", "opened"), 1);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'moved' AND "
			 "reason LIKE 'to car: %400%'"),
		1);
}

static int all_refuse(const struct hit *hit)
{
	(void)hit;
	return 400;
}

static void a_fallback_that_refuses_it_too_leaves_one_dead_letter(void **state)
{
	(void)state;
	start_with(1, all_refuse, 0);
	run_until(START + MINUTE);
	assert_int_equal(rows_of("bus", "moved"), 1);
	assert_int_equal(rows_of("car", "dead"), 1);
	assert_int_equal(world.hit_count, 2);
}

static size_t heard_by_car(const char *id, bool marked)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += strcmp(world.hits[i].path, "/car") == 0 &&
			 strcmp(world.hits[i].id, id) == 0 &&
			 world.hits[i].possible_repeat == marked;
	return count;
}

static void inv2_rows_that_move_survive_a_kill_at_any_moment(void **state)
{
	static const char *const ids[] = { "a1", "a2", "a3", "a4", "a5", "a6" };

	for (int64_t at = 0; at < 90; at += 3) {
		start_with(ARRAY_LEN(ids), bus_is_down, START + HOUR);
		run_until(START + 2 * MINUTE - 40 + at);
		die_here();
		begin();
		run_until(START + 10 * MINUTE);
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			assert_int_equal(heard_by_car(ids[i], false), 1);
			assert_true(heard_by_car(ids[i], true) <= 1);
		}
		tear_down(state);
		set_up(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv4_inv5_a_long_outage_is_told_elsewhere_once_and_so_is_the_close),
		STORY(inv7_a_dead_sink_whose_rows_all_went_comes_up_with_the_next),
		STORY(inv5_who_heard_the_open_hears_the_close_when_it_is_back),
		STORY(inv2_inv5_who_may_have_heard_and_the_fallback_both_hear_the_rest),
		STORY(inv7_a_payload_refused_here_is_told_there),
		STORY(a_fallback_that_refuses_it_too_leaves_one_dead_letter),
		STORY(inv2_rows_that_move_survive_a_kill_at_any_moment),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
