/*
 * patch: spans of bytes are copied, never re-written, so an alert that was put in with odd
 * numbers or spacing keeps them through a change of its status.
 */
#include "sim/patch.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const char *string_of(const struct json_value *object, const char *key, size_t *len)
{
	const struct json_value *value = json_get(object, key);

	return json_kind(value) == JSON_STRING ? json_text(value, len) : NULL;
}

void glimpse_read(struct glimpse *glimpse, const char *text, size_t len)
{
	struct buf repaired;
	struct json *json;
	const struct json_value *root;
	const char *created;
	size_t created_len;

	buf_init(&repaired, 3 * len); /* a bad byte becomes three */
	json_repair(&repaired, text, len);
	json = json_parse(repaired.data, repaired.len, NULL);
	root = json == NULL ? NULL : json_root(json);
	if (json_kind(root) != JSON_OBJECT)
		root = NULL;
	*glimpse = (struct glimpse){
		.id = mem_strdup(string_of(root, "id", NULL)),
		.severity = word_to_severity(string_of(root, "severity", NULL)),
		.status = word_to_status(string_of(root, "status", NULL)),
	};
	created = string_of(root, "created_at", &created_len);
	glimpse->has_created_at =
		created != NULL && clock_parse_iso(created, created_len, &glimpse->created_at);
	json_free(&json);
	buf_release(&repaired);
}

static void add_member(struct buf *out, const struct json *from, const struct json_value *key,
		       const struct json_value *value)
{
	struct json_span bytes = json_bytes(from, value);

	if (out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	json_add_string(out, json_key(key));
	buf_addc(out, ':');
	buf_add(out, bytes.at, bytes.len);
}

bool patch_add(struct buf *out, const char *text, size_t len, const struct json *changes,
	       struct err *err)
{
	struct json *json = json_parse(text, len, err);
	const struct json_value *wanted = json_root(changes);
	const struct json_value *old;

	if (json == NULL)
		return false;
	old = json_root(json);
	if (json_kind(old) != JSON_OBJECT) {
		json_free(&json);
		return err_set(err, "is not an object");
	}
	buf_addc(out, '{');
	for (const struct json_value *v = json_first(old); v != NULL; v = json_next(v)) {
		const struct json_value *other = json_get(wanted, json_key(v));

		add_member(out, other == NULL ? json : changes, v, other == NULL ? v : other);
	}
	for (const struct json_value *v = json_first(wanted); v != NULL; v = json_next(v))
		if (json_get(old, json_key(v)) == NULL)
			add_member(out, changes, v, v);
	buf_addc(out, '}');
	json_free(&json);
	return true;
}
