/*
 * order: places new rows and releases old ones.
 *
 *   made ──▶ due ──▶ claimed ──▶ ended ─┐ releases
 *        └─▶ held (behind an older) ◀───┘ the next
 *
 * A new row waits behind the newest unended one, so the waiting rows of a sink and an alert are
 * a chain. Whatever ends a row (an outcome, folding, the operator) must release what waits
 * behind it: order_release() is called from each such place. When the ended row itself waited,
 * its follower waits for what that one waited for.
 *
 * Folding takes rows of which nothing was sent: not claimed, not maybe_sent, no step of several
 * done. The new row takes over the older one's due time, and so its backoff: news of an alert
 * are no reason to hammer a sink. A row that was never tried has no backoff: when it is due
 * later, an operator spreads what he requeued, and news of the alert do not wait for that.
 */
#include "store/order.h"

#include "store/batches.h"
#include "store/groups.h"
#include "store/inner.h"
#include "store/people.h"

static bool is_unsent(const struct past_row *row)
{
	bool waits = row->state == DELIVERY_DUE ||
		     (row->state == DELIVERY_HELD && (row->after != 0 || row->held_until != 0));

	return waits && row->batch == 0 && !row->maybe_sent && !row->has_progress;
}

/* Is it only being spread over time? */
static bool is_spread(const struct past_row *row, int64_t now)
{
	return row->state == DELIVERY_DUE && row->attempt == 0 && row->due_at > now;
}

bool order_hasten(struct store *s, int64_t id, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_HASTEN);

	stmt_bind_int(q, 1, id);
	stmt_bind_int(q, 2, now);
	return stmt_run(q) != 0;
}

/* A new row on its way to its place. */
struct placing {
	struct store *s;
	const struct sink_facts *sink;
	const struct news *news;
	int64_t now;
	bool is_owed; /* a close, and the sink believes the alert open */
	bool folds;   /* older rows into the new one */
	bool follows; /* a close, and its open is on its way */
	struct place place;
	int64_t key; /* of the row; 0: it is not known for whom it is */
};

/*
 * What was in an earlier episode may have been for others, who are to hear how that one ended.
 */
static bool is_for_the_same(const struct placing *p, const struct past_row *older)
{
	if (older->in_episode || !p->sink->names_people)
		return true;
	return p->key != 0 && people_of(p->s, older->id) == people_of(p->s, p->key);
}

static bool is_foldable(const struct placing *p, const struct past_row *older)
{
	return is_unsent(older) && is_for_the_same(p, older);
}

/* Why a close and the open that it finds waiting both end; NULL: it joins the open. */
static const char *reason_to_drop_both(const struct placing *p, const struct past_row *older)
{
	if (older->hold == HOLD_SILENCE)
		return "silenced";
	if (older->hold == HOLD_DELAY)
		return "resolved within delay";
	return p->sink->pairs ? "superseded" : NULL;
}

static void count_silenced(struct store *s, int64_t silence)
{
	struct stmt *q = db_use(s->db, SQL_SILENCE_DROPPED);

	stmt_bind_int(q, 1, silence);
	stmt_run(q);
}

/* Ends an older row of which nothing was sent. */
static void end_older(struct placing *p, struct past_row *older, const char *reason)
{
	order_end(p->s, older->id, DELIVERY_DROPPED, reason, p->now);
	/* Of its own line nothing newer is left; of a former heir's there may be. */
	order_release(p->s, older->id, older->after, p->now);
	older->state = DELIVERY_DROPPED;
}

/* The digest that follows counts it: somebody reads how much there was. */
static void note_dropped(const struct placing *p, const struct past_row *older)
{
	bool is_caught_up = older->hold == HOLD_SILENCE || older->hold == HOLD_QUIET ||
			    older->hold == HOLD_DIGEST;

	if (is_caught_up && p->news->severity != NULL)
		batches_note_dropped(p->s,
				     &(struct dropping){ .id = older->id,
							 .why = older->hold,
							 .severity = p->news->severity,
							 .type = p->news->type },
				     p->now);
}

static void drop_both(struct placing *p, struct past_row *older, const char *reason)
{
	if (older->hold == HOLD_SILENCE) {
		count_silenced(p->s, older->grp);
		if (p->place.state != DELIVERY_DROPPED) /* the close: once, whatever it ends */
			count_silenced(p->s, older->grp);
	}
	note_dropped(p, older);
	end_older(p, older, reason);
	p->place.state = DELIVERY_DROPPED;
	p->place.reason = reason;
}

static bool wait_behind(struct placing *p, const struct past_row *older)
{
	if (is_spread(older, p->now))
		(void)order_hasten(p->s, older->id, p->now);
	p->place.after = older->id;
	p->place.state = DELIVERY_HELD;
	return false;
}

static void fold(struct placing *p, struct past_row *older)
{
	if (older->state == DELIVERY_DUE && !is_spread(older, p->now))
		p->place.due_at = older->due_at;
	end_older(p, older, "superseded");
}

/* Older news is held for a time. Each of these returns true when it is out of the way. */
static bool pass_held(struct placing *p, struct past_row *older)
{
	bool is_close = p->news->is_close;
	const char *both = is_close ? reason_to_drop_both(p, older) : NULL;

	if (p->is_owed && is_foldable(p, older)) {
		end_older(p, older, "superseded");
		return true;
	}
	if (both != NULL && is_foldable(p, older)) {
		drop_both(p, older, both);
		return true;
	}
	p->place.state = DELIVERY_HELD;
	p->place.hold = older->hold;
	p->place.held_until = p->place.due_at = older->held_until;
	p->place.grp = older->grp;
	if ((!p->folds && older->hold != HOLD_FLAP) || !is_foldable(p, older))
		return wait_behind(p, older);
	end_older(p, older, p->folds ? "superseded" : "flapping");
	return true;
}

/* Nothing holds a close whose open the sink has heard, or is about to hear. */
static bool passes_holds(const struct placing *p)
{
	return p->is_owed || p->follows;
}

/* Older news is on its way, or waits for its turn. */
static bool pass_going(struct placing *p, struct past_row *older)
{
	const struct wish *wish = p->news->wish;

	p->follows = p->news->is_close;
	bool is_held = wish != NULL && wish->reason != HOLD_NONE && !passes_holds(p);

	p->place.state = DELIVERY_DUE; /* none is dropped whose open may still go out */
	if (!p->folds || !is_foldable(p, older) || is_held)
		return wait_behind(p, older);
	if (p->news->is_close && !p->is_owed && p->sink->pairs)
		drop_both(p, older, "superseded");
	else
		fold(p, older);
	return true;
}

static bool pass(struct placing *p, struct past_row *older)
{
	return older->held_until != 0 && older->state == DELIVERY_HELD ? pass_held(p, older)
								       : pass_going(p, older);
}

static void hold_until(struct place *place, enum hold_reason reason, int64_t until, int64_t grp)
{
	place->state = DELIVERY_HELD;
	place->hold = reason;
	place->held_until = place->due_at = until;
	place->grp = grp;
}

void order_wish(struct store *s, const struct wish *wish, int64_t now, struct place *place)
{
	enum storm_says says = STORM_IS_CALM;
	int64_t until;

	if (wish->reason != HOLD_NONE) {
		hold_until(place, wish->reason, wish->until, wish->grp);
		return;
	}
	if (wish->storm.key != 0)
		says = groups_count_storm(s, wish, now, &until);
	if (says == STORM_HOLDS)
		hold_until(place, HOLD_STORM, until, wish->storm.key);
	else if (says == STORM_BEGINS)
		place->begins_storm = place->after == 0;
	else if (wish->group.key != 0)
		hold_until(place, HOLD_GROUP, groups_join(s, wish, now), wish->group.key);
}

/* What holds it though nothing older does. A close waits only with others of a group. */
static void hold_new(struct placing *p)
{
	const struct wish *wish = p->news->wish;
	struct wish of_close = { .reason = HOLD_NONE };

	if (wish == NULL || p->place.hold != HOLD_NONE || p->place.state == DELIVERY_DROPPED)
		return;
	of_close.group = wish->group;
	order_wish(p->s, passes_holds(p) ? &of_close : wish, p->now, &p->place);
}

struct place order_place(struct store *s, int sink, const struct news *news, int64_t now)
{
	struct placing p = { .s = s,
			     .sink = &s->sinks[sink],
			     .news = news,
			     .key = news->key,
			     .now = now,
			     .folds = s->sinks[sink].is_collapse,
			     .place = { .state = DELIVERY_DUE, .due_at = now } };
	struct past_row *older;

	p.is_owed = news->is_close && history_believes_open(s, sink);
	while ((older = history_unended(&s->history, sink)) != NULL && pass(&p, older))
		;
	if (p.sink->is_absent && p.place.state != DELIVERY_DROPPED)
		p.place = (struct place){ .state = DELIVERY_ORPHANED,
					  .after = p.place.after,
					  .due_at = now };
	else
		hold_new(&p);
	return p.place;
}

/* What is told of a row that waits: for a time before for another row. */
static const char *reason_of(const struct place *place)
{
	if (place->hold != HOLD_NONE)
		return hold_reason_name(place->hold);
	return place->after != 0 ? "behind" : place->reason;
}

static void bind_hold(struct stmt *q, int at, const struct place *place)
{
	stmt_bind_some(q, at, place->held_until);
	stmt_bind_some(q, at + 1, place->grp);
	stmt_bind_text(q, at + 2,
		       place->hold != HOLD_NONE ? hold_reason_name(place->hold) : NULL);
}

void order_add_row(struct store *s, int64_t key, int route, const struct place *place,
		   int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_ROW_ADD);
	bool has_ended = place->state == DELIVERY_DROPPED;

	stmt_bind_int(q, 1, key);
	stmt_bind_int(q, 2, delivery_key_sink(key));
	stmt_bind_int(q, 3, route);
	stmt_bind_text(q, 4, delivery_state_name(place->state));
	stmt_bind_some(q, 5, has_ended ? 0 : place->due_at);
	stmt_bind_text(q, 6, reason_of(place));
	stmt_bind_some(q, 7, place->after);
	stmt_bind_some(q, 8, has_ended ? now : 0);
	bind_hold(q, 9, place);
	stmt_run(q);
	store_note_event(s, delivery_key_event(key));
}

void order_hold(struct store *s, int64_t id, const struct place *hold)
{
	struct stmt *q = db_use(s->db, SQL_ROW_HOLD);

	stmt_bind_int(q, 1, id);
	bind_hold(q, 2, hold);
	stmt_run(q);
	store_note_event(s, delivery_key_event(id));
}

void order_free(struct store *s, int64_t id, int64_t due_at)
{
	int sink = delivery_key_sink(id);
	bool has_heir = s->sinks[sink].heir != 0;
	struct stmt *q = db_use(s->db, SQL_ROW_FREE);

	stmt_bind_int(q, 1, id);
	stmt_bind_int(q, 2, due_at);
	stmt_bind_text(q, 3,
		       delivery_state_name(s->sinks[sink].is_absent && !has_heir
						   ? DELIVERY_ORPHANED
						   : DELIVERY_DUE));
	stmt_run(q);
	if (has_heir)
		adopt_note(s, id);
	store_note_event(s, delivery_key_event(id));
}

bool order_queue_up(struct store *s, int64_t id)
{
	const struct history *h = &s->history;
	int sink = store_sink_now(s, delivery_key_sink(id));
	int64_t after = 0;

	if (!history_load_at(s, delivery_key_event(id)))
		return false;
	for (size_t i = 0; i < h->row_count; i++) {
		const struct past_row *row = &h->rows[i];

		if (row->sink == sink && row->id < id && row->id > after &&
		    history_is_unended(row->state) && !history_is_dormant(row) &&
		    !history_waits_for(h, row, id))
			after = row->id;
	}
	if (after == 0)
		return false;
	struct stmt *q = db_use(s->db, SQL_WAITING_MOVE);

	stmt_bind_int(q, 1, id);
	stmt_bind_int(q, 2, after);
	stmt_run(q);
	return true;
}

void order_make(struct store *s, int64_t key, int route, int64_t due_at, int64_t now)
{
	const struct news news = { .key = key };
	struct place place = order_place(s, delivery_key_sink(key), &news, now);

	if (due_at > now && due_at > place.due_at)
		place.due_at = due_at;
	order_add_row(s, key, route, &place, now);
}

int64_t order_requeue_key(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_ORDINAL_LAST);

	stmt_bind_int(q, 1, delivery_key(event, sink, ORIGIN_REQUEUE, 0));
	stmt_bind_int(q, 2,
		      delivery_key(event, sink, ORIGIN_REQUEUE, DELIVERY_ORDINAL_MAX) + 1);
	int ordinal = (stmt_row(q) ? (int)stmt_int(q, 0) : 0) + 1;

	stmt_end(q);
	return ordinal > DELIVERY_ORDINAL_MAX
		       ? 0
		       : delivery_key(event, sink, ORIGIN_REQUEUE, ordinal);
}

void order_end(struct store *s, int64_t id, enum delivery_state state, const char *reason,
	       int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_ROW_END);

	stmt_bind_int(q, 1, id);
	stmt_bind_text(q, 2, delivery_state_name(state));
	stmt_bind_text(q, 3, reason);
	stmt_bind_int(q, 4, now);
	stmt_run(q);
	store_note_event(s, delivery_key_event(id));
}

int64_t order_follower(struct store *s, int64_t id)
{
	struct stmt *q = db_use(s->db, SQL_WAITING_FIND);
	int64_t follower = 0;

	stmt_bind_int(q, 1, id);
	if (stmt_row(q))
		follower = stmt_int(q, 0);
	stmt_end(q);
	return follower;
}

void order_release(struct store *s, int64_t id, int64_t after, int64_t due_at)
{
	int64_t follower;

	/* Each turn takes one row out of those that wait for id. */
	while ((follower = order_follower(s, id)) != 0) {
		struct stmt *q =
			db_use(s->db, after != 0 ? SQL_WAITING_MOVE : SQL_WAITING_RELEASE);

		stmt_bind_int(q, 1, follower);
		stmt_bind_int(q, 2, after != 0 ? after : due_at);
		stmt_run(q);
		store_note_event(s, delivery_key_event(follower));
	}
}

void order_fold(struct store *s, int64_t id, int64_t due_at, int64_t now)
{
	struct stored_row row;

	if (!s->sinks[delivery_key_sink(id)].is_collapse || order_follower(s, id) == 0 ||
	    !order_find(s, id, &row))
		return;
	if (row.state != DELIVERY_DUE || row.maybe_sent || row.has_progress || row.batch != 0)
		return;
	order_end(s, id, DELIVERY_DROPPED, "superseded", now);
	order_release(s, id, 0, due_at);
}

bool order_find(struct store *s, int64_t id, struct stored_row *row)
{
	struct stmt *q = db_use(s->db, SQL_ROW_FIND);

	stmt_bind_int(q, 1, id);
	if (!stmt_row(q))
		return false;
	*row = (struct stored_row){
		.id = id,
		.after = stmt_int(q, 1),
		.route = (int)stmt_int(q, 2),
		.maybe_sent = stmt_int(q, 3) != 0,
		.has_progress = stmt_int(q, 4) != 0,
		.due_at = stmt_int(q, 5),
		.attempt = stmt_int(q, 6),
		.batch = stmt_int(q, 7),
		.held_until = stmt_int(q, 8),
	};
	bool is_known = delivery_state_parse(stmt_word(q, 0), &row->state);

	stmt_end(q);
	return is_known;
}

bool order_any_waiting(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_ANY_WAITING);
	bool any = stmt_row(q);

	stmt_end(q);
	return any;
}
