/* ask: see the header. */
#include "world/ask.h"

#include <string.h>

#include "base/mem.h"
#include "store/db.h"
#include "world/world.h"

enum { KEPT_MAX = 40, BUSY_MS = 1000 };

struct asker {
	struct db *db;
	struct {
		char *sql; /* owned */
		struct stmt *stmt;
	} kept[KEPT_MAX];
	size_t count;
};

static struct asker *asker_of(struct world *w)
{
	const struct db_options options = { .read_only = true, .busy_ms = BUSY_MS };
	struct err err;

	if (w->asker != NULL)
		return w->asker;
	struct db *db = db_open(w->store, &options, &err);

	if (db == NULL)
		world_fail(w, "the store cannot be read: %s", err.text);
	w->asker = mem_new(sizeof(*w->asker));
	w->asker->db = db;
	return w->asker;
}

void ask_open(struct world *w)
{
	(void)asker_of(w);
}

void ask(struct world *w, struct question *q, const char *sql)
{
	struct asker *a = asker_of(w);
	struct err err;

	db_clear(a->db);
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->kept[i].sql, sql) == 0) {
			q->stmt = a->kept[i].stmt;
			return;
		}
	if (a->count == KEPT_MAX)
		BUG("more than %d questions: bind what differs in them", KEPT_MAX);
	q->stmt = db_query(a->db, sql, &err);
	if (q->stmt == NULL)
		world_fail(w, "%s: %s", sql, err.text);
	a->kept[a->count].sql = mem_strdup(sql);
	a->kept[a->count++].stmt = q->stmt;
}

void ask_bind(struct question *q, int at, int64_t value)
{
	stmt_bind_int(q->stmt, at, value);
}

void ask_bind_text(struct question *q, int at, const char *text)
{
	stmt_bind_text(q->stmt, at, text);
}

bool ask_next(struct question *q)
{
	return stmt_row(q->stmt);
}

void ask_end(struct world *w, struct question *q)
{
	stmt_end(q->stmt);
	q->stmt = NULL;
	if (db_failure(w->asker->db) != DB_FINE)
		world_fail(w, "the store: %s", db_error(w->asker->db));
}

static int column_of(const struct question *q, const char *column)
{
	int at = stmt_column(q->stmt, column);

	if (at < 0)
		BUG("no column is called %s", column);
	return at;
}

int64_t ask_int(const struct question *q, const char *column)
{
	return stmt_int(q->stmt, column_of(q, column));
}

const char *ask_text(const struct question *q, const char *column)
{
	size_t len;

	return stmt_text(q->stmt, column_of(q, column), &len);
}

size_t ask_len(const struct question *q, const char *column)
{
	size_t len;

	(void)stmt_text(q->stmt, column_of(q, column), &len);
	return len;
}

bool ask_is_null(const struct question *q, const char *column)
{
	return stmt_is_null(q->stmt, column_of(q, column));
}

int64_t ask_count(struct world *w, const char *sql)
{
	return ask_count_of(w, sql, NULL);
}

int64_t ask_count_of(struct world *w, const char *sql, const char *text)
{
	struct question q;

	ask(w, &q, sql);
	if (text != NULL)
		ask_bind_text(&q, 1, text);
	int64_t n = ask_next(&q) ? ask_int(&q, "n") : -1;

	ask_end(w, &q);
	return n;
}

void ask_leave(struct world *w)
{
	struct asker *a = w->asker;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++) {
		mem_free(&a->kept[i].sql);
		stmt_free(&a->kept[i].stmt);
	}
	db_close(&a->db);
	mem_free(&w->asker);
}
