/* Storms, steps of escalations and repeats: rows that come by themselves, or are too many. */
#include "kit.h"

enum { HOUR = 3600000 };

/* ---- storms ---- */

static void storm(struct kit *k, int64_t over, int64_t within_ms)
{
	(void)kit_only(k, 1);
	k->targets[0].wish =
		(struct wish){ .storm = { .key = 99, .over = over, .within_ms = within_ms } };
}

static void a_storm_is_told_then_held_in_windows_until_one_is_calm(void **state)
{
	struct kit *k = *state;

	storm(k, 2, 60000);
	see(k, "al1", "open");
	see(k, "al2", "open");
	tick(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
	see(k, "al3", "open");
	tick(k);
	assert_string_equal(k->digests, "storm began : al3 ;");
	see(k, "al4", "open");
	see(k, "al5", "open");
	see(k, "al6", "open");
	tick(k);
	assert_int_equal(k->claim_count, 0);
	k->now += 60000;
	tick(k);
	assert_string_equal(k->digests, "storm going on : al4 al5 al6 ;");
	see(k, "al7", "open");
	k->now += 60000;
	tick(k);
	assert_string_equal(k->digests, "storm over : al7 ;");
	see(k, "al8", "open");
	tick(k);
	assert_string_equal(claimed(k), "opened@1");
	assert_string_equal(k->digests, "");
}

/* A window of more rows than a send may tell: only the last digest of it ends the storm. */
static void that_a_storm_is_over_is_said_once(void **state)
{
	struct kit *k = *state;

	k->sinks[1].batch_max = 2;
	kit_sinks(k, 2);
	storm(k, 4, 60000);
	see(k, "al1", "open");
	see(k, "al2", "open");
	see(k, "al3", "open");
	see(k, "al4", "open");
	see(k, "al5", "open");
	tick(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "al6", "open");
	see(k, "al7", "open");
	see(k, "al8", "open");
	see(k, "al9", "open");
	k->now += 60000;
	tick(k);
	assert_string_equal(k->digests, "storm going on : al6 al7 ; storm over : al8 al9 ;");
}

static void a_window_without_any_row_ends_a_storm_unsaid(void **state)
{
	struct kit *k = *state;

	storm(k, 1, 60000);
	see(k, "al1", "open");
	see(k, "al2", "open");
	tick(k);
	assert_string_equal(k->digests, "storm began : al2 ;");
	k->now += 3 * 60000;
	tick(k);
	see(k, "al3", "open");
	tick(k);
	assert_string_equal(claimed(k), "opened@1");
}

/* ---- escalations and repeats ---- */

static void escalate(struct kit *k, int64_t after_ms)
{
	(void)kit_only(k, 0);
	k->targets[1] = (struct target){ .sink = k->sinks[1].number,
					 .route = k->route,
					 .step = 1,
					 .wish = { .reason = HOLD_ESCALATION,
						   .until = k->now + after_ms } };
	k->target_count = 2;
}

static void a_step_goes_when_its_time_has_come_and_its_sink_hears_the_close(void **state)
{
	struct kit *k = *state;

	escalate(k, HOUR);
	see(k, "al1", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:held(escalation)");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->ripe, "opened(escalation)");
	assert_string_equal(claimed(k), "opened@1");
	assert_int_equal(k->claims[0].origin, ORIGIN_ESCALATION);
	settle_all(k, DELIVERY_DONE);
	see(k, "al1", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:done resolved:due");
}

static void who_takes_care_of_it_ends_what_waits(void **state)
{
	static const char *const words[] = { "acknowledged", "resolved" };
	struct kit *k = *state;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char id[8];

		snprintf(id, sizeof(id), "al%zu", i);
		escalate(k, HOUR);
		see(k, id, "open");
		see(k, id, words[i]);
		assert_string_equal(ask(k, "SELECT state || '(' || reason || ')' AS x"
					   " FROM v_deliveries WHERE sink = 'hook'"
					   " ORDER BY id DESC LIMIT 1"),
				    "dropped(no longer open)");
	}
}

static void what_is_still_open_is_told_again(void **state)
{
	struct kit *k = *state;

	(void)kit_only(k, 1);
	k->repeat_ms = HOUR;
	see(k, "al1", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:done opened:held(repeat)");
	k->now += HOUR;
	tick(k);
	assert_int_equal(k->claims[0].origin, ORIGIN_REPEAT);
	assert_int_equal(k->claims[0].ordinal, 1);
	settle_all(k, DELIVERY_DONE);
	k->now += HOUR;
	tick(k);
	assert_int_equal(k->claims[0].ordinal, 2);
	settle_all(k, DELIVERY_DONE);
	see(k, "al1", "acknowledged");
	assert_string_equal(rows(k, "hook"), "opened:done opened:done opened:done"
					     " opened:dropped(no longer open)"
					     " acknowledged:due");
}

static void a_repeat_looks_ever_less_often_whether_its_line_is_free(void **state)
{
	static const int64_t waits[] = { 1, 1, 2, 4, 8, 16, 32, 60, 60 }; /* seconds */
	struct kit *k = *state;

	(void)kit_only(k, 1);
	k->repeat_ms = HOUR;
	see(k, "al1", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	k->now += HOUR;
	kit_show(k, "al1", "open", "another title");
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		k->ticks = true;
		kit_turn(k, NULL, 0, 0);
		k->ticks = false;
		assert_int_equal(k->next_tick_at, k->now + 1000 * waits[i]);
		k->now = k->next_tick_at;
	}
	turn(k);
	assert_string_equal(claimed(k), "changed@1");
	settle_all(k, DELIVERY_DONE);
	tick(k);
	assert_string_equal(claimed(k), "opened@1");
	assert_int_equal(k->claims[0].origin, ORIGIN_REPEAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_storm_is_told_then_held_in_windows_until_one_is_calm),
		STORY(that_a_storm_is_over_is_said_once),
		STORY(a_window_without_any_row_ends_a_storm_unsaid),
		STORY(a_step_goes_when_its_time_has_come_and_its_sink_hears_the_close),
		STORY(who_takes_care_of_it_ends_what_waits),
		STORY(what_is_still_open_is_told_again),
		STORY(a_repeat_looks_ever_less_often_whether_its_line_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
