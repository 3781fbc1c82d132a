/*
 * auth: who may ask, and how often.
 *
 * A caller is a client, an API key, or ANONYMOUS: a number, by which requests are counted.
 * Tokens are sealed, not stored, so earlier ones stay good when a new one is given out.
 */
#ifndef SIM_AUTH_H
#define SIM_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/args.h"
#include "sim/seal.h"

enum { CALLERS = 2 * ARGS_CALLERS_MAX + 1, ANONYMOUS = CALLERS - 1 };

struct window {
	int64_t began_at; /* the minute */
	int64_t used;
};

struct auth {
	const struct args *args; /* borrowed */
	struct seal seal;
	int64_t token_epoch; /* tokens of an earlier one have expired */
	int64_t token_count;
	struct window windows[CALLERS];
};

void auth_init(struct auth *auth, const struct args *args, uint64_t seed);

/* The client with that id and secret, or ANONYMOUS. Both may be NULL. */
int auth_client(const struct auth *auth, const char *id, const char *secret);

/* Who sends this Authorization header (NULL: none); for ANONYMOUS *why says what is wrong. */
int auth_bearer(const struct auth *auth, const char *header, int64_t now, const char **why);

/* Adds a new token of the client. */
void auth_add_token(struct auth *auth, int client, int64_t now, struct buf *out);
void auth_expire_tokens(struct auth *auth);

/* One request of the caller is counted. */
struct quota {
	bool over; /* this one is too many */
	int64_t limit;
	int64_t remaining;
	int64_t reset_at;
	int64_t retry_after_s; /* 1 or more */
};
struct quota auth_count(struct auth *auth, int caller, int64_t now);

#endif
