/*
 * directory_page: one page of a list, asked for and answered.
 *
 * Whose fault an answer is decides what becomes of the pass:
 *
 *   403, 404, 405 to a first page   the key may not, or the API has no such list: off for an hour
 *   400, 404, 410 behind a cursor   the cursor died: the walk begins anew
 *   401                             the credential is renewed once, as for a page of alerts
 *   429                             nobody of this credential goes on before it says
 *   5xx, no answer, no page         the same page a few times, then the walk is given up
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/kill.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/directory_inner.h"

enum {
	REPEAT_MAX = 3,
	WAIT_MIN_MS = 1000,
	WAIT_MAX_MS = 300000,
	ASKED_WAIT_MAX_MS = 3600000, /* of a Retry-After */
	OFF_MS = 3600000,
	SAY_EVERY = 10,
	CURSOR_FRESH_MS = 30000, /* used within: it can hardly have died */
};

static const char hint_later[] = "alerts go on without it: look whether the API is well";

/* ---- what fails ---- */

static int64_t wait_after(struct directory *d, int64_t asked_ms, int64_t tries)
{
	int64_t wait = backoff_ms(&d->chance, WAIT_MIN_MS, WAIT_MAX_MS, tries);

	if (asked_ms > ASKED_WAIT_MAX_MS)
		asked_ms = ASKED_WAIT_MAX_MS;
	if (asked_ms >= 0)
		asked_ms = backoff_jitter_ms(&d->chance, asked_ms);
	wait = wait > WAIT_MIN_MS ? wait : WAIT_MIN_MS;
	return wait > asked_ms ? wait : asked_ms;
}

void desk_say_failed(struct desk *desk, const char *reason)
{
	bool is_again = desk->fails > 0 && desk->fails % SAY_EVERY == 0;

	desk->directory->news++;
	if (desk->error[0] == '\0' || is_again)
		log_line(LOG_WARN, LOG_CONTEXT_FAILED,
			 LOG_S("source", desk->directory->p.settings->name),
			 LOG_S("list", context_name(desk->kind)), LOG_S("reason", reason),
			 LOG_N("failures", desk->fails), LOG_S("hint", hint_later));
	snprintf(desk->error, sizeof(desk->error), "%s", reason);
}

void desk_give_up(struct desk *desk, const char *reason, int64_t asked_ms)
{
	struct directory *d = desk->directory;

	desk->errors++;
	desk_say_failed(desk, reason);
	desk->fails++;
	desk_rest(desk); /* it is due as it was */
	desk_to(desk, DESK_RESTS, wait_after(d, asked_ms, desk->fails));
}

/* The same page after a wait, or no more of this walk. */
static void repeat(struct desk *desk, const char *reason, int64_t asked_ms)
{
	if (desk->repeats == REPEAT_MAX || (desk->pages == 0 && desk->fails > 0)) {
		desk_give_up(desk, reason, asked_ms);
		return;
	}
	desk->repeats++;
	desk->errors++;
	desk_say_failed(desk, reason);
	desk_to(desk, DESK_WANTS_PAGE, wait_after(desk->directory, asked_ms, desk->repeats));
}

/* It is nobody's fault here, and nothing that alerts wait for: said once. */
static void turn_off(struct desk *desk, const char *reason)
{
	if (!desk->is_off)
		log_line(LOG_WARN, LOG_CONTEXT_OFF,
			 LOG_S("source", desk->directory->p.settings->name),
			 LOG_S("list", context_name(desk->kind)), LOG_S("reason", reason),
			 LOG_S("hint",
			       "alerts go on without it, and it is tried again each hour: give "
			       "the client or key the right to read this list, or take it out "
			       "of `context`"));
	desk->errors++;
	desk->is_off = true;
	desk->is_early = false;
	snprintf(desk->error, sizeof(desk->error), "%s", reason);
	desk_rest(desk);
	desk->next_at = clock_steady() + OFF_MS;
}

/* ---- answers ---- */

bool desk_is_doubtful_end(struct desk *desk)
{
	const struct listing *page = &desk->page;
	bool has_waited =
		desk->cursor != NULL &&
		(desk->repeats > 0 || desk->asked_at - desk->cursor_at > CURSOR_FRESH_MS);

	if (page->next_cursor != NULL || page->is_torn || page->item_count + page->left_out > 0)
		return false;
	/* A short list may be empty, a long one may end so; yet a stale cursor may answer so, too. */
	if (desk->cursor == NULL && desk->count == 0)
		return false;
	if (desk->ends_empty && !has_waited)
		return false;
	desk->ends_empty = true;
	return true;
}

static void take_page(struct desk *desk, const struct reply *reply)
{
	struct err err;

	if (!listing_read(&desk->page, desk->kind, reply->body, reply->body_len, &err)) {
		repeat(desk, err.text, -1);
		return;
	}
	if (desk_is_doubtful_end(desk)) {
		desk_give_up(desk, "it ended with an empty page: a cursor may have expired",
			     -1);
		return;
	}
	KILL_POINT("directory-read");
	desk_to(desk, DESK_WANTS_STORE, 0);
}

static void describe(const struct desk *desk, const struct reply *reply, char *text,
		     size_t size)
{
	char answer[200];

	auth_error_text(desk->directory->p.auth, reply, answer, sizeof(answer));
	if (reply->kind == REPLY_ANSWERED)
		snprintf(text, size, "/%s answered %d: %s", context_name(desk->kind),
			 reply->status, answer);
	else
		snprintf(text, size, "/%s: %s", context_name(desk->kind), reply->error);
}

static void unauthorized(struct desk *desk, const char *reason)
{
	bool has_another = auth_rejected(desk->directory->p.auth, desk->bearer);

	if (has_another && !desk->is_renewed) {
		desk->is_renewed = true;
		desk_to(desk, DESK_WANTS_PAGE, 0);
		return;
	}
	desk_give_up(desk, reason, -1);
}

static void limited(struct desk *desk, const char *reason, int64_t asked_ms)
{
	desk->repeats++;
	desk->errors++;
	desk_say_failed(desk, reason);
	desk_to(desk, DESK_WANTS_PAGE, wait_after(desk->directory, asked_ms, desk->repeats));
	budget_block(desk->directory->p.budget, desk->not_before);
}

static void refused(struct desk *desk, const struct reply *reply)
{
	char reason[ERR_TEXT_MAX];
	int64_t asked_ms = budget_asked_ms(reply);
	int status = reply->kind == REPLY_ANSWERED ? reply->status : 0;

	describe(desk, reply, reason, sizeof(reason));
	if (status == 401)
		unauthorized(desk, reason);
	else if (status == 429)
		limited(desk, reason, asked_ms);
	else if (desk->cursor == NULL && (status == 403 || status == 404 || status == 405))
		turn_off(desk, reason);
	else if (status == 0 || status == 408 || status >= 500)
		repeat(desk, reason, asked_ms);
	else
		desk_give_up(desk, reason, asked_ms);
}

/* Too large for us: a smaller page of the same walk. */
static void too_large(struct desk *desk)
{
	if (desk->page_limit == 1) {
		desk_give_up(desk, "one object alone makes a page of more than 8 MiB", -1);
		return;
	}
	desk->page_limit = (desk->page_limit + 1) / 2;
	desk_to(desk, DESK_WANTS_PAGE, 0);
}

static void on_page(void *arg, const struct reply *reply)
{
	struct desk *desk = arg;
	struct directory *d = desk->directory;

	if (d->is_retired || (d->is_stopped && reply->kind == REPLY_CUT)) {
		desk_rest(desk);
		return;
	}
	budget_note(d->p.budget, reply, clock_steady());
	if (reply->kind == REPLY_TOO_LARGE)
		too_large(desk);
	else if (reply->kind == REPLY_ANSWERED && reply->status == 200)
		take_page(desk, reply);
	else
		refused(desk, reply);
}

/* ---- asking ---- */

static void make_request(const struct desk *desk, struct request *r)
{
	const struct source_settings *settings = desk->directory->p.settings;
	struct buf url;

	request_init(r, REQUEST_HTTP);
	r->method = mem_strdup("GET");
	buf_init(&url, CURSOR_MAX * 3 + 4096);
	buf_addf(&url, "%s/%s?limit=%zu", settings->base_url, context_name(desk->kind),
		 desk->page_limit);
	if (desk->cursor != NULL) {
		buf_adds(&url, "&cursor=");
		esc_url(&url, desk->cursor, strlen(desk->cursor));
	}
	r->url = buf_take(&url, NULL);
	r->bearer = mem_strdup(desk->bearer);
	r->timeout_ms = settings->timeout_ms;
	r->ca_file = mem_strdup(settings->ca_file);
	r->proxy = mem_strdup(settings->proxy);
	r->reply_max = LISTING_BYTES_MAX;
	r->reply_whole = true;
}

void desk_start_page(struct desk *desk)
{
	struct directory *d = desk->directory;
	int64_t now = clock_steady();
	struct request request;

	if (!d->p.has_token(d->p.arg, now))
		return;
	int64_t wait = budget_context_wait_ms(d->p.budget, now);

	if (wait > 0) {
		desk_to(desk, DESK_WANTS_PAGE, wait);
		return;
	}
	budget_take_context(d->p.budget, now);
	desk->asked_at = now;
	mem_free_secret(&desk->bearer);
	desk->bearer = mem_strdup(auth_bearer(d->p.auth, now));
	make_request(desk, &request);
	desk_to(desk, DESK_PAGE_FLIES, 0);
	xfer_start(d->p.xfer, &request, on_page, desk);
}
