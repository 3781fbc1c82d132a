/* roster: names to numbers at start, numbers to names ever after. */
#include "flow/roster.h"

#include "base/mem.h"

static bool fill_sinks(struct roster *r, struct store *store, struct err *err)
{
	const struct settings *s = r->settings;

	for (size_t i = 0; i < s->sink_count; i++)
		r->sinks[i] = (struct store_sink){ .name = s->sinks[i].name,
						   .type = s->sinks[i].type->name,
						   .collapse = s->sinks[i].collapse };
	return store_sinks(store, r->sinks, s->sink_count, err);
}

bool roster_fill(struct roster *r, const struct settings *settings, struct store *store,
		 struct err *err)
{
	*r = (struct roster){ .settings = settings };
	r->sources = mem_array(settings->source_count, sizeof(int));
	r->routes = mem_array(settings->route_count, sizeof(int));
	r->sinks = mem_array(settings->sink_count, sizeof(*r->sinks));
	for (size_t i = 0; i < settings->source_count; i++)
		if (!store_source_number(store, settings->sources[i].name, &r->sources[i], err))
			return false;
	for (size_t i = 0; i < settings->route_count; i++)
		if (!store_route_number(store, settings->routes[i].name, &r->routes[i], err))
			return false;
	return fill_sinks(r, store, err);
}

void roster_release(struct roster *r)
{
	mem_free(&r->sources);
	mem_free(&r->routes);
	mem_free(&r->sinks);
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
