/*
 * What goes to a fallback, in which order, and what stays. "hook" goes to "chat" here and the
 * other way round; chat collapses, hook does not.
 */
#include "kit.h"

static const char WHY[] = "to chat: gave up";

static struct kit *one_sink(void **state, int index)
{
	struct kit *k = *state;

	kit_only(k, index);
	return k;
}

static void moves_with(struct kit *k, const struct settle *settle, const struct move *move)
{
	struct turn_batch batch = { .now = k->now,
				    .settles = settle,
				    .settle_count = settle != NULL,
				    .moves = move,
				    .move_count = move != NULL,
				    .done = kit_turn_done,
				    .arg = k };

	store_turn(k->s, &batch);
	if (!k->ok)
		fail_msg("%s", k->error);
}

/* The claimed row that comes first dies, and its sink has a fallback. */
static void dies(struct kit *k, int to)
{
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_MOVED);

	settle.moved_to = k->sinks[to].number;
	settle.reason = WHY;
	moves_with(k, &settle, NULL);
}

/* Sink `from` is down: what waits there goes to the other one. */
static void goes_on(struct kit *k, int from, size_t room, struct move_mark after)
{
	struct move move = { .from = k->sinks[from].number,
			     .to = k->sinks[1 - from].number,
			     .room = room,
			     .after = after,
			     .reason = WHY };

	moves_with(k, NULL, &move);
}

static void goes(struct kit *k, int from)
{
	goes_on(k, from, 100, (struct move_mark){ 0, 0 });
	assert_true(k->moved.is_end);
}

/* What both sinks have, by event. */
static const char *all_rows(struct kit *k)
{
	return ask(k, "SELECT sink || ':' || event || ':' || origin || ':' || state AS x"
		      " FROM v_deliveries ORDER BY event_id, sink, id");
}

/* ---- one row ---- */

static void invariant_4_a_row_that_would_die_ends_moved_and_the_fallback_has_one(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	dies(k, 0);
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up)");
	assert_string_equal(ask(k, "SELECT origin || n || route || state || attempt AS x"
				   " FROM v_deliveries WHERE sink = 'chat'"),
			    "fallback1restdue0");
	assert_string_equal(ask(k, "SELECT verdict AS x FROM v_attempts"), "never");
	turn(k);
	assert_int_equal(k->claim_count, 1);
	assert_int_equal(k->claims[0].origin, ORIGIN_FALLBACK);
	assert_int_equal(k->claims[0].ordinal, 1);
}

static void invariant_4_what_waits_at_a_dead_sink_goes_whenever_it_is_due(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE); /* in 5 s */
	see(k, "b", "open");
	goes(k, 1);
	assert_int_equal(k->moved.count, 2);
	assert_string_equal(rows(k, "chat"), "opened:due opened:due");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries WHERE sink = 'hook'"
				   " AND state = 'moved' AND ended_at = 1000000"),
			    "2");
}

static void invariant_7_the_probe_stays(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	see(k, "b", "open");
	goes(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:claimed opened:moved(to chat: gave up)");
}

static void a_row_that_came_by_a_fallback_goes_nowhere(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	goes(k, 1);
	goes(k, 0);
	assert_int_equal(k->moved.count, 0);
	assert_string_equal(rows(k, "chat"), "opened:due");
}

/* ---- order ---- */

static void invariant_6_what_waits_behind_goes_along_in_order(void **state)
{
	struct kit *k = one_sink(state, 0);

	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	dies(k, 1);
	assert_string_equal(all_rows(k), "chat:opened:route:moved hook:opened:fallback:due "
					 "chat:resolved:follow:moved "
					 "hook:resolved:fallback:held");
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
}

static void where_a_state_is_shown_what_comes_folds(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	see(k, "a", "resolved");
	goes(k, 1);
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up) "
					     "resolved:moved(to chat: gave up)");
}

static void invariant_6_the_fallback_ends_what_it_began_before(void **state)
{
	struct kit *k = one_sink(state, 1);

	/* The last episode of the alert is on its way there. */
	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "a", "resolved");
	turn(k);
	struct settle done = kit_outcome(k, &k->claims[0], DELIVERY_DONE);

	kit_only(k, 1);
	see(k, "a", "open");
	goes(k, 1);
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:claimed "
					     "reopened:held(behind)");
	moves_with(k, &done, NULL);
	assert_string_equal(rows(k, "chat"),
			    "opened:dropped(superseded) resolved:done reopened:due");
}

static void a_row_of_the_same_turn_releases_what_comes_behind_it(void **state)
{
	struct kit *k = one_sink(state, 1);
	struct settle settles[2];

	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "a", "resolved");
	turn(k);
	kit_only(k, 1);
	see(k, "a", "open");
	struct claim at_chat = k->claims[0];

	kit_turn(k, NULL, 0, 64);
	settles[0] = kit_outcome(k, &at_chat, DELIVERY_DONE);
	settles[1] = kit_outcome(k, &k->claims[0], DELIVERY_MOVED);
	settles[1].moved_to = k->sinks[0].number;
	settles[1].reason = WHY;
	kit_turn(k, settles, 2, 0);
	assert_string_equal(rows(k, "chat"),
			    "opened:dropped(superseded) resolved:done reopened:due");
}

static void a_later_episode_does_not_go_along(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	see(k, "a", "resolved");
	see(k, "a", "open");
	dies(k, 0);
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up) "
					     "resolved:moved(to chat: gave up) reopened:due");
}

static void what_came_by_a_fallback_is_released_where_it_waits(void **state)
{
	struct kit *k = *state;

	/* chat's close comes to hook, where the open is on its way. */
	see(k, "a", "open");
	turn(k);
	k->refused_sink = k->sinks[1].number;
	see(k, "a", "resolved");
	struct settle chat = kit_outcome(k, &k->claims[0], DELIVERY_MOVED);

	assert_int_equal(k->claims[0].sink, k->sinks[0].number);
	chat.moved_to = k->sinks[1].number;
	chat.reason = WHY;
	moves_with(k, &chat, NULL);
	assert_string_equal(rows(k, "hook"), "opened:claimed resolved:held(behind)");
	struct settle hook = kit_outcome(k, &k->claims[0], DELIVERY_MOVED);

	hook.id = delivery_key(1, k->sinks[1].number, ORIGIN_ROUTE, 0);
	hook.moved_to = k->sinks[0].number;
	hook.reason = WHY;
	moves_with(k, &hook, NULL);
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up) resolved:due");
}

/* ---- no second row ---- */

static void who_hears_it_anyway_gets_no_second_row(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	goes(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up)");
	assert_string_equal(rows(k, "chat"), "opened:due");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "b", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE);
	goes(k, 1);
	assert_string_equal(rows(k, "chat"), "opened:done opened:due");
}

static void an_old_open_never_follows_its_close(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	/* A severity that rose brought the other sink in; it hears the close, too. */
	kit_only(k, 0);
	k->is_raised = true;
	kit_show(k, "a", "open", "worse");
	k->is_raised = false;
	see(k, "a", "resolved");
	dies(k, 0);
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
}

static void a_fallback_that_refused_it_is_not_asked_again(void **state)
{
	struct kit *k = *state;
	struct store_sink sinks[3] = { k->sinks[0],
				       k->sinks[1],
				       { .name = "third", .type = "webhook" } };

	assert_true(store_sinks(k->s, sinks, 3, &k->err));
	kit_only(k, 1);
	kit_target(k, 1, sinks[2].number);
	see(k, "a", "open");
	goes(k, 1);
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	struct move move = {
		.from = sinks[2].number, .to = sinks[0].number, .room = 1, .reason = WHY
	};

	moves_with(k, NULL, &move);
	assert_string_equal(rows(k, "third"), "opened:moved(to chat: gave up)");
	assert_string_equal(rows(k, "chat"), "opened:dead");
}

/* ---- who heard (invariant 5) ---- */

static void invariant_5_later_events_go_to_the_fallback_alone(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	goes(k, 1);
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "acknowledged");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up)");
	assert_string_equal(rows(k, "chat"),
			    "opened:done acknowledged:dropped(superseded) resolved:due");
	assert_int_equal(k->asked_route, k->route);
}

static void invariant_5_a_sink_that_heard_the_open_keeps_its_close(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "resolved");
	goes(k, 1);
	assert_int_equal(k->moved.count, 0);
	assert_string_equal(rows(k, "hook"), "opened:done resolved:due");
	assert_string_equal(rows(k, "chat"), "");
}

static void invariant_5_who_may_have_heard_is_told_the_rest_and_so_is_the_fallback(void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	settle_marked(k, 0);
	see(k, "a", "acknowledged");
	goes(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up) acknowledged:due");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) acknowledged:due");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:moved(to chat: gave up) acknowledged:due "
					     "resolved:held(behind)");
	/* What it is owed waits for it, however often one looks. */
	goes(k, 1);
	assert_int_equal(k->moved.count, 0);
}

static void a_payload_refused_after_the_open_was_heard_leaves_the_close_where_it_is(
	void **state)
{
	struct kit *k = one_sink(state, 1);

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "acknowledged");
	turn(k);
	see(k, "a", "resolved");
	dies(k, 0);
	assert_string_equal(rows(k, "hook"),
			    "opened:done acknowledged:moved(to chat: gave up) resolved:due");
	assert_string_equal(rows(k, "chat"), "acknowledged:dropped(superseded) resolved:due");
}

/* ---- by parts ---- */

static void rows_go_by_parts_and_what_stays_is_seen_once(void **state)
{
	struct kit *k = one_sink(state, 1);
	char id[16];
	size_t went = 0;

	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "open");
		if (i == 9) { /* these ten are heard, and their closes are owed */
			turn(k);
			settle_all(k, DELIVERY_DONE);
		}
	}
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "resolved");
	}
	k->moved = (struct moved){ .is_end = false };
	for (int turns = 0; !k->moved.is_end; turns++) {
		assert_true(turns < 5);
		goes_on(k, 1, 8, k->moved.mark);
		went += k->moved.count;
	}
	assert_int_equal(went, 20);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries WHERE sink = 'hook'"
				   " AND state = 'due' AND event = 'resolved'"),
			    "10");
	goes_on(k, 1, 8, k->moved.mark);
	assert_true(k->moved.is_end);
	assert_int_equal(k->moved.count, 0);
}

static void a_look_that_finds_nothing_needs_no_transaction(void **state)
{
	struct kit *k = one_sink(state, 1);
	struct store *other = store_open(k->path, STORE_COMMAND, &k->err);

	db_begin(other->db);
	goes(k, 1);
	assert_int_equal(k->moved.count, 0);
	db_rollback(other->db);
	store_close(&other);
}

static void a_fallback_that_is_gone_holds_what_came_as_orphans(void **state)
{
	struct kit *k = one_sink(state, 0);

	see(k, "a", "open");
	turn(k);
	kit_sinks(k, 1);
	dies(k, 1);
	assert_string_equal(rows(k, "hook"), "opened:orphaned");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(invariant_4_a_row_that_would_die_ends_moved_and_the_fallback_has_one),
		STORY(invariant_4_what_waits_at_a_dead_sink_goes_whenever_it_is_due),
		STORY(invariant_7_the_probe_stays),
		STORY(a_row_that_came_by_a_fallback_goes_nowhere),
		STORY(invariant_6_what_waits_behind_goes_along_in_order),
		STORY(where_a_state_is_shown_what_comes_folds),
		STORY(invariant_6_the_fallback_ends_what_it_began_before),
		STORY(a_row_of_the_same_turn_releases_what_comes_behind_it),
		STORY(a_later_episode_does_not_go_along),
		STORY(what_came_by_a_fallback_is_released_where_it_waits),
		STORY(who_hears_it_anyway_gets_no_second_row),
		STORY(an_old_open_never_follows_its_close),
		STORY(a_fallback_that_refused_it_is_not_asked_again),
		STORY(invariant_5_later_events_go_to_the_fallback_alone),
		STORY(invariant_5_a_sink_that_heard_the_open_keeps_its_close),
		STORY(invariant_5_who_may_have_heard_is_told_the_rest_and_so_is_the_fallback),
		STORY(a_payload_refused_after_the_open_was_heard_leaves_the_close_where_it_is),
		STORY(rows_go_by_parts_and_what_stays_is_seen_once),
		STORY(a_look_that_finds_nothing_needs_no_transaction),
		STORY(a_fallback_that_is_gone_holds_what_came_as_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
