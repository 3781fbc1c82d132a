/* rest: two short lists of names and counts. */
#include "model/rest.h"

#include <inttypes.h>
#include <string.h>

#include "base/esc.h"
#include "model/json.h"

/* The name as it is kept: cut where it is too long, never within a character. */
static void keep_name(char kept[REST_NAME_MAX], const char *name)
{
	size_t len = strlen(name);

	while (len >= REST_NAME_MAX || (len > 0 && !utf8_valid(name, len)))
		len--;
	memcpy(kept, name, len);
	kept[len] = '\0';
}

static void count_one(struct rest_count *list, size_t *used, size_t room, const char *name,
		      int64_t by)
{
	char kept[REST_NAME_MAX];

	keep_name(kept, name);
	for (size_t i = 0; i < *used; i++) {
		if (strcmp(list[i].name, kept) == 0) {
			list[i].count += by;
			return;
		}
	}
	/* The last place is for all others. */
	if (*used + 1 == room && strcmp(kept, "other") != 0) {
		count_one(list, used, room, "other", by);
		return;
	}
	if (*used == room) {
		list[room - 1].count += by;
		return;
	}
	memcpy(list[*used].name, kept, sizeof(kept));
	list[(*used)++].count = by;
}

void rest_add(struct rest *r, const char *severity, const char *type, int64_t by)
{
	r->count += by;
	count_one(r->severities, &r->severity_count, REST_SEVERITIES_MAX, severity, by);
	count_one(r->types, &r->type_count, REST_TYPES_MAX, type, by);
}

static void write_list(const struct rest_count *list, size_t count, struct buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < count; i++) {
		if (list[i].count <= 0)
			continue;
		buf_adds(out, comma);
		json_add_string(out, list[i].name);
		buf_addf(out, ":%" PRId64, list[i].count);
		comma = ",";
	}
}

bool rest_write(const struct rest *r, struct buf *out)
{
	buf_addf(out, "{\"count\":%" PRId64 ",\"by_severity\":{", r->count);
	write_list(r->severities, r->severity_count, out);
	buf_adds(out, "},\"by_type\":{");
	write_list(r->types, r->type_count, out);
	return buf_adds(out, "}}");
}

static void read_list(const struct json_value *object, struct rest_count *list, size_t *used,
		      size_t room)
{
	int64_t count;

	for (const struct json_value *v = json_first(object); v != NULL; v = json_next(v))
		if (json_key(v) != NULL && json_int(v, &count))
			count_one(list, used, room, json_key(v), count);
}

void rest_read(struct rest *r, const char *bytes, size_t len)
{
	struct err err;
	struct json *json = json_parse(bytes, len, &err);

	*r = (struct rest){ .count = 0 };
	if (json == NULL)
		return;
	const struct json_value *root = json_root(json);

	(void)json_int(json_get(root, "count"), &r->count);
	read_list(json_get(root, "by_severity"), r->severities, &r->severity_count,
		  REST_SEVERITIES_MAX);
	read_list(json_get(root, "by_type"), r->types, &r->type_count, REST_TYPES_MAX);
	json_free(&json);
}
