/*
 * rest: how many alerts there are, by severity and by type: what a digest counts and does not
 * list (contract.md section 1, `rest`).
 *
 * Names beyond those that there is room for count as "other".
 */
#ifndef MODEL_REST_H
#define MODEL_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { REST_NAME_MAX = 40, REST_SEVERITIES_MAX = 8, REST_TYPES_MAX = 24 };

struct rest_count {
	char name[REST_NAME_MAX];
	int64_t count;
};

struct rest {
	int64_t count;
	struct rest_count severities[REST_SEVERITIES_MAX], types[REST_TYPES_MAX];
	size_t severity_count, type_count;
};

/* by: how many more of them; negative: fewer. */
void rest_add(struct rest *r, const char *severity, const char *type, int64_t by);

/* {"count":…,"by_severity":{…},"by_type":{…}}; names of which there are none are left out. */
bool rest_write(const struct rest *r, struct buf *out);
/* Reads what rest_write() wrote; of anything else it is empty. */
void rest_read(struct rest *r, const char *json, size_t len);

#endif
