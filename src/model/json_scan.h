/*
 * json_scan: the strict scanner under json.c; only json*.c include this.
 *
 * It decides whether bytes are one JSON text (RFC 8259, UTF-8, no lone surrogates, bounded
 * depth) and writes down where each value lies, in preorder. Pure over the bytes; it allocates
 * nothing but the values, which the caller frees with mem_free().
 */
#ifndef MODEL_JSON_SCAN_H
#define MODEL_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/json.h"

/*
 * One value. The members of a container follow it: the first is the next element, each further
 * one `next` elements after its elder. key and text are filled in by json.c.
 */
struct json_value {
	const char *key;   /* decoded; NULL in an array and at the root */
	const char *text;  /* decoded string, or a number's own text; else NULL */
	uint32_t at, len;  /* its bytes */
	uint32_t key_at;   /* the key's quote; 0: it has none, since no text begins with one */
	uint32_t key_len;  /* decoded */
	uint32_t text_len; /* decoded */
	uint32_t count;    /* members */
	uint32_t next;     /* elements to the next sibling, 0 for the last */
	enum json_kind kind;
};

struct json_scan {
	const char *bytes;
	size_t len;
	size_t at;         /* where the scan is; when it failed, at what */
	const char *wrong; /* why it failed */

	struct json_span
		sound; /* within bytes: a value, not to be looked at again; len 0: none */

	bool has_escapes; /* of strings, as far as it has come */
	bool keep;        /* values are wanted */
	struct json_value *values;
	uint32_t count, room;
};

/*
 * Scans the whole of s->bytes. False: s->wrong and s->at tell. len must not be more than
 * JSON_BYTES_MAX.
 */
bool json_scan(struct json_scan *s) __attribute__((warn_unused_result));

/* The UTF-16 unit of the escape \uXXXX that begins at bytes[at], or -1 when none does. */
int json_unit_at(const char *bytes, size_t len, size_t at);

#endif
