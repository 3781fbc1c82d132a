/*
 * source_walk: a page into the store; then on, deep enough, or the end of the pass.
 *
 * The page is stored first, whatever comes of the pass. Only when the walk is over is its end
 * stored, in a batch of its own: the position, and for a walk that listed all active alerts
 * which of them it did not list. So a pass that did not finish advances nothing, and an end that
 * is not stored is stored again, not walked again (invariant 3).
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/kill.h"
#include "base/mem.h"
#include "flow/plan.h"
#include "flow/say.h"
#include "flow/source_inner.h"

enum {
	LOOK_AGAIN_MS = 60 * 1000, /* for a missing alert, after the first absence */
	ABSENCES_MAX = 3, /* so many make it vanished: now, after 1 and after 4 minutes */
	TELL_EVERY_MS = 10 * 1000, /* the progress of a long walk */
	CIRCLE_PAGES_MIN = 64,
	CIRCLE_TIMES = 4, /* so often no list shows each of its alerts */
};

/* ---- a pass begins and ends ---- */

void source_begin_pass(struct lane *l)
{
	struct source *s = l->source;
	int64_t now = clock_steady();

	switch (l->kind) {
	case PASS_HEAD:
		s->poll_asked = false;
		plan_head(&s->state, s->in_doubt, &l->pass);
		break;
	case PASS_SWEEP: pass_begin(&l->pass, FILTER_OPEN, NULL); break;
	case PASS_FULL: pass_begin(&l->pass, FILTER_NONE, NULL); break;
	case PASS_KINDS: BUG("a lane of no kind");
	}
	l->polls.begun++;
	l->looks = l->kind == PASS_FULL && now < l->next_at;
	l->began_at = l->told_at = now;
	l->pages = l->items = l->fresh = l->changed = 0;
	l->repeats = 0;
	l->renewed = false;
	l->page_limit = PAGE_LIMIT;
	source_want(l, WANTS_PAGE, 0);
}

void source_rest(struct lane *l)
{
	pass_release(&l->pass);
	page_release(&l->page);
	bits_release(&l->sighted);
	mem_free_secret(&l->bearer);
	source_want(l, RESTS, 0);
}

bool source_is_walking(const struct lane *l)
{
	return l->doing != RESTS;
}

void source_turn_to_open(struct lane *l)
{
	struct source *s = l->source;

	/* A cursor that is refused says nothing against the order. */
	if (l->pass.from_first)
		s->in_doubt = true;
	s->state.head_cursor[0] = '\0';
	page_release(&l->page);
	pass_begin(&l->pass, FILTER_OPEN, NULL);
	source_plan_full(s);
	source_want(l, WANTS_PAGE, 0);
}

void source_plan_full(struct source *s)
{
	int64_t at = plan_full_at(&s->state, s->in_doubt, s->p.settings->start_since_ms,
				  budget_allowed(s->p.budget), clock_now());

	s->lanes[PASS_FULL].next_at = steady_of(at);
}

/* ---- what is missing ---- */

static void note_missing(struct source *s, const struct missing *missing)
{
	s->missing = *missing;
	s->look_at = missing->count > 0 ? steady_of(missing->look_at) : INT64_MAX;
}

/* Whatever a page lists was seen by all walks under way. */
static void note_sighted(struct source *s, const struct page_result *r, size_t count)
{
	for (size_t i = 0; i < PASS_KINDS; i++) {
		struct lane *l = &s->lanes[i];

		if (!source_is_walking(l))
			continue;
		for (size_t n = 0; n < count; n++)
			bits_add(&l->sighted, r->numbers[n]);
	}
}

static void say_vanished(struct source *s, size_t count)
{
	if (count > 0)
		log_line(LOG_WARN, LOG_VANISHED, LOG_S("source", s->p.settings->name),
			 LOG_N("count", count),
			 LOG_S("hint",
			       "the API does not list them any more, and nobody was "
			       "told that they closed: tocsin alerts --state vanished"));
}

/* ---- the end of a walk ---- */

static void say_polled(const struct lane *l)
{
	const struct source *s = l->source;

	log_line(l->fresh + l->changed > 0 ? LOG_INFO : LOG_DEBUG, LOG_POLLED,
		 LOG_S("source", s->p.settings->name), LOG_S("pass", pass_kind_name(l->kind)),
		 LOG_N("pages", l->pages), LOG_N("items", l->items), LOG_N("new", l->fresh),
		 LOG_N("changed", l->changed), LOG_N("took_ms", clock_steady() - l->began_at));
}

/* What this pass saw the sweep and the full pass need not look for. */
static void put_off_others(const struct lane *l)
{
	struct source *s = l->source;
	struct lane *sweep = &s->lanes[PASS_SWEEP];

	sweep->next_at = later_of(sweep->next_at, l->began_at + s->p.settings->sweep_every_ms);
	s->in_doubt = false;
	source_plan_full(s);
}

static void head_completed(struct lane *l, bool saw_all)
{
	struct source *s = l->source;
	int64_t now = clock_steady();

	if (s->sweep_asked && !saw_all)
		s->lanes[PASS_SWEEP].next_at = now;
	s->sweep_asked = false;
	s->head_complete = true;
	if (l->trouble.error[0] == '\0')
		return;
	/* The API is back: the others need not wait for what they had reckoned with. */
	for (size_t i = 0; i < PASS_KINDS; i++) {
		struct lane *other = &s->lanes[i];

		if (other == l || other->doing != RESTS || other->trouble.fails == 0)
			continue;
		other->trouble = (struct trouble_now){ .fails = 0 };
		other->not_before = now;
	}
}

static int64_t next_of(const struct lane *l)
{
	const struct source_settings *settings = l->source->p.settings;

	switch (l->kind) {
	case PASS_HEAD: return l->began_at + settings->poll_every_ms;
	case PASS_SWEEP: return l->began_at + settings->sweep_every_ms;
	case PASS_FULL: return l->next_at; /* planned */
	case PASS_KINDS: break;
	}
	BUG("a lane of no kind");
}

static void pass_complete(struct lane *l)
{
	struct source *s = l->source;
	bool saw_all = l->ended && plan_saw_all(&l->pass);

	say_polled(l);
	l->empty_end = 0;
	if (l->kind == PASS_HEAD)
		head_completed(l, saw_all);
	source_recovered(s, &l->trouble);
	if (saw_all)
		put_off_others(l);
	else if (l->kind == PASS_HEAD && l->pass.from_first &&
		 s->lanes[PASS_FULL].doing == RESTS && s->state.last_full_at == 0)
		source_plan_full(s); /* the first one hangs on the order that was learned */
	l->next_at = s->is_once ? INT64_MAX : next_of(l);
	s->once_over = s->once_ok = s->is_once;
	source_rest(l);
}

/* What is to be stored waits, nothing is lost. */
static void not_stored(struct lane *l, const struct page_result *r, enum doing again)
{
	struct source *s = l->source;
	bool is_only_busy = r->busy && clock_steady() - l->page_at < STORE_BUSY_MAX_MS;

	if (!is_only_busy && strcmp(s->store_error, r->error) != 0) {
		if (!r->lost)
			say_store_failed(r->error, r->hint);
		snprintf(s->store_error, sizeof(s->store_error), "%s", r->error);
	}
	source_want(l, again, is_only_busy ? BUSY_WAIT_MS : STORE_WAIT_MS);
	if (!is_only_busy)
		source_once_waits(s, STORE_WAIT_MS, ++l->store_tries);
}

static void on_end(void *arg, const struct page_result *r)
{
	struct lane *l = arg;
	struct source *s = l->source;

	turn_wake(s->p.turn);
	if (!r->ok) {
		not_stored(l, r, WANTS_END);
		return;
	}
	source_store_recovered(s);
	plan_move(&s->state, l->kind, &l->pass, l->ended, l->listed_at, l->end_at);
	note_missing(s, &r->missing);
	say_vanished(s, r->vanished);
	pass_complete(l);
}

void source_start_end(struct lane *l)
{
	struct source *s = l->source;
	bool saw_all = l->ended && plan_saw_all(&l->pass);
	const struct walk_end end = { .saw_all = saw_all,
				      .sighted = &l->sighted,
				      .look_again_ms = LOOK_AGAIN_MS,
				      .absences_max = ABSENCES_MAX };

	l->listed_at = server_clock_at(&s->clock, l->pass.began_at);
	l->end_at = clock_now();
	l->position = s->state;
	plan_move(&l->position, l->kind, &l->pass, l->ended, l->listed_at, l->end_at);
	source_want(l, ENDING, 0);
	struct page_batch batch = intake_batch(&s->intake, &l->page, &l->position, l->end_at);

	if (saw_all || l->kind == PASS_SWEEP)
		batch.end = &end;
	batch.done = on_end;
	batch.arg = l;
	store_page(s->p.store, &batch);
}

static void walk_over(struct lane *l, bool ended)
{
	l->ended = ended;
	source_want(l, WANTS_END, 0);
}

/* The first half of a sweep is done. */
static void sweep_on(struct lane *l)
{
	pass_begin(&l->pass, FILTER_ACKNOWLEDGED, NULL);
	source_want(l, WANTS_PAGE, 0);
}

/* ---- on from a page ---- */

static void say_progress(struct lane *l)
{
	struct source_walk w;
	int64_t now = clock_steady();

	if (now - l->told_at < TELL_EVERY_MS)
		return;
	l->told_at = now;
	source_tell_walk(l, &w);
	struct log_field fields[] = { LOG_S("source", l->source->p.settings->name),
				      LOG_S("pass", w.kind),
				      LOG_N("pages", w.pages),
				      LOG_N("items", w.items),
				      LOG_N("of", w.total),
				      LOG_N("left_ms", w.left_ms),
				      { .key = NULL } };

	/* Without a count by the API there is no estimate. */
	if (w.left_ms < 0)
		fields[4] = fields[6];
	log_fields(LOG_INFO, LOG_PASS_PROGRESS, fields);
}

static void go_on(struct lane *l, const struct page *page, size_t fresh)
{
	struct source *s = l->source;

	if (l->looks && s->missing.count == 0) {
		walk_over(l, false);
		return;
	}
	enum plan_step step =
		l->kind != PASS_HEAD
			? PLAN_GO_ON
			: plan_head_step(&s->state, &l->pass, page, fresh,
					 server_clock_at(&s->clock, l->pass.began_at));

	switch (step) {
	case PLAN_GO_ON:
		say_progress(l);
		source_want(l, WANTS_PAGE, 0);
		return;
	case PLAN_DEEP_ENOUGH: walk_over(l, false); return;
	case PLAN_OPEN_ONES: source_turn_to_open(l); return;
	}
	BUG("step %d", step);
}

/*
 * Always other cursors and the same alerts: many more items than alerts. Looked at now and then,
 * as the pages double.
 */
static bool lists_again(const struct lane *l)
{
	size_t pages = l->pass.page_count;

	return pages >= CIRCLE_PAGES_MIN && (pages & (pages - 1)) == 0 &&
	       l->pass.items / CIRCLE_TIMES > bits_count(&l->sighted);
}

static void move_on(struct lane *l, size_t fresh)
{
	static const char circle[] = "the pages of /alerts run in a circle";
	struct page page = l->page;
	const struct trouble t = { .msg = LOG_POLL_FAILED, .asked_ms = -1 };

	l->page = (struct page){ .items = NULL };
	l->repeats = 0;
	l->renewed = false;
	l->page_limit = l->page_limit * 2 < PAGE_LIMIT ? l->page_limit * 2 : PAGE_LIMIT;
	switch (pass_advance(&l->pass, &page, l->page_at)) {
	case PASS_MORE:
		if (lists_again(l))
			source_give_up(l, circle, &t);
		else
			go_on(l, &page, fresh);
		break;
	case PASS_ENDED:
		if (l->kind == PASS_SWEEP && l->pass.filter == FILTER_OPEN)
			sweep_on(l);
		else
			walk_over(l, true);
		break;
	case PASS_LOOP: source_give_up(l, circle, &t); break;
	case PASS_VOID:
		source_give_up(l, "/alerts gives page after page without an alert", &t);
		break;
	case PASS_TORN:
		source_give_up(l, "/alerts says that there is more and gives no next_cursor",
			       &t);
		break;
	}
	page_release(&page);
}

/* ---- into the store ---- */

static void say_rejects(struct lane *l, const struct page_result *r)
{
	if (r->rejected == 0)
		return;
	log_line(LOG_WARN, LOG_ITEM_REJECTED, LOG_S("source", l->source->p.settings->name),
		 LOG_N("count", r->rejected), LOG_S("reason", l->page.rejects[0].reason),
		 LOG_S("hint", "set aside with their bytes: tocsin alerts --rejected"));
}

static void on_stored(void *arg, const struct page_result *r)
{
	struct lane *l = arg;
	struct source *s = l->source;
	size_t fresh = r->fresh - r->silent;

	turn_wake(s->p.turn);
	if (!r->ok) {
		not_stored(l, r, WANTS_STORE);
		return;
	}
	source_store_recovered(s);
	l->store_tries = 0;
	l->pages++;
	l->items += l->page.item_count;
	l->fresh += r->fresh;
	l->changed += r->changed;
	if (fresh == 0)
		budget_charge(s->p.budget, l->kind, clock_steady());
	intake_stored(&s->intake);
	note_sighted(s, r, l->page.item_count);
	note_missing(s, &r->missing);
	source_note_waiting(s, r);
	say_rejects(l, r);
	if (r->deliveries > 0)
		s->p.stored(s->p.arg);
	move_on(l, fresh);
	KILL_POINT("walk-advanced");
}

void source_start_store(struct lane *l)
{
	struct source *s = l->source;
	int64_t now = clock_now();

	source_want(l, STORING, 0);
	/* The baseline goes with the first page there ever was; the rest with the end. */
	struct page_batch batch = intake_batch(&s->intake, &l->page, &s->state, now);

	batch.asked_at = l->asked_wall_at;
	batch.walked_from_at = l->walked_from_wall_at;
	batch.done = on_stored;
	batch.arg = l;
	store_page(s->p.store, &batch);
}
