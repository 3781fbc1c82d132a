/* What a page makes of alerts: events, episodes, rows, follow-ups (invariants 1, 3, 4, 5). */
#include "kit.h"

static const char *const body_open =
	"{\"id\":\"a\",\"status\":\"open\",\"severity\":\"high\",\"title\":\"a title\","
	"\"created_at\":\"2026-11-24T03:45:56Z\"}";

static void a_new_alert_makes_an_event_and_a_row_for_each_sink(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	assert_int_equal(k->page.fresh, 1);
	assert_int_equal(k->page.events, 1);
	assert_int_equal(k->page.deliveries, 2);
	assert_false(k->was_known);
	assert_string_equal(rows(k, "chat"), "opened:due");
	assert_string_equal(rows(k, "hook"), "opened:due");
	assert_string_equal(ask(k, "SELECT source||' '||id||' '||status||' '||severity||' '||"
				   "state||' '||episode AS x FROM v_alerts"),
			    "acme a open high active 1");
	assert_string_equal(ask(k, "SELECT body AS x FROM v_alerts"), body_open);
	assert_string_equal(ask(k, "SELECT body AS x FROM v_events"), body_open);
	assert_string_equal(ask(k, "SELECT origin||' '||n||' '||route||' '||source AS x"
				   " FROM v_deliveries WHERE sink = 'hook'"),
			    "route 0 rest acme");
}

static void the_same_bytes_write_nothing(void **state)
{
	struct kit *k = *state;
	struct alert twice[2];

	kit_alert(&twice[0], "a", "open", "t");
	kit_alert(&twice[1], "a", "open", "t");
	struct page_batch batch = kit_page(k, twice, 2);

	store_page(k->s, &batch);
	assert_int_equal(k->page.fresh, 1);
	assert_int_equal(k->page.same, 1);
	store_page(k->s, &batch);
	assert_int_equal(k->page.same, 2);
	assert_int_equal(k->page.events, 0);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_events"), "1");
	alert_release(&twice[0]);
	alert_release(&twice[1]);
}

/* Whichever is tried first, to insert or to find, and whichever was right before. */
static void new_and_known_ones_in_any_turn_end_as_they_should(void **state)
{
	static const char *const ids[] = { "a", "n1", "b", "n2", "n3", "c", "a", "n1", "n4" };
	struct kit *k = *state;
	struct alert items[ARRAY_LEN(ids)];

	see(k, "a", "open");
	see(k, "b", "open");
	see(k, "c", "open");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		kit_alert(&items[i], ids[i], strcmp(ids[i], "c") == 0 ? "resolved" : "open",
			  "a title");
	struct page_batch batch = kit_page(k, items, ARRAY_LEN(ids));

	store_page(k->s, &batch);
	assert_int_equal(k->page.fresh, 4);
	assert_int_equal(k->page.same, 4);
	assert_int_equal(k->page.changed, 1);
	assert_int_equal(k->page.events, 5);
	assert_string_equal(ask(k, "SELECT id||state AS x FROM v_alerts"),
			    "aactive bactive cresolved n1active n2active n3active n4active");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		alert_release(&items[i]);
}

/* Rows of new alerts are made many at a time; what comes later on the page finds them all. */
static void a_long_page_makes_each_row_and_follows_what_it_has_opened_itself(void **state)
{
	enum { COUNT = 50, CLOSED = 36, CLOSES_AT = 37 };
	struct kit *k = *state;
	struct alert items[COUNT];
	char id[16];

	for (size_t i = 0; i < COUNT; i++) {
		bool is_close = i == CLOSES_AT;

		snprintf(id, sizeof(id), "n%zu", is_close ? CLOSED : i);
		kit_alert(&items[i], id, is_close ? "resolved" : "open", "t");
	}
	struct page_batch batch = kit_page(k, items, COUNT);

	store_page(k->s, &batch);
	assert_int_equal(k->page.fresh, COUNT - 1);
	assert_int_equal(k->page.deliveries, 2 * COUNT);
	assert_string_equal(
		ask(k, "SELECT count(*)||' '||count(DISTINCT alert_id||sink)||' '||"
		       "count(DISTINCT event_id)||' '||min(due_at)||' '||max(due_at)||' '||"
		       "sum(attempt + maybe_sent) AS x FROM v_deliveries WHERE state = 'due'"
		       " AND event = 'opened' AND route = 'rest' AND origin = 'route'"),
		"97 97 49 1000000 1000000 0");
	assert_string_equal(ask(k, "SELECT sink||' '||event||' '||state||' '||"
				   "coalesce(reason, '')||';' AS x FROM v_deliveries"
				   " WHERE alert_id = 'n36' ORDER BY sink, id"),
			    "chat opened dropped superseded; chat resolved due ; "
			    "hook opened due ; hook resolved held behind;");
	for (size_t i = 0; i < COUNT; i++)
		alert_release(&items[i]);
}

static void each_event_keeps_the_bytes_of_its_moment(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	k->now += 1;
	see(k, "a", "resolved");
	assert_int_equal(k->page.changed, 1);
	assert_true(k->was_known);
	assert_int_equal(k->known.status, ALERT_OPEN);
	assert_int_equal(k->known.severity, SEVERITY_HIGH);
	assert_int_equal(k->known.episode, 1);
	assert_int_equal(k->known.seq, 1);
	assert_int_equal(k->known.created_at, 1795491956000);
	assert_string_equal(
		ask(k, "SELECT seq||kind||at||instr(body, '\"resolved\"') AS x FROM v_events"),
		"1opened10000000 2resolved100000120");
	/* The alert holds no body of its own: the view gives the newest event's. */
	assert_string_equal(ask(k, "SELECT body IS NULL AS x FROM alerts"), "1");
	assert_string_equal(ask(k, "SELECT instr(body, 'resolved') > 0 AS x FROM v_alerts"),
			    "1");
	assert_string_equal(ask(k, "SELECT state AS x FROM v_alerts"), "resolved");
}

static void an_alert_keeps_bytes_that_made_no_event(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	k->no_event = true;
	kit_show(k, "a", "open", "news");
	assert_string_equal(ask(k, "SELECT instr(body, 'news') > 0 AS x FROM v_alerts"), "1");
	assert_string_equal(ask(k, "SELECT instr(body, 'news') > 0 AS x FROM v_events"), "0");
	k->no_event = false;
	see(k, "a", "resolved");
	assert_string_equal(ask(k, "SELECT body IS NULL AS x FROM alerts"), "1");
}

static void a_status_that_nobody_knows_is_kept_as_it_is_and_counts_as_open(void **state)
{
	struct kit *k = *state;

	see(k, "a", "snoozed");
	assert_string_equal(ask(k, "SELECT state||' '||status AS x FROM v_alerts"),
			    "active snoozed");
	see(k, "a", "resolved");
	assert_int_equal(k->known.status, ALERT_OPEN);
}

static void a_silent_alert_rings_nobody_until_it_reopens(void **state)
{
	struct kit *k = *state;

	k->is_silent = true;
	see(k, "a", "open");
	assert_int_equal(k->page.fresh, 1);
	assert_int_equal(k->page.events, 0);
	assert_string_equal(ask(k, "SELECT state||' '||episode||' '||(body IS NOT NULL) AS x"
				   " FROM v_alerts"),
			    "silent 0 1");
	k->no_event = true;
	see(k, "a", "resolved");
	assert_string_equal(ask(k, "SELECT state||' '||status AS x FROM v_alerts"),
			    "silent resolved");
	k->is_silent = k->no_event = false;
	see(k, "a", "open");
	assert_int_equal(k->known.episode, 0);
	assert_string_equal(ask(k, "SELECT state||' '||episode AS x FROM v_alerts"),
			    "active 1");
	assert_string_equal(rows(k, "hook"), "opened:due");
}

static void an_event_makes_one_row_a_sink_the_first_routes(void **state)
{
	struct kit *k = *state;
	int sink = kit_only(k, 1);
	int other;

	assert_true(store_route_number(k->s, "other", &other, &k->err));
	k->targets[1] = (struct target){ .sink = sink, .route = other };
	k->target_count = 2;
	see(k, "a", "open");
	assert_int_equal(k->page.deliveries, 1);
	assert_string_equal(ask(k, "SELECT route AS x FROM v_deliveries"), "rest");
}

static void an_alert_that_no_route_wants_is_recorded(void **state)
{
	struct kit *k = *state;

	k->target_count = 0;
	see(k, "a", "open");
	assert_int_equal(k->page.events, 1);
	assert_int_equal(k->page.deliveries, 0);
	see(k, "a", "resolved");
	assert_int_equal(k->page.deliveries, 0);
}

static void invariant_5_follow_ups_go_to_sinks_that_wait_or_heard(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	/* Whatever the routes say now. */
	k->target_count = 0;
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:done resolved:due");
	assert_string_equal(ask(k, "SELECT DISTINCT origin||' '||route AS x FROM v_deliveries"
				   " WHERE event = 'resolved'"),
			    "follow rest");
}

static void invariant_5_who_never_heard_the_open_hears_no_close(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	see(k, "a", "resolved");
	assert_int_equal(k->page.events, 1);
	assert_int_equal(k->page.deliveries, 0);
}

static void invariant_5_a_dead_letter_between_does_not_lose_the_close(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	see(k, "a", "acknowledged");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:done acknowledged:dead resolved:due");
}

static void invariant_5_what_may_have_arrived_was_heard(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	turn(k);
	struct settle settle = kit_outcome(k, &k->claims[0], DELIVERY_DEAD);

	settle.maybe_sent = true;
	kit_turn(k, &settle, 1, 0);
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:dead resolved:due");
}

static void invariant_5_a_sink_whose_open_was_not_chosen_belongs(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	k->targets[0].dropped = true;
	k->targets[0].reason = STORE_NOT_CHOSEN;
	see(k, "a", "open");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"), "opened:dropped(event not chosen) resolved:due");
	assert_int_equal(k->asked_route, k->route);
}

static void invariant_5_a_sink_dropped_for_another_reason_does_not(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	k->targets[0].dropped = true;
	k->targets[0].reason = "resolved before it was seen open";
	see(k, "a", "open");
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "hook"),
			    "opened:dropped(resolved before it was seen open)");
}

static void a_route_may_refuse_a_follow_up(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	k->refused_sink = k->sinks[0].number;
	see(k, "a", "acknowledged");
	assert_string_equal(rows(k, "chat"), "opened:due");
	assert_string_equal(rows(k, "hook"), "opened:due acknowledged:held(behind)");
	k->refused_sink = 0;
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
}

static void an_episode_counts_its_events_and_forgets_the_last_ones_sinks(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	see(k, "a", "open");
	see(k, "a", "resolved");
	kit_only(k, 1);
	see(k, "a", "open");
	see(k, "a", "resolved");
	assert_string_equal(ask(k, "SELECT episode||'.'||seq||kind AS x FROM v_events"),
			    "1.1opened 1.2resolved 2.1reopened 2.2resolved");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
	assert_string_equal(rows(k, "hook"), "reopened:due resolved:held(behind)");
}

static void a_severity_that_rises_opens_for_new_sinks_alone(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "open");
	k->is_raised = true;
	kit_show(k, "a", "open", "worse");
	assert_int_equal(k->page.events, 1); /* `changed`; for `opened` nobody was left */
	kit_target(k, 1, k->sinks[0].number);
	kit_show(k, "a", "open", "worse still");
	assert_int_equal(k->page.events, 2);
	assert_string_equal(rows(k, "chat"), "opened:due");
	assert_string_equal(rows(k, "hook"),
			    "opened:due changed:held(behind) changed:held(behind)");
	k->is_raised = false;
	see(k, "a", "resolved");
	assert_string_equal(rows(k, "chat"), "opened:dropped(superseded) resolved:due");
}

static void first_seen_resolved_is_one_event_that_says_so(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	see(k, "a", "resolved");
	assert_string_equal(ask(k, "SELECT kind||first AS x FROM v_events"), "resolved1");
	turn(k);
	assert_true(k->claims[0].first);
}

static struct source_state loaded(struct kit *k)
{
	struct source_state at;

	assert_true(store_source_load(k->s, k->source, &at, &k->err));
	return at;
}

static void invariant_3_the_position_comes_with_its_page(void **state)
{
	struct kit *k = *state;
	struct source_state to = loaded(k);

	assert_string_equal(to.order_seen, "unknown");
	assert_false(to.baseline_known);
	to = (struct source_state){ .org_id = "org_1",
				    .order_seen = "newest",
				    .baseline_known = true,
				    .baseline_at = 0,
				    .last_head_at = 11,
				    .last_sweep_at = 12,
				    .last_full_at = 13 };
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.position = &to;
	store_page(k->s, &batch);
	struct source_state at = loaded(k);

	assert_string_equal(at.org_id, "org_1");
	assert_true(at.baseline_known);
	assert_int_equal(at.baseline_at, 0);
	assert_int_equal(at.last_sweep_at, 12);
	assert_string_equal(ask(k, "SELECT name||org_id||order_seen||last_head_at||last_full_at"
				   " AS x FROM v_sources"),
			    "acmeorg_1newest1113");
}

static void last_seen_follows_from_the_last_complete_pass(void **state)
{
	struct kit *k = *state;
	struct source_state to = loaded(k);

	see(k, "a", "open");
	see(k, "b", "resolved");
	to.last_full_at = 2000000;
	to.last_sweep_at = 3000000;
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.position = &to;
	store_page(k->s, &batch);
	assert_string_equal(ask(k, "SELECT last_seen_at AS x FROM v_alerts"),
			    "3000000 2000000");
}

static void a_bad_item_is_one_row_and_counted(void **state)
{
	struct kit *k = *state;
	struct reject reject = {
		.hash = 77, .body = (char *)"{", .body_len = 1, .reason = "no id"
	};
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.rejects = &reject;
	batch.reject_count = 1;
	store_page(k->s, &batch);
	assert_int_equal(k->page.rejected, 1);
	store_page(k->s, &batch);
	assert_int_equal(k->page.rejected, 0);
	assert_string_equal(ask(k,
				"SELECT source||hash||reason||body||first_seen_at||count AS x"
				" FROM v_rejects"),
			    "acme77no id{10000002");
}

/* Invariant 1 and 3: a crash in the middle of a page leaves nothing of it. */
static void invariant_1_a_crash_within_a_page_leaves_nothing_of_it(void **state)
{
	struct kit *k = *state;
	struct alert items[3];
	int status;

	see(k, "before", "open");
	store_close(&k->s);
	for (int i = 0; i < 3; i++) {
		char id[2] = { (char)('x' + i), '\0' };

		kit_alert(&items[i], id, "open", "t");
	}
	pid_t child = fork();

	if (child == 0) {
		k->s = store_open(k->path, STORE_DAEMON, &k->err);
		struct source_state to = { .order_seen = "newest", .last_head_at = 99 };
		struct page_batch batch = kit_page(k, items, 3);

		batch.position = &to;
		k->crash_after = 3;
		store_page(k->s, &batch);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 9);
	kit_open(k);
	assert_string_equal(ask(k, "SELECT id AS x FROM v_alerts"), "before");
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_deliveries"), "2");
	assert_int_equal(loaded(k).last_head_at, 0);
	struct page_batch again = kit_page(k, items, 3);

	store_page(k->s, &again);
	assert_int_equal(k->page.fresh, 3);
	for (int i = 0; i < 3; i++)
		alert_release(&items[i]);
}

/* Invariant 9: what does not fit changes nothing, and the same page works when there is room. */
static void invariant_9_a_full_disk_takes_nothing_of_a_page(void **state)
{
	struct kit *k = *state;
	struct alert items[60];
	char title[300];

	memset(title, 't', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	for (int i = 0; i < 60; i++) {
		char id[16];

		snprintf(id, sizeof(id), "a%d", i);
		kit_alert(&items[i], id, "open", title);
	}
	struct page_batch batch = kit_page(k, items, 60);

	db_room(k->s->db, 1);
	store_page(k->s, &batch);
	assert_false(k->ok);
	assert_true(k->full);
	assert_non_null(strstr(k->error, "make room on the disk"));
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "0");
	db_room(k->s->db, -1);
	store_page(k->s, &batch);
	assert_true(k->ok);
	assert_int_equal(k->page.fresh, 60);
	for (int i = 0; i < 60; i++)
		alert_release(&items[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_new_alert_makes_an_event_and_a_row_for_each_sink),
		STORY(the_same_bytes_write_nothing),
		STORY(new_and_known_ones_in_any_turn_end_as_they_should),
		STORY(a_long_page_makes_each_row_and_follows_what_it_has_opened_itself),
		STORY(each_event_keeps_the_bytes_of_its_moment),
		STORY(an_alert_keeps_bytes_that_made_no_event),
		STORY(a_status_that_nobody_knows_is_kept_as_it_is_and_counts_as_open),
		STORY(a_silent_alert_rings_nobody_until_it_reopens),
		STORY(an_event_makes_one_row_a_sink_the_first_routes),
		STORY(an_alert_that_no_route_wants_is_recorded),
		STORY(invariant_5_follow_ups_go_to_sinks_that_wait_or_heard),
		STORY(invariant_5_who_never_heard_the_open_hears_no_close),
		STORY(invariant_5_a_dead_letter_between_does_not_lose_the_close),
		STORY(invariant_5_what_may_have_arrived_was_heard),
		STORY(invariant_5_a_sink_whose_open_was_not_chosen_belongs),
		STORY(invariant_5_a_sink_dropped_for_another_reason_does_not),
		STORY(a_route_may_refuse_a_follow_up),
		STORY(an_episode_counts_its_events_and_forgets_the_last_ones_sinks),
		STORY(a_severity_that_rises_opens_for_new_sinks_alone),
		STORY(first_seen_resolved_is_one_event_that_says_so),
		STORY(invariant_3_the_position_comes_with_its_page),
		STORY(last_seen_follows_from_the_last_complete_pass),
		STORY(a_bad_item_is_one_row_and_counted),
		STORY(invariant_1_a_crash_within_a_page_leaves_nothing_of_it),
		STORY(invariant_9_a_full_disk_takes_nothing_of_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
