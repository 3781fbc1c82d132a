/* budget: how much of a budget is spent (an object of GET /budgets). Pure. */
#ifndef MODEL_BUDGET_H
#define MODEL_BUDGET_H

#include <stdint.h>

#include "model/json.h"

/* Tenths of a percent that are spent, rounded down; -1 where the amount is no number above 0. */
int64_t budget_tenths(const struct json_value *budget);

#endif
