/*
 * missing: active alerts that a walk over all active ones did not list.
 *
 * A row is made at the end of such a walk and goes when a page lists the alert again, whatever
 * its status is by then. A complete walk over everything that still does not list it is one
 * absence, if the alert's time to be looked for had come; between them the wait grows fourfold.
 * After so many absences it has vanished: it stays in the store, and nobody is told that it
 * closed, since nobody knows.
 */
#include "base/mem.h"
#include "store/inner.h"

enum { LOOK_WAIT_MAX_MS = 24 * 3600 * 1000, WAIT_GROWTH = 4 };

/* What most pages ask and nothing else: one look-up, however many are missing. */
bool missing_any(struct store *s, int source)
{
	struct stmt *q = db_use(s->db, SQL_MISSING_ANY);

	stmt_bind_int(q, 1, source);
	bool is_some = stmt_row(q);

	stmt_end(q);
	return is_some;
}

void missing_count(struct store *s, int source, int64_t now, struct missing *out)
{
	struct stmt *q = db_use(s->db, SQL_MISSING_COUNT);

	*out = (struct missing){ .look_at = INT64_MAX };
	stmt_bind_int(q, 1, source);
	if (stmt_row(q) && stmt_int(q, 0) > 0) {
		out->count = (size_t)stmt_int(q, 0);
		out->look_at = stmt_int(q, 1);
		/* A clock that has jumped back must not put it off for ever. */
		if (out->look_at > now + LOOK_WAIT_MAX_MS)
			out->look_at = now + LOOK_WAIT_MAX_MS;
	}
	stmt_end(q);
}

void missing_found(struct store *s, int source, int64_t alert)
{
	struct stmt *q = db_use(s->db, SQL_MISSING_FOUND);

	stmt_bind_int(q, 1, source);
	stmt_bind_int(q, 2, alert);
	stmt_run(q);
}

/* One that was looked for in vain. */
struct absent {
	int64_t alert, absences;
};

static size_t list_absent(struct store *s, const struct page_batch *batch, struct absent **list)
{
	struct stmt *q = db_use(s->db, SQL_MISSING_DUE);
	size_t count = 0, room = 0;

	stmt_bind_int(q, 1, batch->source);
	stmt_bind_int(q, 2, batch->now);
	stmt_bind_int(q, 3, batch->now + LOOK_WAIT_MAX_MS);
	while (stmt_row(q)) {
		if (bits_has(batch->end->sighted, stmt_int(q, 0)))
			continue;
		if (count == room) {
			room = room * 2 + 16;
			*list = mem_resize(*list, room, sizeof(**list));
		}
		(*list)[count++] = (struct absent){ stmt_int(q, 0), stmt_int(q, 1) + 1 };
	}
	return count;
}

static int64_t wait_after(const struct walk_end *end, int64_t absences)
{
	int64_t wait = end->look_again_ms;

	for (int64_t i = 1; i < absences && wait < LOOK_WAIT_MAX_MS; i++)
		wait *= WAIT_GROWTH;
	return wait < LOOK_WAIT_MAX_MS ? wait : LOOK_WAIT_MAX_MS;
}

static void note_absence(struct store *s, const struct page_batch *batch,
			 const struct absent *a)
{
	struct stmt *q = db_use(s->db, SQL_MISSING_AGAIN);

	stmt_bind_int(q, 1, batch->source);
	stmt_bind_int(q, 2, a->alert);
	stmt_bind_int(q, 3, a->absences);
	stmt_bind_int(q, 4, batch->now + wait_after(batch->end, a->absences));
	stmt_run(q);
}

static void make_vanish(struct store *s, const struct page_batch *batch, int64_t alert)
{
	struct stmt *q = db_use(s->db, SQL_ALERT_VANISH);

	stmt_bind_int(q, 1, alert);
	stmt_bind_int(q, 2, batch->now);
	stmt_run(q);
	missing_found(s, batch->source, alert);
}

static size_t note_absences(struct store *s, const struct page_batch *batch)
{
	struct absent *list = NULL;
	size_t count = list_absent(s, batch, &list), vanished = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i].absences < batch->end->absences_max) {
			note_absence(s, batch, &list[i]);
		} else {
			make_vanish(s, batch, list[i].alert);
			vanished++;
		}
	mem_free(&list);
	return vanished;
}

static void add_missing(struct store *s, const struct page_batch *batch, int64_t alert)
{
	int64_t absences = batch->end->saw_all;
	struct stmt *q = db_use(s->db, SQL_MISSING_ADD);

	stmt_bind_int(q, 1, batch->source);
	stmt_bind_int(q, 2, alert);
	stmt_bind_int(q, 3, batch->now);
	stmt_bind_int(q, 4, absences);
	stmt_bind_int(q, 5, absences > 0 ? batch->now + batch->end->look_again_ms : batch->now);
	stmt_run(q);
}

size_t missing_end(struct store *s, const struct page_batch *batch)
{
	size_t vanished = batch->end->saw_all ? note_absences(s, batch) : 0;
	struct stmt *q = db_use(s->db, SQL_ALERTS_ACTIVE);

	stmt_bind_int(q, 1, batch->source);
	while (stmt_row(q))
		if (!bits_has(batch->end->sighted, stmt_int(q, 0)))
			add_missing(s, batch, stmt_int(q, 0));
	return vanished;
}

bool missing_read(struct store *s, int source, int64_t now, struct missing *out,
		  struct err *err)
{
	db_clear(s->db);
	missing_count(s, source, now, out);
	if (db_failure(s->db) != DB_FINE)
		return err_set(err, "%s", db_error(s->db));
	return true;
}

bool store_source_missing(struct store *s, int source, struct missing *out, struct err *err)
{
	return missing_read(s, source, INT64_MAX - LOOK_WAIT_MAX_MS, out, err);
}
