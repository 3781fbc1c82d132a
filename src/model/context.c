/* context: see the header. */
#include "model/context.h"

const char *const context_names[CONTEXT_KINDS + 1] = {
	[CONTEXT_USERS] = "users",
	[CONTEXT_POLICIES] = "policies",
	[CONTEXT_BUDGETS] = "budgets",
	[CONTEXT_USAGE] = "usage",
};

const char *context_name(enum context_kind kind)
{
	return context_names[kind];
}
