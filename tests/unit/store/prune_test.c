/*
 * What is over is forgotten, nothing else is; what was forgotten is no news; and the file stops
 * growing.
 */
#include "kit.h"

#include "base/clock.h"
#include "store/silences.h"

enum { STEPS_MAX = 1000 };
static const int64_t DAY = 24 * 3600 * 1000;
static const int64_t START = 1764000000000; /* in 2025 */

/* An alert that was created when it is first seen, by the clock of the test. */
static void show(struct kit *k, const char *id, const char *status, int64_t created_at)
{
	char bytes[300], at[CLOCK_TEXT_MAX];
	struct alert a;

	clock_iso(created_at, true, at);
	int len = snprintf(
		bytes, sizeof(bytes),
		"{\"id\":\"%s\",\"status\":\"%s\",\"severity\":\"high\",\"title\":\"t\""
		"%s%s%s}",
		id, status, created_at != 0 ? ",\"created_at\":\"" : "",
		created_at != 0 ? at : "", created_at != 0 ? "\"" : "");

	assert_true(alert_read(&a, bytes, (size_t)len, &k->err));
	struct page_batch batch = kit_page(k, &a, 1);

	store_page(k->s, &batch);
	alert_release(&a);
	if (!k->ok)
		fail_msg("%s", k->error);
}

/* All rounds that there are until nothing goes any more; how many steps that took. */
static int prune(struct kit *k)
{
	int steps = 0;
	enum store_pruned came = PRUNE_MORE;

	for (int round = 0; round < 2; round++) {
		for (came = PRUNE_MORE; came == PRUNE_MORE; steps++) {
			assert_true(steps < STEPS_MAX);
			came = store_prune(k->s, k->now, k->now - DAY, &k->err);
		}
		assert_int_equal(came, PRUNE_DONE);
	}
	return steps;
}

static void deliver(struct kit *k, enum delivery_state state)
{
	do {
		turn(k);
		settle_all(k, state);
	} while (k->claim_count > 0 || k->answers[0].claimed > 0 || k->answers[1].claimed > 0);
	turn(k);
	settle_all(k, state);
}

static void a_life(struct kit *k, const char *id)
{
	show(k, id, "open", k->now);
	deliver(k, DELIVERY_DONE);
	show(k, id, "resolved", k->now);
	deliver(k, DELIVERY_DONE);
}

static const char *left(struct kit *k)
{
	return ask(
		k,
		"SELECT (SELECT count(*) FROM alerts) || '/' || (SELECT count(*) FROM events)"
		" || '/' || (SELECT count(*) FROM deliveries) || '/' ||"
		" (SELECT count(*) FROM attempts) AS x");
}

/* An event of something that goes on, so that no story is about the newest event of all. */
static void something_goes_on(struct kit *k)
{
	show(k, "last", "open", k->now);
	deliver(k, DELIVERY_DONE);
}

static void what_is_over_goes_when_retention_has_passed(void **state)
{
	struct kit *k = *state;

	k->now = START;
	a_life(k, "a");
	show(k, "dead", "open", k->now);
	deliver(k, DELIVERY_DEAD);
	show(k, "dead", "resolved", k->now);
	something_goes_on(k);
	assert_string_equal(left(k), "3/5/8/2");
	k->now += DAY;
	prune(k);
	assert_string_equal(left(k), "3/5/8/2");
	k->now += 1;
	prune(k);
	assert_string_equal(left(k), "1/1/2/0");
	assert_string_equal(
		ask(k, "SELECT id || ':' || body AS x FROM v_alerts WHERE body IS NULL"), "");
}

static void what_is_not_over_stays_however_old_it_is(void **state)
{
	struct kit *k = *state;

	k->now = START;
	show(k, "open", "open", k->now);
	deliver(k, DELIVERY_DONE);
	show(k, "open", "acknowledged", START);
	deliver(k, DELIVERY_DONE);
	something_goes_on(k);
	show(k, "waits", "open", START);
	show(k, "waits", "resolved", START);
	turn(k);
	settle_all(k, DELIVERY_DUE);
	char before[8192];

	snprintf(before, sizeof(before), "%s", left(k));

	k->now += 100 * DAY;
	prune(k);
	assert_string_equal(left(k), before);
	/* The close still finds who heard the open. */
	show(k, "open", "resolved", START);
	assert_int_equal(k->page.deliveries, 2);
}

static void an_orphaned_row_does_not_age(void **state)
{
	struct kit *k = *state;

	k->now = START;
	show(k, "a", "open", k->now);
	kit_sinks(k, 1);
	deliver(k, DELIVERY_DONE);
	show(k, "a", "resolved", START);
	deliver(k, DELIVERY_DONE);
	k->now += DAY + 1;
	something_goes_on(k);
	prune(k);
	assert_string_equal(rows(k, "hook"),
			    "opened:orphaned resolved:orphaned(behind) opened:orphaned");
	kit_sinks(k, 2);
}

/* The old episode goes, though the alert goes on; its chain does not tear. */
static void an_earlier_episode_goes_and_the_open_one_stays_whole(void **state)
{
	struct kit *k = *state;

	k->now = START;
	a_life(k, "a");
	k->now += 2 * DAY;
	show(k, "a", "open", START);
	deliver(k, DELIVERY_DONE);
	something_goes_on(k);
	k->now += 3 * DAY;
	prune(k);
	assert_string_equal(
		ask(k, "SELECT kind || episode AS x FROM v_events WHERE alert_id = 'a'"),
		"reopened2");
	show(k, "a", "resolved", START);
	deliver(k, DELIVERY_DONE);
	assert_string_equal(
		ask(k, "SELECT sink || ':' || event || ':' || state AS x FROM v_deliveries"
		       " WHERE alert_id = 'a' AND event = 'resolved' ORDER BY sink"),
		"chat:resolved:done hook:resolved:done");
}

/* A row of the first episode still waits: what came after it, though nobody was told, is how it
 * is found. */
static void the_chain_of_an_alert_goes_from_its_oldest_end(void **state)
{
	struct kit *k = *state;

	k->now = START;
	kit_only(k, 1);
	show(k, "a", "open", k->now);
	turn(k);
	settle_all(k, DELIVERY_DUE);
	k->refused_sink = k->sinks[1].number;
	show(k, "a", "resolved", START);
	assert_int_equal(k->page.deliveries, 0);
	kit_only(k, 0);
	show(k, "a", "open", START);
	show(k, "last", "open", START);
	k->now += 60 * DAY;
	prune(k);
	assert_string_equal(
		ask(k, "SELECT kind AS x FROM v_events WHERE alert_id = 'a' ORDER BY id"),
		"opened resolved reopened");
}

static void what_was_forgotten_is_no_news(void **state)
{
	struct kit *k = *state;

	k->now = START;
	a_life(k, "old");
	something_goes_on(k);
	k->now += 2 * DAY;
	prune(k);
	show(k, "old", "resolved", START);
	assert_int_equal(k->page.same, 1);
	assert_int_equal(k->page.fresh, 0);
	assert_int_equal(k->page.numbers != NULL, 1);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts WHERE id = 'old'"), "0");
	/* Not so: it goes on, it is younger, it has no time of its own, it is another source's. */
	show(k, "old", "open", START);
	assert_int_equal(k->page.fresh, 1);
	show(k, "young", "resolved", START + 1);
	assert_int_equal(k->page.fresh, 1);
	show(k, "timeless", "resolved", 0);
	assert_int_equal(k->page.fresh, 1);
	assert_true(store_source_number(k->s, "other", &k->source, &k->err));
	show(k, "old", "resolved", START);
	assert_int_equal(k->page.fresh, 1);
}

/* One that is known is known still, however old it is. */
static void an_old_alert_that_is_known_is_not_passed_over(void **state)
{
	struct kit *k = *state;

	k->now = START;
	show(k, "a", "open", START - DAY);
	a_life(k, "b");
	something_goes_on(k);
	k->now += 2 * DAY;
	prune(k);
	show(k, "a", "resolved", START - DAY);
	assert_int_equal(k->page.changed, 1);
	assert_int_equal(k->page.deliveries, 2);
}

static void without_a_time_of_its_own_an_alert_is_remembered(void **state)
{
	struct kit *k = *state;

	k->now = START;
	show(k, "a", "open", 0);
	show(k, "a", "resolved", 0);
	deliver(k, DELIVERY_DONE);
	show(k, "ahead", "open", START + 9 * DAY);
	show(k, "ahead", "resolved", START + 9 * DAY);
	deliver(k, DELIVERY_DONE);
	something_goes_on(k);
	k->now += 5 * DAY;
	prune(k);
	assert_string_equal(ask(k, "SELECT id || ':' || (body IS NOT NULL) AS x FROM v_alerts"
				   " ORDER BY id"),
			    "a:1 ahead:1 last:1");
	assert_string_equal(ask(k, "SELECT coalesce(pruned_at, 0) AS x FROM v_sources"), "0");
}

static void silent_and_vanished_ones_go_too(void **state)
{
	struct kit *k = *state;
	struct bits none = { .words = NULL };
	struct walk_end end = { .saw_all = true, .sighted = &none, .absences_max = 2 };
	struct source_state position = { .order_seen = "unknown" };

	k->now = START;
	k->is_silent = true;
	show(k, "silent", "open", START);
	show(k, "past", "resolved", START);
	k->is_silent = false;
	show(k, "gone", "open", START);
	deliver(k, DELIVERY_DONE);
	for (int i = 0; i < 2; i++) {
		struct page_batch batch = kit_page(k, NULL, 0);

		position.last_full_at = ++k->now;
		batch.position = &position;
		batch.end = &end;
		store_page(k->s, &batch);
		assert_true(k->ok);
	}
	something_goes_on(k);
	assert_string_equal(ask(k, "SELECT id || ':' || state AS x FROM v_alerts ORDER BY id"),
			    "gone:vanished last:active past:silent silent:silent");
	k->now += DAY + 1;
	prune(k);
	assert_string_equal(ask(k, "SELECT id AS x FROM v_alerts ORDER BY id"), "last silent");
}

static void old_rejects_go(void **state)
{
	struct kit *k = *state;
	struct reject reject = {
		.hash = 5, .body = (char *)"{", .body_len = 1, .reason = "no id"
	};
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.rejects = &reject;
	batch.reject_count = 1;
	batch.now = k->now = START;
	for (reject.hash = 1; reject.hash <= 50; reject.hash++)
		store_page(k->s, &batch);
	batch.now = START + 1;
	reject.hash = 60;
	store_page(k->s, &batch);
	k->now = START + DAY + 1;
	prune(k);
	assert_string_equal(ask(k, "SELECT hash AS x FROM v_rejects"), "60");
}

static void silence_until(struct kit *k, int64_t until)
{
	const struct silence silence = {
		.matchers = "[]", .since = k->now, .until = until, .comment = "", .who = ""
	};
	int64_t id;

	assert_true(store_silence_add(k->s, &silence, &id, &k->err));
}

/* Beside what else goes; nobody asks of them any more. */
static void silences_that_ended_long_ago_go(void **state)
{
	struct kit *k = *state;

	k->now = START;
	a_life(k, "a");
	silence_until(k, START + 1);
	silence_until(k, START + DAY);
	silence_until(k, START + 9 * DAY);
	something_goes_on(k);
	k->now = START + DAY + 5;
	prune(k);
	assert_string_equal(ask(k, "SELECT id AS x FROM v_silences ORDER BY id"), "2 3");
}

/* What a clock stored that had jumped ahead by a year keeps nobody from going. */
static void what_was_stored_by_a_clock_that_jumped_hinders_nothing(void **state)
{
	struct kit *k = *state;

	k->now = START + 365 * DAY;
	a_life(k, "ahead");
	k->now = START;
	a_life(k, "a");
	something_goes_on(k);
	k->now += 2 * DAY;
	prune(k);
	assert_string_equal(ask(k, "SELECT id AS x FROM v_alerts ORDER BY id"), "ahead last");
}

static void ids_only_go_up(void **state)
{
	struct kit *k = *state;

	k->now = START;
	a_life(k, "a");
	k->now += 2 * DAY;
	prune(k);
	assert_string_equal(ask(k, "SELECT kind AS x FROM v_events"), "resolved");
	show(k, "b", "open", k->now);
	assert_string_equal(ask(k, "SELECT max(id) AS x FROM v_events"), "3");
}

static void a_store_that_takes_no_write_forgets_later(void **state)
{
	struct kit *k = *state;
	struct store *other;
	struct err err;

	k->now = START;
	a_life(k, "a");
	something_goes_on(k);
	k->now += 2 * DAY;
	other = store_open(k->path, STORE_COMMAND, &err);
	assert_non_null(other);
	db_begin(other->db);
	assert_int_equal(store_prune(k->s, k->now, k->now - DAY, &err), PRUNE_FAILED);
	db_rollback(other->db);
	store_close(&other);
	prune(k);
	assert_string_equal(left(k), "1/1/2/0");
}

/* ---- a week ---- */

enum { ALERTS_A_DAY = 2000, PAGE = 100 };

/* In no order, as hashes are. */
static void week_id(char *out, size_t size, int day, int n)
{
	snprintf(out, size, "%08x%x%x", (unsigned)(day * ALERTS_A_DAY + n) * 2654435761U, day,
		 n);
}

static void show_page(struct kit *k, int day, int from, const char *status)
{
	struct alert *items = mem_array(PAGE, sizeof(*items));
	char bytes[800], at[CLOCK_TEXT_MAX], id[32];

	clock_iso(START + day * DAY + from, true, at);
	for (int i = 0; i < PAGE; i++) {
		week_id(id, sizeof(id), day, from + i);
		int len = snprintf(bytes, sizeof(bytes),
				   "{\"id\":\"%s\",\"status\":\"%s\",\"severity\":\"high\","
				   "\"title\":\"%0500d\",\"created_at\":\"%s\"}",
				   id, status, i, at);

		assert_true(alert_read(&items[i], bytes, (size_t)len, &k->err));
	}
	struct page_batch batch = kit_page(k, items, PAGE);

	store_page(k->s, &batch);
	assert_true(k->ok);
	for (int i = 0; i < PAGE; i++)
		alert_release(&items[i]);
	mem_free(&items);
}

static void live_a_day(struct kit *k, int day)
{
	static const char *const statuses[] = { "open", "resolved" };

	for (size_t s = 0; s < ARRAY_LEN(statuses); s++) {
		for (int from = 0; from < ALERTS_A_DAY; from += PAGE) {
			show_page(k, day, from, statuses[s]);
			deliver(k, DELIVERY_DONE);
			store_tidy(k->s);
		}
		k->now += DAY / 2;
		prune(k);
	}
}

static void a_week_of_traffic_leaves_the_file_as_the_third_day_did(void **state)
{
	struct kit *k = *state;
	int64_t pages[8];

	k->now = START;
	kit_only(k, 1);
	db_script(k->s->db, "PRAGMA synchronous = OFF"); /* it is about pages alone */
	for (int day = 0; day < 8; day++) {
		live_a_day(k, day);
		pages[day] = db_number(k->s->db, "PRAGMA page_count");
	}
	assert_true(pages[0] > 100);
	if (pages[7] > pages[2] + pages[2] / 20)
		fail_msg("%d pages after three days, %d after eight", (int)pages[2],
			 (int)pages[7]);
	assert_int_equal(db_number(k->s->db, "SELECT count(*) FROM alerts") <= 2 * ALERTS_A_DAY,
			 1);
	/* A full pass over all that the API lists brings nothing back. */
	for (int from = 0; from < ALERTS_A_DAY; from += PAGE) {
		show_page(k, 1, from, "resolved");
		assert_int_equal(k->page.same, PAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_is_over_goes_when_retention_has_passed),
		STORY(what_is_not_over_stays_however_old_it_is),
		STORY(an_orphaned_row_does_not_age),
		STORY(an_earlier_episode_goes_and_the_open_one_stays_whole),
		STORY(the_chain_of_an_alert_goes_from_its_oldest_end),
		STORY(what_was_forgotten_is_no_news),
		STORY(an_old_alert_that_is_known_is_not_passed_over),
		STORY(without_a_time_of_its_own_an_alert_is_remembered),
		STORY(silent_and_vanished_ones_go_too),
		STORY(old_rejects_go),
		STORY(silences_that_ended_long_ago_go),
		STORY(what_was_stored_by_a_clock_that_jumped_hinders_nothing),
		STORY(ids_only_go_up),
		STORY(a_store_that_takes_no_write_forgets_later),
		STORY(a_week_of_traffic_leaves_the_file_as_the_third_day_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
