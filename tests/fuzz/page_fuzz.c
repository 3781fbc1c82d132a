/* A page's body, of alerts and of budgets, and the same bytes as an error's. */
#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/listing.h"
#include "model/page.h"

static void look_at(const struct page *p)
{
	if (p->item_count + p->reject_count > PAGE_ITEMS_MAX)
		BUG("more items than a page may have");
	for (size_t i = 0; i < p->item_count; i++)
		if (p->items[i].id[0] == '\0')
			BUG("an item without an id");
	for (size_t i = 0; i < p->reject_count; i++)
		if (p->rejects[i].reason[0] == '\0' ||
		    !utf8_valid(p->rejects[i].body, p->rejects[i].body_len))
			BUG("a reject without a reason, or no text");
	if (p->next_cursor != NULL &&
	    (p->next_cursor[0] == '\0' || strlen(p->next_cursor) > CURSOR_MAX))
		BUG("a cursor that is none");
}

/* The same bytes as a page of budgets. */
static void look_at_listing(const char *bytes, size_t len)
{
	struct err err = { "" };
	struct listing l;

	if (!listing_read(&l, CONTEXT_BUDGETS, bytes, len, &err)) {
		if (err.text[0] == '\0')
			BUG("no listing, without a reason");
		return;
	}
	for (size_t i = 0; i < l.item_count; i++)
		if (l.items[i].id[0] == '\0' || l.items[i].place == NULL ||
		    !json_check(l.items[i].body, l.items[i].body_len, NULL))
			BUG("an object without an id or a place, or no JSON");
	if (l.left_out > 0 && l.why[0] == '\0')
		BUG("left out without a reason");
	listing_release(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char text[160], small[8];
	struct err err = { "" };
	struct page p;

	if (page_read(&p, (const char *)bytes, len, &err)) {
		look_at(&p);
		page_release(&p);
	} else if (err.text[0] == '\0') {
		BUG("no page, without a reason");
	}
	look_at_listing((const char *)bytes, len);
	page_error_text((const char *)bytes, len, text, sizeof(text));
	page_error_text((const char *)bytes, len, small, sizeof(small));
	if (strpbrk(text, "\r\n") != NULL || strlen(small) >= sizeof(small))
		BUG("an error of more than one line: %s", text);
	if (!page_error_same(text, text))
		BUG("an error that is not itself: %s", text);
	return 0;
}
