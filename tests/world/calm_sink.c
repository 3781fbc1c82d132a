/*
 * calm_sink: all receivers are well again, and what was promised is asked for.
 *
 * Longer than any wait, nothing waits any more but for a receiver that is still dead. That one
 * must not have slowed the others; then it comes back, and hears all that it missed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "world/world.h"

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A hold, then the row's own wait, and the time that its rate needs for all. */
static int64_t settle_ms(const struct receiver *s, size_t rows)
{
	const struct sink_terms *t = &s->terms;
	int64_t cap = max_of(t->retry_max_ms, t->retry_after_max_ms);
	int64_t rate = t->rate_count > 0 ? (int64_t)rows * t->rate_per_ms / t->rate_count : 0;

	return 2 * cap + cap / 5 + 2 * t->timeout_ms + rate +
	       (int64_t)rows * 2 * t->way_ms / t->window;
}

/* Five refusals in a row hold a receiver (invariant 7), and nothing has got through since then. */
static bool is_held_by_refusals(const struct receiver *s)
{
	return s->refusals >= REFUSALS_MAX;
}

/* Rows of it that were never tried and wait for no other, while refusals hold it. */
static int64_t untried(struct world *w, const struct receiver *s)
{
	char name[16];

	if (!is_held_by_refusals(s) || s->terms.is_dead || !conf_rules(w)->present[s->number])
		return 0;
	snprintf(name, sizeof(name), "s%d", s->number);
	return ask_count_of(w,
			    "SELECT count(*) AS n FROM v_deliveries WHERE ended_at IS NULL "
			    "AND attempt = 0 AND after IS NULL AND sink = ?1",
			    name);
}

static bool all_tried(struct world *w, void *arg)
{
	int64_t count = 0;

	(void)arg;
	for (size_t i = 0; i < w->terms.sink_count; i++)
		count += untried(w, &w->receivers[i]);
	return count == 0;
}

/* While refusals hold a receiver, each row that was never tried gets a probe of its own, and after
 * each there may be the longest hold again. */
static void settle_refused(struct world *w)
{
	int64_t most = 0;

	for (size_t i = 0; i < w->terms.sink_count; i++) {
		const struct receiver *s = &w->receivers[i];
		int64_t cap = s->terms.retry_max_ms;

		most = max_of(most, untried(w, s) * (cap + cap / 10 + s->terms.timeout_ms));
	}
	(void)life_run_until(w, most, MINUTE, all_tried, NULL);
}

/* Rows that wait and sinks that are held, but for those that take nothing now. */
static int64_t waiting(struct world *w)
{
	struct question q;
	int64_t count = 0;

	ask(w, &q,
	    "SELECT sink FROM v_deliveries WHERE ended_at IS NULL UNION ALL SELECT name FROM "
	    "v_sinks WHERE held_until > ?1");
	ask_bind(&q, 1, clock_now());
	while (ask_next(&q)) {
		int sink = ask_text(&q, "sink")[1] - '0';

		count += !w->receivers[sink].terms.is_dead && conf_rules(w)->present[sink];
	}
	ask_end(w, &q);
	return count;
}

static bool is_settled(struct world *w, void *arg)
{
	(void)arg;
	return waiting(w) == 0 && oracle_agrees(w, false);
}

/* Until nothing waits that need not; and then a while in which nothing may come after it. */
static void settle(struct world *w)
{
	int64_t waits = 0, most = 0;

	for (size_t i = 0; i < w->terms.sink_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", w->receivers[i].number);
		waits = settle_ms(&w->receivers[i],
				  (size_t)ask_count_of(w,
						       "SELECT count(*) AS n FROM v_deliveries "
						       "WHERE ended_at IS NULL AND sink = ?1",
						       name));
		most = max_of(most, waits);
	}
	most += 2 * w->terms.sweep_ms + 3 * w->terms.poll_ms + MINUTE;
	(void)life_run_until(w, most, MINUTE, is_settled, NULL);
	settle_refused(w);
	life_run(w, w->terms.poll_ms + MINUTE);
}

static void end_troubles(struct world *w)
{
	const struct spell none = { .kind = SPELL_NONE };

	chance_seed(&w->chance, w->seed + 1);
	for (size_t i = 0; i < w->terms.sink_count; i++) {
		watch_sink_spell(w, &w->receivers[i], &none);
		w->receivers[i].terms.busy_one_in = 0;
	}
	if (walk_one_in(w, 2))
		sim_skew(0);
	if (!walk_one_in(w, 3))
		return;
	life_kill(w);
	life_begin(w);
}

static void check_all(struct world *w)
{
	oracle_check(w, false);
	oracle_check_rows(w, true);
	oracle_check_who(w);
}

/* ---- a dead receiver slows nobody ---- */

static size_t accepted(const struct world *w, int sink, const char *alert_id)
{
	size_t count = 0;

	for (size_t i = 1; i <= w->told.count; i++) {
		const struct told *t = told_at(&w->told, i);

		count +=
			t->sink == sink && t->is_accepted && strcmp(t->alert_id, alert_id) == 0;
	}
	return count;
}

static bool is_refused(const struct receiver *s, const struct item *i)
{
	struct receiver copy = *s;
	struct sim_answer out = { .kind = REPLY_ANSWERED };

	buf_init(&out.body, 1000);
	buf_init(&out.headers, 1000);
	bool heard = receiver_answer(&copy, i, &out);

	buf_release(&out.body);
	buf_release(&out.headers);
	return !heard;
}

static void expect_told(struct world *w, const struct api *a, const struct item *i, int but)
{
	struct matter matter = { EVENT_OPENED, i->severity, api_type(i) };
	struct choice choice;

	rules_choose(conf_rules(w), &matter, &choice);
	for (int s = 0; s < (int)w->terms.sink_count; s++) {
		const struct receiver *r = &w->receivers[s];

		if (s == but || choice.route[s] < 0 || choice.left_out[s] || r->terms.is_dead ||
		    is_held_by_refusals(r) || is_refused(r, i))
			continue;
		if (accepted(w, s, i->id) == 0)
			world_fail(w,
				   "s%d was not told of %s of org%d in time, while s%d hangs",
				   s, i->id, a->number, but);
	}
}

static void try_dead_neighbour(struct world *w)
{
	struct receiver *dead =
		&w->receivers[chance_below(&w->chance, (int64_t)w->terms.sink_count)];
	const struct spell hang = { .kind = SPELL_HEARD_HANG,
				    .percent = 100,
				    .until = INT64_MAX };
	struct api *a = &w->apis[0];
	size_t from = a->count, count = 10;
	int64_t within = w->terms.poll_ms + 5 * SECOND;

	for (size_t s = 0; s < w->terms.sink_count; s++) {
		const struct sink_terms *t = &w->receivers[s].terms;
		int64_t rate =
			t->rate_count > 0 ? (int64_t)count * t->rate_per_ms / t->rate_count : 0;

		within = max_of(within, w->terms.poll_ms + 5 * SECOND + rate +
						(int64_t)count * 2 * t->way_ms / t->window);
	}
	watch_sink_spell(w, dead, &hang);
	for (size_t n = 0; n < count; n++)
		api_add(a, sim_now(), ALERT_OPEN);
	life_run(w, within);
	for (size_t n = from; n < from + count; n++)
		expect_told(w, a, &a->items[n], dead->number);
	watch_sink_spell(w, dead, &(struct spell){ .kind = SPELL_NONE });
}

/* ---- calm ---- */

static void raise_the_dead(struct world *w)
{
	for (size_t i = 0; i < w->terms.sink_count; i++) {
		struct receiver *s = &w->receivers[i];

		s->terms.is_dead = false;
		watch_sink_spell(w, s, &(struct spell){ .kind = SPELL_NONE });
	}
}

void calm_sinks(struct world *w)
{
	end_troubles(w);
	world_say(w, "calm");
	settle(w);
	check_all(w);
	try_dead_neighbour(w);
	raise_the_dead(w);
	settle(w);
	check_all(w);
}
