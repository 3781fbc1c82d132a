/*
 * json: what the scanner measured, bound to the tree that cJSON decoded.
 *
 * The scanner (json_scan.c) has accepted the bytes and listed every value in preorder before
 * cJSON sees them, so cJSON only decodes strings. Both keep the order and the duplicates of
 * the text, so one walk over both, in step, gives each value its key and its text. Number
 * nodes get their own text as valuestring: cJSON_Delete() frees that of any node.
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
	cJSON *tree; /* owns what values[].key and .text point to */
};

/* cJSON before 1.7.19 reads no more than this of a number and takes the rest for garbage. */
enum { CJSON_NUMBER_MAX = 63 };

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
	struct json_scan s = { .bytes = bytes, .len = len };

	return run(&s, err);
}

/* The tree of a text that holds a number too long for cJSON: decoded from a copy without it. */
static cJSON *tree_without_long_numbers(const struct json_scan *s)
{
	char *copy = mem_dup(s->bytes, s->len);

	for (uint32_t i = 0; i < s->count; i++) {
		const struct json_value *v = &s->values[i];

		if (v->kind != JSON_NUMBER || v->len <= CJSON_NUMBER_MAX)
			continue;
		memset(copy + v->at, ' ', v->len);
		copy[v->at] = '0';
	}
	cJSON *tree = cJSON_ParseWithLength(copy, s->len);

	mem_free(&copy);
	return tree;
}

static bool keep_number(cJSON *node, const char *text, size_t len)
{
	node->valuestring = cJSON_malloc(len + 1);
	if (node->valuestring == NULL)
		return false;
	memcpy(node->valuestring, text, len);
	node->valuestring[len] = '\0';
	return true;
}

/* Gives v and all below it their key and text. False: the two walks do not meet. */
static bool bind(struct json_value *v, cJSON *node, const char *bytes)
{
	struct json_value *member = v->count == 0 ? NULL : v + 1;

	if (v->kind == JSON_NUMBER && !keep_number(node, bytes + v->at, v->len))
		return false;
	v->key = node->string;
	v->text = node->valuestring;
	for (cJSON *child = node->child; child != NULL; child = child->next) {
		if (member == NULL || !bind(member, child, bytes))
			return false;
		member = member->next == 0 ? NULL : member + member->next;
	}
	return member == NULL;
}

struct json *json_parse(const char *bytes, size_t len, struct err *err)
{
	struct json_scan s = { .bytes = bytes, .len = len, .keep = true };
	struct json *j;

	if (!run(&s, err)) {
		mem_free(&s.values);
		return NULL;
	}
	j = mem_new(sizeof(*j));
	j->bytes = bytes;
	j->values = s.values;
	j->tree = s.number_max > CJSON_NUMBER_MAX ? tree_without_long_numbers(&s)
						  : cJSON_ParseWithLength(bytes, len);
	if (j->tree == NULL || !bind(j->values, j->tree, bytes)) {
		err_set(err, "JSON that cJSON cannot read");
		json_free(&j);
	}
	return j;
}

void json_free(struct json **j)
{
	if (*j == NULL)
		return;
	cJSON_Delete((*j)->tree);
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
