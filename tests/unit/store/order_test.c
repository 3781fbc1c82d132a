/* One in flight per sink and alert, oldest first (invariant 6), folding, and what is released. */
#include "kit.h"

static void invariant_6_a_close_waits_for_its_open(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:claimed resolved:held(behind)");
	k->now += 10;
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:done resolved:due");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void invariant_6_one_in_flight_whatever_is_due(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	see(k, "a", "open");
	assert_string_equal(rows(k, "hook"), "opened:due acknowledged:held(behind) "
					     "resolved:held(behind) reopened:held(behind)");
	const char *const story[] = { "opened@1", "acknowledged@1", "resolved@1",
				      "reopened@1" };

	for (size_t i = 0; i < ARRAY_LEN(story); i++) {
		turn(k);
		assert_string_equal(claimed(k), story[i]);
		settle_all(k, DELIVERY_DONE);
	}
	turn(k);
	assert_int_equal(k->claim_count, 0);
}

static void invariant_6_other_alerts_and_sinks_do_not_wait(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	turn(k);
	assert_int_equal(k->claim_count, 2);
	see(k, "b", "open");
	turn(k);
	assert_int_equal(k->claim_count, 2);
	assert_string_equal(rows(k, "hook"), "opened:claimed opened:claimed");
}

static void a_retry_keeps_the_close_behind_it(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	settle_all(k, DELIVERY_DUE);
	assert_string_equal(rows(k, "hook"), "opened:due resolved:held(behind)");
	turn(k);
	assert_int_equal(k->claim_count, 0);
	k->now += 5000;
	turn(k);
	assert_string_equal(claimed(k), "opened@2");
}

static void a_dead_letter_releases_what_waits(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	settle_all(k, DELIVERY_DEAD);
	assert_string_equal(rows(k, "hook"), "opened:dead resolved:due");
}

static void a_next_episode_waits_for_the_last_one(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "resolved");
	turn(k);
	see(k, "a", "open");
	assert_string_equal(rows(k, "hook"),
			    "opened:done resolved:claimed reopened:held(behind)");
	assert_string_equal(ask(k, "SELECT episode || '.' || seq AS x FROM v_deliveries"
				   " WHERE sink = 'hook' ORDER BY id"),
			    "1.1 1.2 2.1");
}

static void waiting_events_fold_into_the_newest_where_a_state_is_shown(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) "
					     "acknowledged:dropped(superseded) resolved:due");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'dropped' AND ended_at = 1000000"),
			    "2");
}

static void what_is_on_its_way_is_not_folded(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:claimed acknowledged:dropped(superseded) "
					     "resolved:held(behind)");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void what_may_have_arrived_is_not_folded(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_marked(k, 0);
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:due resolved:held(behind)");
}

static void what_was_half_done_is_not_folded(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DUE);

	settle.progress = "two of five";
	kit_turn(k, &settle, 1, 0);
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:due resolved:held(behind)");
	k->now += 5000;
	turn(k);
	assert_string_equal(k->claims[0].progress, "two of five");
	settle_all(k, DELIVERY_DUE);
	assert_string_equal(rows(k, "chat"), "opened:due resolved:held(behind)");
}

static void news_is_no_reason_to_hammer_a_sink(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE);
	k->now += 100;
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
	turn(k);
	assert_int_equal(k->claim_count, 0);
	assert_int_equal(k->answers[0].next_due_at, 1005000);
	k->now = 1005000;
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void a_failed_row_gives_way_to_the_news_behind_it(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	settle_all(k, DELIVERY_DUE);
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
	assert_int_equal(k->answers[0].next_due_at, 1005000);
}

static void a_failed_row_that_may_have_arrived_does_not_give_way(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	settle_marked(k, 0);
	assert_string_equal(rows(k, "chat"), "opened:due resolved:held(behind)");
	k->now += 5000;
	turn(k);
	assert_string_equal(claimed(k), "opened@2");
	assert_true(k->claims[0].possible_repeat);
}

static void a_row_that_folds_while_it_waits_leaves_its_place(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_marked(k, 0);
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:due acknowledged:dropped(superseded) "
					     "resolved:held(behind)");
	k->now += 5000;
	turn(k);
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void forty_rows_of_one_turn_release_forty(void **state)
{
	struct kit *k = *state;
	char id[16];

	kit_only(k, 1);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "open");
	}
	turn(k);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "resolved");
	}
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_int_equal(k->claim_count, 40);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries WHERE after > 0"),
			    "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(invariant_6_a_close_waits_for_its_open),
		STORY(invariant_6_one_in_flight_whatever_is_due),
		STORY(invariant_6_other_alerts_and_sinks_do_not_wait),
		STORY(a_retry_keeps_the_close_behind_it),
		STORY(a_dead_letter_releases_what_waits),
		STORY(a_next_episode_waits_for_the_last_one),
		STORY(waiting_events_fold_into_the_newest_where_a_state_is_shown),
		STORY(what_is_on_its_way_is_not_folded),
		STORY(what_may_have_arrived_is_not_folded),
		STORY(what_was_half_done_is_not_folded),
		STORY(news_is_no_reason_to_hammer_a_sink),
		STORY(a_failed_row_gives_way_to_the_news_behind_it),
		STORY(a_failed_row_that_may_have_arrived_does_not_give_way),
		STORY(a_row_that_folds_while_it_waits_leaves_its_place),
		STORY(forty_rows_of_one_turn_release_forty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
