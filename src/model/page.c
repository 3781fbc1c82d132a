/*
 * page: the envelope of a list and the error of an answer, read from whatever came.
 *
 * The envelope is split by strings and brackets (json_split) and its members are looked at
 * one by one; each item is read strictly on its own, so an item that is broken inside its
 * brackets costs only itself. What makes the page no page (cut, not JSON, a cursor that is no
 * string) fails it whole: the pass then advances nothing and asks again, which loses nothing.
 */
#include "model/page.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"

enum {
	REJECT_BODY_MAX = 64 << 10,
	TOTAL_COUNT_LEN_MAX = 40, /* longer is no count, and not worth a look */
};

/* Where json_split() found what; at NULL: not there. */
struct envelope {
	struct json_span items, next_cursor, has_more, total_count;
};

static void note(struct json_span *member, struct json_span value)
{
	if (member->at == NULL) /* of two equal keys the first wins */
		*member = value;
}

static bool says(struct json_span span, const char *word)
{
	return span.len == strlen(word) && memcmp(span.at, word, span.len) == 0;
}

static bool note_member(void *arg, struct json_span key, struct json_span value)
{
	struct envelope *e = arg;

	if (says(key, "items"))
		note(&e->items, value);
	else if (says(key, "next_cursor"))
		note(&e->next_cursor, value);
	else if (says(key, "has_more"))
		note(&e->has_more, value);
	else if (says(key, "total_count"))
		note(&e->total_count, value);
	return true;
}

static bool is_absent(struct json_span value)
{
	return value.at == NULL || says(value, "null");
}

/* The text of a cursor, which is sent back as it is; an empty one is none. */
static bool read_cursor(struct page *p, struct json_span value, struct err *err)
{
	struct json *j;
	const char *text;
	size_t len;
	bool ok = true;

	p->next_cursor_known = value.at != NULL;
	if (is_absent(value))
		return true;
	if (value.len > 6 * CURSOR_MAX + 2) /* even if every byte is an escape */
		return err_set(err, "next_cursor is longer than %d bytes", CURSOR_MAX);
	j = json_parse(value.at, value.len, err);
	if (j == NULL)
		return err_prefix(err, "next_cursor");
	text = json_text(json_root(j), &len);
	if (json_kind(json_root(j)) != JSON_STRING)
		ok = err_set(err, "next_cursor is neither a string nor null");
	else if (len > CURSOR_MAX)
		ok = err_set(err, "next_cursor is longer than %d bytes", CURSOR_MAX);
	else if (memchr(text, '\0', len) != NULL)
		ok = err_set(err, "next_cursor holds a NUL");
	else if (len > 0)
		p->next_cursor = mem_dup(text, len);
	json_free(&j);
	return ok;
}

static bool read_has_more(struct page *p, struct json_span value, struct err *err)
{
	if (is_absent(value))
		return true;
	p->has_more = says(value, "true");
	p->has_more_known = p->has_more || says(value, "false");
	return p->has_more_known || err_set(err, "has_more is neither true nor false");
}

/* Only for people, so what is no count is no error. */
static void read_total_count(struct page *p, struct json_span value)
{
	int64_t count;

	if (value.at == NULL || value.len > TOTAL_COUNT_LEN_MAX)
		return;
	struct json *j = json_parse(value.at, value.len, NULL);

	if (json_int(json_root(j), &count) && count >= 0)
		p->total_count = count;
	json_free(&j);
}

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

	if (value.at == NULL)
		return err_set(err, "no items");
	if (value.len == 0 || *value.at != '[')
		return err_set(err, "items is not an array");
	if (json_split(value.at, value.len, read_item, &g, err))
		return true;
	if (p->item_count + p->reject_count == PAGE_ITEMS_MAX)
		return err_set(err, "more than %d items", PAGE_ITEMS_MAX);
	return err_prefix(err, "items");
}

static bool read_envelope(struct page *p, struct json_span body, const struct page_guard *guard,
			  struct err *err)
{
	struct envelope e = { 0 };

	if (!json_split(body.at, body.len, note_member, &e, err))
		return false;
	read_total_count(p, e.total_count);
	return read_cursor(p, e.next_cursor, err) && read_has_more(p, e.has_more, err) &&
	       read_items(p, e.items, guard, err);
}

bool page_read_guarded(struct page *p, const char *bytes, size_t len,
		       const struct page_guard *guard, struct err *err)
{
	const struct json_span body = { bytes, len };

	*p = (struct page){ .total_count = -1 };
	if (read_envelope(p, body, guard, err))
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
