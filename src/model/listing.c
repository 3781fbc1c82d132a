/* listing: each item is read strictly, on its own; of two equal ids the later one stands. */
#include "model/listing.h"

#include <stdio.h>
#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "model/alert.h"
#include "model/frame.h"

struct reading {
	struct listing *listing;
	enum context_kind kind;
	size_t room;
};

char *listing_place(const char *department, size_t len)
{
	struct buf small;

	if (department == NULL)
		return mem_dup("", 0);
	buf_init(&small, 2 * len + 1);
	utf8_change_case(&small, department, len, false);
	return buf_take(&small, NULL);
}

/* What the item is found by; false and why when it can't be. */
static bool read_fields(struct listed *item, enum context_kind kind, const struct json *j,
			struct err *why)
{
	const struct json_value *root = json_root(j);
	const struct json_value *id = json_get(root, "id");
	const struct json_value *department = json_get(root, "department");
	size_t len;
	const char *text = json_text(id, &len);

	if (json_kind(root) != JSON_OBJECT)
		return err_set(why, "an item that is no object");
	if (json_kind(id) != JSON_STRING || len == 0)
		return err_set(why, "an item without an id");
	if (len > LISTING_ID_MAX || memchr(text, '\0', len) != NULL)
		return err_set(why, "an item with an odd id");
	item->id = mem_dup(text, len);
	if (kind != CONTEXT_BUDGETS)
		return true;
	text = json_kind(department) == JSON_STRING ? json_text(department, &len) : NULL;
	item->place = listing_place(text, text == NULL ? 0 : len);
	return true;
}

static bool read_one(struct listed *item, enum context_kind kind, struct json_span span,
		     struct err *why)
{
	struct buf body;
	struct json *j;
	bool ok;

	if (span.len > LISTING_ITEM_MAX)
		return err_set(why, "an item of more than %d KiB", LISTING_ITEM_MAX >> 10);
	buf_init(&body, 3 * span.len); /* U+FFFD has three bytes for a bad one */
	json_repair(&body, span.at, span.len);
	j = json_parse(body.data, body.len, why);
	ok = j != NULL && read_fields(item, kind, j, why);
	json_free(&j);
	if (ok) {
		item->hash = alert_hash(body.data, body.len);
		item->body = buf_take(&body, &item->body_len);
	}
	buf_release(&body);
	return ok;
}

static bool read_item(void *arg, struct json_span key, struct json_span span)
{
	struct reading *r = arg;
	struct listing *l = r->listing;
	struct listed item = { 0 };
	struct err why;

	(void)key;
	if (l->item_count + l->left_out == LISTING_ITEMS_MAX)
		return false;
	if (!read_one(&item, r->kind, span, &why)) {
		if (l->left_out++ == 0)
			snprintf(l->why, sizeof(l->why), "%.*s", (int)sizeof(l->why) - 1,
				 why.text);
		return true;
	}
	if (l->item_count == r->room) {
		r->room = r->room == 0 ? 32 : r->room * 2;
		l->items = mem_resize(l->items, r->room, sizeof(*l->items));
	}
	l->items[l->item_count++] = item;
	return true;
}

bool listing_read(struct listing *l, enum context_kind kind, const char *bytes, size_t len,
		  struct err *err)
{
	struct reading r = { .listing = l, .kind = kind };
	struct frame e;

	*l = (struct listing){ 0 };
	if (!frame_read(&e, bytes, len, err))
		return err_prefix(err, "no page");
	l->next_cursor = e.next_cursor;
	l->is_torn = e.next_cursor == NULL && e.has_more;
	if (json_split(e.items.at, e.items.len, read_item, &r, err))
		return true;
	if (l->item_count + l->left_out == LISTING_ITEMS_MAX)
		err_set(err, "more than %d items", LISTING_ITEMS_MAX);
	listing_release(l);
	return err_prefix(err, "no page");
}

struct taking {
	void (*take)(void *arg, const struct json *item);
	void *arg;
};

static bool take_item(void *arg, struct json_span key, struct json_span span)
{
	const struct taking *t = arg;
	struct buf text;

	(void)key;
	if (span.len > LISTING_ITEM_MAX)
		return true;
	buf_init(&text, 3 * span.len);
	json_repair(&text, span.at, span.len);
	struct json *item = json_parse(text.data, text.len, NULL);

	if (item != NULL && json_kind(json_root(item)) == JSON_OBJECT)
		t->take(t->arg, item);
	json_free(&item);
	buf_release(&text);
	return true;
}

bool listing_each(struct json_span items, void (*take)(void *arg, const struct json *item),
		  void *arg, struct err *err)
{
	struct taking t = { take, arg };

	return json_split(items.at, items.len, take_item, &t, err);
}

void listing_release(struct listing *l)
{
	for (size_t i = 0; i < l->item_count; i++) {
		mem_free(&l->items[i].id);
		mem_free(&l->items[i].body);
		mem_free(&l->items[i].place);
	}
	mem_free(&l->items);
	mem_free(&l->next_cursor);
	*l = (struct listing){ 0 };
}
