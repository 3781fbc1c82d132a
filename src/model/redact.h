/*
 * redact: an alert's bytes, or its context's, without what a sink must not see.
 *
 * A pattern is the path of a member (`message`, `metadata.model`), or of all members of an object
 * (`metadata.*`). Lists are looked through: a path goes on in each of their elements. What the API
 * says again elsewhere goes with it: `usage.user_email` with `user.email`, `user.id` with `user_id`.
 */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Adds the JSON object without what the patterns name, and with "redacted":true as its first
 * member. False, with nothing that could be used, when the bytes are no JSON object.
 */
bool redact_object(struct buf *out, const char *bytes, size_t len, char *const *patterns,
		   size_t count, struct err *err) __attribute__((warn_unused_result));

/* Does the pattern take away what stands at this path, or something of it? */
bool redact_touches(const char *pattern, const char *path);

#endif
