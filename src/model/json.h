/*
 * json: strict RFC 8259 in, exact bytes kept (cJSON decodes escapes, the strictness is ours).
 *
 * cJSON alone accepts `01`, control characters, bad UTF-8 and trailing garbage, ends strings at
 * \u0000 and rounds integers past 2^53. So a text is checked here first, byte by byte; numbers
 * keep the text they had, strings their full length, and every value its byte range. Depth is
 * bounded at JSON_DEPTH_MAX, size at JSON_BYTES_MAX. Of two equal keys the first wins. A lone
 * surrogate (\ud800) is not text and fails; json_repair() makes it U+FFFD.
 *
 * Ownership: a struct json borrows the bytes it was parsed from; they must outlive it. All
 * pointers it hands out live as long as it does.
 */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 64 << 20 };

struct json;
struct json_value;

enum json_kind {
	JSON_MISSING, /* what a NULL value is */
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_span {
	const char *at;
	size_t len;
};

/* True when the bytes are exactly one JSON text in UTF-8; err names the byte offset. */
bool json_check(const char *bytes, size_t len, struct err *err);
/*
 * The same; *at is the byte that is wrong, len where the text ends too early. `sound` (len 0: none)
 * is a piece of the bytes that is known to be a value: where one may stand, it is passed over.
 */
bool json_check_at(const char *bytes, size_t len, struct json_span sound, size_t *at,
		   struct err *err);

struct json *json_parse(const char *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));
void json_free(struct json **j);
const struct json_value *json_root(const struct json *j);

/* All of these accept NULL (a missing value) and then answer missing, NULL, 0 or false. */
enum json_kind json_kind(const struct json_value *v);
const struct json_value *json_get(const struct json_value *object, const char *key);
const struct json_value *json_get_n(const struct json_value *object, const char *key,
				    size_t len);
const struct json_value *json_first(const struct json_value *array_or_object);
const struct json_value *json_next(const struct json_value *v);
size_t json_count(const struct json_value *array_or_object);
/* NULL for a member of an array. */
const char *json_key(const struct json_value *v);
/* The same of a member of an object, decoded, with its length: it may hold NULs. */
struct json_span json_key_span(const struct json_value *member);
/*
 * A string's value (may hold NULs: see *len), a number's own text, "true" or "false"; else NULL.
 * A NUL follows it; len may be NULL.
 */
const char *json_text(const struct json_value *v, size_t *len);
/* A number that is a whole int64; 3600.0 and 1e3 are. */
bool json_int(const struct json_value *v, int64_t *value);
/* The bytes of a value as they came. */
struct json_span json_bytes(const struct json *j, const struct json_value *v);

/*
 * Lenient splitting, for envelopes: calls each() with the key (without quotes; empty in an
 * array) and the bytes of every member of the object or array in text, looking only at strings
 * and brackets, so that one bad member does not hide the others. each() returns false to stop.
 * A value is trimmed and may be empty (`[1,,2]`). False when the brackets do not match (a cut
 * body), when anything follows, or when each() stopped.
 */
bool json_split(const char *bytes, size_t len,
		bool (*each)(void *arg, struct json_span key, struct json_span value),
		void *arg, struct err *err) __attribute__((warn_unused_result));

/* Adds s as a JSON string with its quotes; bad UTF-8 is repaired. NULL adds null. */
bool json_add_text(struct buf *out, const char *s, size_t len);
bool json_add_string(struct buf *out, const char *s);

/*
 * Adds bytes that are nearly JSON, bad UTF-8 and escapes of lone surrogates replaced by U+FFFD;
 * true when there were none. Whether it is JSON then, json_parse() tells.
 */
bool json_repair(struct buf *out, const char *bytes, size_t len);

#endif
