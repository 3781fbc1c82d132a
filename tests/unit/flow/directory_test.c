/* directory.h: lists mirrored beside the polls, hour by hour, whatever the API answers. */
#include "world.h"

#include "base/buf.h"
#include "flow/app_inner.h"

#define CONTEXT(more) \
	"api_key = \"k\"; context = [ \"users\", \"policies\", \"budgets\" ]; " more

static struct {
	size_t users;     /* that are listed, in pages of 100 */
	size_t asked[3];  /* requests for users, policies, budgets */
	size_t first[3];  /* of them for a first page */
	int status[3];    /* instead of a page; 0: a page */
	bool breaks_at_2; /* the second page of users fails */
	bool ends_empty;  /* … is an empty last one */
	bool circles;
	int64_t delay_ms;
	size_t most_a_minute;
	int64_t minute;
	size_t in_minute;
	const char *odd; /* the items of /budgets */
} api;

static size_t number_in(const char *url, const char *word)
{
	const char *at = strstr(url, word);

	return at != NULL ? strtoul(at + strlen(word), NULL, 10) : 0;
}

static void answer_users(const struct request *r, struct fake_answer *out)
{
	size_t page = number_in(r->url, "cursor=p"), limit = number_in(r->url, "limit=");
	struct buf body;

	if (api.breaks_at_2 && page == 1) {
		out->reply.status = 500;
		return;
	}
	if (api.ends_empty && page == 1) {
		snprintf(out->body, sizeof(out->body), "{\"items\":[],\"next_cursor\":null}");
		return;
	}
	buf_init(&body, sizeof(out->body));
	buf_adds(&body, "{\"items\":[");
	for (size_t i = page * limit; i < (page + 1) * limit && i < api.users; i++)
		buf_addf(&body, "%s{\"id\":\"u%zu\",\"name\":\"User %zu\"}",
			 i % limit > 0 ? "," : "", i, i);
	if (api.circles)
		buf_addf(&body, "],\"next_cursor\":\"p%zu\"}", (page + 1) % 3);
	else if ((page + 1) * limit < api.users)
		buf_addf(&body, "],\"next_cursor\":\"p%zu\"}", page + 1);
	else
		buf_adds(&body, "],\"next_cursor\":null}");
	snprintf(out->body, sizeof(out->body), "%s", body.data);
	buf_release(&body);
}

static void count_minute(void)
{
	if (fake.now / MINUTE != api.minute)
		api.in_minute = 0;
	api.minute = fake.now / MINUTE;
	if (++api.in_minute > api.most_a_minute)
		api.most_a_minute = api.in_minute;
}

static bool answer_list(const struct request *r, struct fake_answer *out)
{
	static const char *const lists[] = { "/v1/users", "/v1/policies", "/v1/budgets" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (strstr(r->url, lists[i]) == NULL)
			continue;
		count_minute();
		api.asked[i]++;
		api.first[i] += strstr(r->url, "cursor=") == NULL;
		out->delay_ms = api.delay_ms;
		out->reply.status = api.status[i] != 0 ? api.status[i] : 200;
		if (api.status[i] != 0)
			snprintf(out->body, sizeof(out->body), "{\"error\":\"odd\"}");
		else if (i == 0)
			answer_users(r, out);
		else
			snprintf(out->body, sizeof(out->body), "{\"items\":[%s]}",
				 i == 2 ? api.odd : "{\"id\":\"p1\"}");
		return true;
	}
	return false;
}

static void open_with(const char *credentials, size_t users)
{
	memset(&api, 0, sizeof(api));
	api.users = users;
	api.odd = "{\"id\":\"b1\",\"department\":null}";
	api.delay_ms = 5;
	world.credentials = credentials;
	world.api = answer_list;
	write_conf(BUS, ALL_TO("\"bus\""));
}

static int64_t live_users(void)
{
	return count_of(
		"SELECT count(*) AS n FROM v_directory WHERE kind = 'users' AND gone_at "
		"IS NULL");
}

/* ---- when ---- */

static void nothing_is_asked_where_nothing_is_wanted(void **state)
{
	(void)state;
	open_with("api_key = \"k\";", 10);
	begin();
	run_until(START + 2 * HOUR);
	assert_int_equal(api.asked[0] + api.asked[1] + api.asked[2], 0);
}

static void each_list_is_mirrored_once_an_hour_and_one_that_is_left_out_is_not(void **state)
{
	(void)state;
	open_with("api_key = \"k\"; context = [ \"users\", \"budgets\" ];", 250);
	begin();
	run_until(START + 3 * HOUR + 30 * MINUTE);
	assert_int_equal(api.first[0], 4);
	assert_int_equal(api.asked[0], 12);
	assert_int_equal(api.asked[1], 0);
	assert_int_equal(api.asked[2], 4);
	assert_int_equal(live_users(), 250);
}

static void a_restart_asks_again_when_the_hour_is_over_and_not_before(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 10);
	begin();
	run_until(START + 20 * MINUTE);
	die_here();
	begin();
	run_until(START + 50 * MINUTE);
	assert_int_equal(api.first[0], 1);
	run_until(START + 70 * MINUTE);
	assert_int_equal(api.first[0], 2);
}

static void nothing_is_asked_before_the_first_poll_is_complete_or_while_polls_fail(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 10);
	world.page_status = 503;
	begin();
	run_until(START + 2 * HOUR);
	assert_int_equal(api.asked[0], 0);
	world.page_status = 200;
	run_until(START + 3 * HOUR);
	assert_int_equal(live_users(), 10);
}

static void many_users_take_a_quarter_of_the_share_and_polls_go_on(void **state)
{
	(void)state;
	open_with(CONTEXT("rate_share = 0.2;"), 20000); /* 200 a minute, so 50 */
	begin();
	run_until(START + 3 * MINUTE);
	assert_in_range(api.most_a_minute, 30, 50);
	size_t polls = world.api_count - api.asked[0] - api.asked[1] - api.asked[2];

	assert_true(polls >= 17);
	run_until(START + 6 * MINUTE);
	assert_int_equal(live_users(), 20000);
}

/* ---- what leaves ---- */

static void who_is_deleted_is_gone_with_the_next_whole_pass_and_keeps_the_name(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 150);
	begin();
	run_until(START + MINUTE);
	api.users = 120;
	api.breaks_at_2 = true;
	run_until(START + 70 * MINUTE);
	assert_int_equal(live_users(), 150);
	api.breaks_at_2 = false;
	run_until(START + 90 * MINUTE);
	assert_int_equal(live_users(), 120);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_directory WHERE id = 'u149' AND "
				  "body LIKE '%User 149%'"),
			 1);
}

static void an_empty_last_page_is_not_believed_at_once(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 150);
	begin();
	run_until(START + MINUTE);
	api.ends_empty = true;
	hear_log();
	run_until(START + HOUR + 500);
	assert_int_equal(live_users(), 150);
	run_until(START + 2 * HOUR);
	assert_int_equal(said("empty page"), 1);
	assert_int_equal(live_users(), 100);
}

static void a_list_that_runs_in_a_circle_takes_nothing_away(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 150);
	begin();
	run_until(START + MINUTE);
	api.circles = true;
	size_t before = api.asked[0];

	hear_log();
	run_until(START + 2 * HOUR);
	assert_int_equal(live_users(), 150);
	assert_true(api.asked[0] - before < 200);
	assert_in_range(said("circle"), 1, 8);
}

static void odd_items_are_taken_as_they_are_or_left_out(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 3);
	api.odd = "{\"id\":\"b\",\"amount\":1e30,\"spent\":-5},{\"id\":\"b\",\"amount\":0},{},"
		  "{\"id\":null},7,{\"id\":\"c\",\"currency\":null,\"department\":7}";
	hear_log();
	begin();
	run_until(START + MINUTE);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_directory WHERE kind = "
				  "'budgets' AND gone_at IS NULL"),
			 2);
	assert_int_equal(said("left_out=3"), 1);
}

/* ---- what fails ---- */

static void a_list_that_is_refused_is_said_once_and_tried_each_hour(void **state)
{
	static const int statuses[] = { 403, 404 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		open_with(CONTEXT(""), 10);
		api.status[0] = statuses[i];
		list_alerts(1, "open", "high");
		hear_log();
		begin();
		run_until(START + 3 * HOUR + 30 * MINUTE);
		assert_int_equal(api.asked[0], 4);
		assert_int_equal(said("context-off"), 1);
		assert_int_equal(hits_of("/bus", "opened"), 1);
		assert_int_equal(count_of("SELECT json_extract(json, '$.ready') AS n FROM "
					  "runtime"),
				 1);
		api.status[0] = 0;
		run_until(START + 4 * HOUR + 30 * MINUTE);
		assert_int_equal(said("context-recovered"), 1);
		assert_int_equal(live_users(), 10);
		tear_down(state);
		set_up(state);
	}
}

static void whatever_fails_is_told_a_few_times_and_holds_no_alert(void **state)
{
	static const int statuses[] = { 204, 301, 400, 401, 410, 429, 500, 503 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		open_with(CONTEXT(""), 10);
		api.status[0] = statuses[i];
		hear_log();
		begin();
		run_until(START + MINUTE);
		list_alerts(1, "open", "high");
		run_until(START + 2 * HOUR);
		assert_in_range(api.asked[0], 2, 60);
		assert_in_range(said("context-failed"), 1, 8);
		assert_int_equal(hits_of("/bus", "opened"), 1);
		api.status[0] = 0;
		run_until(START + 3 * HOUR);
		assert_int_equal(live_users(), 10);
		tear_down(state);
		set_up(state);
	}
}

static void a_list_that_never_answers_delays_no_poll(void **state)
{
	(void)state;
	open_with(CONTEXT("timeout = \"2m\";"), 10);
	api.delay_ms = 2 * MINUTE;
	begin();
	run_until(START + MINUTE);
	list_alerts(1, "open", "high");
	run_until(START + MINUTE + 20 * SECOND);
	assert_int_equal(hits_of("/bus", "opened"), 1);
}

static void a_disk_that_refuses_for_a_while_loses_no_list(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 250);
	begin();
	run_until(START + 1);
	fail_disk(true);
	run_until(START + MINUTE);
	fail_disk(false);
	run_until(START + 10 * MINUTE);
	assert_int_equal(live_users(), 250);
}

/* ---- early ---- */

static void an_unknown_id_is_looked_for_once(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 10);
	begin();
	run_until(START + MINUTE);
	assert_int_equal(api.first[0], 1);
	assert_true(source_want_context(world.app->sources[0], CONTEXT_USERS, "u10"));
	api.users = 11;
	run_until(START + MINUTE + SECOND);
	assert_int_equal(api.first[0], 2);
	assert_int_equal(live_users(), 11);
	/* never again for the same one */
	assert_true(source_want_context(world.app->sources[0], CONTEXT_USERS, "nobody"));
	run_until(START + 2 * MINUTE);
	assert_int_equal(api.first[0], 3);
	assert_false(source_want_context(world.app->sources[0], CONTEXT_USERS, "nobody"));
	run_until(START + 3 * MINUTE);
	assert_int_equal(api.first[0], 3);
	die_here();
	begin();
	run_until(START + 4 * MINUTE);
	assert_false(source_want_context(world.app->sources[0], CONTEXT_USERS, "nobody"));
	run_until(START + 5 * MINUTE);
	assert_int_equal(api.first[0], 3);
}

static void many_unknown_ids_do_not_make_it_ask_all_the_time(void **state)
{
	(void)state;
	open_with(CONTEXT(""), 10);
	begin();
	run_until(START + MINUTE);
	for (int i = 0; i < 300; i++) {
		char id[16];

		snprintf(id, sizeof(id), "x%d", i);
		source_want_context(world.app->sources[0], CONTEXT_USERS, id);
		run_until(fake.now + 200);
	}
	assert_in_range(api.first[0], 5, 8);
}

static void a_reload_that_changes_what_is_kept_is_heeded(void **state)
{
	(void)state;
	open_with("api_key = \"k\"; context = [ \"users\" ];", 10);
	begin();
	run_until(START + MINUTE);
	world.credentials = "api_key = \"k\"; context = [ \"budgets\" ];";
	write_conf(BUS, ALL_TO("\"bus\""));
	app_reload(world.app);
	run_until(START + 2 * HOUR);
	assert_int_equal(api.first[0], 1);
	assert_int_equal(api.asked[2], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(nothing_is_asked_where_nothing_is_wanted),
		STORY(each_list_is_mirrored_once_an_hour_and_one_that_is_left_out_is_not),
		STORY(a_restart_asks_again_when_the_hour_is_over_and_not_before),
		STORY(nothing_is_asked_before_the_first_poll_is_complete_or_while_polls_fail),
		STORY(many_users_take_a_quarter_of_the_share_and_polls_go_on),
		STORY(who_is_deleted_is_gone_with_the_next_whole_pass_and_keeps_the_name),
		STORY(an_empty_last_page_is_not_believed_at_once),
		STORY(a_list_that_runs_in_a_circle_takes_nothing_away),
		STORY(odd_items_are_taken_as_they_are_or_left_out),
		STORY(a_list_that_is_refused_is_said_once_and_tried_each_hour),
		STORY(whatever_fails_is_told_a_few_times_and_holds_no_alert),
		STORY(a_list_that_never_answers_delays_no_poll),
		STORY(a_disk_that_refuses_for_a_while_loses_no_list),
		STORY(an_unknown_id_is_looked_for_once),
		STORY(many_unknown_ids_do_not_make_it_ask_all_the_time),
		STORY(a_reload_that_changes_what_is_kept_is_heeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
