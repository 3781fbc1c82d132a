/* Active alerts that a walk did not list: missing, found again, vanished. */
#include "kit.h"

#include "base/bits.h"

enum { MINUTE = 60000, DAY = 24 * 60 * MINUTE };

static struct kit *k;

static int set_up(void **state)
{
	int code = kit_setup(state);

	k = *state;
	return code;
}

/* The end of a walk that listed these alerts (by number; 0 ends the list); whether it was stored
 * is in k->ok. */
static void try_to_end(const struct walk_end *how, const int64_t *numbers)
{
	struct bits sighted = { .words = NULL };
	struct source_state position = { .order_seen = "unknown", .last_sweep_at = k->now };
	struct walk_end end = *how;
	struct page_batch batch = kit_page(k, NULL, 0);

	for (; *numbers != 0; numbers++)
		bits_add(&sighted, *numbers);
	end.sighted = &sighted;
	batch.position = &position;
	batch.end = &end;
	store_page(k->s, &batch);
	bits_release(&sighted);
}

static void end_walk(bool saw_all, const int64_t *numbers)
{
	const struct walk_end how = { .saw_all = saw_all,
				      .look_again_ms = MINUTE,
				      .absences_max = 3 };

	try_to_end(&how, numbers);
	if (!k->ok)
		fail_msg("%s", k->error);
}

static int64_t number_of(const char *id, const char *status)
{
	struct alert a;

	kit_alert(&a, id, status, "a title");
	struct page_batch batch = kit_page(k, &a, 1);

	store_page(k->s, &batch);
	alert_release(&a);
	return db_number(k->s->db, "SELECT max(number) FROM alerts");
}

static int64_t number(const char *sql)
{
	return db_number(k->s->db, sql);
}

static const int64_t nothing[] = { 0 };

static void what_a_sweep_does_not_list_is_missing_and_not_resolved(void **state)
{
	(void)state;
	int64_t a = number_of("a", "open");

	number_of("b", "open");
	end_walk(false, (int64_t[]){ a, 0 });
	assert_int_equal(k->page.missing.count, 1);
	assert_int_equal(k->page.missing.look_at, k->now);
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE id = 'b' AND state = "
				"'active' AND status = 'open' AND missing_since = 1000000"),
			 1);
	assert_int_equal(number("SELECT count(*) FROM v_events WHERE kind = 'resolved'"), 0);
	assert_int_equal(number("SELECT count(*) FROM v_missing WHERE alert_id = 'b'"), 1);
}

static void any_page_that_lists_it_finds_it(void **state)
{
	static const char *const statuses[] = { "open", "acknowledged", "resolved" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		char id[8];

		snprintf(id, sizeof(id), "a%zu", i);
		number_of(id, "open");
		end_walk(false, nothing);
		assert_true(k->page.missing.count > 0);
		see(k, id, statuses[i]);
		snprintf(k->text, sizeof(k->text),
			 "SELECT count(*) FROM v_missing WHERE alert_id = '%s'", id);
		assert_int_equal(number(k->text), 0);
	}
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE state = 'resolved'"), 1);
}

static void three_complete_walks_in_their_time_make_it_vanish(void **state)
{
	static const struct {
		int64_t after_ms;
		bool saw_all;
		int64_t absences;
	} walks[] = {
		{ 0, false, 0 },
		{ 0, true, 1 },
		{ MINUTE - 1, true, 1 },
		{ 1, false, 1 },
		{ 0, true, 2 },
		{ 4 * MINUTE - 1, true, 2 },
		{ 1, true, -1 /* gone */ },
	};

	(void)state;
	number_of("a", "open");
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		k->now += walks[i].after_ms;
		end_walk(walks[i].saw_all, nothing);
		if (walks[i].absences >= 0)
			assert_int_equal(number("SELECT absences FROM v_missing"),
					 walks[i].absences);
	}
	assert_int_equal(k->page.vanished, 1);
	assert_int_equal(k->page.missing.count, 0);
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE state = 'vanished'"), 1);
	assert_int_equal(number("SELECT count(*) FROM v_events WHERE kind <> 'opened'"), 0);
}

static void vanish(void)
{
	for (int i = 0; i < 3; i++) {
		end_walk(true, nothing);
		k->now += 10 * MINUTE;
	}
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE state = 'vanished'"), 1);
}

static void one_that_comes_back_is_active_again_and_one_that_was_resolved_is_told(void **state)
{
	(void)state;
	k->no_event = true;
	number_of("a", "open");
	k->no_event = false;
	vanish();
	k->no_event = true;
	see(k, "a", "open");
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE state = 'active'"), 1);
	vanish();
	k->no_event = false;
	see(k, "a", "resolved");
	assert_int_equal(number("SELECT count(*) FROM v_events WHERE kind = 'resolved'"), 1);
	assert_int_equal(number("SELECT count(*) FROM v_alerts WHERE state = 'resolved'"), 1);
}

static void what_is_silent_or_resolved_is_never_missing(void **state)
{
	(void)state;
	k->is_silent = true;
	number_of("old", "open");
	k->is_silent = false;
	number_of("over", "resolved");
	end_walk(true, nothing);
	assert_int_equal(k->page.missing.count, 0);
}

static void sources_with_the_same_ids_do_not_touch_each_others(void **state)
{
	int acme = k->source;

	(void)state;
	number_of("a", "open");
	end_walk(false, nothing);
	assert_true(store_source_number(k->s, "other", &k->source, &k->err));
	int64_t a = number_of("a", "open");

	end_walk(false, (int64_t[]){ a, 0 });
	assert_int_equal(k->page.missing.count, 0);
	see(k, "a", "open");
	k->source = acme;
	struct missing missing;

	assert_true(store_source_missing(k->s, acme, &missing, &k->err));
	assert_int_equal(missing.count, 1);
}

static int64_t taken[3];

static void take_numbers(void *arg, const struct page_result *result)
{
	memcpy(taken, result->numbers, sizeof(taken));
	kit_page_done(arg, result);
}

static void numbers_come_in_the_order_of_the_items(void **state)
{
	struct alert items[3];
	int64_t b = number_of("b", "open");

	(void)state;
	kit_alert(&items[0], "a", "open", "t");
	kit_alert(&items[1], "b", "open", "a title");
	kit_alert(&items[2], "a", "open", "t");
	struct page_batch batch = kit_page(k, items, 3);

	batch.done = take_numbers;
	store_page(k->s, &batch);
	int64_t a = number("SELECT number FROM alerts WHERE id = 'a'");

	assert_int_equal(taken[0], a);
	assert_int_equal(taken[1], b);
	assert_int_equal(taken[2], a);
	assert_int_equal(k->page.same, 2);
	for (size_t i = 0; i < 3; i++)
		alert_release(&items[i]);
}

static void a_clock_that_jumps_back_puts_no_look_off_for_ever(void **state)
{
	struct missing missing;

	(void)state;
	number_of("a", "open");
	k->now += (int64_t)365 * DAY;
	end_walk(true, nothing);
	k->now -= (int64_t)365 * DAY;
	see(k, "other", "open");
	assert_in_range(k->page.missing.look_at, k->now, k->now + DAY);
	end_walk(true, nothing);
	assert_int_equal(number("SELECT max(absences) FROM v_missing"), 2);
	assert_true(store_source_missing(k->s, k->source, &missing, &k->err));
	assert_int_equal(missing.count, 2);
}

static void a_position_alone_is_a_batch(void **state)
{
	struct source_state position = {
		.order_seen = "oldest-first", .head_cursor = "c", .head_at = 5, .full_pages = 7
	};
	struct source_state read;
	struct page_batch batch = kit_page(k, NULL, 0);

	(void)state;
	batch.position = &position;
	store_page(k->s, &batch);
	assert_true(store_source_load(k->s, k->source, &read, &k->err));
	assert_string_equal(read.order_seen, "oldest-first");
	assert_string_equal(read.head_cursor, "c");
	assert_int_equal(read.head_at, 5);
	assert_int_equal(read.full_pages, 7);
}

static void what_a_walk_listed_was_not_absent(void **state)
{
	(void)state;
	int64_t a = number_of("a", "open");

	number_of("b", "open");
	end_walk(true, nothing);
	k->now += MINUTE;
	end_walk(true, (int64_t[]){ a, 0 });
	assert_string_equal(ask(k, "SELECT alert_id||absences AS x FROM v_missing"), "a1 b2");
}

static void one_page_finds_its_own_and_no_other(void **state)
{
	struct alert items[2];

	(void)state;
	number_of("a", "open");
	number_of("b", "open");
	number_of("c", "open");
	end_walk(true, nothing);
	assert_int_equal(k->page.missing.count, 3);
	kit_alert(&items[0], "new", "open", "t");
	kit_alert(&items[1], "b", "open", "a title");
	struct page_batch batch = kit_page(k, items, 2);

	store_page(k->s, &batch);
	assert_int_equal(k->page.missing.count, 2);
	assert_int_equal(k->page.missing.look_at, k->now + MINUTE);
	assert_string_equal(ask(k, "SELECT alert_id AS x FROM v_missing"), "a c");
	assert_string_equal(ask(k, "SELECT missing_since AS x FROM v_alerts"),
			    "1000000 - 1000000 -");
	alert_release(&items[0]);
	alert_release(&items[1]);
}

static void the_wait_grows_fourfold_up_to_a_day(void **state)
{
	static const int64_t waits[] = { MINUTE,       4 * MINUTE,    16 * MINUTE, 64 * MINUTE,
					 256 * MINUTE, 1024 * MINUTE, DAY,         DAY };
	const struct walk_end how = { .saw_all = true,
				      .look_again_ms = MINUTE,
				      .absences_max = 100 };

	(void)state;
	number_of("a", "open");
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		try_to_end(&how, nothing);
		assert_int_equal(k->page.missing.look_at - k->now, waits[i]);
		assert_int_equal(number("SELECT absences FROM v_missing"), i + 1);
		k->now = k->page.missing.look_at;
	}
}

static void what_has_vanished_is_not_missed_again(void **state)
{
	(void)state;
	number_of("a", "open");
	vanish();
	k->now += DAY;
	end_walk(true, nothing);
	end_walk(false, nothing);
	assert_int_equal(k->page.missing.count, 0);
	assert_int_equal(k->page.vanished, 0);
	assert_string_equal(ask(k, "SELECT state||coalesce(missing_since, '') AS x"
				   " FROM v_alerts"),
			    "vanished");
}

static void what_vanished_is_decided_by_what_it_was_before(void **state)
{
	(void)state;
	number_of("a", "acknowledged");
	vanish();
	see(k, "a", "acknowledged");
	assert_int_equal(k->page.changed, 1);
	assert_int_equal(k->known.state, ALERT_IS_VANISHED);
	assert_int_equal(k->known.status, ALERT_ACKNOWLEDGED);
	assert_int_equal(k->known.episode, 1);
	see(k, "a", "acknowledged");
	assert_int_equal(k->page.same, 1);
}

static void walks_of_one_source_say_nothing_of_anothers(void **state)
{
	int acme = k->source;

	(void)state;
	number_of("a", "open");
	assert_true(store_source_number(k->s, "other", &k->source, &k->err));
	number_of("a", "open");
	end_walk(true, nothing);
	vanish();
	assert_string_equal(ask(k, "SELECT source||' '||state AS x FROM v_alerts"),
			    "acme active other vanished");
	k->source = acme;
	end_walk(true, nothing);
	assert_string_equal(ask(k, "SELECT source||absences AS x FROM v_missing"), "acme1");
}

static void a_commit_that_fails_changes_nothing_of_it(void **state)
{
	struct source_state at;
	struct err err;

	(void)state;
	number_of("a", "open");
	/* More than one page of the file holds. */
	db_script(
		k->s->db,
		"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		" INSERT INTO alerts SELECT i, source, 'a' || i, hash, content, status,"
		" severity, state, episode, seq, last_event, unended_from, created_at,"
		" first_seen_at, written_at, resolved_at, body, 0, 0 FROM alerts, n");
	assert_int_equal(db_failure(k->s->db), DB_FINE);
	const struct walk_end how = { .saw_all = true,
				      .look_again_ms = MINUTE,
				      .absences_max = 3 };
	struct store *other = store_open(k->path, STORE_COMMAND, &err);

	db_begin(other->db);
	try_to_end(&how, nothing);
	assert_true(!k->ok && k->busy);
	db_rollback(other->db);
	store_close(&other);
	db_clear(k->s->db);
	db_room(k->s->db, 0);
	try_to_end(&how, nothing);
	assert_true(!k->ok && k->full);
	assert_int_equal(k->page.vanished + k->page.missing.count, 0);
	assert_null(k->page.numbers);
	assert_true(store_source_load(k->s, k->source, &at, &k->err));
	assert_int_equal(at.last_sweep_at, 0);
	assert_int_equal(number("SELECT count(*) FROM missing"), 0);
	db_room(k->s->db, -1);
	try_to_end(&how, nothing);
	assert_true(k->ok);
	assert_int_equal(k->page.missing.count, 2000);
}

/* What failed before says nothing of what is missing now. */
static void a_batch_of_nothing_tells_what_is_missing_after_a_failure_too(void **state)
{
	struct page_batch batch = kit_page(k, NULL, 0);
	struct err err;

	(void)state;
	number_of("a", "open");
	end_walk(false, nothing);
	struct store *other = store_open(k->path, STORE_COMMAND, &err);

	db_begin(other->db);
	kit_show(k, "b", "open", "t");
	assert_true(k->busy);
	store_page(k->s, &batch);
	assert_true(k->ok);
	assert_int_equal(k->page.missing.count, 1);
	db_rollback(other->db);
	store_close(&other);
}

static void an_end_that_changes_nothing_writes_nothing(void **state)
{
	struct err err;

	(void)state;
	int64_t a = number_of("a", "open");

	number_of("b", "open");
	end_walk(true, (int64_t[]){ a, 0 });
	struct store *reader = store_open(k->path, STORE_READ, &err);
	int64_t before = store_version(reader);

	end_walk(true, (int64_t[]){ a, 0 });
	end_walk(false, (int64_t[]){ a, 0 });
	assert_int_equal(store_version(reader), before);
	k->now += 1;
	end_walk(true, (int64_t[]){ a, 0 });
	assert_true(store_version(reader) != before);
	store_close(&reader);
}

static void move_to(const struct source_state *to)
{
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.position = to;
	store_page(k->s, &batch);
	assert_true(k->ok);
}

static void each_part_of_a_position_moves_it_and_none_writes_nothing(void **state)
{
	static const struct source_state from = { .order_seen = "newest-first",
						  .baseline_known = true,
						  .head_at = 1,
						  .head_cursor = "c",
						  .full_pages = 2 };
	struct source_state to[] = { from, from, from, from, from, from, from, from, from };
	struct err err;

	(void)state;
	snprintf(to[0].org_id, sizeof(to[0].org_id), "org_1");
	snprintf(to[1].order_seen, sizeof(to[1].order_seen), "unordered");
	to[2].baseline_at = 9;
	to[3].last_head_at = 9;
	to[4].last_sweep_at = 9;
	to[5].last_full_at = 9;
	to[6].head_at = 9;
	memset(to[7].head_cursor, 'c', HEAD_CURSOR_MAX);
	to[8].full_pages = 9;
	struct store *reader = store_open(k->path, STORE_READ, &err);

	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct source_state read;

		move_to(&from);
		int64_t before = store_version(reader);

		move_to(&from);
		assert_int_equal(store_version(reader), before);
		move_to(&to[i]);
		if (store_version(reader) == before)
			fail_msg("part %zu does not move it", i);
		assert_true(store_source_load(k->s, k->source, &read, &k->err));
		assert_string_equal(read.head_cursor, to[i].head_cursor);
		assert_int_equal(read.head_at, to[i].head_at);
		assert_int_equal(read.full_pages, to[i].full_pages);
	}
	store_close(&reader);
}

#define TALE(name) cmocka_unit_test_setup_teardown(name, set_up, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALE(what_a_sweep_does_not_list_is_missing_and_not_resolved),
		TALE(any_page_that_lists_it_finds_it),
		TALE(three_complete_walks_in_their_time_make_it_vanish),
		TALE(one_that_comes_back_is_active_again_and_one_that_was_resolved_is_told),
		TALE(what_is_silent_or_resolved_is_never_missing),
		TALE(sources_with_the_same_ids_do_not_touch_each_others),
		TALE(numbers_come_in_the_order_of_the_items),
		TALE(a_clock_that_jumps_back_puts_no_look_off_for_ever),
		TALE(a_position_alone_is_a_batch),
		TALE(what_a_walk_listed_was_not_absent),
		TALE(one_page_finds_its_own_and_no_other),
		TALE(the_wait_grows_fourfold_up_to_a_day),
		TALE(what_has_vanished_is_not_missed_again),
		TALE(what_vanished_is_decided_by_what_it_was_before),
		TALE(walks_of_one_source_say_nothing_of_anothers),
		TALE(a_commit_that_fails_changes_nothing_of_it),
		TALE(a_batch_of_nothing_tells_what_is_missing_after_a_failure_too),
		TALE(an_end_that_changes_nothing_writes_nothing),
		TALE(each_part_of_a_position_moves_it_and_none_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
