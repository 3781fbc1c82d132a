/*
 * app_parts: sources, budgets and the queue's sinks out of a configuration, at start and again
 * at a reload.
 *
 * A source whose settings are the same, secrets included, is the same: it goes on with its walks,
 * so that a reload each minute never starves one that takes an hour. Any other is made anew from
 * what is stored, and the one before retires: no position moves by a pass that did not end. The
 * budget belongs to the credential, as the server counts by that: it outlives sources, and with
 * it how long the server told us to wait.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/app_inner.h"
#include "flow/intake.h"
#include "flow/say.h"

/* ---- budgets ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

/* The server counts by credential, so do we. */
static bool share_budget(const struct source_settings *a, const struct source_settings *b)
{
	return is_same_text(a->base_url, b->base_url) &&
	       is_same_text(a->client_id, b->client_id) &&
	       is_same_text(a->api_key.value, b->api_key.value);
}

static struct purse *new_purse(struct app *a, double share)
{
	struct purse *p = mem_new(sizeof(*p));

	budget_init(&p->budget, share, clock_steady());
	p->next = a->all_purses;
	a->all_purses = p;
	return p;
}

/* That of an earlier source with this credential, or of one that runs now, or a new one. */
static struct purse *purse_of(struct app *a, const struct settings *settings,
			      const struct app_sources *sources, size_t at)
{
	const struct source_settings *s = &settings->sources[at];

	for (size_t i = 0; i < at; i++)
		if (share_budget(&settings->sources[i], s))
			return sources->purses[i];
	for (size_t i = 0; i < a->source_count; i++)
		if (share_budget(&a->setup->settings->sources[i], s))
			return a->purses[i];
	return new_purse(a, s->rate_share);
}

static bool is_purse_used(const struct app *a, const struct purse *p)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (a->purses[i] == p)
			return true;
	return false;
}

static void sweep_purses(struct app *a)
{
	for (struct purse **at = &a->all_purses; *at != NULL;) {
		struct purse *p = *at;

		if (is_purse_used(a, p)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		mem_free(&p);
	}
}

/* The first source of a credential says how much of it is ours. */
static void share_purses(struct app *a)
{
	int64_t now = clock_steady();

	for (size_t i = a->source_count; i > 0; i--)
		budget_share(&a->purses[i - 1]->budget,
			     a->setup->settings->sources[i - 1].rate_share, now);
}

/* ---- sources ---- */

/* The one of that number in the store; NULL: there is none. */
static struct source *running(const struct app *a, int number, size_t *at)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (a->roster.sources[i] == number) {
			*at = i;
			return a->sources[i];
		}
	return NULL;
}

static bool was_running(const struct app *a, const struct source *s)
{
	for (size_t i = 0; i < a->source_count; i++)
		if (a->sources[i] == s)
			return true;
	return false;
}

void app_drop_sources(struct app *a, struct app_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		if (!was_running(a, sources->list[i]))
			source_free(&sources->list[i]);
	mem_free(&sources->list);
	mem_free(&sources->purses);
	sweep_purses(a);
}

static void on_stored(void *arg)
{
	struct app *a = arg;

	queue_wake(a->queue);
	turn_wake(a->turn);
}

static struct source *make_source(struct app *a, struct source_settings *settings, int number,
				  struct purse *purse, struct err *err)
{
	size_t at;
	struct source *before = running(a, number, &at);

	if (before != NULL && settings_source_same(settings, &a->setup->settings->sources[at]))
		return before;
	const struct source_parts parts = { .settings = settings,
					    .holding = &a->holding,
					    .number = number,
					    .store = a->store,
					    .xfer = a->xfer,
					    .turn = a->turn,
					    .budget = &purse->budget,
					    .born_at = before != NULL ? source_born_at(before)
								      : clock_steady(),
					    .stored = on_stored,
					    .arg = a };

	return source_new(&parts, ++a->seed, err);
}

bool app_make_sources(struct app *a, struct settings *settings, const struct roster *roster,
		      struct app_sources *out, struct err *err)
{
	*out = (struct app_sources){ .count = 0 };
	out->list = mem_array(settings->source_count, sizeof(struct source *));
	out->purses = mem_array(settings->source_count, sizeof(struct purse *));
	for (size_t i = 0; i < settings->source_count; i++) {
		struct purse *purse = purse_of(a, settings, out, i);
		struct source *s =
			make_source(a, &settings->sources[i], roster->sources[i], purse, err);

		if (s == NULL) {
			app_drop_sources(a, out);
			return false;
		}
		out->fresh += !was_running(a, s);
		out->purses[out->count] = purse;
		out->list[out->count++] = s;
	}
	return true;
}

static bool is_kept(const struct app_sources *sources, const struct source *s)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->list[i] == s)
			return true;
	return false;
}

static void retire_others(struct app *a, const struct app_sources *sources)
{
	a->retired =
		mem_resize(a->retired, a->retired_count + a->source_count, sizeof(*a->retired));
	for (size_t i = 0; i < a->source_count; i++) {
		if (is_kept(sources, a->sources[i]))
			continue;
		source_retire(a->sources[i]);
		a->retired[a->retired_count++] = a->sources[i];
	}
}

void app_take_sources(struct app *a, struct app_sources *sources)
{
	retire_others(a, sources);
	mem_free(&a->sources);
	mem_free(&a->purses);
	a->sources = sources->list;
	a->purses = sources->purses;
	a->source_count = sources->count;
	for (size_t i = 0; i < a->source_count; i++) {
		source_refit(a->sources[i], &a->setup->settings->sources[i]);
		source_pause(a->sources[i], app_is_paused(a));
	}
	share_purses(a);
	sweep_purses(a);
	app_bury_sources(a);
}

static bool is_configured(const struct app *a, int number)
{
	size_t at;

	return running(a, number, &at) != NULL;
}

static bool route_left_of(struct app *a, int number, char *name)
{
	const struct source_settings gone = { .name = name };
	struct suspects suspects;
	struct intake in;
	struct err err;
	size_t deliveries = 0;

	if (!suspects_load(&suspects, a->store, number, &err))
		return false;
	intake_init(&in, &a->holding, &gone, number);
	in.suspects = &suspects;
	bool ok = intake_end_waiting(&in, a->store, clock_now(), &deliveries);

	if (deliveries > 0)
		on_stored(a);
	intake_release(&in);
	suspects_release(&suspects);
	return ok;
}

bool app_route_left(struct app *a)
{
	bool ok = true, more = true;
	int number = 0;
	char *name;
	struct err err;

	while (ok && more) {
		ok = store_waiting_source(a->store, number, &number, &name, &err);
		more = name != NULL;
		if (ok && more && !is_configured(a, number))
			ok = route_left_of(a, number, name);
		mem_free(&name);
	}
	return ok;
}

void app_bury_sources(struct app *a)
{
	size_t left = 0;

	for (size_t i = 0; i < a->retired_count; i++) {
		if (source_is_over(a->retired[i]))
			source_free(&a->retired[i]);
		else
			a->retired[left++] = a->retired[i];
	}
	a->retired_count = left;
}

void app_free_sources(struct app *a)
{
	for (size_t i = 0; i < a->source_count; i++)
		source_free(&a->sources[i]);
	for (size_t i = 0; i < a->retired_count; i++)
		source_free(&a->retired[i]);
	mem_free(&a->sources);
	mem_free(&a->retired);
	mem_free(&a->purses);
	a->source_count = a->retired_count = 0;
	sweep_purses(a);
}

/* ---- sinks ---- */

struct queue_sink *app_queue_sinks(const struct app *a, const struct roster *old)
{
	const struct settings *s = a->setup->settings;
	struct queue_sink *sinks = mem_array(s->sink_count, sizeof(*sinks));

	for (size_t i = 0; i < s->sink_count; i++) {
		const struct store_sink *stored = &a->roster.sinks[i];

		sinks[i] =
			(struct queue_sink){ .settings = &s->sinks[i],
					     .number = stored->number,
					     .fallback = roster_fallback(&a->roster, i),
					     .held_until = stored->held_until,
					     .down_since = stored->down_since,
					     .held_total_ms = stored->held_total_ms,
					     .paused_at = stored->paused_at,
					     .released_at = stored->released_at,
					     .reason = stored->reason,
					     .is_mended = stored->retyped ||
							  roster_is_mended(old, &s->sinks[i]),
					     .refuses = upkeep_had_refused(a->upkeep, i) };
	}
	return sinks;
}

void app_heed(struct app *a, const struct store_sink *sinks)
{
	for (size_t i = 0; i < a->setup->settings->sink_count; i++) {
		const struct store_sink *sink = &sinks[i];
		struct queue_word word = queue_heed(a->queue, i, sink->paused_at,
						    sink->released_at, clock_now());

		if (word.is_released)
			say_sink_released(sink->name);
		if (word.is_held)
			say_sink_held(sink->name, sink->reason);
	}
}
