/*
 * alert: one item of a page, taken whole or set aside with a reason.
 *
 * A table names every string field: where it goes, whether it may be missing. An item that is
 * no JSON only because of bad UTF-8 or a lone surrogate (a title that its author cut in the
 * middle of a character) is repaired and flagged rather than set aside: somebody must still
 * hear it. All else of its bytes stays as it came.
 */
#include "model/alert.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hmac.h"
#include "base/kill.h"
#include "base/mem.h"

struct field {
	const char *name;
	size_t len;
	size_t offset; /* of its const char * in struct alert */
};

#define FIELD(name, member)                                            \
	{                                                              \
		name, sizeof(name) - 1, offsetof(struct alert, member) \
	}

static const struct field fields[] = {
	FIELD("id", id),
	FIELD("org_id", org_id),
	FIELD("type", type),
	FIELD("severity", severity_text),
	FIELD("status", status_text),
	FIELD("title", title),
	FIELD("message", message),
	FIELD("user_id", user_id),
	FIELD("policy_id", policy_id),
	FIELD("created_at", created_text),
	FIELD("resolved_at", resolved_text),
};

enum { FIELD_COUNT = ARRAY_LEN(fields) };

static const char *const severities[] = {
	[SEVERITY_LOW] = "low",
	[SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const statuses[] = {
	[ALERT_OPEN] = "open",
	[ALERT_ACKNOWLEDGED] = "acknowledged",
	[ALERT_RESOLVED] = "resolved",
};

enum alert_severity alert_severity_rank(const char *word, bool *known)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++) {
		if (strcmp(severities[i], word) == 0) {
			if (known != NULL)
				*known = true;
			return (enum alert_severity)i;
		}
	}
	if (known != NULL)
		*known = false;
	return SEVERITY_HIGH;
}

static enum alert_status status_of(const char *word, bool *known)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (strcmp(statuses[i], word) == 0) {
			*known = true;
			return (enum alert_status)i;
		}
	}
	*known = false;
	return ALERT_OPEN;
}

/* Replaces a->bytes by a text without bad UTF-8. False: there was none, or no room for it. */
static bool repair(struct alert *a)
{
	struct buf whole;

	buf_init(&whole, ALERT_BYTES_MAX);
	if (json_repair(&whole, a->bytes, a->bytes_len) || whole.overflow) {
		buf_release(&whole);
		return false;
	}
	mem_free(&a->bytes);
	a->bytes = buf_take(&whole, &a->bytes_len);
	a->repaired = true;
	return true;
}

static bool parse(struct alert *a, struct err *err)
{
	a->json = json_parse(a->bytes, a->bytes_len, err);
	if (a->json == NULL && repair(a))
		a->json = json_parse(a->bytes, a->bytes_len, err);
	if (a->json == NULL)
		return false;
	if (json_kind(json_root(a->json)) != JSON_OBJECT)
		return err_set(err, "not an object");
	return true;
}

/* Which field it is, FIELD_COUNT: none. They mostly come in the table's order, or nearly, so that
 * the search begins with the one that would be next. */
static size_t field_of(struct json_span key, size_t next)
{
	size_t i = next;

	for (size_t n = 0; n < FIELD_COUNT; n++, i++) {
		if (i == FIELD_COUNT)
			i = 0;
		if (fields[i].len == key.len && memcmp(fields[i].name, key.at, key.len) == 0)
			return i;
	}
	return FIELD_COUNT;
}

/* Of equal keys the first. */
static void find_fields(const struct json_value *object,
			const struct json_value *found[FIELD_COUNT])
{
	const struct json_value *member = json_first(object);
	size_t next = 0;

	for (; member != NULL; member = json_next(member)) {
		size_t i = field_of(json_key_span(member), next);

		if (i == FIELD_COUNT)
			continue;
		if (found[i] == NULL)
			found[i] = member;
		next = i + 1;
	}
}

static bool read_field(struct alert *a, const struct field *field, const struct json_value *v,
		       struct err *err)
{
	const char **to = (const char **)((char *)a + field->offset);

	switch (json_kind(v)) {
	case JSON_MISSING:
	case JSON_NULL: *to = ""; return true;
	case JSON_STRING: *to = json_text(v, NULL); return true;
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	return err_set(err, "%s is not a string", field->name);
}

/* An id is a key and a C string: it must be there, of a sane length, and whole as both. */
static bool check_id(const struct alert *a, struct err *err)
{
	size_t len = 0;

	json_text(json_get(json_root(a->json), "id"), &len);
	if (len == 0)
		return err_set(err, "no id");
	if (len > ALERT_ID_MAX)
		return err_set(err, "an id of more than %d bytes", ALERT_ID_MAX);
	if (strlen(a->id) != len)
		return err_set(err, "an id that holds a NUL");
	return true;
}

static int64_t time_of(const char *text)
{
	int64_t at;

	return clock_parse_iso(text, strlen(text), &at) ? at : 0;
}

static bool read_fields(struct alert *a, struct err *err)
{
	const struct json_value *found[FIELD_COUNT] = { NULL };

	find_fields(json_root(a->json), found);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!read_field(a, &fields[i], found[i], err))
			return false;
	if (!check_id(a, err))
		return false;
	a->severity = alert_severity_rank(a->severity_text, &a->severity_known);
	a->status = status_of(a->status_text, &a->status_known);
	a->created_at = time_of(a->created_text);
	a->resolved_at = time_of(a->resolved_text);
	return true;
}

bool alert_read(struct alert *a, const char *bytes, size_t len, struct err *err)
{
	*a = (struct alert){ 0 };
	if (len > ALERT_BYTES_MAX)
		return err_set(err, "larger than %d bytes", ALERT_BYTES_MAX);
	a->bytes = mem_dup(bytes, len);
	a->bytes_len = len;
	if (parse(a, err) && read_fields(a, err)) {
		CRASH_POINT("reading", a->title);
		return true;
	}
	alert_release(a);
	return false;
}

void alert_release(struct alert *a)
{
	json_free(&a->json);
	mem_free(&a->bytes);
	*a = (struct alert){ 0 };
}

static int64_t hash_of(const unsigned char digest[HMAC_LEN])
{
	uint64_t hash = 0;

	for (size_t i = 0; i < 8; i++)
		hash = hash << 8 | digest[i];
	return (int64_t)(hash & INT64_MAX);
}

int64_t alert_hash(const char *bytes, size_t len)
{
	unsigned char digest[HMAC_LEN];

	sha256_of(bytes, len, digest);
	return hash_of(digest);
}

int64_t alert_content(const struct alert *a)
{
	/* With their NULs, so that no two contents differ only in where a text ends. */
	const struct hmac_part texts[] = {
		{ a->severity_text, strlen(a->severity_text) + 1 },
		{ a->title, strlen(a->title) + 1 },
		{ a->message, strlen(a->message) + 1 },
	};
	unsigned char digest[HMAC_LEN];

	sha256_of_parts(texts, ARRAY_LEN(texts), digest);
	return hash_of(digest);
}
