/*
 * source: the state machine of one organisation.
 *
 * `doing` says what is under way or wanted next; only become() moves it. Whatever fails ends in
 * one of two ways: the same request again after a wait (429, 5xx, a cut connection: at most
 * REPEAT_MAX times a page, 429 without end), or the pass is given up (a refused cursor, a loop,
 * a body that is no page) and the next one starts from the first page. Both waits grow.
 */
#include "flow/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/esc.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/auth.h"
#include "flow/budget.h"
#include "flow/intake.h"
#include "flow/pass.h"
#include "flow/say.h"

enum {
	PAGE_LIMIT = 100, /* the most that the API gives */
	REPEAT_MAX = 3,
	WAIT_MIN_MS = 1000,
	WAIT_MAX_MS = 300000,
	ASKED_WAIT_MAX_MS = 3600000, /* of a Retry-After */
	STORE_WAIT_MS = 500,
};

enum doing {
	SLEEPING,    /* until the timer, or a poll is asked for */
	WANTS_TOKEN, /* from here on: started by source_turn_end(), not before `not_before` */
	TOKEN_FLIES,
	WANTS_PAGE,
	PAGE_FLIES,
	WANTS_STORE, /* a page is here, to be stored */
	STORING,
};

struct source {
	struct source_parts p;
	enum doing doing;
	struct timer *timer;
	int64_t not_before; /* steady */
	int64_t next_poll;  /* steady */
	bool poll_wanted, paused, stopped, ever_complete;

	struct auth auth;
	struct intake intake;
	struct source_state state;
	struct pass pass;
	struct page page; /* while WANTS_STORE and STORING */
	int64_t page_at;  /* steady; when it came */
	size_t page_limit;
	bool renewed; /* 401 was answered by one renewal for this page already */

	int64_t repeats; /* of this page */
	int64_t fails;   /* passes and tokens given up in a row */
	struct chance chance;
	struct budget budget;
	int64_t born_at; /* steady */
	char error[ERR_TEXT_MAX];
};

static void become(struct source *s, enum doing next)
{
	s->doing = next;
}

static void set_timer(struct source *s, int64_t until)
{
	int64_t wait = until - clock_steady();

	timer_set(s->timer, wait > 0 ? wait : 0);
}

/* `next` is started, but not before wait_ms have passed. */
static void want(struct source *s, enum doing next, int64_t wait_ms)
{
	become(s, next);
	s->not_before = clock_steady() + wait_ms;
	if (wait_ms > 0)
		set_timer(s, s->not_before);
}

/* ---- how a pass ends ---- */

static void sleep_until(struct source *s, int64_t steady_at)
{
	pass_release(&s->pass);
	page_release(&s->page);
	become(s, SLEEPING);
	s->next_poll = steady_at;
	set_timer(s, steady_at);
}

static void recover(struct source *s)
{
	if (s->error[0] != '\0')
		log_line(LOG_INFO, LOG_POLL_RECOVERED, LOG_S("source", s->p.settings->name));
	s->error[0] = '\0';
	s->fails = 0;
	s->repeats = 0;
}

static void pass_complete(struct source *s)
{
	const struct pass *p = &s->pass;

	recover(s);
	s->ever_complete = true;
	int64_t now = clock_steady();

	log_line(p->fresh + p->changed > 0 ? LOG_INFO : LOG_DEBUG, LOG_POLLED,
		 LOG_S("source", s->p.settings->name), LOG_N("pages", p->page_count),
		 LOG_N("items", p->items), LOG_N("new", p->fresh), LOG_N("changed", p->changed),
		 LOG_N("took_ms", now - p->started_at));
	int64_t next = p->started_at + s->p.settings->poll_every_ms;

	sleep_until(s, next > now ? next : now);
}

static int64_t grown_wait_ms(struct source *s, int64_t asked_ms, int64_t tries)
{
	int64_t wait = backoff_ms(&s->chance, WAIT_MIN_MS, WAIT_MAX_MS, tries);

	if (asked_ms > ASKED_WAIT_MAX_MS)
		asked_ms = ASKED_WAIT_MAX_MS;
	if (asked_ms >= 0)
		asked_ms = backoff_jitter_ms(&s->chance, asked_ms);
	/* Never in a tight loop, whatever chance says. */
	wait = wait > WAIT_MIN_MS / 4 ? wait : WAIT_MIN_MS / 4;
	return wait > asked_ms ? wait : asked_ms;
}

struct trouble {
	enum log_msg msg;
	bool operator_must_act;
	int64_t asked_ms; /* a Retry-After; -1: none */
	const char *hint; /* the knob; may be NULL */
};

/* Said when it is another trouble than before, or `again`: one line, not a flood. */
static void say_trouble(struct source *s, const char *reason, const struct trouble *t,
			bool again)
{
	bool is_news = !page_error_same(s->error, reason);

	snprintf(s->error, sizeof(s->error), "%s", reason);
	if (!is_news && !again)
		return;
	log_line(t->operator_must_act ? LOG_ERROR : LOG_WARN, t->msg,
		 LOG_S("source", s->p.settings->name), LOG_S("reason", s->error),
		 LOG_N("failures", s->fails), LOG_S("hint", t->hint));
}

/* The pass is thrown away; the next one starts from the first page after a wait that grows. */
static void give_up_pass(struct source *s, const char *reason, const struct trouble *t)
{
	s->fails++;
	say_trouble(s, reason, t, s->fails % 10 == 0);
	sleep_until(s, clock_steady() + grown_wait_ms(s, t->asked_ms, s->fails));
}

/* The same page again, after a wait that grows. */
static void repeat_page(struct source *s, const char *reason, const struct trouble *t)
{
	s->repeats++;
	say_trouble(s, reason, t, false);
	want(s, WANTS_PAGE, grown_wait_ms(s, t->asked_ms, s->repeats));
}

/* The knob for an answer that is no page, or NULL. */
static const char *hint_of(const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_ANSWERED: break;
	case REPLY_RESOLVE:
	case REPLY_CONNECT: return "look at base_url and proxy of this source, and the network";
	case REPLY_TLS:
		return "is the certificate one we trust? ca_file of this source names an "
		       "authority of your own";
	case REPLY_TIMEOUT: return "timeout of this source is how long we wait";
	case REPLY_LOGIN:
	case REPLY_CUT:
	case REPLY_TOO_LARGE:
	case REPLY_GARBLED:
	case REPLY_LOCAL: return NULL;
	}
	switch (reply->status) {
	case 403: return "the credentials of this source may not read alerts";
	case 404: return "look at base_url of this source";
	}
	return NULL;
}

/* The same for what should have been a token; a 2xx without one is somebody else's answer. */
static const char *token_hint_of(const struct reply *reply, bool refused)
{
	if (refused)
		return "look at client_id and client_secret of this source";
	if (reply->kind == REPLY_ANSWERED && reply->status >= 200 && reply->status <= 299)
		return "is base_url of this source a Toktra API?";
	return hint_of(reply);
}

/* Stopping cuts what is under way: no fault of anybody, and nothing to go on with. */
static bool is_our_cut(struct source *s, const struct reply *reply)
{
	if (!s->stopped || reply->kind != REPLY_CUT)
		return false;
	become(s, SLEEPING);
	return true;
}

/* ---- token ---- */

static void on_token(void *arg, const struct reply *reply)
{
	struct source *s = arg;
	bool refused;
	struct err err;
	int64_t now = clock_steady();

	if (is_our_cut(s, reply))
		return;
	if (auth_take(&s->auth, reply, now, &refused, &err)) {
		log_line(LOG_INFO, LOG_TOKEN_RENEWED, LOG_S("source", s->p.settings->name));
		want(s, WANTS_PAGE, 0);
		return;
	}
	if (auth_bearer(&s->auth, now) != NULL) {
		auth_postpone(&s->auth, now, grown_wait_ms(s, -1, 1));
		want(s, WANTS_PAGE, 0);
		return;
	}
	give_up_pass(s, err.text,
		     &(struct trouble){ .msg = LOG_TOKEN_FAILED,
					.operator_must_act = refused,
					.asked_ms = reply_retry_after_ms(reply),
					.hint = token_hint_of(reply, refused) });
}

static void start_token(struct source *s)
{
	struct request request;

	auth_request(&s->auth, &request);
	become(s, TOKEN_FLIES);
	xfer_start(s->p.xfer, &request, on_token, s);
}

/* ---- pages ---- */

/*
 * The baseline is the time, by the server's clock, at which we first wanted a page: its Date,
 * less what has passed since. What comes up while it answers slowly or not at all is news.
 */
static void take_baseline(struct source *s, const struct reply *reply)
{
	char text[64];
	int64_t at;

	if (s->state.baseline_known)
		return;
	if (!reply_header(reply, "Date", text, sizeof(text)) || !clock_parse_http(text, &at))
		at = reply->at;
	at -= clock_steady() - s->born_at;
	switch (s->p.settings->start) {
	case START_NOW: s->state.baseline_at = at; break;
	case START_ALL: s->state.baseline_at = 0; break;
	case START_SINCE: s->state.baseline_at = at - s->p.settings->start_since_ms; break;
	}
	s->state.baseline_known = true;
	s->intake.baseline_at = s->state.baseline_at;
}

static void take_page(struct source *s, const struct reply *reply)
{
	struct err err;

	if (!page_read(&s->page, reply->body, reply->body_len, &err)) {
		const struct trouble t = { .msg = LOG_POLL_FAILED, .asked_ms = -1 };

		if (s->repeats < REPEAT_MAX)
			repeat_page(s, err.text, &t);
		else
			give_up_pass(s, err.text, &t);
		return;
	}
	s->page_at = clock_steady();
	take_baseline(s, reply);
	if (s->state.org_id[0] == '\0' && s->page.item_count > 0)
		snprintf(s->state.org_id, sizeof(s->state.org_id), "%s",
			 s->page.items[0].org_id);
	want(s, WANTS_STORE, 0);
}

static void page_unauthorized(struct source *s, const char *reason)
{
	auth_rejected(&s->auth);
	if (!s->renewed) {
		s->renewed = true;
		want(s, WANTS_TOKEN, 0);
		return;
	}
	give_up_pass(
		s, reason,
		&(struct trouble){ .msg = LOG_POLL_FAILED,
				   .operator_must_act = true,
				   .asked_ms = -1,
				   .hint = "look at api_key, or client_id and client_secret, "
					   "of this source" });
}

/* An answer other than 200, or none. */
static void page_refused(struct source *s, const struct reply *reply)
{
	char reason[ERR_TEXT_MAX], text[200];

	auth_error_text(&s->auth, reply, text, sizeof(text));
	if (reply->kind == REPLY_ANSWERED)
		snprintf(reason, sizeof(reason), "/alerts answered %d: %s", reply->status,
			 text);
	else
		snprintf(reason, sizeof(reason), "/alerts: %s", reply->error);
	bool later =
		reply->kind != REPLY_ANSWERED || reply->status >= 500 || reply->status == 408;
	bool limited = reply->kind == REPLY_ANSWERED && reply->status == 429;
	struct trouble t = { .msg = LOG_POLL_FAILED,
			     .operator_must_act = reply->status == 403,
			     .asked_ms = reply_retry_after_ms(reply),
			     .hint = hint_of(reply) };

	if (reply->kind == REPLY_ANSWERED && reply->status == 401)
		page_unauthorized(s, reason);
	else if (limited || (later && s->repeats < REPEAT_MAX))
		repeat_page(s, reason, &t);
	else
		give_up_pass(s, reason, &t);
}

/* Too large for us: a smaller page of the same walk. */
static void page_too_large(struct source *s)
{
	if (s->page_limit > 1) {
		s->page_limit = (s->page_limit + 1) / 2;
		want(s, WANTS_PAGE, 0);
		return;
	}
	give_up_pass(s, "one alert alone makes a page of more than 8 MiB",
		     &(struct trouble){ .msg = LOG_POLL_FAILED, .asked_ms = -1 });
}

static void on_page(void *arg, const struct reply *reply)
{
	struct source *s = arg;

	if (is_our_cut(s, reply))
		return;
	budget_note(&s->budget, reply);
	if (reply->kind == REPLY_TOO_LARGE)
		page_too_large(s);
	else if (reply->kind == REPLY_ANSWERED && reply->status == 200)
		take_page(s, reply);
	else
		page_refused(s, reply);
}

static void page_request(struct source *s, struct request *r)
{
	struct buf url;

	request_init(r, REQUEST_HTTP);
	r->method = mem_strdup("GET");
	buf_init(&url, CURSOR_MAX * 3 + 4096);
	buf_addf(&url, "%s/alerts?limit=%zu", s->p.settings->base_url, s->page_limit);
	if (s->pass.cursor != NULL) {
		buf_adds(&url, "&cursor=");
		esc_url(&url, s->pass.cursor, strlen(s->pass.cursor));
	}
	r->url = buf_take(&url, NULL);
	r->bearer = mem_strdup(auth_bearer(&s->auth, clock_steady()));
	r->timeout_ms = s->p.settings->timeout_ms;
	r->ca_file = mem_strdup(s->p.settings->ca_file);
	r->proxy = mem_strdup(s->p.settings->proxy);
	r->reply_max = PAGE_BYTES_MAX;
	r->reply_whole = true;
}

static void start_page(struct source *s)
{
	int64_t now = clock_steady();
	struct request request;

	if (auth_wants_token(&s->auth, now)) {
		start_token(s);
		return;
	}
	int64_t wait = budget_wait_ms(&s->budget, now);

	if (wait > 0) {
		want(s, WANTS_PAGE, wait);
		return;
	}
	budget_take(&s->budget);
	page_request(s, &request);
	become(s, PAGE_FLIES);
	xfer_start(s->p.xfer, &request, on_page, s);
}

/* ---- into the store ---- */

static void say_rejects(struct source *s, const struct page_result *r)
{
	if (r->rejected == 0)
		return;
	s->pass.rejected += r->rejected;
	log_line(LOG_WARN, LOG_ITEM_REJECTED, LOG_S("source", s->p.settings->name),
		 LOG_N("count", r->rejected), LOG_S("reason", s->page.rejects[0].reason),
		 LOG_S("hint",
		       "set aside with their bytes: see the view v_rejects of the store"));
}

static void move_on(struct source *s)
{
	enum pass_next next = pass_advance(&s->pass, &s->page);

	page_release(&s->page);
	s->repeats = 0;
	s->renewed = false;
	switch (next) {
	case PASS_MORE: want(s, WANTS_PAGE, 0); return;
	case PASS_COMPLETE: pass_complete(s); return;
	case PASS_LOOP:
		give_up_pass(s, "the cursors of /alerts run in a circle",
			     &(struct trouble){ .msg = LOG_POLL_FAILED, .asked_ms = -1 });
		return;
	case PASS_TORN:
		give_up_pass(s, "/alerts says that there is more and gives no next_cursor",
			     &(struct trouble){ .msg = LOG_POLL_FAILED, .asked_ms = -1 });
		return;
	}
	BUG("next %d", next);
}

/* The page waits, nothing is lost. */
static void page_not_stored(struct source *s, const struct page_result *r)
{
	bool is_only_busy = r->busy && clock_steady() - s->page_at < STORE_BUSY_MAX_MS;

	if (!is_only_busy && strcmp(s->error, r->error) != 0) {
		say_store_failed(r->error, r->full, r->busy);
		snprintf(s->error, sizeof(s->error), "%s", r->error);
	}
	want(s, WANTS_STORE, STORE_WAIT_MS);
}

static void on_stored(void *arg, const struct page_result *r)
{
	struct source *s = arg;

	turn_wake(s->p.turn);
	if (!r->ok) {
		page_not_stored(s, r);
		return;
	}
	s->pass.fresh += r->fresh;
	s->pass.changed += r->changed;
	say_rejects(s, r);
	if (r->deliveries > 0)
		s->p.stored(s->p.arg);
	move_on(s);
}

static void start_store(struct source *s)
{
	int64_t now = clock_now();
	bool last = pass_ends_with(&s->page);

	if (last)
		s->state.last_head_at = s->state.last_sweep_at = s->state.last_full_at = now;
	become(s, STORING);
	/* The baseline goes with the first page; the rest of the position with the last. */
	const struct source_state *position =
		last || s->pass.page_count == 0 ? &s->state : NULL;
	struct page_batch batch = intake_batch(&s->intake, &s->page, position, now);

	batch.done = on_stored;
	batch.arg = s;
	store_page(s->p.store, &batch);
}

/* ---- the pump ---- */

static void begin_pass(struct source *s)
{
	s->poll_wanted = false;
	s->repeats = 0;
	s->renewed = false;
	s->page_limit = PAGE_LIMIT;
	pass_begin(&s->pass, clock_steady());
	want(s, WANTS_PAGE, 0);
}

void source_turn_end(struct source *s)
{
	int64_t now = clock_steady();
	bool takes_in = !s->stopped && !s->paused;

	if (s->doing == SLEEPING && takes_in && (s->poll_wanted || now >= s->next_poll))
		begin_pass(s);
	if (now < s->not_before || (!takes_in && s->doing != WANTS_STORE))
		return;
	switch (s->doing) {
	case WANTS_TOKEN:
	case WANTS_PAGE: start_page(s); return;
	case WANTS_STORE: start_store(s); return;
	case SLEEPING:
	case TOKEN_FLIES:
	case PAGE_FLIES:
	case STORING: return;
	}
}

static void on_timer(void *arg)
{
	/* The turn that it brought is enough: source_turn_end() looks for itself. */
	(void)arg;
}

void source_poll(struct source *s)
{
	s->poll_wanted = true;
	turn_wake(s->p.turn);
}

void source_pause(struct source *s, bool paused)
{
	s->paused = paused;
	turn_wake(s->p.turn);
}

void source_stop(struct source *s)
{
	s->stopped = true;
}

bool source_is_idle(const struct source *s)
{
	return s->doing != WANTS_STORE && s->doing != STORING;
}

struct source *source_new(const struct source_parts *parts, uint64_t seed, struct err *err)
{
	struct source *s = mem_new(sizeof(*s));

	s->p = *parts;
	if (!store_source_load(parts->store, parts->number, &s->state, err)) {
		mem_free(&s);
		return NULL;
	}
	s->timer = timer_new(parts->turn, on_timer, s);
	auth_init(&s->auth, parts->settings);
	intake_init(&s->intake, parts->roster, parts->settings, parts->number);
	s->intake.baseline_at = s->state.baseline_at;
	chance_seed(&s->chance, seed);
	s->born_at = s->next_poll = clock_steady();
	budget_init(&s->budget, parts->settings->rate_share, s->born_at);
	timer_set(s->timer, 0);
	return s;
}

void source_free(struct source **s)
{
	if (*s == NULL)
		return;
	timer_free(&(*s)->timer);
	auth_release(&(*s)->auth);
	intake_release(&(*s)->intake);
	pass_release(&(*s)->pass);
	page_release(&(*s)->page);
	mem_free(s);
}

void source_status(const struct source *s, struct source_status *out)
{
	*out = (struct source_status){ .name = s->p.settings->name,
				       .state = &s->state,
				       .limit = s->budget.limit,
				       .remaining = s->budget.remaining,
				       .error = s->error,
				       .ever_complete = s->ever_complete };
}
