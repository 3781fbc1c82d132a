/*
 * Rows that are held for a time, told as stories: what a close finds, who goes out with whom, and
 * what becomes of a digest. Flow's answers are the kit's; the clock moves by hand.
 */
#include "kit.h"

enum { HOUR = 3600000 };

/* What makes both sinks hold for this reason until then, for new rows and for follow-ups. */
static void wish(struct kit *k, enum hold_reason reason, int64_t until)
{
	k->wish = (struct wish){ .reason = reason, .until = until };
	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i].wish = k->wish;
}

static void wish_group(struct kit *k, int64_t wait_ms, int64_t max)
{
	k->wish = (struct wish){ .group = { .key = 77, .wait_ms = wait_ms, .max = max } };
	for (size_t i = 0; i < k->target_count; i++) {
		k->targets[i].wish = k->wish;
		k->targets[i].wish.group.key += k->targets[i].sink;
	}
}

static int64_t number(const char *text)
{
	int64_t value;
	struct err err;

	assert_true(num_parse_int(text, &value, &err));
	return value;
}

static void show(struct kit *k, const char *id, const char *status, const char *severity)
{
	char bytes[512];
	struct alert a;
	struct err err;
	int len = snprintf(bytes, sizeof(bytes),
			   "{\"id\":\"%s\",\"status\":\"%s\",\"severity\":\"%s\","
			   "\"type\":\"policy_violation\",\"title\":\"t\"}",
			   id, status, severity);

	assert_true(alert_read(&a, bytes, (size_t)len, &err));
	struct page_batch batch = kit_page(k, &a, 1);

	store_page(k->s, &batch);
	assert_true(k->ok);
	alert_release(&a);
}

static void talents(struct kit *k, size_t sink, int64_t batch_max, int64_t listed, bool pairs)
{
	k->sinks[sink].batch_max = batch_max;
	k->sinks[sink].listed_max = listed;
	k->sinks[sink].pairs = pairs;
	kit_sinks(k, 2);
}

static void a_held_row_waits_for_its_time_and_goes_alone_after_a_delay(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_DELAY, k->now + HOUR);
	see(k, "al1", "open");
	tick(k);
	assert_int_equal(k->claim_count, 0);
	assert_int_equal(k->next_tick_at, k->now + HOUR);
	assert_string_equal(rows(k, "hook"), "opened:held(delay)");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->ripe, "opened(delay) opened(delay)");
	assert_string_equal(claimed(k), "opened@1 opened@1");
	assert_int_equal(k->claims[0].batch, 0);
}

static void flow_may_hold_it_on_or_drop_it(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	k->now += HOUR;
	k->ripened =
		(struct ripened){ .fate = RIPE_WAIT,
				  .wish = { .reason = HOLD_SILENCE, .until = k->now + HOUR } };
	tick(k);
	assert_string_equal(rows(k, "hook"), "opened:held(silence)");
	k->now += HOUR;
	k->ripened = (struct ripened){ .fate = RIPE_DROP, .reason = "no longer open" };
	tick(k);
	assert_string_equal(rows(k, "hook"), "opened:dropped(no longer open)");
	assert_int_equal(k->claim_count, 0);
}

/* One digest a sink, in which each is listed as it happened. */
static void a_night_makes_one_digest(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	see(k, "al1", "acknowledged");
	k->now += HOUR;
	tick(k);
	/* The chat shows what is so now, the hook gets every event. */
	assert_string_equal(
		k->digests,
		"quiet : al2 al1 acknowledged ; quiet : al1 al2 al1 acknowledged ;");
	assert_string_equal(
		rows(k, "chat"),
		"opened:dropped(superseded) opened:claimed acknowledged:held(quiet)");
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(rows(k, "chat"),
			    "opened:dropped(superseded) opened:done acknowledged:done");
	assert_string_equal(rows(k, "hook"), "opened:done opened:done acknowledged:done");
	assert_string_equal(ask(k, "SELECT state || count AS x FROM v_batches ORDER BY sink"),
			    "done2 done3");
}

static void one_alone_is_no_digest(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_DIGEST, k->now + HOUR);
	see(k, "al1", "open");
	k->now += HOUR;
	tick(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
	assert_string_equal(k->digests, "");
}

static void a_group_is_open_for_its_wait_or_until_it_is_full(void **state)
{
	struct kit *k = *state;

	wish_group(k, 30000, 3);
	see(k, "al1", "open");
	k->now += 10000;
	see(k, "al2", "open");
	tick(k);
	assert_int_equal(k->claim_count, 0);
	k->now += 20000;
	tick(k);
	assert_string_equal(k->digests, "group : al1 al2 ; group : al1 al2 ;");
	settle_all(k, DELIVERY_DONE);
	see(k, "al3", "open");
	see(k, "al4", "open");
	see(k, "al5", "open");
	see(k, "al6", "open");
	tick(k);
	assert_string_equal(k->digests, "group : al3 al4 al5 ; group : al3 al4 al5 ;");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'held' AND reason = 'group'"
				   " AND held_until IS NOT NULL"),
			    "2");
}

/* ---- closes ---- */

static void a_close_passes_what_holds_when_its_open_was_heard(void **state)
{
	struct kit *k = *state;

	see(k, "al1", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "acknowledged");
	see(k, "al1", "resolved");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1 resolved@1");
	assert_string_equal(rows(k, "hook"),
			    "opened:done acknowledged:dropped(superseded) resolved:claimed");
}

static void a_close_that_finds_its_open_waiting_joins_it(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	wish(k, HOLD_NONE, 0);
	see(k, "al1", "resolved");
	turn(k);
	assert_int_equal(k->claim_count, 0);
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests,
			    "quiet : al2 al1 resolved ; quiet : al1 al2 al1 resolved ;");
}

static void open_and_close_under_a_silence_end_both_and_are_counted(void **state)
{
	struct kit *k = *state;

	db_script(k->s->db, "INSERT INTO silences (id, matchers, since, until, comment, who)"
			    " VALUES (4, '[]', 0, 9000000, '', '')");
	wish(k, HOLD_SILENCE, k->now + HOUR);
	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i].wish.grp = 4;
	see(k, "al1", "open");
	assert_string_equal(ask(k, "SELECT held AS x FROM v_silences"), "2");
	see(k, "al1", "resolved");
	assert_string_equal(rows(k, "hook"),
			    "opened:dropped(silenced) resolved:dropped(silenced)");
	assert_string_equal(ask(k, "SELECT held || '/' || dropped AS x FROM v_silences"),
			    "0/2");
}

static void resolved_within_its_delay_nobody_hears_of_it(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_DELAY, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al1", "acknowledged");
	wish(k, HOLD_NONE, 0);
	see(k, "al1", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:dropped(resolved within delay)"
					     " acknowledged:dropped(resolved within delay)"
					     " resolved:dropped(resolved within delay)");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded)"
					     " acknowledged:dropped(resolved within delay)"
					     " resolved:dropped(resolved within delay)");
}

static void a_pager_that_did_not_hear_the_open_hears_no_close(void **state)
{
	struct kit *k = *state;

	talents(k, 0, 1, 1, true);
	wish(k, HOLD_DIGEST, k->now + HOUR);
	see(k, "al1", "open");
	wish(k, HOLD_NONE, 0);
	see(k, "al1", "resolved");
	assert_string_equal(rows(k, "chat"),
			    "opened:dropped(superseded) resolved:dropped(superseded)");
	/* Nor when it was only on its way. */
	see(k, "al2", "open");
	see(k, "al2", "resolved");
	assert_string_equal(ask(k, "SELECT event || ':' || state AS x FROM v_deliveries"
				   " WHERE sink = 'chat' AND alert_id = 'al2' ORDER BY id"),
			    "opened:dropped resolved:dropped");
}

static void a_close_waits_behind_a_digest_that_is_on_its_way(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	k->now += HOUR;
	tick(k);
	wish(k, HOLD_NONE, 0);
	see(k, "al2", "resolved");
	assert_string_equal(rows(k, "hook"),
			    "opened:claimed opened:held(quiet) resolved:held(behind)");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1 resolved@1");
}

/* ---- digests ---- */

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

/* ---- what else happens to rows ---- */

static void a_hold_outlives_the_daemon(void **state)
{
	struct kit *k = *state;

	wish_group(k, 30000, 10);
	see(k, "al1", "open");
	store_close(&k->s);
	kit_open(k);
	assert_true(store_recover(k->s, k->now, &k->err) == 0);
	see(k, "al2", "open");
	k->now += 30000;
	tick(k);
	assert_string_equal(k->digests, "group : al1 al2 ; group : al1 al2 ;");
}

static void what_is_held_for_a_sink_that_goes_is_orphaned_in_its_time(void **state)
{
	struct kit *k = *state;

	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "open");
	see(k, "al2", "open");
	kit_sinks(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:held(quiet) opened:held(quiet)");
	k->now += HOUR;
	tick(k);
	assert_string_equal(rows(k, "hook"), "opened:orphaned opened:held(quiet)");
	kit_sinks(k, 2);
	turn(k);
	assert_string_equal(k->digests, "quiet : al1 al2 ;");
}

static void a_silence_that_is_ended_lets_its_rows_go(void **state)
{
	struct kit *k = *state;

	db_script(k->s->db, "INSERT INTO silences (id, matchers, since, until, comment, who)"
			    " VALUES (4, '[]', 0, 9000000, '', '')");
	wish(k, HOLD_SILENCE, 9000000);
	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i].wish.grp = 4;
	see(k, "al1", "open");
	db_script(k->s->db, "UPDATE silences SET until = 0");
	tick(k);
	assert_int_equal(k->claim_count, 0);
	k->looks_at_silences = true;
	tick(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_held_row_waits_for_its_time_and_goes_alone_after_a_delay),
		STORY(flow_may_hold_it_on_or_drop_it),
		STORY(a_night_makes_one_digest),
		STORY(one_alone_is_no_digest),
		STORY(a_group_is_open_for_its_wait_or_until_it_is_full),
		STORY(a_close_passes_what_holds_when_its_open_was_heard),
		STORY(a_close_that_finds_its_open_waiting_joins_it),
		STORY(open_and_close_under_a_silence_end_both_and_are_counted),
		STORY(resolved_within_its_delay_nobody_hears_of_it),
		STORY(a_pager_that_did_not_hear_the_open_hears_no_close),
		STORY(a_close_waits_behind_a_digest_that_is_on_its_way),
		STORY(where_people_read_the_most_severe_are_listed_and_the_rest_counted),
		STORY(what_was_dropped_is_counted_in_the_digest_that_follows),
		STORY(a_sink_that_takes_one_at_a_time_gets_the_most_severe_first),
		STORY(a_digest_holds_no_more_than_a_send_may_tell),
		STORY(a_digest_that_is_tried_again_is_the_same_again),
		STORY(a_refused_digest_goes_out_one_by_one),
		STORY(inv2_each_member_of_a_digest_in_doubt_may_have_been_heard),
		STORY(a_dead_digest_leaves_each_member_dead),
		STORY(an_operator_takes_one_out_of_a_digest),
		STORY(a_hold_outlives_the_daemon),
		STORY(what_is_held_for_a_sink_that_goes_is_orphaned_in_its_time),
		STORY(a_silence_that_is_ended_lets_its_rows_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
