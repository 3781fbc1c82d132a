/* budget: see the header. */
#include "model/budget.h"

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
