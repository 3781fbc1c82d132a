/*
 * names: the numbers of sources, routes and sinks, and what is stored of them.
 *
 * A number is given once and kept for the life of the store, since rows hold it. A sink that is
 * configured no longer is absent: its waiting rows are `orphaned`, listed but not tried and not
 * ageing, until a sink of that name returns. Its claimed rows stay until they settle.
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

bool store_source_number(struct store *s, const char *name, int *number, struct err *err)
{
	int64_t found;
	bool is_done = number_of(s, SQL_SOURCE_ADD, SQL_SOURCE_FIND, name, &found, err);

	*number = (int)found;
	return is_done;
}

bool store_route_number(struct store *s, const char *name, int *number, struct err *err)
{
	int64_t found;
	bool is_done = number_of(s, SQL_ROUTE_ADD, SQL_ROUTE_FIND, name, &found, err);

	*number = (int)found;
	return is_done;
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
	stmt_end(q);
	return true;
}

/* ---- sinks ---- */

void store_load_sinks(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_SINK_LIST);

	while (stmt_row(q)) {
		int64_t number = stmt_int(q, 0);

		if (number < 1 || number > DELIVERY_SINK_MAX)
			continue;
		s->sinks[number] = (struct sink_facts){
			.is_absent = stmt_int(q, 1) == 0,
			.is_collapse = stmt_int(q, 2) != 0,
		};
	}
}

static bool put_sink(struct store *s, struct store_sink *sink, struct err *err)
{
	struct stmt *q = db_use(s->db, SQL_SINK_PUT);

	stmt_bind_text(q, 1, sink->name);
	stmt_bind_text(q, 2, sink->type);
	stmt_bind_int(q, 3, sink->collapse);
	stmt_run(q);
	q = db_use(s->db, SQL_SINK_LOAD);
	stmt_bind_text(q, 1, sink->name);
	if (!stmt_row(q))
		return true; /* failed: the commit tells */
	sink->number = (int)stmt_int(q, 0);
	sink->held_until = stmt_int(q, 1);
	sink->down_since = stmt_int(q, 2);
	sink->held_total_ms = stmt_int(q, 3);
	snprintf(sink->reason, sizeof(sink->reason), "%s", stmt_word(q, 4));
	stmt_end(q);
	if (sink->number <= DELIVERY_SINK_MAX)
		return true;
	return err_set(err, "sink %s is one too many: a store holds %d names for its life",
		       sink->name, DELIVERY_SINK_MAX);
}

static void move_rows(struct store *s, enum sql change, int sink)
{
	struct stmt *q = db_use(s->db, change);

	stmt_bind_int(q, 1, sink);
	stmt_run(q);
}

/* Rows of sinks that went, and of those that came back. To find the latter reads the whole
 * table once: rare, and no hot row pays for an index. */
static void move_rows_of(struct store *s, const struct sink_facts *before)
{
	for (int sink = 1; sink <= DELIVERY_SINK_MAX; sink++) {
		if (s->sinks[sink].is_absent && !before[sink].is_absent) {
			move_rows(s, SQL_ORPHAN_DUE, sink);
			move_rows(s, SQL_ORPHAN_HELD, sink);
		} else if (!s->sinks[sink].is_absent && before[sink].is_absent) {
			move_rows(s, SQL_ADOPT, sink);
		}
	}
}

bool store_sinks(struct store *s, struct store_sink *sinks, size_t count, struct err *err)
{
	struct sink_facts before[DELIVERY_SINK_MAX + 1];
	bool is_good = true;

	memcpy(before, s->sinks, sizeof(before));
	store_begin_patient(s);
	stmt_run(db_use(s->db, SQL_SINKS_ABSENT));
	for (size_t i = 0; i < count && is_good; i++)
		is_good = put_sink(s, &sinks[i], err);
	if (!is_good) {
		db_rollback(s->db);
		db_patience(s->db, 0);
		return false;
	}
	store_load_sinks(s);
	move_rows_of(s, before);
	if (store_commit_patient(s, err))
		return true;
	memcpy(s->sinks, before, sizeof(before));
	return false;
}
