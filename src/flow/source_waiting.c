/*
 * source_waiting: events that wait for their context are looked at again.
 *
 * When the first one's time has come, and whenever the directory or a look-up has brought
 * something: some of them a turn, from the oldest on, until all have been looked at.
 */
#include "base/clock.h"
#include "flow/source_inner.h"

static int64_t news(const struct source *s)
{
	return directory_news(s->directory) + lookup_news(s->lookup);
}

static void note(struct source *s, int64_t until)
{
	/* A clock that was set back must not make it wait: flow/intake looks, too. */
	int64_t most = clock_steady() + s->p.settings->context_wait_ms;
	int64_t at = until == INT64_MAX ? INT64_MAX : steady_of(until);

	s->waiting.look_at = at == INT64_MAX || at < most ? at : most;
}

void source_note_waiting(struct source *s, const struct page_result *r)
{
	note(s, r->waiting_until);
}

static void on_looked(void *arg, const struct page_result *r)
{
	struct source *s = arg;

	turn_wake(s->p.turn);
	if (!r->ok) {
		/* Pages and turns meet the same store, and say it. */
		s->waiting.not_before =
			clock_steady() + (r->busy ? BUSY_WAIT_MS : STORE_WAIT_MS);
		return;
	}
	intake_stored(&s->intake);
	s->waiting.after = r->waiting_after;
	note(s, r->waiting_until);
	if (r->deliveries > 0)
		s->p.stored(s->p.arg);
}

bool source_waits(const struct source *s)
{
	return s->waiting.look_at != INT64_MAX;
}

static bool is_due(const struct source *s, int64_t now)
{
	return s->waiting.after != 0 || now >= s->waiting.look_at || s->waiting.news != news(s);
}

void source_look_at_waiting(struct source *s)
{
	int64_t now = clock_steady();

	if (s->retired || s->paused || !source_waits(s) || now < s->waiting.not_before ||
	    !is_due(s, now))
		return;
	if (s->waiting.after == 0)
		s->waiting.news = news(s);
	struct page_batch batch = intake_look(&s->intake, s->waiting.after, clock_now());

	batch.done = on_looked;
	batch.arg = s;
	store_page(s->p.store, &batch);
}

int64_t source_waiting_wakes_at(const struct source *s)
{
	if (s->retired || s->paused || !source_waits(s))
		return INT64_MAX;
	int64_t at = is_due(s, clock_steady()) ? clock_steady() : s->waiting.look_at;

	return later_of(at, s->waiting.not_before);
}

void source_begin_waiting(struct source *s)
{
	s->waiting.news = news(s);
	note(s, store_source_waiting(s->p.store, s->p.number));
}
