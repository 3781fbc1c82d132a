/*
 * people: a walk back over the events of an episode, which only few rows need.
 *
 * It leaves s->history as it is: who places a row asks in the midst of that.
 */
#include "store/people.h"

#include "store/inner.h"

static bool is_named(const struct store *s, int64_t id)
{
	return s->sinks[store_sink_now(s, delivery_key_sink(id))].names_people;
}

/* Is there a row of this event for the sink that was not for nobody? */
static bool has_row(struct store *s, int64_t event, int sink)
{
	struct stmt *q = db_use(s->db, SQL_ROWS_ADDRESSED);
	bool found = false;

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	while (!found && stmt_row(q))
		found = store_sink_now(s, delivery_key_sink(stmt_int(q, 0))) == sink;
	stmt_end(q);
	return found;
}

struct link {
	int64_t prev, episode;
};

static bool find_link(struct store *s, int64_t event, struct link *link)
{
	struct stmt *q = db_use(s->db, SQL_EVENT_LINK);

	stmt_bind_int(q, 1, event);
	bool is_there = stmt_row(q);

	*link = is_there ? (struct link){ stmt_int(q, 0), stmt_int(q, 1) } : (struct link){ 0 };
	stmt_end(q);
	return is_there;
}

int64_t people_event(struct store *s, int64_t id)
{
	int sink = store_sink_now(s, delivery_key_sink(id));
	int64_t own = delivery_key_event(id), oldest = own;
	struct link first, link;

	if (!is_named(s, id) || !find_link(s, own, &first))
		return own;
	for (int64_t event = first.prev; event != 0; event = link.prev) {
		if (!find_link(s, event, &link) || link.episode != first.episode)
			break;
		if (has_row(s, event, sink))
			oldest = event;
	}
	return oldest;
}

int64_t people_of(struct store *s, int64_t id)
{
	if (!is_named(s, id) || s->namer.people == NULL)
		return 0;
	int64_t event = people_event(s, id), people = 0;
	struct stmt *q = db_use(s->db, SQL_CLAIM_EVENT);

	stmt_bind_int(q, 1, event);
	if (stmt_row(q)) {
		struct opening o = { .source = (int)stmt_int(q, 0),
				     .first = stmt_int(q, 4) != 0,
				     .at = stmt_int(q, 5) };

		if (!event_kind_parse(stmt_word(q, 1), &o.kind))
			o.kind = EVENT_CHANGED;
		o.body = stmt_text(q, 7, &o.body_len);
		o.context = stmt_text(q, 8, &o.context_len);
		people = s->namer.people(s->namer.arg, store_sink_now(s, delivery_key_sink(id)),
					 &o);
	}
	stmt_end(q);
	return people;
}
