/* The operator's requeue and drop. */
#include "../change_rows.h"
#include "kit.h"

static int64_t requeue(struct kit *k, const char *where)
{
	return change_rows(k->s, store_requeue, where, k->now, &k->err);
}

static int64_t drop(struct kit *k, const char *where)
{
	return change_rows(k->s, store_drop, where, k->now, &k->err);
}

static void a_dead_letter_is_requeued_with_what_the_alert_is_now(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	settle_all(k, DELIVERY_DEAD);
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	k->now += 50;
	assert_int_equal(requeue(k, "state = 'dead'"), 1);
	assert_string_equal(rows(k, "hook"),
			    "opened:moved(requeued) resolved:moved(requeued) resolved:due");
	assert_string_equal(ask(k, "SELECT origin||n||route AS x FROM v_deliveries"
				   " WHERE state = 'due'"),
			    "requeue1rest");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
	assert_int_equal(k->claims[0].origin, ORIGIN_REQUEUE);
	assert_int_equal(k->claims[0].ordinal, 1);
	settle_all(k, DELIVERY_DEAD);
	assert_int_equal(requeue(k, "state = 'dead'"), 1);
	turn(k);
	assert_int_equal(k->claims[0].ordinal, 2);
}

static void a_requeued_row_waits_its_turn(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "acknowledged");
	turn(k);
	int64_t first = delivery_key(1, k->sinks[1].number, ORIGIN_ROUTE, 0);
	struct selection which = { .ids = &first, .id_count = 1 };

	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 1);
	assert_string_equal(rows(k, "hook"), "opened:moved(requeued) acknowledged:claimed "
					     "acknowledged:held(behind)");
	settle_all(k, DELIVERY_DEAD);
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	/* The open was heard, though it is moved now. */
	see(k, "a", "resolved");
	assert_string_equal(ask(k, "SELECT state AS x FROM v_deliveries"
				   " WHERE event = 'resolved'"),
			    "due");
}

static void a_requeued_row_finds_the_handle_of_its_first(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DONE);

	settle.handle = "C1:170.5";
	kit_turn(k, &settle, 1, 0);
	assert_int_equal(requeue(k, "state = 'done'"), 1);
	turn(k);
	assert_string_equal(k->claims[0].handle, "C1:170.5");
}

static void a_held_row_that_is_requeued_leaves_its_place(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	int64_t middle = delivery_key(2, k->sinks[1].number, ORIGIN_FOLLOW, 0);
	struct selection which = { .ids = &middle, .id_count = 1 };

	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 1);
	assert_string_equal(rows(k, "hook"), "opened:claimed acknowledged:moved(requeued) "
					     "resolved:held(behind) resolved:held(behind)");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_int_equal(k->claim_count, 1);
	assert_int_equal(k->claims[0].origin, ORIGIN_FOLLOW);
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_int_equal(k->claims[0].origin, ORIGIN_REQUEUE);
}

static void what_is_on_its_way_is_left_alone(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	turn(k);
	assert_int_equal(requeue(k, "state = 'claimed'"), 0);
	assert_int_equal(drop(k, "state = 'claimed'"), 0);
	assert_string_equal(rows(k, "hook"), "opened:claimed");
}

static void to_drop_a_row_drops_what_waits_behind_it(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	see(k, "b", "open");
	int64_t first = delivery_key(1, k->sinks[1].number, ORIGIN_ROUTE, 0);
	struct selection which = { .ids = &first, .id_count = 1 };

	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 3);
	assert_string_equal(rows(k, "hook"),
			    "opened:dropped(operator) acknowledged:dropped(operator) "
			    "resolved:dropped(operator) opened:due");
	turn(k);
	assert_int_equal(k->claim_count, 1);
}

static void a_row_that_left_its_state_meanwhile_is_left_alone(void **state)
{
	struct kit *k = *state;
	int hook = kit_only(k, 1);
	int64_t ids[] = { delivery_key(1, hook, ORIGIN_ROUTE, 0),
			  delivery_key(2, hook, ORIGIN_ROUTE, 0),
			  delivery_key(3, hook, ORIGIN_ROUTE, 0), 4711 };
	struct selection which = { .ids = ids, .id_count = 4, .states = 1u << DELIVERY_DUE };

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "b", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	see(k, "c", "open");
	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 1);
	assert_string_equal(rows(k, "hook"),
			    "opened:done opened:dead opened:moved(requeued) opened:due");
	which.states = 1u << DELIVERY_HELD | 1u << DELIVERY_DEAD;
	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 1);
}

static void a_drop_within_the_line_leaves_those_before(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	int64_t middle = delivery_key(2, k->sinks[1].number, ORIGIN_FOLLOW, 0);
	struct selection which = { .ids = &middle, .id_count = 1 };

	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 2);
	/* The next event finds the open on its way, behind two rows that have ended. */
	see(k, "a", "open");
	assert_string_equal(rows(k, "hook"),
			    "opened:claimed acknowledged:dropped(operator) "
			    "resolved:dropped(operator) reopened:held(behind)");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "reopened@1");
}

/* ---- pace ---- */

static void a_paced_requeue_spreads_the_rows_of_each_sink(void **state)
{
	struct kit *k = *state;
	struct pace *pace = mem_new(sizeof(*pace));
	char id[16];

	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "open");
	}
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	*pace = (struct pace){ .rate = { .count = 10, .per_ms = 1000 }, .start_at = k->now };
	for (int i = 0; i < 2; i++) {
		int64_t ids[4];
		struct selection which = { .ids = ids, .pace = pace };

		/* Two calls, one pace. */
		for (int n = i; n < 3; n += 2)
			for (int sink = 0; sink < 2; sink++)
				ids[which.id_count++] = delivery_key(
					n + 1, k->sinks[sink].number, ORIGIN_ROUTE, 0);
		assert_true(store_requeue(k->s, &which, k->now, &k->err) > 0);
	}
	assert_string_equal(ask(k, "SELECT sink||'+'||(due_at - 1000000) AS x FROM v_deliveries"
				   " WHERE state = 'due' ORDER BY sink, due_at"),
			    "chat+0 chat+100 chat+200 hook+0 hook+100 hook+200");
	mem_free(&pace);
}

/* A row of "a", never tried, that waits an hour for its turn. */
static void spread(struct kit *k)
{
	struct pace *pace = mem_new(sizeof(*pace));
	int64_t id = delivery_key(1, k->targets[0].sink, ORIGIN_ROUTE, 0);
	struct selection which = { .ids = &id, .id_count = 1, .pace = pace };

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	*pace = (struct pace){ .rate = { .count = 1, .per_ms = 1 },
			       .start_at = k->now + 3600000 };
	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 1);
	mem_free(&pace);
	turn(k);
	assert_int_equal(k->claim_count, 0);
}

static void news_of_an_alert_do_not_wait_for_a_row_that_is_spread(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	spread(k);
	k->now += 5;
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"),
			    "opened:moved(requeued) opened:due resolved:held(behind)");
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
}

static void news_that_take_the_place_of_a_spread_row_go_at_once(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	spread(k);
	k->now += 5;
	see(k, "a", "resolved");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

/* ---- sinks ---- */

static const char *sink(struct kit *k)
{
	return ask(k, "SELECT state||' '||held_total_ms||' '||coalesce(reason, '-')||' '||"
		      "coalesce(held_since, '-')||' '||coalesce(held_until, '-') AS x"
		      " FROM v_sinks WHERE name = 'hook'");
}

static void inv8_the_time_in_which_a_sink_was_held_is_counted_whoever_held_it(void **state)
{
	struct kit *k = *state;
	struct hold down = { .sink = k->sinks[1].number,
			     .held_until = 1900000,
			     .down_since = 1000000,
			     .held_total_ms = 7,
			     .reason = "HTTP 503" };
	struct turn_batch batch = {
		.now = k->now, .holds = &down, .hold_count = 1, .done = kit_turn_done, .arg = k
	};

	store_turn(k->s, &batch);
	assert_string_equal(sink(k), "down 7 HTTP 503 - 1900000");
	assert_true(store_sink_hold(k->s, "hook", "moving it", 1000100, &k->err));
	assert_string_equal(sink(k), "held 107 moving it 1000100 -");
	/* Again: only the reason is new. */
	assert_true(store_sink_hold(k->s, "hook", NULL, 1000200, &k->err));
	assert_string_equal(sink(k), "held 107 - 1000100 -");
	/* What a daemon thinks of it that has not looked yet is of no account. */
	store_turn(k->s, &batch);
	assert_true(k->ok);
	assert_string_equal(sink(k), "held 107 - 1000100 -");
	/* It outlives the daemon. */
	store_close(&k->s);
	kit_open(k);
	assert_int_equal(k->sinks[1].paused_at, 1000100);
	assert_int_equal(k->sinks[1].held_total_ms, 107);
	assert_true(store_sink_release(k->s, "hook", 1001000, &k->err));
	assert_string_equal(sink(k), "up 1007 - - -");
}

static void to_release_a_sink_ends_what_holds_it_for_failures(void **state)
{
	struct kit *k = *state;
	struct hold down = { .sink = k->sinks[1].number,
			     .held_until = 1900000,
			     .down_since = 999000,
			     .reason = "HTTP 503" };
	struct turn_batch batch = {
		.now = k->now, .holds = &down, .hold_count = 1, .done = kit_turn_done, .arg = k
	};

	store_turn(k->s, &batch);
	assert_true(store_sinks_look(k->s, k->sinks, 2, &k->err));
	assert_int_equal(k->sinks[1].released_at, 0);
	assert_true(store_sink_release(k->s, "hook", 1000000, &k->err));
	assert_string_equal(sink(k), "up 1000 - - -");
	assert_true(store_sinks_look(k->s, k->sinks, 2, &k->err));
	assert_int_equal(k->sinks[1].released_at, 1000000);
	/* A clock that jumped back does not make two releases look like one. */
	assert_true(store_sink_release(k->s, "hook", 5, &k->err));
	assert_true(store_sinks_look(k->s, k->sinks, 2, &k->err));
	assert_int_equal(k->sinks[1].released_at, 1000001);
}

static void rows_that_failed_are_due_at_once_when_they_are_hastened(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE);
	assert_int_equal(change_rows(k->s, store_hasten, "attempt > 0", k->now, &k->err), 1);
	assert_int_equal(change_rows(k->s, store_hasten, "attempt > 0", k->now, &k->err), 0);
	turn(k);
	assert_string_equal(claimed(k), "opened@2");
}

static void what_the_store_does_not_know_is_said_or_left_alone(void **state)
{
	struct kit *k = *state;
	int64_t nothing = 4711;
	struct selection which = { .ids = &nothing, .id_count = 1 };

	assert_false(store_sink_hold(k->s, "pager", NULL, 5, &k->err));
	assert_string_equal(k->err.text, "the store knows no sink pager");
	assert_false(store_sink_release(k->s, "pager", 5, &k->err));
	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 0);
	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 0);
}

static void more_than_a_chunk_is_requeued_beside_a_daemon(void **state)
{
	struct kit *k = *state;
	struct alert *items = mem_array(1100, sizeof(*items));
	char id[16];

	kit_only(k, 1);
	for (int i = 0; i < 1100; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		kit_alert(&items[i], id, "open", "t");
	}
	struct page_batch batch = kit_page(k, items, 1100);

	store_page(k->s, &batch);
	db_begin(k->s->db);
	db_script(k->s->db, "UPDATE deliveries SET state = 'dead'");
	assert_true(db_commit(k->s->db, &k->err));
	int64_t version = store_version(k->s);
	struct store *daemon = k->s;

	k->s = store_open(k->path, STORE_COMMAND, &k->err);
	assert_non_null(k->s);
	assert_int_equal(requeue(k, "state = 'dead'"), 1100);
	store_close(&k->s);
	k->s = daemon;
	assert_true(store_version(k->s) != version);
	assert_string_equal(ask(k, "SELECT state||count AS x FROM v_counts ORDER BY 1"),
			    "due1100 moved1100");
	for (int i = 0; i < 1100; i++)
		alert_release(&items[i]);
	mem_free(&items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_dead_letter_is_requeued_with_what_the_alert_is_now),
		STORY(a_requeued_row_waits_its_turn),
		STORY(a_requeued_row_finds_the_handle_of_its_first),
		STORY(a_held_row_that_is_requeued_leaves_its_place),
		STORY(what_is_on_its_way_is_left_alone),
		STORY(to_drop_a_row_drops_what_waits_behind_it),
		STORY(a_row_that_left_its_state_meanwhile_is_left_alone),
		STORY(a_drop_within_the_line_leaves_those_before),
		STORY(a_paced_requeue_spreads_the_rows_of_each_sink),
		STORY(news_of_an_alert_do_not_wait_for_a_row_that_is_spread),
		STORY(news_that_take_the_place_of_a_spread_row_go_at_once),
		STORY(inv8_the_time_in_which_a_sink_was_held_is_counted_whoever_held_it),
		STORY(to_release_a_sink_ends_what_holds_it_for_failures),
		STORY(rows_that_failed_are_due_at_once_when_they_are_hastened),
		STORY(what_the_store_does_not_know_is_said_or_left_alone),
		STORY(more_than_a_chunk_is_requeued_beside_a_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
