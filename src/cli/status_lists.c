/* status_lists: see the header. */
#include "cli/status_lists.h"

const struct table_column status_lists_columns[] = {
	{ .title = "SOURCE", .max = 24 },    { .title = "LIST" },
	{ .title = "KNOWN", .right = true }, { .title = "LAST READ" },
	{ .title = "ERROR", .max = 100 },    { .title = NULL },
};

static int64_t number(const struct json_value *list, const char *key)
{
	int64_t value;

	return json_int(json_get(list, key), &value) ? value : 0;
}

/* What is looked up one by one is no list that is read. */
static bool is_read(const struct json_value *list)
{
	return json_kind(json_get(list, "count")) != JSON_NULL;
}

static const char *text(const struct json_value *list, const char *key)
{
	return json_text(json_get(list, key), NULL);
}

void status_lists_json(struct jline *j, const struct json_value *source)
{
	const struct json_value *list = json_first(json_get(source, "context"));

	jline_open(j, "context", '[');
	for (; list != NULL; list = json_next(list)) {
		jline_open(j, NULL, '{');
		jline_text(j, "list", text(list, "list"));
		if (is_read(list))
			jline_int(j, "count", number(list, "count"));
		else
			jline_null(j, "count");
		jline_at(j, "last_read_at", number(list, "read_at"));
		jline_text(j, "error", text(list, "error"));
		jline_close(j, '}');
	}
	jline_close(j, ']');
}

size_t status_lists_rows(struct table *t, const char *name, const struct json_value *source,
			 int64_t now)
{
	const struct json_value *list = json_first(json_get(source, "context"));
	size_t count = 0;

	for (; list != NULL; list = json_next(list), count++) {
		table_cell(t, COLOUR_NONE, name);
		table_cell(t, COLOUR_NONE, text(list, "list"));
		if (is_read(list))
			table_int(t, number(list, "count"));
		else
			table_cell(t, COLOUR_NONE, NULL);
		table_at(t, number(list, "read_at"), now);
		table_cell(t, COLOUR_BAD, text(list, "error"));
	}
	return count;
}
