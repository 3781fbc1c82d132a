/*
 * oracle_rows: each row of the store against what its receiver heard, and the other way round.
 *
 * A row that is done was accepted; what was heard is done or maybe_sent; a dead letter was
 * refused, or is so old, less what its receiver was out, as give_up says; what is dropped or
 * moved says why; and what was heard of one alert came in the order of its events. When all has
 * been calm for long, nothing waits any more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "world/world.h"

enum { SYNCS_MAX = 4 }; /* from a claim until what is claimed leaves */

#define ROW_COLUMNS                                                                        \
	ORACLE_NAMES ", id, state, reason, attempt, maybe_sent, first_attempt_at, due_at," \
		     " ended_at, held_until, after"

/* ---- names ---- */

static enum delivery_origin origin_of(const char *word)
{
	for (int i = ORIGIN_ROUTE; i <= ORIGIN_REQUEUE; i++)
		if (strcmp(delivery_origin_name((enum delivery_origin)i), word) == 0)
			return (enum delivery_origin)i;
	BUG("no origin is called %s", word);
}

void oracle_webhook_id(const struct question *row, char id[DELIVERY_ID_MAX])
{
	char org[16], alert[API_ID_MAX], sink[16];
	struct delivery_names names = {
		.org_id = org,
		.alert_id = alert,
		.episode = ask_int(row, "episode"),
		.seq = ask_int(row, "seq"),
		.sink = sink,
		.origin = origin_of(ask_text(row, "origin")),
		.ordinal = (int)ask_int(row, "n"),
	};

	if (!event_kind_parse(ask_text(row, "event"), &names.kind))
		BUG("a row without an event");
	const char *source = ask_text(row, "source");

	if (strncmp(source, "org", 3) == 0)
		snprintf(org, sizeof(org), "org-%s", source + 3);
	else
		snprintf(org, sizeof(org), "%s", source);
	snprintf(alert, sizeof(alert), "%s", ask_text(row, "alert_id"));
	snprintf(sink, sizeof(sink), "%s", ask_text(row, "sink"));
	delivery_id(&names, id);
}

/* ---- claims ---- */

static void read_claims(struct world *w)
{
	struct question q;

	w->claims.count = 0;
	ask(w, &q, "SELECT " ORACLE_NAMES " FROM v_deliveries WHERE state = 'claimed'");
	while (ask_next(&q) && w->claims.count < CLAIMS_MAX)
		oracle_webhook_id(&q, w->claims.ids[w->claims.count++]);
	ask_end(w, &q);
	w->claims.turn = sim_turns();
}

bool oracle_is_claimed(struct world *w, const struct told *t)
{
	if (w->troubles.is_unreadable)
		return true;
	if (w->claims.turn != sim_turns())
		read_claims(w);
	for (size_t i = 0; i < w->claims.count; i++)
		if (strcmp(w->claims.ids[i], t->webhook_id) == 0)
			return true;
	return false;
}

/* ---- one row ---- */

struct row {
	struct world *w;
	const struct question *v;
	enum delivery_state state;
	const char *reason;      /* "" none */
	const struct told *told; /* NULL: its receiver never met it */
	const struct receiver *s;
	bool is_over;
};

static _Noreturn void complain(const struct row *r, const char *what)
{
	const struct told *t = r->told;

	world_fail(r->w,
		   "row %" PRId64 " (%s of %s for %s, %s, attempt %" PRId64
		   ", %s) %s; its receiver "
		   "was asked %zu times, heard %zu, last answer %d",
		   ask_int(r->v, "id"), ask_text(r->v, "event"), ask_text(r->v, "alert_id"),
		   ask_text(r->v, "sink"), delivery_state_name(r->state),
		   ask_int(r->v, "attempt"), r->reason, what, t != NULL ? t->left : 0,
		   t != NULL ? t->heard : 0, t != NULL ? t->last_status : 0);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static int64_t overlap(const struct outage *o, int64_t from, int64_t until)
{
	int64_t a = o->from > from ? o->from : from;
	int64_t b = o->until < until ? o->until : until;

	return b > a ? b - a : 0;
}

static int64_t outage_overlap(const struct receiver *s, int64_t from, int64_t until)
{
	const struct outage newest = { s->outage_from, s->outage_until };
	int64_t sum = s->outage_from != 0 ? overlap(&newest, from, until) : 0;

	for (size_t i = 0; i < s->outage_count; i++)
		sum += overlap(&s->outages[i], from, until);
	return sum;
}

/* An outage is noticed by the first that is tried in it, at most the longest wait later. The first
 * attempt counts from its claim, which was stored before it left: by a commit, and perhaps what
 * tidies the log. */
static void check_age(const struct row *r)
{
	const struct sink_terms *terms = &r->s->terms;
	int64_t until = r->told->back_at;
	int64_t from = r->told->first_left_at - SYNCS_MAX * r->told->first_sync_ms;
	int64_t noticed = terms->retry_max_ms + terms->retry_max_ms / 10 + terms->timeout_ms;
	int64_t age = until - from - outage_overlap(r->s, from, until);

	if (r->w->clock_stepped)
		return;
	if (age < terms->give_up_ms - (int64_t)(r->s->outage_count + 1) * noticed ||
	    until - from < terms->give_up_ms)
		complain(r, "died too young");
}

static void check_dead(const struct row *r)
{
	if (r->told == NULL || r->told->left == 0)
		complain(r, "was never tried");
	if (starts_with(r->reason, "gave up after"))
		check_age(r);
	else if (r->told->last_status < 400 || r->told->last_status > 422 ||
		 r->told->last_status == 409)
		complain(r, "was not refused for good");
	else if (r->told->is_late_refusal)
		complain(r, "was refused as the fifth in a row, and did not wait");
}

static void check_dropped(const struct row *r)
{
	bool is_superseded = strcmp(r->reason, "superseded") == 0;

	if (!is_superseded && strcmp(r->reason, "event not chosen") != 0 &&
	    strcmp(r->reason, "operator") != 0)
		complain(r, "was dropped for no reason that we know");
	if (is_superseded && !r->s->terms.collapse)
		complain(r, "was folded, and its sink takes each event");
	if (is_superseded && r->told != NULL && r->told->heard > 0)
		complain(r, "was folded, and was heard");
}

/* Five refusals in a row are held to be the sink's fault (invariant 7): what was tried waits, as
 * what is behind it does, until a probe gets through or the operator has done something. What was
 * never tried is what probes take first. */
static bool waits_for_operator(const struct row *r)
{
	bool is_tried = r->told != NULL && r->told->left > 0;

	return r->s->refusals >= REFUSALS_MAX && (is_tried || !ask_is_null(r->v, "after"));
}

static void check_waiting(const struct row *r)
{
	bool may_wait = r->s->terms.is_dead || !conf_rules(r->w)->present[r->s->number] ||
			waits_for_operator(r);

	if (r->is_over && !may_wait)
		complain(r, "has not ended");
	if (r->is_over && r->state == DELIVERY_ORPHANED &&
	    conf_rules(r->w)->present[r->s->number])
		complain(r, "is orphaned, and its sink is there");
	if (r->state == DELIVERY_HELD && ask_is_null(r->v, "after") &&
	    ask_is_null(r->v, "held_until"))
		complain(r, "waits for nothing");
}

static void check_state(const struct row *r)
{
	switch (r->state) {
	case DELIVERY_DONE:
		if (r->told == NULL || !r->told->is_accepted)
			complain(r, "was never accepted");
		return;
	case DELIVERY_DEAD: check_dead(r); return;
	case DELIVERY_DROPPED: check_dropped(r); return;
	case DELIVERY_MOVED:
		if (strcmp(r->reason, "requeued") != 0 && !starts_with(r->reason, "to s"))
			complain(r, "was moved for no reason that we know");
		return;
	case DELIVERY_DUE:
	case DELIVERY_HELD:
	case DELIVERY_CLAIMED:
	case DELIVERY_ORPHANED: check_waiting(r); return;
	}
}

static void check_row(struct row *r)
{
	char id[DELIVERY_ID_MAX];

	if (!delivery_state_parse(ask_text(r->v, "state"), &r->state))
		world_fail(r->w, "a row has the state %s", ask_text(r->v, "state"));
	r->reason = ask_is_null(r->v, "reason") ? "" : ask_text(r->v, "reason");
	oracle_webhook_id(r->v, id);
	size_t number = told_find(&r->w->told, id);

	r->s = &r->w->receivers[ask_text(r->v, "sink")[1] - '0'];
	r->told = number != 0 ? told_at(&r->w->told, number) : NULL;
	check_state(r);
	if (number == 0)
		return;
	told_at(&r->w->told, number)->row = ask_int(r->v, "id");
	/* What is on its way has no outcome yet. */
	if (r->told->heard > 0 && r->state != DELIVERY_DONE && r->state != DELIVERY_CLAIMED &&
	    ask_int(r->v, "maybe_sent") == 0)
		complain(r, "was heard, and does not know that it may have been");
}

/* ---- what was heard ---- */

static void check_told(struct world *w, const struct told *t)
{
	if (t->row == 0 && t->left > 0)
		world_fail(w, "s%d was told %s of %s (%s), and no row is stored", t->sink,
			   t->type, t->alert_id, t->webhook_id);
	/* Each time but the first came of an outcome that nobody could know. */
	if (t->heard > t->unknown + 1)
		world_fail(w, "s%d heard %s of %s %zu times, of which %zu may have gone unseen",
			   t->sink, t->type, t->alert_id, t->heard, t->unknown);
}

/* Rows of one alert and sink are numbered in the order of events. */
static void check_order(struct world *w, const struct item *i, int sink)
{
	const struct told *last = NULL;

	for (size_t n = i->first_told[sink]; n != 0; n = told_at(&w->told, n)->next) {
		const struct told *t = told_at(&w->told, n);

		if (last != NULL && last->row > t->row)
			world_fail(w, "s%d heard %s of %s before %s, which is older", sink,
				   last->type, i->id, t->type);
		last = t;
	}
}

static void check_orders(struct world *w)
{
	for (size_t a = 0; a < w->terms.api_count; a++)
		for (size_t n = 0; n < w->apis[a].count; n++)
			for (size_t s = 0; s < w->terms.sink_count; s++)
				check_order(w, &w->apis[a].items[n], (int)s);
}

/* ---- all ---- */

/* What waits behind a row that has ended waits for ever. */
static void check_chains(struct world *w)
{
	int64_t stuck = ask_count(
		w,
		"SELECT count(*) AS n FROM v_deliveries d LEFT JOIN v_deliveries o ON o.id = "
		"d.after WHERE d.after IS NOT NULL AND d.state IN ('held', 'orphaned') AND "
		"(o.id IS NULL OR o.state NOT IN ('due', 'held', 'claimed', 'orphaned'))");

	if (stuck != 0)
		world_fail(w, "%" PRId64 " rows wait behind one that has ended", stuck);
}

void oracle_check_rows(struct world *w, bool is_over)
{
	struct question q;

	for (size_t i = 1; i <= w->told.count; i++)
		told_at(&w->told, i)->row = 0;
	ask(w, &q, "SELECT " ROW_COLUMNS " FROM v_deliveries ORDER BY id");
	while (ask_next(&q)) {
		struct row r = { .w = w, .v = &q, .is_over = is_over };

		check_row(&r);
	}
	ask_end(w, &q);
	for (size_t i = 1; i <= w->told.count; i++)
		check_told(w, told_at(&w->told, i));
	check_orders(w);
	check_chains(w);
}
