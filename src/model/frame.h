/*
 * frame: what stands around the items of any list of the API: `items`, `next_cursor`,
 * `has_more`, `total_count`.
 *
 * It is read leniently: split by strings and brackets alone, so that an item that is broken
 * inside its own brackets costs only itself. What items are is for who reads them.
 */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/json.h"

enum { CURSOR_MAX = 8192 }; /* bytes; opaque */

struct frame {
	struct json_span items;                 /* an array, for json_split() */
	char *next_cursor;                      /* owned; NULL on the last page (also for "") */
	bool has_more;                          /* as it said; may contradict next_cursor */
	bool has_more_known, next_cursor_known; /* it said so, be it false or null */
	int64_t total_count; /* as it said, approximate; -1: it did not, or no whole number */
};

/*
 * False, and nothing to release, for what is no list: not JSON or cut, `items` missing or no
 * array, a cursor that is no string or over CURSOR_MAX, has_more that is no boolean. null and
 * missing are the same. items borrows the bytes.
 */
bool frame_read(struct frame *e, const char *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));
void frame_release(struct frame *e);

#endif
