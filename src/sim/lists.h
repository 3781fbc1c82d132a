/*
 * lists: users, policies, budgets and usage, as the API answers.
 */
#ifndef SIM_LISTS_H
#define SIM_LISTS_H

#include "sim/ask.h"

void lists_users(const struct ask *ask);
void lists_policies(const struct ask *ask);
void lists_budgets(const struct ask *ask);
/* ask->rest is the id. */
void lists_budget(const struct ask *ask);
void lists_usage(const struct ask *ask);

#endif
