/*
 * Alerts of our own: raised once, told to those that can hear, closed for those that heard,
 * whatever the store, a kill or the configuration does in between.
 */
#include "flow/queue.h"
#include "world.h"

#define OWN "tocsin:sink-refuses:bus"

static size_t told(const char *path, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += world.hits[i].status == 200 && strcmp(world.hits[i].path, path) == 0 &&
			 strcmp(world.hits[i].type, type) == 0 &&
			 strcmp(world.hits[i].id, OWN) == 0;
	return count;
}

static int bus_refuses(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 ? 400 : 200;
}

static int bus_refuses_and_car_is_down(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 ? 400 : 503;
}

static int64_t dead(void)
{
	return count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'dead'");
}

static int64_t ready_reasons(const char *like)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT count(*) AS n FROM v_runtime WHERE json LIKE '%s'",
		 like);
	return count_of(sql);
}

/* Only bus hears alerts; car hears what we have to say. */
static void begin_refusing(void)
{
	world.poll_every = "1h";
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(8, "open", "high");
	world.receive = bus_refuses;
	begin();
	run_until(START + 5 * SECOND);
}

static void inv7_five_refused_payloads_alarm_through_the_other_sinks(void **state)
{
	(void)state;
	hear_log();
	begin_refusing();
	assert_int_equal(dead(), QUEUE_NEVERS_MAX - 1);
	assert_int_equal(said("level=error msg=sink-down sink=bus"), 1);
	assert_int_equal(told("/car", "opened"), 1);
	assert_int_equal(told("/bus", "opened"), 0);
	assert_int_equal(ready_reasons("%sink bus: 5 payloads refused%\"ready\":false%"), 1);
	run_until(START + HOUR / 2);
	assert_int_equal(told("/car", "opened"), 1);
	assert_int_equal(dead(), QUEUE_NEVERS_MAX - 1);
	world.receive = always_ok;
	run_until(START + HOUR - MINUTE);
	assert_int_equal(told("/car", "resolved"), 1);
	assert_int_equal(told("/bus", "resolved"), 0);
	assert_int_equal(ready_reasons("%\"ready\":true%"), 1);
	assert_int_equal(
		count_of(
			"SELECT count(*) AS n FROM v_alerts WHERE source = 'tocsin' AND id = '" OWN
			"' AND state = 'resolved' AND json_extract(body, '$.metadata.sink') = 'bus'"),
		1);
}

static void inv7_a_refusing_sink_is_not_fed_anew_after_a_restart(void **state)
{
	(void)state;
	begin_refusing();
	die_here();
	begin();
	run_until(START + 20 * MINUTE);
	assert_int_equal(dead(), QUEUE_NEVERS_MAX - 1);
	assert_int_equal(told("/car", "opened"), 1);
	assert_int_equal(told("/car", "resolved"), 0);
	world.receive = always_ok;
	run_until(START + 50 * MINUTE);
	assert_int_equal(told("/car", "resolved"), 1);
}

static void one_of_a_sink_that_is_gone_closes_at_the_next_start(void **state)
{
	(void)state;
	begin_refusing();
	die_here();
	write_conf(CAR, ALL_TO("\"car\""));
	begin();
	run_until(START + MINUTE);
	assert_int_equal(told("/car", "resolved"), 1);
}

static void when_no_sink_is_up_those_that_are_down_hear_it_later(void **state)
{
	(void)state;
	world.poll_every = "1h";
	write_conf(BUS "," CAR, ALL_TO("\"car\", \"bus\""));
	list_alerts(8, "open", "high");
	world.receive = bus_refuses_and_car_is_down;
	begin();
	run_until(START + MINUTE);
	assert_int_equal(dead(), QUEUE_NEVERS_MAX - 1);
	world.receive = bus_refuses;
	run_until(START + 10 * MINUTE);
	assert_int_equal(told("/car", "opened"), 1);
	world.receive = always_ok;
	run_until(START + 40 * MINUTE);
	assert_int_equal(told("/car", "resolved"), 1);
	assert_int_equal(told("/bus", "opened") + told("/bus", "resolved"), 0);
}

static void a_store_that_refuses_only_delays_it(void **state)
{
	(void)state;
	world.poll_every = "1h";
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(8, "open", "high");
	world.receive_ms = 300;
	world.receive = bus_refuses;
	begin();
	run_until(START + 200);
	fail_disk(true);
	run_until(START + 10 * SECOND);
	assert_int_equal(told("/car", "opened"), 0);
	fail_disk(false);
	run_until(START + MINUTE);
	assert_int_equal(told("/car", "opened"), 1);
}

/* Our own source is nobody's to sweep, and its rows have no route. */
static void it_is_an_alert_like_any_other_but_of_no_route(void **state)
{
	(void)state;
	begin_refusing();
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE source = "
				  "'tocsin' AND route IS NULL AND state = 'done'"),
			 1);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_missing"), 0);
	assert_int_equal(ready_reasons("%\"sources\":[{\"name\":\"tocsin\"%"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv7_five_refused_payloads_alarm_through_the_other_sinks),
		STORY(inv7_a_refusing_sink_is_not_fed_anew_after_a_restart),
		STORY(one_of_a_sink_that_is_gone_closes_at_the_next_start),
		STORY(when_no_sink_is_up_those_that_are_down_hear_it_later),
		STORY(a_store_that_refuses_only_delays_it),
		STORY(it_is_an_alert_like_any_other_but_of_no_route),
	};

	log_setup(LOG_INFO, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
