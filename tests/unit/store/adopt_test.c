/* Rows follow their sinks: renamed, taken over, retyped; and sources that are renamed. */
#include "../change_rows.h"
#include "kit.h"

static void sinks_are(struct kit *k, struct store_sink *sinks, size_t count)
{
	assert_true(store_sinks(k->s, sinks, count, &k->err));
	kit_adopt(k);
}

/* "hook" alone, which was "chat". */
static struct store_sink hook_takes_over(struct kit *k)
{
	struct store_sink hook = k->sinks[1];

	hook.was = "chat";
	sinks_are(k, &hook, 1);
	return hook;
}

static void again(struct kit *k)
{
	store_close(&k->s);
	k->s = store_open(k->path, STORE_DAEMON, &k->err);
	assert_non_null(k->s);
}

static void invariant_12_a_renamed_sink_goes_on_with_the_same_rows(void **state)
{
	struct kit *k = *state;
	struct store_sink pipe = { .name = "pipe", .type = "webhook", .was = "hook" };

	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "a", "resolved");
	see(k, "b", "open");
	kit_turn(k, NULL, 0, 1);
	sinks_are(k, &pipe, 1);
	assert_int_equal(pipe.rename, RENAME_DONE);
	assert_int_equal(pipe.number, k->sinks[1].number);
	assert_string_equal(rows(k, "pipe"), "opened:claimed resolved:held(behind) opened:due");
	assert_string_equal(rows(k, "hook"), "");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1 opened@1");
	/* At the next start there is nothing left to take over. */
	sinks_are(k, &pipe, 1);
	assert_int_equal(pipe.rename, RENAME_NONE);
	assert_int_equal(pipe.number, k->sinks[1].number);
}

static void invariant_12_what_waits_is_the_heirs_in_order(void **state)
{
	struct kit *k = *state;

	k->sinks[0].collapse = false;
	kit_sinks(k, 2);
	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "a", "resolved");
	see(k, "b", "open");
	struct store_sink hook = hook_takes_over(k);

	assert_int_equal(hook.rename, RENAME_LATE);
	assert_string_equal(rows(k, "chat"),
			    "opened:moved(adopted by hook) resolved:moved(adopted by hook) "
			    "opened:moved(adopted by hook)");
	assert_string_equal(rows(k, "hook"), "opened:due resolved:held(behind) opened:due");
	turn(k);
	assert_string_equal(claimed(k), "opened@1 opened@1");
	assert_false(k->claims[0].possible_repeat);
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
	hook_takes_over(k);
	assert_string_equal(rows(k, "hook"), "opened:done resolved:claimed opened:done");
}

/* It was to go to hook as its fallback, which took it over before that was stored. */
static void invariant_4_what_would_go_to_its_own_heir_is_adopted(void **state)
{
	struct kit *k = *state;

	k->sinks[0].collapse = false;
	kit_sinks(k, 2);
	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	struct settle dies = kit_outcome(k, &k->claims[0], DELIVERY_MOVED);
	struct store_sink hook = hook_takes_over(k);

	dies.moved_to = hook.number;
	dies.maybe_sent = true;
	kit_turn(k, &dies, 1, 0);
	kit_adopt(k);
	assert_string_equal(rows(k, "chat"), "opened:moved(adopted by hook)");
	assert_string_equal(rows(k, "hook"), "opened:due");
	turn(k);
	assert_true(k->claims[0].possible_repeat);
}

static void orphans_are_adopted_and_marks_go_with_them(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_marked(k, 0);
	sinks_are(k, &k->sinks[1], 1);
	assert_string_equal(rows(k, "chat"), "opened:orphaned");
	k->now += 60000;
	hook_takes_over(k);
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
	assert_true(k->claims[0].possible_repeat);
	assert_int_equal(k->claims[0].first_attempt_at, k->now);
}

/* To hear of an event twice, or of an open after its close, helps nobody. */
static void what_the_heir_has_itself_is_not_adopted(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	see(k, "b", "open");
	kit_only(k, 0);
	see(k, "c", "open");
	hook_takes_over(k);
	assert_string_equal(rows(k, "hook"), "opened:due opened:due opened:due");
	assert_string_equal(rows(k, "chat"),
			    "opened:moved(adopted by hook) opened:moved(adopted by hook) "
			    "opened:moved(adopted by hook)");
}

static void invariant_6_what_is_on_its_way_to_the_old_one_goes_first(void **state)
{
	struct kit *k = *state;

	k->sinks[0].collapse = false;
	kit_sinks(k, 2);
	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "b", "open");
	turn(k);
	see(k, "a", "acknowledged");
	see(k, "b", "acknowledged");
	hook_takes_over(k);
	/* What comes now is the heir's, and waits as well. */
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "resolved:held(behind)");
	assert_string_equal(rows(k, "chat"), "opened:claimed opened:claimed "
					     "acknowledged:orphaned(behind) "
					     "acknowledged:orphaned(behind)");
	struct settle ends[2] = { kit_outcome(k, &k->claims[0], DELIVERY_DONE),
				  kit_outcome(k, &k->claims[1], DELIVERY_DUE) };

	kit_turn(k, ends, 2, 0);
	kit_adopt(k);
	assert_string_equal(rows(k, "hook"), "opened:due acknowledged:due "
					     "acknowledged:held(behind) resolved:held(behind)");
	assert_string_equal(rows(k, "chat"), "opened:done opened:moved(adopted by hook) "
					     "acknowledged:moved(adopted by hook) "
					     "acknowledged:moved(adopted by hook)");
}

static void invariant_5_what_the_old_one_heard_the_heir_hears_on(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	hook_takes_over(k);
	/* `was` may be taken out of the configuration then. */
	sinks_are(k, &k->sinks[1], 1);
	again(k);
	sinks_are(k, &k->sinks[1], 1);
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "resolved:due");
	assert_string_equal(rows(k, "chat"), "opened:done");
	/* One that is back hears for itself again. */
	kit_sinks(k, 2);
	see(k, "a", "open");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:done reopened:dropped(superseded) "
					     "resolved:due");
}

static void an_operator_requeues_what_was_the_old_ones_for_the_heir(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	hook_takes_over(k);
	struct store *command = store_open(k->path, STORE_COMMAND, &k->err);

	assert_int_equal(change_rows(command, store_requeue, "state = 'dead'", k->now, &k->err),
			 1);
	store_close(&command);
	assert_string_equal(rows(k, "hook"), "opened:due");
}

static void heirs_have_heirs_and_a_name_that_returns_has_none(void **state)
{
	struct kit *k = *state;
	struct store_sink pipe = { .name = "pipe", .type = "webhook" };

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	sinks_are(k, &pipe, 1);
	hook_takes_over(k);
	pipe.was = "hook";
	sinks_are(k, &pipe, 1);
	see(k, "a", "acknowledged");
	assert_string_equal(rows(k, "pipe"), "acknowledged:due");
	sinks_are(k, k->sinks, 2);
	assert_string_equal(rows(k, "pipe"), "acknowledged:orphaned");
}

/* A million rows must not stop the loop: the walk goes by steps, and on after a kill. */
static void a_walk_goes_by_steps_and_on_after_a_kill(void **state)
{
	enum { ALERTS = 1300 };
	struct kit *k = *state;
	struct alert alerts[100];
	char id[16];

	kit_only(k, 1);
	for (int from = 0; from < ALERTS; from += 100) {
		for (int i = 0; i < 100; i++) {
			snprintf(id, sizeof(id), "a%d", from + i);
			kit_alert(&alerts[i], id, "open", "t");
		}
		struct page_batch batch = kit_page(k, alerts, 100);

		store_page(k->s, &batch);
		assert_true(k->ok);
		for (int i = 0; i < 100; i++)
			alert_release(&alerts[i]);
	}
	assert_true(store_sinks(k->s, k->sinks, 1, &k->err));
	assert_int_equal(store_adopt(k->s, k->now, &k->err), ADOPT_MORE);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'orphaned'"),
			    "500");
	again(k);
	assert_true(store_sinks(k->s, k->sinks, 1, &k->err));
	kit_adopt(k);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"
				   " WHERE state = 'orphaned'"),
			    "1300");
	again(k);
	assert_true(store_sinks(k->s, k->sinks, 1, &k->err));
	assert_int_equal(store_adopt(k->s, k->now, &k->err), ADOPT_DONE);
	assert_int_equal(k->s->adopt_from, -1);
}

static void a_sink_of_another_type_says_so_once(void **state)
{
	struct kit *k = *state;

	k->sinks[1].type = "slack";
	kit_sinks(k, 2);
	assert_true(k->sinks[1].retyped);
	assert_false(k->sinks[0].retyped);
	kit_sinks(k, 2);
	assert_false(k->sinks[1].retyped);
}

static void rows_that_wait_for_a_mended_sink_are_hurried(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DUE);
	k->sinks[1].hurry_at = k->now;
	kit_sinks(k, 2);
	turn(k);
	assert_string_equal(claimed(k), "opened@2");
}

static void a_renamed_source_keeps_its_alerts(void **state)
{
	struct kit *k = *state;
	enum store_rename rename;
	int number;

	see(k, "a", "open");
	assert_true(store_source_rename(k->s, "acme", "corp", &rename, &k->err));
	assert_int_equal(rename, RENAME_DONE);
	assert_true(store_source_number(k->s, "corp", &number, &k->err));
	assert_int_equal(number, k->source);
	assert_string_equal(ask(k, "SELECT source AS x FROM v_alerts"), "corp");
	assert_true(store_source_rename(k->s, "acme", "corp", &rename, &k->err));
	assert_int_equal(rename, RENAME_NONE);
	assert_true(store_source_number(k->s, "acme", &number, &k->err));
	assert_true(store_source_rename(k->s, "acme", "corp", &rename, &k->err));
	assert_int_equal(rename, RENAME_LATE);
	assert_string_equal(ask(k, "SELECT source AS x FROM v_alerts"), "corp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(invariant_12_a_renamed_sink_goes_on_with_the_same_rows),
		STORY(invariant_12_what_waits_is_the_heirs_in_order),
		STORY(invariant_4_what_would_go_to_its_own_heir_is_adopted),
		STORY(orphans_are_adopted_and_marks_go_with_them),
		STORY(what_the_heir_has_itself_is_not_adopted),
		STORY(invariant_6_what_is_on_its_way_to_the_old_one_goes_first),
		STORY(invariant_5_what_the_old_one_heard_the_heir_hears_on),
		STORY(an_operator_requeues_what_was_the_old_ones_for_the_heir),
		STORY(heirs_have_heirs_and_a_name_that_returns_has_none),
		STORY(a_walk_goes_by_steps_and_on_after_a_kill),
		STORY(a_sink_of_another_type_says_so_once),
		STORY(rows_that_wait_for_a_mended_sink_are_hurried),
		STORY(a_renamed_source_keeps_its_alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
