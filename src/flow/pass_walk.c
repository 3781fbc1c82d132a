/*
 * pass_walk: where a walk is, and where it goes from a page.
 *
 * Where there is a next_cursor the walk goes on, whatever has_more says (toktra
 * API, Pagination). A cursor that comes again is found with one remembered hash: the
 * mark moves on whenever the page count reaches a power of two, so a circle of n pages is
 * noticed within 3n pages and no list of cursors grows with the walk.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/pass.h"

void pass_begin(struct pass *p, enum pass_filter filter, const char *cursor)
{
	char *start =
		mem_strdup(cursor); /* before the release: it may be one of the pass's own */

	pass_release(p);
	*p = (struct pass){
		.filter = filter, .from_first = start == NULL, .cursor = start, .total = -1
	};
}

void pass_release(struct pass *p)
{
	mem_free(&p->cursor);
	mem_free(&p->fetched);
}

/* A list that is filtered behind its pages may have many without an alert, but not for ever. */
enum { EMPTY_PAGES_MAX = 10000 };

static bool is_power_of_two(size_t n)
{
	return (n & (n - 1)) == 0;
}

static void count(struct pass *p, const struct page *page)
{
	p->page_count++;
	p->items += page->item_count;
	p->empty_pages = pass_is_empty(page) ? p->empty_pages + 1 : 0;
	if (page->total_count >= 0)
		p->total = page->total_count;
	order_add(&p->evidence, page);
}

static void move(struct pass *p, const char *next_cursor, int64_t now)
{
	mem_free(&p->fetched);
	p->fetched = p->cursor;
	p->cursor = mem_strdup(next_cursor);
	p->cursor_at = now;
}

enum pass_next pass_advance(struct pass *p, const struct page *page, int64_t now)
{
	count(p, page);
	move(p, page->next_cursor, now);
	if (pass_ends_with(page))
		return PASS_ENDED;
	if (p->cursor == NULL)
		return PASS_TORN;
	int64_t hash = alert_hash(p->cursor, strlen(p->cursor));

	if (p->mark_page != 0 && hash == p->mark)
		return PASS_LOOP;
	if (p->empty_pages > EMPTY_PAGES_MAX)
		return PASS_VOID;
	if (is_power_of_two(p->page_count)) {
		p->mark = hash;
		p->mark_page = p->page_count;
	}
	return PASS_MORE;
}
