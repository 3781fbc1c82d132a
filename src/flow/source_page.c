/*
 * source_page: one page, asked for and answered.
 *
 * An answer is a page, or trouble of a kind: ours to repeat (429, 5xx, a cut), to renew the
 * credential for (401), to ask for less (too large), or the end of the pass.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/esc.h"
#include "base/kill.h"
#include "base/mem.h"
#include "flow/source_inner.h"

enum {
	CURSOR_FRESH_MS = 250,    /* used within: it cannot have died */
	ONE_ALERT_MAX = 64 << 20, /* bytes of a page that holds but one */
};

/* ---- the server's clock ---- */

/* Of pages alone: what stands between may answer errors with a clock of its own. */
static void note_clock(struct source *s, const struct reply *reply)
{
	char text[64];
	int64_t at;

	if (!reply_header(reply, "Date", text, sizeof(text)) || !clock_parse_http(text, &at))
		at = 0;
	server_clock_note(&s->clock, at, reply->at, clock_steady());
}

/*
 * The baseline is the time, by the server's clock, at which we first wanted a page. What comes
 * up while it answers slowly or not at all is news.
 */
static void take_baseline(struct source *s)
{
	int64_t at = server_clock_at(&s->clock, s->born_at);

	if (s->state.baseline_known)
		return;
	switch (s->p.settings->start) {
	case START_NOW: s->state.baseline_at = at; break;
	case START_ALL: s->state.baseline_at = 0; break;
	case START_SINCE: s->state.baseline_at = at - s->p.settings->start_since_ms; break;
	}
	s->state.baseline_known = true;
	s->intake.baseline_at = s->state.baseline_at;
}

/* ---- a page ---- */

/* The cursor that was stored is of no use any more: no trouble, the open ones tell. */
static bool lost_stored_cursor(struct lane *l)
{
	if (l->kind != PASS_HEAD || l->pass.from_first || l->pass.page_count != 0)
		return false;
	source_turn_to_open(l);
	return true;
}

/* Since it was given to us the cursor may have died. */
static bool has_waited(const struct lane *l)
{
	if (l->pass.cursor == NULL)
		return false;
	return l->repeats > 0 || l->asked_at - l->pass.cursor_at > CURSOR_FRESH_MS;
}

/* A list that ends without an alert: a list may, yet it may also be a slip of the API. */
static bool ends_strangely(const struct lane *l)
{
	const struct page *page = &l->page;

	if (page->item_count > 0 || !pass_ends_with(page))
		return false;
	return l->pass.cursor != NULL || page->reject_count > 0 ||
	       (l->pass.filter == FILTER_NONE && l->source->state.full_pages > 1);
}

/* Nothing that can be read, and no word of what follows. */
static bool is_silent(const struct page *page)
{
	return page->item_count == 0 && !page->next_cursor_known && !page->has_more_known;
}

/* A list that ends with an alert behind a cursor has no habit of ending with an empty page: what
 * was believed of it may have been slips. */
static void note_end(struct lane *l)
{
	if (l->pass.cursor != NULL && l->page.item_count > 0 && pass_ends_with(&l->page))
		l->source->ends_empty = false;
}

/*
 * Nobody knows how a stale cursor answers; an empty last page may be such an answer. Behind a
 * cursor that had waited it is never believed: the next walk asks for that page without delay.
 * Else it is when the next walk ends there, too, or the list was seen to end so, and not otherwise
 * since.
 */
static bool is_doubtful_end(struct lane *l)
{
	bool waited = has_waited(l);
	bool is_usual = l->pass.cursor != NULL && l->page.reject_count == 0;
	size_t pages = l->pass.page_count + 1;

	if (!ends_strangely(l)) {
		note_end(l);
		return false;
	}
	if (is_silent(&l->page))
		return true;
	if (!waited && is_usual && l->source->ends_empty)
		return false;
	if (!waited && l->empty_end != 0 && pages >= l->empty_end) {
		l->source->ends_empty |= is_usual;
		return false;
	}
	if (!waited || pages > l->empty_end)
		l->empty_end = pages;
	return true;
}

static void say_contradiction(struct lane *l)
{
	struct source *s = l->source;
	const struct page *page = &l->page;

	if (s->said_contradiction || !page->has_more_known ||
	    page->has_more == (page->next_cursor != NULL))
		return;
	s->said_contradiction = true;
	log_line(LOG_WARN, LOG_POLLED, LOG_S("source", s->p.settings->name),
		 LOG_S("reason", "has_more and next_cursor of /alerts contradict each other"),
		 LOG_S("hint", "a page with alerts is followed by its next_cursor"));
}

/* While an API is down its first page is asked for once each time, else a few times. */
static bool may_repeat(const struct lane *l)
{
	return l->repeats < REPEAT_MAX && (l->pass.page_count > 0 || l->trouble.fails == 0);
}

/* What is read now: should it be the last of us, the next start knows it by its bytes. */
static const char *look_at_item(void *arg, const char *bytes, size_t len)
{
	const struct source *s = arg;

	crash_begin(&(struct crash_work){ .doing = IN_HAND_READ,
					  .place = s->p.settings->name,
					  .bytes = bytes,
					  .bytes_len = len });
	return suspects_refuse(&s->suspects, bytes, len);
}

static bool read_page(struct lane *l, const struct reply *reply, struct err *err)
{
	struct source *s = l->source;
	const struct page_guard guard = { look_at_item, s };
	bool ok = page_read_guarded(&l->page, reply->body, reply->body_len, &guard, err);

	crash_over();
	if (ok)
		suspects_set_aside(&s->suspects, &l->page);
	return ok;
}

static void take_page(struct lane *l, const struct reply *reply)
{
	struct source *s = l->source;
	const struct trouble t = { .msg = LOG_POLL_FAILED, .asked_ms = -1 };
	struct err err;

	if (!read_page(l, reply, &err)) {
		if (may_repeat(l))
			source_repeat(l, err.text, &t);
		else
			source_give_up(l, err.text, &t);
		return;
	}
	/* Without a baseline nothing can be stored; the same page again tells more of the clock. */
	if (!s->clock.is_known) {
		page_release(&l->page);
		source_want(l, WANTS_PAGE, 0);
		return;
	}
	if (pass_is_empty(&l->page) && lost_stored_cursor(l))
		return;
	say_contradiction(l);
	if (is_doubtful_end(l)) {
		source_give_up(l,
			       "/alerts ended with a page without an alert: a cursor may have "
			       "expired",
			       &t);
		return;
	}
	l->page_at = clock_steady();
	take_baseline(s);
	if (s->state.org_id[0] == '\0' && l->page.item_count > 0)
		snprintf(s->state.org_id, sizeof(s->state.org_id), "%s",
			 l->page.items[0].org_id);
	KILL_POINT("page-read");
	source_want(l, WANTS_STORE, 0);
}

/* ---- other answers ---- */

static void page_unauthorized(struct lane *l, const char *reason)
{
	bool has_another = auth_rejected(&l->source->auth, l->bearer);
	const struct trouble t = {
		.msg = LOG_POLL_FAILED,
		.operator_must_act = true,
		.asked_ms = -1,
		.hint = "look at api_key, or client_id and client_secret, of this source"
	};

	if (has_another && !l->renewed) {
		l->renewed = true;
		source_want(l, WANTS_PAGE, 0);
		return;
	}
	source_give_up(l, reason, &t);
}

/* Over the limit: nothing of this credential may go before it says. */
static void page_limited(struct lane *l, const char *reason, const struct trouble *t)
{
	source_repeat(l, reason, t);
	budget_block(l->source->p.budget, l->not_before);
	source_once_waits(l->source, l->not_before - clock_steady(), l->repeats);
}

static void describe(const struct lane *l, const struct reply *reply, char *text, size_t size)
{
	char answer[200];

	auth_error_text(&l->source->auth, reply, answer, sizeof(answer));
	if (reply->kind == REPLY_ANSWERED)
		snprintf(text, size, "/alerts answered %d: %s", reply->status, answer);
	else
		snprintf(text, size, "/alerts: %s", reply->error);
}

static bool is_refused_cursor(const struct lane *l, const struct reply *reply)
{
	return l->pass.cursor != NULL && reply->kind == REPLY_ANSWERED &&
	       (reply->status == 400 || reply->status == 404 || reply->status == 410);
}

/* An answer other than 200, or none. */
static void page_refused(struct lane *l, const struct reply *reply)
{
	char reason[ERR_TEXT_MAX];
	bool answered = reply->kind == REPLY_ANSWERED;
	bool later = !answered || reply->status >= 500 || reply->status == 408;
	struct trouble t = { .msg = LOG_POLL_FAILED,
			     .operator_must_act = answered && reply->status == 403,
			     .asked_ms = budget_asked_ms(reply),
			     .hint = source_hint(reply) };

	describe(l, reply, reason, sizeof(reason));
	if (is_refused_cursor(l, reply) && lost_stored_cursor(l))
		return;
	if (answered && reply->status == 401)
		page_unauthorized(l, reason);
	else if (answered && reply->status == 429)
		page_limited(l, reason, &t);
	else if (later && may_repeat(l))
		source_repeat(l, reason, &t);
	else
		source_give_up(l, reason, &t);
}

/* Too large for us: a smaller page of the same walk. */
static void page_too_large(struct lane *l)
{
	if (l->page_limit > 1) {
		l->page_limit = (l->page_limit + 1) / 2;
		source_want(l, WANTS_PAGE, 0);
		return;
	}
	source_give_up(l, "one alert alone makes a page of more than 64 MiB",
		       &(struct trouble){ .msg = LOG_POLL_FAILED, .asked_ms = -1 });
}

static void on_page(void *arg, const struct reply *reply)
{
	struct lane *l = arg;
	struct source *s = l->source;

	if (source_is_unwanted(s, reply)) {
		source_rest(l);
		return;
	}
	budget_note(s->p.budget, reply, clock_steady());
	if (reply->kind == REPLY_TOO_LARGE) {
		page_too_large(l);
	} else if (reply->kind == REPLY_ANSWERED && reply->status == 200) {
		note_clock(s, reply);
		take_page(l, reply);
	} else {
		page_refused(l, reply);
	}
}

/* ---- asking ---- */

static void make_request(const struct lane *l, struct request *r)
{
	const struct source_settings *settings = l->source->p.settings;
	const char *status = pass_filter_status(l->pass.filter);
	struct buf url;

	request_init(r, REQUEST_HTTP);
	r->method = mem_strdup("GET");
	buf_init(&url, CURSOR_MAX * 3 + 4096);
	buf_addf(&url, "%s/alerts?limit=%zu", settings->base_url, l->page_limit);
	if (status != NULL)
		buf_addf(&url, "&status=%s", status);
	if (l->pass.cursor != NULL) {
		buf_adds(&url, "&cursor=");
		esc_url(&url, l->pass.cursor, strlen(l->pass.cursor));
	}
	r->url = buf_take(&url, NULL);
	r->bearer = mem_strdup(l->bearer);
	r->timeout_ms = settings->timeout_ms;
	r->ca_file = mem_strdup(settings->ca_file);
	r->proxy = mem_strdup(settings->proxy);
	r->reply_max = l->page_limit > 1 ? PAGE_BYTES_MAX : ONE_ALERT_MAX;
	r->reply_whole = true;
}

static void note_asking(struct lane *l, int64_t now)
{
	l->asked_at = now;
	l->asked_wall_at = clock_now();
	if (l->pass.began_at == 0) {
		l->pass.began_at = now;
		l->walked_from_wall_at = l->asked_wall_at;
	}
	mem_free_secret(&l->bearer);
	l->bearer = mem_strdup(auth_bearer(&l->source->auth, now));
}

/* The page whose emptiness was not believed waits for no part of the minute: its cursor dies. */
static int64_t wait_ms(const struct lane *l, int64_t now)
{
	struct budget *b = l->source->p.budget;
	bool hurries = l->pass.page_count > 0 && l->pass.page_count + 1 == l->empty_end;

	return hurries ? budget_hurry_wait_ms(b, l->kind, now)
		       : budget_wait_ms(b, l->kind, now);
}

void source_start_page(struct lane *l)
{
	struct source *s = l->source;
	int64_t now = clock_steady();
	struct request request;

	if (!source_has_token(s, now))
		return;
	int64_t wait = wait_ms(l, now);

	if (wait > 0) {
		source_want(l, WANTS_PAGE, wait);
		return;
	}
	budget_take(s->p.budget, now);
	note_asking(l, now);
	make_request(l, &request);
	source_want(l, PAGE_FLIES, 0);
	xfer_start(s->p.xfer, &request, on_page, l);
}
