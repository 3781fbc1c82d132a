/*
 * runtime: what the daemon notes of itself, and what it finds after it died.
 *
 * A row that was claimed when the last daemon ended has an outcome that nobody knows: it is due
 * again, keeps its count, and is maybe_sent for good (invariant 2). To find those rows reads
 * the table once, at start; an index on them would cost every claim and every outcome. It is
 * the last step of a start: from then on a store that was suspect is trusted.
 *
 * The same transaction makes safe what the last daemon left in the log, see db_write_anew().
 */
#include "base/kill.h"
#include "store/batches.h"
#include "store/inner.h"

int64_t store_recover(struct store *s, int64_t now, struct err *err)
{
	store_begin_patient(s);
	db_write_anew(s->db);
	batches_doubt_claimed(s);
	struct stmt *q = db_use(s->db, SQL_RECOVER);

	stmt_bind_int(q, 1, now);
	int64_t count = stmt_run(q);

	if (count > 0)
		stmt_run(db_use(s->db, SQL_HEIRS_MOVING));
	store_load_sinks(s);
	KILL_POINT("recovery-written");
	if (!store_commit_patient(s, err))
		return -1;
	keep_trust(s->path);
	return count;
}

bool store_runtime(struct store *s, int64_t now, const char *json, struct err *err)
{
	db_begin(s->db);
	struct stmt *q = db_use(s->db, SQL_RUNTIME_PUT);

	stmt_bind_int(q, 1, now);
	stmt_bind_text(q, 2, json);
	stmt_run(q);
	return db_commit(s->db, err);
}

bool store_active_alerts(struct store *s, int source,
			 void (*take)(void *arg, const char *bytes, size_t len), void *arg,
			 struct err *err)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_ACTIVE_BODIES);

	stmt_bind_int(q, 1, source);
	while (stmt_row(q)) {
		size_t len;
		const char *bytes = stmt_text(q, 0, &len);

		if (len != 0)
			take(arg, bytes, len);
	}
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}
