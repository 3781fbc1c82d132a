/* redact: members are copied as they came, but for those that are left out. */
#include "model/redact.h"

#include <string.h>

#include "base/mem.h"
#include "model/json.h"

enum { PATH_MAX_LEN = 512 };

/* The same fact stands in several places: who leaves out the one does not want the other. */
static const struct {
	const char *name, *copy;
} copies[] = {
	{ "user_id", "user.id" },
	{ "user_id", "usage.user_id" },
	{ "user.email", "usage.user_email" },
	{ "policy_id", "policy.id" },
	{ "metadata.budget_id", "budget.id" },
	{ "metadata.model", "usage.own.model" },
};

struct redaction {
	const struct json *json;
	const char **patterns; /* owned; the texts are not */
	size_t count;
	struct buf *out;
};

/* A path that is too long to be looked at is left out: rather a field too few. */
static bool extend(const char *path, const char *key, char longer[PATH_MAX_LEN])
{
	size_t at = strlen(path), len = strlen(key);

	if (at + len + 2 > PATH_MAX_LEN)
		return false;
	memcpy(longer, path, at);
	if (at > 0)
		longer[at++] = '.';
	memcpy(longer + at, key, len + 1);
	return true;
}

static bool is_named(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	if (len > 2 && strcmp(pattern + len - 2, ".*") == 0)
		return strncmp(pattern, path, len - 1) == 0;
	return strcmp(pattern, path) == 0;
}

static bool is_left_out(const struct redaction *r, const char *path)
{
	for (size_t i = 0; i < r->count; i++)
		if (is_named(r->patterns[i], path))
			return true;
	return false;
}

/* Does a pattern name something within this? */
static bool goes_within(const struct redaction *r, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < r->count; i++)
		if (strncmp(r->patterns[i], path, len) == 0 && r->patterns[i][len] == '.')
			return true;
	return false;
}

/* All of its members were to go, and it has none: then it goes itself. */
static bool is_all_within(const struct redaction *r, const struct json_value *v,
			  const char *path)
{
	size_t len = strlen(path);

	if (json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_NULL)
		return false;
	for (size_t i = 0; i < r->count; i++)
		if (strncmp(r->patterns[i], path, len) == 0 &&
		    strcmp(r->patterns[i] + len, ".*") == 0)
			return true;
	return false;
}

static void copy(struct redaction *r, const struct json_value *v, const char *path);

static void copy_members(struct redaction *r, const struct json_value *object, const char *path,
			 const char *comma)
{
	char longer[PATH_MAX_LEN];

	for (const struct json_value *v = json_first(object); v != NULL; v = json_next(v)) {
		if (!extend(path, json_key(v), longer) || is_left_out(r, longer) ||
		    is_all_within(r, v, longer))
			continue;
		buf_adds(r->out, comma);
		json_add_string(r->out, json_key(v));
		buf_addc(r->out, ':');
		copy(r, v, longer);
		comma = ",";
	}
}

static void copy_elements(struct redaction *r, const struct json_value *list, const char *path)
{
	for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
		if (v != json_first(list))
			buf_addc(r->out, ',');
		copy(r, v, path);
	}
}

/* Depth is bounded by the parser. */
static void copy(struct redaction *r, const struct json_value *v, const char *path)
{
	struct json_span as_is = json_bytes(r->json, v);
	enum json_kind kind = json_kind(v);

	if ((kind != JSON_OBJECT && kind != JSON_ARRAY) || !goes_within(r, path)) {
		buf_add(r->out, as_is.at, as_is.len);
		return;
	}
	buf_addc(r->out, kind == JSON_OBJECT ? '{' : '[');
	if (kind == JSON_OBJECT)
		copy_members(r, v, path, "");
	else
		copy_elements(r, v, path);
	buf_addc(r->out, kind == JSON_OBJECT ? '}' : ']');
}

/* Is what has this path gone with what the pattern names? */
static bool takes(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	return is_named(pattern, path) ||
	       (strncmp(pattern, path, len) == 0 && path[len] == '.');
}

static void gather(struct redaction *r, char *const *patterns, size_t count)
{
	r->patterns = mem_array(count + ARRAY_LEN(copies), sizeof(*r->patterns));
	for (size_t i = 0; i < count; i++)
		r->patterns[r->count++] = patterns[i];
	for (size_t k = 0; k < ARRAY_LEN(copies); k++) {
		size_t i = 0;

		while (i < count && !takes(patterns[i], copies[k].name))
			i++;
		if (i < count)
			r->patterns[r->count++] = copies[k].copy;
	}
}

bool redact_object(struct buf *out, const char *bytes, size_t len, char *const *patterns,
		   size_t count, struct err *err)
{
	struct json *json = json_parse(bytes, len, err);

	if (json == NULL)
		return false;
	struct redaction r = { .json = json, .out = out };
	bool is_object = json_kind(json_root(json)) == JSON_OBJECT;

	gather(&r, patterns, count);
	if (is_object) {
		buf_adds(out, "{\"redacted\":true");
		copy_members(&r, json_root(json), "", ",");
		buf_addc(out, '}');
	} else {
		err_set(err, "it is no object");
	}
	mem_free(&r.patterns);
	json_free(&json);
	return is_object && (!out->overflow || err_set(err, "it is too large"));
}

static bool is_at_or_within(const char *path, size_t len, const char *of, size_t of_len)
{
	return len >= of_len && memcmp(path, of, of_len) == 0 &&
	       (len == of_len || path[of_len] == '.');
}

static bool touches(const char *pattern, const char *path)
{
	size_t len = strlen(pattern), path_len = strlen(path);

	if (len > 2 && strcmp(pattern + len - 2, ".*") == 0)
		len -= 2;
	return is_at_or_within(path, path_len, pattern, len) ||
	       is_at_or_within(pattern, len, path, path_len);
}

bool redact_touches(const char *pattern, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		if (takes(pattern, copies[i].name) && touches(copies[i].copy, path))
			return true;
	return touches(pattern, path);
}
