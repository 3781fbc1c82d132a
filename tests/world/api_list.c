/*
 * api_list: a page of the list, and the cursors between pages.
 *
 * A cursor holds the place of the last item given, so pages do not shift whatever comes and
 * goes; it is bound to its filter, has an age and an epoch, and looks opaque. Items are kept
 * sorted as they are listed; a page is a binary search and a few steps.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "world/api.h"

/* Where an item stands. */
struct place {
	int64_t first, second;
};

struct cursor {
	int64_t epoch, issued_at, since; /* since: of the walk's first page */
	int status;                      /* -1: no filter */
	struct place after;
};

static struct place place_of(const struct api *a, const struct item *i)
{
	int64_t index = i - a->items;
	int64_t tie = a->terms.ties_by_id ? i->id_key : index;

	if (a->terms.order == API_SHUFFLED)
		return (struct place){ i->shuffle_key, index };
	int64_t sign = a->terms.order == API_NEWEST ? -1 : 1;

	if (a->terms.by_insertion)
		return (struct place){ sign * index, 0 };
	return (struct place){ sign * i->created_at, sign * tie };
}

static int compare_places(struct place a, struct place b)
{
	if (a.first != b.first)
		return a.first < b.first ? -1 : 1;
	return a.second < b.second ? -1 : a.second > b.second;
}

static int compare_items(const void *left, const void *right, void *arg)
{
	const struct api *a = arg;
	const size_t *l = left, *r = right;

	return compare_places(place_of(a, &a->items[*l]), place_of(a, &a->items[*r]));
}

static void sort(struct api *a)
{
	if (a->is_sorted)
		return;
	for (size_t i = 0; i < a->count; i++)
		a->order[i] = i;
	if (a->count > 1)
		qsort_r(a->order, a->count, sizeof(*a->order), compare_items, a);
	a->is_sorted = true;
}

size_t api_times(struct api *a)
{
	const struct item *before = NULL;
	size_t count = 0;

	sort(a);
	for (size_t n = 0; n < a->count; n++) {
		const struct item *i = &a->items[a->order[n]];

		if (i->is_deleted)
			continue;
		count += before != NULL && before->created_at != i->created_at;
		before = i;
	}
	return count;
}

/* The index in the order of the first item behind that place. */
static size_t find_after(const struct api *a, struct place place)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_places(place_of(a, &a->items[a->order[middle]]), place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the query ---- */

/* The value of a parameter, decoded; false: there is none. */
static bool parameter(const char *url, const char *name, char *out, size_t size)
{
	const char *at = strchr(url, '?');
	size_t len = strlen(name), n = 0;

	for (; at != NULL; at = strchr(at, '&')) {
		at++;
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		for (at += len + 1; *at != '\0' && *at != '&' && n + 1 < size; n++) {
			unsigned byte;

			if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
				out[n] = (char)byte;
				at += 3;
			} else {
				out[n] = *at++;
			}
		}
		out[n] = '\0';
		return true;
	}
	return false;
}

static int status_of(const char *url)
{
	static const char *const words[] = { "open", "acknowledged", "resolved" };
	char word[32];

	if (!parameter(url, "status", word, sizeof(word)))
		return -1;
	for (int i = 0; i < (int)ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	assert(!"a status that the API does not know");
	return -1;
}

static size_t limit_of(const struct api *a, const char *url)
{
	char text[32];
	size_t limit = 25;

	if (parameter(url, "limit", text, sizeof(text)))
		limit = strtoul(text, NULL, 10);
	assert(limit >= 1 && limit <= 100);
	return limit < a->terms.page_cap ? limit : a->terms.page_cap;
}

/* ---- cursors ---- */

#define CURSOR_FORMAT "c+%" PRIx64 "/%" PRIx64 "/%" PRIx64 "/%d/%" PRIx64 "/%" PRIx64 "=="
#define CURSOR_SCAN   "c+%" SCNx64 "/%" SCNx64 "/%" SCNx64 "/%d/%" SCNx64 "/%" SCNx64 "=="

static void write_cursor(const struct cursor *c, struct buf *out)
{
	buf_addf(out, "\"" CURSOR_FORMAT "\"", (uint64_t)c->epoch, (uint64_t)c->issued_at,
		 (uint64_t)c->since, c->status, (uint64_t)c->after.first,
		 (uint64_t)c->after.second);
}

static struct cursor read_cursor(const char *text)
{
	uint64_t epoch, issued_at, since, first, second;
	struct cursor c;

	if (sscanf(text, CURSOR_SCAN, &epoch, &issued_at, &since, &c.status, &first, &second) !=
	    6)
		assert(!"a cursor that was never given out");
	c.epoch = (int64_t)epoch;
	c.issued_at = (int64_t)issued_at;
	c.since = (int64_t)since;
	c.after = (struct place){ (int64_t)first, (int64_t)second };
	return c;
}

static bool is_stale(const struct api *a, const struct cursor *c)
{
	int64_t ttl = a->terms.cursor_ttl_ms;

	return c->epoch != a->cursor_epoch ||
	       (ttl != INT64_MAX && sim_now() - c->issued_at > ttl);
}

/* ---- a page ---- */

struct page_of {
	size_t items[100];
	size_t count;
	bool has_more;
};

static bool is_listed(const struct api *a, const struct item *i, const struct cursor *c)
{
	if (i->is_deleted || (a->terms.snapshot && i->born_at > c->since))
		return false;
	return c->status < 0 || (int)i->status == c->status;
}

static void collect(const struct api *a, const struct cursor *c, bool is_first, size_t limit,
		    struct page_of *out)
{
	size_t at = is_first ? 0 : find_after(a, c->after);

	*out = (struct page_of){ .count = 0 };
	for (; at < a->count; at++) {
		if (!is_listed(a, &a->items[a->order[at]], c))
			continue;
		if (out->count == limit) {
			out->has_more = true;
			return;
		}
		out->items[out->count++] = a->order[at];
	}
}

static void write_items(const struct api *a, const struct page_of *page, bool has_bad,
			struct buf *out)
{
	buf_adds(out, "{\"items\":[");
	for (size_t i = 0; i < page->count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		api_write_item(a, &a->items[page->items[i]], has_bad && i % 3 == 0, out);
	}
	if (has_bad)
		buf_adds(out, page->count > 0 ? ",17,{\"status\":\"open\"},{\"id\":5}" : "[]");
}

static void write_total(const struct api *a, const struct cursor *c, struct buf *out)
{
	size_t total = api_listed(a, c->status);

	if (a->terms.total == TOTAL_MISSING)
		return;
	if (a->terms.total == TOTAL_WRONG)
		total = total % 7;
	buf_addf(out, ",\"total_count\":%zu", total);
}

static void write_end(const struct api *a, const struct cursor *next, bool has_more,
		      enum fault fault, struct buf *out)
{
	bool says = a->terms.has_more == HAS_MORE_RIGHT && has_more;

	buf_adds(out, "],\"next_cursor\":");
	if (has_more && fault != FAULT_TORN_END)
		write_cursor(next, out);
	else
		buf_adds(out, "null");
	if (fault == FAULT_TORN_END)
		buf_adds(out, ",\"has_more\":true");
	else if (a->terms.has_more != HAS_MORE_MISSING)
		buf_addf(out, ",\"has_more\":%s", says ? "true" : "false");
}

/* Where the next page begins. */
static struct cursor next_of(const struct api *a, const struct cursor *c, bool is_first,
			     const struct page_of *page, enum fault fault)
{
	struct cursor next = *c;
	size_t last = page->count - 1;

	next.epoch = a->cursor_epoch;
	next.issued_at = sim_now();
	if (fault == FAULT_CURSOR_LOOP || (fault == FAULT_REPEATED_PAGE && is_first))
		next.after = (struct place){ INT64_MIN, INT64_MIN };
	else if (fault != FAULT_REPEATED_PAGE && page->count > 0)
		next.after = place_of(a, &a->items[page->items[last]]);
	return next;
}

static void answer_stale(struct api *a, struct sim_answer *out)
{
	static const char empty[] = "{\"items\":[],\"next_cursor\":null,\"has_more\":false}";

	out->status = a->terms.stale_status;
	a->false_ends += out->status == 200;
	buf_adds(&out->body,
		 a->terms.stale_status == 200
			 ? empty
			 : "{\"error\":\"bad_request\",\"message\":\"stale cursor\"}");
}

void api_list(struct api *a, const struct request *r, enum fault fault, struct sim_answer *out)
{
	char text[300];
	bool is_first = !parameter(r->url, "cursor", text, sizeof(text));
	struct cursor c = { .status = status_of(r->url), .since = sim_now() };
	struct page_of page;

	if (c.status < 0)
		a->unfiltered_at = sim_now();
	sort(a);
	if (!is_first) {
		c = read_cursor(text);
		assert(c.status == status_of(r->url));
		if (is_stale(a, &c)) {
			answer_stale(a, out);
			return;
		}
	}
	collect(a, &c, is_first, limit_of(a, r->url), &page);
	struct cursor next = next_of(a, &c, is_first, &page, fault);
	bool has_more =
		page.has_more || fault == FAULT_REPEATED_PAGE || fault == FAULT_CURSOR_LOOP;

	write_items(a, &page, fault == FAULT_BAD_ITEMS, &out->body);
	write_end(a, &next, has_more, fault, &out->body);
	write_total(a, &c, &out->body);
	buf_addc(&out->body, '}');
}
