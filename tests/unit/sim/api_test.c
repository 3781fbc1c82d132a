/* api.h and sim.h: what a client of the API is answered, without a socket. */
#include "desk.h"

static const char form_type[] = "application/x-www-form-urlencoded";

/* ---- who may ask ------------------------------------------------------------------------- */

static void a_token_is_given_for_a_form_and_for_nothing_else(void **state)
{
	static const struct {
		const char *type;
		const char *body;
		int status;
		const char *says;
	} rows[] = {
		{ form_type,
		  "grant_type=client_credentials&client_id=sandbox&client_secret=sandbox", 200,
		  "\"token_type\":\"bearer\",\"expires_in\":3600" },
		{ "application/x-www-form-urlencoded; charset=utf-8",
		  "client_secret=sandbo%78&grant_type=client_credentials&client_id=sandbox",
		  200, "access_token" },
		{ "application/json",
		  "grant_type=client_credentials&client_id=sandbox&client_secret=sandbox", 400,
		  "\"error\":\"bad_request\"" },
		{ form_type, "grant_type=password&client_id=sandbox&client_secret=sandbox", 400,
		  "grant_type" },
		{ form_type, "client_id=sandbox&client_secret=sandbox", 400, "grant_type" },
		{ form_type, "grant_type=client_credentials&client_id=sandbox&client_secret=no",
		  401, "\"error\":\"unauthorized\"" },
		{ form_type, "grant_type=client_credentials&client_id=sandbox", 401,
		  "client_id" },
		{ form_type, "", 400, "grant_type" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	d.key = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		d.type = rows[i].type;
		assert_int_equal(desk_post(&d, "/v1/oauth/token", rows[i].body),
				 rows[i].status);
		desk_has(&d, rows[i].says);
	}
	desk_close(&d);
}

static int ask_token(struct desk *d, const char *secret)
{
	char *form = mem_printf("grant_type=client_credentials&client_id=sandbox"
				"&client_secret=%s",
				secret);
	int status;

	d->type = form_type;
	status = desk_post(d, "/v1/oauth/token", form);
	mem_free(&form);
	return status;
}

static char *new_token(struct desk *d)
{
	assert_int_equal(ask_token(d, "sandbox"), 200);
	return desk_member(d, "access_token");
}

static void a_token_is_good_until_its_time_or_until_it_is_expired(void **state)
{
	struct desk d;
	char *first;
	char *second;

	(void)state;
	desk_open(&d, (const char *const[]){ "--token-ttl", "10s", NULL });
	first = new_token(&d);
	d.key = first;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_now += 9999;
	second = new_token(&d);
	assert_string_not_equal(first, second);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_now += 1;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
	desk_has(&d, "expired");
	d.key = second;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_int_equal(desk_post(&d, "/_sim/expire", "{\"tokens\":true}"), 200);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
	mem_free(&first);
	mem_free(&second);
	desk_close(&d);
}

static void a_secret_that_is_rotated_leaves_tokens_good_and_a_client_shut_out_has_none(
	void **state)
{
	struct desk d;
	char *token;

	(void)state;
	desk_open(&d, NULL);
	token = new_token(&d);
	d.key = token;
	assert_int_equal(
		desk_post(&d, "/_sim/clients", "{\"id\":\"sandbox\",\"secret\":\"new\"}"), 200);
	assert_int_equal(ask_token(&d, "sandbox"), 401);
	assert_int_equal(ask_token(&d, "new"), 200);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_int_equal(desk_post(&d, "/_sim/clients", "{\"id\":\"sandbox\",\"secret\":null}"),
			 200);
	assert_int_equal(ask_token(&d, "new"), 401);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
	desk_has(&d, "shut out");
	desk_post(&d, "/_sim/clients", "{\"id\":\"sandbox\",\"secret\":\"back\"}");
	assert_int_equal(ask_token(&d, "back"), 200);
	for (int i = 1; i < ARGS_CALLERS_MAX; i++) {
		char *client = mem_printf("{\"id\":\"c%d\",\"secret\":\"s\"}", i);

		assert_int_equal(desk_post(&d, "/_sim/clients", client), 200);
		mem_free(&client);
	}
	assert_int_equal(desk_post(&d, "/_sim/clients", "{\"id\":\"x\",\"secret\":\"s\"}"),
			 400);
	mem_free(&token);
	desk_close(&d);
}

static void keys_come_and_go(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, (const char *const[]){ "--keys", "a,b", NULL });
	d.key = "c";
	assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
	assert_int_equal(desk_post(&d, "/_sim/keys", "{\"add\":\"c\",\"remove\":\"a\"}"), 200);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	d.key = "a";
	assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
	d.key = "b";
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	for (int i = 2; i < ARGS_CALLERS_MAX; i++)
		assert_int_equal(desk_post(&d, "/_sim/keys", "{\"add\":\"more\"}"), 200);
	assert_int_equal(desk_post(&d, "/_sim/keys", "{\"add\":\"more\"}"), 400);
	desk_close(&d);
}

static void what_a_token_is_said_to_live_need_not_be_true(void **state)
{
	static const struct {
		const char *order;
		const char *says; /* NULL: nothing */
		int64_t lives_ms;
	} rows[] = {
		{ "{\"expires_in\":null}", NULL, 3600000 },
		{ "{\"expires_in\":1}", "\"expires_in\":1}", 1000 },
		{ "{\"expires_in\":31536000}", "\"expires_in\":31536000}",
		  INT64_C(31536000000) },
		{ "{\"expires_in\":\"60\"}", "\"expires_in\":\"60\"}", 3600000 },
		{ "{\"lives\":0.5}", "\"expires_in\":3600}", 500 },
		{ "{\"expires_in\":60,\"lives\":2}", "\"expires_in\":60}", 2000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;
		char *token;

		desk_open(&d, NULL);
		assert_int_equal(desk_post(&d, "/_sim/token", rows[i].order), 200);
		token = new_token(&d);
		if (rows[i].says != NULL)
			desk_has(&d, rows[i].says);
		else
			assert_null(strstr(d.answer.body.data, "expires_in"));
		assert_true(json_check(d.answer.body.data, d.answer.body.len, NULL));
		d.key = token;
		desk_now += rows[i].lives_ms - 1;
		assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
		desk_now += 1;
		assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
		mem_free(&token);
		desk_close(&d);
	}
}

static void strangers_are_refused(void **state)
{
	static const char *const keys[] = {
		NULL, "", "wrong", "tk_", "tk_AAAA", "sandbox-key "
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		d.key = keys[i];
		assert_int_equal(desk_get(&d, "/v1/alerts"), 401);
		desk_has(&d, "{\"error\":\"unauthorized\",\"message\":\"");
		desk_has(&d, ",\"request_id\":\"req_");
	}
	desk_close(&d);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void each_key_has_a_limit_a_minute(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, (const char *const[]){ "--limit-rpm", "2", "--keys", "a,b", NULL });
	desk_now += 30500;
	d.key = "a";
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_string_equal(desk_header(&d, "X-RateLimit-Limit"), "2");
	assert_string_equal(desk_header(&d, "X-RateLimit-Remaining"), "1");
	assert_string_equal(desk_header(&d, "X-RateLimit-Reset"), "1795491960");
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 429);
	assert_string_equal(desk_header(&d, "X-RateLimit-Remaining"), "0");
	assert_string_equal(desk_header(&d, "Retry-After"), "30");
	desk_has(&d, "\"error\":\"rate_limited\"");
	d.key = "b";
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	d.key = "a";
	desk_now += 29500;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_close(&d);
}

static void every_answer_tells_of_the_limit(void **state)
{
	static const char *const targets[] = {
		"/v1/alerts", "/v1/nothing",        "/alerts",
		"/",          "/v1/alerts?limit=0", "/v1/oauth/token"
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		d.key = i % 2 == 0 ? "sandbox-key" : NULL;
		desk_get(&d, targets[i]);
		assert_string_equal(desk_header(&d, "X-RateLimit-Limit"), "1000");
		assert_string_equal(desk_header(&d, "Content-Type"), "application/json");
	}
	desk_close(&d);
}

/* ---- the list ---------------------------------------------------------------------------- */

static void what_is_asked_wrongly_is_refused(void **state)
{
	static const struct {
		const char *target;
		int status;
		const char *says;
	} rows[] = {
		{ "/v1/alerts?limit=1", 200, "items" },
		{ "/v1/alerts?limit=100&severity=low&status=resolved", 200, "items" },
		{ "/v1/alerts?unknown=1", 200, "items" },
		{ "/v1/alerts?limit=0", 400, "1 to 100" },
		{ "/v1/alerts?limit=101", 400, "1 to 100" },
		{ "/v1/alerts?limit=ten", 400, "1 to 100" },
		{ "/v1/alerts?limit=", 400, "1 to 100" },
		{ "/v1/alerts?status=closed", 400, "open, acknowledged, resolved" },
		{ "/v1/alerts?status=other", 400, "open, acknowledged, resolved" },
		{ "/v1/alerts?status=", 400, "open, acknowledged, resolved" },
		{ "/v1/alerts?severity=High", 400, "low, medium, high, critical" },
		{ "/v1/alerts?cursor=", 400, "not valid" },
		{ "/v1/alerts?cursor=cur_AAAA", 400, "not valid" },
		{ "/alerts", 404, "put /v1 before /alerts" },
		{ "/oauth/token", 404, "put /v1" },
		{ "/v1x/alerts", 404, "put /v1" },
		{ "/v1/alerts/1", 404, "there is no /v1/alerts/1" },
		{ "/v1", 404, "there is no /v1" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (desk_get(&d, rows[i].target) != rows[i].status)
			fail_msg("%s: %d", rows[i].target, d.answer.status);
		desk_has(&d, rows[i].says);
	}
	assert_int_equal(desk_post(&d, "/v1/alerts", ""), 404);
	desk_close(&d);
}

/* Walks the list page by page; between(d), if any, is called after each page. */
static size_t walk(struct desk *d, const char *query, struct buf *ids,
		   void (*between)(struct desk *d))
{
	char *cursor = NULL;
	size_t count = 0;

	do {
		char *target = mem_printf(
			"/v1/alerts?%s%s%s", query,
			cursor == NULL ? "" : "&cursor=", cursor == NULL ? "" : cursor);

		assert_int_equal(desk_get(d, target), 200);
		mem_free(&cursor);
		mem_free(&target);
		cursor = desk_member(d, "next_cursor");
		count += desk_ids(d, ids);
		desk_has(d, cursor == NULL ? "\"has_more\":false" : "\"has_more\":true");
		if (between != NULL)
			between(d);
	} while (cursor != NULL);
	return count;
}

static void pages_hold_everything_once_in_each_order(void **state)
{
	static const char *const orders[] = { "newest", "oldest", "mixed" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct desk d;
		struct buf small;
		struct buf large;

		desk_open(&d, (const char *const[]){ "--order", orders[i], "--history", "230",
						     NULL });
		buf_init(&small, 1 << 20);
		buf_init(&large, 1 << 20);
		assert_int_equal(walk(&d, "limit=7", &small, NULL), 230);
		assert_int_equal(walk(&d, "limit=100", &large, NULL), 230);
		assert_string_equal(small.data, large.data);
		desk_has(&d, "\"total_count\":230");
		buf_release(&small);
		buf_release(&large);
		desk_close(&d);
	}
}

static void pages_are_no_larger_than_the_server_likes(void **state)
{
	struct desk d;
	struct buf ids;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "25", "--page-max", "10", NULL });
	buf_init(&ids, 1 << 20);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_int_equal(desk_ids(&d, &ids), 10);
	assert_int_equal(desk_get(&d, "/v1/alerts?limit=3"), 200);
	assert_int_equal(desk_ids(&d, &ids), 3);
	assert_int_equal(walk(&d, "limit=100", &ids, NULL), 25);
	buf_release(&ids);
	desk_close(&d);
}

static void exactly_one_full_page_is_the_last(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "25", NULL });
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_has(&d, "\"next_cursor\":null,\"has_more\":false,\"total_count\":25");
	desk_close(&d);
}

/* One more alert, and one of the history less. */
static void stir(struct desk *d)
{
	uint32_t numbers[WORLD_SAME_ID_MAX];
	struct buf id;

	desk_now += 1000;
	assert_int_equal(desk_post(d, "/_sim/alerts", "{\"n\":1}"), 200);
	buf_init(&id, 100);
	for (uint32_t n = 0; n < 60; n += 3) {
		if (!world_exists(d->sim->world, n))
			continue;
		world_add_id(d->sim->world, n, &id);
		id.data[id.len - 1] = '\0';
		assert_int_equal(world_find(d->sim->world, id.data + 1, numbers), 1);
		world_remove(d->sim->world, n);
		break;
	}
	buf_release(&id);
}

/* The alerts of the history that are never removed are each seen exactly once. */
static void pages_do_not_shift_when_alerts_come_and_go(void **state)
{
	static const char *const orders[] = { "newest", "mixed" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct desk d;
		struct buf ids;

		desk_open(&d, (const char *const[]){ "--order", orders[i], "--history", "60",
						     NULL });
		buf_init(&ids, 1 << 20);
		walk(&d, "limit=5", &ids, stir);
		for (uint32_t n = 0; n < 60; n++) {
			struct buf id;
			const char *found;

			if (n % 3 == 0)
				continue;
			buf_init(&id, 100);
			world_add_id(d.sim->world, n, &id);
			id.data[id.len - 1] = '\0';
			found = strstr(ids.data, id.data + 1);
			assert_non_null(found);
			assert_null(strstr(found + 1, id.data + 1));
			buf_release(&id);
		}
		buf_release(&ids);
		desk_close(&d);
	}
}

static char *first_cursor(struct desk *d, const char *target)
{
	char *cursor;

	assert_int_equal(desk_get(d, target), 200);
	cursor = desk_member(d, "next_cursor");
	assert_non_null(cursor);
	return cursor;
}

static int ask_with(struct desk *d, const char *query, const char *cursor)
{
	char *target = mem_printf("/v1/alerts?%scursor=%s", query, cursor);
	int status = desk_get(d, target);

	mem_free(&target);
	return status;
}

static void a_cursor_ends_with_its_time_its_filters_or_on_request(void **state)
{
	struct desk d;
	char *cursor;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "200", "--cursor-ttl", "1m", NULL });
	cursor = first_cursor(&d, "/v1/alerts?status=resolved");
	assert_int_equal(ask_with(&d, "status=resolved&", cursor), 200);
	assert_int_equal(ask_with(&d, "status=resolved&limit=3&", cursor), 200);
	assert_int_equal(ask_with(&d, "", cursor), 400);
	desk_has(&d, "other filters");
	cursor[10] ^= 1;
	assert_int_equal(ask_with(&d, "status=resolved&", cursor), 400);
	cursor[10] ^= 1;
	desk_now += 59999;
	assert_int_equal(ask_with(&d, "status=resolved&", cursor), 200);
	desk_now += 1;
	assert_int_equal(ask_with(&d, "status=resolved&", cursor), 400);
	desk_has(&d, "{\"error\":\"bad_request\",\"message\":\"the cursor has expired\"");
	mem_free(&cursor);
	cursor = first_cursor(&d, "/v1/alerts");
	assert_int_equal(desk_post(&d, "/_sim/expire", "{\"cursors\":true}"), 200);
	assert_int_equal(ask_with(&d, "", cursor), 400);
	mem_free(&cursor);
	desk_close(&d);
}

static void filters_show_what_they_say(void **state)
{
	struct desk d;
	struct buf ids;
	size_t sum = 0;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "300", NULL });
	buf_init(&ids, 1 << 20);
	for (int status = 0; status < STATUS_COUNT; status++) {
		char *query = mem_printf("limit=100&status=%s", word_status(status));
		char *member = mem_printf("\"status\":\"%s\"", word_status(status));
		size_t count = walk(&d, query, &ids, NULL);

		assert_true(count > 0);
		desk_has(&d, member);
		sum += count;
		mem_free(&query);
		mem_free(&member);
	}
	assert_int_equal(sum, 300);
	buf_release(&ids);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_given_for_a_form_and_for_nothing_else),
		cmocka_unit_test(a_token_is_good_until_its_time_or_until_it_is_expired),
		cmocka_unit_test(
			a_secret_that_is_rotated_leaves_tokens_good_and_a_client_shut_out_has_none),
		cmocka_unit_test(keys_come_and_go),
		cmocka_unit_test(what_a_token_is_said_to_live_need_not_be_true),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(each_key_has_a_limit_a_minute),
		cmocka_unit_test(every_answer_tells_of_the_limit),
		cmocka_unit_test(what_is_asked_wrongly_is_refused),
		cmocka_unit_test(pages_hold_everything_once_in_each_order),
		cmocka_unit_test(pages_are_no_larger_than_the_server_likes),
		cmocka_unit_test(exactly_one_full_page_is_the_last),
		cmocka_unit_test(pages_do_not_shift_when_alerts_come_and_go),
		cmocka_unit_test(a_cursor_ends_with_its_time_its_filters_or_on_request),
		cmocka_unit_test(filters_show_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
