/* budget: see the header. */
#include "model/budget.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

static const double TENTHS_MAX = 1e9;

/* Good enough for a percentage, not for money. */
static bool amount_of(const struct json_value *budget, const char *key, double *value)
{
	size_t len;
	const char *text = json_text(json_get(budget, key), &len);

	return text != NULL && num_parse_decimal(text, len, value);
}

int64_t budget_tenths(const struct json_value *budget)
{
	double amount, spent;

	if (!amount_of(budget, "amount", &amount) || !amount_of(budget, "spent", &spent) ||
	    amount <= 0)
		return -1;
	double tenths = spent / amount * 1000;

	return tenths < 0 ? 0 : (int64_t)(tenths > TENTHS_MAX ? TENTHS_MAX : tenths);
}

void budget_write(struct buf *out, const char *bytes, size_t len)
{
	struct json *j = json_parse(bytes, len, NULL);
	int64_t tenths = budget_tenths(json_root(j));

	if (tenths < 0 || json_get(json_root(j), "percent") != NULL) {
		buf_add(out, bytes, len);
	} else {
		struct json_span whole = json_bytes(j, json_root(j));

		buf_add(out, whole.at, whole.len - 1);
		buf_addf(out, ",\"percent\":%lld.%lld}", (long long)(tenths / 10),
			 (long long)(tenths % 10));
	}
	json_free(&j);
}

void budget_list_add(struct budget_list *l, const char *bytes, size_t len)
{
	struct json *j = json_parse(bytes, len, NULL);

	if (json_kind(json_root(j)) == JSON_OBJECT) {
		if (l->count == l->room) {
			l->room = l->room == 0 ? 16 : 2 * l->room;
			l->list = mem_resize(l->list, l->room, sizeof(*l->list));
		}
		l->list[l->count++] =
			(struct listed_budget){ .bytes = mem_dup(bytes, len),
						.len = len,
						.tenths = budget_tenths(json_root(j)) };
	}
	json_free(&j);
}

static int by_spent(const void *a, const void *b)
{
	const struct listed_budget *x = a, *y = b;

	return (x->tenths < y->tenths) - (x->tenths > y->tenths);
}

void budget_list_sort(struct budget_list *l)
{
	if (l->count > 1)
		qsort(l->list, l->count, sizeof(*l->list), by_spent);
}

void budget_list_write(struct budget_list *l, size_t most, struct buf *out)
{
	budget_list_sort(l);
	buf_adds(out, "[");
	for (size_t i = 0; i < l->count && i < most; i++) {
		if (i > 0)
			buf_adds(out, ",");
		budget_write(out, l->list[i].bytes, l->list[i].len);
	}
	buf_adds(out, "]");
}

void budget_list_release(struct budget_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		mem_free(&l->list[i].bytes);
	mem_free(&l->list);
	*l = (struct budget_list){ .count = 0 };
}
