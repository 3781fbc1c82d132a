/*
 * Each violation, planted in a store by hand, is found and named; a store of thousands of rows in
 * every state that is sound says nothing.
 */
#include "../change_rows.h"
#include "kit.h"

#include "store/audit.h"

enum { FOUND_MAX = 8, STEPS_MAX = 100 };

struct scene {
	struct kit *k;
	struct audit *audit;
	struct audit_finding found[FOUND_MAX];
	char alert[16]; /* of the last */
	size_t count;
	int steps;
	bool (*follows)(void *arg, int route, int sink, enum event_kind kind);
};

static bool all_follow(void *arg, int route, int sink, enum event_kind kind)
{
	(void)arg;
	(void)route;
	(void)sink;
	(void)kind;
	return true;
}

static bool no_close(void *arg, int route, int sink, enum event_kind kind)
{
	(void)arg;
	(void)route;
	(void)sink;
	return kind != EVENT_RESOLVED;
}

static void on_found(void *arg, const struct audit_finding *finding)
{
	struct scene *s = arg;

	if (s->count < FOUND_MAX)
		s->found[s->count] = *finding;
	snprintf(s->alert, sizeof(s->alert), "%s", finding->alert);
	s->count++;
}

static void open_scene(struct scene *s, void **state)
{
	*s = (struct scene){ .k = *state };
	s->audit = audit_new(
		s->k->s,
		&(struct audit_rules){ .follows = all_follow, .found = on_found, .arg = s });
}

static void close_scene(struct scene *s)
{
	audit_free(&s->audit);
}

/* One minute's audit; returns how many violations it found. */
static size_t look(struct scene *s)
{
	s->count = 0;
	s->steps = 1;
	audit_begin(s->audit);
	while (audit_step(s->audit, s->k->now))
		assert_true(++s->steps < STEPS_MAX);
	return s->count;
}

static void plant(struct kit *k, const char *sql)
{
	db_clear(k->s->db);
	db_script(k->s->db, sql);
	if (db_failure(k->s->db) != DB_FINE)
		fail_msg("%s: %s", sql, db_error(k->s->db));
}

static void show(struct scene *s, const char *id, const char *status)
{
	see(s->k, id, status);
}

/*
 * Rows of the hook: of a, done; of b, claimed, and held behind it; of c, due; of d, dead; of e,
 * dropped.
 */
static void make_rows(struct scene *s)
{
	struct kit *k = s->k;
	struct selection which = { .id_count = 1 };
	int64_t id;

	kit_only(k, 1);
	show(s, "a", "open");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	show(s, "d", "open");
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	show(s, "b", "open");
	turn(k);
	show(s, "b", "acknowledged");
	show(s, "c", "open");
	show(s, "e", "open");
	id = strtoll(ask(k, "SELECT id AS x FROM v_deliveries WHERE alert_id = 'e'"), NULL, 10);
	which.ids = &id;
	assert_int_equal(store_drop(k->s, &which, k->now, &k->err), 1);
	assert_string_equal(rows(k, "hook"), "opened:done opened:dead opened:claimed "
					     "acknowledged:held(behind) opened:due "
					     "opened:dropped(operator)");
	assert_int_equal(look(s), 0);
}

#define OF(alert) " WHERE id >> 27 IN (SELECT id FROM v_events WHERE alert_id = '" alert "')"

static const struct {
	const char *sql, *what;
} planted[] = {
	{ "UPDATE deliveries SET state = 'lost'" OF("c"), "its state is no word that we know" },
	{ "UPDATE deliveries SET sink = sink - 1" OF("c"),
	  "its sink is not the one of its id" },
	{ "DELETE FROM events WHERE id IN (SELECT id FROM v_events WHERE alert_id = 'a')",
	  "its event is not in the store" },
	{ "UPDATE deliveries SET ended_at = 5" OF("c"), "it goes on, though it has ended" },
	{ "UPDATE deliveries SET due_at = NULL" OF("c"), "it is due, but at no time" },
	{ "UPDATE deliveries SET after = id - 1" OF("c"),
	  "it is due, and waits for another row" },
	{ "UPDATE deliveries SET state = 'held'" OF("c"), "it is held by nothing" },
	{ "UPDATE deliveries SET state = 'orphaned'" OF("c"),
	  "it is orphaned, and its sink is configured" },
	{ "UPDATE deliveries SET state = 'claimed', claimed_at = 5, claimed_by = 1" OF("c"),
	  "it is claimed by another process" },
	{ "UPDATE deliveries SET state = 'claimed', claimed_at = 5,"
	  " claimed_by = (SELECT claimed_by FROM deliveries WHERE state = 'claimed')" OF("c"),
	  "it is claimed, and nobody is at work on it" },
	{ "UPDATE deliveries SET state = 'claimed', ended_at = NULL" OF("a"),
	  "it is claimed, and nobody is at work on it" },
	{ "UPDATE deliveries SET ended_at = NULL" OF("a"), "it has ended, but at no time" },
	{ "UPDATE deliveries SET ended_at = NULL" OF("d"), "it has ended, but at no time" },
	{ "UPDATE deliveries SET after = 5" OF("a"),
	  "it has ended, and waits for another row" },
	{ "UPDATE deliveries SET reason = NULL" OF("e"), "it was set aside without a reason" },
	{ "UPDATE deliveries SET state = 'moved', reason = NULL" OF("d"),
	  "it was set aside without a reason" },
	{ "UPDATE deliveries SET after = 77 WHERE state = 'held'",
	  "it waits for a row that has ended" },
	{ "UPDATE deliveries SET after = (SELECT id FROM deliveries WHERE state = 'dead')"
	  " WHERE state = 'held'",
	  "it waits for a row that has ended" },
};

static void inv4_every_row_that_is_wrong_is_found_and_named(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(planted); i++) {
		struct scene s;

		open_scene(&s, state);
		make_rows(&s);
		plant(s.k, planted[i].sql);
		if (look(&s) != 1 || strcmp(s.found[0].what, planted[i].what) != 0)
			fail_msg("%s: %d found, the first: %s", planted[i].sql, (int)s.count,
				 s.count > 0 ? s.found[0].what : "-");
		assert_int_equal(s.found[0].sink, s.k->sinks[1].number);
		assert_int_equal(s.found[0].event, delivery_key_event(s.found[0].delivery));
		close_scene(&s);
		kit_teardown(state);
		kit_setup(state);
	}
}

static void inv4_a_row_of_a_sink_that_is_gone_must_be_orphaned(void **state)
{
	struct scene s;

	open_scene(&s, state);
	make_rows(&s);
	kit_sinks(s.k, 1);
	assert_int_equal(look(&s), 0);
	plant(s.k, "UPDATE deliveries SET state = 'due'" OF("c"));
	assert_int_equal(look(&s), 1);
	assert_string_equal(s.found[0].what, "it is due, and its sink is not configured");
	close_scene(&s);
}

static void a_row_that_waits_in_vain_is_released(void **state)
{
	struct scene s;
	struct audit_status status;

	open_scene(&s, state);
	make_rows(&s);
	plant(s.k, "UPDATE deliveries SET after = 77 WHERE state = 'held'");
	assert_int_equal(look(&s), 1);
	assert_true(s.found[0].is_mended);
	assert_string_equal(ask(s.k, "SELECT state || ' at ' || due_at AS x FROM v_deliveries"
				     " WHERE event = 'acknowledged'"),
			    "due at 1000000");
	assert_int_equal(look(&s), 0);
	audit_status(s.audit, &status);
	assert_int_equal(status.violations, 1);
	assert_int_equal(status.waited, 1);
	assert_int_equal(status.mended, 1);
	close_scene(&s);
}

static void what_can_not_be_mended_now_is_told_all_the_same(void **state)
{
	struct scene s;
	struct err err;

	open_scene(&s, state);
	make_rows(&s);
	plant(s.k, "UPDATE deliveries SET after = 77 WHERE state = 'held'");
	struct store *other = store_open(s.k->path, STORE_COMMAND, &err);

	assert_non_null(other);
	db_begin(other->db);
	assert_int_equal(look(&s), 1);
	assert_false(s.found[0].is_mended);
	db_rollback(other->db);
	store_close(&other);
	assert_int_equal(look(&s), 1);
	assert_true(s.found[0].is_mended);
	close_scene(&s);
}

/* ---- follow-ups ---- */

static void make_episode(struct scene *s)
{
	show(s, "a", "open");
	turn(s->k);
	settle_all(s->k, DELIVERY_DONE);
	show(s, "a", "resolved");
	assert_int_equal(look(s), 0);
}

static void forget_close(struct scene *s, int sink)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "DELETE FROM deliveries WHERE id >> 27 = 2 AND sink = %d",
		 sink);
	plant(s->k, sql);
	/* As if it had just been made. */
	store_note_event(s->k->s, 2);
}

static void inv5_a_sink_that_heard_the_open_and_has_no_row_for_the_close_is_found(void **state)
{
	struct scene s;

	open_scene(&s, state);
	make_episode(&s);
	forget_close(&s, s.k->sinks[1].number);
	assert_int_equal(look(&s), 1);
	assert_int_equal(s.found[0].event, 2);
	assert_int_equal(s.found[0].delivery, 0);
	assert_int_equal(s.found[0].sink, s.k->sinks[1].number);
	assert_string_equal(s.found[0].what, "it heard the episode and not this event");
	assert_string_equal(s.alert, "a");
	close_scene(&s);
}

static void inv5_who_heard_nothing_or_is_left_out_needs_no_row(void **state)
{
	struct scene s;

	open_scene(&s, state);
	show(&s, "a", "open");
	turn(s.k);
	settle_all(s.k, DELIVERY_DEAD);
	show(&s, "a", "resolved");
	assert_int_equal(s.k->page.deliveries, 0);
	assert_int_equal(look(&s), 0);
	close_scene(&s);
	s.audit = audit_new(
		s.k->s,
		&(struct audit_rules){ .follows = no_close, .found = on_found, .arg = &s });
	show(&s, "b", "open");
	s.k->refused_sink = s.k->sinks[0].number;
	show(&s, "b", "resolved");
	assert_int_equal(s.k->page.deliveries, 1);
	assert_int_equal(look(&s), 0);
	close_scene(&s);
}

/* What was folded away before the fallback came is not told to it. */
static void inv5_a_fallback_need_not_hear_what_was_over_when_it_came(void **state)
{
	struct scene s;

	open_scene(&s, state);
	kit_only(s.k, 0);
	show(&s, "a", "open");
	turn(s.k);
	show(&s, "a", "acknowledged");
	show(&s, "a", "resolved");
	s.k->now += 1000;
	struct settle settle = kit_outcome(s.k, &s.k->claims[0], DELIVERY_MOVED);

	settle.moved_to = s.k->sinks[1].number;
	settle.reason = "to hook";
	kit_turn(s.k, &settle, 1, 0);
	assert_true(s.k->ok);
	assert_string_equal(rows(s.k, "chat"), "opened:moved(to hook) acknowledged:dropped("
					       "superseded) resolved:moved(to hook)");
	assert_string_equal(rows(s.k, "hook"), "opened:due resolved:held(behind)");
	assert_int_equal(look(&s), 0);
	/* What comes later is. */
	s.k->now += 1000;
	kit_show(s.k, "a", "resolved", "another title");
	assert_string_equal(rows(s.k, "hook"),
			    "opened:due resolved:held(behind) changed:held(behind)");
	plant(s.k, "DELETE FROM deliveries WHERE id >> 27 = 4");
	assert_int_equal(look(&s), 1);
	close_scene(&s);
}

/* The rules of now were not those of then. */
static void inv5_events_from_before_the_rules_are_not_judged_by_them(void **state)
{
	struct scene s;

	open_scene(&s, state);
	make_episode(&s);
	audit_from_now(s.audit);
	forget_close(&s, s.k->sinks[1].number);
	assert_int_equal(look(&s), 0);
	show(&s, "b", "open");
	show(&s, "b", "resolved");
	plant(s.k, "DELETE FROM deliveries WHERE id >> 27 = 4");
	assert_int_equal(look(&s), 1); /* the chat's close had taken its open in */
	close_scene(&s);
}

/* ---- how it looks ---- */

/* Thousands of rows: done, dead, due, held, claimed, dropped, orphaned, moved. */
static void make_thousands(struct scene *s)
{
	static const char *const statuses[] = { "open", "acknowledged", "resolved" };
	char id[16];

	plant(s->k, "PRAGMA synchronous = OFF");
	for (int i = 0; i < 1500; i++) {
		snprintf(id, sizeof(id), "a%d", i % 700);
		show(s, id, statuses[i % 3]);
		if (i % 10 == 0) {
			kit_turn(s->k, NULL, 0, 20);
			if (i % 20 == 0)
				settle_all(s->k, i % 40 == 0  ? DELIVERY_DONE
						 : i % 3 == 0 ? DELIVERY_DEAD
							      : DELIVERY_DUE);
		}
		if (i % 400 == 350)
			assert_true(change_rows(s->k->s, store_requeue, "state = 'dead'",
						s->k->now, &s->k->err) > 0);
		s->k->now += 100;
	}
	show(s, "z", "open");
	kit_sinks(s->k, 1);
}

static void a_sound_store_of_thousands_of_rows_is_silent(void **state)
{
	struct scene s;
	struct audit_status status;

	open_scene(&s, state);
	make_thousands(&s);
	assert_string_equal(
		ask(s.k, "SELECT DISTINCT state AS x FROM deliveries ORDER BY state"),
		"claimed dead done dropped due held moved orphaned");
	assert_int_equal(look(&s), 0);
	audit_status(s.audit, &status);
	int64_t all = db_number(s.k->s->db, "SELECT count(*) FROM deliveries");

	assert_true(all > 2000);
	/* Each was touched, and each was met by the walk. */
	assert_int_equal(status.rows, 2 * all);
	assert_int_equal(status.rounds, 1);
	assert_int_equal(status.clean_rounds, 1);
	/* Nothing was touched since. */
	assert_int_equal(look(&s), 0);
	audit_status(s.audit, &status);
	assert_int_equal(status.rows, 3 * all);
	close_scene(&s);
}

/* What a command or an earlier run did wrong was not noted: the walk meets it. */
static void the_walk_comes_around_to_what_nobody_touched(void **state)
{
	struct scene s;
	struct audit_status status;

	open_scene(&s, state);
	make_thousands(&s);
	assert_int_equal(look(&s), 0);
	plant(s.k, "UPDATE deliveries SET ended_at = NULL WHERE id ="
		   " (SELECT max(id) FROM deliveries WHERE state = 'done')");
	assert_int_equal(look(&s), 1);
	audit_status(s.audit, &status);
	assert_int_equal(status.rounds, 2);
	assert_int_equal(status.clean_rounds, 1);
	plant(s.k, "UPDATE deliveries SET ended_at = 5 WHERE state = 'done'");
	assert_int_equal(look(&s), 0);
	audit_status(s.audit, &status);
	assert_int_equal(status.clean_rounds, 2);
	close_scene(&s);
}

/* More was touched than is noted: the rest is a range. */
static void a_flood_is_looked_at_whole(void **state)
{
	struct scene s;

	open_scene(&s, state);
	make_rows(&s);
	kit_only(s.k, 1);
	plant(s.k, "PRAGMA synchronous = OFF");
	for (int i = 0; i < 2500; i++) {
		char id[16];

		snprintf(id, sizeof(id), "f%d", i);
		show(&s, id, "open");
	}
	/* Not for the walk: nothing but a follow-up that is missing. */
	show(&s, "f2499", "resolved");
	plant(s.k, "DELETE FROM deliveries WHERE id >> 27 = (SELECT max(id) FROM events)");
	assert_int_equal(look(&s), 1);
	assert_string_equal(s.found[0].what, "it heard the episode and not this event");
	close_scene(&s);
}

static void an_empty_store_is_sound(void **state)
{
	struct scene s;

	open_scene(&s, state);
	assert_int_equal(look(&s), 0);
	assert_int_equal(s.steps, 1);
	assert_false(audit_step(s.audit, s.k->now));
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(inv4_every_row_that_is_wrong_is_found_and_named),
		STORY(inv4_a_row_of_a_sink_that_is_gone_must_be_orphaned),
		STORY(a_row_that_waits_in_vain_is_released),
		STORY(what_can_not_be_mended_now_is_told_all_the_same),
		STORY(inv5_a_sink_that_heard_the_open_and_has_no_row_for_the_close_is_found),
		STORY(inv5_who_heard_nothing_or_is_left_out_needs_no_row),
		STORY(inv5_a_fallback_need_not_hear_what_was_over_when_it_came),
		STORY(inv5_events_from_before_the_rules_are_not_judged_by_them),
		STORY(a_sound_store_of_thousands_of_rows_is_silent),
		STORY(the_walk_comes_around_to_what_nobody_touched),
		STORY(a_flood_is_looked_at_whole),
		STORY(an_empty_store_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
