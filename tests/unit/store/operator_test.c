/* The operator's requeue and drop. */
#include "kit.h"

static int64_t requeue(struct kit *k, const char *sink, const char *state)
{
	struct selection which = { .sink = sink, .state = state };

	return store_requeue(k->s, &which, k->now, &k->err);
}

static int64_t drop(struct kit *k, const char *sink, const char *state)
{
	return store_drop(k->s, &(struct selection){ .sink = sink, .state = state }, k->now,
			  &k->err);
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
	assert_int_equal(requeue(k, "hook", NULL), 1);
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
	assert_int_equal(requeue(k, NULL, "dead"), 1);
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
	assert_int_equal(requeue(k, "chat", "done"), 1);
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
	assert_int_equal(requeue(k, NULL, "claimed"), 0);
	assert_int_equal(drop(k, NULL, "claimed"), 0);
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

static void drop_takes_what_has_not_ended_or_the_state_it_is_told(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	see(k, "b", "open");
	see(k, "b", "resolved");
	assert_int_equal(drop(k, "hook", NULL), 2);
	assert_int_equal(drop(k, "hook", "dead"), 1);
	assert_int_equal(drop(k, "hook", "dead"), 0);
	assert_int_equal(drop(k, "chat", NULL), 0);
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

static void what_the_store_does_not_know_is_said(void **state)
{
	struct kit *k = *state;
	int64_t nothing = 4711;
	struct selection which = { .ids = &nothing, .id_count = 1 };

	assert_int_equal(requeue(k, "pager", NULL), -1);
	assert_string_equal(k->err.text, "the store knows no sink pager");
	assert_int_equal(drop(k, "chat", "sleeping"), -1);
	assert_string_equal(k->err.text, "sleeping is no state of a delivery");
	assert_int_equal(store_requeue(k->s, &which, k->now, &k->err), 0);
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
	assert_int_equal(requeue(k, NULL, NULL), 1100);
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
		STORY(drop_takes_what_has_not_ended_or_the_state_it_is_told),
		STORY(a_drop_within_the_line_leaves_those_before),
		STORY(what_the_store_does_not_know_is_said),
		STORY(more_than_a_chunk_is_requeued_beside_a_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
