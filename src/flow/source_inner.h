/*
 * source_inner: what the files of source share; nobody outside includes it.
 *
 *   source.c          which pass may begin, and the pump
 *   source_token.c    the credential: fetched for all lanes
 *   source_page.c     one page: asked for, answered
 *   source_walk.c     one page stored; where the walk goes, how a pass ends
 *   source_waiting.c  events that wait for their context
 *   source_trouble.c  what fails: said once, waits that grow
 */
#ifndef FLOW_SOURCE_INNER_H
#define FLOW_SOURCE_INNER_H

#include "base/backoff.h"
#include "base/bits.h"
#include "base/clock.h"
#include "base/log.h"
#include "flow/auth.h"
#include "flow/directory.h"
#include "flow/intake.h"
#include "flow/lookup.h"
#include "flow/nudge.h"
#include "flow/pass.h"
#include "flow/server_clock.h"
#include "flow/source.h"
#include "flow/suspects.h"

enum {
	PAGE_LIMIT = 100, /* the most that the API gives */
	REPEAT_MAX = 3,   /* of one page, 429 apart */
	STORE_WAIT_MS = 500,
	BUSY_WAIT_MS = 20, /* a command writes: as soon as deliveries try again */
};

enum doing {
	RESTS,      /* until next_at */
	WANTS_PAGE, /* from here on: started by source_turn_end(), not before `not_before` */
	PAGE_FLIES,
	WANTS_STORE, /* a page is here, to be stored */
	STORING,
	WANTS_END, /* the walk is over, its end to be stored */
	ENDING,
};

/* What keeps failing; its first line was said. */
struct trouble_now {
	char error[ERR_TEXT_MAX]; /* "": nothing */
	int64_t fails;            /* given up in a row */
	bool operator_must_act;
};

struct lane {
	struct source *source;
	enum pass_kind kind;
	enum doing doing;
	int64_t not_before; /* steady */
	int64_t next_at;    /* steady; when its next pass is due; INT64_MAX: not by time */
	struct pass pass;
	struct page page; /* while WANTS_STORE and STORING */
	int64_t page_at;  /* steady; when it came */
	/* When the newest page was asked for, and the first; also by our wall clock. */
	int64_t asked_at, asked_wall_at, walked_from_wall_at;
	size_t page_limit;
	char *bearer;        /* owned; what the newest request was sent with */
	bool renewed;        /* 401 was answered by one renewal for this page already */
	int64_t repeats;     /* of this page */
	int64_t store_tries; /* that failed in a row */
	size_t empty_end;    /* pages of a walk whose empty end was not believed; 0: none */
	bool looks;          /* a full pass that ends when nothing is missing any more */
	bool ended;          /* the walk came to the list's end, else it was deep enough */
	int64_t listed_at;   /* the server's clock when its first page was asked for */
	int64_t end_at;      /* when its end was stored */
	struct source_state position; /* what its end moves to */
	struct bits sighted;          /* alerts listed since it began */
	/* Of the whole pass, which may be two walks. */
	int64_t began_at, told_at; /* steady; its progress was last told */
	size_t pages, items, fresh, changed;
	struct trouble_now trouble;
	struct source_polls polls;
};

enum token_state { TOKEN_RESTS, TOKEN_FLIES };

struct source {
	struct source_parts p;
	struct lane lanes[PASS_KINDS];
	struct timer *timer;
	int64_t timer_at; /* steady */
	bool paused, stopped;
	bool retired;       /* stopped, and no answer is needed */
	bool head_complete; /* since start */
	/* By the operator: another head pass, where one is under way; a sweep after the next. */
	bool poll_asked, sweep_asked;
	bool in_doubt;   /* of the order, until the next full pass */
	bool ends_empty; /* the list was seen to end with an empty page */
	bool said_contradiction;
	bool is_once, once_over, once_ok;

	struct auth auth;
	enum token_state token;
	int64_t token_not_before; /* steady */
	struct trouble_now token_trouble;
	int64_t token_errors; /* since start */

	struct directory *directory; /* owned */
	struct lookup *lookup;       /* owned */
	struct nudge nudge;
	struct directory_parts directory_parts;
	struct context context;
	struct intake intake;
	struct {
		int64_t look_at;    /* steady; INT64_MAX: no event waits */
		int64_t not_before; /* steady */
		int64_t after;      /* not 0: a round of looking goes on behind this event */
		int64_t news;       /* what the last round began with */
	} waiting;
	struct suspects suspects;
	struct source_state state; /* as it is stored */
	struct missing missing;
	int64_t look_at; /* steady; when something missing is to be looked for */

	struct chance chance;
	int64_t born_at;       /* steady */
	int64_t poll_asked_at; /* steady; when the operator last asked */
	struct server_clock clock;
	char store_error[ERR_TEXT_MAX];
};

static inline int64_t steady_after(int64_t now, int64_t wait_ms)
{
	return wait_ms < INT64_MAX - now ? now + wait_ms : INT64_MAX;
}

static inline int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A stored instant, on the steady clock. Wall clocks jump: a day ahead is the most. */
static inline int64_t steady_of(int64_t at)
{
	const int64_t day_ms = 24 * 3600 * 1000;
	int64_t wait = later_of(at - clock_now(), 0);

	return clock_steady() + (wait < day_ms ? wait : day_ms);
}

/* `next` is started, but not before wait_ms have passed. */
void source_want(struct lane *l, enum doing next, int64_t wait_ms);

/* ---- source_trouble.c ---- */

struct trouble {
	enum log_msg msg;
	bool operator_must_act;
	int64_t asked_ms; /* a Retry-After; -1: none */
	const char *hint; /* the knob; may be NULL */
};

/* "" while all is well. */
const char *source_error(const struct source *s);
int64_t source_wait_ms(struct source *s, int64_t asked_ms, int64_t tries);
void source_say_trouble(struct source *s, struct trouble_now *now, const char *reason,
			const struct trouble *t);
/* What failed works again; the last one says so. */
void source_recovered(struct source *s, struct trouble_now *now);
void source_store_recovered(struct source *s);
/* A single poll does not try for ever. */
void source_once_failed(struct source *s, const struct trouble_now *now,
			const struct trouble *t);
/* Nor does it wait for long: something is tried again after wait_ms, for the tries-th time. */
void source_once_waits(struct source *s, int64_t wait_ms, int64_t tries);
/* The pass is thrown away; the next one begins from its start after a wait that grows. */
void source_give_up(struct lane *l, const char *reason, const struct trouble *t);
/* The same page again, after a wait that grows. */
void source_repeat(struct lane *l, const char *reason, const struct trouble *t);
/* The knob for an answer that is no page, or NULL. */
const char *source_hint(const struct reply *reply);

/* ---- source_token.c ---- */

/* True when a page may be asked for; else a token is on its way, or waits. */
bool source_has_token(struct source *s, int64_t now);
/* Stopping cuts what is under way, and one that is retired needs no answer: no fault of anybody,
 * and nothing to go on with. */
bool source_is_unwanted(const struct source *s, const struct reply *reply);

/* ---- source_page.c ---- */

void source_start_page(struct lane *l);

/* ---- source_waiting.c ---- */

void source_begin_waiting(struct source *s);
/* A page may have left some, or taken some on. */
void source_note_waiting(struct source *s, const struct page_result *r);
void source_look_at_waiting(struct source *s);
int64_t source_waiting_wakes_at(const struct source *s);
bool source_waits(const struct source *s);

/* ---- source_walk.c ---- */

void source_begin_pass(struct lane *l);
/* The head pass asks for the open ones instead; what it knew of the list is of no use. */
void source_turn_to_open(struct lane *l);
void source_start_store(struct lane *l);
void source_start_end(struct lane *l);
/* When is the next full pass due? Asked again whenever something that it hangs on has moved. */
void source_plan_full(struct source *s);
/* What it was walking is forgotten. */
void source_rest(struct lane *l);
bool source_is_walking(const struct lane *l);
void source_tell_walk(const struct lane *l, struct source_walk *out);

#endif
