/*
 * pass: the rules of a walk, each a pure answer: when it ends well, how far back it must reach,
 * when it is deep enough. The walk itself is in pass_walk.c.
 *
 * What a wrong rule costs is alerts, so each leans to the side of walking on: only an answer
 * that says in both its ways that nothing follows is the end, and only a page that is old as a
 * whole is deep.
 */
#include "flow/pass.h"

#include "base/err.h"

enum {
	/*
	 * How much later than its created_at an alert may come up in the list and still be found
	 * by the next head pass; it also covers a server whose clocks differ by less. What comes
	 * later than that the sweep finds while it is active, and the full pass when it is not.
	 */
	OVERLAP_MS = 2 * 60 * 1000,
};

const char *pass_kind_name(enum pass_kind kind)
{
	switch (kind) {
	case PASS_HEAD: return "head";
	case PASS_SWEEP: return "sweep";
	case PASS_FULL: return "full";
	case PASS_KINDS: break;
	}
	BUG("pass kind %d", kind);
}

const char *pass_filter_status(enum pass_filter filter)
{
	switch (filter) {
	case FILTER_NONE: return NULL;
	case FILTER_OPEN: return "open";
	case FILTER_ACKNOWLEDGED: return "acknowledged";
	}
	BUG("pass filter %d", filter);
}

bool pass_is_empty(const struct page *page)
{
	return page->item_count + page->reject_count == 0;
}

bool pass_ends_with(const struct page *page)
{
	return page->next_cursor == NULL && !page->has_more;
}

int64_t pass_reach(int64_t head_at)
{
	return head_at > OVERLAP_MS ? head_at - OVERLAP_MS : 0;
}

bool pass_is_deep(const struct page *page, size_t fresh, int64_t reach_at)
{
	size_t timed = 0, beyond = 0;
	bool last_is_beyond = false;

	for (size_t i = 0; i < page->item_count; i++) {
		int64_t created_at = page->items[i].created_at;

		if (created_at == 0)
			continue;
		last_is_beyond = created_at < reach_at;
		timed++;
		beyond += last_is_beyond;
	}
	return fresh == 0 && last_is_beyond && beyond >= timed - beyond;
}
