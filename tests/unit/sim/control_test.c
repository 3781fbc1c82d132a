/* control.h and inject.h: what a test asks of the simulator, and what the API lists then. */
#include "desk.h"

static void injected_alerts_are_listed_byte_for_byte(void **state)
{
	static const char alert[] =
		"{ \"id\":\"x-1\", \"n\": 1.50e+1, \"status\":\"open\",\"z\":[ ] }";
	struct desk d;
	char *body = mem_printf("[%s, 42 ,{\"id\":7},null]", alert);

	(void)state;
	desk_open(&d, (const char *const[]){ "--order", "oldest", NULL });
	assert_int_equal(desk_post(&d, "/_sim/alerts", body), 200);
	assert_string_equal(d.answer.body.data, "{\"ids\":[\"x-1\",null,null,null]}");
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	mem_free(&body);
	body = mem_printf("{\"items\":[%s,42,{\"id\":7},null],", alert);
	desk_has(&d, body);
	mem_free(&body);
	desk_close(&d);
}

static void raw_bytes_may_be_anything(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, (const char *const[]){ "--order", "oldest", NULL });
	/* the second: {"id":"b","title":"\xff","status":"open"} */
	assert_int_equal(
		desk_post(&d, "/_sim/alerts",
			  "[{\"raw\":\"{\\\"id\\\":\"},{\"raw_base64\":"
			  "\"eyJpZCI6ImIiLCJ0aXRsZSI6Iv8iLCJzdGF0dXMiOiJvcGVuIn0=\"}]"),
		200);
	assert_string_equal(d.answer.body.data, "{\"ids\":[null,\"b\"]}");
	desk_get(&d, "/v1/alerts");
	desk_has(&d, "[{\"id\":,{\"id\":\"b\",\"title\":\"\xff\",\"status\":\"open\"}]");
	desk_get(&d, "/v1/alerts?status=open");
	desk_has(&d, "\"total_count\":1}");
	assert_int_equal(desk_post(&d, "/_sim/alerts/b", "{\"title\":\"t\"}"), 400);
	desk_close(&d);
}

static void generated_alerts_have_the_fields_that_were_asked_for(void **state)
{
	static const struct {
		const char *body;
		const char *listed;
	} rows[] = {
		{ "{}", "\"status\":\"open\"" },
		{ "{\"type\":\"security_event\"}", "\"type\":\"security_event\"" },
		{ "{\"severity\":\"low\"}", "\"severity\":\"low\"" },
		{ "{\"severity\":\"extreme\"}", "\"severity\":\"extreme\"" },
		{ "{\"type\":null}", "\"type\":null" },
		{ "{\"status\":\"resolved\"}", "\"resolved_at\":\"2026-11-24T03:45:00Z\"" },
		{ "{\"title\":\"<&> \\u00e9\",\"extra\":{\"a\":[1]}}",
		  "\"extra\":{\"a\":[1]}" },
		{ "{\"created_at\":\"2026-11-24T01:00:00+01:00\"}",
		  "\"created_at\":\"2026-11-24T01:00:00+01:00\"" },
		{ "{\"created_at\":\"yesterday\"}", "\"created_at\":\"yesterday\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;

		desk_open(&d, NULL);
		assert_int_equal(desk_post(&d, "/_sim/alerts", rows[i].body), 200);
		desk_get(&d, "/v1/alerts");
		desk_has(&d, rows[i].listed);
		desk_has(&d, "\"total_count\":1}");
		desk_close(&d);
	}
}

static void created_at_decides_the_place(void **state)
{
	struct desk d;
	struct buf ids;

	(void)state;
	desk_open(&d, (const char *const[]){ "--order", "newest", NULL });
	desk_post(&d, "/_sim/alerts",
		  "[{\"id\":\"b\",\"created_at\":\"2026-01-02T00:00:00Z\"},"
		  "{\"id\":\"a\",\"created_at\":\"2026-01-03T00:00:00Z\"},"
		  "{\"id\":\"c\",\"created_at\":\"2026-01-01T00:00:00Z\"}]");
	desk_get(&d, "/v1/alerts");
	buf_init(&ids, 100);
	desk_ids(&d, &ids);
	assert_string_equal(ids.data, "a,b,c,");
	buf_release(&ids);
	desk_close(&d);
}

static void a_change_is_seen_in_every_list(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/alerts", "[{\"id\":\"x\",\"status\":\"open\",\"k\":1.0}]");
	desk_now += 5000;
	assert_int_equal(desk_post(&d, "/_sim/alerts/x", "{\"status\":\"resolved\"}"), 200);
	desk_get(&d, "/v1/alerts?status=resolved");
	desk_has(&d, "{\"id\":\"x\",\"status\":\"resolved\",\"k\":1.0,"
		     "\"resolved_at\":\"2026-11-24T03:45:05Z\"}");
	desk_get(&d, "/v1/alerts?status=open");
	desk_has(&d, "\"total_count\":0}");
	desk_post(&d, "/_sim/alerts/x", "{\"status\":\"open\"}");
	desk_has(&d, "\"resolved_at\":null");
	desk_post(&d, "/_sim/alerts/x", "{\"id\":\"y\",\"severity\":\"high\"}");
	assert_int_equal(desk_post(&d, "/_sim/alerts/x", "{}"), 404);
	desk_get(&d, "/v1/alerts?severity=high&status=open");
	desk_has(&d, "\"id\":\"y\"");
	desk_close(&d);
}

static void a_generated_alert_keeps_its_story_through_a_change(void **state)
{
	struct desk d;
	struct json *json;
	char *target;
	char *title;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/alerts", "{\"n\":1}");
	json = json_parse(d.answer.body.data, d.answer.body.len, NULL);
	target = mem_printf("/_sim/alerts/%s",
			    json_text(json_first(json_get(json_root(json), "ids")), NULL));
	json_free(&json);
	assert_int_equal(desk_post(&d, target, "{\"status\":\"acknowledged\"}"), 200);
	title = desk_member(&d, "title");
	assert_int_equal(desk_post(&d, target, "{\"message\":\"m\"}"), 200);
	desk_has(&d, title);
	desk_has(&d, "\"status\":\"acknowledged\"");
	desk_has(&d, "\"message\":\"m\"");
	assert_int_equal(desk_post(&d, target, "{\"status\":\"open\"}"), 200);
	desk_has(&d, "\"message\":\"m\"");
	assert_int_equal(desk_ask(&d, "DELETE", target, NULL), 200);
	assert_int_equal(desk_ask(&d, "DELETE", target, NULL), 404);
	desk_get(&d, "/v1/alerts");
	desk_has(&d, "\"total_count\":0}");
	mem_free(&target);
	mem_free(&title);
	desk_close(&d);
}

static void repeated_ids_are_listed_and_changed_together(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/alerts", "[{\"id\":\"x\"},{\"id\":\"x\"}]");
	desk_get(&d, "/v1/alerts");
	desk_has(&d, "[{\"id\":\"x\"},{\"id\":\"x\"}]");
	desk_post(&d, "/_sim/alerts/x", "{\"status\":\"open\"}");
	desk_get(&d, "/v1/alerts?status=open");
	desk_has(&d, "\"total_count\":2}");
	desk_ask(&d, "DELETE", "/_sim/alerts/x", NULL);
	desk_has(&d, "{\"removed\":2}");
	desk_close(&d);
}

static void malformed_orders_are_refused_whole(void **state)
{
	static const struct {
		const char *target;
		const char *body;
		const char *says;
	} rows[] = {
		{ "/_sim/alerts", "", "not JSON" },
		{ "/_sim/alerts", "\"x\"", "array of alerts" },
		{ "/_sim/alerts", "{\"n\":0}", "n must be" },
		{ "/_sim/alerts", "{\"n\":\"5\"}", "n must be" },
		{ "/_sim/alerts", "[{\"id\":\"kept?\"},{\"raw_base64\":\"*\"}]", "base64" },
		{ "/_sim/faults", "{}", "kind" },
		{ "/_sim/faults", "[]", "kind" },
		{ "/_sim/faults", "{\"kind\":\"nap\"}", "reset, hang" },
		{ "/_sim/faults", "{\"kind\":\"reset\",\"cuont\":1}", "cuont" },
		{ "/_sim/faults", "{\"kind\":\"reset\",\"count\":0}", "count" },
		{ "/_sim/faults", "{\"kind\":\"status\",\"status\":200}", "300 to 599" },
		{ "/_sim/faults", "{\"kind\":\"status\",\"seconds\":-1}", "seconds" },
		{ "/_sim/faults", "{\"kind\":\"reset\",\"after\":-1}", "let through" },
		{ "/_sim/faults", "{\"kind\":\"reset\",\"query\":\"status\"}", "a parameter" },
		{ "/_sim/faults", "{\"kind\":\"reset\",\"query\":\"=open\"}", "a parameter" },
		{ "/_sim/clients", "{}", "shuts the client out" },
		{ "/_sim/clients", "{\"id\":\"sandbox\"}", "shuts the client out" },
		{ "/_sim/clients", "{\"id\":\"\",\"secret\":\"s\"}", "shuts the client out" },
		{ "/_sim/clients", "{\"id\":\"nobody\",\"secret\":null}", "none of that id" },
		{ "/_sim/keys", "{}", "one of them" },
		{ "/_sim/keys", "{\"remove\":\"no-key\",\"add\":\"kept?\"}", "no such key" },
		{ "/_sim/token", "[]", "expires_in" },
		{ "/_sim/token", "{\"lives\":0}", "expires_in" },
		{ "/_sim/expire", "{}", "say what" },
		{ "/_sim/expire", "{\"cursors\":1}", "say what" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (desk_post(&d, rows[i].target, rows[i].body) != 400)
			fail_msg("%s %s: %d", rows[i].target, rows[i].body, d.answer.status);
		desk_has(&d, rows[i].says);
	}
	desk_get(&d, "/v1/alerts");
	desk_has(&d, "\"total_count\":0}");
	assert_int_equal(desk_get(&d, "/_sim/alerts"), 404);
	assert_int_equal(desk_get(&d, "/_sim/nothing"), 404);
	assert_int_equal(desk_post(&d, "/_sim/alerts/", "{}"), 404);
	desk_close(&d);
}

static void only_this_machine_may_control(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	d.remote = true;
	assert_int_equal(desk_post(&d, "/_sim/alerts", "{\"n\":1}"), 403);
	assert_int_equal(desk_get(&d, "/_sim/stats"), 403);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_has(&d, "\"total_count\":0}");
	desk_close(&d);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void each_kind_of_fault_is_what_it_says(void **state)
{
	static const struct {
		const char *fault;
		int status;
		enum httpd_misdeed misdeed;
		const char *type;
		const char *retry_after;
	} rows[] = {
		{ "{\"kind\":\"status\"}", 503, HTTPD_HONEST, "application/json", "" },
		{ "{\"kind\":\"status\",\"status\":429,\"retry_after\":2}", 429, HTTPD_HONEST,
		  "application/json", "2" },
		{ "{\"kind\":\"status\",\"status\":500,\"retry_after\":\"soon\"}", 500,
		  HTTPD_HONEST, "application/json", "soon" },
		{ "{\"kind\":\"html\"}", 502, HTTPD_HONEST, "text/html", "" },
		{ "{\"kind\":\"reset\"}", 200, HTTPD_RESET, "application/json", "" },
		{ "{\"kind\":\"hang\"}", 200, HTTPD_HANG, "application/json", "" },
		{ "{\"kind\":\"truncate\"}", 200, HTTPD_TRUNCATE, "application/json", "" },
		{ "{\"kind\":\"drip\"}", 200, HTTPD_DRIP, "application/json", "" },
		{ "{\"kind\":\"badjson\"}", 200, HTTPD_HONEST, "application/json", "" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, (const char *const[]){ "--history", "3", NULL });
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_json;

		assert_int_equal(desk_post(&d, "/_sim/faults", rows[i].fault), 200);
		assert_int_equal(desk_get(&d, "/v1/alerts"), rows[i].status);
		assert_int_equal(d.answer.misdeed, rows[i].misdeed);
		assert_string_equal(desk_header(&d, "Content-Type"), rows[i].type);
		assert_string_equal(desk_header(&d, "Retry-After"), rows[i].retry_after);
		is_json = json_check(d.answer.body.data, d.answer.body.len, NULL);
		assert_int_equal(is_json, strstr(rows[i].fault, "html") == NULL &&
						  strstr(rows[i].fault, "badjson") == NULL);
		desk_ask(&d, "DELETE", "/_sim/faults", NULL);
		assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	}
	desk_close(&d);
}

static void a_fault_ends_by_count_or_time_and_keeps_to_its_path(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/faults",
		  "{\"kind\":\"status\",\"path\":\"/v1/alerts\",\"count\":2,\"seconds\":10}");
	assert_int_equal(desk_get(&d, "/v1/oauth/token"), 404);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 503);
	assert_int_equal(desk_get(&d, "/v1/alerts?limit=1"), 503);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_post(&d, "/_sim/faults", "{\"kind\":\"status\",\"seconds\":1.5}");
	desk_now += 1499;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 503);
	desk_now += 1;
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_close(&d);
}

static void a_fault_lets_so_many_requests_through_first(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/faults", "{\"kind\":\"status\",\"after\":2,\"count\":1}");
	desk_post(&d, "/_sim/faults", "{\"kind\":\"html\",\"after\":1,\"count\":1}");
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 502);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 503);
	assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
	desk_get(&d, "/_sim/stats");
	desk_has(&d, "\"faults\":0");
	desk_close(&d);
}

static void a_fault_keeps_to_its_query(void **state)
{
	static const struct {
		const char *query;
		const char *target;
		int status;
	} rows[] = {
		{ "status=open", "/v1/alerts", 200 },
		{ "status=open", "/v1/alerts?status=acknowledged", 200 },
		{ "status=open", "/v1/alerts?status=open&limit=1", 503 },
		{ "status=", "/v1/alerts?limit=1", 503 },
		{ "status=", "/v1/alerts?status=open", 200 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;
		char *fault = mem_printf("{\"kind\":\"status\",\"after\":1,\"query\":\"%s\"}",
					 rows[i].query);

		desk_open(&d, NULL);
		assert_int_equal(desk_post(&d, "/_sim/faults", fault), 200);
		assert_int_equal(desk_get(&d, "/v1/alerts?status=open"), 200);
		assert_int_equal(desk_get(&d, "/v1/alerts"), 200);
		assert_int_equal(desk_get(&d, rows[i].target), rows[i].status);
		mem_free(&fault);
		desk_close(&d);
	}
}

static void faults_never_touch_the_control(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/faults", "{\"kind\":\"status\",\"path\":\"/\"}");
	assert_int_equal(desk_get(&d, "/_sim/stats"), 200);
	assert_int_equal(desk_get(&d, "/"), 503);
	desk_close(&d);
}

static void requests_are_counted_by_path_and_end(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_get(&d, "/v1/alerts?limit=1");
	desk_get(&d, "/v1/alerts");
	desk_get(&d, "/v1/alerts?limit=0");
	desk_get(&d, "/\"odd");
	desk_post(&d, "/_sim/faults", "{\"kind\":\"reset\",\"count\":1}");
	desk_get(&d, "/v1/alerts");
	desk_post(&d, "/_sim/alerts", "{\"n\":3,\"status\":\"acknowledged\"}");
	assert_int_equal(desk_get(&d, "/_sim/stats"), 200);
	desk_has(&d,
		 "\"/v1/alerts\":{\"200\":2,\"400\":1,\"reset\":1},\"/\\\"odd\":{\"404\":1}}");
	desk_has(&d, "\"open\":0,\"acknowledged\":3,");
	assert_true(json_check(d.answer.body.data, d.answer.body.len, NULL));
	for (int i = 0; i < 200; i++) {
		char *path = mem_printf("/%d", i);

		desk_get(&d, path);
		mem_free(&path);
	}
	desk_get(&d, "/_sim/stats");
	desk_has(&d, "\"(others)\":{\"404\":138}");
	desk_close(&d);
}

static void lists_are_counted_by_the_status_asked_for(void **state)
{
	static const char *const targets[] = {
		"/v1/alerts",
		"/v1/alerts?limit=3",
		"/v1/alerts?cursor=x",
		"/v1/alerts?status=open",
		"/v1/alerts?status=acknowledged&cursor=x",
		"/v1/alerts?status=nothing",
		"/v1/alerts/1",
		"/v1/oauth/token",
	};
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		desk_get(&d, targets[i]);
	desk_post(&d, "/v1/alerts", "");
	desk_post(&d, "/_sim/faults", "{\"kind\":\"hang\",\"count\":1}");
	desk_get(&d, "/v1/alerts?status=open");
	desk_get(&d, "/_sim/stats");
	desk_has(&d, "\"lists\":{\"open\":{\"first\":2,\"further\":0},"
		     "\"acknowledged\":{\"first\":0,\"further\":1},"
		     "\"resolved\":{\"first\":0,\"further\":0},"
		     "\"unfiltered\":{\"first\":2,\"further\":1}}");
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(injected_alerts_are_listed_byte_for_byte),
		cmocka_unit_test(raw_bytes_may_be_anything),
		cmocka_unit_test(generated_alerts_have_the_fields_that_were_asked_for),
		cmocka_unit_test(created_at_decides_the_place),
		cmocka_unit_test(a_change_is_seen_in_every_list),
		cmocka_unit_test(a_generated_alert_keeps_its_story_through_a_change),
		cmocka_unit_test(repeated_ids_are_listed_and_changed_together),
		cmocka_unit_test(malformed_orders_are_refused_whole),
		cmocka_unit_test(only_this_machine_may_control),
		cmocka_unit_test(each_kind_of_fault_is_what_it_says),
		cmocka_unit_test(a_fault_ends_by_count_or_time_and_keeps_to_its_path),
		cmocka_unit_test(a_fault_lets_so_many_requests_through_first),
		cmocka_unit_test(a_fault_keeps_to_its_query),
		cmocka_unit_test(faults_never_touch_the_control),
		cmocka_unit_test(requests_are_counted_by_path_and_end),
		cmocka_unit_test(lists_are_counted_by_the_status_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
