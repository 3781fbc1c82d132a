/* terms: what a seed decides before anything happens; combinations in which nobody could keep
 * the promises (cursors that die sooner than the limit lets one ask) are left out. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "world/world.h"

#define PICK(chance, ...)                               \
	((const int64_t[]){ __VA_ARGS__ }[chance_below( \
		chance,                                 \
		(int64_t)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)))])

static bool percent(struct chance *c, int64_t n)
{
	return chance_below(c, 100) < n;
}

static void draw_list(struct api_terms *t, struct chance *c)
{
	t->order = (enum api_order)PICK(c, API_NEWEST, API_NEWEST, API_NEWEST, API_OLDEST,
					API_OLDEST, API_SHUFFLED);
	t->by_insertion = percent(c, 25);
	t->ties_by_id = percent(c, 70);
	t->snapshot = percent(c, 10);
	t->page_cap = (size_t)PICK(c, 5, 5, 10, 10, 25, 100);
	t->whole_seconds = percent(c, 60);
	t->has_more = (enum api_has_more)PICK(c, HAS_MORE_RIGHT, HAS_MORE_RIGHT, HAS_MORE_FALSE,
					      HAS_MORE_MISSING);
	t->total = (enum api_total)PICK(c, TOTAL_RIGHT, TOTAL_MISSING, TOTAL_WRONG);
	t->cursor_ttl_ms = PICK(c, 300, 10 * SECOND, 10 * MINUTE, INT64_MAX);
	t->stale_status = (int)PICK(c, 400, 404, 410, 200);
}

static void draw_limits(struct api_terms *t, struct chance *c)
{
	t->limit = percent(c, 20) ? 60 : 1000;
	t->has_limit_headers = percent(c, 85);
	t->has_date = percent(c, 90);
	t->retry_after = (enum api_retry_after)PICK(c, RETRY_SECONDS, RETRY_SECONDS, RETRY_DATE,
						    RETRY_MISSING, RETRY_NONSENSE);
	t->retry_after_ms =
		PICK(c, 0, 2 * SECOND, 30 * SECOND, 90 * SECOND, HOUR, 3 * (int64_t)HOUR);
	t->oauth = percent(c, 60);
	t->tells_expiry = percent(c, 80);
	t->token_ttl_ms = PICK(c, 2 * SECOND, HOUR, HOUR, 365 * (int64_t)DAY);
	t->way_ms = PICK(c, 5, 10, 100);
}

static void forbid(struct api_terms *t)
{
	if (!t->has_limit_headers)
		t->limit = 1000;
	if (t->limit < 1000) {
		t->page_cap = 100;
		t->cursor_ttl_ms =
			t->cursor_ttl_ms < 10 * MINUTE ? 10 * MINUTE : t->cursor_ttl_ms;
		t->token_ttl_ms = t->token_ttl_ms < HOUR ? HOUR : t->token_ttl_ms;
	}
	if (t->cursor_ttl_ms < SECOND)
		t->way_ms = 5;
	if (!t->tells_expiry && t->token_ttl_ms < HOUR)
		t->token_ttl_ms = 10 * MINUTE;
}

/* Now and then each tick comes in its time; mostly an idle loop is not woken for one. */
int64_t terms_draw_lateness(struct chance *c)
{
	return PICK(c, 0, 5, 10, 10, 20, 20, 30, 30) * SECOND;
}

void terms_draw(struct terms *t, struct chance *c)
{
	static const char *const starts[] = { "now", "all", "1h" };
	size_t cap = SIZE_MAX;

	*t = (struct terms){ .sink_count = 1 };
	t->sinks[0] = (struct sink_terms){ .window = 8,
					   .timeout_ms = 30 * SECOND,
					   .retry_min_ms = SECOND,
					   .retry_max_ms = 15 * MINUTE,
					   .retry_after_max_ms = HOUR,
					   .give_up_ms = 72 * (int64_t)HOUR,
					   .way_ms = 2 };
	t->api_count = percent(c, 25) ? 2 : 1;
	for (size_t i = 0; i < APIS_MAX; i++) {
		draw_list(&t->apis[i], c);
		draw_limits(&t->apis[i], c);
		forbid(&t->apis[i]);
		if (i < t->api_count && t->apis[i].page_cap < cap)
			cap = t->apis[i].page_cap;
	}
	t->same_ids = percent(c, 50);
	t->poll_ms = PICK(c, 5, 10, 10, 30, 60) * SECOND;
	t->sweep_ms = PICK(c, 1, 1, 3, 10) * MINUTE;
	if (t->sweep_ms > 3 * MINUTE && t->poll_ms < 30 * SECOND)
		t->poll_ms = 30 * SECOND; /* a story of thousands of idle polls tells nothing */
	t->share_percent = PICK(c, 50, 50, 50, 100);
	t->start = starts[chance_below(c, ARRAY_LEN(starts))];
	t->since_ms = t->start[0] == '1' ? HOUR : 0;
	t->items_max = cap * 25 < ITEMS_MAX ? cap * 25 : ITEMS_MAX;
	t->history = (size_t)PICK(c, 0, 3, 60, (int64_t)t->items_max / 2,
				  (int64_t)t->items_max * 7 / 10);
	if (t->history > t->items_max)
		t->history = t->items_max;
}

bool terms_are_roomy(const struct world *w, const struct api *a)
{
	return a->terms.limit >= 1000 && w->terms.share_percent >= 50 &&
	       a->count <= a->terms.page_cap * 60;
}

static void tell_api(const struct world *w, const struct api_terms *t)
{
	static const char *const orders[] = { "newest-first", "oldest-first", "shuffled" };

	world_say(w,
		  "api: %s%s%s%s, pages of %zu, cursors %" PRId64 " ms then %d, has_more %d, "
		  "total %d, limit %" PRId64 "%s, retry-after %d %" PRId64 " ms, %s %" PRId64
		  " ms%s, way %" PRId64 " ms%s%s",
		  orders[t->order], t->by_insertion ? " by insertion" : " by created_at",
		  t->ties_by_id ? ", ties by id" : "", t->snapshot ? ", snapshots" : "",
		  t->page_cap, t->cursor_ttl_ms == INT64_MAX ? -1 : t->cursor_ttl_ms,
		  t->stale_status, t->has_more, t->total, t->limit,
		  t->has_limit_headers ? "" : " untold", t->retry_after, t->retry_after_ms,
		  t->oauth ? "token" : "key", t->token_ttl_ms, t->tells_expiry ? "" : " untold",
		  t->way_ms, t->has_date ? "" : ", no Date",
		  t->whole_seconds ? ", whole seconds" : "");
}

void terms_tell(const struct world *w)
{
	const struct terms *t = &w->terms;

	world_say(w,
		  "terms: poll %" PRId64 " s, sweep %" PRId64 " s, start %s, share %" PRId64
		  " %%, history %zu, at most %zu%s, idle ticks %" PRId64 " s late",
		  t->poll_ms / SECOND, t->sweep_ms / SECOND, t->start, t->share_percent,
		  t->history, t->items_max, t->same_ids ? ", same ids" : "",
		  t->late_ms / SECOND);
	for (size_t i = 0; i < t->api_count; i++)
		tell_api(w, &t->apis[i]);
	terms_tell_sinks(w);
}
