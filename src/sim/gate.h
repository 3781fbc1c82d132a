/*
 * gate: who may ask, and how often.
 *
 * A caller is a client, an API key, or ANONYMOUS: a number, by which requests are counted.
 * Tokens are sealed, not stored, so earlier ones stay good when a new one is given out, and when
 * the client's secret is another.
 */
#ifndef SIM_GATE_H
#define SIM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/args.h"
#include "sim/seal.h"

enum { CALLERS = 2 * ARGS_CALLERS_MAX + 1, ANONYMOUS = CALLERS - 1, GATE_TEXT_MAX = 64 };

struct window {
	int64_t began_at; /* the minute */
	int64_t used;
};

struct gate {
	/* Owned; a NULL secret or key: shut out. */
	struct args_client clients[ARGS_CALLERS_MAX];
	size_t client_count;
	char *keys[ARGS_CALLERS_MAX];
	size_t key_count;
	int64_t limit_rpm;
	int64_t token_ttl_ms;
	char expires_in
		[GATE_TEXT_MAX]; /* as JSON, what a token is said to live; "": not said */
	struct seal seal;
	int64_t token_epoch; /* tokens of an earlier one have expired */
	int64_t token_count;
	struct window windows[CALLERS];
};

void gate_init(struct gate *gate, const struct args *args, uint64_t seed);
void gate_release(struct gate *gate);

/* Gives the client that secret, or shuts it out with its tokens (NULL). False: there is no room
 * for another one, or none to shut out. */
bool gate_set_client(struct gate *gate, const char *id, const char *secret)
	__attribute__((warn_unused_result));
/* False: there is no room. */
bool gate_add_key(struct gate *gate, const char *key) __attribute__((warn_unused_result));
/* False: there is no such key. */
bool gate_remove_key(struct gate *gate, const char *key) __attribute__((warn_unused_result));

/* The client with that id and secret, or ANONYMOUS. Both may be NULL. */
int gate_client(const struct gate *gate, const char *id, const char *secret);

/* Who sends this Authorization header (NULL: none); for ANONYMOUS *why says what is wrong. */
int gate_bearer(const struct gate *gate, const char *header, int64_t now, const char **why);

/* Adds a new token of the client. */
void gate_add_token(struct gate *gate, int client, int64_t now, struct buf *out);
void gate_expire_tokens(struct gate *gate);

/* One request of the caller is counted. */
struct quota {
	bool over; /* this one is too many */
	int64_t limit;
	int64_t remaining;
	int64_t reset_at;
	int64_t retry_after_s; /* 1 or more */
};
struct quota gate_count(struct gate *gate, int caller, int64_t now);

#endif
