/*
 * Another configuration while all goes on (invariant 12), on a scripted wire. The world gives
 * each reload a new file; nothing waits, and what is freed too early the sanitizer tells.
 */
#include "world.h"

#define WAS(name, was)                                                                  \
	"{ name = \"" name "\"; was = \"" was "\"; type = \"webhook\"; url = \"http://" \
	"127.0.0.1:1/" name "\"; }"

static int64_t in_state(const char *state)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT count(*) AS n FROM v_deliveries WHERE state = '%s'",
		 state);
	return count_of(sql);
}

static void reload(const char *sinks, const char *routes)
{
	write_conf(sinks, routes);
	app_reload(world.app);
	run_until(fake.now + 10);
	log_setup(LOG_ERROR, LOG_TEXT); /* the file says info */
}

static bool status_says(const char *text)
{
	char sql[300];

	run_until(fake.now + 2 * SECOND);
	snprintf(sql, sizeof(sql), "SELECT instr(json, '%s') > 0 AS n FROM v_runtime", text);
	return count_of(sql) == 1;
}

static int hangs(const struct hit *hit)
{
	(void)hit;
	return 0;
}

static void inv12_what_is_on_its_way_ends_by_the_setup_it_was_built_from(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(12, "open", "high");
	world.receive_ms = 20 * SECOND;
	begin();
	run_until(START + SECOND);
	assert_int_equal(world.hit_count, 8);
	for (int i = 0; i < 5; i++)
		reload(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	assert_int_equal(world.hit_count, 8);
	run_until(START + MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 12);
	assert_int_equal(hits_of("/car", "opened"), 0); /* they were routed before */
	assert_int_equal(in_state("done"), 12);
}

static void inv12_a_sink_that_goes_with_rows_in_flight_leaves_them_settled_or_orphaned(
	void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(12, "open", "high");
	world.receive_ms = 20 * SECOND;
	begin();
	run_until(START + SECOND);
	reload(CAR, ALL_TO("\"car\""));
	assert_int_equal(in_state("orphaned"), 4);
	run_until(START + MINUTE);
	assert_int_equal(in_state("done"), 8);
	/* One that hangs is an orphan after its time. */
	world.receive = hangs;
	reload(BUS "," CAR, ALL_TO("\"car\""));
	run_until(fake.now + SECOND);
	reload(CAR, ALL_TO("\"car\""));
	assert_int_equal(in_state("claimed"), 4);
	run_until(fake.now + MINUTE);
	assert_int_equal(in_state("orphaned"), 4);
	world.receive = always_ok;
	reload(WAS("van", "bus") "," CAR, ALL_TO("\"car\""));
	run_until(fake.now + MINUTE);
	assert_int_equal(hits_of("/van", "opened"), 4);
	assert_int_equal(in_state("done"), 12);
}

static void inv12_a_sink_that_returns_finds_its_slots_taken_as_they_are(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(12, "open", "high");
	world.receive_ms = 20 * SECOND;
	begin();
	run_until(START + SECOND);
	reload(CAR, ALL_TO("\"car\""));
	reload(BUS "," CAR, ALL_TO("\"bus\""));
	run_until(fake.now + SECOND);
	assert_int_equal(world.hit_count, 8);
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 12);
	assert_int_equal(in_state("done"), 12);
}

static void a_window_and_a_rate_apply_at_once(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(30, "open", "high");
	world.receive_ms = 20 * SECOND;
	begin();
	run_until(START + SECOND);
	reload("{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; "
	       "window = 20; }",
	       ALL_TO("\"bus\""));
	assert_int_equal(world.hit_count, 20);
	reload("{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; "
	       "window = 20; rate = \"1/h\"; }",
	       ALL_TO("\"bus\""));
	run_until(START + 30 * MINUTE);
	assert_int_equal(world.hit_count, 21);
}

static int bus_is_broken(const struct hit *hit)
{
	return strcmp(hit->path, "/bus") == 0 ? 401 : 200;
}

/* It is the operator who mended it: he must not wait for the end of our penalty. */
static void a_mended_sink_is_tried_at_once_and_an_unchanged_one_is_not(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	world.receive = bus_is_broken;
	begin();
	run_until(START + 8 * HOUR);
	size_t before = world.hit_count;

	for (int i = 0; i < 20; i++)
		reload(BUS, ALL_TO("\"bus\""));
	assert_true(world.hit_count <= before + 1);
	reload("{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus2\"; }",
	       ALL_TO("\"bus\""));
	run_until(fake.now + SECOND);
	assert_int_equal(hits_of("/bus2", "opened"), 3);
	assert_int_equal(in_state("done"), 3);
}

static void a_failure_of_the_old_target_does_not_hold_the_new_one(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(12, "open", "high");
	world.receive = hangs;
	begin();
	run_until(START + SECOND);
	world.receive = always_ok;
	reload("{ name = \"bus\"; type = \"slack\"; rate = \"off\"; url = "
	       "\"http://127.0.0.1:1/chat\"; }",
	       ALL_TO("\"bus\""));
	run_until(START + 40 * SECOND);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_sinks WHERE state = 'up'"), 1);
	run_until(START + 5 * MINUTE);
	assert_int_equal(in_state("done"), 12);
}

static void routes_move_for_new_events_and_follow_ups_stay(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(2, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	reload(BUS "," CAR, ALL_TO("\"car\""));
	list_alerts(4, "open", "high");
	run_until(fake.now + 15 * SECOND);
	list_alerts(4, "resolved", "high");
	run_until(fake.now + MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 2);
	assert_int_equal(hits_of("/bus", "resolved"), 2);
	assert_int_equal(hits_of("/car", "opened"), 2);
	assert_int_equal(hits_of("/car", "resolved"), 2);
}

/* ---- mistakes ---- */

static void inv12_a_broken_file_changes_nothing_and_says_so(void **state)
{
	(void)state;
	hear_log();
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * SECOND);
	said("msg=");
	reload(BUS, ALL_TO("\"nobody\""));
	assert_int_equal(said("msg=reload-failed"), 1);
	assert_true(status_says("no sink is named \\\"nobody\\\""));
	list_alerts(2, "open", "high");
	run_until(fake.now + 15 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 2);
	reload(BUS, ALL_TO("\"bus\""));
	assert_int_equal(said("msg=reloaded"), 1);
	assert_true(status_says("\"reload_error\":null"));
}

static void another_store_needs_a_restart(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * SECOND);
	char *folder = world.folder + strlen(world.folder);

	snprintf(folder, 4, "/..");
	write_conf(CAR, ALL_TO("\"car\""));
	*folder = '\0';
	char from[200], to[200];

	snprintf(from, sizeof(from), "%s/../t.conf", world.folder);
	snprintf(to, sizeof(to), "%s/t.conf", world.folder);
	assert_int_equal(rename(from, to), 0);
	app_reload(world.app);
	assert_true(status_says("restart for another one"));
}

/* A store that takes nothing is as good as a mistake: all goes on, and a later one works. */
static void inv12_a_store_that_refuses_fails_the_reload(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * SECOND);
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	fail_disk(true);
	app_reload(world.app);
	run_until(fake.now + 10);
	fail_disk(false);
	list_alerts(1, "open", "high");
	run_until(fake.now + MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 1);
	assert_int_equal(hits_of("/car", "opened"), 0);
	reload(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	list_alerts(2, "open", "high");
	run_until(fake.now + MINUTE);
	assert_int_equal(hits_of("/car", "opened"), 1);
}

/* ---- sources ---- */

static size_t pages_asked;

static bool slow_pages(const struct request *r, struct fake_answer *out)
{
	(void)r;
	pages_asked++;
	out->delay_ms = 5 * SECOND;
	out->reply.status = 200;
	snprintf(out->body, sizeof(out->body), "%s", world.page);
	return true;
}

static void inv12_an_unchanged_source_goes_on_with_its_page_in_flight(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	world.api = slow_pages;
	pages_asked = 0;
	list_alerts(1, "open", "high");
	begin();
	run_until(START + SECOND);
	assert_int_equal(pages_asked, 1);
	for (int i = 0; i < 100; i++)
		reload(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	assert_int_equal(pages_asked, 1);
	run_until(START + 8 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 1);
	assert_int_equal(hits_of("/car", "opened"), 1);
}

/* The page in flight is dropped, and what it held is asked for again: what came up since the
 * daemon began to look is news, however often its source was replaced before it answered. */
static void inv12_a_changed_source_begins_anew_and_loses_nothing(void **state)
{
	static const char *const every[] = { "11s", "12s", "13s", "14s" };

	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	world.api = slow_pages;
	pages_asked = 0;
	list_alerts(1, "open", "high");
	begin();
	run_until(START + SECOND);
	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		world.poll_every = every[i];
		reload(BUS, ALL_TO("\"bus\""));
		run_until(fake.now + SECOND);
	}
	assert_int_equal(hits_of("/bus", "opened"), 0);
	run_until(START + MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 1);
	assert_int_equal(in_state("done"), 1);
}

static char bearers[8][32];
static size_t bearer_count;

static bool note_bearer(const struct request *r, struct fake_answer *out)
{
	(void)out;
	if (bearer_count < ARRAY_LEN(bearers))
		snprintf(bearers[bearer_count++], sizeof(bearers[0]), "%s", r->bearer);
	return false;
}

static void secrets_are_read_again(void **state)
{
	(void)state;
	setenv("TOCSIN_TEST_KEY", "one", 1);
	world.credentials = "api_key = \"env:TOCSIN_TEST_KEY\";";
	world.api = note_bearer;
	bearer_count = 0;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + SECOND);
	assert_string_equal(bearers[0], "one");
	setenv("TOCSIN_TEST_KEY", "two", 1);
	bearer_count = 0;
	reload(BUS, ALL_TO("\"bus\""));
	run_until(fake.now + SECOND);
	assert_string_equal(bearers[0], "two");
	unsetenv("TOCSIN_TEST_KEY");
}

static bool limited(const struct request *r, struct fake_answer *out)
{
	(void)r;
	pages_asked++;
	out->reply.status = 429;
	snprintf(out->headers, sizeof(out->headers), "Retry-After: 600\r\n");
	return true;
}

static void a_changed_source_obeys_the_retry_after_of_its_credential(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	world.api = limited;
	pages_asked = 0;
	begin();
	run_until(START + SECOND);
	size_t before = pages_asked;

	world.poll_every = "1s";
	for (int i = 0; i < 10; i++) {
		world.poll_every = i % 2 == 0 ? "1s" : "2s";
		reload(BUS, ALL_TO("\"bus\""));
	}
	run_until(START + 5 * MINUTE);
	assert_int_equal(pages_asked, before);
}

static void inv12_a_renamed_source_keeps_what_it_knows(void **state)
{
	char path[128];

	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(2, "open", "high");
	begin();
	run_until(START + 5 * SECOND);
	world.credentials = "was = \"acme\"; api_key = \"k\";";
	write_conf(BUS, ALL_TO("\"bus\""));
	snprintf(path, sizeof(path), "sed -i 's/name = \"acme\"/name = \"corp\"/' %s/t.conf",
		 world.folder);
	assert_int_equal(system(path), 0);
	app_reload(world.app);
	list_alerts(2, "resolved", "high");
	run_until(fake.now + MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 2);
	assert_int_equal(hits_of("/bus", "resolved"), 2);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts WHERE source = 'corp'"),
			 2);
}

/* ---- the end ---- */

static void inv11_a_stop_after_reloads_waits_for_rows_of_sinks_that_are_gone(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	world.receive_ms = 5 * SECOND;
	begin();
	run_until(START + SECOND);
	world.poll_every = "1s";
	reload(CAR, ALL_TO("\"car\""));
	app_stop(world.app);
	run_until(START + HOUR);
	assert_true(fake.now < START + 10 * SECOND);
	assert_int_equal(in_state("done"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv12_what_is_on_its_way_ends_by_the_setup_it_was_built_from),
		STORY(inv12_a_sink_that_goes_with_rows_in_flight_leaves_them_settled_or_orphaned),
		STORY(inv12_a_sink_that_returns_finds_its_slots_taken_as_they_are),
		STORY(a_window_and_a_rate_apply_at_once),
		STORY(a_mended_sink_is_tried_at_once_and_an_unchanged_one_is_not),
		STORY(a_failure_of_the_old_target_does_not_hold_the_new_one),
		STORY(routes_move_for_new_events_and_follow_ups_stay),
		STORY(inv12_a_broken_file_changes_nothing_and_says_so),
		STORY(another_store_needs_a_restart),
		STORY(inv12_a_store_that_refuses_fails_the_reload),
		STORY(inv12_an_unchanged_source_goes_on_with_its_page_in_flight),
		STORY(inv12_a_changed_source_begins_anew_and_loses_nothing),
		STORY(secrets_are_read_again),
		STORY(a_changed_source_obeys_the_retry_after_of_its_credential),
		STORY(inv12_a_renamed_source_keeps_what_it_knows),
		STORY(inv11_a_stop_after_reloads_waits_for_rows_of_sinks_that_are_gone),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
