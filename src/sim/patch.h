/*
 * patch: alerts that are kept as text: what the simulator must know of one, and changing it.
 */
#ifndef SIM_PATCH_H
#define SIM_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/json.h"
#include "sim/words.h"

struct glimpse {
	char *id; /* the caller frees it; NULL when there is none that is a string */
	enum alert_severity severity;
	enum alert_status status;
	bool has_created_at;
	int64_t created_at;
};

/* Looks at any bytes: what cannot be read is OTHER, NULL or false. */
void glimpse_read(struct glimpse *glimpse, const char *text, size_t len);

/*
 * Adds text, an object, with the members of changes in place of its own; new ones at the end.
 * Untouched members keep their bytes. False and err when text is no JSON object.
 */
bool patch_add(struct buf *out, const char *text, size_t len, const struct json *changes,
	       struct err *err) __attribute__((warn_unused_result));

#endif
