/*
 * names: the numbers of sources, routes and sinks, and what is stored of them.
 *
 * A number is given once and kept for the life of the store, since rows hold it. A sink that is
 * configured no longer is absent: its waiting rows are `orphaned`, listed but not tried and not
 * ageing, until a sink of that name returns. Its claimed rows stay until they settle. Which sinks
 * there are is one transaction; their rows may be a million, and follow in small steps (adopt.c).
 */
#include <stdio.h>
#include <string.h>

#include "store/inner.h"

static bool number_of(struct store *s, enum sql add, enum sql find, const char *name,
		      int64_t *number, struct err *err)
{
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, add);

	stmt_bind_text(q, 1, name);
	stmt_run(q);
	q = db_use(s->db, find);
	stmt_bind_text(q, 1, name);
	*number = stmt_row(q) ? stmt_int(q, 0) : 0;
	stmt_end(q);
	return store_commit_patient(s, err);
}

/* In the place of a store that went astray: the past does not go unheard. */
static bool begin_where_it_ended(struct store *s, int64_t number, struct err *err)
{
	if (s->opened.rings_from_at == 0)
		return true;
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, SQL_SOURCE_BEGIN);

	stmt_bind_int(q, 1, number);
	stmt_bind_int(q, 2, s->opened.rings_from_at);
	stmt_run(q);
	return store_commit_patient(s, err);
}

bool store_source_number(struct store *s, const char *name, int *number, struct err *err)
{
	int64_t found;
	bool is_done = number_of(s, SQL_SOURCE_ADD, SQL_SOURCE_FIND, name, &found, err);

	*number = (int)found;
	return is_done && begin_where_it_ended(s, found, err);
}

bool store_route_number(struct store *s, const char *name, int *number, struct err *err)
{
	int64_t found;
	bool is_done = number_of(s, SQL_ROUTE_ADD, SQL_ROUTE_FIND, name, &found, err);

	*number = (int)found;
	return is_done;
}

bool store_source_rename(struct store *s, const char *was, const char *name,
			 enum store_rename *out, struct err *err)
{
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, SQL_SOURCE_RENAME);

	stmt_bind_text(q, 1, was);
	stmt_bind_text(q, 2, name);
	*out = stmt_run(q) > 0 ? RENAME_DONE : RENAME_NONE;
	q = db_use(s->db, SQL_SOURCE_FIND);
	stmt_bind_text(q, 1, was);
	if (stmt_row(q))
		*out = RENAME_LATE;
	stmt_end(q);
	return store_commit_patient(s, err);
}

bool store_source_load(struct store *s, int source, struct source_state *out, struct err *err)
{
	*out = (struct source_state){ .order_seen = "unknown" };
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_SOURCE_LOAD);

	stmt_bind_int(q, 1, source);
	if (!stmt_row(q)) {
		bool is_fine = db_failure(s->db) == DB_FINE;

		return err_set(err, "%s", is_fine ? "no such source" : db_error(s->db));
	}
	snprintf(out->org_id, sizeof(out->org_id), "%s", stmt_word(q, 0));
	snprintf(out->order_seen, sizeof(out->order_seen), "%s", stmt_word(q, 1));
	out->baseline_known = !stmt_is_null(q, 2);
	out->baseline_at = stmt_int(q, 2);
	out->last_head_at = stmt_int(q, 3);
	out->last_sweep_at = stmt_int(q, 4);
	out->last_full_at = stmt_int(q, 5);
	out->head_at = stmt_int(q, 6);
	snprintf(out->head_cursor, sizeof(out->head_cursor), "%s", stmt_word(q, 7));
	out->full_pages = stmt_int(q, 8);
	stmt_end(q);
	return true;
}

/* ---- sinks ---- */

/* Of an absent sink: the present one at the end of the line, 0 where it ends with nobody. */
static int heir_of(const struct store *s, const int *heirs, int sink)
{
	int heir = sink;

	/* A line of heirs has no ring: who is present has none. The count is for damaged files. */
	for (int i = 0; i < DELIVERY_SINK_MAX && heir != 0 && s->sinks[heir].is_absent; i++)
		heir = heirs[heir];
	return heir != 0 && s->sinks[heir].is_absent ? 0 : heir;
}

void store_load_sinks(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_SINK_LIST);
	int heirs[DELIVERY_SINK_MAX + 1] = { 0 };

	while (stmt_row(q)) {
		int64_t number = stmt_int(q, 0), heir = stmt_int(q, 3);

		if (number < 1 || number > DELIVERY_SINK_MAX)
			continue;
		s->sinks[number].is_absent = stmt_int(q, 1) == 0;
		s->sinks[number].is_collapse = stmt_int(q, 2) != 0;
		s->sinks[number].heir = 0;
		if (heir >= 1 && heir <= DELIVERY_SINK_MAX)
			heirs[number] = (int)heir;
		if (stmt_int(q, 4) != 0)
			s->adopt_from = 0;
	}
	for (int i = 1; i <= DELIVERY_SINK_MAX; i++)
		if (s->sinks[i].is_absent)
			s->sinks[i].heir = heir_of(s, heirs, i);
}

static void rename_sink(struct store *s, struct store_sink *sink)
{
	struct stmt *q = db_use(s->db, SQL_SINK_RENAME);

	sink->rename = RENAME_NONE;
	stmt_bind_text(q, 1, sink->was);
	stmt_bind_text(q, 2, sink->name);
	if (stmt_run(q) > 0)
		sink->rename = RENAME_DONE;
}

static void note_type(struct store *s, struct store_sink *sink)
{
	struct stmt *q = db_use(s->db, SQL_SINK_TYPE);

	stmt_bind_text(q, 1, sink->name);
	sink->retyped = stmt_row(q) && strcmp(stmt_word(q, 0), sink->type) != 0;
	stmt_end(q);
}

/* False: no such sink, or a failure that sticks. */
static bool load_sink(struct store *s, struct store_sink *sink)
{
	struct stmt *q = db_use(s->db, SQL_SINK_LOAD);

	stmt_bind_text(q, 1, sink->name);
	if (!stmt_row(q))
		return false;
	sink->number = (int)stmt_int(q, 0);
	sink->held_until = stmt_int(q, 1);
	sink->down_since = stmt_int(q, 2);
	sink->held_total_ms = stmt_int(q, 3);
	snprintf(sink->reason, sizeof(sink->reason), "%s", stmt_word(q, 4));
	sink->paused_at = stmt_int(q, 5);
	sink->released_at = stmt_int(q, 6);
	stmt_end(q);
	return true;
}

static bool put_sink(struct store *s, struct store_sink *sink, struct err *err)
{
	note_type(s, sink);
	struct stmt *q = db_use(s->db, SQL_SINK_PUT);

	stmt_bind_text(q, 1, sink->name);
	stmt_bind_text(q, 2, sink->type);
	stmt_bind_int(q, 3, sink->collapse);
	stmt_run(q);
	if (!load_sink(s, sink))
		return true; /* failed: the commit tells */
	if (sink->number <= DELIVERY_SINK_MAX)
		return true;
	return err_set(err, "sink %s is one too many: a store holds %d names for its life",
		       sink->name, DELIVERY_SINK_MAX);
}

/* What hangs on its number. */
static void settle_sink(struct store *s, struct store_sink *sink)
{
	struct stmt *q;

	if (sink->was != NULL && sink->rename == RENAME_NONE) {
		q = db_use(s->db, SQL_SINK_HEIR);
		stmt_bind_text(q, 1, sink->was);
		stmt_bind_int(q, 2, sink->number);
		if (stmt_run(q) > 0)
			sink->rename = RENAME_LATE;
	}
	if (sink->hurry_at == 0)
		return;
	q = db_use(s->db, SQL_SINK_HURRY);
	stmt_bind_int(q, 1, sink->number);
	stmt_bind_int(q, 2, sink->hurry_at);
	stmt_run(q);
}

/* Sinks that went, and those that came back. */
static void note_moves(struct store *s, const struct sink_facts *before)
{
	for (int sink = 1; sink <= DELIVERY_SINK_MAX; sink++) {
		if (s->sinks[sink].is_absent == before[sink].is_absent)
			continue;
		struct stmt *q = db_use(s->db, SQL_SINK_MOVING);

		stmt_bind_int(q, 1, sink);
		stmt_run(q);
		s->adopt_from = 0;
	}
}

/* What no table needs to know. */
static void note_talents(struct store *s, const struct store_sink *sinks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sink_facts *facts = &s->sinks[sinks[i].number];

		facts->pairs = sinks[i].pairs;
		facts->batch_max = sinks[i].batch_max;
		facts->listed_max = sinks[i].listed_max;
		facts->names_people = sinks[i].names_people;
	}
}

static bool write_sinks(struct store *s, struct store_sink *sinks, size_t count,
			struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (sinks[i].was != NULL)
			rename_sink(s, &sinks[i]);
	stmt_run(db_use(s->db, SQL_SINKS_ABSENT));
	for (size_t i = 0; i < count; i++)
		if (!put_sink(s, &sinks[i], err))
			return false;
	for (size_t i = 0; i < count; i++)
		settle_sink(s, &sinks[i]);
	return true;
}

bool store_sinks(struct store *s, struct store_sink *sinks, size_t count, struct err *err)
{
	struct sink_facts before[DELIVERY_SINK_MAX + 1];
	int64_t adopt_from = s->adopt_from;

	memcpy(before, s->sinks, sizeof(before));
	store_begin_patient(s);
	if (!write_sinks(s, sinks, count, err)) {
		db_rollback(s->db);
		db_patience(s->db, 0);
		return false;
	}
	store_load_sinks(s);
	note_talents(s, sinks, count);
	note_moves(s, before);
	if (store_commit_patient(s, err))
		return true;
	memcpy(s->sinks, before, sizeof(before));
	s->adopt_from = adopt_from;
	return false;
}

void store_set_namer(struct store *s, const struct store_namer *namer)
{
	s->namer = *namer;
}

bool store_sinks_look(struct store *s, struct store_sink *sinks, size_t count, struct err *err)
{
	db_clear(s->db);
	for (size_t i = 0; i < count; i++)
		(void)load_sink(s, &sinks[i]);
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}
