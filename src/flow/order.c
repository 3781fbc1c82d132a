/*
 * order: pairs of neighbours are counted, each pair for one way or the other.
 *
 * A pair says nothing when one of the two has no time, or when nothing tells them apart: what
 * is guessed would count against an order that is there. Counts are all that is kept, so a walk
 * over a million alerts costs no memory.
 */
#include "flow/order.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	/* Of nine alerts in no order one list in 361 looks ordered; fewer do too often. */
	PAIRS_MIN = 8,
	/* One pair in so many may go the other way. Each late arrival turns one pair round, so an
	 * eighth is a list with more late ones than any should have, and still far from the half
	 * that a list without an order shows. */
	INVERSIONS_PART = 8,
};

static const struct {
	enum order order;
	const char *name;
} names[] = {
	{ ORDER_UNKNOWN, "unknown" },
	{ ORDER_NEWEST_FIRST, "newest-first" },
	{ ORDER_OLDEST_FIRST, "oldest-first" },
	{ ORDER_UNORDERED, "unordered" },
};

/* Above 0: the item is younger than the one before it; below: older; 0: who knows? */
static int compare(const struct order_evidence *e, const struct alert *item)
{
	if (item->created_at == e->last_at)
		return strncmp(item->id, e->last_id, ORDER_ID_MAX);
	if (item->created_at == 0 || e->last_at == 0)
		return 0;
	return item->created_at > e->last_at ? 1 : -1;
}

static void add(struct order_evidence *e, const struct alert *item)
{
	int sign = e->any ? compare(e, item) : 0;
	bool is_tie = item->created_at == e->last_at;

	e->rising += sign > 0;
	e->falling += sign < 0;
	e->rising_ties += sign > 0 && is_tie;
	e->falling_ties += sign < 0 && is_tie;
	e->any = true;
	e->last_at = item->created_at;
	size_t len = strnlen(item->id, ORDER_ID_MAX);

	memcpy(e->last_id, item->id, len);
	e->last_id[len] = '\0';
}

void order_add(struct order_evidence *e, const struct page *page)
{
	for (size_t i = 0; i < page->item_count; i++)
		add(e, &page->items[i]);
}

static enum order judge(size_t falling, size_t rising)
{
	size_t pairs = falling + rising;
	size_t inversions = falling < rising ? falling : rising;

	if (pairs < PAIRS_MIN)
		return ORDER_UNKNOWN;
	if (inversions > pairs / INVERSIONS_PART)
		return ORDER_UNORDERED;
	return falling > rising ? ORDER_NEWEST_FIRST : ORDER_OLDEST_FIRST;
}

enum order order_verdict(const struct order_evidence *e)
{
	enum order by_time = judge(e->falling - e->falling_ties, e->rising - e->rising_ties);

	if (by_time != ORDER_UNKNOWN)
		return by_time;
	enum order by_ids_too = judge(e->falling, e->rising);

	return by_ids_too != ORDER_UNORDERED ? by_ids_too : ORDER_UNKNOWN;
}

const char *order_name(enum order order)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].order == order)
			return names[i].name;
	BUG("order %d", order);
}

enum order order_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].name, word) == 0)
			return names[i].order;
	return ORDER_UNKNOWN;
}
