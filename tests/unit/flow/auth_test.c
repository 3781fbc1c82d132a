/* Tokens by a hand-moved steady clock: when one is fetched, kept, renewed, not believed. */
#include "auth_desk.h"

/* ---- asking ---- */

static void the_request_is_form_encoded(void **state)
{
	(void)state;
	struct desk d;
	struct request r;

	open_desk(&d);
	auth_request(&d.a, &r);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.url, "https://api.example.com/v1/oauth/token");
	assert_string_equal(r.body.data, "grant_type=client_credentials&client_id=my+id"
					 "&client_secret=s%26cret%3D1");
	assert_string_equal(request_get_header(&r, "Content-Type"),
			    "application/x-www-form-urlencoded");
	request_release(&r);
	close_desk(&d);
}

static void an_api_key_needs_no_token(void **state)
{
	(void)state;
	struct desk d;

	open_desk_with_key(&d);
	assert_false(auth_wants_token(&d.a, 0));
	assert_false(auth_wants_token(&d.a, INT64_MAX));
	assert_string_equal(auth_bearer(&d.a, INT64_MAX), "key-1");
	close_desk(&d);
}

/* ---- how long a token lives ---- */

static const struct {
	const char *expires_in; /* NULL: missing */
	int64_t renew_at, expires_at;
} lives[] = {
	{ "3600", 3480 * SECOND, HOUR },
	{ "7200.0", 7080 * SECOND, 2 * HOUR },
	{ "\"3600\"", 3480 * SECOND, HOUR },
	{ "\"60\"", 45 * SECOND, 60 * SECOND },
	{ "60", 45 * SECOND, 60 * SECOND },
	{ "3.9", 2925, 3900 },
	{ "2", 1500, 2000 },
	/* Not before a second has passed. */
	{ "1", 1000, 1000 },
	{ "0.01", 1000, 1000 },
	{ "0", 1000, 1000 },
	{ "\"0\"", 1000, 1000 },
	{ "-5", 1000, 1000 },
	{ "-1e300", 1000, 1000 },
	/* Nothing that tells: an hour, as the API's own. */
	{ NULL, 3480 * SECOND, HOUR },
	{ "null", 3480 * SECOND, HOUR },
	{ "true", 3480 * SECOND, HOUR },
	{ "[60]", 3480 * SECOND, HOUR },
	{ "\"soon\"", 3480 * SECOND, HOUR },
	{ "\"\"", 3480 * SECOND, HOUR },
	{ "\"60\\u0000\"", 3480 * SECOND, HOUR },
	{ "1e999", 3480 * SECOND, HOUR },
	/* Renewed daily, sent to its end. */
	{ "86400", DAY - 120 * SECOND, DAY },
	{ "86401", DAY - 119 * SECOND, DAY + SECOND },
	{ "31536000", DAY, YEAR },
	{ "1000000000", DAY, INT64_C(1000000000) * SECOND },
	{ "9223372036854775807", DAY, 100 * YEAR },
	{ "1e300", DAY, 100 * YEAR },
};

static void a_token_is_renewed_ahead_of_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		const char *says = lives[i].expires_in;
		char body[128];
		struct desk d;
		bool refused;

		snprintf(body, sizeof(body), "{\"access_token\":\"t\"%s%s}",
			 says != NULL ? ",\"expires_in\":" : "", says != NULL ? says : "");
		open_desk(&d);
		assert_true(auth_wants_token(&d.a, 0));
		assert_true(take(&d, 200, body, 0, &refused));
		assert_int_equal(d.a.renew_at, lives[i].renew_at);
		assert_false(auth_wants_token(&d.a, lives[i].renew_at - 1));
		assert_true(auth_wants_token(&d.a, lives[i].renew_at));
		assert_int_equal(d.a.expires_at, lives[i].expires_at);
		assert_string_equal(auth_bearer(&d.a, lives[i].expires_at - 1), "t");
		assert_null(auth_bearer(&d.a, lives[i].expires_at));
		close_desk(&d);
	}
}

static void a_slow_endpoint_is_asked_earlier(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds, took_ms, renew_at;
	} cases[] = {
		{ 3600, 30 * SECOND, 3450 * SECOND },
		{ 60, 20 * SECOND, 25 * SECOND },
		{ 60, 59 * SECOND, 1000 },
		{ 2, 30 * SECOND, 1000 },
		{ 3600, INT64_MAX, 1000 },
		{ 3600, -5, 3480 * SECOND },
		{ 31536000, 30 * SECOND, DAY },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char body[128];
		struct desk d;
		bool refused;
		struct err err;

		snprintf(body, sizeof(body), "{\"access_token\":\"t\",\"expires_in\":%lld}",
			 (long long)cases[i].seconds);
		struct reply r = answer(200, body);

		r.took_ms = cases[i].took_ms;
		open_desk(&d);
		assert_true(auth_take(&d.a, &r, 0, &refused, &err));
		assert_int_equal(d.a.renew_at, cases[i].renew_at);
		assert_int_equal(d.a.expires_at, cases[i].seconds * SECOND);
		close_desk(&d);
	}
}

/* How many requests in a minute of looking every 10 ms; `body` answers each at once. */
static size_t requests_in_a_minute(int status, const char *body, int64_t wait_ms)
{
	struct desk d;
	size_t count = 0;
	bool refused;

	open_desk(&d);
	have_token(&d, "first", 3600, 0);
	d.a.renew_at = 0;
	for (int64_t now = 0; now < 60 * SECOND; now += 10) {
		if (!auth_wants_token(&d.a, now))
			continue;
		count++;
		if (!take(&d, status, body, now, &refused))
			auth_postpone(&d.a, now, wait_ms);
		assert_non_null(auth_bearer(&d.a, now));
	}
	close_desk(&d);
	return count;
}

static void no_life_makes_more_than_one_request_a_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		const char *says = lives[i].expires_in;
		char body[128];

		snprintf(body, sizeof(body), "{\"access_token\":\"t\",\"expires_in\":%s}",
			 says != NULL ? says : "null");
		assert_in_range(requests_in_a_minute(200, body, 0), 1, 60);
	}
}

static void a_renewal_that_fails_is_asked_again_a_second_apart_at_least(void **state)
{
	(void)state;
	static const int64_t waits[] = { INT64_MIN, -1, 0, 1, 999, 1000 };

	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		assert_int_equal(requests_in_a_minute(503, "", waits[i]), 60);
	assert_int_equal(requests_in_a_minute(503, "", 20 * SECOND), 3);
}

static void no_instant_overflows(void **state)
{
	(void)state;
	static const int64_t instants[] = { INT64_MIN, -1, 0, INT64_MAX - 1500, INT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
		int64_t now = instants[i];
		struct desk d;

		open_desk(&d);
		have_token(&d, "t", INT64_MAX, now);
		assert_true(d.a.renew_at >= now && d.a.renew_at <= d.a.expires_at);
		auth_postpone(&d.a, now, INT64_MAX);
		assert_true(d.a.renew_at >= now);
		auth_postpone(&d.a, now, INT64_MIN);
		assert_true(d.a.renew_at >= now);
		assert_true(auth_bearer(&d.a, now) != NULL || auth_wants_token(&d.a, now));
		close_desk(&d);
	}
}

/* ---- a renewal that fails ---- */

static void a_failed_renewal_keeps_a_token_that_lives(void **state)
{
	(void)state;
	static const struct reply answers[] = {
		{ .kind = REPLY_ANSWERED, .status = 503 },
		{ .kind = REPLY_ANSWERED, .status = 500 },
		{ .kind = REPLY_ANSWERED, .status = 429 },
		{ .kind = REPLY_ANSWERED, .status = 400 },
		{ .kind = REPLY_ANSWERED, .status = 401 },
		{ .kind = REPLY_ANSWERED, .status = 403 },
		{ .kind = REPLY_ANSWERED, .status = 404 },
		{ .kind = REPLY_ANSWERED, .status = 302 },
		{ .kind = REPLY_ANSWERED, .status = 200 },
		{ .kind = REPLY_ANSWERED, .status = 204 },
		{ .kind = REPLY_RESOLVE },
		{ .kind = REPLY_CONNECT },
		{ .kind = REPLY_TLS },
		{ .kind = REPLY_TIMEOUT },
		{ .kind = REPLY_CUT, .status = 200 },
		{ .kind = REPLY_GARBLED },
		{ .kind = REPLY_LOCAL },
	};
	struct desk d;

	open_desk(&d);
	have_token(&d, "t", 3600, 0);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		int64_t now = 3480 * SECOND + (int64_t)i * SECOND;
		struct reply r = answers[i];
		struct err err;
		bool refused;

		r.headers = r.error = "";
		r.body = r.kind == REPLY_CUT ? AN_HOUR_OF_T : "";
		r.body_len = strlen(r.body);
		assert_false(auth_take(&d.a, &r, now, &refused, &err));
		assert_int_equal(d.a.fails, i + 1);
		assert_string_equal(auth_bearer(&d.a, now), "t");
		assert_int_equal(d.a.expires_at, HOUR);
		auth_postpone(&d.a, now, SECOND);
		assert_false(auth_wants_token(&d.a, now + 999));
		assert_true(auth_wants_token(&d.a, now + 1000));
	}
	have_token(&d, "u", 3600, 3500 * SECOND);
	assert_int_equal(d.a.fails, 0);
	assert_string_equal(auth_bearer(&d.a, 3500 * SECOND), "u");
	close_desk(&d);
}

static void a_renewal_is_not_put_off_past_the_end_of_the_token(void **state)
{
	(void)state;
	struct desk d;

	open_desk(&d);
	have_token(&d, "t", 3600, 0);
	auth_postpone(&d.a, 3590 * SECOND, 300 * SECOND);
	assert_false(auth_wants_token(&d.a, HOUR - 1));
	assert_string_equal(auth_bearer(&d.a, HOUR - 1), "t");
	assert_true(auth_wants_token(&d.a, HOUR));
	assert_null(auth_bearer(&d.a, HOUR));
	close_desk(&d);
}

static void a_token_of_a_year_outlives_an_endpoint_that_is_down_for_a_month(void **state)
{
	(void)state;
	struct desk d;
	bool refused;

	open_desk(&d);
	have_token(&d, "t", 31536000, 0);
	for (int64_t now = DAY; now < 30 * (int64_t)DAY; now += HOUR) {
		assert_true(auth_wants_token(&d.a, now));
		assert_false(take(&d, 503, "", now, &refused));
		auth_postpone(&d.a, now, 300 * SECOND);
		assert_string_equal(auth_bearer(&d.a, now), "t");
	}
	close_desk(&d);
}

/* ---- what the endpoint says ---- */

static void wrong_credentials_are_the_operators(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		bool refused;
	} answers[] = {
		{ 400, "{\"error\":\"invalid_request\"}", true },
		{ 400, "{\"error\":\"invalid_client\"}", true },
		{ 400, "{\"error\":\"invalid_grant\"}", true },
		{ 400, "{\"error\":\"unauthorized_client\"}", true },
		{ 400, "{\"error\":\"unsupported_grant_type\"}", true },
		{ 400, "{\"error\":\"invalid_scope\",\"error_description\":\"no\"}", true },
		{ 400, "{\"error\":{\"type\":\"bad_request\"}}", true },
		{ 400, "<html>", true },
		{ 400, "", true },
		{ 400, "{\"error\":\"temporarily_unavailable\"}", false },
		{ 400, "{\"error\":\"server_error\"}", false },
		{ 401, "{\"error\":\"unauthorized\"}", true },
		{ 401, "{\"error\":\"server_error\"}", true },
		{ 403, "", true },
		{ 404, "", false },
		{ 405, "", false },
		{ 408, "", false },
		{ 410, "", false },
		{ 422, "", false },
		{ 425, "", false },
		{ 429, "{\"error\":\"rate_limited\"}", false },
		{ 302, "", false },
		{ 500, "<html>", false },
		{ 503, AN_HOUR_OF_T, false },
		{ 200, "", false },
		{ 200, "<html>", false },
		{ 200, "{\"error\":\"invalid_client\"}", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct desk d;
		bool refused = !answers[i].refused;

		open_desk(&d);
		assert_false(take(&d, answers[i].status, answers[i].body, 0, &refused));
		assert_int_equal(refused, answers[i].refused);
		assert_false(auth_has_other_secret(&d.a));
		assert_null(auth_bearer(&d.a, 0));
		assert_true(auth_wants_token(&d.a, 0));
		close_desk(&d);
	}
}

static void a_reason_names_the_status_and_the_error(void **state)
{
	(void)state;
	struct reply r = answer(401, "{\"error\":\"invalid_client\","
				     "\"error_description\":\"no such client\"}");
	struct desk d;
	struct err err;
	bool refused;

	open_desk(&d);
	assert_false(auth_take(&d.a, &r, 0, &refused, &err));
	assert_string_equal(err.text,
			    "token endpoint answered 401: invalid_client: no such client");
	r = answer(0, "");
	r.kind = REPLY_TIMEOUT;
	r.error = "no answer in time";
	assert_false(auth_take(&d.a, &r, 0, &refused, &err));
	assert_string_equal(err.text, "token endpoint: no answer in time");
	close_desk(&d);
}

/* The wait is the reply's own; auth leaves it to who starts the next request. */
static void too_many_requests_say_when_to_come_back_in_either_form(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		int64_t wait_ms;
	} answers[] = {
		{ "Retry-After: 120\r\n", 120 * SECOND },
		{ "Retry-After: Mon, 24 Nov 2025 16:01:00 GMT\r\n", 60 * SECOND },
		{ "Retry-After: Mon, 24 Nov 2025 15:00:00 GMT\r\n", 0 },
		{ "Retry-After: later\r\n", -1 },
		{ "", -1 },
	};
	struct desk d;

	open_desk(&d);
	have_token(&d, "t", 3600, 0);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct reply r = answer(429, "");
		struct err err;
		bool refused;

		r.headers = answers[i].headers;
		r.at = 1764000000000; /* 2025-11-24T16:00:00Z */
		assert_false(auth_take(&d.a, &r, 3480 * SECOND, &refused, &err));
		assert_false(refused);
		assert_int_equal(reply_retry_after_ms(&r), answers[i].wait_ms);
		assert_string_equal(auth_bearer(&d.a, 3480 * SECOND), "t");
	}
	close_desk(&d);
}

static void what_is_no_token_for_us_is_not_used(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"{}",
		"[]",
		"7",
		"{\"access_token\":7}",
		"{\"access_token\":null}",
		"{\"access_token\":\"\"}",
		"{\"access_token\":\"a\\r\\nX: y\"}",
		"{\"access_token\":\"a\\n\"}",
		"{\"access_token\":\"a\\u0000b\"}",
		"{\"access_token\":\"a b\"}",
		"{\"access_token\":\"a\\tb\"}",
		"{\"access_token\":\"a\\u007fb\"}",
		"{\"access_token\":\"\xc3\xa9\"}",
		"{\"access_token\":\"a\",\"token_type\":\"mac\"}",
		"{\"access_token\":\"a\",\"token_type\":\"DPoP\"}",
		"{\"access_token\":\"a\",\"token_type\":\"bearer\\u0000\"}",
		"{\"access_token\":\"a\",\"token_type\":\"\"}",
		"{\"access_token\":\"a\",\"token_type\":7}",
		"{\"access_token\":\"a\"",
	};
	struct desk d;
	bool refused;

	open_desk(&d);
	have_token(&d, "t", 3600, 0);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_false(take(&d, 200, bodies[i], 1, &refused));
		assert_false(refused);
		assert_string_equal(auth_bearer(&d.a, 1), "t");
	}
	close_desk(&d);
}

static void a_bearer_token_is_used_however_its_type_is_written(void **state)
{
	(void)state;
	static const char *const types[] = {
		"",
		",\"token_type\":null",
		",\"token_type\":\"bearer\"",
		",\"token_type\":\"Bearer\"",
		",\"token_type\":\"BEARER\"",
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char body[128];
		struct desk d;
		bool refused;

		snprintf(body, sizeof(body), "{\"access_token\":\"a.b-c_~+/=\"%s}", types[i]);
		open_desk(&d);
		assert_true(take(&d, i % 2 == 0 ? 200 : 201, body, 0, &refused));
		assert_string_equal(auth_bearer(&d.a, 0), "a.b-c_~+/=");
		close_desk(&d);
	}
}

static void a_huge_token_is_not_used(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		bool cut, ok;
	} sizes[] = {
		{ 16 << 10, false, true },
		{ (16 << 10) + 1, false, false },
		{ 60000, false, false },
		{ 100, true, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char *token = mem_new(sizes[i].len + 1);
		struct desk d;
		struct err err;
		bool refused;

		memset(token, 'x', sizes[i].len);
		char *body = mem_printf("{\"access_token\":\"%s\"}", token);
		struct reply r = answer(200, body);

		r.body_cut = sizes[i].cut;
		open_desk(&d);
		assert_int_equal(auth_take(&d.a, &r, 0, &refused, &err), sizes[i].ok);
		close_desk(&d);
		mem_free(&body);
		mem_free(&token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_form_encoded),
		cmocka_unit_test(an_api_key_needs_no_token),
		cmocka_unit_test(a_token_is_renewed_ahead_of_its_end),
		cmocka_unit_test(a_slow_endpoint_is_asked_earlier),
		cmocka_unit_test(no_life_makes_more_than_one_request_a_second),
		cmocka_unit_test(a_renewal_that_fails_is_asked_again_a_second_apart_at_least),
		cmocka_unit_test(no_instant_overflows),
		cmocka_unit_test(a_failed_renewal_keeps_a_token_that_lives),
		cmocka_unit_test(a_renewal_is_not_put_off_past_the_end_of_the_token),
		cmocka_unit_test(
			a_token_of_a_year_outlives_an_endpoint_that_is_down_for_a_month),
		cmocka_unit_test(wrong_credentials_are_the_operators),
		cmocka_unit_test(a_reason_names_the_status_and_the_error),
		cmocka_unit_test(too_many_requests_say_when_to_come_back_in_either_form),
		cmocka_unit_test(what_is_no_token_for_us_is_not_used),
		cmocka_unit_test(a_bearer_token_is_used_however_its_type_is_written),
		cmocka_unit_test(a_huge_token_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
