/* lookup.h: what a user has spent, asked of a scripted API, once in minutes and never too often. */
#include "world.h"

#include "flow/app_inner.h"

#define USAGE "api_key = \"k\"; context = [ \"usage\" ]; "

static struct {
	size_t asked;
	int status; /* instead of a page; 0: a page */
	size_t pages;
	bool hangs;
	char url[400]; /* of the last request */
} api;

static bool answer_usage(const struct request *r, struct fake_answer *out)
{
	const char *cursor = strstr(r->url, "cursor=p");
	size_t page = cursor != NULL ? strtoul(cursor + 8, NULL, 10) : 0;

	if (strstr(r->url, "/v1/usage") == NULL)
		return false;
	api.asked++;
	if (api.hangs)
		out->delay_ms = HOUR;
	snprintf(api.url, sizeof(api.url), "%s", strstr(r->url, "/v1/usage"));
	out->reply.status = api.status != 0 ? api.status : 200;
	snprintf(out->body, sizeof(out->body),
		 "{\"items\":[{\"user_id\":\"u1\",\"model\":\"m%zu\",\"total_requests\":1,"
		 "\"estimated_cost_usd\":0.5}],\"next_cursor\":",
		 page);
	snprintf(out->body + strlen(out->body), 40,
		 page + 1 < api.pages ? "\"p%zu\"}" : "null}", page + 1);
	return true;
}

static void open_with(const char *credentials)
{
	memset(&api, 0, sizeof(api));
	api.pages = 1;
	world.credentials = credentials;
	world.api = answer_usage;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 100);
}

/* Asks; the object, or "". */
static const char *usage(const char *user, int64_t at, enum lookup_answer want)
{
	static char text[600];
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	enum lookup_answer got = source_usage(world.app->sources[0], user, at, "m0", &out);

	if (got != want)
		fail_msg("answer %d, not %d", got, want);
	snprintf(text, sizeof(text), "%s", out.data);
	buf_release(&out);
	return text;
}

static void go_on(int64_t ms)
{
	run_until(fake.now + ms);
}

static void a_day_is_asked_for_once_and_kept_for_minutes(void **state)
{
	(void)state;
	open_with(USAGE);
	usage("u1", START, LOOKUP_COMES);
	usage("u1", START, LOOKUP_COMES);
	go_on(50);
	assert_string_equal(usage("u1", START, LOOKUP_KNOWN),
			    "{\"user_id\":\"u1\",\"user_email\":null,\"date\":\"2025-11-24\","
			    "\"total_requests\":1,\"total_input_tokens\":0,"
			    "\"total_output_tokens\":0,\"estimated_cost_usd\":0.50,"
			    "\"own\":{\"model\":\"m0\",\"provider\":null,\"total_requests\":1,"
			    "\"total_input_tokens\":0,\"total_output_tokens\":0,"
			    "\"estimated_cost_usd\":0.50}}");
	assert_string_equal(api.url, "/v1/usage?period=daily&start_date=2025-11-24&end_date="
				     "2025-11-24&limit=100&user_id=u1");
	go_on(4 * MINUTE);
	usage("u1", START, LOOKUP_KNOWN);
	assert_int_equal(api.asked, 1);
	usage("u1", START - 24 * HOUR, LOOKUP_COMES);
	go_on(2 * MINUTE);
	assert_int_equal(api.asked, 2);
	usage("u1", START, LOOKUP_COMES);
	go_on(50);
	assert_int_equal(api.asked, 3);
}

static void pages_are_added_up_and_a_user_s_name_is_no_part_of_the_url(void **state)
{
	(void)state;
	open_with(USAGE);
	api.pages = 3;
	usage("u1", START, LOOKUP_COMES);
	go_on(50);
	assert_non_null(strstr(usage("u1", START, LOOKUP_KNOWN), "\"total_requests\":3,"));
	usage("a&limit=1#", START, LOOKUP_COMES);
	go_on(50);
	assert_non_null(strstr(api.url, "user_id=a%26limit%3D1%23"));
	assert_non_null(
		strstr(usage("a&limit=1#", START, LOOKUP_KNOWN), "\"total_requests\":0,"));
}

static void at_most_ten_a_minute_are_looked_up(void **state)
{
	(void)state;
	open_with(USAGE);
	for (int i = 0; i < 30; i++) {
		char user[16];

		snprintf(user, sizeof(user), "u%d", i);
		usage(user, START, i < LOOKUP_MINUTE_MAX ? LOOKUP_COMES : LOOKUP_NONE);
	}
	go_on(5 * SECOND);
	assert_int_equal(api.asked, LOOKUP_MINUTE_MAX);
	go_on(54 * SECOND);
	usage("u99", START, LOOKUP_NONE);
	go_on(SECOND);
	usage("u99", START, LOOKUP_COMES);
}

static void what_is_not_wanted_is_not_asked_for(void **state)
{
	(void)state;
	open_with("api_key = \"k\"; context = [ \"users\" ];");
	usage("u1", START, LOOKUP_NONE);
	go_on(SECOND);
	assert_int_equal(api.asked, 0);
}

static void what_fails_is_said_once_and_tried_again_in_a_minute(void **state)
{
	static const int statuses[] = { 400, 401, 429, 500, 503 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		open_with(USAGE);
		api.status = statuses[i];
		hear_log();
		usage("u1", START, LOOKUP_COMES);
		go_on(SECOND);
		usage("u1", START, LOOKUP_NONE);
		usage("u2", START, LOOKUP_COMES);
		go_on(3 * SECOND);
		assert_int_equal(said("context-failed"), 1);
		assert_in_range(api.asked, 1, 4);
		api.status = 0;
		go_on(2 * MINUTE);
		usage("u1", START, LOOKUP_COMES);
		go_on(SECOND);
		usage("u1", START, LOOKUP_KNOWN);
		assert_int_equal(said("context-recovered"), 1);
		tear_down(state);
		set_up(state);
	}
}

static void one_that_is_refused_is_off_for_an_hour(void **state)
{
	(void)state;
	open_with(USAGE);
	api.status = 403;
	hear_log();
	usage("u1", START, LOOKUP_COMES);
	go_on(SECOND);
	for (int i = 0; i < 50; i++) {
		usage("u2", START, LOOKUP_NONE);
		go_on(MINUTE);
	}
	assert_int_equal(api.asked, 1);
	go_on(15 * MINUTE);
	usage("u2", START, LOOKUP_COMES);
	go_on(SECOND);
	assert_int_equal(api.asked, 2);
	assert_int_equal(said("context-off"), 1);
}

static void alerts_go_on_while_it_hangs(void **state)
{
	(void)state;
	open_with(USAGE);
	api.hangs = true;
	usage("u1", START, LOOKUP_COMES);
	list_alerts(1, "open", "high");
	go_on(15 * SECOND);
	usage("u1", START, LOOKUP_COMES);
	assert_int_equal(hits_of("/bus", "opened"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_day_is_asked_for_once_and_kept_for_minutes),
		STORY(pages_are_added_up_and_a_user_s_name_is_no_part_of_the_url),
		STORY(at_most_ten_a_minute_are_looked_up),
		STORY(what_is_not_wanted_is_not_asked_for),
		STORY(what_fails_is_said_once_and_tried_again_in_a_minute),
		STORY(one_that_is_refused_is_off_for_an_hour),
		STORY(alerts_go_on_while_it_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
