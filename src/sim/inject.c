/*
 * inject: generated alerts stay compact while only their type, severity and status are given;
 * any other field, or a word that the API does not know, gives them a text of their own.
 *
 * created_at decides the place in the list, so it is set at birth, and again in the text: it is
 * listed as it was written, odd offset and all.
 */
#include "sim/inject.h"

#include <string.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"

static const char raw_key[] = "raw";
static const char base64_key[] = "raw_base64";

/* ---- an array of alerts ------------------------------------------------------------------ */

static const struct json_value *only_member(const struct json_value *v, const char *key)
{
	const struct json_value *member = json_get(v, key);

	return json_count(v) == 1 && json_kind(member) == JSON_STRING ? member : NULL;
}

/* Adds the bytes that an element of the array stands for. */
static bool add_bytes(const struct json *json, const struct json_value *v, struct buf *out,
		      struct err *err)
{
	const struct json_value *raw = only_member(v, raw_key);
	const struct json_value *base64 = only_member(v, base64_key);
	struct json_span span = json_bytes(json, v);
	const char *text;
	size_t len;

	if (raw != NULL) {
		text = json_text(raw, &len);
		buf_add(out, text, len);
	} else if (base64 != NULL) {
		text = json_text(base64, &len);
		if (!esc_unbase64(out, text, len))
			return err_set(err, "%s is not base64", base64_key);
	} else {
		buf_add(out, span.at, span.len);
	}
	return !out->overflow || err_set(err, "an alert is too large");
}

static bool put_array(struct world *world, const struct json *json, int64_t now,
		      struct buf *out, struct err *err)
{
	struct buf text;
	bool first = true;
	bool done = true;

	buf_init(&text, WORLD_ALERT_MAX);
	for (const struct json_value *v = json_first(json_root(json)); v != NULL && done;
	     v = json_next(v)) {
		uint32_t number;

		buf_clear(&text);
		done = add_bytes(json, v, &text, err);
		if (done && !world_put(world, text.data, text.len, now, &number))
			done = err_set(err, "the world is full");
		if (!done)
			break;
		if (!first)
			buf_addc(out, ',');
		first = false;
		world_add_id(world, number, out);
	}
	buf_release(&text);
	return done;
}

/* All elements can be put in: so that a request is taken whole or not at all. */
static bool check_array(const struct json *json, struct err *err)
{
	struct buf text;
	bool good = true;

	if (json_count(json_root(json)) > INJECT_MAX)
		return err_set(err, "more than %d alerts at once", INJECT_MAX);
	buf_init(&text, WORLD_ALERT_MAX);
	for (const struct json_value *v = json_first(json_root(json)); v != NULL && good;
	     v = json_next(v)) {
		buf_clear(&text);
		good = add_bytes(json, v, &text, err);
	}
	buf_release(&text);
	return good;
}

/* ---- generated alerts -------------------------------------------------------------------- */

struct wish {
	int64_t n;
	struct birth birth;
	struct buf fields; /* JSON: all that a birth cannot say */
};

static const char *word_of(const struct json_value *v)
{
	return json_kind(v) == JSON_STRING ? json_text(v, NULL) : NULL;
}

/* True when the birth says it all, so that no text is needed for it. */
static bool take_field(struct birth *birth, const char *key, const struct json_value *v)
{
	const char *word = word_of(v);
	size_t len;

	if (strcmp(key, "type") == 0)
		return (birth->type = word_to_type(word)) != TYPE_OTHER;
	if (strcmp(key, "severity") == 0)
		return (birth->severity = word_to_severity(word)) != SEVERITY_OTHER;
	if (strcmp(key, "status") == 0 && word_to_status(word) != STATUS_OTHER) {
		birth->status = word_to_status(word);
		return true;
	}
	if (strcmp(key, "created_at") == 0 && json_kind(v) == JSON_STRING) {
		word = json_text(v, &len);
		clock_parse_iso(word, len, &birth->created_at);
	}
	return false;
}

static void read_wish(struct wish *wish, const struct json *json)
{
	for (const struct json_value *v = json_first(json_root(json)); v != NULL;
	     v = json_next(v)) {
		const char *key = json_key(v);
		struct json_span span = json_bytes(json, v);

		if (strcmp(key, "n") == 0 || take_field(&wish->birth, key, v))
			continue;
		buf_addc(&wish->fields, wish->fields.len == 0 ? '{' : ',');
		json_add_string(&wish->fields, key);
		buf_addc(&wish->fields, ':');
		buf_add(&wish->fields, span.at, span.len);
	}
	if (wish->fields.len > 0)
		buf_addc(&wish->fields, '}');
}

static bool open_one(struct world *world, const struct wish *wish, const struct json *fields,
		     int64_t now, uint32_t *number)
{
	return fields == NULL ? world_open(world, &wish->birth, number)
			      : world_open_with(world, &wish->birth, fields, now, number);
}

static bool open_many(struct world *world, const struct wish *wish, int64_t now,
		      struct buf *out, struct err *err)
{
	struct json *fields = NULL;
	bool done = true;

	if (wish->fields.len > 0) {
		fields = json_parse(wish->fields.data, wish->fields.len, err);
		if (fields == NULL)
			return false;
	}
	for (int64_t i = 0; i < wish->n && done; i++) {
		uint32_t number;

		done = open_one(world, wish, fields, now, &number);
		if (!done)
			break;
		if (i > 0)
			buf_addc(out, ',');
		world_add_id(world, number, out);
	}
	json_free(&fields);
	return done || err_set(err, "the world is full");
}

static bool open_wish(struct world *world, const struct json *json, int64_t now,
		      struct buf *out, struct err *err)
{
	const struct json_value *n = json_get(json_root(json), "n");
	struct wish wish = { .n = 1,
			     .birth = { .created_at = now,
					.type = TYPE_OTHER,
					.severity = SEVERITY_OTHER,
					.status = STATUS_OPEN,
					.resolved_at = now } };
	bool done;

	if (n != NULL && (!json_int(n, &wish.n) || wish.n < 1 || wish.n > INJECT_MAX))
		return err_set(err, "n must be 1 to %d", INJECT_MAX);
	buf_init(&wish.fields, WORLD_ALERT_MAX);
	read_wish(&wish, json);
	done = open_many(world, &wish, now, out, err);
	buf_release(&wish.fields);
	return done;
}

bool inject(struct world *world, const struct json *json, int64_t now, struct buf *out,
	    struct err *err)
{
	enum json_kind kind = json_kind(json_root(json));
	bool done;

	if (kind != JSON_ARRAY && kind != JSON_OBJECT)
		return err_set(err, "send an object such as {\"n\":5} or an array of alerts");
	if (kind == JSON_ARRAY && !check_array(json, err))
		return false;
	buf_adds(out, "{\"ids\":[");
	done = kind == JSON_ARRAY ? put_array(world, json, now, out, err)
				  : open_wish(world, json, now, out, err);
	buf_adds(out, "]}");
	return done;
}
