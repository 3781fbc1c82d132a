/*
 * cast: the invented organisation whose alerts are told: people, models, policies, budgets.
 */
#ifndef SIM_CAST_H
#define SIM_CAST_H

#include <stdint.h>

#define CAST_ORG_ID "0f9a3c1e-7b52-4d08-9e64-5a1c0de5b0c5"

struct cast_user {
	const char *name;
	const char *email;
	const char *department;
};

struct cast_model {
	const char *name;
	const char *provider;
};

/* What a policy's alerts say; {user} {department} {model} {provider} {policy} {n} stand for
 * what the alert holds. */
struct cast_policy {
	const char *name;
	const char *title;
	const char *message;
	const char *action;
};

struct cast_budget {
	const char *name;
	const char *department; /* NULL: the whole organisation */
	uint32_t amount;
	const char *currency;
	const char *period;
};

enum { CAST_USERS = 24, CAST_MODELS = 10, CAST_POLICIES = 8, CAST_BUDGETS = 6 };

extern const struct cast_user cast_users[CAST_USERS];
extern const struct cast_model cast_models[CAST_MODELS];
extern const struct cast_policy cast_policies[CAST_POLICIES];
extern const struct cast_budget cast_budgets[CAST_BUDGETS];

#endif
