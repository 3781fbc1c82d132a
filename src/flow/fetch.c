/*
 * fetch: a loop of its own, a request at a time, started at the ends of its turns.
 *
 *   WANTS ─ no token ─▶ TOKEN_FLIES ─▶ WANTS ─▶ PAGE_FLIES ─ more ─▶ WANTS … ─▶ OVER
 *                                               └ later: after a wait ┘
 */
#include "flow/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"
#include "flow/auth.h"
#include "flow/budget.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "model/frame.h"
#include "model/listing.h"

enum {
	TRIES_MAX = 4, /* of one request */
	WAIT_MS = 1000,
	WAIT_MAX_MS = 120000, /* who waits for longer is told so */
	PAGES_MAX = 10000,
	PAGE_LIMIT = 100,
};

enum fetch_state { WANTS, TOKEN_FLIES, PAGE_FLIES, OVER };

struct fetch {
	struct source_settings *source;
	const struct fetch_list *list;
	struct turn *turn;
	struct xfer *xfer;
	struct timer *timer;
	struct auth auth;
	struct budget budget;
	enum fetch_state state;
	int64_t not_before; /* steady */
	int64_t tries;      /* of this request that failed */
	bool is_renewed;    /* after a 401 */
	char *bearer;       /* owned; of the newest request */
	char *cursor;       /* owned; NULL: the first page */
	size_t pages;
	bool ok;
	struct err *err;
};

static void end(struct fetch *f, bool ok)
{
	f->ok = ok;
	f->state = OVER;
	turn_stop(f->turn);
}

static void fail(struct fetch *f, const char *reason)
{
	err_set(f->err, "%s", reason);
	end(f, false);
}

/* Again after a wait, or no more. */
static void again(struct fetch *f, const char *reason, int64_t asked_ms)
{
	int64_t wait = asked_ms > WAIT_MS ? asked_ms : WAIT_MS;

	if (++f->tries == TRIES_MAX || wait > WAIT_MAX_MS) {
		fail(f, reason);
		return;
	}
	f->state = WANTS;
	f->not_before = clock_steady() + wait;
	timer_set(f->timer, wait);
}

/* ---- a page ---- */

static void take_page(struct fetch *f, const struct reply *reply)
{
	struct frame frame;
	struct err err;

	if (!frame_read(&frame, reply->body, reply->body_len, &err)) {
		again(f, err.text, -1);
		return;
	}
	bool is_whole = listing_each(frame.items, f->list->take, f->list->arg, &err);
	bool is_circle = frame.next_cursor != NULL && f->cursor != NULL &&
			 strcmp(frame.next_cursor, f->cursor) == 0;

	mem_free(&f->cursor);
	f->cursor = frame.next_cursor;
	f->tries = 0;
	f->is_renewed = false;
	f->state = WANTS;
	if (!is_whole)
		fail(f, err.text);
	else if (is_circle)
		fail(f, "its pages run in a circle");
	else if (f->cursor == NULL)
		end(f, true);
	else if (++f->pages == PAGES_MAX)
		fail(f, "it has more than 10,000 pages: ask for less, with --since");
}

static void refused(struct fetch *f, const struct reply *reply)
{
	int status = reply->kind == REPLY_ANSWERED ? reply->status : 0;
	char answer[200], reason[ERR_TEXT_MAX];

	auth_error_text(&f->auth, reply, answer, sizeof(answer));
	if (status != 0)
		snprintf(reason, sizeof(reason), "the API answered %d: %s", status, answer);
	else
		snprintf(reason, sizeof(reason), "%s", reply->error);
	if (status == 401 && auth_rejected(&f->auth, f->bearer) && !f->is_renewed) {
		f->is_renewed = true;
		f->state = WANTS;
	} else if (status == 0 || status == 408 || status == 429 || status >= 500) {
		again(f, reason, budget_asked_ms(reply));
	} else {
		fail(f, reason);
	}
}

static void on_page(void *arg, const struct reply *reply)
{
	struct fetch *f = arg;

	budget_note(&f->budget, reply, clock_steady());
	if (reply->kind == REPLY_ANSWERED && reply->status == 200)
		take_page(f, reply);
	else
		refused(f, reply);
	turn_wake(f->turn);
}

static void ask_page(struct fetch *f, int64_t now)
{
	struct request r;
	struct buf url;

	request_init(&r, REQUEST_HTTP);
	r.method = mem_strdup("GET");
	buf_init(&url, CURSOR_MAX * 3 + 8192);
	buf_addf(&url, "%s/%s%climit=%d", f->source->base_url, f->list->path,
		 strchr(f->list->path, '?') == NULL ? '?' : '&', PAGE_LIMIT);
	if (f->cursor != NULL) {
		buf_adds(&url, "&cursor=");
		esc_url(&url, f->cursor, strlen(f->cursor));
	}
	r.url = buf_take(&url, NULL);
	mem_free_secret(&f->bearer);
	f->bearer = mem_strdup(auth_bearer(&f->auth, now));
	r.bearer = mem_strdup(f->bearer);
	r.timeout_ms = f->source->timeout_ms;
	r.ca_file = mem_strdup(f->source->ca_file);
	r.proxy = mem_strdup(f->source->proxy);
	r.reply_max = LISTING_BYTES_MAX;
	r.reply_whole = true;
	f->state = PAGE_FLIES;
	xfer_start(f->xfer, &r, on_page, f);
}

/* ---- a token ---- */

static void on_token(void *arg, const struct reply *reply)
{
	struct fetch *f = arg;
	struct err err;
	bool is_refused;

	budget_note(&f->budget, reply, clock_steady());
	f->state = WANTS;
	if (auth_take(&f->auth, reply, clock_steady(), &is_refused, &err))
		f->tries = 0;
	else if (is_refused)
		fail(f, err.text);
	else
		again(f, err.text, budget_asked_ms(reply));
	turn_wake(f->turn);
}

/* ---- the loop ---- */

static void on_timer(void *arg)
{
	(void)arg; /* the turn that it brought is enough */
}

static void on_turn_end(void *arg)
{
	struct fetch *f = arg;
	int64_t now = clock_steady();
	struct request r;

	if (f->state != WANTS || now < f->not_before)
		return;
	int64_t wait = budget_wait_ms(&f->budget, PASS_FULL, now);

	if (wait > 0) {
		f->not_before = now + wait;
		timer_set(f->timer, wait);
		return;
	}
	budget_take(&f->budget, now);
	if (!auth_wants_token(&f->auth, now) || auth_bearer(&f->auth, now) != NULL) {
		ask_page(f, now);
		return;
	}
	auth_request(&f->auth, &r);
	f->state = TOKEN_FLIES;
	xfer_start(f->xfer, &r, on_token, f);
}

bool fetch_run(struct source_settings *source, const struct fetch_list *list, struct err *err)
{
	struct auth_client client = auth_of_source(source);
	struct fetch f = { .source = source, .list = list, .turn = turn_new(), .err = err };

	f.xfer = xfer_new(f.turn);
	f.timer = timer_new(f.turn, on_timer, &f);
	auth_init(&f.auth, &client);
	budget_init(&f.budget, source->rate_share, clock_steady());
	turn_on_end(f.turn, on_turn_end, &f);
	turn_wake(f.turn);
	turn_run(f.turn);
	timer_free(&f.timer);
	xfer_free(&f.xfer);
	turn_free(&f.turn);
	auth_release(&f.auth);
	mem_free_secret(&f.bearer);
	mem_free(&f.cursor);
	return f.ok;
}
