/*
 * Digests, told as stories: who is in one, in what order, and what becomes of each of it. Flow's
 * answers are the kit's; the clock moves by hand.
 */
#include "held.h"

static int64_t number(const char *text)
{
	int64_t value;
	struct err err;

	assert_true(num_parse_int(text, &value, &err));
	return value;
}

static void where_people_read_the_most_severe_are_listed_and_the_rest_counted(void **state)
{
	struct kit *k = *state;

	talents(k, 0, 20, 2, false);
	wish(k, HOLD_QUIET, k->now + HOUR);
	k->target_count = 1;
	show(k, "low", "open", "low");
	show(k, "critical", "open", "critical");
	show(k, "medium", "open", "medium");
	show(k, "high", "open", "high");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests,
			    "quiet : critical high {\"count\":2,\"by_severity\":{\"low\":1,"
			    "\"medium\":1},\"by_type\":{\"policy_violation\":2}} ;");
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "chat"), "opened:done opened:done opened:done opened:done");
}

/* What opened and closed in a silence is counted in what follows it; alone it is nothing. */
static void what_was_dropped_is_counted_in_the_digest_that_follows(void **state)
{
	struct kit *k = *state;

	(void)kit_only(k, 1);
	wish(k, HOLD_SILENCE, k->now + HOUR);
	show(k, "gone", "open", "low");
	show(k, "gone", "resolved", "low");
	tick(k);
	assert_int_equal(k->claim_count, 0);
	show(k, "stays", "open", "high");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests,
			    "silence : stays {\"count\":1,\"by_severity\":{\"low\":1},"
			    "\"by_type\":{\"policy_violation\":1}} ;");
	settle_all(k, DELIVERY_DONE);
	wish(k, HOLD_SILENCE, k->now + HOUR);
	show(k, "next", "open", "high");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "");
}

static void a_sink_that_takes_one_at_a_time_gets_the_most_severe_first(void **state)
{
	struct kit *k = *state;

	talents(k, 0, 1, 1, true);
	wish(k, HOLD_QUIET, k->now + HOUR);
	k->target_count = 1;
	show(k, "low", "open", "low");
	show(k, "critical", "open", "critical");
	k->now += HOUR;
	tick(k);
	assert_string_equal(ask(k, "SELECT alert_id AS x FROM v_deliveries"
				   " WHERE state IN ('due', 'claimed') ORDER BY due_at"),
			    "critical low");
	assert_string_equal(k->digests, "");
}

static void a_digest_holds_no_more_than_a_send_may_tell(void **state)
{
	struct kit *k = *state;

	talents(k, 1, 2, 0, false);
	wish(k, HOLD_DIGEST, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	see(k, "al1", "open");
	see(k, "al2", "open");
	see(k, "al3", "open");
	see(k, "al4", "open");
	see(k, "al5", "open");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "digest : al1 al2 ; digest : al3 al4 ;");
	assert_int_equal(k->claim_count, 3);
}

static void a_digest_that_is_tried_again_is_the_same_again(void **state)
{
	struct kit *k = *state;
	char first[sizeof(k->digests)];

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	tick(k);
	snprintf(first, sizeof(first), "%s", k->digests);
	settle_all(k, DELIVERY_DUE);
	wish(k, HOLD_NONE, 0);
	see(k, "al3", "open");
	k->now += 5000;
	tick(k);
	assert_string_equal(k->digests, first);
}

static void a_refused_digest_goes_out_one_by_one(void **state)
{
	struct kit *k = *state;
	struct settle settles[2];

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	tick(k);
	assert_int_equal(k->claim_count, 2);
	for (size_t i = 0; i < 2; i++) {
		settles[i] = kit_outcome(k, &k->claims[i], DELIVERY_DUE);
		settles[i].due_at = k->now;
		settles[i].split = true;
	}
	kit_turn(k, settles, 2, 64);
	assert_string_equal(claimed(k), "opened@2 opened@1 opened@2 opened@1");
	assert_string_equal(k->digests, "");
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:done opened:done");
}

/* One by one they keep the order of each alert, however severe it became. */
static void inv6_of_a_digest_that_was_refused_a_close_comes_after_its_open(void **state)
{
	struct kit *k = *state;
	struct settle settle;

	wish(k, HOLD_QUIET, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	show(k, "al1", "open", "low");
	show(k, "al1", "resolved", "critical");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al1 resolved ;");
	settle = kit_outcome(k, &k->claims[0], DELIVERY_DUE);
	settle.due_at = k->now;
	settle.split = true;
	kit_turn(k, &settle, 1, 64);
	assert_string_equal(claimed(k), "opened@1");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@2");
}

/* Nor does it overtake it at a sink that gets each event by itself. */
static void inv6_singles_of_one_alert_follow_each_other(void **state)
{
	struct kit *k = *state;

	talents(k, 1, 1, 0, false);
	wish(k, HOLD_QUIET, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	see(k, "al1", "open");
	see(k, "al1", "acknowledged");
	see(k, "al1", "resolved");
	k->now += HOUR;
	tick(k);
	k->now += 1000;
	turn(k);
	assert_string_equal(rows(k, "hook"),
			    "opened:claimed acknowledged:held(behind) resolved:held(behind)");
}

static void inv2_each_member_of_a_digest_in_doubt_may_have_been_heard(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	tick(k);
	store_close(&k->s);
	kit_open(k);
	assert_true(store_recover(k->s, k->now, &k->err) == 2);
	assert_string_equal(ask(k, "SELECT sum(maybe_sent) AS x FROM v_deliveries"), "4");
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al2 ; quiet : al1 al2 ;");
}

static void a_dead_digest_leaves_each_member_dead(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	tick(k);
	settle_all(k, DELIVERY_DEAD);
	assert_string_equal(rows(k, "hook"), "opened:dead opened:dead");
	assert_string_equal(rows(k, "chat"), "opened:dead opened:dead");
}

/* A reload has made another sink of it, which would tell the first alone. */
static void a_digest_for_who_takes_one_at_a_time_by_now_goes_out_one_by_one(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	k->ticks = true;
	kit_turn(k, NULL, 0, 0);
	k->ticks = false;
	talents(k, 1, 1, 0, true);
	turn(k);
	assert_string_equal(k->digests, "");
	settle_all(k, DELIVERY_DONE);
	k->now += 1000;
	turn(k);
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "hook"), "opened:done opened:done");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'done' AND attempt = 1"),
			    "2");
}

/* What an operator does to one of a digest happens to that one alone. */
static void an_operator_takes_one_out_of_a_digest(void **state)
{
	struct kit *k = *state;
	int64_t id;

	wish(k, HOLD_QUIET, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	k->ticks = true;
	kit_turn(k, NULL, 0, 0);
	k->ticks = false;
	id = number(ask(k, "SELECT id AS x FROM v_deliveries WHERE state = 'due'"));
	const struct selection which = { .ids = &id, .id_count = 1 };

	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 1);
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
	assert_string_equal(k->digests, "");
	assert_string_equal(rows(k, "hook"), "opened:dropped(operator) opened:claimed");
}

/* However often its alerts open and close in one night, none of a digest ends untold. */
static void a_digest_ends_none_that_it_does_not_tell(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	(void)kit_only(k, 1);
	k->targets[0].wish = k->wish;
	see(k, "al2", "open");
	for (int i = 0; i < 300; i++) {
		see(k, "al1", "open");
		see(k, "al1", "resolved");
	}
	k->now += HOUR;
	size_t told = 0;

	for (int i = 0; i < 800; i++) {
		tick(k);
		for (size_t j = 0; j < k->claim_count; j++)
			told += k->claims[j].batch != 0 ? k->claims[j].member_count : 1;
		settle_all(k, DELIVERY_DONE);
	}
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'done'"),
			    "601");
	assert_int_equal(told, 601);
}

/* Also of more than are looked at in one step. */
static void a_pager_hears_the_most_severe_of_a_long_night_first(void **state)
{
	struct kit *k = *state;
	char id[16];

	talents(k, 0, 1, 1, true);
	wish(k, HOLD_QUIET, k->now + HOUR);
	k->target_count = 1;
	for (int i = 0; i < 600; i++) {
		snprintf(id, sizeof(id), "low%d", i);
		show(k, id, "open", "low");
	}
	show(k, "worst", "open", "critical");
	k->now += HOUR;
	k->ticks = true;
	for (int i = 0; i < 20; i++, k->now += 10)
		kit_turn(k, NULL, 0, 0);
	assert_string_equal(ask(k, "SELECT alert_id AS x FROM v_deliveries"
				   " WHERE state = 'due' ORDER BY due_at, id LIMIT 1"),
			    "worst");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'due'"),
			    "601");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(where_people_read_the_most_severe_are_listed_and_the_rest_counted),
		STORY(what_was_dropped_is_counted_in_the_digest_that_follows),
		STORY(a_sink_that_takes_one_at_a_time_gets_the_most_severe_first),
		STORY(a_digest_holds_no_more_than_a_send_may_tell),
		STORY(a_digest_that_is_tried_again_is_the_same_again),
		STORY(a_refused_digest_goes_out_one_by_one),
		STORY(inv6_of_a_digest_that_was_refused_a_close_comes_after_its_open),
		STORY(inv6_singles_of_one_alert_follow_each_other),
		STORY(inv2_each_member_of_a_digest_in_doubt_may_have_been_heard),
		STORY(a_dead_digest_leaves_each_member_dead),
		STORY(a_digest_for_who_takes_one_at_a_time_by_now_goes_out_one_by_one),
		STORY(an_operator_takes_one_out_of_a_digest),
		STORY(a_digest_ends_none_that_it_does_not_tell),
		STORY(a_pager_hears_the_most_severe_of_a_long_night_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
