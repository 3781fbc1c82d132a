/*
 * gate: clients come first in the numbers of callers, then keys, last the anonymous.
 *
 * Requests are counted in whole minutes of the clock, as X-RateLimit-Reset tells; who has used
 * his up waits for the next one.
 */
#include "sim/gate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hmac.h"
#include "base/mem.h"

static const int64_t window_ms = 60000;
static const char token_prefix[] = "tk_";

enum { TOKEN_ISSUED_AT, TOKEN_EPOCH, TOKEN_CLIENT, TOKEN_COUNT, TOKEN_NUMBERS };

void gate_init(struct gate *gate, const struct args *args, uint64_t seed)
{
	*gate = (struct gate){ .client_count = args->client_count,
			       .key_count = args->key_count,
			       .limit_rpm = args->limit_rpm,
			       .token_ttl_ms = args->token_ttl_ms };
	for (size_t i = 0; i < args->client_count; i++)
		gate->clients[i] =
			(struct args_client){ .id = mem_strdup(args->clients[i].id),
					      .secret = mem_strdup(args->clients[i].secret) };
	for (size_t i = 0; i < args->key_count; i++)
		gate->keys[i] = mem_strdup(args->keys[i]);
	snprintf(gate->expires_in, sizeof(gate->expires_in), "%lld",
		 (long long)args->token_ttl_ms / 1000);
	seal_init(&gate->seal, seed);
}

void gate_release(struct gate *gate)
{
	for (size_t i = 0; i < gate->client_count; i++) {
		mem_free(&gate->clients[i].id);
		mem_free_secret(&gate->clients[i].secret);
	}
	for (size_t i = 0; i < gate->key_count; i++)
		mem_free_secret(&gate->keys[i]);
	gate->client_count = gate->key_count = 0;
}

/* ---- who is let in ----------------------------------------------------------------------- */

bool gate_set_client(struct gate *gate, const char *id, const char *secret)
{
	size_t at = 0;

	while (at < gate->client_count && strcmp(gate->clients[at].id, id) != 0)
		at++;
	if (at == ARGS_CALLERS_MAX || (at == gate->client_count && secret == NULL))
		return false;
	if (at == gate->client_count)
		gate->clients[gate->client_count++].id = mem_strdup(id);
	mem_free_secret(&gate->clients[at].secret);
	gate->clients[at].secret = mem_strdup(secret);
	return true;
}

bool gate_add_key(struct gate *gate, const char *key)
{
	size_t at = 0;

	while (at < gate->key_count && gate->keys[at] != NULL)
		at++;
	if (at == ARGS_CALLERS_MAX)
		return false;
	gate->keys[at] = mem_strdup(key);
	gate->key_count += at == gate->key_count;
	return true;
}

bool gate_remove_key(struct gate *gate, const char *key)
{
	for (size_t i = 0; i < gate->key_count; i++)
		if (gate->keys[i] != NULL && strcmp(gate->keys[i], key) == 0) {
			mem_free_secret(&gate->keys[i]);
			return true;
		}
	return false;
}

/* ---- who asks ---------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	size_t len = a == NULL ? 0 : strlen(a);

	return a != NULL && len == strlen(b) && hmac_equal(a, b, len);
}

int gate_client(const struct gate *gate, const char *id, const char *secret)
{
	for (size_t i = 0; id != NULL && secret != NULL && i < gate->client_count; i++)
		if (strcmp(gate->clients[i].id, id) == 0 &&
		    same(gate->clients[i].secret, secret))
			return (int)i;
	return ANONYMOUS;
}

static int token_owner(const struct gate *gate, const char *token, int64_t now,
		       const char **why)
{
	int64_t numbers[TOKEN_NUMBERS];

	*why = "the token or API key is not known";
	if (!seal_open(&gate->seal, token, token_prefix, numbers, TOKEN_NUMBERS))
		return ANONYMOUS;
	*why = "the token has expired";
	if (numbers[TOKEN_EPOCH] != gate->token_epoch ||
	    now - numbers[TOKEN_ISSUED_AT] >= gate->token_ttl_ms)
		return ANONYMOUS;
	*why = "the client has been shut out";
	if (gate->clients[numbers[TOKEN_CLIENT]].secret == NULL)
		return ANONYMOUS;
	*why = NULL;
	return (int)numbers[TOKEN_CLIENT];
}

int gate_bearer(const struct gate *gate, const char *header, int64_t now, const char **why)
{
	*why = "send the token or API key as Authorization: Bearer ...";
	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return ANONYMOUS;
	header += 7;
	header += strspn(header, " ");
	for (size_t i = 0; i < gate->key_count; i++)
		if (same(gate->keys[i], header)) {
			*why = NULL;
			return ARGS_CALLERS_MAX + (int)i;
		}
	return token_owner(gate, header, now, why);
}

void gate_add_token(struct gate *gate, int client, int64_t now, struct buf *out)
{
	const int64_t numbers[TOKEN_NUMBERS] = { [TOKEN_ISSUED_AT] = now,
						 [TOKEN_EPOCH] = gate->token_epoch,
						 [TOKEN_CLIENT] = client,
						 [TOKEN_COUNT] = ++gate->token_count };

	seal_add(&gate->seal, out, token_prefix, numbers, TOKEN_NUMBERS);
}

void gate_expire_tokens(struct gate *gate)
{
	gate->token_epoch++;
}

struct quota gate_count(struct gate *gate, int caller, int64_t now)
{
	struct window *window = &gate->windows[caller];
	int64_t began_at = now - now % window_ms;
	struct quota quota = { .limit = gate->limit_rpm, .reset_at = began_at + window_ms };

	if (window->began_at != began_at)
		*window = (struct window){ .began_at = began_at };
	window->used++;
	quota.over = window->used > quota.limit;
	quota.remaining = quota.over ? 0 : quota.limit - window->used;
	quota.retry_after_s = (quota.reset_at - now + 999) / 1000;
	return quota;
}
