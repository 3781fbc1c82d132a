/*
 * The whole of flow on a scripted wire: real store, real sinks, no socket, no sleep. Stories of
 * hours pass in milliseconds; each says an invariant of src/README.md by its number.
 */
#include "flow/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "fake_io.h"
#include "store/store.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t START = 1764000000000; /* 2025-11-24T16:00:00Z */

/* ---- a world of one source and some receivers ---- */

struct hit {
	int64_t at;
	char path[32], id[64], webhook_id[64], type[32];
	bool possible_repeat;
	int status;
};

static struct {
	char folder[64];
	const char *poll_every;
	char page[12000]; /* what /alerts answers */
	int page_status;
	struct hit hits[4000];
	size_t hit_count;
	/* The status for one request to a receiver, by its path; 0: it hangs for a minute. */
	int (*receive)(const struct hit *hit);
	int64_t receive_ms;
	struct app *app;
	struct turn *turn;
	struct setup *setup;
} world;

static int always_ok(const struct hit *hit)
{
	(void)hit;
	return 200;
}

static void alert_text(char *out, size_t size, const char *id, const char *status,
		       const char *severity)
{
	snprintf(
		out, size,
		"{\"id\":\"%s\",\"org_id\":\"o\",\"type\":\"anomaly_detected\",\"status\":\"%s\","
		"\"severity\":\"%s\",\"title\":\"t\",\"created_at\":\"2025-11-24T16:30:00Z\"}",
		id, status, severity);
}

/* What the API lists from now on: ids a1…an. */
static void list_alerts(size_t count, const char *status, const char *severity)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 1; i <= count; i++) {
		char id[16], text[300];

		snprintf(id, sizeof(id), "a%zu", i);
		alert_text(text, sizeof(text), id, status, severity);
		len += (size_t)snprintf(world.page + len, sizeof(world.page) - len, "%s%s",
					i > 1 ? "," : "", text);
	}
	snprintf(world.page + len, sizeof(world.page) - len,
		 "],\"next_cursor\":null,\"has_more\":false}");
}

static void copy_between(const char *text, const char *before, char after, char *out,
			 size_t size)
{
	const char *at = strstr(text, before);

	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(before);
	snprintf(out, size, "%.*s", (int)strcspn(at, (char[]){ after, '\0' }), at);
}

static void answer_receiver(const struct request *r, struct fake_answer *out)
{
	struct hit *hit = &world.hits[world.hit_count++];
	const char *id = request_get_header(r, "webhook-id");

	assert_true(world.hit_count < ARRAY_LEN(world.hits));
	*hit = (struct hit){ .at = fake.now };
	snprintf(hit->path, sizeof(hit->path), "%s", strrchr(r->url, '/'));
	snprintf(hit->webhook_id, sizeof(hit->webhook_id), "%s", id != NULL ? id : "");
	copy_between(r->body.data, "\"type\":\"alert.", '"', hit->type, sizeof(hit->type));
	copy_between(r->body.data, "\"id\":\"", '"', hit->id, sizeof(hit->id));
	hit->possible_repeat = strstr(r->body.data, "\"possible_repeat\":true") != NULL;
	hit->status = world.receive(hit);
	out->reply.status = hit->status;
	out->delay_ms = world.receive_ms;
	if (hit->status == 0) {
		out->delay_ms = 30 * SECOND;
		out->reply.kind = REPLY_TIMEOUT;
		out->reply.maybe_sent = true;
	}
}

static void answer(const struct request *r, struct fake_answer *out)
{
	if (strstr(r->url, "/v1/alerts") == NULL) {
		answer_receiver(r, out);
		return;
	}
	out->delay_ms = 5;
	out->reply.status = world.page_status;
	snprintf(out->body, sizeof(out->body), "%s", world.page);
	snprintf(out->headers, sizeof(out->headers), "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\n");
}

/* ---- the program on it ---- */

static void write_conf(const char *sinks, const char *routes)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/t.conf", world.folder);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out,
		"store = \"%s/t.db\"; templates = \"templates\";\n"
		"sources = ( { name = \"acme\"; base_url = \"http://127.0.0.1:1/v1\"; api_key = "
		"\"k\"; poll_every = \"%s\"; } );\nsinks = ( %s );\nroutes = ( %s );\n",
		world.folder, world.poll_every, sinks, routes);
	fclose(out);
}

#define BUS           "{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; }"
#define CAR           "{ name = \"car\"; type = \"webhook\"; url = \"http://127.0.0.1:1/car\"; }"
#define ALL_TO(sinks) "{ name = \"all\"; to = [ " sinks " ]; }"

static void begin(void)
{
	char path[128];
	struct conf_problems problems = { .list = NULL };
	struct err err;

	snprintf(path, sizeof(path), "%s/t.conf", world.folder);
	world.setup = setup_load(path, &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s\n", problems.list[i].message);
	assert_non_null(world.setup);
	conf_problems_release(&problems);
	world.turn = turn_new();
	world.app = app_new(world.setup, world.turn, 7, &err);
	if (world.app == NULL)
		print_error("%s\n", err.text);
	assert_non_null(world.app);
}

static void run_until(int64_t at)
{
	fake.stop_at = at;
	turn_run(world.turn);
}

/* The process dies: no turn ends any more, so nothing that comes now is told to the store. */
static void die_here(void)
{
	xfer_cut(fake.xfer);
	app_free(&world.app);
	turn_free(&world.turn);
	setup_free(&world.setup);
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	snprintf(world.folder, sizeof(world.folder), "/tmp/app_test_XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	world.receive = always_ok;
	world.receive_ms = 3;
	world.poll_every = "10s";
	world.page_status = 200;
	list_alerts(0, "open", "high");
	memset(&fake, 0, sizeof(fake));
	fake.now = START;
	fake.answer = answer;
	clock_use(fake_wall, fake_steady);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	if (world.app != NULL)
		die_here();
	clock_use(NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", world.folder);
	return system(command);
}

/* ---- questions ---- */

static size_t hits_of(const char *path, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += strcmp(world.hits[i].path, path) == 0 &&
			 strcmp(world.hits[i].type, type) == 0;
	return count;
}

static int64_t count_of(const char *sql)
{
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_READ, &err);

	if (store == NULL)
		print_error("%s\n", err.text);
	assert_non_null(store);
	struct view *v = view_open(store, sql, NULL, 0, &err);

	assert_non_null(v);
	assert_true(view_next(v));
	int64_t n = view_int(v, "n");

	view_close(&v);
	store_close(&store);
	return n;
}

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

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
		STORY(inv8_a_row_is_given_up_by_age_with_its_reason),
		STORY(inv11_stopping_waits_for_what_is_in_flight_and_stores_it),
		STORY(inv11_what_outlasts_the_grace_is_cut_and_marked),
		STORY(the_history_is_recorded_without_ringing_and_a_restart_changes_nothing),
		STORY(a_poll_that_fails_moves_no_position_and_recovers),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
