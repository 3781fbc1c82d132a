/* view: a query over the views for commands, its columns by name. */
#include "base/mem.h"
#include "store/inner.h"

struct view {
	struct db *db;
	struct stmt *stmt;
	char **args; /* owned: bound texts are not copied by db */
	size_t arg_count;
};

struct view *view_open(struct store *s, const char *sql, const char *const *args, size_t count,
		       struct err *err)
{
	struct stmt *stmt = db_query(s->db, sql, err);

	if (stmt == NULL)
		return NULL;
	struct view *v = mem_new(sizeof(*v));

	v->db = s->db;
	v->stmt = stmt;
	v->args = mem_array(count, sizeof(*v->args));
	v->arg_count = count;
	for (size_t i = 0; i < count; i++) {
		v->args[i] = mem_strdup(args[i]);
		stmt_bind_text(stmt, (int)i + 1, v->args[i]);
	}
	return v;
}

bool view_next(struct view *v)
{
	return stmt_row(v->stmt);
}

bool view_failed(struct view *v, struct err *err)
{
	if (db_failure(v->db) == DB_FINE)
		return false;
	err_set(err, "%s", db_error(v->db));
	return true;
}

static int column_of(struct view *v, const char *column)
{
	int at = stmt_column(v->stmt, column);

	if (at < 0)
		BUG("the view has no column %s", column);
	return at;
}

const char *view_text(struct view *v, const char *column)
{
	size_t len;

	return stmt_text(v->stmt, column_of(v, column), &len);
}

size_t view_len(struct view *v, const char *column)
{
	size_t len;

	(void)stmt_text(v->stmt, column_of(v, column), &len);
	return len;
}

int64_t view_int(struct view *v, const char *column)
{
	return stmt_int(v->stmt, column_of(v, column));
}

bool view_is_null(struct view *v, const char *column)
{
	return stmt_is_null(v->stmt, column_of(v, column));
}

void view_close(struct view **v)
{
	if (*v == NULL)
		return;
	stmt_free(&(*v)->stmt);
	for (size_t i = 0; i < (*v)->arg_count; i++)
		mem_free(&(*v)->args[i]);
	mem_free(&(*v)->args);
	mem_free(v);
}
