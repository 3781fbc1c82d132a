/*
 * auth: what stands in `Authorization: Bearer` for one source, and when to renew it.
 *
 * Two ways: an API key, which stands as it is, or OAuth 2.0 client_credentials (toktra API,
 * Authentication): a token is fetched, lives `expires_in` seconds and is renewed ahead of its
 * end. Pure: it makes the request and reads the reply; flow/source starts the transfer. A
 * renewal that fails does not take a token away that still lives. Times are on the steady clock.
 */
#ifndef FLOW_AUTH_H
#define FLOW_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/request.h"
#include "model/settings.h"

struct auth {
	struct source_settings
		*settings; /* borrowed; its secrets are read again when refused */
	char *token;       /* owned; NULL: none */
	int64_t renew_at, expires_at;
};

void auth_init(struct auth *a, struct source_settings *settings);
void auth_release(struct auth *a);

/* True when a token must be fetched before anything else. */
bool auth_wants_token(const struct auth *a, int64_t steady_now);
/* The value to send, borrowed; NULL only while auth_wants_token(). */
const char *auth_bearer(const struct auth *a, int64_t steady_now);

/* POST {base}/oauth/token. */
void auth_request(const struct auth *a, struct request *out);
/*
 * Takes the answer. False with the reason: no token came. *refused says that the credentials
 * are wrong (the operator must act); else the wait is in reply_retry_after_ms().
 */
bool auth_take(struct auth *a, const struct reply *reply, int64_t steady_now, bool *refused,
	       struct err *err) __attribute__((warn_unused_result));
/* What an answer other than 200 says, as one line; nothing of it when it quotes a secret. */
void auth_error_text(const struct auth *a, const struct reply *reply, char *text, size_t size);
/* A renewal failed while the old token lives: not before `wait_ms` again. */
void auth_postpone(struct auth *a, int64_t steady_now, int64_t wait_ms);

/* The API answered 401: the token is gone, and the secret is read again (rotation). */
void auth_rejected(struct auth *a);

#endif
