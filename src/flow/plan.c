/* plan: see the header. */
#include "flow/plan.h"

#include <stdio.h>
#include <string.h>

enum {
	MINUTE_MS = 60 * 1000,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	LEARN_PAGES = 4, /* pages without a verdict on the order; small ones have few pairs */
	REWALK_MIN_MS = 10 * MINUTE_MS,
	REWALK_PART = 10, /* walks only for a new cursor take at most one in so many requests */
};

void plan_head(const struct source_state *state, bool in_doubt, struct pass *pass)
{
	enum order order = order_parse(state->order_seen);

	if (in_doubt)
		pass_begin(pass, FILTER_OPEN, NULL);
	else if (state->full_pages <= 1 || order == ORDER_NEWEST_FIRST)
		pass_begin(pass, FILTER_NONE, NULL);
	else if (order == ORDER_OLDEST_FIRST && state->head_cursor[0] != '\0')
		pass_begin(pass, FILTER_NONE, state->head_cursor);
	else
		pass_begin(pass, FILTER_OPEN, NULL);
}

/*
 * The first head pass leaves what was there before it to the full pass, or to the past. What is
 * noted as later than now was noted by a wrong Date: our own clock knows when that was.
 */
static int64_t reach_of(const struct source_state *state, int64_t listed_at)
{
	if (state->head_at > listed_at && state->last_head_at < state->head_at)
		return pass_reach(state->last_head_at);
	if (state->head_at != 0)
		return pass_reach(state->head_at);
	return state->baseline_at != 0 ? state->baseline_at : listed_at;
}

enum plan_step plan_head_step(const struct source_state *state, const struct pass *pass,
			      const struct page *page, size_t fresh, int64_t listed_at)
{
	enum order learned = order_parse(state->order_seen);
	enum order shown = order_verdict(&pass->evidence);
	enum order order = learned != ORDER_UNKNOWN ? learned : shown;

	if (pass->filter != FILTER_NONE || !pass->from_first)
		return PLAN_GO_ON;
	if (order == ORDER_UNKNOWN && pass->page_count < LEARN_PAGES)
		return PLAN_GO_ON;
	if (order != ORDER_NEWEST_FIRST ||
	    (shown != ORDER_UNKNOWN && shown != ORDER_NEWEST_FIRST))
		return PLAN_OPEN_ONES;
	/* Where all of the past rings, the full pass that is due brings it. */
	if (state->head_at == 0 && state->baseline_at == 0)
		return PLAN_DEEP_ENOUGH;
	return pass_is_deep(page, fresh, reach_of(state, listed_at)) ? PLAN_DEEP_ENOUGH
								     : PLAN_GO_ON;
}

bool plan_saw_all(const struct pass *pass)
{
	return pass->filter == FILTER_NONE && pass->from_first;
}

static void learn_order(struct source_state *state, const struct pass *pass)
{
	enum order shown = order_verdict(&pass->evidence);

	if (shown != ORDER_UNKNOWN)
		snprintf(state->order_seen, sizeof(state->order_seen), "%s", order_name(shown));
}

static void keep_cursor(struct source_state *state, const char *cursor)
{
	bool fits = cursor != NULL && strlen(cursor) <= HEAD_CURSOR_MAX;

	snprintf(state->head_cursor, sizeof(state->head_cursor), "%s", fits ? cursor : "");
}

static void move_all(struct source_state *state, enum pass_kind kind, const struct pass *pass,
		     int64_t listed_at, int64_t now)
{
	learn_order(state, pass);
	keep_cursor(state, pass->fetched);
	state->full_pages = (int64_t)pass->page_count;
	state->last_head_at = state->last_sweep_at = state->last_full_at = now;
	/* Behind a long walk head passes went on; a head pass takes back what a wrong Date said. */
	if (kind == PASS_HEAD || state->head_at < listed_at)
		state->head_at = listed_at;
}

static void move_head(struct source_state *state, const struct pass *pass, int64_t listed_at,
		      int64_t now)
{
	state->last_head_at = now;
	if (pass->filter != FILTER_NONE)
		return;
	state->head_at = listed_at;
	if (!pass->from_first && pass->fetched != NULL)
		keep_cursor(state, pass->fetched);
	if (order_parse(state->order_seen) == ORDER_UNKNOWN)
		learn_order(state, pass);
}

void plan_move(struct source_state *state, enum pass_kind kind, const struct pass *pass,
	       bool ended, int64_t listed_at, int64_t now)
{
	if (ended && plan_saw_all(pass)) {
		move_all(state, kind, pass, listed_at, now);
		return;
	}
	switch (kind) {
	case PASS_HEAD: move_head(state, pass, listed_at, now); return;
	case PASS_SWEEP: state->last_sweep_at = now; return;
	case PASS_FULL: return; /* what was missing is found */
	case PASS_KINDS: break;
	}
}

/* A walk whose only gain is a cursor that works again. */
static int64_t rewalk_at(const struct source_state *state, int64_t allowed)
{
	int64_t rest = state->full_pages * REWALK_PART * MINUTE_MS / allowed;

	if (rest < REWALK_MIN_MS)
		rest = REWALK_MIN_MS;
	return state->last_full_at + (rest < DAY_MS ? rest : DAY_MS);
}

/* When what the next one counts from was noted; 0: never. */
static int64_t noted_at(const struct source_state *state, int64_t start_since_ms)
{
	if (state->last_full_at != 0)
		return state->last_full_at;
	return state->baseline_at != 0 ? state->baseline_at + start_since_ms : 0;
}

int64_t plan_full_at(const struct source_state *state, bool in_doubt, int64_t start_since_ms,
		     int64_t allowed, int64_t now)
{
	enum order order = order_parse(state->order_seen);
	int64_t noted = noted_at(state, start_since_ms);

	/* Then the clock was set back since: nobody knows how long ago that was, and each restart
	 * would put it off again. Less may be the server's clock, which is before ours. */
	if (noted > now + HOUR_MS)
		return 0;
	if (state->last_full_at == 0 && order == ORDER_NEWEST_FIRST && !in_doubt && noted != 0)
		return noted + DAY_MS;
	/* The first one; or the list has just outgrown one page. */
	if (state->last_full_at == 0 || (in_doubt && state->full_pages <= 1))
		return 0;
	if (order == ORDER_OLDEST_FIRST && state->full_pages > 1 &&
	    state->head_cursor[0] == '\0')
		return rewalk_at(state, allowed);
	return noted + (in_doubt ? HOUR_MS : DAY_MS);
}
