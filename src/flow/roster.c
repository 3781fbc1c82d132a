/* roster: names to numbers at start, numbers to names ever after. */
#include "flow/roster.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/recipients.h"
#include "model/preset.h"

enum { LISTED_MAX = 20 }; /* alerts of a digest that people read */

static void say_source(const struct source_settings *source, enum store_rename rename)
{
	if (rename == RENAME_DONE)
		log_line(LOG_INFO, LOG_ADOPTED, LOG_S("source", source->name),
			 LOG_S("was", source->was));
	else if (rename == RENAME_LATE)
		log_line(LOG_WARN, LOG_ADOPTED, LOG_S("source", source->name),
			 LOG_S("was", source->was),
			 LOG_S("reason", "both names have alerts of their own, and keep them"),
			 LOG_S("hint", "`was` helps only before the first poll under a new "
				       "name: take it out"));
}

static bool number_source(struct roster *r, size_t i, struct store *store, struct err *err)
{
	const struct source_settings *source = &r->settings->sources[i];
	enum store_rename rename = RENAME_NONE;

	if (source->was != NULL &&
	    !store_source_rename(store, source->was, source->name, &rename, err))
		return false;
	say_source(source, rename);
	return store_source_number(store, source->name, &r->sources[i], err);
}

bool roster_begin(struct roster *r, const struct settings *settings, struct store *store,
		  struct err *err)
{
	*r = (struct roster){ .settings = settings };
	r->sources = mem_array(settings->source_count, sizeof(int));
	r->routes = mem_array(settings->route_count, sizeof(int));
	r->sinks = mem_array(settings->sink_count, sizeof(*r->sinks));
	for (size_t i = 0; i < settings->source_count; i++)
		if (!number_source(r, i, store, err))
			return false;
	for (size_t i = 0; i < settings->route_count; i++)
		if (!store_route_number(store, settings->routes[i].name, &r->routes[i], err))
			return false;
	return store_source_number(store, ROSTER_OWN_SOURCE, &r->own_source, err);
}

/* ---- sinks ---- */

/* The one of that name, or of the name that it had, in the roster before. */
static const struct sink_settings *before(const struct roster *old,
					  const struct sink_settings *sink)
{
	if (old == NULL)
		return NULL;
	const struct sink_settings *same = settings_sink(old->settings, sink->name);

	return same == NULL && sink->was != NULL ? settings_sink(old->settings, sink->was)
						 : same;
}

bool roster_is_mended(const struct roster *old, const struct sink_settings *sink)
{
	const struct sink_settings *was = before(old, sink);

	return was != NULL && !settings_sink_same_target(was, sink);
}

static void say_sinks(const struct roster *r)
{
	for (size_t i = 0; i < r->settings->sink_count; i++)
		if (r->sinks[i].rename != RENAME_NONE)
			log_line(LOG_INFO, LOG_ADOPTED, LOG_S("sink", r->sinks[i].name),
				 LOG_S("was", r->sinks[i].was));
}

/*
 * Where people read, the most severe ones; a program reads all. What shows a state by nature is
 * read by people, whatever the key `collapse` says of this sink.
 */
static int64_t listed_max(const struct sink_settings *sink)
{
	bool is_read = sink->preset != NULL ? sink->preset->collapse : sink->type->collapse;

	if (!is_read)
		return 0;
	return sink->batch_max < LISTED_MAX ? sink->batch_max : LISTED_MAX;
}

bool roster_finish(struct roster *r, const struct roster *old, struct store *store,
		   struct err *err)
{
	const struct settings *s = r->settings;

	for (size_t i = 0; i < s->sink_count; i++)
		r->sinks[i] = (struct store_sink){
			.name = s->sinks[i].name,
			.was = s->sinks[i].was,
			.type = s->sinks[i].type->name,
			.collapse = s->sinks[i].collapse,
			.pairs = s->sinks[i].pairs,
			.batch_max = s->sinks[i].batch_max,
			.listed_max = listed_max(&s->sinks[i]),
			.names_people = recipients_are_named(&s->sinks[i]),
			.hurry_at = roster_is_mended(old, &s->sinks[i]) ? clock_now() : 0,
		};
	if (!store_sinks(store, r->sinks, s->sink_count, err))
		return false;
	say_sinks(r);
	return true;
}

void roster_release(struct roster *r)
{
	mem_free(&r->sources);
	mem_free(&r->routes);
	mem_free(&r->sinks);
}

int roster_fallback(const struct roster *r, size_t sink)
{
	const struct settings *s = r->settings;
	const char *name = s->sinks[sink].fallback;
	const struct sink_settings *to = name != NULL ? settings_sink(s, name) : NULL;

	return to != NULL ? r->sinks[to - s->sinks].number : 0;
}

const struct sink_settings *roster_sink(const struct roster *r, int number)
{
	for (size_t i = 0; i < r->settings->sink_count; i++)
		if (r->sinks[i].number == number)
			return &r->settings->sinks[i];
	return NULL;
}

const struct route *roster_route(const struct roster *r, int number)
{
	for (size_t i = 0; i < r->settings->route_count; i++)
		if (r->routes[i] == number)
			return &r->settings->routes[i];
	return NULL;
}

const struct source_settings *roster_source(const struct roster *r, int number)
{
	for (size_t i = 0; i < r->settings->source_count; i++)
		if (r->sources[i] == number)
			return &r->settings->sources[i];
	return NULL;
}

const char *roster_source_name(const struct roster *r, int number)
{
	const struct source_settings *source = roster_source(r, number);

	if (source != NULL)
		return source->name;
	return number == r->own_source ? ROSTER_OWN_SOURCE : "";
}
