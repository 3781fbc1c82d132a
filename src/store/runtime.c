/*
 * runtime: what the daemon notes of itself, and what it finds after it died.
 *
 * A row that was claimed when the last daemon ended has an outcome that nobody knows: it is due
 * again, keeps its count, and is maybe_sent for good (invariant 2). To find those rows reads
 * the table once, at start; an index on them would cost every claim and every outcome.
 */
#include "store/inner.h"

int64_t store_recover(struct store *s, int64_t now, struct err *err)
{
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, SQL_RECOVER);

	stmt_bind_int(q, 1, now);
	int64_t count = stmt_run(q);

	return store_commit_patient(s, err) ? count : -1;
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
