/* bugs_polling: mistakes of passes and positions. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "flow/pass.h"
#include "flow/source_inner.h"
#include "store/store.h"
#include "world/bugs.h"
#include "world/bugs_inner.h"

/* ---- pass ---- */

bool __real_pass_is_deep(const struct page *page, size_t fresh, int64_t reach_at);
bool __wrap_pass_is_deep(const struct page *page, size_t fresh, int64_t reach_at);
bool __wrap_pass_is_deep(const struct page *page, size_t fresh, int64_t reach_at)
{
	if (bugs_has(STOP_AT_FIRST_KNOWN))
		return fresh < page->item_count;
	return __real_pass_is_deep(page, fresh, reach_at);
}

bool __real_pass_ends_with(const struct page *page);
bool __wrap_pass_ends_with(const struct page *page);
bool __wrap_pass_ends_with(const struct page *page)
{
	return bugs_has(TRUST_HAS_MORE) ? !page->has_more : __real_pass_ends_with(page);
}

int64_t __real_pass_reach(int64_t head_at);
int64_t __wrap_pass_reach(int64_t head_at);
int64_t __wrap_pass_reach(int64_t head_at)
{
	return bugs_has(NO_OVERLAP) ? head_at : __real_pass_reach(head_at);
}

/* ---- source ---- */

void __real_source_give_up(struct lane *l, const char *reason, const struct trouble *t);
void __wrap_source_give_up(struct lane *l, const char *reason, const struct trouble *t);
void __wrap_source_give_up(struct lane *l, const char *reason, const struct trouble *t)
{
	bool is_stale = strstr(reason, "answered 4") != NULL ||
			strstr(reason, "may have expired") != NULL;

	if (!bugs_has(STALE_CURSOR_IS_THE_END) || l->pass.cursor == NULL || !is_stale) {
		__real_source_give_up(l, reason, t);
		return;
	}
	page_release(&l->page);
	source_want(l, WANTS_STORE, 0);
}

/* ---- store_page ---- */

void __real_store_page(struct store *s, const struct page_batch *batch);
void __wrap_store_page(struct store *s, const struct page_batch *batch);

/* Each page moves the position as only the end of a pass may. */
static void save_mid_pass(struct store *s, const struct page_batch *batch)
{
	struct page_batch moved = *batch;
	struct source_state position;

	if (batch->item_count > 0 && batch->position != NULL) {
		position = *batch->position;
		position.last_head_at = position.head_at = position.last_full_at = batch->now;
		moved.position = &position;
	}
	__real_store_page(s, &moved);
}

static void ignore(void *arg, const struct page_result *result)
{
	(void)arg, (void)result;
}

/* The alert's bytes with another status. */
static void read_as_resolved(struct alert *a, const char *body)
{
	const char *status = strstr(body, "\"status\":\"") + strlen("\"status\":\"");
	struct buf out;
	struct err err;

	buf_init(&out, 1 << 20);
	buf_add(&out, body, (size_t)(status - body));
	buf_adds(&out, "resolved");
	buf_adds(&out, status + strcspn(status, "\""));
	if (!alert_read(a, out.data, out.len, &err))
		fprintf(stderr, "%s\n", err.text);
	buf_release(&out);
}

/* What a walk did not list must have been resolved. */
static void resolve_absent(struct store *s, const struct page_batch *batch)
{
	static const char sql[] = "SELECT a.body AS body FROM v_missing m JOIN v_alerts a ON "
				  "a.source = m.source AND a.id = m.alert_id";
	struct alert *items = mem_array(2000, sizeof(*items));
	size_t count = 0;
	struct err err;
	struct view *v = view_open(s, sql, NULL, 0, &err);

	while (v != NULL && view_next(v) && count < 2000)
		read_as_resolved(&items[count++], view_text(v, "body"));
	view_close(&v);
	struct page_batch absent = *batch;

	absent.items = items;
	absent.item_count = count;
	absent.reject_count = 0;
	absent.position = NULL;
	absent.end = NULL;
	absent.done = ignore;
	if (count > 0)
		__real_store_page(s, &absent);
	for (size_t i = 0; i < count; i++)
		alert_release(&items[i]);
	mem_free(&items);
}

void __wrap_store_page(struct store *s, const struct page_batch *batch)
{
	struct page_batch copy = *batch;

	if (bugs_has(SAVE_POSITION_MID_PASS)) {
		save_mid_pass(s, batch);
		return;
	}
	if (bugs_has(FOLLOW_UP_ROUTED_ANEW)) {
		bugs_route_anew(s, batch);
		return;
	}
	__real_store_page(s, batch);
	if (bugs_has(RESOLVED_FROM_ABSENCE) && copy.end != NULL)
		resolve_absent(s, &copy);
}
