/*
 * Whatever happens, in whatever order: seeded walks of sightings, turns, outcomes, kills,
 * reloads, moves to a fallback, sinks that take over and an operator's commands; after each step
 * the store must still be true to invariants 4, 5 and 6, and at the end all that waited must come
 * through.
 */
#include "../change_rows.h"
#include "base/backoff.h"
#include "kit.h"
#include "store/audit.h"

enum { STEPS = 300, ALERTS = 5 };

struct walk {
	struct kit *k;
	struct audit *own; /* the daemon's own, which must find nothing */
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

static bool own_follows(void *arg, int route, int sink, enum event_kind kind)
{
	(void)arg;
	(void)route;
	(void)sink;
	(void)kind;
	return true;
}

static void own_found(void *arg, const struct audit_finding *f)
{
	struct walk *w = arg;

	fail_msg("seed %d, step %d: the audit says of row %lld, event %lld, sink %d: %s",
		 (int)w->seed, w->step, (long long)f->delivery, (long long)f->event, f->sink,
		 f->what);
}

static void begin_own(struct walk *w)
{
	w->own = audit_new(
		w->k->s,
		&(struct audit_rules){ .follows = own_follows, .found = own_found, .arg = w });
}

static void audit(struct walk *w)
{
	audit_begin(w->own);
	while (audit_step(w->own, w->k->now)) {
	}
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
	expect_none(w, "moved to nobody",
		    "SELECT d.id AS x FROM v_deliveries d WHERE d.reason LIKE 'to %' AND NOT"
		    " EXISTS (SELECT 1 FROM v_deliveries o WHERE o.alert_id = d.alert_id"
		    " AND o.sink <> d.sink AND o.event_id >= d.event_id)");
	expect_none(w, "moved twice",
		    "SELECT id AS x FROM v_deliveries WHERE origin = 'fallback'"
		    " AND reason LIKE 'to %'");
	expect_none(
		w, "heard of the episode and is not owed its close",
		"SELECT d.id AS x FROM v_deliveries d JOIN v_deliveries o ON o.sink = d.sink"
		" AND o.alert_id = d.alert_id AND o.episode = d.episode AND o.id < d.id"
		" AND o.ended_at < d.ended_at"
		" WHERE d.state = 'moved' AND d.reason = 'to the other, it was down'"
		" AND (o.state = 'done' OR o.maybe_sent)");
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

static int other_sink(struct walk *w, int sink)
{
	return w->k->sinks[w->k->sinks[0].number == sink ? 1 : 0].number;
}

/* The sink has a fallback; a row that came by one dies. One that is gone has none, nor is gone
 * what takes over. */
static void have_moved(struct walk *w, const struct claim *c, struct settle *settle)
{
	if (c->origin == ORIGIN_FALLBACK || chance_below(&w->chance, 2) == 0 ||
	    w->k->s->sinks[c->sink].is_absent ||
	    w->k->s->sinks[other_sink(w, c->sink)].is_absent)
		return;
	settle->state = DELIVERY_MOVED;
	settle->moved_to = other_sink(w, c->sink);
	settle->reason = "to the other, it was refused";
}

/* A look at what waits; the sinks have nothing in common, so the one may be down for long. */
static void move_some(struct walk *w)
{
	int from = w->k->sinks[chance_below(&w->chance, 2)].number;
	struct move move = { .from = from,
			     .to = other_sink(w, from),
			     .room = 1 + (size_t)chance_below(&w->chance, 3),
			     .reason = "to the other, it was down" };
	struct turn_batch batch = { .now = w->k->now,
				    .moves = &move,
				    .move_count = 1,
				    .done = kit_turn_done,
				    .arg = w->k };

	if (w->k->s->sinks[move.from].is_absent || w->k->s->sinks[move.to].is_absent)
		return;
	store_turn(w->k->s, &batch);
	assert_true(w->k->ok);
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
		if (settles[count].state == DELIVERY_DEAD)
			have_moved(w, c, &settles[count]);
		settles[count++].maybe_sent = chance_below(&w->chance, 5) == 0;
	}
	kit_turn(w->k, settles, count, 0);
	assert_true(w->k->ok);
}

static void an_operator_acts(struct walk *w)
{
	static const char *const states[] = { "state = 'dead'", "state = 'due'",
					      "state = 'held'", "state = 'done'",
					      "state = 'orphaned'" };
	const char *where = states[chance_below(&w->chance, 5)];
	bool drops = chance_below(&w->chance, 3) == 0;

	assert_true(change_rows(w->k->s, drops ? store_drop : store_requeue, where, w->k->now,
				&w->k->err) >= 0);
}

static void a_new_start(struct walk *w)
{
	audit_free(&w->own);
	store_close(&w->k->s);
	kit_open(w->k);
	w->under_way_count = 0;
	assert_true(store_recover(w->k->s, w->k->now, &w->k->err) >= 0);
	begin_own(w);
}

/* One sink takes over from the other, with whatever that has under way. */
static void one_takes_over(struct walk *w)
{
	int heir = (int)chance_below(&w->chance, 2);
	struct store_sink sink = w->k->sinks[heir];

	sink.was = w->k->sinks[1 - heir].name;
	assert_true(store_sinks(w->k->s, &sink, 1, &w->k->err));
	audit_from_now(w->own);
	if (chance_below(&w->chance, 2) == 0)
		kit_adopt(w->k);
}

static void others_are_there(struct walk *w)
{
	kit_sinks(w->k, 1 + (size_t)chance_below(&w->chance, 2));
	audit_from_now(w->own);
}

static void one_step(struct walk *w)
{
	int64_t dice = chance_below(&w->chance, 42);

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
	else if (dice == 38)
		move_some(w);
	else if (dice == 39)
		one_takes_over(w);
	else if (dice == 40)
		kit_adopt(w->k);
	else
		others_are_there(w);
}

static void drain(struct walk *w)
{
	a_new_start(w);
	kit_adopt(w->k);
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

static void invariants_4_5_and_6_hold_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		void *made;

		kit_setup(&made);
		struct walk w = { .k = made, .seed = seed };

		chance_seed(&w.chance, seed);
		begin_own(&w);
		for (w.step = 0; w.step < STEPS; w.step++) {
			one_step(&w);
			audit(&w);
		}
		drain(&w);
		audit_free(&w.own);
		kit_teardown(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_4_5_and_6_hold_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
