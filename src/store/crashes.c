/*
 * crashes: what the program was working on when it crashed, and how often.
 *
 * A crash is counted once, by its instant: a daemon that dies between counting and removing the
 * note finds the note again. Only crashes of the same version add up; a new one may have been
 * mended. What is counted STORE_CRASHES_MAX times is given up: a row ends as a dead letter here,
 * an alert is set aside by who takes it in (store_crashed_alerts()).
 */
#include "base/mem.h"
#include "store/batches.h"
#include "store/inner.h"
#include "store/order.h"

static int source_of(struct store *s, const char *name)
{
	struct stmt *q = db_use(s->db, SQL_SOURCE_FIND);

	stmt_bind_text(q, 1, name);
	int number = stmt_row(q) ? (int)stmt_int(q, 0) : 0;

	stmt_end(q);
	return number;
}

static void bind_key(struct stmt *q, const struct store_crash *c, int source)
{
	stmt_bind_int(q, 1, c->delivery);
	stmt_bind_int(q, 2, source);
	stmt_bind_text(q, 3, c->alert);
	stmt_bind_int(q, 4, c->hash);
}

/* How often so far. */
static int64_t count(struct store *s, const struct store_crash *c, int source)
{
	struct stmt *q = db_use(s->db, SQL_CRASH_COUNT);

	bind_key(q, c, source);
	stmt_bind_int(q, 5, c->at);
	stmt_bind_text(q, 6, c->given_up);
	stmt_bind_text(q, 7, TOCSIN_VERSION);
	stmt_run(q);
	q = db_use(s->db, SQL_CRASH_FIND);
	bind_key(q, c, source);
	int64_t times = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return times;
}

/* A first crash is told by the row's reason and by an attempt; the row is tried again. */
static void tell_row(struct store *s, const struct store_crash *c)
{
	struct stmt *q = db_use(s->db, SQL_CRASH_TELL);

	stmt_bind_int(q, 1, c->delivery);
	stmt_bind_text(q, 2, c->reason);
	stmt_run(q);
}

static void add_attempt(struct store *s, const struct store_crash *c)
{
	struct stmt *q = db_use(s->db, SQL_ATTEMPT_ADD);

	stmt_bind_int(q, 1, c->delivery);
	stmt_bind_int(q, 2, c->at);
	stmt_bind_int(q, 3, 0);
	stmt_bind_text(q, 4, verdict_name(VERDICT_LATER));
	stmt_bind_text(q, 5, NULL);
	stmt_bind_text(q, 6, c->reason);
	stmt_run(q);
}

static bool is_counted(struct store *s, const struct store_crash *c, int source)
{
	struct stmt *q = db_use(s->db, SQL_CRASH_FIND);

	bind_key(q, c, source);
	bool is_same = stmt_row(q) && stmt_int(q, 1) == c->at;

	stmt_end(q);
	return is_same;
}

/* A row that is on its way again, or waits for its sink to come back. */
static bool is_waiting(const struct stored_row *row)
{
	return row->state == DELIVERY_DUE || row->state == DELIVERY_ORPHANED;
}

static enum store_crashed take_row(struct store *s, const struct store_crash *c, int64_t now,
				   int64_t *times)
{
	struct stored_row row;

	if (!order_find(s, c->delivery, &row) || !is_waiting(&row) || is_counted(s, c, 0))
		return CRASHED_STALE;
	*times = count(s, c, 0);
	add_attempt(s, c);
	tell_row(s, c);
	if (*times < STORE_CRASHES_MAX)
		return CRASHED_COUNTED;
	batches_part(s, c->delivery, row.batch, now);
	order_end(s, c->delivery, DELIVERY_DEAD, c->given_up, now);
	order_release(s, c->delivery, row.after, now);
	return CRASHED_GIVEN_UP;
}

static enum store_crashed take_alert(struct store *s, const struct store_crash *c,
				     int64_t *times)
{
	int source = source_of(s, c->source);

	if (source == 0 || (c->alert[0] == '\0' && c->hash == 0) || is_counted(s, c, source))
		return CRASHED_STALE;
	*times = count(s, c, source);
	return *times < STORE_CRASHES_MAX ? CRASHED_COUNTED : CRASHED_GIVEN_UP;
}

enum store_crashed store_crashed(struct store *s, const struct store_crash *c, int64_t now,
				 int64_t *times, struct err *err)
{
	*times = 0;
	store_begin_patient(s);
	enum store_crashed what =
		c->delivery != 0 ? take_row(s, c, now, times) : take_alert(s, c, times);

	return store_commit_patient(s, err) ? what : CRASHED_NOT_STORED;
}

bool store_crashed_alerts(struct store *s, int source, store_crashed_fn *take, void *arg,
			  struct err *err)
{
	db_clear(s->db);
	struct stmt *q = db_use(s->db, SQL_CRASHED_ALERTS);

	stmt_bind_int(q, 1, source);
	stmt_bind_text(q, 2, TOCSIN_VERSION);
	stmt_bind_int(q, 3, STORE_CRASHES_MAX);
	while (stmt_row(q))
		take(arg, stmt_word(q, 0), stmt_int(q, 1), stmt_word(q, 2));
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}
