/*
 * money: an amount as people write it in its currency: $1,234.50, ¥1,235, CHF 0.05.
 *
 * The API's number is text and stays text: digits are moved and rounded (half away from zero) one
 * by one, never through a double, which would lose cents. How many decimals a currency has is ISO
 * 4217's; four have a sign of their own, any other code stands before the amount.
 */
#ifndef MODEL_MONEY_H
#define MODEL_MONEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Adds the amount. What is no number as JSON writes it, or one of absurdly many digits, is added as
 * it is. A currency that is no code of three letters stands behind the amount as it is; "" is none.
 * False when out overflowed.
 */
bool money_add(struct buf *out, const char *amount, size_t len, const char *currency,
	       size_t currency_len);

/* Three capitals, as an operator writes a currency. */
bool money_is_code(const char *word, size_t len);

#endif
