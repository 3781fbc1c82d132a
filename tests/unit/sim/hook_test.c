/* hook.h: the split, the envelope and its signature, what gives way, and who is told of what. */
#include "desk.h"

static void a_value_splits_at_its_last_colon(void **state)
{
	static const struct {
		const char *text, *url, *secret;
	} rows[] = {
		{ "https://h/in:s", "https://h/in", "s" },
		{ "https://h:8443/a:b:whsec_x", "https://h:8443/a:b", "whsec_x" },
		{ "https://h:8443:s", "https://h:8443", "s" },
		{ "https://h/:9000", "https://h/", "9000" },
		{ "https://h:9x", "https://h", "9x" },
		{ "HTTP://LocalHost:1/:s", "HTTP://LocalHost:1/", "s" },
		{ "http://127.0.0.1?q=@:s/+=", "http://127.0.0.1?q=@", "s/+=" },
		{ "http://[::1]:9/in:s", "http://[::1]:9/in", "s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *url, *secret;
		struct err err = { "" };

		if (!hook_split(rows[i].text, &url, &secret, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(url, rows[i].url);
		assert_string_equal(secret, rows[i].secret);
		mem_free(&url);
		mem_free(&secret);
	}
}

static void a_wrong_value_is_refused_with_a_hint(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "must be URL:SECRET" },
		{ "secret", "must be URL:SECRET" },
		{ "https://h/in", "must be URL:SECRET" },
		{ "https://h/in:", "must be URL:SECRET" },
		{ "ftp://h/in:s", "must be URL:SECRET" },
		{ "http://127.0.0.1:9000", "a port but no secret" },
		{ "http://127.0.0.1:9000/in", "a port but no secret" },
		{ "https://:s", "names no host" },
		{ "https:///in:s", "names no host" },
		{ "https://[::1]/in", "names no host" },
		{ "https://h/a b:s", "encode it (%20)" },
		{ "http://127.0.0.1\\@evil/:s", "a backslash" },
		{ "http://127.0.0.1:80@evil/:s", "a user name" },
		{ "http://evil/:s", "use https" },
		{ "http://127.0.0.1.evil/:s", "use https" },
		{ "http://[::2]/:s", "use https" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *url, *secret;
		struct err err = { "" };

		if (hook_split(rows[i].text, &url, &secret, &err) ||
		    strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: \"%s\"", rows[i].text, err.text);
	}
}

static void an_event_is_an_envelope_and_its_signature(void **state)
{
	static const char alert[] = "{ \"id\":\"a\", \"n\":1.50 }";
	/* printf %s BODY | openssl dgst -sha256 -hmac whsec_test */
	static const char signature[] =
		"sha256="
		"83164ee2c30a82ac5bfc42d4e1c7a5474911af789b469037ff8f60d10cee5efa";
	struct hook *h = hook_new("https://h/in", "whsec_test", 1);
	struct request r;

	(void)state;
	hook_note(h, "alert.created", alert, strlen(alert), desk_start);
	assert_true(hook_take(h, &r));
	assert_string_equal(r.url, "https://h/in");
	assert_string_equal(r.method, "POST");
	assert_int_equal(r.timeout_ms, 10000);
	assert_string_equal(r.body.data,
			    "{\"id\":\"evt_beeb8da1658eec67\",\"type\":\"alert.created\","
			    "\"created_at\":\"2026-11-24T03:45:00Z\","
			    "\"data\":{ \"id\":\"a\", \"n\":1.50 }}");
	assert_string_equal(request_get_header(&r, "Content-Type"), "application/json");
	assert_string_equal(request_get_header(&r, "X-Toktra-Signature"), signature);
	request_release(&r);
	assert_false(hook_take(h, &r));
	hook_free(&h);
}

static void assert_stats(const struct hook *h, const char *expected)
{
	struct buf stats;

	buf_init(&stats, 1024);
	hook_add_stats(h, &stats);
	assert_string_equal(stats.data, expected);
	buf_release(&stats);
}

/* The data of the oldest event begins with that. */
static void assert_oldest(struct hook *h, const char *data)
{
	struct request r;

	assert_true(hook_take(h, &r));
	if (strstr(r.body.data, data) == NULL)
		fail_msg("no %s in %s", data, r.body.data);
	request_release(&r);
}

static void past_a_thousand_the_oldest_gives_way(void **state)
{
	struct hook *h = hook_new("https://h", "s", 1);

	(void)state;
	for (int i = 0; i < HOOK_WAITING_MAX + 3; i++) {
		char *alert = mem_printf("{\"n\":%d}", i);

		hook_note(h, "alert.created", alert, strlen(alert), desk_start);
		mem_free(&alert);
	}
	assert_stats(h, "{\"delivered\":0,\"failed\":0,\"dropped\":3,\"waiting\":1000,"
			"\"flying\":0}");
	assert_oldest(h, "\"data\":{\"n\":3}}");
	hook_free(&h);
}

static void large_events_give_way_sooner(void **state)
{
	const size_t len = 3 << 20;
	struct hook *h = hook_new("https://h", "s", 1);
	char *alert = mem_new(len + 1);

	(void)state;
	memset(alert, ' ', len);
	alert[0] = '{';
	alert[len - 1] = '}';
	hook_note(h, "alert.created", "{}", 2, desk_start);
	for (int i = 0; i < 21; i++)
		hook_note(h, "alert.updated", alert, len, desk_start);
	assert_stats(h, "{\"delivered\":0,\"failed\":0,\"dropped\":0,\"waiting\":22,"
			"\"flying\":0}");
	hook_note(h, "alert.updated", alert, len, desk_start);
	assert_stats(h, "{\"delivered\":0,\"failed\":0,\"dropped\":2,\"waiting\":21,"
			"\"flying\":0}");
	mem_free(&alert);
	hook_free(&h);
}

static void what_is_no_json_object_is_not_told(void **state)
{
	static const char *const rows[] = { "",  " ",    "42",         "[{}]",
					    "{", "{} x", "{\"a\":01}", "{\"a\":\"\xff\"}" };
	struct hook *h = hook_new("https://h", "s", 1);
	struct request r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hook_note(h, "alert.created", rows[i], strlen(rows[i]), desk_start);
		if (hook_take(h, &r))
			fail_msg("%s", rows[i]);
	}
	hook_free(&h);
}

/* ---- in the simulator -------------------------------------------------------------------- */

static void each_birth_and_change_is_one_event(void **state)
{
	struct desk d;
	struct request r;

	(void)state;
	desk_open(&d,
		  (const char *const[]){ "--history", "5", "--webhook", "https://h:s", NULL });
	assert_false(hook_take(d.sim->hook, &r));
	desk_post(&d, "/_sim/alerts", "{\"n\":1,\"title\":\"T\",\"status\":\"acknowledged\"}");
	assert_oldest(d.sim->hook, "\"title\":\"T\"");
	desk_post(&d, "/_sim/alerts", "[{\"id\":\"x\"}]");
	assert_oldest(d.sim->hook, "\"type\":\"alert.created\",\"created_at\":"
				   "\"2026-11-24T03:45:00Z\",\"data\":{\"id\":\"x\"}}");
	desk_post(&d, "/_sim/alerts/x", "{\"status\":\"open\"}");
	assert_oldest(d.sim->hook, "\"type\":\"alert.updated\"");
	desk_ask(&d, "DELETE", "/_sim/alerts/x", NULL);
	desk_post(&d, "/_sim/alerts/x", "{\"status\":\"open\"}");
	assert_false(hook_take(d.sim->hook, &r));
	desk_get(&d, "/_sim/stats");
	desk_has(&d, ",\"webhook\":{\"delivered\":0,");
	desk_close(&d);
}

static void life_is_told_too(void **state)
{
	bool opened = false, changed = false;
	struct desk d;

	(void)state;
	desk_open(&d,
		  (const char *const[]){ "--rate", "1/s", "--webhook", "https://h:s", NULL });
	for (int i = 0; i < 60; i++) {
		struct request r;

		desk_now += 1000;
		sim_live(d.sim);
		while (hook_take(d.sim->hook, &r)) {
			opened |= strstr(r.body.data, "alert.created") != NULL;
			changed |= strstr(r.body.data, "alert.updated") != NULL;
			request_release(&r);
		}
	}
	assert_true(opened && changed);
	desk_close(&d);
}

static void without_a_webhook_the_stats_say_nothing_of_it(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, NULL);
	desk_post(&d, "/_sim/alerts", "{}");
	desk_get(&d, "/_sim/stats");
	assert_null(strstr(d.answer.body.data, "webhook"));
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_splits_at_its_last_colon),
		cmocka_unit_test(a_wrong_value_is_refused_with_a_hint),
		cmocka_unit_test(an_event_is_an_envelope_and_its_signature),
		cmocka_unit_test(past_a_thousand_the_oldest_gives_way),
		cmocka_unit_test(large_events_give_way_sooner),
		cmocka_unit_test(what_is_no_json_object_is_not_told),
		cmocka_unit_test(each_birth_and_change_is_one_event),
		cmocka_unit_test(life_is_told_too),
		cmocka_unit_test(without_a_webhook_the_stats_say_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
