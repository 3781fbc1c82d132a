/* budget: how much of a budget is spent (an object of GET /budgets). Pure. */
#ifndef MODEL_BUDGET_H
#define MODEL_BUDGET_H

#include <stdint.h>

#include "base/buf.h"
#include "model/json.h"

/* Tenths of a percent that are spent, rounded down; -1 where the amount is no number above 0. */
int64_t budget_tenths(const struct json_value *budget);

/* Adds the object as it came and, where it has none, `percent`: what is spent of the amount. */
void budget_write(struct buf *out, const char *bytes, size_t len);

/* Many of them, the most spent first. */
struct budget_list {
	struct listed_budget {
		char *bytes; /* owned */
		size_t len;
		int64_t tenths;
	} * list; /* owned */
	size_t count, room;
};
/* What is no object is left out. */
void budget_list_add(struct budget_list *l, const char *bytes, size_t len);
void budget_list_sort(struct budget_list *l);
/* Sorts, and adds a JSON array of the `most` that are spent most, each as budget_write() has it. */
void budget_list_write(struct budget_list *l, size_t most, struct buf *out);
void budget_list_release(struct budget_list *l);

#endif
