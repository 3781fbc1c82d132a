/*
 * watch: promises that are watched while it goes.
 *
 * Requests are counted as they leave, in each life anew: what a process asked before it died it
 * cannot know. Until the server has told its limit, a life may believe in the default.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "world/world.h"

enum { RETRY_AFTER_MAX_MS = HOUR };

void watch_begin(struct world *w)
{
	for (size_t i = 0; i < APIS_MAX; i++) {
		w->watches[i] = (struct watch){ .count = 0 };
		w->had_answer[i] = w->clock_is_wrong[i] = false;
	}
}

static void watch_rate(struct world *w, const struct api *a, struct watch *watch)
{
	int64_t now = sim_now();
	size_t max = (size_t)(a->terms.limit * w->terms.share_percent / 100), used = 0;

	watch->at[watch->count++ % WATCHED_MAX] = now;
	if (!watch->knows_limit)
		return;
	for (size_t i = watch->count; i > 0 && watch->count - i < WATCHED_MAX; i--) {
		if (watch->at[(i - 1) % WATCHED_MAX] <= now - MINUTE)
			break;
		used++;
	}
	if (used > max)
		world_fail(w, "org%d was asked %zu times within a minute, %zu are ours",
			   a->number, used, max);
}

void watch_leave(struct world *w, struct api *a, const struct request *r)
{
	struct watch *watch = &w->watches[a->number];
	bool is_list = api_is_list(r);
	int64_t until = is_list ? watch->lists_blocked_until : watch->tokens_blocked_until;

	if (sim_now() < until)
		world_fail(w, "org%d was asked %" PRId64 " ms before a Retry-After was over",
			   a->number, until - sim_now());
	if (is_list)
		watch_rate(w, a, watch);
}

static void note_first_answer(struct world *w, const struct api *a)
{
	w->had_answer[a->number] = true;
	w->clock_is_wrong[a->number] =
		a->dates_wrong || (!a->terms.has_date && w->clock_stepped);
}

static void note_limited(const struct api *a, const struct request *r,
			 const struct reply *reply, struct watch *watch)
{
	struct reply by_its_clock = *reply;
	char date[64];

	if (reply_header(reply, "Date", date, sizeof(date)) &&
	    !clock_parse_http(date, &by_its_clock.at))
		return;
	/* A date against our own clock, which may be wrong, is no promise. */
	if (a->terms.retry_after == RETRY_DATE && !a->terms.has_date)
		return;
	int64_t wait = reply_retry_after_ms(&by_its_clock);

	if (wait > RETRY_AFTER_MAX_MS)
		wait = RETRY_AFTER_MAX_MS;
	int64_t *until =
		api_is_list(r) ? &watch->lists_blocked_until : &watch->tokens_blocked_until;

	if (wait > 0 && sim_now() + wait > *until)
		*until = sim_now() + wait;
}

void watch_back(struct world *w, struct api *a, const struct request *r,
		const struct reply *reply)
{
	struct watch *watch = &w->watches[a->number];

	if (reply->kind != REPLY_ANSWERED)
		return;
	if (api_is_list(r) && !w->had_answer[a->number])
		note_first_answer(w, a);
	if (a->terms.has_limit_headers)
		watch->knows_limit = true;
	if (reply->status == 429)
		note_limited(a, r, reply, watch);
}
