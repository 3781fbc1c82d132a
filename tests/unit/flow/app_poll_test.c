/* Polling on a scripted API: budgets, tokens, clocks and answers of all sorts, hour by hour. */
#include "world.h"

#include "base/buf.h"

static bool is_alerts(const struct request *r)
{
	return strstr(r->url, "/v1/alerts") != NULL;
}

/* The number behind a word in the URL; 0: none. */
static size_t number_in(const struct request *r, const char *word)
{
	const char *at = strstr(r->url, word);

	return at != NULL ? strtoul(at + strlen(word), NULL, 10) : 0;
}

static size_t page_of(const struct request *r)
{
	return number_in(r, "cursor=p");
}

/* Page n of `pages`, one alert on each; the cursor of page n is "pn". */
static void answer_page(const struct request *r, size_t pages, struct fake_answer *out)
{
	size_t n = page_of(r);
	char text[300], id[16];

	snprintf(id, sizeof(id), "a%zu", n + 1);
	alert_text(text, sizeof(text), id, "open", "high");
	snprintf(out->body, sizeof(out->body), "{\"items\":[%s],\"next_cursor\":", text);
	snprintf(out->body + strlen(out->body), 64,
		 n + 1 < pages ? "\"p%zu\",\"has_more\":true}" : "null,\"has_more\":false}",
		 n + 1);
	snprintf(out->headers, sizeof(out->headers), "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\n");
}

/* ---- clocks ---- */

static bool jumps_back_in_mid_pass(const struct request *r, struct fake_answer *out)
{
	(void)r, (void)out;
	if (world.api_count == 1)
		fake.skew = -24 * HOUR;
	return false;
}

static void a_clock_that_jumps_back_in_mid_pass_does_not_stop_polling(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	world.api = jumps_back_in_mid_pass;
	begin();
	run_until(START + MINUTE);
	/* A few more, until it is clear whose clock is wrong. */
	assert_in_range(world.api_count, 5, 9);
}

/* ---- trouble ---- */

static int trouble;

static bool troubles(const struct request *r, struct fake_answer *out)
{
	(void)r;
	out->reply.status = trouble;
	if (trouble == 0)
		out->reply.kind = REPLY_CONNECT;
	if (trouble == 200)
		snprintf(out->body, sizeof(out->body), "<html>");
	if (trouble == 1) {
		out->reply.status = 200;
		snprintf(out->body, sizeof(out->body),
			 "{\"items\":[],\"next_cursor\":\"again\"}");
	}
	return true;
}

static void inv8_no_trouble_makes_polls_hammer_the_api(void **state)
{
	static const int troubles_tried[] = { 0,   1,   200, 204, 301, 400, 401,
					      403, 404, 408, 410, 429, 500, 503 };

	for (size_t i = 0; i < ARRAY_LEN(troubles_tried); i++) {
		trouble = troubles_tried[i];
		world.api = troubles;
		write_conf(BUS, ALL_TO("\"bus\""));
		begin();
		run_until(START + HOUR);
		if (world.api_count > 200)
			print_error("trouble %d: %zu requests\n", trouble, world.api_count);
		assert_in_range(world.api_count, 10, 200);
		tear_down(state);
		set_up(state);
	}
}

static bool echoes(const struct request *r, struct fake_answer *out)
{
	out->reply.status = 401;
	snprintf(out->body, sizeof(out->body),
		 "{\"error\":\"invalid\",\"message\":\"who is %s?\"}",
		 is_alerts(r) ? r->bearer : r->body.data);
	return true;
}

static void a_secret_that_the_api_quotes_is_neither_logged_nor_stored(void **state)
{
	static const char *const credentials[] = {
		"api_key = \"sesame-open\";",
		"client_id = \"c\"; client_secret = \"sesame-open\";",
	};

	for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
		world.credentials = credentials[i];
		world.api = echoes;
		write_conf(BUS, ALL_TO("\"bus\""));
		hear_log();
		begin();
		run_until(START + 10 * SECOND);
		assert_int_equal(said("sesame-open"), 0);
		assert_int_equal(count_of("SELECT count(*) AS n FROM v_runtime WHERE json LIKE "
					  "'%sesame-open%'"),
				 0);
		assert_int_equal(count_of("SELECT count(*) AS n FROM v_runtime WHERE json LIKE "
					  "'%quotes a secret%'"),
				 1);
		tear_down(state);
		set_up(state);
	}
}

/* ---- tokens ---- */

static size_t tokens;
static int token_status;

static void answer_token(struct fake_answer *out)
{
	out->reply.status = token_status;
	if (token_status == 200)
		snprintf(out->body, sizeof(out->body),
			 "{\"access_token\":\"t%zu\",\"expires_in\":8}", ++tokens);
}

static bool five_slow_pages(const struct request *r, struct fake_answer *out)
{
	char newest[16];

	snprintf(newest, sizeof(newest), "t%zu", tokens);
	out->delay_ms = 3 * SECOND;
	if (!is_alerts(r))
		answer_token(out);
	else if (strcmp(r->bearer, newest) != 0)
		out->reply.status = 401;
	else
		answer_page(r, 5, out);
	return true;
}

static void a_token_that_expires_in_mid_pass_is_renewed_and_the_pass_goes_on(void **state)
{
	(void)state;
	tokens = 0;
	token_status = 200;
	world.credentials = "client_id = \"c\"; client_secret = \"s\";";
	world.api = five_slow_pages;
	world.poll_every = "1h";
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 3 * MINUTE);
	assert_int_equal(world.hit_count, 5);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_sources WHERE last_full_at IS NOT NULL"),
		1);
	assert_in_range(tokens, 2, 31); /* no more than their life asks for */
}

static void a_renewal_that_fails_costs_neither_the_living_token_nor_the_pass(void **state)
{
	(void)state;
	tokens = 0;
	token_status = 200;
	world.credentials = "client_id = \"c\"; client_secret = \"s\";";
	world.api = five_slow_pages;
	world.poll_every = "1h";
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 4 * SECOND);
	token_status = 503;
	run_until(START + 30 * SECOND);
	token_status = 200;
	run_until(START + 10 * MINUTE);
	assert_int_equal(world.hit_count, 5);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_sources WHERE last_full_at IS NOT NULL"),
		1);
}

/* ---- passes ---- */

static bool says_more_without_a_cursor(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 1, out);
	snprintf(strstr(out->body, "null"), 64, "null,\"has_more\":true}");
	return true;
}

static void inv3_a_pass_that_says_more_without_a_cursor_is_not_complete(void **state)
{
	(void)state;
	world.api = says_more_without_a_cursor;
	write_conf(BUS, ALL_TO("\"bus\""));
	hear_log();
	begin();
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 1);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_sources WHERE last_full_at IS NULL"), 1);
	assert_true(said("msg=poll-failed") > 0);
}

/* So often the second page is said to be the last, and is empty. */
static size_t slips;

static bool three_pages_and_slips(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 3, out);
	if (slips == 0 || page_of(r) != 1)
		return true;
	slips--;
	snprintf(out->body, sizeof(out->body),
		 "{\"items\":[],\"next_cursor\":null,\"has_more\":false}");
	return true;
}

static size_t doubts_until(int64_t at)
{
	run_until(at);
	return said("ended with a page without an alert");
}

static void an_empty_end_is_doubted_anew_when_the_list_has_ended_otherwise(void **state)
{
	(void)state;
	slips = 0;
	world.api = three_pages_and_slips;
	write_conf(BUS, ALL_TO("\"bus\""));
	hear_log();
	begin();
	/* Between two sweeps; there is a poll every ten seconds. */
	assert_int_equal(doubts_until(START + 65 * SECOND), 0);
	slips = 2;
	assert_int_equal(doubts_until(START + 95 * SECOND), 1);
	assert_int_equal(slips, 0);
	slips = 1;
	assert_int_equal(doubts_until(START + 115 * SECOND), 1);
	assert_int_equal(slips, 0);
	/* A list that always ends so is believed. */
	slips = SIZE_MAX;
	assert_int_equal(doubts_until(START + 10 * MINUTE), 1);
}

static bool large_beyond_seven(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 3, out);
	if (page_of(r) == 1 && fake.now < START + MINUTE && number_in(r, "limit=") > 7)
		out->reply.kind = REPLY_TOO_LARGE;
	if (fake.now > START + MINUTE && page_of(r) == 0)
		assert_int_equal(number_in(r, "limit="), 100);
	return true;
}

static void a_page_too_large_is_asked_for_in_smaller_pieces_and_the_next_pass_in_whole(
	void **state)
{
	(void)state;
	world.api = large_beyond_seven;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 2 * MINUTE);
	assert_int_equal(world.hit_count, 3);
}

static bool one_alone_is_too_large(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 3, out);
	if (page_of(r) == 0 && strstr(r->url, "limit=100") == NULL)
		trouble++;
	if (page_of(r) == 1)
		out->reply.kind = REPLY_TOO_LARGE;
	return true;
}

static void a_page_that_stays_too_large_leaves_the_next_pass_its_pages(void **state)
{
	(void)state;
	trouble = 0;
	world.api = one_alone_is_too_large;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 10 * MINUTE);
	assert_int_equal(world.hit_count, 1);
	assert_int_equal(trouble, 0);
}

static bool down_for_half_an_hour_then_slow(const struct request *r, struct fake_answer *out)
{
	char created[40];

	if (fake.now < START + 30 * MINUTE) {
		out->reply.status = 503;
		return true;
	}
	answer_page(r, 1, out);
	clock_iso(START + 10 * MINUTE, false, created);
	snprintf(
		out->body, sizeof(out->body),
		"{\"items\":[{\"id\":\"young\",\"status\":\"open\",\"created_at\":\"%s\"},"
		"{\"id\":\"old\",\"status\":\"open\",\"created_at\":\"2025-11-24T15:59:00Z\"}],"
		"\"next_cursor\":null}",
		created);
	out->delay_ms = 20 * SECOND;
	snprintf(out->headers, sizeof(out->headers), "Date: %s\r\n",
		 "Mon, 24 Nov 2025 16:40:00 GMT");
	return true;
}

static void the_baseline_is_when_we_first_asked_not_when_the_api_first_answered(void **state)
{
	(void)state;
	world.api = down_for_half_an_hour_then_slow;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 2 * HOUR);
	assert_int_equal(world.hit_count, 1);
	assert_string_equal(world.hits[0].id, "young");
}

static bool sixty_a_minute(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 1000, out);
	snprintf(out->headers, sizeof(out->headers), "X-RateLimit-Limit: 60\r\n");
	return true;
}

static void a_long_walk_keeps_to_its_share_of_the_budget(void **state)
{
	(void)state;
	world.api = sixty_a_minute;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 10 * MINUTE);
	assert_in_range(world.api_count, 220, 301);
}

static bool slow_list_of_one(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 1, out);
	out->delay_ms = 3 * SECOND;
	return true;
}

static void a_poll_asked_for_during_one_is_made_after_it(void **state)
{
	(void)state;
	world.api = slow_list_of_one;
	world.poll_every = "1h";
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + SECOND);
	app_poll(world.app);
	run_until(START + 30 * SECOND);
	assert_int_equal(world.api_count, 2);
}

/* Newest first, on two pages; from five minutes on one alert is gone and the second page fails. */
static size_t second_pages;

static bool one_is_gone(const struct request *r, struct fake_answer *out)
{
	bool later = fake.now > START + 5 * MINUTE - SECOND;
	size_t len = 0;

	if (page_of(r) == 1) {
		second_pages++;
		out->reply.status = later ? 503 : 200;
		snprintf(out->body, sizeof(out->body),
			 "{\"items\":[{\"id\":\"old\",\"created_at\":"
			 "\"2025-11-01T00:00:00Z\"}]}");
		return true;
	}
	len = (size_t)snprintf(out->body, sizeof(out->body), "{\"items\":[");
	for (size_t i = later ? 1 : 0; i < 12 && strstr(r->url, "status=acknowledged") == NULL;
	     i++)
		len += (size_t)snprintf(
			out->body + len, sizeof(out->body) - len,
			"%s{\"id\":\"a%zu\",\"created_at\":\"2025-11-24T16:00:%02zuZ\"}",
			i > (later ? 1 : 0) ? "," : "", i, 59 - i);
	snprintf(out->body + len, sizeof(out->body) - len, "]%s}",
		 strstr(r->url, "status=") == NULL ? ",\"next_cursor\":\"p1\"" : "");
	return true;
}

static void inv8_a_search_for_what_is_missing_that_fails_waits_longer_each_time(void **state)
{
	(void)state;
	second_pages = 0;
	world.api = one_is_gone;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 5 * MINUTE);
	size_t before = second_pages;

	run_until(START + HOUR);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_missing"), 1);
	assert_in_range(second_pages - before, 10, 120);
}

/* ---- alerts ---- */

static struct buf large;

static bool one_mebibyte(const struct request *r, struct fake_answer *out)
{
	answer_page(r, 1, out);
	out->long_body = large.data;
	return true;
}

static void an_alert_of_a_mebibyte_reaches_every_kind_of_sink(void **state)
{
	(void)state;
	buf_init(&large, 2 << 20);
	buf_adds(&large, "{\"items\":[{\"id\":\"big\",\"status\":\"open\",\"severity\":\"");
	for (size_t i = 0; i < 20000; i++)
		buf_adds(&large, "<&>");
	buf_adds(&large, "\",\"title\":\"");
	for (size_t i = 0; i < 60000; i++)
		buf_adds(&large, "\\u0000\\n");
	buf_adds(&large, "\",\"message\":\"");
	for (size_t i = 0; i < 100000; i++)
		buf_adds(&large, "\\\"<&>");
	buf_adds(&large, "\"}],\"next_cursor\":null}");
	world.api = one_mebibyte;
	write_conf(BUS ", { name = \"s\"; type = \"slack\"; url = \"http://127.0.0.1:1/s\"; }, "
		       "{ name = \"m\"; type = \"email\"; server = \"smtp://127.0.0.1:1\"; "
		       "starttls = \"off\"; from = \"t@x.org\"; to = [ \"u@x.org\" ]; }",
		   ALL_TO("\"bus\", \"s\", \"m\""));
	begin();
	run_until(START + MINUTE);
	assert_int_equal(world.hit_count, 3);
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'done'"), 3);
	die_here();
	buf_release(&large);
}

static bool another_title_each_time(const struct request *r, struct fake_answer *out)
{
	(void)r;
	snprintf(out->body, sizeof(out->body),
		 "{\"items\":[{\"id\":\"a1\",\"status\":\"%s\",\"severity\":\"high\",\"title\":"
		 "\"%zu spent\"}],\"next_cursor\":null}",
		 fake.now < START + 2 * HOUR ? "open" : "resolved", world.api_count);
	return true;
}

static void an_alert_that_changes_with_each_poll_and_nobody_hears_it_stays_small(void **state)
{
	(void)state;
	world.poll_every = "1s";
	world.api = another_title_each_time;
	write_conf(BUS, ALL_TO("\"bus\""));
	begin();
	run_until(START + 3 * HOUR);
	assert_int_equal(world.hit_count, 2);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_events"), 2);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts WHERE body LIKE "
				  "'%1080_ spent%'"),
			 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_clock_that_jumps_back_in_mid_pass_does_not_stop_polling),
		STORY(inv8_no_trouble_makes_polls_hammer_the_api),
		STORY(a_secret_that_the_api_quotes_is_neither_logged_nor_stored),
		STORY(a_token_that_expires_in_mid_pass_is_renewed_and_the_pass_goes_on),
		STORY(a_renewal_that_fails_costs_neither_the_living_token_nor_the_pass),
		STORY(inv3_a_pass_that_says_more_without_a_cursor_is_not_complete),
		STORY(an_empty_end_is_doubted_anew_when_the_list_has_ended_otherwise),
		STORY(a_page_too_large_is_asked_for_in_smaller_pieces_and_the_next_pass_in_whole),
		STORY(a_page_that_stays_too_large_leaves_the_next_pass_its_pages),
		STORY(the_baseline_is_when_we_first_asked_not_when_the_api_first_answered),
		STORY(a_long_walk_keeps_to_its_share_of_the_budget),
		STORY(a_poll_asked_for_during_one_is_made_after_it),
		STORY(inv8_a_search_for_what_is_missing_that_fails_waits_longer_each_time),
		STORY(an_alert_of_a_mebibyte_reaches_every_kind_of_sink),
		STORY(an_alert_that_changes_with_each_poll_and_nobody_hears_it_stays_small),
	};

	log_setup(LOG_WARN, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
