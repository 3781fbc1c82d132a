/*
 * directory: one table for the three lists. A page whose objects are all as they were writes
 * nothing; which rows a pass has seen is known to the caller alone, by their numbers.
 */
#include "store/directory.h"

#include "base/kill.h"
#include "store/inner.h"

enum { END_STEP_ROWS = 1000 };

static void bind_list(struct stmt *q, struct directory_list of)
{
	stmt_bind_int(q, 1, of.source);
	stmt_bind_int(q, 2, (int)of.kind);
}

static enum directory_done failed(struct store *s, struct err *err)
{
	if (db_failure(s->db) == DB_BUSY)
		return DIRECTORY_BUSY;
	(void)keep_failed(s, err);
	return DIRECTORY_FAILED;
}

/* ---- a page ---- */

struct stored {
	int64_t number; /* 0: there is none */
	int64_t hash;
	bool is_gone, was_listed;
};

static struct stored find(struct store *s, struct directory_list of, const char *id)
{
	struct stmt *q = db_use(s->db, SQL_DIRECTORY_FIND);
	struct stored row = { 0 };

	bind_list(q, of);
	stmt_bind_text(q, 3, id);
	if (stmt_row(q)) {
		row.number = stmt_int(q, 0);
		row.hash = stmt_int(q, 1);
		row.is_gone = !stmt_is_null(q, 2);
		row.was_listed = stmt_int(q, 3) > 0;
	}
	stmt_end(q);
	return row;
}

static bool is_as_it_was(const struct stored *row, const struct listed *item)
{
	return row->number != 0 && row->was_listed && !row->is_gone && row->hash == item->hash;
}

static int64_t put(struct store *s, struct directory_list of, const struct listed *item,
		   int64_t number)
{
	struct stmt *q = db_use(s->db, number == 0 ? SQL_DIRECTORY_ADD : SQL_DIRECTORY_CHANGE);

	if (number == 0) {
		bind_list(q, of);
		stmt_bind_text(q, 6, item->id);
	} else {
		stmt_bind_int(q, 1, number);
	}
	stmt_bind_int(q, 3, item->hash);
	stmt_bind_text(q, 4, item->place);
	stmt_bind_bytes(q, 5, item->body, item->body_len);
	stmt_run(q);
	return number == 0 ? db_last_id(s->db) : number;
}

static bool has_news(struct store *s, struct directory_list of, const struct listing *page)
{
	for (size_t i = 0; i < page->item_count; i++) {
		struct stored row = find(s, of, page->items[i].id);

		if (!is_as_it_was(&row, &page->items[i]))
			return true;
	}
	return false;
}

static void note_listed(struct store *s, struct directory_list of, const struct listing *page,
			struct bits *listed)
{
	for (size_t i = 0; i < page->item_count; i++)
		bits_add(listed, find(s, of, page->items[i].id).number);
}

enum directory_done store_directory_page(struct store *s, struct directory_list of,
					 const struct listing *page, struct bits *listed,
					 size_t *changed, struct err *err)
{
	*changed = 0;
	db_look(s->db);
	bool is_new = has_news(s, of, page);

	if (!is_new)
		note_listed(s, of, page, listed);
	bool is_read = db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));

	db_rollback(s->db);
	if (!is_read)
		return failed(s, err);
	if (!is_new)
		return DIRECTORY_DONE;
	db_begin(s->db);
	for (size_t i = 0; i < page->item_count; i++) {
		struct stored row = find(s, of, page->items[i].id);

		if (is_as_it_was(&row, &page->items[i]))
			continue;
		put(s, of, &page->items[i], row.number);
		++*changed;
	}
	KILL_POINT("directory-written");
	if (!db_commit(s->db, err))
		return failed(s, err);
	note_listed(s, of, page, listed);
	return DIRECTORY_DONE;
}

/* ---- the end of a pass ---- */

/* Of some rows that were listed before, those that go. */
struct leaving {
	int64_t numbers[END_STEP_ROWS];
	size_t count;
	size_t rows;  /* that were looked at */
	int64_t last; /* of them */
};

static void find_leaving(struct store *s, struct directory_list of, const struct bits *listed,
			 int64_t from, struct leaving *out)
{
	struct stmt *q = db_use(s->db, SQL_DIRECTORY_STEP);

	bind_list(q, of);
	stmt_bind_int(q, 3, from);
	stmt_bind_int(q, 4, END_STEP_ROWS);
	while (stmt_row(q)) {
		out->rows++;
		out->last = stmt_int(q, 0);
		if (!bits_has(listed, out->last))
			out->numbers[out->count++] = out->last;
	}
}

static void let_go(struct store *s, const struct leaving *leaving, int64_t now)
{
	for (size_t i = 0; i < leaving->count; i++) {
		struct stmt *q = db_use(s->db, SQL_DIRECTORY_GO);

		stmt_bind_int(q, 1, leaving->numbers[i]);
		stmt_bind_int(q, 2, now);
		stmt_run(q);
	}
}

static void forget(struct store *s, struct directory_list of, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_DIRECTORY_FORGET);

	bind_list(q, of);
	stmt_bind_int(q, 3, now - DIRECTORY_KEEP_MS);
	stmt_run(q);
}

static void note_pass(struct store *s, struct directory_list of, size_t count, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_MIRRORED_PUT);

	bind_list(q, of);
	stmt_bind_int(q, 3, now);
	stmt_bind_int(q, 4, (int64_t)count);
	stmt_run(q);
}

enum directory_done store_directory_end(struct store *s, struct directory_list of,
					const struct bits *listed, int64_t now, int64_t *from,
					struct err *err)
{
	struct leaving leaving = { .last = *from };

	db_clear(s->db);
	find_leaving(s, of, listed, *from, &leaving);
	bool is_last = leaving.rows < END_STEP_ROWS;

	if (db_failure(s->db) != DB_FINE) {
		err_set(err, "%s", db_error(s->db));
		return failed(s, err);
	}
	if (is_last || leaving.count > 0) {
		db_begin(s->db);
		let_go(s, &leaving, now);
		if (is_last) {
			forget(s, of, now);
			note_pass(s, of, bits_count(listed), now);
		}
		KILL_POINT("directory-ended");
		if (!db_commit(s->db, err))
			return failed(s, err);
	}
	*from = leaving.last;
	return is_last ? DIRECTORY_DONE : DIRECTORY_MORE;
}

bool store_directory_mirrored(struct store *s, struct directory_list of, int64_t *at,
			      int64_t *count, struct err *err)
{
	struct stmt *q;

	*at = *count = 0;
	db_clear(s->db);
	q = db_use(s->db, SQL_MIRRORED_GET);
	bind_list(q, of);
	if (stmt_row(q)) {
		*at = stmt_int(q, 0);
		*count = stmt_int(q, 1);
	}
	stmt_end(q);
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}

/* ---- asking ---- */

/* Within a transaction of the caller's a failure before is not to be forgotten. */
static void begin_reading(struct store *s)
{
	if (!db_is_begun(s->db))
		db_clear(s->db);
}

bool store_directory_find(struct store *s, struct directory_list of, const char *id,
			  struct buf *body, enum directory_known *known, struct err *err)
{
	struct stmt *q;
	size_t len;

	*known = DIRECTORY_UNKNOWN;
	begin_reading(s);
	q = db_use(s->db, SQL_DIRECTORY_BODY);
	bind_list(q, of);
	stmt_bind_text(q, 3, id);
	if (stmt_row(q)) {
		const char *text = stmt_text(q, 0, &len);

		*known = len == 0             ? DIRECTORY_ASKED
			 : stmt_is_null(q, 1) ? DIRECTORY_KNOWN
					      : DIRECTORY_GONE;
		if (body != NULL && len > 0)
			buf_add(body, text, len);
	}
	stmt_end(q);
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}

enum directory_done store_directory_ask(struct store *s, struct directory_list of,
					const char *id, int64_t now, bool *is_first,
					struct err *err)
{
	struct stmt *q;

	*is_first = false;
	db_begin(s->db);
	q = db_use(s->db, SQL_DIRECTORY_ASK);
	bind_list(q, of);
	stmt_bind_text(q, 3, id);
	stmt_bind_int(q, 4, now);
	bool was_added = stmt_run(q) > 0;

	if (!db_commit(s->db, err))
		return failed(s, err);
	*is_first = was_added;
	return DIRECTORY_DONE;
}

static bool take_bodies(struct store *s, struct stmt *q,
			void (*take)(void *arg, const char *body, size_t len), void *arg,
			struct err *err)
{
	size_t len;

	while (stmt_row(q)) {
		const char *body = stmt_text(q, 0, &len);

		take(arg, body, len);
	}
	return db_failure(s->db) == DB_FINE || err_set(err, "%s", db_error(s->db));
}

bool store_directory_budgets(struct store *s, int source, const char *place,
			     void (*take)(void *arg, const char *body, size_t len), void *arg,
			     struct err *err)
{
	begin_reading(s);
	struct stmt *q = db_use(s->db, SQL_DIRECTORY_BUDGETS);

	stmt_bind_int(q, 1, source);
	stmt_bind_text(q, 2, place);
	return take_bodies(s, q, take, arg, err);
}

bool store_directory_all_budgets(struct store *s, int source,
				 void (*take)(void *arg, const char *body, size_t len),
				 void *arg, struct err *err)
{
	begin_reading(s);
	struct stmt *q = db_use(s->db, SQL_DIRECTORY_ALL_BUDGETS);

	stmt_bind_int(q, 1, source);
	return take_bodies(s, q, take, arg, err);
}
