/*
 * What an operator says beside a daemon, as stories: sinks held and let go, requeues that are
 * spread. His word is in the store; the daemon looks for it once a second.
 */
#include "../change_rows.h"
#include "world.h"

#include "base/mem.h"
#include "store/silences.h"

#define SINK(name, more)                                                              \
	"{ name = \"" name "\"; type = \"webhook\"; url = \"http://127.0.0.1:1/" name \
	"\"; " more "}"

static struct store *store_beside(void)
{
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	return store;
}

static void hold(const char *sink)
{
	struct store *store = store_beside();
	struct err err;

	assert_true(store_sink_hold(store, sink, "moving it", clock_now(), &err));
	store_close(&store);
}

static void let_go(const char *sink)
{
	struct store *store = store_beside();
	struct err err;

	assert_true(store_sink_release(store, sink, clock_now(), &err));
	assert_true(change_rows(store, store_hasten, "attempt > 0", clock_now(), &err) >= 0);
	store_close(&store);
}

static int64_t rows_in(const char *state)
{
	char sql[120];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) AS n FROM v_deliveries WHERE sink = 'bus' AND state = '%s'",
		 state);
	return count_of(sql);
}

static void a_held_sink_gets_nothing_and_the_others_go_on(void **state)
{
	(void)state;
	write_conf(BUS "," CAR, ALL_TO("\"bus\", \"car\""));
	begin();
	run_until(START + SECOND / 2);
	hold("bus");
	run_until(START + 2 * SECOND);
	list_alerts(5, "open", "high");
	run_until(START + HOUR);
	assert_int_equal(hits_of("/bus", "opened"), 0);
	assert_int_equal(hits_of("/car", "opened"), 5);
	assert_int_equal(rows_in("due"), 5);
	assert_int_equal(count_of("SELECT json LIKE '%\"ready\":true%' AS n FROM v_runtime"),
			 1);
	let_go("bus");
	run_until(START + HOUR + SECOND + SECOND / 2);
	assert_int_equal(hits_of("/bus", "opened"), 5);
}

static void what_is_under_way_when_a_sink_is_held_ends(void **state)
{
	(void)state;
	write_conf(SINK("bus", "window = 1; "), ALL_TO("\"bus\""));
	list_alerts(2, "open", "high");
	world.receive_ms = 5 * SECOND;
	begin();
	run_until(START + SECOND);
	assert_int_equal(world.hit_count, 1);
	hold("bus");
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 1);
	assert_int_equal(rows_in("done"), 1);
	assert_int_equal(rows_in("due"), 1);
}

static int unavailable(const struct hit *hit)
{
	(void)hit;
	return 503;
}

/* What fails meanwhile makes no hold of our own that would outlast the operator's. */
static void inv7_a_held_sink_is_not_probed_and_comes_back_up(void **state)
{
	(void)state;
	write_conf(SINK("bus", "retry = { min = \"10m\"; max = \"15m\"; }; "),
		   ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	world.receive = unavailable;
	world.receive_ms = 3 * SECOND;
	begin();
	run_until(START + SECOND);
	hold("bus");
	run_until(START + HOUR);
	assert_int_equal(world.hit_count, 3);
	world.receive = always_ok;
	let_go("bus");
	run_until(START + HOUR + 5 * SECOND);
	assert_int_equal(world.hit_count, 6);
	assert_int_equal(rows_in("done"), 3);
}

/* How long the sink is held for its failures yet. */
static int64_t wait_left(void)
{
	return count_of("SELECT coalesce(max(held_until), 0) AS n FROM v_sinks") - fake.now;
}

static void to_release_a_sink_that_is_down_ends_its_wait(void **state)
{
	(void)state;
	write_conf(SINK("bus", "retry = { min = \"10m\"; max = \"15m\"; }; "),
		   ALL_TO("\"bus\""));
	list_alerts(3, "open", "high");
	world.receive = unavailable;
	begin();
	run_until(START + MINUTE);
	while (wait_left() < MINUTE)
		run_until(fake.now + 10 * SECOND);
	size_t heard = world.hit_count;

	world.receive = always_ok;
	let_go("bus");
	run_until(fake.now + 2 * SECOND);
	assert_int_equal(world.hit_count, heard + 3);
	assert_int_equal(rows_in("done"), 3);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_sinks WHERE state = 'up'"), 1);
}

static void a_hold_outlives_the_daemon(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + SECOND / 2);
	hold("bus");
	die_here();
	list_alerts(2, "open", "high");
	for (int day = 1; day < 3; day++) {
		begin();
		run_until(START + day * 24LL * HOUR);
		assert_int_equal(world.hit_count, 0);
		die_here();
	}
	let_go("bus"); /* with no daemon */
	begin();
	run_until(fake.now + SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 2);
}

static int not_ready(const struct hit *hit)
{
	(void)hit;
	return 409;
}

static void inv8_rows_of_a_held_sink_do_not_age(void **state)
{
	(void)state;
	write_conf(SINK("bus", "give_up = \"1h\"; "), ALL_TO("\"bus\""));
	list_alerts(1, "open", "high");
	world.receive = not_ready;
	begin();
	run_until(START + MINUTE);
	assert_true(world.hit_count > 1);
	hold("bus");
	run_until(START + 10 * HOUR);
	die_here();
	begin();
	run_until(START + 30 * HOUR);
	let_go("bus");
	/* A minute old when it was held, it has nearly an hour left. */
	run_until(START + 30 * HOUR + 30 * MINUTE);
	assert_int_equal(rows_in("due"), 1);
	run_until(START + 31 * HOUR + 20 * MINUTE);
	assert_int_equal(rows_in("dead"), 1);
}

static void held_let_go_and_held_again_within_a_second_is_held(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + SECOND / 2);
	hold("bus");
	run_until(START + 2 * SECOND + SECOND / 2);
	let_go("bus");
	fake.now += 5;
	hold("bus");
	list_alerts(2, "open", "high");
	run_until(START + HOUR);
	assert_int_equal(world.hit_count, 0);
}

static int refuses(const struct hit *hit)
{
	(void)hit;
	return 400;
}

static void a_paced_requeue_does_not_flood_and_lets_news_pass(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_alerts(4, "open", "high");
	world.receive = refuses;
	begin();
	run_until(START + MINUTE);
	assert_int_equal(rows_in("dead"), 4);
	struct store *store = store_beside();
	struct pace *pace = mem_new(sizeof(*pace));
	int64_t ids[4], began_at = fake.now;
	struct selection which = { .ids = ids, .pace = pace };
	struct err err;
	struct view *v = view_open(store, "SELECT id FROM v_deliveries", NULL, 0, &err);

	while (view_next(v))
		ids[which.id_count++] = view_int(v, "id");
	view_close(&v);
	*pace = (struct pace){ .rate = { .count = 1, .per_ms = MINUTE }, .start_at = fake.now };
	assert_int_equal(store_requeue(store, &which, fake.now, &err), 4);
	store_close(&store);
	mem_free(&pace);
	world.receive = always_ok;
	world.hit_count = 0;
	run_until(began_at + 30 * SECOND);
	assert_int_equal(world.hit_count, 1);
	list_alerts(5, "open", "high");
	run_until(began_at + 50 * SECOND);
	assert_int_equal(world.hit_count, 2);
	run_until(began_at + 4 * MINUTE);
	assert_int_equal(world.hit_count, 5);
	assert_true(world.hits[4].at >= began_at + 3 * MINUTE);
}

static void silence(const char *matchers, int64_t for_ms)
{
	struct store *store = store_beside();
	const struct silence made = { .matchers = matchers,
				      .since = clock_now(),
				      .until = clock_now() + for_ms,
				      .comment = "",
				      .who = "" };
	struct err err;
	int64_t id;

	assert_true(store_silence_add(store, &made, &id, &err));
	store_close(&store);
}

/* One that was over is not in memory any more when another one was heeded since. */
static void a_silence_is_in_force_again_when_the_clock_is_set_back_into_it(void **state)
{
	(void)state;
	write_conf(SINK("bus", ""), ALL_TO("\"bus\""));
	begin();
	run_until(START + 30 * SECOND);
	silence("[]", HOUR);
	run_until(START + 90 * MINUTE);
	silence("[\"id = none\"]", MINUTE);
	run_until(START + 2 * HOUR);
	fake.skew = -90 * MINUTE;
	run_until(START + 2 * HOUR + 2 * SECOND);
	list_alerts(1, "open", "high");
	run_until(START + 2 * HOUR + 20 * MINUTE);
	assert_int_equal(rows_in("held"), 1);
	run_until(START + 2 * HOUR + 40 * MINUTE);
	assert_int_equal(rows_in("done"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_held_sink_gets_nothing_and_the_others_go_on),
		STORY(what_is_under_way_when_a_sink_is_held_ends),
		STORY(inv7_a_held_sink_is_not_probed_and_comes_back_up),
		STORY(to_release_a_sink_that_is_down_ends_its_wait),
		STORY(a_hold_outlives_the_daemon),
		STORY(inv8_rows_of_a_held_sink_do_not_age),
		STORY(held_let_go_and_held_again_within_a_second_is_held),
		STORY(a_paced_requeue_does_not_flood_and_lets_news_pass),
		STORY(a_silence_is_in_force_again_when_the_clock_is_set_back_into_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
