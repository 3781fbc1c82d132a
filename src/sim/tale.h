/*
 * tale: a generated alert, told from its number. Nothing of its text is stored: the seed and
 * the number are all there is, so a million alerts need no more memory than their states.
 */
#ifndef SIM_TALE_H
#define SIM_TALE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/words.h"

struct tale {
	uint64_t seed;
	uint32_t number;
	enum alert_type type; /* not OTHER; the next two neither */
	enum alert_severity severity;
	enum alert_status status;
	int64_t created_at;
	int64_t resolved_at; /* 0: not resolved */
};

/* The type and severity that an alert of that seed and number has by nature. */
enum alert_type tale_type(uint64_t seed, uint32_t number);
enum alert_severity tale_severity(uint64_t seed, uint32_t number, enum alert_type type);

/* Adds the alert as the API lists it, one line of JSON. */
void tale_add(struct buf *out, const struct tale *tale);

/* Ids look like UUIDs. False when id is none of this seed's. */
enum { TALE_ID_MAX = 40 };
void tale_id(uint64_t seed, uint32_t number, char id[TALE_ID_MAX]);
bool tale_number(uint64_t seed, const char *id, uint32_t *number);

#endif
