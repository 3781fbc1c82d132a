/*
 * directory: when a list is due, and its pages into the store.
 *
 * A pass puts each page as it comes. What is not listed any more is told by the end of a whole
 * pass alone, in steps, one a turn. A pass that fails anywhere is given up: the next one begins
 * anew after a wait that grows; what it had put stays, for it was listed.
 */
#include "flow/directory.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/directory_inner.h"

enum {
	EARLY_GAP_MS = 10000, /* between a pass and one that an unknown id asks for */
	BUSY_WAIT_MS = 20,
	STORE_WAIT_MS = 1000,
	CIRCLE_PAGES_MIN = 64,
	CIRCLE_TIMES = 4, /* a list moves while it is walked, but not so much */
	PAGES_MAX = 100000,
};

void desk_to(struct desk *desk, enum desk_doing next, int64_t wait_ms)
{
	int64_t now = clock_steady();

	desk->doing = next;
	desk->not_before = wait_ms < INT64_MAX - now ? now + wait_ms : INT64_MAX;
}

void desk_rest(struct desk *desk)
{
	mem_free(&desk->cursor);
	mem_free(&desk->mark);
	mem_free_secret(&desk->bearer);
	listing_release(&desk->page);
	bits_release(&desk->listed);
	desk_to(desk, DESK_RESTS, 0);
}

/* ---- when ---- */

static int64_t due_at(const struct desk *desk)
{
	if (!desk->is_early || desk->is_off)
		return desk->next_at;
	int64_t soon = desk->ended_at + EARLY_GAP_MS;

	return soon < desk->next_at ? soon : desk->next_at;
}

static void begin(struct desk *desk)
{
	desk->is_early = false;
	desk->pages = desk->items = desk->changed = desk->left_out = 0;
	desk->began_at = clock_steady();
	desk->repeats = 0;
	desk->is_renewed = false;
	desk->page_limit = DESK_PAGE_LIMIT;
	desk->passes++;
	desk_to(desk, DESK_WANTS_PAGE, 0);
}

/* ---- a whole pass ---- */

static void say_mirrored(const struct desk *desk)
{
	const char *source = desk->directory->p.settings->name;
	bool is_news = desk->changed > 0 || desk->left_out > 0;

	log_line(is_news ? LOG_INFO : LOG_DEBUG, LOG_CONTEXT, LOG_S("source", source),
		 LOG_S("list", context_name(desk->kind)), LOG_N("pages", desk->pages),
		 LOG_N("items", desk->items), LOG_N("changed", desk->changed),
		 LOG_N("left_out", desk->left_out),
		 LOG_S("reason", desk->left_out > 0 ? desk->why_left_out : ""),
		 LOG_N("took_ms", clock_steady() - desk->began_at));
}

static void say_recovered(struct desk *desk)
{
	if (desk->error[0] != '\0')
		log_line(LOG_INFO, LOG_CONTEXT_RECOVERED,
			 LOG_S("source", desk->directory->p.settings->name),
			 LOG_S("list", context_name(desk->kind)));
	desk->error[0] = '\0';
	desk->fails = 0;
	desk->is_off = false;
}

static void complete(struct desk *desk)
{
	int64_t now = clock_steady();

	say_mirrored(desk);
	say_recovered(desk);
	desk->completed_at = clock_now();
	desk->count = (int64_t)bits_count(&desk->listed);
	desk->directory->news++;
	desk->ended_at = now;
	desk->next_at = now + desk->directory->p.settings->context_every_ms;
	desk_rest(desk);
}

/* ---- into the store ---- */

/* True when it is done; else it is tried again. */
static bool is_stored(struct desk *desk, enum directory_done done, const struct err *err)
{
	switch (done) {
	case DIRECTORY_DONE:
	case DIRECTORY_MORE: return true;
	case DIRECTORY_BUSY: desk_to(desk, desk->doing, BUSY_WAIT_MS); return false;
	case DIRECTORY_FAILED:
		desk_say_failed(desk, err->text);
		desk_to(desk, desk->doing, STORE_WAIT_MS);
		return false;
	}
	return false;
}

static void store_end(struct desk *desk)
{
	struct directory *d = desk->directory;
	struct err err = { "" };
	enum directory_done done = store_directory_end(
		d->p.store, desk_list(desk), &desk->listed, clock_now(), &desk->from, &err);

	turn_wake(d->p.turn);
	if (is_stored(desk, done, &err) && done == DIRECTORY_DONE)
		complete(desk);
}

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_power_of_two(size_t n)
{
	return (n & (n - 1)) == 0;
}

/* The same cursor again; or always other ones, and the same rows. */
static bool runs_in_circle(const struct desk *desk, const char *next)
{
	if (is_same(next, desk->cursor) || is_same(next, desk->mark) || desk->pages > PAGES_MAX)
		return true;
	return desk->pages >= CIRCLE_PAGES_MIN && is_power_of_two(desk->pages) &&
	       desk->items / CIRCLE_TIMES > bits_count(&desk->listed);
}

/* On from the page that is stored. */
static void move_on(struct desk *desk)
{
	char *next = desk->page.next_cursor;
	bool is_torn = desk->page.is_torn;

	desk->page.next_cursor = NULL;
	listing_release(&desk->page);
	desk->repeats = 0;
	desk->is_renewed = false;
	if (next == NULL && !is_torn) {
		desk->from = 0;
		desk_to(desk, DESK_WANTS_END, 0);
		return;
	}
	if (is_torn || runs_in_circle(desk, next)) {
		mem_free(&next);
		desk_give_up(desk,
			     is_torn ? "it says that there is more and gives no next_cursor"
				     : "its pages run in a circle",
			     -1);
		return;
	}
	if (is_power_of_two(desk->pages)) {
		mem_free(&desk->mark);
		desk->mark = desk->cursor;
	} else {
		mem_free(&desk->cursor);
	}
	desk->cursor = next;
	desk->cursor_at = clock_steady();
	desk_to(desk, DESK_WANTS_PAGE, 0);
}

static void store_page_of(struct desk *desk)
{
	struct directory *d = desk->directory;
	struct err err = { "" };
	size_t changed;
	enum directory_done done = store_directory_page(
		d->p.store, desk_list(desk), &desk->page, &desk->listed, &changed, &err);

	turn_wake(d->p.turn);
	if (!is_stored(desk, done, &err))
		return;
	if (desk->left_out == 0)
		snprintf(desk->why_left_out, sizeof(desk->why_left_out), "%s", desk->page.why);
	desk->pages++;
	desk->items += desk->page.item_count;
	desk->left_out += desk->page.left_out;
	desk->changed += changed;
	d->news++;
	move_on(desk);
}

/* ---- the pump ---- */

static void pump(struct desk *desk, bool may_begin)
{
	int64_t now = clock_steady();

	if (now < desk->not_before)
		return;
	switch (desk->doing) {
	case DESK_RESTS:
		if (may_begin && now >= due_at(desk))
			begin(desk);
		break;
	case DESK_WANTS_STORE: store_page_of(desk); break;
	case DESK_WANTS_END: store_end(desk); break;
	case DESK_WANTS_PAGE:
	case DESK_PAGE_FLIES: break;
	}
	if (desk->doing == DESK_WANTS_PAGE && may_begin && now >= desk->not_before)
		desk_start_page(desk);
}

void directory_turn_end(struct directory *d, bool may_begin)
{
	for (size_t i = 0; i < CONTEXT_LISTS && !d->is_retired; i++)
		if (d->desks[i].is_kept)
			pump(&d->desks[i], may_begin);
}

static int64_t wakes_at(const struct desk *desk, bool may_begin)
{
	int64_t due = due_at(desk);

	switch (desk->doing) {
	case DESK_RESTS:
		if (!may_begin)
			return INT64_MAX;
		return due > desk->not_before ? due : desk->not_before;
	case DESK_WANTS_PAGE: return may_begin ? desk->not_before : INT64_MAX;
	case DESK_WANTS_STORE:
	case DESK_WANTS_END: return desk->not_before;
	case DESK_PAGE_FLIES: break;
	}
	return INT64_MAX;
}

int64_t directory_wakes_at(const struct directory *d, bool may_begin)
{
	int64_t at = INT64_MAX;

	for (size_t i = 0; i < CONTEXT_LISTS && !d->is_retired; i++) {
		int64_t wakes =
			d->desks[i].is_kept ? wakes_at(&d->desks[i], may_begin) : INT64_MAX;

		at = wakes < at ? wakes : at;
	}
	return at;
}

bool directory_is_quiet(const struct directory *d)
{
	int64_t now = clock_steady();

	for (size_t i = 0; i < CONTEXT_LISTS; i++) {
		const struct desk *desk = &d->desks[i];

		if (desk->is_kept && desk->error[0] == '\0' &&
		    (desk->doing != DESK_RESTS || due_at(desk) <= now))
			return false;
	}
	return true;
}

bool directory_want(struct directory *d, enum context_kind kind, const char *id)
{
	struct desk *desk = &d->desks[kind];
	struct err err;
	bool is_first;

	if (!desk->is_kept || d->is_retired)
		return false;
	/* A store that refuses is told by others; then it is not remembered, and asked again. */
	if (store_directory_ask(d->p.store, desk_list(desk), id, clock_now(), &is_first,
				&err) != DIRECTORY_DONE ||
	    !is_first)
		return desk->is_early || desk->doing != DESK_RESTS;
	desk->is_early = true;
	turn_wake(d->p.turn);
	return !desk->is_off;
}

/* ---- life ---- */

static bool load(struct directory *d, struct desk *desk, struct err *err)
{
	int64_t every = d->p.settings->context_every_ms;
	int64_t now = clock_steady();

	if (!store_directory_mirrored(d->p.store, desk_list(desk), &desk->completed_at,
				      &desk->count, err))
		return false;
	int64_t wait = desk->completed_at == 0 ? 0 : desk->completed_at + every - clock_now();

	/* A wall clock that jumped must not put it off for long. */
	desk->next_at = now + (wait < 0 ? 0 : wait < every ? wait : every);
	desk->ended_at = now - EARLY_GAP_MS;
	return true;
}

struct directory *directory_new(const struct directory_parts *parts, uint64_t seed,
				struct err *err)
{
	struct directory *d = mem_new(sizeof(*d));

	d->p = *parts;
	chance_seed(&d->chance, seed);
	for (int i = 0; i < CONTEXT_LISTS; i++) {
		struct desk *desk = &d->desks[i];

		desk->directory = d;
		desk->kind = (enum context_kind)i;
		desk->is_kept = (parts->settings->context & 1u << i) != 0;
		if (!load(d, desk, err)) {
			directory_free(&d);
			return NULL;
		}
	}
	return d;
}

void directory_refit(struct directory *d, struct source_settings *settings)
{
	d->p.settings = settings;
}

void directory_stop(struct directory *d)
{
	d->is_stopped = true;
}

void directory_retire(struct directory *d)
{
	d->is_retired = true;
	d->p.settings = NULL;
	for (size_t i = 0; i < CONTEXT_LISTS; i++)
		if (d->desks[i].doing != DESK_PAGE_FLIES)
			desk_rest(&d->desks[i]);
}

bool directory_is_over(const struct directory *d)
{
	for (size_t i = 0; i < CONTEXT_LISTS; i++)
		if (d->desks[i].doing != DESK_RESTS)
			return false;
	return true;
}

void directory_free(struct directory **d)
{
	if (*d == NULL)
		return;
	for (size_t i = 0; i < CONTEXT_LISTS; i++)
		desk_rest(&(*d)->desks[i]);
	mem_free(d);
}

bool directory_comes(const struct directory *d, enum context_kind kind)
{
	const struct desk *desk = &d->desks[kind];
	bool is_asked =
		desk->is_early || desk->doing != DESK_RESTS || due_at(desk) <= clock_steady();

	return desk->is_kept && !d->is_stopped && !d->is_retired && is_asked &&
	       !directory_fails(d, kind);
}

bool directory_fails(const struct directory *d, enum context_kind kind)
{
	return d->desks[kind].is_off || d->desks[kind].error[0] != '\0';
}

int64_t directory_news(const struct directory *d)
{
	return d->news;
}

void directory_status(const struct directory *d, enum context_kind kind,
		      struct directory_status *out)
{
	const struct desk *desk = &d->desks[kind];

	*out = (struct directory_status){ .is_kept = desk->is_kept,
					  .is_off = desk->is_off,
					  .completed_at = desk->completed_at,
					  .count = desk->count,
					  .passes = desk->passes,
					  .errors = desk->errors,
					  .error = desk->error };
}
