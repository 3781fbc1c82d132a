/* frame: its members are found by json_split() and looked at one by one. */
#include "model/frame.h"

#include <string.h>

#include "base/mem.h"

enum { TOTAL_COUNT_LEN_MAX = 40 }; /* longer is no count, and not worth a look */

/* Where json_split() found what; at NULL: not there. */
struct members {
	struct json_span items, next_cursor, has_more, total_count;
};

static void note(struct json_span *member, struct json_span value)
{
	if (member->at == NULL) /* of two equal keys the first wins */
		*member = value;
}

static bool says(struct json_span span, const char *word)
{
	return span.len == strlen(word) && memcmp(span.at, word, span.len) == 0;
}

static bool note_member(void *arg, struct json_span key, struct json_span value)
{
	struct members *m = arg;

	if (says(key, "items"))
		note(&m->items, value);
	else if (says(key, "next_cursor"))
		note(&m->next_cursor, value);
	else if (says(key, "has_more"))
		note(&m->has_more, value);
	else if (says(key, "total_count"))
		note(&m->total_count, value);
	return true;
}

static bool is_absent(struct json_span value)
{
	return value.at == NULL || says(value, "null");
}

/* The text of a cursor, which is sent back as it is; an empty one is none. */
static bool read_cursor(struct frame *e, struct json_span value, struct err *err)
{
	struct json *j;
	const char *text;
	size_t len;
	bool ok = true;

	e->next_cursor_known = value.at != NULL;
	if (is_absent(value))
		return true;
	if (value.len > 6 * CURSOR_MAX + 2) /* even if every byte is an escape */
		return err_set(err, "next_cursor is longer than %d bytes", CURSOR_MAX);
	j = json_parse(value.at, value.len, err);
	if (j == NULL)
		return err_prefix(err, "next_cursor");
	text = json_text(json_root(j), &len);
	if (json_kind(json_root(j)) != JSON_STRING)
		ok = err_set(err, "next_cursor is neither a string nor null");
	else if (len > CURSOR_MAX)
		ok = err_set(err, "next_cursor is longer than %d bytes", CURSOR_MAX);
	else if (memchr(text, '\0', len) != NULL)
		ok = err_set(err, "next_cursor holds a NUL");
	else if (len > 0)
		e->next_cursor = mem_dup(text, len);
	json_free(&j);
	return ok;
}

static bool read_has_more(struct frame *e, struct json_span value, struct err *err)
{
	if (is_absent(value))
		return true;
	e->has_more = says(value, "true");
	e->has_more_known = e->has_more || says(value, "false");
	return e->has_more_known || err_set(err, "has_more is neither true nor false");
}

/* Only for people, so what is no count is no error. */
static void read_total_count(struct frame *e, struct json_span value)
{
	int64_t count;

	if (value.at == NULL || value.len > TOTAL_COUNT_LEN_MAX)
		return;
	struct json *j = json_parse(value.at, value.len, NULL);

	if (json_int(json_root(j), &count) && count >= 0)
		e->total_count = count;
	json_free(&j);
}

static bool read_items(struct frame *e, struct json_span value, struct err *err)
{
	if (value.at == NULL)
		return err_set(err, "no items");
	if (value.len == 0 || *value.at != '[')
		return err_set(err, "items is not an array");
	e->items = value;
	return true;
}

bool frame_read(struct frame *e, const char *bytes, size_t len, struct err *err)
{
	struct members m = { 0 };

	*e = (struct frame){ .total_count = -1 };
	if (!json_split(bytes, len, note_member, &m, err))
		return false;
	read_total_count(e, m.total_count);
	if (read_cursor(e, m.next_cursor, err) && read_has_more(e, m.has_more, err) &&
	    read_items(e, m.items, err))
		return true;
	frame_release(e);
	return false;
}

void frame_release(struct frame *e)
{
	mem_free(&e->next_cursor);
	*e = (struct frame){ .total_count = -1 };
}
