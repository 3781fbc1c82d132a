/* world.h, tale.h and life.h: what the invented alerts are, and what becomes of them. */
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sim/life.h"
#include "sim/tale.h"

static const int64_t noon = INT64_C(1795521600000);
static const int64_t hour_ms = 3600000;

static size_t count(const struct world *w, int status)
{
	return shelves_count(world_shelves(w), (struct filter){ status, ANY });
}

static struct json *alert_of(const struct world *w, uint32_t number, struct buf *text)
{
	struct json *json;
	struct err err = { "" };

	buf_clear(text);
	world_add_alert(w, number, text);
	json = json_parse(text->data, text->len, &err);
	if (json == NULL)
		fail_msg("%s: %s", err.text, text->data);
	return json;
}

static void every_generated_alert_has_the_documented_fields(void **state)
{
	static const struct {
		const char *name;
		enum json_kind kind;
		bool or_null;
	} fields[] = {
		{ "id", JSON_STRING, false },         { "org_id", JSON_STRING, false },
		{ "type", JSON_STRING, false },       { "severity", JSON_STRING, false },
		{ "status", JSON_STRING, false },     { "title", JSON_STRING, false },
		{ "message", JSON_STRING, false },    { "user_id", JSON_STRING, true },
		{ "policy_id", JSON_STRING, true },   { "metadata", JSON_OBJECT, false },
		{ "created_at", JSON_STRING, false }, { "resolved_at", JSON_STRING, true },
	};
	struct world *w = world_new(5, ORDER_NEWEST);
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	world_add_history(w, 2000, noon);
	for (uint32_t n = 0; n < 2000; n++) {
		struct json *json = alert_of(w, n, &text);

		assert_int_equal(json_count(json_root(json)), ARRAY_LEN(fields));
		for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
			enum json_kind kind =
				json_kind(json_get(json_root(json), fields[i].name));

			assert_true(kind == fields[i].kind ||
				    (fields[i].or_null && kind == JSON_NULL));
		}
		assert_null(strchr(json_text(json_get(json_root(json), "title"), NULL), '{'));
		assert_null(strchr(json_text(json_get(json_root(json), "message"), NULL), '{'));
		json_free(&json);
	}
	buf_release(&text);
	world_free(&w);
}

static void all_types_and_severities_come(void **state)
{
	size_t types[TYPE_COUNT] = { 0 };
	size_t severities[SEVERITY_COUNT] = { 0 };

	(void)state;
	for (uint32_t n = 0; n < 500; n++) {
		types[tale_type(5, n)]++;
		severities[tale_severity(5, n, tale_type(5, n))]++;
	}
	for (int i = 0; i < TYPE_COUNT; i++)
		assert_true(types[i] > 20);
	for (int i = 0; i < SEVERITY_COUNT; i++)
		assert_true(severities[i] > 10);
}

static void an_id_leads_back_to_its_alert_and_only_in_its_seed(void **state)
{
	char id[TALE_ID_MAX];
	uint32_t number;

	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		tale_id(5, n, id);
		assert_true(tale_number(5, id, &number));
		assert_int_equal(number, n);
		assert_false(tale_number(6, id, &number));
	}
	assert_false(tale_number(5, "", &number));
	assert_false(tale_number(5, "-", &number));
	assert_false(tale_number(5, "al-zz", &number));
}

static void the_same_seed_tells_the_same_story(void **state)
{
	struct world *one = world_new(9, ORDER_MIXED);
	struct world *two = world_new(9, ORDER_MIXED);
	struct buf a;
	struct buf b;

	(void)state;
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	world_add_history(one, 50, noon);
	world_add_history(two, 50, noon);
	for (uint32_t n = 0; n < 50; n++) {
		world_add_alert(one, n, &a);
		world_add_alert(two, n, &b);
	}
	assert_string_equal(a.data, b.data);
	buf_release(&a);
	buf_release(&b);
	world_free(&one);
	world_free(&two);
}

static void a_history_is_in_the_past_and_in_every_state(void **state)
{
	static const size_t sizes[] = { 1, 40, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct world *w = world_new(3, ORDER_NEWEST);
		struct place last;

		world_add_history(w, sizes[i], noon);
		assert_int_equal(count(w, ANY), sizes[i]);
		shelves_page(world_shelves(w), (struct filter){ ANY, ANY }, NULL, &last, 1);
		assert_true(last.key <= noon);
		if (sizes[i] >= 40)
			for (int status = 0; status < STATUS_COUNT; status++)
				assert_true(count(w, status) > 0);
		world_free(&w);
	}
}

/* Runs a life for that long, a look every second; the most that were open at once. */
static size_t live(struct life *life, struct world *w, int64_t from, int64_t ms)
{
	size_t most = 0;

	for (int64_t t = from; t < from + ms; t += 1000) {
		assert_true(life_run(life, t, noon + t) >= 0);
		if (count(w, STATUS_OPEN) > most)
			most = count(w, STATUS_OPEN);
	}
	return most;
}

static void a_life_opens_at_its_rate_and_settles(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 2, 1000 }, 0);
	size_t most = live(life, w, 0, 4 * hour_ms);

	(void)state;
	assert_in_range(count(w, ANY), 4 * 7200 * 97 / 100, 4 * 7200 * 103 / 100);
	assert_in_range(most, 20, 1000);
	assert_true(count(w, STATUS_ACKNOWLEDGED) > 0);
	assert_true(count(w, STATUS_RESOLVED) > count(w, ANY) / 2);
	life_free(&life);
	world_free(&w);
}

static void some_alerts_come_back(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 1, 1000 }, 0);
	size_t returned = 0;
	bool was_resolved[400] = { false };

	(void)state;
	for (int64_t t = 0; t < hour_ms; t += 1000) {
		life_run(life, t, noon + t);
		for (uint32_t n = 0; n < ARRAY_LEN(was_resolved) && n < count(w, ANY); n++) {
			returned += was_resolved[n] && world_status(w, n) == STATUS_OPEN;
			was_resolved[n] = world_status(w, n) == STATUS_RESOLVED;
		}
	}
	assert_in_range(returned, 10, 100);
	life_free(&life);
	world_free(&w);
}

static void a_pause_is_not_made_up_for(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 100, 1000 }, 0);

	(void)state;
	life_run(life, hour_ms, noon);
	assert_in_range(count(w, ANY), 1, 300);
	life_free(&life);
	world_free(&w);
}

static void a_life_without_a_rate_sleeps_for_ever(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 0, 0 }, 0);

	(void)state;
	assert_int_equal(life_run(life, hour_ms, noon), -1);
	assert_int_equal(count(w, ANY), 0);
	life_free(&life);
	world_free(&w);
}

/* Whoever changes an alert by hand has the last word. */
static void life_leaves_alone_what_was_removed_or_settled_by_hand(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 1, 1000 }, 0);

	(void)state;
	live(life, w, 0, 60000);
	assert_true(count(w, ANY) >= 10);
	for (uint32_t n = 0; n < 10; n++) {
		if (n % 2 == 0)
			world_remove(w, n);
		else
			world_set_status(w, n, STATUS_RESOLVED, noon);
	}
	live(life, w, 60000, hour_ms);
	for (uint32_t n = 0; n < 10; n++)
		assert_int_equal(world_exists(w, n), n % 2 == 1);
	life_free(&life);
	world_free(&w);
}

static void the_sleep_is_never_longer_than_the_next_thing_due(void **state)
{
	struct world *w = world_new(1, ORDER_NEWEST);
	struct life *life = life_new(w, 1, (struct rate){ 1, 1000 }, 0);
	int64_t t = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t wait_ms = life_run(life, t, noon + t);
		size_t before = count(w, ANY);

		assert_in_range(wait_ms, 1, 20001);
		assert_true(life_run(life, t, noon + t) >= wait_ms);
		if (wait_ms > 1)
			life_run(life, t + wait_ms - 2, noon);
		assert_int_equal(count(w, ANY), before);
		t += wait_ms;
	}
	life_free(&life);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_generated_alert_has_the_documented_fields),
		cmocka_unit_test(all_types_and_severities_come),
		cmocka_unit_test(an_id_leads_back_to_its_alert_and_only_in_its_seed),
		cmocka_unit_test(the_same_seed_tells_the_same_story),
		cmocka_unit_test(a_history_is_in_the_past_and_in_every_state),
		cmocka_unit_test(a_life_opens_at_its_rate_and_settles),
		cmocka_unit_test(some_alerts_come_back),
		cmocka_unit_test(a_pause_is_not_made_up_for),
		cmocka_unit_test(a_life_without_a_rate_sleeps_for_ever),
		cmocka_unit_test(life_leaves_alone_what_was_removed_or_settled_by_hand),
		cmocka_unit_test(the_sleep_is_never_longer_than_the_next_thing_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
