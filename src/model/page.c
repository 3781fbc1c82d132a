/*
 * page: a list of alerts, read from whatever came.
 *
 * Each item is read strictly on its own, so an item that is broken inside its brackets costs only
 * itself. What makes the page no page (cut, not JSON, a cursor that is no string) fails it whole:
 * the pass then advances nothing and asks again, which loses nothing.
 */
#include "model/page.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "model/frame.h"

enum { REJECT_BODY_MAX = 64 << 10 };

/* The length of the whole characters in the first `max` bytes of valid UTF-8. */
static size_t whole_len(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void set_aside(struct page *p, struct json_span item, const char *why)
{
	struct reject *r = &p->rejects[p->reject_count++];
	struct buf body;

	buf_init(&body, 3 * REJECT_BODY_MAX); /* U+FFFD has three bytes for a bad one */
	utf8_repair(&body, item.at, item.len < REJECT_BODY_MAX ? item.len : REJECT_BODY_MAX);
	buf_truncate(&body, whole_len(body.data, body.len, REJECT_BODY_MAX));

	r->hash = alert_hash(item.at, item.len);
	r->body = buf_take(&body, &r->body_len);
	snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, why);
}

struct growth {
	struct page *page;
	const struct page_guard *guard; /* NULL: none */
	size_t item_room, reject_room;
};

/* p with room for one more element of size bytes. */
static void *with_room(void *p, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return p;
	*room = *room == 0 ? 32 : *room * 2;
	return mem_resize(p, *room, size);
}

/* NULL: it is to be read. */
static const char *refusal(const struct growth *g, struct json_span item)
{
	return g->guard != NULL ? g->guard->look(g->guard->arg, item.at, item.len) : NULL;
}

static bool read_item(void *arg, struct json_span key, struct json_span item)
{
	struct growth *g = arg;
	struct page *p = g->page;
	struct err why;

	(void)key;
	if (p->item_count + p->reject_count == PAGE_ITEMS_MAX)
		return false;
	p->items = with_room(p->items, p->item_count, &g->item_room, sizeof(*p->items));
	const char *refused = refusal(g, item);

	if (refused != NULL) {
		err_set(&why, "%s", refused);
	} else if (item.len > ITEM_BYTES_MAX) {
		err_set(&why, "an alert of more than %d MiB", ITEM_BYTES_MAX >> 20);
	} else if (alert_read(&p->items[p->item_count], item.at, item.len, &why)) {
		p->item_count++;
		return true;
	}
	p->rejects =
		with_room(p->rejects, p->reject_count, &g->reject_room, sizeof(*p->rejects));
	set_aside(p, item, why.text);
	return true;
}

static bool read_items(struct page *p, struct json_span value, const struct page_guard *guard,
		       struct err *err)
{
	struct growth g = { .page = p, .guard = guard };

	if (json_split(value.at, value.len, read_item, &g, err))
		return true;
	if (p->item_count + p->reject_count == PAGE_ITEMS_MAX)
		return err_set(err, "more than %d items", PAGE_ITEMS_MAX);
	return err_prefix(err, "items");
}

static bool read_whole(struct page *p, struct json_span body, const struct page_guard *guard,
		       struct err *err)
{
	struct frame e;

	if (!frame_read(&e, body.at, body.len, err))
		return false;
	p->next_cursor = e.next_cursor;
	p->next_cursor_known = e.next_cursor_known;
	p->has_more = e.has_more;
	p->has_more_known = e.has_more_known;
	p->total_count = e.total_count;
	return read_items(p, e.items, guard, err);
}

bool page_read_guarded(struct page *p, const char *bytes, size_t len,
		       const struct page_guard *guard, struct err *err)
{
	const struct json_span body = { bytes, len };

	*p = (struct page){ .total_count = -1 };
	if (read_whole(p, body, guard, err))
		return true;
	page_release(p);
	return err_prefix(err, "no page of alerts");
}

bool page_read(struct page *p, const char *bytes, size_t len, struct err *err)
{
	return page_read_guarded(p, bytes, len, NULL, err);
}

void page_set_aside(struct page *p, size_t item, const char *why)
{
	struct alert *a = &p->items[item];

	p->rejects = mem_resize(p->rejects, p->reject_count + 1, sizeof(*p->rejects));
	set_aside(p, (struct json_span){ a->bytes, a->bytes_len }, why);
	alert_release(a);
	p->item_count--;
	memmove(a, a + 1, (p->item_count - item) * sizeof(*a));
}

void page_release(struct page *p)
{
	for (size_t i = 0; i < p->item_count; i++)
		alert_release(&p->items[i]);
	for (size_t i = 0; i < p->reject_count; i++)
		mem_free(&p->rejects[i].body);
	mem_free(&p->items);
	mem_free(&p->rejects);
	mem_free(&p->next_cursor);
	*p = (struct page){ 0 };
}
