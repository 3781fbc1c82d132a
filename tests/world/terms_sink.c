/*
 * terms_sink: what a seed decides of a run that tries delivery: an easy API, and receivers.
 *
 * Waits are shorter than anybody would set them, so that rows die, holds end and penalties reach
 * their caps within hours; a few seeds have the defaults.
 */
#include <inttypes.h>

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

static void draw_api(struct api_terms *t)
{
	*t = (struct api_terms){
		.order = API_NEWEST,
		.ties_by_id = true,
		.page_cap = 100,
		.cursor_ttl_ms = INT64_MAX,
		.stale_status = 410,
		.has_date = true,
		.has_limit_headers = true,
		.limit = 1000,
		.way_ms = 5,
	};
}

static void draw_sink(struct sink_terms *s, struct chance *c)
{
	*s = (struct sink_terms){
		.window = PICK(c, 1, 2, 4, 8, 16),
		.timeout_ms = PICK(c, 2, 5, 10, 30) * SECOND,
		.retry_min_ms = PICK(c, 500, 1000, 1000, 5000),
		.retry_max_ms = PICK(c, 20 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE),
		.retry_after_max_ms = PICK(c, 30 * SECOND, 10 * MINUTE, HOUR),
		.give_up_ms = PICK(c, 10 * MINUTE, HOUR, 3 * HOUR, 72 * (int64_t)HOUR),
		.fallback_after_ms = PICK(c, 10 * SECOND, 2 * MINUTE, 10 * MINUTE),
		.collapse = percent(c, 25),
		.refuses_one_in = percent(c, 30) ? PICK(c, 5, 20) : 0,
		.busy_one_in = percent(c, 25) ? PICK(c, 5, 20) : 0,
		.way_ms = PICK(c, 2, 20, 200, 1500),
	};
	if (s->way_ms > s->timeout_ms / 4)
		s->way_ms = s->timeout_ms / 4;
	if (!percent(c, 30))
		return;
	s->rate_count = PICK(c, 1, 5, 30);
	s->rate_per_ms = PICK(c, 1, 10) * SECOND;
}

void terms_draw_delivery(struct terms *t, struct chance *c)
{
	*t = (struct terms){
		.delivers = true,
		.api_count = percent(c, 20) ? 2 : 1,
		.poll_ms = PICK(c, 10, 30, 60) * SECOND,
		.sweep_ms = PICK(c, 1, 3) * MINUTE,
		.share_percent = 50,
		.start = "all",
		.history = (size_t)PICK(c, 0, 0, 5, 40),
		.items_max = 150,
		.sink_count = (size_t)PICK(c, 1, 2, 3, 4, 5),
		.has_clock_steps = percent(c, 10),
	};
	for (size_t i = 0; i < APIS_MAX; i++)
		draw_api(&t->apis[i]);
	for (size_t i = 0; i < SINKS_MAX; i++)
		draw_sink(&t->sinks[i], c);
	if (percent(c, 20))
		t->sinks[chance_below(c, (int64_t)t->sink_count)].is_dead = true;
}

void terms_tell_sinks(const struct world *w)
{
	for (size_t i = 0; i < w->terms.sink_count; i++) {
		const struct sink_terms *s = &w->terms.sinks[i];

		world_say(w,
			  "s%zu: window %" PRId64 ", timeout %" PRId64 " s, retry %" PRId64
			  " ms to %" PRId64 " s, at most %" PRId64 " s, give up %" PRId64
			  " s, rate %" PRId64 " in %" PRId64 " s%s%s, refuses 1 in %" PRId64
			  ", busy 1 in %" PRId64 ", way %" PRId64 " ms",
			  i, s->window, s->timeout_ms / SECOND, s->retry_min_ms,
			  s->retry_max_ms / SECOND, s->retry_after_max_ms / SECOND,
			  s->give_up_ms / SECOND, s->rate_count, s->rate_per_ms / SECOND,
			  s->collapse ? ", collapses" : "", s->is_dead ? ", dead" : "",
			  s->refuses_one_in, s->busy_one_in, s->way_ms);
	}
}
