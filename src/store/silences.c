/* silences: one small table. An end is an earlier `until`, so that nothing else need be known. */
#include "store/silences.h"

#include <inttypes.h>

#include "store/inner.h"

static int64_t count_in_force(struct store *s, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_SILENCES_COUNT);

	stmt_bind_int(q, 1, now);
	int64_t count = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return count;
}

bool store_silence_add(struct store *s, const struct silence *silence, int64_t *id,
		       struct err *err)
{
	store_begin_patient(s);
	bool is_full = count_in_force(s, silence->since) >= SILENCES_MAX;

	if (!is_full) {
		struct stmt *q = db_use(s->db, SQL_SILENCE_ADD);

		stmt_bind_text(q, 1, silence->matchers);
		stmt_bind_int(q, 2, silence->since);
		stmt_bind_int(q, 3, silence->until);
		stmt_bind_text(q, 4, silence->comment);
		stmt_bind_text(q, 5, silence->who);
		stmt_run(q);
		*id = db_last_id(s->db);
	}
	if (!store_commit_patient(s, err))
		return false;
	return !is_full || err_set(err,
				   "%d silences are in force, and no more are taken: end some, "
				   "or say more in one, by a pattern (=~)",
				   SILENCES_MAX);
}

bool store_silence_end(struct store *s, int64_t id, int64_t now, struct err *err)
{
	store_begin_patient(s);
	struct stmt *q = db_use(s->db, SQL_SILENCE_FIND);

	stmt_bind_int(q, 1, id);
	bool is_known = stmt_row(q);
	int64_t until = is_known ? stmt_int(q, 0) : 0;

	stmt_end(q);
	if (until > now) {
		q = db_use(s->db, SQL_SILENCE_END);
		stmt_bind_int(q, 1, id);
		stmt_bind_int(q, 2, now);
		stmt_run(q);
	}
	if (!store_commit_patient(s, err))
		return false;
	if (!is_known)
		return err_set(err, "the store knows no silence %" PRId64, id);
	return until > now || err_set(err, "silence %" PRId64 " is over already", id);
}

bool store_silences_stamp(struct store *s, struct silences_stamp *out, struct err *err)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_SILENCES_STAMP);
	bool is_read = stmt_row(q);

	if (is_read)
		*out = (struct silences_stamp){ stmt_int(q, 0), stmt_int(q, 1) };
	stmt_end(q);
	return is_read || err_set(err, "%s", db_error(s->db));
}

bool store_silences_each(struct store *s, int64_t now,
			 void (*take)(void *arg, const struct silence *silence), void *arg,
			 struct err *err)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_SILENCES);

	stmt_bind_int(q, 1, now);
	while (stmt_row(q))
		take(arg, &(struct silence){ .id = stmt_int(q, 0),
					     .since = stmt_int(q, 1),
					     .until = stmt_int(q, 2),
					     .matchers = stmt_word(q, 3),
					     .comment = "",
					     .who = "" });
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}
