/*
 * context: what an alert may be enriched with, and whose lists the directory mirrors.
 */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include <stdbool.h>

/* The first three are lists that are mirrored; usage is looked up. The order is stored. */
enum context_kind { CONTEXT_USERS, CONTEXT_POLICIES, CONTEXT_BUDGETS, CONTEXT_USAGE };
enum { CONTEXT_LISTS = CONTEXT_BUDGETS + 1, CONTEXT_KINDS = CONTEXT_USAGE + 1 };

/* "users" "policies" "budgets" "usage": words of the configuration, and paths of the API. */
const char *context_name(enum context_kind kind);
/* Ended by NULL. */
extern const char *const context_names[CONTEXT_KINDS + 1];

#endif
