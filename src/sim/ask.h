/*
 * ask: one request to the API, and what all lists share: `limit`, and cursors.
 *
 * A cursor holds the place after which its page begins, the list and the filters it was made
 * for, and when; it is good for --cursor-ttl, for those alone, and not after /_sim/expire.
 */
#ifndef SIM_ASK_H
#define SIM_ASK_H

#include "sim/sim.h"

enum { ASK_LIMIT_DEFAULT = 25, ASK_LIMIT_MAX = ARGS_PAGE_MAX };

struct ask {
	struct sim *sim;
	const struct httpd_request *request;
	struct httpd_answer *answer;
	int64_t now;
	int caller;
	const char *why;  /* the caller is anonymous */
	const char *rest; /* of the path, after the endpoint's own */
};

/* The page's size; false once the answer says what is wrong with it. */
bool ask_limit(const struct ask *ask, size_t *limit);

/* A parameter; "" and a missing one are NULL. */
const char *ask_word(const struct ask *ask, const char *name);

/*
 * Where the list goes on: *has_after is false without a cursor. False once the answer says what
 * is wrong with it. The code is whatever tells lists and their filters apart.
 */
bool ask_cursor(const struct ask *ask, int64_t code, bool *has_after, struct place *after);

/* Adds a cursor as a JSON string. */
void ask_add_cursor(const struct ask *ask, int64_t code, struct place last);

/* Adds `],"next_cursor":…,"has_more":…`: the end of a page behind which there is more, or not. */
void ask_end_items(const struct ask *ask, int64_t code, bool has_more, struct place last);

#endif
