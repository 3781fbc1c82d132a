/*
 * order: in which order does /alerts list? Learned, since it is not documented; pure.
 *
 * Evidence is gathered along a walk, from each item to the next, over page borders too: by
 * created_at, and by id where times tie. A few pairs the wrong way round are late arrivals;
 * many mean that there is no order. Ids may be random, so they can show an order where times say
 * too little, and never that there is none. What is learned is only a hint for how deep to go.
 */
#ifndef FLOW_ORDER_H
#define FLOW_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/page.h"

enum order { ORDER_UNKNOWN, ORDER_NEWEST_FIRST, ORDER_OLDEST_FIRST, ORDER_UNORDERED };

enum { ORDER_ID_MAX = 64 }; /* bytes of an id that are compared */

/* What one walk showed; a zeroed struct is none. */
struct order_evidence {
	size_t falling, rising;           /* pairs: the later item is older; is younger */
	size_t falling_ties, rising_ties; /* of these: only the ids told */
	bool any;
	int64_t last_at;
	char last_id[ORDER_ID_MAX + 1];
};

/* The items of the walk's next page. */
void order_add(struct order_evidence *e, const struct page *page);
/* Unknown while there are too few pairs. */
enum order order_verdict(const struct order_evidence *e);

/* "unknown" "newest-first" "oldest-first" "unordered": what is stored and shown. */
const char *order_name(enum order order);
/* Another word is unknown. */
enum order order_parse(const char *word);

#endif
