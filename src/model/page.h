/*
 * page: one answer of GET /v1/alerts: bytes in, items and the next cursor out.
 *
 * The envelope is read leniently, each item strictly (design: polling). A bad item becomes a
 * reject and the page goes on; only a body without a readable `items` array is no page.
 */
#ifndef MODEL_PAGE_H
#define MODEL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/alert.h"
#include "model/frame.h"

enum {
	PAGE_BYTES_MAX = 8 << 20, /* the caller asks for fewer items where a body is larger */
	ITEM_BYTES_MAX = 8 << 20, /* a larger one is set aside */
	PAGE_ITEMS_MAX = 10000,
};

struct reject {
	int64_t hash; /* of its bytes: the same bad item is one row */
	char *body;   /* owned, at most 64 KiB of it, UTF-8 */
	size_t body_len;
	char reason[200];
};

struct page {
	struct alert *items;
	size_t item_count;
	struct reject *rejects;
	size_t reject_count;
	char *next_cursor;                      /* owned; NULL on the last page (also for "") */
	bool has_more;                          /* as it said; may contradict next_cursor */
	bool has_more_known, next_cursor_known; /* it said so, be it false or null */
	int64_t total_count; /* as it said, approximate; -1: it did not, or no whole number */
};

/*
 * False, and nothing to release, for what is no page: not JSON or cut, over PAGE_ITEMS_MAX,
 * `items` missing or no array, a cursor that is no string or over CURSOR_MAX,
 * has_more that is no boolean. null and missing are the same.
 */
bool page_read(struct page *p, const char *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));
/*
 * The same for who wants a look at each item before it is read: look() returns NULL, or why the
 * item is set aside unread.
 */
struct page_guard {
	const char *(*look)(void *arg, const char *bytes, size_t len);
	void *arg;
};
bool page_read_guarded(struct page *p, const char *bytes, size_t len,
		       const struct page_guard *guard, struct err *err)
	__attribute__((warn_unused_result));
/* One of its items becomes a reject; the others keep their order. */
void page_set_aside(struct page *p, size_t item, const char *why);
void page_release(struct page *p);

/*
 * The error of an API answer as one short line, whatever its shape: `error` as a string or an
 * object with type/code/message, a top-level message, request_id; "not JSON" for an HTML page.
 */
void page_error_text(const char *bytes, size_t len, char *text, size_t text_size);

/* Do they tell of one trouble? Request ids and durations in ms make no difference. */
bool page_error_same(const char *a, const char *b);

#endif
