/*
 * lookup: a short list of entries, oldest first; one request at a time, so that an alert storm is
 * no storm of requests.
 */
#include "flow/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/frame.h"
#include "model/listing.h"
#include "model/spending.h"

enum {
	KNOWN_MS = 300000,
	FAILED_MS = 60000,
	OFF_MS = 3600000,
	MINUTE_MS = 60000,
	PAGES_MAX = 10, /* of one user's day: a page is 100 models */
	PAGE_LIMIT = 100,
	DATE_MAX = 11,
	SAY_EVERY_MS = 600000,
};

enum entry_state { ENTRY_WANTED, ENTRY_FLIES, ENTRY_KNOWN, ENTRY_FAILED };

struct entry {
	struct lookup *lookup;
	char *user_id; /* owned */
	char date[DATE_MAX];
	enum entry_state state;
	int64_t until; /* steady; when it is forgotten */
	char *cursor;  /* owned */
	size_t pages;
	bool is_renewed;
	struct spending spending;
	struct entry *next; /* younger */
};

struct lookup {
	struct directory_parts p;
	struct entry *entries; /* oldest first */
	size_t count;
	/* Steady; when the newest were begun, in a ring. */
	int64_t begun_at[LOOKUP_MINUTE_MAX];
	size_t begun;
	char *bearer; /* owned */
	bool is_stopped, is_retired;
	int64_t not_before; /* steady */
	int64_t off_until;  /* steady; 0: it is on */
	int64_t said_at;    /* steady */
	char error[ERR_TEXT_MAX];
	int64_t errors, news;
};

/* ---- entries ---- */

static void entry_free(struct entry **e)
{
	mem_free(&(*e)->user_id);
	mem_free(&(*e)->cursor);
	spending_release(&(*e)->spending);
	mem_free(e);
}

static bool is_settled(const struct entry *e)
{
	return e->state == ENTRY_KNOWN || e->state == ENTRY_FAILED;
}

static void forget_old(struct lookup *l, int64_t now)
{
	for (struct entry **at = &l->entries; *at != NULL;) {
		struct entry *e = *at;

		if (!is_settled(e) || now < e->until) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		entry_free(&e);
		l->count--;
	}
}

static struct entry *find(const struct lookup *l, const char *user_id, const char *date)
{
	struct entry *e = l->entries;

	while (e != NULL && (strcmp(e->user_id, user_id) != 0 || strcmp(e->date, date) != 0))
		e = e->next;
	return e;
}

static struct entry *wanted(const struct lookup *l, enum entry_state state)
{
	struct entry *e = l->entries;

	while (e != NULL && e->state != state)
		e = e->next;
	return e;
}

/* NULL: there are too many. */
static struct entry *add(struct lookup *l, const char *user_id, const char *date, int64_t now)
{
	struct entry **at = &l->entries;
	struct entry *e;

	int64_t *begun_at = &l->begun_at[l->begun % LOOKUP_MINUTE_MAX]; /* the oldest */

	if (l->count == LOOKUP_KEPT_MAX ||
	    (l->begun >= LOOKUP_MINUTE_MAX && now - *begun_at < MINUTE_MS))
		return NULL;
	*begun_at = now;
	l->begun++;
	e = mem_new(sizeof(*e));
	*e = (struct entry){ .lookup = l, .user_id = mem_strdup(user_id) };
	memcpy(e->date, date, sizeof(e->date));
	while (*at != NULL)
		at = &(*at)->next;
	*at = e;
	l->count++;
	return e;
}

/* ---- answers ---- */

static void settle(struct entry *e, enum entry_state state, int64_t keep_ms)
{
	mem_free(&e->cursor);
	e->lookup->news++;
	e->state = state;
	e->until = clock_steady() + keep_ms;
}

static void fail(struct entry *e, const char *reason)
{
	struct lookup *l = e->lookup;
	int64_t now = clock_steady();

	l->errors++;
	if (l->error[0] == '\0' || now - l->said_at >= SAY_EVERY_MS) {
		l->said_at = now;
		log_line(
			LOG_WARN, LOG_CONTEXT_FAILED, LOG_S("source", l->p.settings->name),
			LOG_S("list", context_name(CONTEXT_USAGE)), LOG_S("reason", reason),
			LOG_S("hint", "alerts go on without it: look whether the API is well"));
	}
	snprintf(l->error, sizeof(l->error), "%s", reason);
	settle(e, ENTRY_FAILED, FAILED_MS);
}

static void turn_off(struct entry *e, const char *reason)
{
	struct lookup *l = e->lookup;

	if (l->off_until == 0)
		log_line(LOG_WARN, LOG_CONTEXT_OFF, LOG_S("source", l->p.settings->name),
			 LOG_S("list", context_name(CONTEXT_USAGE)), LOG_S("reason", reason),
			 LOG_S("hint",
			       "alerts go on without it, and it is tried again each hour: give "
			       "the client or key the right to read usage, or take it out of "
			       "`context`"));
	l->errors++;
	snprintf(l->error, sizeof(l->error), "%s", reason);
	l->off_until = clock_steady() + OFF_MS;
	settle(e, ENTRY_FAILED, FAILED_MS);
}

static void is_well(struct lookup *l)
{
	if (l->error[0] != '\0')
		log_line(LOG_INFO, LOG_CONTEXT_RECOVERED, LOG_S("source", l->p.settings->name),
			 LOG_S("list", context_name(CONTEXT_USAGE)));
	l->error[0] = '\0';
	l->off_until = 0;
}

static void take_item(void *arg, const struct json *item)
{
	struct entry *e = arg;

	spending_add(&e->spending, json_root(item), e->user_id);
}

static void take_page(struct entry *e, const struct reply *reply)
{
	struct frame frame;
	struct err err;

	if (!frame_read(&frame, reply->body, reply->body_len, &err)) {
		fail(e, err.text);
		return;
	}
	bool is_whole = listing_each(frame.items, take_item, e, &err);

	mem_free(&e->cursor);
	e->cursor = frame.next_cursor;
	e->is_renewed = false;
	if (!is_whole) {
		fail(e, err.text);
	} else if (e->cursor != NULL && ++e->pages < PAGES_MAX) {
		e->state = ENTRY_WANTED;
	} else {
		is_well(e->lookup);
		settle(e, ENTRY_KNOWN, KNOWN_MS);
	}
}

static void refused(struct entry *e, const struct reply *reply)
{
	struct lookup *l = e->lookup;
	int status = reply->kind == REPLY_ANSWERED ? reply->status : 0;
	int64_t asked_ms = budget_asked_ms(reply);
	char answer[200], reason[ERR_TEXT_MAX];

	auth_error_text(l->p.auth, reply, answer, sizeof(answer));
	if (status != 0)
		snprintf(reason, sizeof(reason), "/usage answered %d: %s", status, answer);
	else
		snprintf(reason, sizeof(reason), "/usage: %s", reply->error);
	if (status == 401 && auth_rejected(l->p.auth, l->bearer) && !e->is_renewed) {
		e->is_renewed = true;
		e->state = ENTRY_WANTED;
	} else if (status == 403 || status == 404 || status == 405) {
		turn_off(e, reason);
	} else {
		if (status == 429 && asked_ms > 0)
			budget_block(l->p.budget, clock_steady() + asked_ms);
		fail(e, reason);
	}
}

static void on_page(void *arg, const struct reply *reply)
{
	struct entry *e = arg;
	struct lookup *l = e->lookup;

	turn_wake(l->p.turn);
	if (l->is_retired || (l->is_stopped && reply->kind == REPLY_CUT)) {
		settle(e, ENTRY_FAILED, 0);
		return;
	}
	budget_note(l->p.budget, reply, clock_steady());
	if (reply->kind == REPLY_ANSWERED && reply->status == 200)
		take_page(e, reply);
	else
		refused(e, reply);
}

/* ---- asking ---- */

static void start(struct entry *e)
{
	struct lookup *l = e->lookup;
	const struct source_settings *settings = l->p.settings;
	int64_t now = clock_steady();
	struct request r;
	struct buf url;

	mem_free_secret(&l->bearer);
	l->bearer = mem_strdup(auth_bearer(l->p.auth, now));
	budget_take_context(l->p.budget, now);
	request_init(&r, REQUEST_HTTP);
	r.method = mem_strdup("GET");
	buf_init(&url, (CURSOR_MAX + LISTING_ID_MAX) * 3 + 8192);
	buf_addf(&url, "%s/usage?period=daily&start_date=%s&end_date=%s&limit=%d&user_id=",
		 settings->base_url, e->date, e->date, PAGE_LIMIT);
	esc_url(&url, e->user_id, strlen(e->user_id));
	if (e->cursor != NULL) {
		buf_adds(&url, "&cursor=");
		esc_url(&url, e->cursor, strlen(e->cursor));
	}
	r.url = buf_take(&url, NULL);
	r.bearer = mem_strdup(l->bearer);
	r.timeout_ms = settings->timeout_ms;
	r.ca_file = mem_strdup(settings->ca_file);
	r.proxy = mem_strdup(settings->proxy);
	r.reply_max = LISTING_BYTES_MAX;
	r.reply_whole = true;
	e->state = ENTRY_FLIES;
	xfer_start(l->p.xfer, &r, on_page, e);
}

/* What is wanted next, if nothing flies. */
static struct entry *next_of(const struct lookup *l)
{
	if (l->is_retired || l->is_stopped || wanted(l, ENTRY_FLIES) != NULL)
		return NULL;
	return wanted(l, ENTRY_WANTED);
}

void lookup_turn_end(struct lookup *l, bool may_begin)
{
	struct entry *e = next_of(l);
	int64_t now = clock_steady();

	if (e == NULL || !may_begin || now < l->not_before || !l->p.has_token(l->p.arg, now))
		return;
	int64_t wait = budget_context_wait_ms(l->p.budget, now);

	if (wait > 0)
		l->not_before = now + wait;
	else
		start(e);
}

int64_t lookup_wakes_at(const struct lookup *l, bool may_begin)
{
	return may_begin && next_of(l) != NULL ? l->not_before : INT64_MAX;
}

static bool is_on(const struct lookup *l, int64_t now)
{
	return !l->is_retired && !l->is_stopped &&
	       (l->p.settings->context & 1u << CONTEXT_USAGE) != 0 && now >= l->off_until;
}

enum lookup_answer lookup_usage(struct lookup *l, const char *user_id, int64_t at,
				const char *model, struct buf *out)
{
	int64_t now = clock_steady();
	char date[CLOCK_TEXT_MAX];
	struct entry *e;

	if (!is_on(l, now) || user_id[0] == '\0' || strlen(user_id) > LISTING_ID_MAX || at <= 0)
		return LOOKUP_NONE;
	clock_iso(at, false, date);
	date[DATE_MAX - 1] = '\0';
	forget_old(l, now);
	e = find(l, user_id, date);
	if (e == NULL) {
		e = add(l, user_id, date, now);
		turn_wake(l->p.turn);
	}
	if (e == NULL || e->state == ENTRY_FAILED)
		return LOOKUP_NONE;
	if (e->state != ENTRY_KNOWN)
		return LOOKUP_COMES;
	spending_write(&e->spending, user_id, date, model, out);
	return LOOKUP_KNOWN;
}

/* ---- life ---- */

struct lookup *lookup_new(const struct directory_parts *parts)
{
	struct lookup *l = mem_new(sizeof(*l));

	l->p = *parts;
	return l;
}

void lookup_refit(struct lookup *l, struct source_settings *settings)
{
	l->p.settings = settings;
}

void lookup_stop(struct lookup *l)
{
	l->is_stopped = true;
}

void lookup_retire(struct lookup *l)
{
	l->is_retired = true;
	l->p.settings = NULL;
}

bool lookup_is_over(const struct lookup *l)
{
	return wanted(l, ENTRY_FLIES) == NULL;
}

void lookup_free(struct lookup **l)
{
	if (*l == NULL)
		return;
	while ((*l)->entries != NULL) {
		struct entry *e = (*l)->entries;

		(*l)->entries = e->next;
		entry_free(&e);
	}
	mem_free_secret(&(*l)->bearer);
	mem_free(l);
}

int64_t lookup_news(const struct lookup *l)
{
	return l->news;
}

void lookup_status(const struct lookup *l, struct directory_status *out)
{
	*out = (struct directory_status){ .is_kept = (l->p.settings->context &
						      1u << CONTEXT_USAGE) != 0,
					  .is_off = l->off_until > clock_steady(),
					  .errors = l->errors,
					  .error = l->error };
}
