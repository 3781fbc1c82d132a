/*
 * crowd: the organisation behind the alerts: its users, policies and budgets.
 *
 * A row is told from the seed and its number alone, so that a hundred thousand users need no
 * memory; only what was put in, changed or removed by hand is kept. The first rows are the cast
 * (cast.h), whose ids the alerts name. Rows keep their order and their numbers.
 */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/json.h"

enum crowd_kind { CROWD_USERS, CROWD_POLICIES, CROWD_BUDGETS };
enum {
	CROWD_KINDS = CROWD_BUDGETS + 1,
	CROWD_USERS_MAX = 100000,
	CROWD_HAND_MAX = 10000, /* rows of a kind that are kept by hand */
	CROWD_SAME_ID_MAX = 16, /* rows of one id that are found */
	CROWD_TEXT_MAX = 1 << 20,
};

struct crowd;

/* users: how many are told; at least the cast. */
struct crowd *crowd_new(uint64_t seed, size_t users) __attribute__((warn_unused_result));
void crowd_free(struct crowd **c);

/* Rows that there have ever been: 0 to count-1. */
size_t crowd_count(const struct crowd *c, enum crowd_kind kind);
/* Rows that are there now. */
size_t crowd_left(const struct crowd *c, enum crowd_kind kind);
bool crowd_exists(const struct crowd *c, enum crowd_kind kind, uint32_t row);

/* Adds the row as it is listed. */
void crowd_add(const struct crowd *c, enum crowd_kind kind, uint32_t row, struct buf *out);

/* The rows of that id that are there (at most CROWD_SAME_ID_MAX); how many. */
size_t crowd_find(const struct crowd *c, enum crowd_kind kind, const char *id,
		  uint32_t rows[CROWD_SAME_ID_MAX]);

/* A user's status and department; NULL is any. */
bool crowd_user_is(const struct crowd *c, uint32_t row, const char *status,
		   const char *department);

/* One more row that is these bytes. False when there are CROWD_HAND_MAX. */
bool crowd_put(struct crowd *c, enum crowd_kind kind, const char *text, size_t len)
	__attribute__((warn_unused_result));
/* Sets the members of changes, an object. False and err when the row is none, or too large. */
bool crowd_change(struct crowd *c, enum crowd_kind kind, uint32_t row,
		  const struct json *changes, struct err *err)
	__attribute__((warn_unused_result));
/* False when there are CROWD_HAND_MAX. */
bool crowd_remove(struct crowd *c, enum crowd_kind kind, uint32_t row)
	__attribute__((warn_unused_result));

#endif
