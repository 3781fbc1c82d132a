/*
 * Everything at once, by chance: alerts that open, close and open again, receivers that fail,
 * hang and refuse, kills, failing disks, jumping clocks, reloads, sinks that go and come back under another
 * name, an operator.
 * Then calm, and the promise is asked for. A seed that fails is replayed by CHAOS_SEED=n.
 */
#include "../change_rows.h"
#include "world.h"

#include "base/backoff.h"

enum { ALERTS = 3, STEPS = 150, SEEDS = 6 };

#define CHAT(collapse)                                                                                   \
	"{ name = \"chat\"; type = \"webhook\"; url = \"http://127.0.0.1:1/chat\"; collapse = " collapse \
	"; }"

static struct chance chance;
static const char *status_of[ALERTS];
static int failing_percent;
static bool operated;

static bool one_in(int64_t n)
{
	return chance_below(&chance, n) == 0;
}

static int receives_by_chance(const struct hit *hit)
{
	static const int failures[] = { 503, 409, 0, 429, 404 };

	(void)hit;
	if (chance_below(&chance, 100) >= failing_percent)
		return 200;
	return failures[chance_below(&chance, ARRAY_LEN(failures))];
}

static void list_all(void)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 0; i < ALERTS; i++) {
		char id[16], text[300];

		snprintf(id, sizeof(id), "a%zu", i + 1);
		alert_text(text, sizeof(text), id, status_of[i], "high");
		len += (size_t)snprintf(world.page + len, sizeof(world.page) - len, "%s%s",
					i > 0 ? "," : "", text);
	}
	snprintf(world.page + len, sizeof(world.page) - len, "],\"next_cursor\":null}");
}

static void change_an_alert(void)
{
	static const char *const words[] = { "open", "acknowledged", "resolved" };

	status_of[chance_below(&chance, ALERTS)] = words[chance_below(&chance, 3)];
	list_all();
	app_poll(world.app);
}

/* One receiver, now called car and now van, which mostly says what it was. */
static void describe_car(char *text, size_t size, bool says_was)
{
	bool is_van = one_in(2);

	snprintf(text, size,
		 ", { name = \"%s\"; %s type = \"webhook\"; url = \"http://127.0.0.1:1/car\"; "
		 "window = %d; }",
		 is_van ? "van" : "car",
		 !says_was ? ""
		 : is_van  ? "was = \"car\";"
			   : "was = \"van\";",
		 one_in(2) ? 8 : 1);
}

static void configure_with(bool has_car, bool says_was)
{
	char sinks[600], car[200] = "", routes[100];

	if (has_car)
		describe_car(car, sizeof(car), says_was);
	snprintf(sinks, sizeof(sinks), "%s, %s%s", BUS,
		 one_in(2) ? CHAT("true") : CHAT("false"), car);
	snprintf(routes, sizeof(routes), "{ name = \"all\"; to = [ \"bus\", \"chat\"%s ]; }",
		 !has_car                                ? ""
		 : strstr(car, "name = \"car\"") != NULL ? ", \"car\""
							 : ", \"van\"");
	world.poll_every = one_in(3) ? "50s" : "1m"; /* another one replaces the source */
	write_conf(sinks, routes);
}

static void configure(void)
{
	configure_with(!one_in(3), !one_in(4));
}

static void reload(void)
{
	configure();
	app_reload(world.app);
	run_until(fake.now + chance_below(&chance, 3));
	log_setup(LOG_ERROR, LOG_TEXT); /* the file says info */
}

static void restart(void)
{
	if (one_in(2)) {
		app_stop(world.app);
		run_until(fake.now + MINUTE);
	}
	die_here();
	if (one_in(2))
		configure();
	begin();
}

static void operate(void)
{
	static const char *const states[] = { "state = 'due'", "state = 'held'",
					      "state = 'done'", "state = 'dead'" };
	char path[128];
	struct err err;
	const char *rows = states[chance_below(&chance, 4)];

	operated = true;
	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	assert_true(change_rows(store, one_in(2) ? store_requeue : store_drop, rows,
				clock_now(), &err) >= 0);
	store_close(&store);
}

static void do_something(bool with_operator)
{
	static const int percents[] = { 5, 50, 95, 100 };

	switch (chance_below(&chance, 13)) {
	case 0: restart(); return;
	case 1: failing_percent = percents[chance_below(&chance, 4)]; return;
	case 2:
		fail_disk(true);
		run_until(fake.now + chance_below(&chance, 20 * SECOND));
		fail_disk(false);
		return;
	case 3: fake.skew = chance_below(&chance, 2 * HOUR) - HOUR; return;
	case 4:
		if (with_operator)
			operate();
		return;
	case 5: reload(); return;
	default: change_an_alert(); return;
	}
}

static void calm_down(void)
{
	failing_percent = 0;
	configure_with(true, true);
	die_here();
	begin();
	run_until(fake.now + 3 * HOUR);
	for (size_t i = 0; i < ALERTS; i++)
		status_of[i] = "resolved";
	list_all();
	run_until(fake.now + 3 * HOUR);
}

/* ---- the promise ---- */

/* Did the receiver take this before? What hung it may have taken, too. */
static bool is_repeat(size_t n, bool perhaps)
{
	for (size_t i = 0; i < n; i++) {
		int status = world.hits[i].status;

		if ((status == 200 || (perhaps && status == 0)) &&
		    strcmp(world.hits[i].webhook_id, world.hits[n].webhook_id) == 0)
			return true;
	}
	return false;
}

static void expect_no_unmarked_repeat(void)
{
	for (size_t i = 0; i < world.hit_count; i++)
		if (is_repeat(i, true))
			assert_true(world.hits[i].possible_repeat);
}

/* What one sink heard of one alert, repeats left out. */
static void heard(const char *path, const char *id, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < world.hit_count; i++)
		if (world.hits[i].status == 200 && strcmp(world.hits[i].path, path) == 0 &&
		    strcmp(world.hits[i].id, id) == 0 && !is_repeat(i, false))
			snprintf(out + strlen(out), size - strlen(out), "%s ",
				 world.hits[i].type);
}

static void expect_events_in_order(const char *id)
{
	char sql[4400], got[4000];

	heard("/bus", id, got, sizeof(got));
	snprintf(
		sql, sizeof(sql),
		"SELECT group_concat(event || ' ', '') = '%s' AS n FROM (SELECT event FROM "
		"v_deliveries WHERE sink = 'bus' AND alert_id = '%s' AND state = 'done' ORDER BY "
		"id)",
		got, id);
	if (got[0] != '\0')
		assert_int_equal(count_of(sql), 1);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE sink = 'bus' AND "
			 "state <> 'done'"),
		0);
}

static void expect_closed(const char *path, const char *id)
{
	char got[4000];

	heard(path, id, got, sizeof(got));
	size_t len = strlen(got);

	if (len > 0)
		assert_string_equal(got + len - strlen("resolved "), "resolved ");
}

static void expect_the_promise(void)
{
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE state NOT IN "
				  "('done', 'dropped', 'moved', 'dead') OR after IS NOT NULL"),
			 0);
	expect_no_unmarked_repeat();
	for (size_t i = 1; i <= ALERTS && !operated; i++) {
		char id[16];

		snprintf(id, sizeof(id), "a%zu", i);
		expect_events_in_order(id);
		expect_closed("/bus", id);
		expect_closed("/chat", id);
		expect_closed("/car", id);
	}
}

static void live(uint64_t seed)
{
	print_message("seed %llu\n", (unsigned long long)seed);
	chance_seed(&chance, seed);
	operated = false;
	failing_percent = 95;
	world.receive = receives_by_chance;
	world.poll_every = "1m";
	for (size_t i = 0; i < ALERTS; i++)
		status_of[i] = "open";
	list_all();
	configure();
	begin();
	for (size_t i = 0; i < STEPS; i++) {
		run_until(fake.now +
			  chance_below(&chance, one_in(12) ? 5 * MINUTE : 3 * SECOND));
		do_something(seed % 2 != 0);
	}
	calm_down();
	expect_the_promise();
}

static void whatever_happens_the_promise_holds(void **state)
{
	const char *given = getenv("CHAOS_SEED");
	uint64_t from = given != NULL ? strtoull(given, NULL, 10) : 1;
	uint64_t count = given != NULL ? 1 : SEEDS;

	for (uint64_t seed = from; seed < from + count; seed++) {
		live(seed);
		tear_down(state);
		set_up(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { STORY(whatever_happens_the_promise_holds) };

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
