/*
 * Whatever happens, in whatever order: seeded walks of sightings, turns, outcomes, kills,
 * reloads and an operator's commands; after each step the store must still be true to
 * invariants 4 and 6, and at the end all that waited must come through.
 */
#include "base/backoff.h"
#include "kit.h"

enum { STEPS = 300, ALERTS = 5 };

struct walk {
	struct kit *k;
	struct chance chance;
	struct claim under_way[KIT_CLAIMS];
	size_t under_way_count;
	uint64_t seed;
	int step;
};

static void expect_none(struct walk *w, const char *what, const char *sql)
{
	const char *found = ask(w->k, sql);

	if (found[0] != '\0')
		fail_msg("seed %d, step %d: %s: %s", (int)w->seed, w->step, what, found);
}

static void audit(struct walk *w)
{
	expect_none(w, "waits behind a row that has ended",
		    "SELECT d.id AS x FROM v_deliveries d LEFT JOIN v_deliveries o"
		    " ON o.id = d.after WHERE d.after IS NOT NULL"
		    " AND coalesce(o.state, '') NOT IN ('due', 'held', 'claimed', 'orphaned')");
	expect_none(w, "waits for nobody, or ended and waits",
		    "SELECT id AS x FROM v_deliveries WHERE (state = 'held') AND after IS NULL"
		    " OR after IS NOT NULL AND state NOT IN ('held', 'orphaned')");
	expect_none(w, "goes before an older row",
		    "SELECT d.id AS x FROM v_deliveries d JOIN v_deliveries o"
		    " ON o.alert_id = d.alert_id AND o.sink = d.sink AND o.id < d.id"
		    " WHERE d.state IN ('due', 'claimed')"
		    " AND o.state IN ('due', 'held', 'claimed', 'orphaned')");
	expect_none(w, "is out of the alert's reach",
		    "SELECT d.id AS x FROM v_deliveries d JOIN events e ON e.id = d.event_id"
		    " JOIN alerts a ON a.number = e.alert WHERE e.id < a.unended_from"
		    " AND d.state IN ('due', 'held', 'claimed', 'orphaned')");
	expect_none(w, "ended without an instant, or goes on with one",
		    "SELECT id AS x FROM v_deliveries WHERE (ended_at IS NULL) ="
		    " (state IN ('done', 'dead', 'moved', 'dropped'))");
}

static void one_sighting(struct walk *w)
{
	static const char *const statuses[] = { "open", "acknowledged", "resolved" };
	char id[8] = { (char)('a' + chance_below(&w->chance, ALERTS)), '\0' };
	char title[40];

	snprintf(title, sizeof(title), "t%d", (int)chance_below(&w->chance, 3));
	w->k->is_raised = chance_below(&w->chance, 8) == 0;
	kit_show(w->k, id, statuses[chance_below(&w->chance, 3)], title);
	assert_true(w->k->ok);
}

static void claim_some(struct walk *w)
{
	kit_turn(w->k, NULL, 0, 2);
	assert_true(w->k->ok);
	for (size_t i = 0; i < w->k->claim_count; i++)
		w->under_way[w->under_way_count++] = w->k->claims[i];
}

static void settle_some(struct walk *w)
{
	struct settle settles[KIT_CLAIMS];
	size_t count = 0;

	while (w->under_way_count > 0 && chance_below(&w->chance, 4) != 0) {
		static const enum delivery_state ends[] = { DELIVERY_DONE, DELIVERY_DONE,
							    DELIVERY_DUE, DELIVERY_DEAD };
		const struct claim *c = &w->under_way[--w->under_way_count];

		settles[count] = kit_outcome(w->k, c, ends[chance_below(&w->chance, 4)]);
		settles[count++].maybe_sent = chance_below(&w->chance, 5) == 0;
	}
	kit_turn(w->k, settles, count, 0);
	assert_true(w->k->ok);
}

static void an_operator_acts(struct walk *w)
{
	static const char *const states[] = { "dead", "due", "held", "done", "orphaned" };
	struct selection which = { .state = states[chance_below(&w->chance, 5)] };

	if (chance_below(&w->chance, 3) == 0)
		assert_true(store_drop(w->k->s, &which, w->k->now, &w->k->err) >= 0);
	else
		assert_true(store_requeue(w->k->s, &which, w->k->now, &w->k->err) >= 0);
}

static void a_new_start(struct walk *w)
{
	store_close(&w->k->s);
	kit_open(w->k);
	w->under_way_count = 0;
	assert_true(store_recover(w->k->s, w->k->now, &w->k->err) >= 0);
}

static void one_step(struct walk *w)
{
	int64_t dice = chance_below(&w->chance, 40);

	w->k->now += chance_below(&w->chance, 3000);
	if (dice < 16)
		one_sighting(w);
	else if (dice < 26)
		claim_some(w);
	else if (dice < 36)
		settle_some(w);
	else if (dice == 36)
		an_operator_acts(w);
	else if (dice == 37)
		a_new_start(w);
	else
		kit_sinks(w->k, 1 + (size_t)chance_below(&w->chance, 2));
}

static void drain(struct walk *w)
{
	a_new_start(w);
	for (int i = 0; i < STEPS; i++) {
		w->k->now += 5000;
		turn(w->k);
		settle_all(w->k, DELIVERY_DONE);
	}
	audit(w);
	expect_none(w, "never came through",
		    "SELECT state AS x FROM v_deliveries"
		    " WHERE state NOT IN ('done', 'dead', 'moved', 'dropped')");
}

static void invariants_4_and_6_hold_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		void *made;

		kit_setup(&made);
		struct walk w = { .k = made, .seed = seed };

		chance_seed(&w.chance, seed);
		for (w.step = 0; w.step < STEPS; w.step++) {
			one_step(&w);
			audit(&w);
		}
		drain(&w);
		kit_teardown(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_4_and_6_hold_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
