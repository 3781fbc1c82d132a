/*
 * Rows that are held for a time, told as stories: what a close finds, who goes out with whom, and
 * what becomes of a digest. Flow's answers are the kit's; the clock moves by hand.
 */
#include "held.h"

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
			    "0/4");
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

/* Its open was on its way before anything held, so the sink will have heard it. */
static void a_close_is_not_held_behind_an_open_that_goes(void **state)
{
	struct kit *k = *state;

	see(k, "al1", "open");
	turn(k);
	wish(k, HOLD_QUIET, k->now + HOUR);
	see(k, "al1", "resolved");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1 resolved@1");
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
	k->looks_ahead = true;
	tick(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
}

/* ---- clocks that are set back ---- */

enum { SECOND = 1000 };
#define DAY (INT64_C(24) * HOUR)

/* What is meant for a time of the day keeps to it; a few minutes last as long as the jump, too. */
static void what_is_held_waits_until_the_clock_shows_its_time(void **state)
{
	struct kit *k = *state;
	int64_t until = k->now + HOUR;

	wish(k, HOLD_QUIET, until);
	see(k, "al1", "open");
	k->now -= 600 * SECOND;
	k->looks_ahead = true;
	tick(k);
	assert_int_equal(k->claim_count, 0);
	assert_int_equal(k->next_tick_at, k->now + HOUR);
	k->now = until - 1;
	tick(k);
	assert_int_equal(k->claim_count, 0);
	k->now = until;
	tick(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
}

static void held_by_a_clock_that_was_ahead_it_waits_no_longer_than_its_reason_can_hold(
	void **state)
{
	static const struct {
		enum hold_reason reason;
		int64_t days;
	} longest[] = {
		{ HOLD_GROUP, 2 },   { HOLD_STORM, 2 },       { HOLD_DELAY, 2 },
		{ HOLD_QUIET, 8 },   { HOLD_DIGEST, 8 },      { HOLD_FLAP, 8 },
		{ HOLD_REPEAT, 31 }, { HOLD_ESCALATION, 31 }, { HOLD_SILENCE, 367 },
	};
	struct kit *k = *state;
	char id[16];

	kit_only(k, 1);
	db_script(k->s->db, "INSERT INTO silences (id, matchers, since, until, comment, who)"
			    " VALUES (4, '[]', 0, 9000000000000, '', '')");
	k->now += 30 * 365 * DAY;
	for (size_t i = 0; i < ARRAY_LEN(longest); i++) {
		wish(k, longest[i].reason, k->now + longest[i].days * DAY);
		k->targets[0].wish.grp = 4;
		snprintf(id, sizeof(id), "al%zu", i);
		see(k, id, "open");
	}
	/* As long as each can be, they wait. */
	k->looks_ahead = true;
	tick(k);
	assert_string_equal(k->ripe, "");
	assert_int_equal(k->claim_count, 0);
	k->now -= 1;
	k->looks_ahead = false;
	tick(k);
	assert_string_equal(k->ripe, "");
	k->looks_ahead = true;
	tick(k);
	assert_string_equal(k->ripe,
			    "opened(group) opened(storm) opened(delay) opened(quiet) "
			    "opened(digest) opened(flap) opened(repeat) opened(escalation) "
			    "opened(silence)");
	assert_int_equal(k->claim_count, ARRAY_LEN(longest));
}

/* Far more of them than one tick looks at. */
static void a_tick_lets_go_of_some_and_is_wanted_again(void **state)
{
	struct kit *k = *state;
	char id[16];

	kit_only(k, 1);
	wish(k, HOLD_DELAY, k->now + 3000 * DAY);
	for (size_t i = 0; i < 150; i++) {
		snprintf(id, sizeof(id), "al%zu", i);
		see(k, id, "open");
	}
	k->looks_ahead = true;
	tick(k);
	assert_int_equal(k->next_tick_at, k->now);
	tick(k);
	assert_int_equal(k->next_tick_at, INT64_MAX);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'held'"),
			    "0");
}

static void while_anything_is_held_a_tick_is_wanted_within_the_hour(void **state)
{
	struct kit *k = *state;

	tick(k);
	assert_int_equal(k->next_tick_at, INT64_MAX);
	wish(k, HOLD_QUIET, k->now + 5 * HOUR);
	see(k, "al1", "open");
	tick(k);
	assert_int_equal(k->next_tick_at, k->now + HOUR);
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
		STORY(a_close_is_not_held_behind_an_open_that_goes),
		STORY(a_hold_outlives_the_daemon),
		STORY(what_is_held_for_a_sink_that_goes_is_orphaned_in_its_time),
		STORY(a_silence_that_is_ended_lets_its_rows_go),
		STORY(what_is_held_waits_until_the_clock_shows_its_time),
		STORY(held_by_a_clock_that_was_ahead_it_waits_no_longer_than_its_reason_can_hold),
		STORY(a_tick_lets_go_of_some_and_is_wanted_again),
		STORY(while_anything_is_held_a_tick_is_wanted_within_the_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
