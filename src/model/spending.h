/*
 * spending: what one user used on one day, added up out of the items of GET /usage.
 *
 * Costs are whole nanodollars, so that what is added up is what the API's digits say. Pure.
 */
#ifndef MODEL_SPENDING_H
#define MODEL_SPENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/json.h"

enum {
	SPENDING_MODELS_MAX = 100, /* what is beyond is in the sum alone */
	SPENDING_NANOS = 9,        /* decimals of a dollar */
};

struct spent {
	int64_t requests, input_tokens, output_tokens;
	int64_t nanos; /* of a dollar */
};

struct spending {
	char *email; /* owned; NULL: not said */
	struct spent sum;
	struct spending_model {
		char *model, *provider; /* owned; provider may be NULL */
		struct spent spent;
	} * models; /* owned */
	size_t count;
};

/* Zeroed is nothing. */
void spending_release(struct spending *s);

/* Adds the numbers of an item; what is missing or no number counts nothing, what is too large
 * stays at the most that there is. */
void spent_add(struct spent *to, const struct json_value *item);
/* Adds an item of this user's; those of others are passed over. */
void spending_add(struct spending *s, const struct json_value *item, const char *user_id);

/* Nanodollars as a decimal number with two decimals at least. */
void spent_add_cost(struct buf *out, int64_t nanos);

/*
 * Adds {"user_id":…,"user_email":…,"date":…,"total_requests":…,…,"own":{"model":…,…}}: the API's
 * names, and `own` for the model (NULL: none) where some of it was used.
 */
void spending_write(const struct spending *s, const char *user_id, const char *date,
		    const char *model, struct buf *out);

#endif
