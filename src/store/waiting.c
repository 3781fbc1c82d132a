/* waiting: see the header. */
#include "store/waiting.h"

#include "base/kill.h"
#include "base/mem.h"
#include "store/inner.h"

/* One that waits, as it is stored. */
struct kept {
	struct waiting event;
	int64_t id, prev, episode, unended_from;
	char *body, *context; /* owned */
};

/* False: it does not wait. */
static bool read_kept(struct store *s, int64_t id, struct kept *k)
{
	struct stmt *q = db_use(s->db, SQL_WAITING_READ);

	stmt_bind_int(q, 1, id);
	if (!stmt_row(q))
		return false;
	*k = (struct kept){ .id = id,
			    .prev = stmt_int(q, 0),
			    .episode = stmt_int(q, 1),
			    .unended_from = stmt_int(q, 6),
			    .event = { .first = stmt_int(q, 3) != 0,
				       .at = stmt_int(q, 4),
				       .until = stmt_int(q, 5),
				       .flap = { .since = stmt_int(q, 8),
						 .count = stmt_int(q, 9) } } };
	if (!event_kind_parse(stmt_word(q, 2), &k->event.kind))
		k->event.kind = EVENT_OPENED;
	const char *body = stmt_text(q, 7, &k->event.body_len);

	k->event.body = k->body = mem_dup(body, k->event.body_len);
	k->context = stmt_is_null(q, 10) ? NULL : mem_strdup(stmt_word(q, 10));
	k->event.context = k->context;
	stmt_end(q);
	return true;
}

static void release(struct kept *k)
{
	mem_free(&k->body);
	mem_free(&k->context);
}

static void wait_no_longer(struct store *s, const struct kept *k, const struct decision *d)
{
	struct stmt *q = db_use(s->db, SQL_WAITING_OVER);

	stmt_bind_int(q, 1, k->id);
	if (d->context != NULL)
		stmt_bind_bytes(q, 2, d->context, d->context_len);
	else
		stmt_bind_text(q, 2, NULL);
	stmt_run(q);
}

static void route(struct telling *t, struct kept *k)
{
	const struct page_batch *batch = t->batch;
	struct decision decision = { .silent = false };

	t->seen = batch->route(batch->decide_arg, &k->event, &decision);
	if (decision.wait_until != 0 && !k->event.is_over)
		return;
	wait_no_longer(t->s, k, &decision);
	history_load(t->s, k->prev, k->unended_from, k->episode);
	for (size_t i = 0; t->seen != NULL && i < decision.step_count; i++)
		if (telling_plan(t, &decision.steps[i]))
			telling_make(t, &(struct told){ .event = k->id,
							.prev = k->prev,
							.kind = k->event.kind });
	store_note_event(t->s, k->id);
	KILL_POINT("waiting-routed");
}

void waiting_catch_up(struct telling *t, int64_t event)
{
	struct kept k;

	if (!read_kept(t->s, event, &k))
		return;
	k.event.is_over = true;
	route(t, &k);
	release(&k);
}

int64_t waiting_look(struct telling *t, int64_t after, size_t room)
{
	struct stmt *q = db_use(t->s->db, SQL_WAITING_LIST);
	int64_t *ids = mem_array(room, sizeof(*ids));
	size_t count = 0;

	stmt_bind_int(q, 1, t->batch->source);
	stmt_bind_int(q, 2, after);
	stmt_bind_int(q, 3, (int64_t)room);
	while (stmt_row(q))
		ids[count++] = stmt_int(q, 0);
	for (size_t i = 0; i < count; i++) {
		struct kept k;

		if (!read_kept(t->s, ids[i], &k))
			continue;
		k.event.is_over = t->batch->waiting_ends || t->batch->now >= k.event.until;
		route(t, &k);
		release(&k);
	}
	int64_t last = count == room ? ids[count - 1] : 0;

	mem_free(&ids);
	return last;
}

int64_t waiting_until(struct store *s, int source)
{
	struct stmt *q = db_use(s->db, SQL_WAITING_UNTIL);

	stmt_bind_int(q, 1, source);
	int64_t at = stmt_row(q) && !stmt_is_null(q, 0) ? stmt_int(q, 0) : INT64_MAX;

	stmt_end(q);
	return at;
}

int64_t store_source_waiting(struct store *s, int source)
{
	return waiting_until(s, source);
}

bool store_waiting_source(struct store *s, int after, int *number, char **name, struct err *err)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_WAITING_SOURCE);

	*name = NULL;
	stmt_bind_int(q, 1, after);
	if (stmt_row(q)) {
		*number = (int)stmt_int(q, 0);
		*name = mem_strdup(stmt_word(q, 1));
	}
	stmt_end(q);
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}
