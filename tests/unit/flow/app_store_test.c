/*
 * What is promised when the store fails, the process dies or is stopped, at any moment of a
 * short life of alerts: nothing lost, nothing repeated without a mark, no close before its open.
 */
#include "store/inner.h"
#include "world.h"

/* The token, the page, the first tries and the first holds lie in the first moments. */
enum { ALERTS = 4, LIFE_MS = 33, STEP_MS = 3 };

#define CHAT \
	"{ name = \"chat\"; type = \"webhook\"; url = \"http://127.0.0.1:1/chat\"; collapse = true; }"

/* The opens of one alert are not taken before its close comes. */
static int every_fourth_fails(const struct hit *hit)
{
	if (strcmp(hit->id, "a2") == 0 && strcmp(hit->type, "opened") == 0 &&
	    hit->at < START + 15 * SECOND)
		return 409;
	return world.hit_count % 4 == 1 ? 503 : 200;
}

/* Lives until `at`: the alerts open at the start and, when `closes`, resolve ten seconds later,
 * from when on `at` counts then. */
static int64_t live_until(int64_t at, bool closes)
{
	world.receive = every_fourth_fails;
	world.receive_ms = 7;
	world.credentials = "client_id = \"c\"; client_secret = \"s\";";
	write_conf(BUS "," CHAT, ALL_TO("\"bus\", \"chat\""));
	list_alerts(ALERTS, "open", "high");
	begin();
	if (closes) {
		run_until(START + 5 * SECOND);
		list_alerts(ALERTS, "resolved", "high");
		at += 10 * SECOND;
	}
	run_until(START + at);
	return START + at;
}

static size_t accepted(const char *path, const char *type, const char *id, bool marked)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++) {
		const struct hit *hit = &world.hits[i];

		count += hit->status == 200 && hit->possible_repeat == marked &&
			 strcmp(hit->path, path) == 0 && strcmp(hit->type, type) == 0 &&
			 strcmp(hit->id, id) == 0;
	}
	return count;
}

static bool is_before(const char *path, const char *id, const char *first, const char *then)
{
	bool is_first = false;

	for (size_t i = 0; i < world.hit_count; i++) {
		const struct hit *hit = &world.hits[i];

		if (hit->status != 200 || strcmp(hit->path, path) != 0 ||
		    strcmp(hit->id, id) != 0)
			continue;
		is_first |= strcmp(hit->type, first) == 0;
		if (strcmp(hit->type, then) == 0)
			return is_first;
	}
	return false;
}

/* Lets the life come to its end, and asks for the promise. */
static void expect_the_promise(void)
{
	run_until(fake.now + 2 * MINUTE);
	list_alerts(ALERTS, "resolved", "high");
	run_until(fake.now + 20 * MINUTE);
	for (size_t i = 1; i <= ALERTS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "a%zu", i);
		assert_true(accepted("/bus", "opened", id, false) <= 1);
		assert_true(accepted("/bus", "resolved", id, false) <= 1);
		assert_true(accepted("/chat", "resolved", id, false) <= 1);
		assert_true(is_before("/bus", id, "opened", "resolved"));
		assert_true(accepted("/chat", "resolved", id, false) +
				    accepted("/chat", "resolved", id, true) >
			    0);
	}
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state NOT IN ('done', "
			 "'dropped')"),
		0);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'dropped' AND "
			 "sink = 'bus'"),
		0);
}

/* One story at every few moments of a life, on a store of its own each. */
static void at_any_moment(void **state, void (*story)(int64_t at, bool closes))
{
	for (int64_t at = 0; at < 2 * LIFE_MS; at += STEP_MS) {
		story(at % LIFE_MS, at >= LIFE_MS);
		expect_the_promise();
		tear_down(state);
		set_up(state);
	}
}

static void kill_and_restart(int64_t at, bool closes)
{
	live_until(at, closes);
	die_here();
	begin();
}

static void inv2_killed_at_any_moment_nothing_is_lost_or_repeated_unmarked(void **state)
{
	at_any_moment(state, kill_and_restart);
}

static void fail_for_a_minute(int64_t at, bool closes)
{
	int64_t failed_at = live_until(at, closes);

	fail_disk(true);
	run_until(failed_at + 20 * SECOND);
	size_t before = world.hit_count;

	run_until(failed_at + MINUTE);
	assert_int_equal(world.hit_count, before);
	fail_disk(false);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE maybe_sent = 1"), 0);
}

static void inv9_a_disk_that_fails_at_any_moment_loses_and_repeats_nothing(void **state)
{
	at_any_moment(state, fail_for_a_minute);
}

static void stop_and_restart(int64_t at, bool closes)
{
	int64_t stopped_at = live_until(at, closes);

	fail_disk(at % 2 != 0);
	app_stop(world.app);
	run_until(stopped_at + HOUR);
	assert_true(fake.now < stopped_at + 20 * SECOND);
	fail_disk(false);
	die_here();
	begin();
}

static void inv11_stopped_at_any_moment_on_a_failing_disk_it_ends_all_the_same(void **state)
{
	at_any_moment(state, stop_and_restart);
}

static void inv9_a_page_that_cannot_be_stored_is_said_and_stored_later(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * SECOND);
	hear_log();
	fail_disk(true);
	list_alerts(1, "open", "high");
	run_until(START + 2 * MINUTE);
	fail_disk(false);
	assert_int_equal(said("msg=store-failed"), 1);
	run_until(START + 3 * MINUTE);
	assert_int_equal(said("msg=poll-recovered"), 1);
	assert_int_equal(world.hit_count, 1);
}

/* Another program writes for ever: a command that was stopped amid a chunk. */
static void inv13_a_lock_that_is_never_given_back_is_said(void **state)
{
	char path[128];
	struct err err;

	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * SECOND);
	hear_log();
	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *other = store_open(path, STORE_COMMAND, &err);

	assert_non_null(other);
	db_begin(other->db);
	list_alerts(1, "open", "high");
	run_until(START + 20 * MINUTE);
	assert_true(said("msg=store-failed") > 0);
	assert_int_equal(world.hit_count, 0);
	db_rollback(other->db);
	store_close(&other);
	run_until(START + 21 * MINUTE);
	assert_int_equal(world.hit_count, 1);
}

static int down_for_a_minute(const struct hit *hit)
{
	return hit->at < START + MINUTE ? 503 : 200;
}

static void inv9_near_a_full_disk_nothing_is_taken_in_and_what_is_known_goes_on(void **state)
{
	(void)state;
	world.receive_ms = 3;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(1, "open", "high");
	world.receive = down_for_a_minute;
	begin();
	run_until(START + 5 * SECOND);
	/* As if the disk had filled up, with one row that still waits. */
	world.setup->settings->store_reserve = INT64_MAX / 2;
	run_until(START + 20 * SECOND);
	list_alerts(3, "open", "high");
	run_until(START + 5 * MINUTE);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts"), 1);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 1);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_runtime WHERE json LIKE "
				  "'%store_reserve%' AND json LIKE '%\"ready\":false%'"),
			 1);
	world.setup->settings->store_reserve = 0;
	run_until(START + 6 * MINUTE);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv2_killed_at_any_moment_nothing_is_lost_or_repeated_unmarked),
		STORY(inv9_a_disk_that_fails_at_any_moment_loses_and_repeats_nothing),
		STORY(inv11_stopped_at_any_moment_on_a_failing_disk_it_ends_all_the_same),
		STORY(inv9_a_page_that_cannot_be_stored_is_said_and_stored_later),
		STORY(inv9_near_a_full_disk_nothing_is_taken_in_and_what_is_known_goes_on),
		STORY(inv13_a_lock_that_is_never_given_back_is_said),
	};

	log_setup(LOG_INFO, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
