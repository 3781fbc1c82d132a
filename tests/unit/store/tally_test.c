/* tally.h: rows that wait, counted in steps, are those that a plain count finds. */
#include "store/tally.h"

#include "../change_rows.h"
#include "base/num.h"
#include "kit.h"

static size_t walk(struct tally *t, size_t rows)
{
	size_t steps = 1;

	while (!tally_step(t, rows))
		steps++;
	return steps;
}

/* What SQL counts of a sink's state. */
static int64_t counted(struct kit *k, const char *sink, const char *state)
{
	char sql[200];
	int64_t count;

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce(sum(count), 0) AS x FROM v_counts"
		 " WHERE sink = '%s' AND state = '%s'",
		 sink, state);
	assert_true(num_parse_int(ask(k, sql), &count, NULL));
	return count;
}

static void expect_all(struct kit *k, struct tally *t)
{
	for (size_t i = 0; i < ARRAY_LEN(k->sinks); i++) {
		const struct store_sink *sink = &k->sinks[i];
		const struct tally_counts *c = tally_of(t, sink->number);

		assert_non_null(c);
		assert_int_equal(c->due, counted(k, sink->name, "due"));
		assert_int_equal(c->held, counted(k, sink->name, "held"));
		assert_int_equal(c->dead, counted(k, sink->name, "dead"));
	}
}

/* Alerts a1 … an open; those before `closed` are closed too, behind their opens. */
static void fill(struct kit *k, int count, int closed)
{
	char id[16];

	for (int i = 1; i <= count; i++) {
		snprintf(id, sizeof(id), "a%d", i);
		see(k, id, "open");
		if (i < closed)
			see(k, id, "resolved");
	}
}

static void before_the_first_walk_nothing_is_known(void **state)
{
	struct kit *k = *state;
	struct tally *t = tally_new(k->s);

	assert_null(tally_of(t, k->sinks[0].number));
	assert_true(tally_is_stale(t));
	assert_int_equal(walk(t, 1000), 1);
	expect_all(k, t);
	assert_int_equal(tally_of(t, k->sinks[0].number)->oldest_due_at, INT64_MAX);
	assert_false(tally_is_stale(t));
	tally_free(&t);
}

/* Most are due at one instant, which is where a walk by instants alone would never move. */
static void steps_of_any_size_count_all(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 20, 21, 1000 };
	struct kit *k = *state;
	struct tally *t = tally_new(k->s);

	k->now = 5000;
	fill(k, 50, 21);
	turn(k);
	settle_all(k, DELIVERY_DEAD);
	k->now = 4000;
	fill(k, 1, 0);
	k->now = 9000;
	fill(k, 120, 121);
	turn(k);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		walk(t, sizes[i]);
		expect_all(k, t);
	}
	assert_true(walk(t, 3) > 50);
	const struct tally_counts *hook = tally_of(t, k->sinks[1].number);

	assert_int_equal(hook->dead, 50);
	assert_true(hook->due > 20 && hook->held > 20);
	tally_free(&t);
}

static void the_oldest_due_is_the_first_of_the_sink(void **state)
{
	struct kit *k = *state;
	struct tally *t = tally_new(k->s);

	k->now = 7000;
	see(k, "a", "open");
	k->now = 6000;
	see(k, "b", "open");
	walk(t, 2);
	assert_int_equal(tally_of(t, k->sinks[1].number)->oldest_due_at, 6000);
	tally_free(&t);
}

/* Until a walk is over, the counts of the one before stand. */
static void a_walk_under_way_changes_nothing(void **state)
{
	struct kit *k = *state;
	struct tally *t = tally_new(k->s);
	int hook = k->sinks[1].number;

	fill(k, 30, 0);
	walk(t, 1000);
	turn(k);
	assert_true(tally_is_stale(t));
	assert_false(tally_step(t, 1));
	assert_int_equal(tally_of(t, hook)->due, 30);
	while (!tally_step(t, 1))
		;
	assert_int_equal(tally_of(t, hook)->due, 0);
	tally_free(&t);
}

static void what_another_connection_wrote_is_stale(void **state)
{
	struct kit *k = *state;
	struct tally *t = tally_new(k->s);

	fill(k, 3, 0);
	walk(t, 1000);
	assert_false(tally_is_stale(t));
	struct store *other = store_open(k->path, STORE_COMMAND, &k->err);

	assert_non_null(other);
	assert_int_equal(change_rows(other, store_drop, "state = 'due'", k->now, &k->err), 6);
	store_close(&other);
	assert_true(tally_is_stale(t));
	walk(t, 1000);
	assert_int_equal(tally_of(t, k->sinks[1].number)->due, 0);
	tally_free(&t);
}

/* A scan or a sort would read all rows at each step. */
static void each_step_searches(void **state)
{
	static const enum sql steps[] = { SQL_TALLY_HELD, SQL_TALLY_DUE, SQL_TALLY_DUE_TIED,
					  SQL_TALLY_DEAD };
	static const char *const plans[] = {
		"SEARCH deliveries USING COVERING INDEX deliveries_after (after>?)\n",
		"SEARCH deliveries USING INDEX deliveries_due (sink=? AND due_at>?)\n",
		"SEARCH deliveries USING INDEX deliveries_due (sink=? AND due_at=? AND rowid>?)\n",
		"SEARCH deliveries USING INDEX deliveries_dead (sink=? AND rowid>?)\n",
	};
	struct kit *k = *state;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct buf plan;

		buf_init(&plan, 4096);
		db_plan(k->s->db, sql_texts[steps[i]], &plan);
		assert_string_equal(plan.data, plans[i]);
		buf_release(&plan);
	}
}

static void commits_are_timed(void **state)
{
	struct kit *k = *state;
	int64_t before = store_commits(k->s)->count;

	see(k, "a", "open");
	turn(k);
	assert_int_equal(store_commits(k->s)->count, before + 2);
	assert_true(store_commits(k->s)->sum > 0);
	assert_int_equal(store_commit_failures(k->s), 0);
	assert_true(store_bytes(k->path) > 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(before_the_first_walk_nothing_is_known),
		STORY(steps_of_any_size_count_all),
		STORY(the_oldest_due_is_the_first_of_the_sink),
		STORY(a_walk_under_way_changes_nothing),
		STORY(what_another_connection_wrote_is_stale),
		STORY(each_step_searches),
		STORY(commits_are_timed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
