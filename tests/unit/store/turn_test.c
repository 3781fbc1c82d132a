/* One turn: outcomes, holds and claims in one transaction (invariants 1, 2, 7, 9, 13). */
#include "kit.h"

/* A second connection that holds the write lock, as a command does. */
static struct store *writer_opens(struct kit *k)
{
	struct store *other = store_open(k->path, STORE_COMMAND, &k->err);

	assert_non_null(other);
	db_begin(other->db);
	assert_int_equal(db_failure(other->db), DB_FINE);
	return other;
}

static void a_claim_says_all_that_a_send_needs(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	int64_t seen_at = k->now;

	k->now += 500;
	turn(k);
	assert_int_equal(k->claim_count, 1);
	const struct claim *c = &k->claims[0];

	assert_int_equal(c->id, delivery_key(c->event, k->sinks[1].number, ORIGIN_ROUTE, 0));
	assert_int_equal(c->sink, k->sinks[1].number);
	assert_int_equal(c->route, k->route);
	assert_int_equal(c->source, k->source);
	assert_int_equal(c->kind, EVENT_OPENED);
	assert_int_equal(c->origin, ORIGIN_ROUTE);
	assert_int_equal(c->ordinal, 0);
	assert_int_equal(c->episode, 1);
	assert_int_equal(c->seq, 1);
	assert_int_equal(c->at, seen_at);
	assert_int_equal(c->attempt, 1);
	assert_int_equal(c->first_attempt_at, k->now);
	assert_int_equal(c->body_len, strlen(c->body));
	assert_non_null(strstr(c->body, "\"id\":\"a\""));
	assert_string_equal(c->handle, "");
	assert_string_equal(c->progress, "");
	assert_false(c->first || c->possible_repeat);
}

/* Invariant 2: who claimed what and when is on the disk when the claim is told. */
static void invariant_2_a_claim_is_stored_before_it_is_told(void **state)
{
	struct kit *k = *state;
	char expected[64];

	kit_only(k, 1);
	see(k, "a", "open");
	k->now += 1;
	turn(k);
	struct store *reader = store_open(k->path, STORE_READ, &k->err);
	struct view *v =
		view_open(reader,
			  "SELECT state||attempt||' '||claimed_at||' '||claimed_by AS x"
			  " FROM v_deliveries",
			  NULL, 0, &k->err);

	assert_true(view_next(v));
	snprintf(expected, sizeof(expected), "claimed1 1000001 %ld", (long)getpid());
	assert_string_equal(view_text(v, "x"), expected);
	view_close(&v);
	store_close(&reader);
}

static void outcomes_and_next_claims_are_one_turn(void **state)
{
	struct kit *k = *state;
	struct settle settle;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "b", "open");
	kit_turn(k, NULL, 0, 1);
	assert_int_equal(k->answers[1].claimed, 1);
	assert_int_equal(k->answers[1].next_due_at, 1000000);
	settle = kit_outcome(k, &k->claims[0], DELIVERY_DONE);
	k->now += 7;
	kit_turn(k, &settle, 1, 1);
	assert_int_equal(k->claim_count, 1);
	assert_non_null(strstr(k->claims[0].body, "\"id\":\"b\""));
	assert_int_equal(k->answers[1].next_due_at, INT64_MAX);
	assert_string_equal(ask(k, "SELECT state||status||' '||ended_at AS x FROM v_deliveries"
				   " WHERE alert_id = 'a'"),
			    "done200 1000007");
}

static void rows_go_in_the_order_they_are_due(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	k->now = 3000;
	see(k, "late", "open");
	k->now = 1000;
	see(k, "early", "open");
	see(k, "early too", "open");
	k->now = 2000;
	turn(k);
	assert_int_equal(k->claim_count, 2);
	assert_non_null(strstr(k->claims[0].body, "early\""));
	assert_non_null(strstr(k->claims[1].body, "early too"));
	assert_int_equal(k->answers[1].next_due_at, 3000);
}

static void first_successes_leave_no_attempt_and_others_do(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "b", "open");
	turn(k);
	struct settle settles[2] = { kit_outcome(k, &k->claims[0], DELIVERY_DONE),
				     kit_outcome(k, &k->claims[1], DELIVERY_DUE) };

	settles[1].reason = "HTTP 503";
	settles[1].attempt.answer = "try later";
	kit_turn(k, settles, 2, 0);
	assert_string_equal(
		ask(k, "SELECT alert_id||sink||n||' '||at||' '||took_ms||verdict||status||"
		       "answer AS x FROM v_attempts"),
		"bhook1 1000000 41later503try later");
	assert_string_equal(ask(k, "SELECT state||attempt||due_at||reason||status||took_ms AS x"
				   " FROM v_deliveries WHERE alert_id = 'b'"),
			    "due11005000HTTP 50350341");
	k->now += 5000;
	turn(k);
	settle_all(k, DELIVERY_DONE);
	assert_string_equal(ask(k, "SELECT n||verdict AS x FROM v_attempts"),
			    "1later 2delivered");
	assert_string_equal(rows(k, "hook"), "opened:done opened:done");
}

static void the_latest_twenty_attempts_are_kept(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	for (int i = 0; i < 23; i++) {
		turn(k);
		assert_int_equal(k->claims[0].attempt, i + 1);
		settle_all(k, DELIVERY_DUE);
		k->now += 5000;
	}
	assert_string_equal(ask(k, "SELECT min(n)||' '||max(n)||' '||count(*) AS x"
				   " FROM v_attempts"),
			    "4 23 20");
}

static void rows_settle_together_only_when_they_are_alike(void **state)
{
	struct kit *k = *state;
	struct settle settles[40];
	char id[16];

	kit_only(k, 1);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "open");
	}
	turn(k);
	for (int i = 0; i < 40; i++) {
		settles[i] = kit_outcome(k, &k->claims[i], DELIVERY_DONE);
		settles[i].attempt.status = i % 20 < 17 ? 200 : 202;
	}
	settles[39].handle = "h39";
	kit_turn(k, settles, 40, 0);
	assert_string_equal(ask(k, "SELECT state||status||':'||count(*) AS x FROM v_deliveries"
				   " GROUP BY state, status"),
			    "done200:34 done202:6");
	assert_string_equal(ask(k, "SELECT handle AS x FROM v_deliveries"
				   " WHERE handle IS NOT NULL"),
			    "h39");
	assert_string_equal(ask(k, "SELECT sink||state||count AS x FROM v_counts"),
			    "hookdone40");
}

static void an_outcome_that_comes_twice_changes_nothing(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle done = kit_outcome(k, &k->claims[0], DELIVERY_DONE);
	struct settle late = kit_outcome(k, &k->claims[0], DELIVERY_DUE);

	kit_turn(k, &done, 1, 0);
	kit_turn(k, &late, 1, 0);
	assert_string_equal(rows(k, "hook"), "opened:done");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_attempts"), "0");
}

static void a_step_of_several_does_not_count_as_an_attempt(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle again = kit_outcome(k, &k->claims[0], DELIVERY_DUE);

	again.attempt.verdict = VERDICT_AGAIN;
	again.uncount = true;
	again.due_at = k->now;
	again.progress = "found";
	kit_turn(k, &again, 1, 64);
	assert_string_equal(claimed(k), "opened@1");
	assert_string_equal(k->claims[0].progress, "found");
	assert_int_equal(k->claims[0].first_attempt_at, 1000000);
}

static void a_row_never_started_has_not_begun_to_age(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle back = kit_outcome(k, &k->claims[0], DELIVERY_DUE);

	back.uncount = true;
	back.attempt = (struct attempt){ .at = 0 };
	kit_turn(k, &back, 1, 0);
	assert_string_equal(ask(k, "SELECT attempt||coalesce(first_attempt_at, 'none') AS x"
				   " FROM v_deliveries"),
			    "0none");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_attempts"), "0");
}

static void the_time_a_sink_was_held_is_noted_at_the_first_try(void **state)
{
	struct kit *k = *state;
	int sink = kit_only(k, 1);

	see(k, "a", "open");
	struct ask first = { .sink = sink, .room = 1, .held_total_ms = 70 };
	struct turn_batch batch = {
		.now = k->now, .asks = &first, .ask_count = 1, .done = kit_turn_done, .arg = k
	};

	store_turn(k->s, &batch);
	assert_int_equal(k->claims[0].held_base_ms, 70);
	settle_all(k, DELIVERY_DUE);
	first.held_total_ms = 900;
	batch.now += 5000;
	store_turn(k->s, &batch);
	assert_int_equal(k->claims[0].held_base_ms, 70);
	assert_int_equal(k->claims[0].first_attempt_at, 1000000);
}

static void invariant_7_a_probe_takes_the_row_least_tried(void **state)
{
	struct kit *k = *state;
	int sink = kit_only(k, 1);

	see(k, "poison", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE);
	k->now += 60000;
	see(k, "good", "open");
	see(k, "good too", "open");
	struct ask probe = { .sink = sink, .room = 1, .probe = true };
	struct turn_batch batch = {
		.now = k->now, .asks = &probe, .ask_count = 1, .done = kit_turn_done, .arg = k
	};

	store_turn(k->s, &batch);
	assert_int_equal(k->claim_count, 1);
	assert_non_null(strstr(k->claims[0].body, "good\""));
	assert_string_equal(ask(k, "SELECT alert_id AS x FROM v_deliveries"
				   " WHERE state = 'claimed'"),
			    "good");
}

static void a_hold_is_stored_for_the_next_start(void **state)
{
	struct kit *k = *state;
	struct hold hold = { .sink = k->sinks[1].number,
			     .held_until = 90,
			     .down_since = 80,
			     .held_total_ms = 70,
			     .reason = "HTTP 503" };
	struct turn_batch batch = {
		.now = k->now, .holds = &hold, .hold_count = 1, .done = kit_turn_done, .arg = k
	};

	store_turn(k->s, &batch);
	assert_true(k->ok);
	kit_sinks(k, 2);
	assert_int_equal(k->sinks[1].held_until, 90);
	assert_int_equal(k->sinks[1].down_since, 80);
	assert_int_equal(k->sinks[1].held_total_ms, 70);
	assert_string_equal(k->sinks[1].reason, "HTTP 503");
	assert_string_equal(ask(k, "SELECT name||type||state AS x FROM v_sinks"),
			    "chatslackup hookwebhookdown");
	hold = (struct hold){ .sink = k->sinks[1].number, .held_total_ms = 75, .reason = "" };
	store_turn(k->s, &batch);
	assert_string_equal(ask(k, "SELECT state||coalesce(reason, '-') AS x FROM v_sinks"),
			    "up- up-");
}

static void a_follow_up_gets_the_handle_its_open_left(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DONE);

	settle.handle = "C1:170.5";
	kit_turn(k, &settle, 1, 0);
	see(k, "a", "acknowledged");
	turn(k);
	assert_string_equal(k->claims[0].handle, "C1:170.5");
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "resolved");
	turn(k);
	assert_string_equal(k->claims[0].handle, "C1:170.5");
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "open");
	turn(k);
	assert_int_equal(k->claims[0].episode, 2);
	assert_string_equal(k->claims[0].handle, "");
}

static void an_empty_turn_needs_no_transaction(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	k->now += 10;
	see(k, "a", "open");
	k->now -= 10;
	struct store *other = writer_opens(k);

	turn(k);
	assert_int_equal(k->claim_count, 0);
	assert_int_equal(k->answers[1].next_due_at, 1000010);
	assert_int_equal(k->answers[0].next_due_at, INT64_MAX);
	db_rollback(other->db);
	store_close(&other);
}

static void invariant_13_a_busy_store_takes_the_batch_later(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DONE);
	struct store *other = writer_opens(k);

	kit_turn(k, &settle, 1, 64);
	assert_false(k->ok);
	assert_true(k->busy);
	kit_show(k, "b", "open", "t");
	assert_false(k->ok);
	assert_true(k->busy);
	db_rollback(other->db);
	store_close(&other);
	kit_turn(k, &settle, 1, 64);
	assert_true(k->ok);
	assert_string_equal(rows(k, "hook"), "opened:done");
}

static void invariant_9_known_outcomes_wait_for_room(void **state)
{
	struct kit *k = *state;
	char answer[20000];

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DUE);

	memset(answer, 'x', sizeof(answer));
	answer[sizeof(answer) - 1] = '\0';
	settle.attempt.answer = answer;
	db_room(k->s->db, 0);
	kit_turn(k, &settle, 1, 64);
	assert_false(k->ok);
	assert_true(k->full);
	assert_string_equal(rows(k, "hook"), "opened:claimed");
	db_room(k->s->db, -1);
	kit_turn(k, &settle, 1, 64);
	assert_true(k->ok);
	assert_string_equal(rows(k, "hook"), "opened:due");
}

/* A kill within the transaction: nothing of it; after it: the claim is found. */
static void die_while_claiming(struct kit *k, bool before_commit)
{
	int status;

	store_close(&k->s);
	pid_t child = fork();

	if (child == 0) {
		k->s = store_open(k->path, STORE_DAEMON, &k->err);
		if (before_commit) {
			db_begin(k->s->db);
			db_script(k->s->db, "UPDATE deliveries SET state = 'claimed'");
		} else {
			turn(k);
		}
		_exit(9);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 9);
	kit_open(k);
}

static void invariant_1_a_kill_before_the_commit_claims_nothing(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	die_while_claiming(k, true);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	assert_string_equal(rows(k, "hook"), "opened:due");
	turn(k);
	assert_false(k->claims[0].possible_repeat);
}

static void invariant_2_what_was_claimed_at_a_kill_may_have_been_sent(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "b", "open");
	die_while_claiming(k, false);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 2);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	turn(k);
	assert_string_equal(claimed(k), "opened@2 opened@2");
	assert_true(k->claims[0].possible_repeat);
	/* The mark is for good. */
	settle_all(k, DELIVERY_DUE);
	k->now += 5000;
	turn(k);
	assert_true(k->claims[1].possible_repeat);
}

static void a_clock_that_jumped_back_keeps_no_claimed_row(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	k->now = 5;
	assert_int_equal(store_recover(k->s, k->now, &k->err), 1);
	turn(k);
	assert_int_equal(k->claim_count, 1);
}

static void a_row_without_its_event_stops_nobody(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "b", "open");
	db_begin(k->s->db);
	db_script(k->s->db, "DELETE FROM events WHERE id = 1");
	assert_true(db_commit(k->s->db, &k->err));
	turn(k);
	assert_int_equal(k->claim_count, 1);
	assert_non_null(strstr(k->claims[0].body, "\"id\":\"b\""));
	assert_int_equal(k->answers[1].claimed, 1);
	assert_string_equal(
		ask(k, "SELECT state||reason AS x FROM v_deliveries WHERE id < 1<<28"),
		"deadits event is not in the store");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_claim_says_all_that_a_send_needs),
		STORY(invariant_2_a_claim_is_stored_before_it_is_told),
		STORY(outcomes_and_next_claims_are_one_turn),
		STORY(rows_go_in_the_order_they_are_due),
		STORY(first_successes_leave_no_attempt_and_others_do),
		STORY(the_latest_twenty_attempts_are_kept),
		STORY(rows_settle_together_only_when_they_are_alike),
		STORY(an_outcome_that_comes_twice_changes_nothing),
		STORY(a_step_of_several_does_not_count_as_an_attempt),
		STORY(a_row_never_started_has_not_begun_to_age),
		STORY(the_time_a_sink_was_held_is_noted_at_the_first_try),
		STORY(invariant_7_a_probe_takes_the_row_least_tried),
		STORY(a_hold_is_stored_for_the_next_start),
		STORY(a_follow_up_gets_the_handle_its_open_left),
		STORY(an_empty_turn_needs_no_transaction),
		STORY(invariant_13_a_busy_store_takes_the_batch_later),
		STORY(invariant_9_known_outcomes_wait_for_room),
		STORY(invariant_1_a_kill_before_the_commit_claims_nothing),
		STORY(invariant_2_what_was_claimed_at_a_kill_may_have_been_sent),
		STORY(a_clock_that_jumped_back_keeps_no_claimed_row),
		STORY(a_row_without_its_event_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
