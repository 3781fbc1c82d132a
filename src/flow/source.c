/*
 * source: which pass may begin, and the pump.
 *
 * Each lane's `doing` says what is under way or wanted next; only source_want() moves it. Heads
 * go first: a sweep or a full pass begins only while heads get through, and where requests are
 * scarce the head's is made first. Nothing waits for ever for that: each kind has its part of
 * the budget (flow/budget), and a head that keeps failing holds nobody back for long.
 */
#include "flow/source.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/source_inner.h"

enum {
	HEAD_FAILS_WAITED_FOR = 3,
	ASKED_EVERY_MS = 2000,
	ONCE_CONTEXT_MS = 10000, /* a single poll waits so long for the directory */
};

void source_want(struct lane *l, enum doing next, int64_t wait_ms)
{
	l->doing = next;
	l->not_before = steady_after(clock_steady(), wait_ms);
}

/* ---- the pump ---- */

static bool takes_in(const struct source *s)
{
	return !s->stopped && !s->paused;
}

/* When the lane's next pass is due, budget apart. */
static int64_t due_at(const struct lane *l)
{
	const struct source *s = l->source;

	if (l->kind == PASS_HEAD && s->poll_asked)
		return 0;
	int64_t look_at = l->kind == PASS_FULL && !s->is_once ? s->look_at : INT64_MAX;

	return look_at < l->next_at ? look_at : l->next_at;
}

static bool may_begin(const struct lane *l)
{
	const struct source *s = l->source;
	const struct trouble_now *head = &s->lanes[PASS_HEAD].trouble;

	if (l->kind == PASS_HEAD || s->is_once)
		return true;
	/* A credential that is refused is asked about by one lane alone. */
	if (head->fails > 0)
		return head->fails > HEAD_FAILS_WAITED_FOR && !head->operator_must_act;
	return s->head_complete;
}

static void try_to_begin(struct lane *l, int64_t now)
{
	struct source *s = l->source;

	if (now < due_at(l) || now < l->not_before || !may_begin(l))
		return;
	int64_t wait = budget_begin_wait_ms(s->p.budget, l->kind, now);

	if (wait > 0)
		source_want(l, RESTS, wait);
	else
		source_begin_pass(l);
}

static void pump(struct lane *l)
{
	int64_t now = clock_steady();
	struct source *s = l->source;

	if (l->doing == RESTS && takes_in(s))
		try_to_begin(l, now);
	if (now < l->not_before)
		return;
	switch (l->doing) {
	case WANTS_PAGE:
		if (takes_in(s))
			source_start_page(l);
		return;
	case WANTS_STORE: source_start_store(l); return;
	case WANTS_END: source_start_end(l); return;
	case RESTS:
	case PAGE_FLIES:
	case STORING:
	case ENDING: return;
	}
}

/* ---- the timer ---- */

/* When the lane can do something by itself; INT64_MAX: something else will wake it. */
static int64_t wakes_at(const struct lane *l)
{
	const struct source *s = l->source;

	switch (l->doing) {
	case RESTS:
		return takes_in(s) && may_begin(l) ? later_of(due_at(l), l->not_before)
						   : INT64_MAX;
	case WANTS_PAGE:
		if (!takes_in(s))
			return INT64_MAX;
		if (auth_bearer(&s->auth, clock_steady()) != NULL)
			return l->not_before;
		return s->token == TOKEN_FLIES ? INT64_MAX
					       : later_of(l->not_before, s->token_not_before);
	case WANTS_STORE:
	case WANTS_END: return l->not_before;
	case PAGE_FLIES:
	case STORING:
	case ENDING: return INT64_MAX;
	}
	return INT64_MAX;
}

/* The directory comes after the polls: while these do not get through it does not ask either. */
static bool may_mirror(const struct source *s)
{
	return takes_in(s) && (s->head_complete || s->is_once) &&
	       s->lanes[PASS_HEAD].trouble.fails == 0;
}

static int64_t directory_wakes(const struct source *s)
{
	int64_t lookup_at = lookup_wakes_at(s->lookup, may_mirror(s));
	int64_t at = directory_wakes_at(s->directory, may_mirror(s));

	at = lookup_at < at ? lookup_at : at;
	if (at == INT64_MAX || auth_bearer(&s->auth, clock_steady()) != NULL)
		return at;
	return s->token == TOKEN_FLIES ? INT64_MAX : later_of(at, s->token_not_before);
}

static void set_timer(struct source *s)
{
	int64_t at = directory_wakes(s), now = clock_steady();

	at = s->nudge.at < at ? s->nudge.at : at;
	int64_t waiting_at = source_waiting_wakes_at(s);

	at = waiting_at < at ? waiting_at : at;
	for (size_t i = 0; i < PASS_KINDS; i++) {
		int64_t wakes = wakes_at(&s->lanes[i]);

		at = wakes < at ? wakes : at;
	}
	if (at == s->timer_at)
		return;
	s->timer_at = at;
	if (at == INT64_MAX)
		timer_stop(s->timer);
	else
		timer_set(s->timer, at > now ? at - now : 0);
}

static void on_timer(void *arg)
{
	struct source *s = arg;

	/* The turn that it brought is enough: source_turn_end() looks for itself. */
	s->timer_at = INT64_MAX;
}

static void heed_nudges(struct source *s)
{
	int64_t count;

	if (s->stopped || !nudge_is_due(&s->nudge, clock_steady(), &count))
		return;
	log_line(LOG_INFO, LOG_NUDGED, LOG_S("source", s->p.settings->name),
		 LOG_N("count", count));
	source_poll(s);
}

void source_turn_end(struct source *s)
{
	heed_nudges(s);
	for (size_t i = 0; i < PASS_KINDS; i++)
		pump(&s->lanes[i]);
	lookup_turn_end(s->lookup, may_mirror(s));
	directory_turn_end(s->directory, may_mirror(s));
	source_look_at_waiting(s);
	set_timer(s);
}

/* ---- notes from outside ---- */

void source_poll(struct source *s)
{
	struct lane *head = &s->lanes[PASS_HEAD];

	if (s->is_once)
		return;
	s->poll_asked = s->sweep_asked = true;
	/* What fails is tried at once, but not with each of many signals. */
	int64_t soonest = later_of(clock_steady(), s->poll_asked_at + ASKED_EVERY_MS);

	if (head->doing == RESTS && head->not_before > soonest)
		head->not_before = s->poll_asked_at = soonest;
	turn_wake(s->p.turn);
}

enum source_nudged source_nudge(struct source *s, const char *signature, const char *body,
				size_t len)
{
	const struct conf_texts *secrets = &s->p.settings->nudge.secrets;
	int64_t count;

	if (secrets->count == 0)
		return NUDGE_NOT_WANTED;
	if (nudge_is_signed(secrets, signature, body, len)) {
		nudge_take(&s->nudge, clock_steady());
		turn_wake(s->p.turn);
		return NUDGE_TAKEN;
	}
	if (nudge_refuse(&s->nudge, clock_steady(), &count))
		log_line(
			LOG_WARN, LOG_NUDGE_REFUSED, LOG_S("source", s->p.settings->name),
			LOG_N("count", count),
			LOG_S("hint",
			      "the signature is not nudge.secret's: if it is Toktra's webhook, "
			      "give the signing_secret that it was registered with; polling "
			      "goes on as ever"));
	return NUDGE_FORGED;
}

bool source_want_context(struct source *s, enum context_kind kind, const char *id)
{
	return directory_want(s->directory, kind, id);
}

enum lookup_answer source_usage(struct source *s, const char *user_id, int64_t at,
				const char *model, struct buf *out)
{
	return lookup_usage(s->lookup, user_id, at, model, out);
}

void source_once(struct source *s)
{
	s->is_once = true;
	for (size_t i = 0; i < PASS_KINDS; i++)
		s->lanes[i].next_at = INT64_MAX;
	s->lanes[PASS_FULL].next_at = clock_steady();
}

bool source_once_over(const struct source *s, bool *ok)
{
	*ok = s->once_ok;
	/* What is known of people and budgets is brought up to date, too, but nobody waits long. */
	if (s->once_ok && !s->paused && source_waits(s))
		return false;
	if (s->once_ok && !directory_is_quiet(s->directory) &&
	    clock_steady() - s->born_at < ONCE_CONTEXT_MS)
		return false;
	/* Where it failed, a page may wait for a store that refuses: the next poll reads it. */
	return s->once_over && (!s->once_ok || source_is_idle(s));
}

void source_pause(struct source *s, bool paused)
{
	s->paused = paused;
	s->once_over |= s->is_once && paused;
	turn_wake(s->p.turn);
}

void source_stop(struct source *s)
{
	s->stopped = true;
	directory_stop(s->directory);
	lookup_stop(s->lookup);
}

bool source_is_idle(const struct source *s)
{
	for (size_t i = 0; i < PASS_KINDS; i++)
		switch (s->lanes[i].doing) {
		case WANTS_STORE:
		case STORING:
		case WANTS_END:
		case ENDING: return false;
		case RESTS:
		case WANTS_PAGE:
		case PAGE_FLIES: break;
		}
	return true;
}

/* ---- life ---- */

static void init_lanes(struct source *s)
{
	for (size_t i = 0; i < PASS_KINDS; i++)
		s->lanes[i] = (struct lane){ .source = s,
					     .kind = (enum pass_kind)i,
					     .next_at = s->born_at };
	/* At the very first start nobody has heard of an alert yet that a sweep could close. */
	if (s->state.last_sweep_at == 0)
		s->lanes[PASS_SWEEP].next_at += s->p.settings->sweep_every_ms;
	source_plan_full(s);
	s->look_at = s->missing.count > 0 ? s->born_at : INT64_MAX;
}

static bool has_token(void *arg, int64_t now)
{
	return source_has_token(arg, now);
}

static bool make_directory(struct source *s, uint64_t seed, struct err *err)
{
	const struct directory_parts parts = { .settings = s->p.settings,
					       .number = s->p.number,
					       .store = s->p.store,
					       .xfer = s->p.xfer,
					       .turn = s->p.turn,
					       .budget = s->p.budget,
					       .auth = &s->auth,
					       .has_token = has_token,
					       .arg = s };

	s->directory = directory_new(&parts, seed, err);
	s->lookup = lookup_new(&parts);
	s->directory_parts = parts;
	s->context = (struct context){ .p = &s->directory_parts,
				       .directory = s->directory,
				       .lookup = s->lookup };
	return s->directory != NULL;
}

static bool load(struct source *s, struct err *err)
{
	return store_source_load(s->p.store, s->p.number, &s->state, err) &&
	       store_source_missing(s->p.store, s->p.number, &s->missing, err);
}

struct source *source_new(const struct source_parts *parts, uint64_t seed, struct err *err)
{
	struct source *s = mem_new(sizeof(*s));

	s->p = *parts;
	if (!load(s, err) || !make_directory(s, seed, err) ||
	    !suspects_load(&s->suspects, parts->store, parts->number, err)) {
		directory_free(&s->directory);
		lookup_free(&s->lookup);
		mem_free(&s);
		return NULL;
	}
	s->timer = timer_new(parts->turn, on_timer, s);
	struct auth_client client = auth_of_source(parts->settings);

	auth_init(&s->auth, &client);
	intake_init(&s->intake, parts->holding, parts->settings, parts->number);
	s->intake.baseline_at = s->state.baseline_at;
	s->intake.context = &s->context;
	s->intake.suspects = &s->suspects;
	chance_seed(&s->chance, seed);
	nudge_init(&s->nudge, clock_steady());
	s->born_at = parts->born_at;
	init_lanes(s);
	source_begin_waiting(s);
	s->timer_at = s->born_at;
	timer_set(s->timer, 0);
	return s;
}

int64_t source_born_at(const struct source *s)
{
	return s->born_at;
}

void source_refit(struct source *s, struct source_settings *settings)
{
	s->p.settings = settings;
	struct auth_client client = auth_of_source(settings);

	auth_refit(&s->auth, &client);
	directory_refit(s->directory, settings);
	lookup_refit(s->lookup, settings);
	s->directory_parts.settings = settings;
	intake_refit(&s->intake, settings);
}

bool source_is_storing(const struct source *s)
{
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (s->lanes[i].doing == STORING || s->lanes[i].doing == ENDING)
			return true;
	return false;
}

void source_retire(struct source *s)
{
	s->stopped = s->retired = true;
	s->p.settings = NULL;
	auth_refit(&s->auth, NULL);
	directory_retire(s->directory);
	lookup_retire(s->lookup);
	s->intake.source = NULL;
	timer_stop(s->timer);
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (s->lanes[i].doing != PAGE_FLIES)
			source_rest(&s->lanes[i]);
}

bool source_is_over(const struct source *s)
{
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (s->lanes[i].doing != RESTS)
			return false;
	return s->token == TOKEN_RESTS && directory_is_over(s->directory) &&
	       lookup_is_over(s->lookup);
}

void source_free(struct source **s)
{
	if (*s == NULL)
		return;
	timer_free(&(*s)->timer);
	directory_free(&(*s)->directory);
	lookup_free(&(*s)->lookup);
	auth_release(&(*s)->auth);
	context_release(&(*s)->context);
	intake_release(&(*s)->intake);
	suspects_release(&(*s)->suspects);
	for (size_t i = 0; i < PASS_KINDS; i++)
		source_rest(&(*s)->lanes[i]);
	mem_free(s);
}

void source_tell_walk(const struct lane *l, struct source_walk *out)
{
	int64_t total = l->pass.total, items = (int64_t)l->pass.items;
	int64_t took = clock_steady() - l->pass.began_at;

	*out = (struct source_walk){ .kind = pass_kind_name(l->kind),
				     .pages = l->pages,
				     .items = l->items,
				     .total = total,
				     .left_ms = -1 };
	if (total >= items && items > 0)
		out->left_ms =
			(int64_t)((double)took * (double)(total - items) / (double)items);
}

/* The full pass, where one is under way; else the sweep, else the head. */
static void tell_longest(const struct source *s, struct source_walk *out)
{
	*out = (struct source_walk){ .kind = NULL };
	for (size_t i = PASS_KINDS; i > 0; i--)
		if (s->lanes[i - 1].pages > 0 && source_is_walking(&s->lanes[i - 1])) {
			source_tell_walk(&s->lanes[i - 1], out);
			return;
		}
}

void source_status(const struct source *s, struct source_status *out)
{
	*out = (struct source_status){ .name = s->p.settings->name,
				       .state = &s->state,
				       .limit = s->p.budget->limit,
				       .remaining = s->p.budget->remaining,
				       .allowed = budget_allowed(s->p.budget),
				       .used = (int64_t)budget_used(s->p.budget,
								    clock_steady()),
				       .error = source_error(s),
				       .ever_complete = s->head_complete,
				       .token_errors = s->token_errors,
				       .nudges = -1,
				       .forged_nudges = -1,
				       .unrouted = s->intake.unrouted };
	for (size_t i = 0; i < PASS_KINDS; i++)
		out->polls[i] = s->lanes[i].polls;
	if (s->p.settings->nudge.secrets.count > 0) {
		out->nudges = s->nudge.taken;
		out->forged_nudges = s->nudge.refused;
	}
	for (size_t i = 0; i < CONTEXT_LISTS; i++)
		directory_status(s->directory, (enum context_kind)i, &out->context[i]);
	lookup_status(s->lookup, &out->context[CONTEXT_USAGE]);
	tell_longest(s, &out->walk);
}
