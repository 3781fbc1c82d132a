/*
 * status_lists: the lists behind a source's alerts (its `context`), as the daemon last told.
 */
#ifndef CLI_STATUS_LISTS_H
#define CLI_STATUS_LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/jline.h"
#include "cli/table.h"
#include "model/json.h"

extern const struct table_column status_lists_columns[];

/* source: what the daemon says of it; NULL: nothing. */
void status_lists_json(struct jline *j, const struct json_value *source);
/* A row a list; returns how many. */
size_t status_lists_rows(struct table *t, const char *name, const struct json_value *source,
			 int64_t now);

#endif
