/*
 * pass: one walk over a list, page by page; pure.
 *
 * It knows where the walk is (an opaque cursor) and whether it runs in circles. A walk that did
 * not come to its end counts for nothing: it is thrown away whole.
 */
#ifndef FLOW_PASS_H
#define FLOW_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/page.h"

enum pass_next {
	PASS_MORE,
	PASS_COMPLETE,
	PASS_LOOP,
	PASS_TORN, /* it says that there is more, and not where */
};

struct pass {
	char *cursor; /* owned; NULL: the first page */
	size_t page_count;
	int64_t started_at; /* steady */
	size_t items, fresh, changed, rejected;
	/* Brent's cycle detection: one remembered cursor, moved on at powers of two. */
	int64_t mark;
	size_t mark_page;
};

/* Starts a walk at its first page; forgets another. */
void pass_begin(struct pass *p, int64_t now);
void pass_release(struct pass *p);

/* Does a walk end with this page, and well? */
bool pass_ends_with(const struct page *page);
/* A page was taken: moves to its next cursor. */
enum pass_next pass_advance(struct pass *p, const struct page *page);

#endif
