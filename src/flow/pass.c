/*
 * pass: see the header.
 *
 * Where there is a next_cursor the walk goes on, whatever has_more says; only both together end
 * it (toktra API, Pagination). A cursor that comes again is found with one remembered hash: the
 * mark moves on whenever the page count reaches a power of two, so a circle of n pages is
 * noticed within 3n pages and no list of cursors grows with the walk.
 */
#include "flow/pass.h"

#include <string.h>

#include "base/mem.h"

void pass_begin(struct pass *p, int64_t now)
{
	pass_release(p);
	*p = (struct pass){ .started_at = now };
}

void pass_release(struct pass *p)
{
	mem_free(&p->cursor);
}

static bool is_power_of_two(size_t n)
{
	return (n & (n - 1)) == 0;
}

bool pass_ends_with(const struct page *page)
{
	return page->next_cursor == NULL && !page->has_more;
}

enum pass_next pass_advance(struct pass *p, const struct page *page)
{
	p->page_count++;
	p->items += page->item_count;
	mem_free(&p->cursor);
	if (page->next_cursor == NULL)
		return pass_ends_with(page) ? PASS_COMPLETE : PASS_TORN;
	p->cursor = mem_strdup(page->next_cursor);
	int64_t hash = alert_hash(p->cursor, strlen(p->cursor));

	if (p->mark_page != 0 && hash == p->mark)
		return PASS_LOOP;
	if (is_power_of_two(p->page_count)) {
		p->mark = hash;
		p->mark_page = p->page_count;
	}
	return PASS_MORE;
}
