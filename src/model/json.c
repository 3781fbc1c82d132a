/*
 * json: what the scanner measured, and the texts of it decoded.
 *
 * The scanner (json_scan.c) has accepted the bytes and listed every value in preorder, with the
 * length that each key and text has when decoded. The texts lie in a copy of the bytes, each where
 * it stood there, with a NUL in place of what followed it: a quote, or what ends a number. Nearly
 * every one stands for itself; one with an escape in it is decoded by cJSON, and is shorter then.
 *
 * cJSON's string buffers are whole even past a \u0000; only its lengths would end there, and
 * the lengths used here are the scanner's.
 */
#include "model/json.h"

#include <cJSON.h>
#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/json_scan.h"

struct json {
	const char *bytes; /* borrowed */
	struct json_value *values;
	char texts[]; /* a copy of the bytes, into which values[].key and .text point */
};

/* Doubles beyond 2^53 no longer tell one whole number from the next. */
static const double whole_max = 9007199254740992.0;

static bool run(struct json_scan *s, struct err *err)
{
	if (s->len > JSON_BYTES_MAX)
		return err_set(err, "more than %d bytes of JSON", JSON_BYTES_MAX);
	if (!json_scan(s))
		return err_set(err, "not JSON at byte %zu: %s", s->at, s->wrong);
	return true;
}

bool json_check(const char *bytes, size_t len, struct err *err)
{
	size_t at;

	return json_check_at(bytes, len, (struct json_span){ NULL, 0 }, &at, err);
}

bool json_check_at(const char *bytes, size_t len, struct json_span sound, size_t *at,
		   struct err *err)
{
	struct json_scan s = { .bytes = bytes, .len = len, .sound = sound };
	bool ok = run(&s, err);

	*at = s.at;
	return ok;
}

/* ---- decoding ---- */

/* The text that begins at `at`; where something in it is escaped, its bytes follow. */
static const char *end_text(char *texts, size_t at, size_t len)
{
	texts[at + len] = '\0';
	return texts + at;
}

static void end_all(const struct json_scan *s, char *texts)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct json_value *v = &s->values[i];

		if (v->key_at != 0)
			v->key = end_text(texts, v->key_at + 1, v->key_len);
		if (v->kind == JSON_STRING)
			v->text = end_text(texts, v->at + 1, v->text_len);
		else if (v->kind == JSON_NUMBER)
			v->text = end_text(texts, v->at, v->text_len);
	}
}

/* Of the string that begins with the quote at `at`. cJSON takes no notice of what follows it. An
 * escape is longer than what it stands for: a string without one in its first len bytes has none. */
static bool unescape(const struct json_scan *s, char *texts, size_t at, size_t len)
{
	if (memchr(s->bytes + at + 1, '\\', len) == NULL)
		return true;
	cJSON *string = cJSON_ParseWithLengthOpts(s->bytes + at, s->len - at, NULL, false);
	bool is_string = cJSON_IsString(string);

	if (is_string)
		memcpy(texts + at + 1, string->valuestring, len);
	cJSON_Delete(string);
	return is_string;
}

static bool unescape_all(const struct json_scan *s, char *texts)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct json_value *v = &s->values[i];

		if (v->key_at != 0 && !unescape(s, texts, v->key_at, v->key_len))
			return false;
		if (v->kind == JSON_STRING && !unescape(s, texts, v->at, v->text_len))
			return false;
	}
	return true;
}

struct json *json_parse(const char *bytes, size_t len, struct err *err)
{
	struct json_scan s = { .bytes = bytes, .len = len, .keep = true };
	struct json *j;

	if (!run(&s, err)) {
		mem_free(&s.values);
		return NULL;
	}
	j = mem_resize(NULL, 1, sizeof(*j) + len + 1);
	j->bytes = bytes;
	j->values = s.values;
	memcpy(j->texts, bytes, len);
	end_all(&s, j->texts);
	if (s.has_escapes && !unescape_all(&s, j->texts)) {
		err_set(err, "JSON that cJSON cannot read");
		json_free(&j);
	}
	return j;
}

void json_free(struct json **j)
{
	if (*j == NULL)
		return;
	mem_free(&(*j)->values);
	mem_free(j);
}

const struct json_value *json_root(const struct json *j)
{
	return j == NULL ? NULL : j->values;
}

enum json_kind json_kind(const struct json_value *v)
{
	return v == NULL ? JSON_MISSING : v->kind;
}

const struct json_value *json_get_n(const struct json_value *object, const char *key,
				    size_t len)
{
	if (json_kind(object) != JSON_OBJECT)
		return NULL;
	for (const struct json_value *v = json_first(object); v != NULL; v = json_next(v))
		if (v->key_len == len && memcmp(v->key, key, len) == 0)
			return v;
	return NULL;
}

const struct json_value *json_get(const struct json_value *object, const char *key)
{
	return json_get_n(object, key, strlen(key));
}

const struct json_value *json_first(const struct json_value *array_or_object)
{
	return json_count(array_or_object) == 0 ? NULL : array_or_object + 1;
}

const struct json_value *json_next(const struct json_value *v)
{
	return v == NULL || v->next == 0 ? NULL : v + v->next;
}

size_t json_count(const struct json_value *array_or_object)
{
	return array_or_object == NULL ? 0 : array_or_object->count;
}

const char *json_key(const struct json_value *v)
{
	return v == NULL ? NULL : v->key;
}

struct json_span json_key_span(const struct json_value *member)
{
	return (struct json_span){ member->key, member->key_len };
}

static const char *word(const char *text, size_t *len)
{
	*len = strlen(text);
	return text;
}

const char *json_text(const struct json_value *v, size_t *len)
{
	size_t unwanted;

	if (len == NULL)
		len = &unwanted;
	*len = 0;
	switch (json_kind(v)) {
	case JSON_TRUE: return word("true", len);
	case JSON_FALSE: return word("false", len);
	case JSON_NUMBER:
	case JSON_STRING: break;
	case JSON_MISSING:
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT: return NULL;
	}
	*len = v->text_len;
	return v->text;
}

bool json_int(const struct json_value *v, int64_t *value)
{
	double d;

	if (json_kind(v) != JSON_NUMBER)
		return false;
	if (num_parse_int(v->text, value, NULL))
		return true;
	/* 3600.0 and 1e3 are whole too. */
	if (!num_parse_decimal(v->text, v->text_len, &d) || !(d > -whole_max && d < whole_max))
		return false;
	*value = (int64_t)d;
	return (double)*value == d;
}

struct json_span json_bytes(const struct json *j, const struct json_value *v)
{
	if (j == NULL || v == NULL)
		return (struct json_span){ "", 0 };
	return (struct json_span){ j->bytes + v->at, v->len };
}

bool json_add_text(struct buf *out, const char *s, size_t len)
{
	struct buf whole;
	bool ok;

	if (s == NULL)
		return buf_adds(out, "null");
	ok = buf_addc(out, '"');
	if (utf8_valid(s, len)) {
		ok = esc_json(out, s, len) && ok;
		return buf_addc(out, '"') && ok;
	}
	buf_init(&whole, 3 * len); /* U+FFFD has three bytes */
	utf8_repair(&whole, s, len);
	ok = esc_json(out, whole.data, whole.len) && ok;
	buf_release(&whole);
	return buf_addc(out, '"') && ok;
}

bool json_add_string(struct buf *out, const char *s)
{
	return json_add_text(out, s, s == NULL ? 0 : strlen(s));
}

/* Whether the unit begins a pair whose other half is the escape at s[at]. */
static bool paired(int unit, const char *s, size_t len, size_t at)
{
	int low = json_unit_at(s, len, at);

	return unit >= 0xd800 && unit <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

bool json_repair(struct buf *out, const char *bytes, size_t len)
{
	size_t at = out->len;
	bool sound = utf8_repair(out, bytes, len);
	char *s = out->data;

	while (at < out->len) {
		if (s[at] != '\\') {
			at++;
			continue;
		}
		int unit = json_unit_at(s, out->len, at);

		if (unit < 0) {
			at += 2; /* another escape, or none: what it escapes begins no escape */
		} else if (paired(unit, s, out->len, at + 6)) {
			at += 12;
		} else {
			if (unit >= 0xd800 && unit <= 0xdfff) {
				memcpy(s + at, "\\ufffd", 6);
				sound = false;
			}
			at += 6;
		}
	}
	return sound;
}
