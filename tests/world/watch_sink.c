/*
 * watch_sink: promises to receivers that are watched with each request.
 *
 * As it leaves: its claim is committed (invariant 1), no other of its alert is on its way, not
 * more than the window are, the rate is kept, a Retry-After is over, and one that may have been
 * heard says so, and no other. What the program cannot know of a delivery, it must call unknown:
 * that is counted by the end of each request, and, when the program ends, by what the store
 * still holds as claimed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "world/world.h"

static _Noreturn void complain(struct world *w, const struct receiver *s, const struct told *t,
			       const char *what)
{
	world_fail(
		w,
		"s%d, %s of %s (%s): %s; left %zu, heard %zu, unknown %zu times, first %" PRId64
		" s ago, last answer %d",
		s->number, t->type, t->alert_id, t->webhook_id, what, t->left, t->heard,
		t->unknown, t->left > 0 ? (sim_now() - t->first_left_at) / SECOND : 0,
		t->last_status);
}

struct item *watch_item(struct world *w, const struct told *t)
{
	if (t->source < 0 || (size_t)t->source >= w->terms.api_count)
		return NULL;
	return api_find(&w->apis[t->source], t->alert_id);
}

/* ---- outages ---- */

/* Full jitter: the mean wait is half of the longest; it takes some tries to get there. */
static void end_outage(struct world *w, struct receiver *s)
{
	int64_t ended_at = s->outage_until < sim_now() ? s->outage_until : sim_now();
	int64_t lasted = ended_at - s->outage_from;
	size_t most = (size_t)s->terms.window * 2 + 25 * (s->outage_lives + 1) +
		      (size_t)(6 * lasted / s->terms.retry_max_ms);

	if (s->outage_left > most && !w->clock_stepped)
		world_fail(w, "s%d was asked %zu times in an outage of %" PRId64 " s",
			   s->number, s->outage_left, lasted / SECOND);
	if (s->outage_count < OUTAGES_MAX)
		s->outages[s->outage_count++] = (struct outage){ s->outage_from, ended_at };
	s->outage_from = 0;
}

/* Asked now and then: one that is over by itself ended when its spell did, and not now. */
static void note_outage(struct world *w, struct receiver *s)
{
	bool is_out = receiver_is_out(s, sim_now());

	if (s->outage_from != 0 && !is_out) {
		end_outage(w, s);
	} else if (s->outage_from == 0 && is_out) {
		s->outage_from = sim_now();
		s->outage_left = s->outage_lives = 0;
	}
	if (is_out)
		s->outage_until = s->terms.is_dead ? INT64_MAX : s->spell.until;
}

void watch_sink_spell(struct world *w, struct receiver *s, const struct spell *spell)
{
	note_outage(w, s);
	s->spell = *spell;
	note_outage(w, s);
}

/* ---- a request leaves ---- */

static void check_flying(struct world *w, const struct receiver *s, const struct told *t)
{
	if (s->flying_count >= (size_t)s->terms.window)
		complain(w, s, t, "more are on their way than its window");
	for (size_t i = 0; i < s->flying_count; i++) {
		const struct told *other = told_at(&w->told, s->flying[i]);

		if (other->source == t->source && strcmp(other->alert_id, t->alert_id) == 0)
			complain(w, s, t, "another of its alert is on its way");
	}
}

/* A bucket: its size and what flows in. */
static void check_rate(struct world *w, struct receiver *s, const struct told *t)
{
	int64_t now = sim_now();

	s->left_at[s->left_count++ % LEFT_MAX] = now;
	if (s->terms.rate_count == 0 || w->clock_stepped)
		return;
	for (size_t n = 2; n <= s->left_count && n < LEFT_MAX; n++) {
		int64_t span = now - s->left_at[(s->left_count - n) % LEFT_MAX];
		int64_t flown = span * s->terms.rate_count / s->terms.rate_per_ms;

		if ((int64_t)n > s->terms.rate_count + flown + 1)
			complain(w, s, t, "faster than its rate");
	}
}

static void check_marks(struct world *w, const struct receiver *s, const struct told *t,
			bool is_marked)
{
	if (t->is_accepted)
		complain(w, s, t, "it was accepted, and that was known");
	if (t->heard > 0 && !is_marked)
		complain(w, s, t, "it may be a repeat, and has no mark");
	if (t->unknown == 0 && is_marked)
		complain(w, s, t, "it can be no repeat, and says so");
}

static void check_leave(struct world *w, struct receiver *s, const struct told *t,
			bool is_marked)
{
	if (watch_item(w, t) == NULL && t->source != OWN_SOURCE)
		complain(w, s, t, "no API has that alert");
	if (!w->terms.delivers)
		return;
	if (sim_now() < s->blocked_until && !w->clock_stepped)
		complain(w, s, t, "before a Retry-After was over");
	if (!oracle_is_claimed(w, t))
		complain(w, s, t, "it leaves, and is not claimed in the store");
	check_rate(w, s, t);
	check_marks(w, s, t, is_marked);
}

static bool is_marked(const struct request *r)
{
	return strstr(r->body.data, "\"possible_repeat\":true") != NULL;
}

void watch_sink_leave(struct world *w, struct receiver *s, const struct request *r)
{
	size_t number = told_find_or_add(&w->told, r, s->number);
	struct told *t = told_at(&w->told, number);

	note_outage(w, s);
	check_flying(w, s, t);
	check_leave(w, s, t, is_marked(r));
	if (t->left++ == 0) {
		t->first_left_at = sim_now();
		t->first_sync_ms = w->troubles.sync_ms;
	}
	t->last_left_at = sim_now();
	t->last_status = 0;
	t->is_late_refusal = false;
	s->outage_left += s->outage_from != 0;
	s->flying[s->flying_count++] = number;
}

/* ---- it arrives ---- */

static void note_heard(struct world *w, struct receiver *s, size_t number, struct item *i)
{
	struct told *t = told_at(&w->told, number);

	if (t->heard++ > 0)
		return;
	t->heard_at = sim_now();
	if (i == NULL)
		return;
	if (i->last_told[s->number] == 0)
		i->first_told[s->number] = number;
	else
		told_at(&w->told, i->last_told[s->number])->next = number;
	i->last_told[s->number] = number;
}

void watch_sink_arrive(struct world *w, struct receiver *s, const struct request *r,
		       struct sim_answer *out)
{
	size_t number = told_find_or_add(&w->told, r, s->number);
	struct told *t = told_at(&w->told, number);
	struct item *i = watch_item(w, t);

	if (t->heard > 0 && !is_marked(r))
		complain(w, s, t, "it is heard again, without a mark");
	if (receiver_answer(s, i, out))
		note_heard(w, s, number, i);
}

/* ---- its answer is back ---- */

static void take_off(struct receiver *s, size_t number)
{
	size_t at = 0;

	while (s->flying[at] != number)
		at++;
	s->flying[at] = s->flying[--s->flying_count];
}

static bool is_refusal(int status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

static void note_answer(struct receiver *s, struct told *t, const struct reply *reply)
{
	t->last_status = reply->status;
	if (reply->status >= 200 && reply->status < 300) {
		t->is_accepted = true;
		s->refusals = 0;
	} else if (is_refusal(reply->status)) {
		t->is_late_refusal = ++s->refusals >= REFUSALS_MAX;
	}
}

static void note_retry_after(struct receiver *s, size_t number, const struct reply *reply)
{
	struct reply by_its_clock = *reply;
	int64_t wait;

	by_its_clock.at = sim_now();
	wait = reply_retry_after_ms(&by_its_clock);
	if (wait > s->terms.retry_after_max_ms)
		wait = s->terms.retry_after_max_ms;
	/* A date has whole seconds. */
	if (wait <= 0 || sim_now() + wait <= s->blocked_until)
		return;
	s->blocked_until = sim_now() + wait;
	s->blocked_by = number;
}

void watch_sink_back(struct world *w, struct receiver *s, const struct request *r,
		     const struct reply *reply)
{
	size_t number = told_find_or_add(&w->told, r, s->number);
	struct told *t = told_at(&w->told, number);

	take_off(s, number);
	t->back_at = sim_now();
	if (reply->kind == REPLY_ANSWERED) {
		note_answer(s, t, reply);
		note_retry_after(s, number, reply);
	}
	t->unknown += reply->maybe_sent;
	world_say(w, "s%d answers %d %d to %s of %s", s->number, reply->kind, reply->status,
		  t->type, t->alert_id);
}

/* ---- lives ---- */

/* Five refusals in a row are known to the next life by the program's own alert of them, where that
 * was stored; fewer are not. */
static size_t stored_refusals(struct world *w, const struct receiver *s)
{
	char id[40];

	snprintf(id, sizeof(id), "tocsin:sink-refuses:s%d", s->number);
	int64_t open =
		ask_count_of(w,
			     "SELECT count(*) AS n FROM v_alerts WHERE source = 'tocsin' "
			     "AND status = 'open' AND id = ?1",
			     id);

	return open > 0 ? REFUSALS_MAX : 0;
}

void watch_sinks_begin(struct world *w)
{
	for (size_t i = 0; i < w->terms.sink_count; i++) {
		struct receiver *s = &w->receivers[i];

		s->left_count = 0;
		s->refusals = stored_refusals(w, s);
		s->outage_lives++;
	}
}

void watch_sink_gone(struct receiver *s)
{
	s->left_count = 0;
	s->refusals = 0;
}

/* Its last request's outcome is not in the store: what it brought is forgotten. */
static void note_unsettled(struct world *w, size_t number)
{
	struct told *t = told_at(&w->told, number);
	struct receiver *s = &w->receivers[t->sink];

	t->unknown++;
	t->is_accepted = false;
	if (s->blocked_by == number)
		s->blocked_until = 0;
}

void watch_sinks_end(struct world *w)
{
	struct question q;
	char id[DELIVERY_ID_MAX];

	if (!w->terms.delivers)
		return;
	ask(w, &q, "SELECT " ORACLE_NAMES " FROM v_deliveries WHERE state = 'claimed'");
	while (ask_next(&q)) {
		oracle_webhook_id(&q, id);
		note_unsettled(w,
			       told_find_or_note(&w->told, id, ask_text(&q, "sink")[1] - '0'));
	}
	ask_end(w, &q);
}
