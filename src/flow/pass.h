/*
 * pass: one walk over a list, page by page; pure.
 *
 * It knows where the walk is (an opaque cursor), whether it runs in circles, what it showed of
 * the order, and when it is deep enough. A walk that did not come to its end counts for nothing:
 * it is thrown away whole (invariant 3).
 */
#ifndef FLOW_PASS_H
#define FLOW_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/order.h"
#include "model/page.h"

/* Head: new alerts. Sweep: what became of the active ones. Full: everything. */
enum pass_kind { PASS_HEAD, PASS_SWEEP, PASS_FULL, PASS_KINDS };

enum pass_filter { FILTER_NONE, FILTER_OPEN, FILTER_ACKNOWLEDGED };

enum pass_next {
	PASS_MORE,
	PASS_ENDED,
	PASS_LOOP,
	PASS_TORN, /* it says that there is more, and not where */
	PASS_VOID, /* page after page without an alert */
};

struct pass {
	enum pass_filter filter;
	bool from_first;   /* it began at the first page */
	char *cursor;      /* owned; of the page that is wanted; NULL: the first */
	char *fetched;     /* owned; the cursor that fetched the newest page; NULL: none did */
	int64_t cursor_at; /* steady; when the cursor was given to us */
	size_t page_count;
	int64_t began_at;          /* steady; when its first page was asked for; 0: not yet */
	size_t items, empty_pages; /* … of the latter those just now in a row */
	int64_t total;             /* as the list said; -1: it did not */
	struct order_evidence evidence;
	/* Brent's cycle detection: one remembered cursor, moved on at powers of two. */
	int64_t mark;
	size_t mark_page;
};

/* "head" "sweep" "full" */
const char *pass_kind_name(enum pass_kind kind);
/* The status that the API is asked for; NULL: all. */
const char *pass_filter_status(enum pass_filter filter);

/* Starts a walk, at a cursor (NULL: the first page); forgets another. */
void pass_begin(struct pass *p, enum pass_filter filter, const char *cursor);
void pass_release(struct pass *p);

bool pass_is_empty(const struct page *page);
/* Does a walk end with this page, and well? */
bool pass_ends_with(const struct page *page);
/* A page was taken: moves to its next cursor. */
enum pass_next pass_advance(struct pass *p, const struct page *page, int64_t now);

/*
 * How far back a newest-first head pass must reach when the last complete one began at head_at
 * (by the server's clock): further by the overlap, for what arrives late.
 */
int64_t pass_reach(int64_t head_at);
/*
 * Is a newest-first head pass deep enough with this page, of which so many alerts were new? It
 * held nothing new, and it lies beyond reach_at: its last item does, and at least half of all,
 * so that a few that are out of place deceive nobody.
 */
bool pass_is_deep(const struct page *page, size_t fresh, int64_t reach_at);

#endif
