/*
 * oracle_heard: what a receiver that takes everything heard of each alert, against what became
 * of it.
 *
 * Without its repeats, what was heard of one alert is a story that makes sense: it opens once,
 * closes only when it was really resolved, opens again only when it was, and ends as the alert is.
 */
#include <inttypes.h>
#include <string.h>

#include "model/event.h"
#include "world/world.h"

struct story {
	const struct api *api;
	const struct item *item;
	const struct told *last; /* NULL: nothing yet */
	int64_t count[EVENT_KIND_COUNT];
};

static bool is_last(const struct story *s, const char *type)
{
	return s->last != NULL && strcmp(s->last->type, type) == 0;
}

static void complain(struct world *w, const struct story *s, const struct told *t,
		     const char *what)
{
	world_fail(w, "%s of org%d: %s was heard %" PRId64 " s ago, %s; before: %s",
		   s->item->id, s->api->number, t->type, (sim_now() - t->heard_at) / SECOND,
		   what, s->last != NULL ? s->last->type : "nothing");
}

static void check_opened(struct world *w, const struct story *s, const struct told *t)
{
	if (s->last != NULL)
		complain(w, s, t, "after something else");
	if (s->item->created_at < w->baseline_at[s->api->number])
		complain(w, s, t, "of an alert that is older than the baseline");
}

static void check_resolved(struct world *w, const struct story *s, const struct told *t)
{
	const struct item *i = s->item;

	if (is_last(s, "resolved"))
		complain(w, s, t, "twice");
	if ((s->last == NULL) != t->is_first)
		complain(w, s, t, t->is_first ? "as first" : "without an open");
	if (strcmp(t->status, "resolved") != 0 || i->first_resolved_at == 0 ||
	    t->heard_at < i->first_resolved_at)
		complain(w, s, t, "and the alert was not");
	if (s->last == NULL && i->created_at < w->baseline_at[s->api->number])
		complain(w, s, t, "of an alert that is older than the baseline");
	if (s->count[EVENT_RESOLVED] >= i->resolved_count)
		complain(w, s, t, "more often than it was");
}

static void check_reopened(struct world *w, const struct story *s, const struct told *t)
{
	bool was_silent = s->item->created_at < w->baseline_at[s->api->number];

	if (!is_last(s, "resolved") && !(s->last == NULL && was_silent))
		complain(w, s, t, "of an alert that was not told as closed");
	if (s->count[EVENT_REOPENED] >= s->item->reopened_count)
		complain(w, s, t, "more often than it was");
}

static void check_told(struct world *w, struct story *s, const struct told *t)
{
	enum event_kind kind;

	if (!event_kind_parse(t->type, &kind))
		complain(w, s, t, "which is no event");
	switch (kind) {
	case EVENT_OPENED: check_opened(w, s, t); break;
	case EVENT_RESOLVED: check_resolved(w, s, t); break;
	case EVENT_REOPENED: check_reopened(w, s, t); break;
	case EVENT_ACKNOWLEDGED:
	case EVENT_CHANGED:
		if (s->last == NULL || is_last(s, "resolved"))
			complain(w, s, t, "of an alert that was not told as open");
		break;
	}
	s->count[kind]++;
	s->last = t;
}

static void check_end(struct world *w, const struct story *s)
{
	const struct item *i = s->item;
	bool rings = i->created_at >= w->baseline_at[s->api->number];

	if (i->is_deleted)
		return;
	if (rings && s->last == NULL)
		world_fail(w, "%s of org%d was never heard of", i->id, s->api->number);
	if (s->last != NULL && i->status == ALERT_RESOLVED && !is_last(s, "resolved"))
		world_fail(w, "%s of org%d is resolved, and last told as %s", i->id,
			   s->api->number, s->last->type);
	if (i->status != ALERT_RESOLVED && is_last(s, "resolved"))
		world_fail(w, "%s of org%d is not resolved, and last told as such", i->id,
			   s->api->number);
}

/* Returns how many different deliveries were heard of the alert. */
static int64_t check_item(struct world *w, const struct api *a, const struct item *i)
{
	struct story s = { .api = a, .item = i };
	int64_t count = 0;

	for (size_t n = i->first_told[0]; n != 0; n = told_at(&w->told, n)->next, count++)
		check_told(w, &s, told_at(&w->told, n));
	check_end(w, &s);
	return count;
}

void oracle_check_heard(struct world *w)
{
	int64_t heard = 0;

	for (size_t i = 0; i < w->terms.api_count; i++)
		for (size_t n = 0; n < w->apis[i].count; n++)
			heard += check_item(w, &w->apis[i], &w->apis[i].items[n]);
	int64_t done = ask_count(w, "SELECT count(*) AS n FROM v_deliveries WHERE state = "
				    "'done'");

	if (heard != done)
		world_fail(w, "%" PRId64 " deliveries are done, %" PRId64 " were heard", done,
			   heard);
}
