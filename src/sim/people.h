/*
 * people: users, policies and budgets as the API lists them, told from a seed and a number.
 */
#ifndef SIM_PEOPLE_H
#define SIM_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { PEOPLE_NAME_MAX = 64, PEOPLE_EMAIL_MAX = 80, PEOPLE_ID_MAX = 40 };

struct person {
	char name[PEOPLE_NAME_MAX];
	char email[PEOPLE_EMAIL_MAX];
	const char *department; /* NULL: none */
	const char *status;     /* active, inactive, suspended */
	const char *role;
};

void people_user(uint64_t seed, uint32_t row, struct person *p);

/* Ids: a group's word and the row, the same in an alert and in a list. */
extern const char people_user_group[];
extern const char people_policy_group[];
extern const char people_budget_group[];
void people_id(const char *group, uint32_t row, char id[PEOPLE_ID_MAX]);
/* False when id is none of that group's. */
bool people_row(const char *group, const char *id, uint32_t *row);

/* Each adds one object. */
void people_add_user(struct buf *out, uint64_t seed, uint32_t row);
void people_add_policy(struct buf *out, uint64_t seed, uint32_t row);
void people_add_budget(struct buf *out, uint64_t seed, uint32_t row);

#endif
