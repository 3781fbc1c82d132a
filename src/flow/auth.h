/*
 * auth: what stands in `Authorization: Bearer` of one client, and when to renew it.
 *
 * Two ways: an API key, which stands as it is, or OAuth 2.0 client_credentials (toktra API,
 * Authentication): a token is fetched, lives `expires_in` seconds and is renewed ahead of its
 * end. A source is such a client, and so is a sink that logs in by OAuth (flow/login). Pure but
 * for a secret that is read again when it was refused: auth makes the request and reads the
 * reply; the client's owner starts the transfer, one at a time. Only its end or a 401 takes
 * a token away, never a renewal that fails. Times are on the steady clock.
 */
#ifndef FLOW_AUTH_H
#define FLOW_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/request.h"
#include "model/settings.h"

/* The least from one token request to the next; for renewals auth sees to it itself. */
enum { AUTH_GAP_MS = 1000 };

/* All borrowed from settings; the secrets are read again when refused. */
struct auth_client {
	const char *token_url, *token_path; /* one behind the other */
	const char *client_id, *scope;      /* scope NULL: not said */
	struct conf_secret *client_secret;
	struct conf_secret *api_key; /* without a value: OAuth; NULL: likewise */
	int64_t timeout_ms;
	const char *ca_file, *proxy;
};

struct auth {
	struct auth_client client;
	char *token; /* owned; NULL: none */
	int64_t renew_at, expires_at;
	int64_t fails; /* answers without a token, in a row: waits grow by it */
	/* Owned; what was in force before, so that an answer that quotes it is known. */
	char *former_token, *former_secret;
	int64_t secret_number; /* of the secret in force: one more each time it is another */
	int64_t asked_number;  /* the one that the newest token request carries */
	bool has_other_secret;
};

struct auth_client auth_of_source(struct source_settings *settings);
void auth_init(struct auth *a, const struct auth_client *client);
/* The same client in other settings; NULL: no request any more, and nothing is looked at. */
void auth_refit(struct auth *a, const struct auth_client *client);
void auth_release(struct auth *a);

/* True when a token is to be fetched: none lives, or the one that lives nears its end. */
bool auth_wants_token(const struct auth *a, int64_t steady_now);
/* The value to send, borrowed until the next call that changes a; NULL only while
 * auth_wants_token(). */
const char *auth_bearer(const struct auth *a, int64_t steady_now);

/* The request for a token: RFC 6749 4.4.2. */
void auth_request(struct auth *a, struct request *out);
/*
 * Takes the answer to the newest auth_request(). False with the reason: no token came, and
 * a->fails counts it. *refused: the operator must act; asking again as it is brings nothing.
 *
 *   400, 401, 403  refused: client_id, client_secret or what they may do. The secret is read
 *                  again, and it is not refused if that brought another: auth_has_other_secret().
 *                  A 400 that says temporarily_unavailable or server_error is as 503.
 *   404, 405, 410  later: base_url may be wrong, or what stands before the API is being changed.
 *   408, 425, 429  later; Retry-After is in reply_retry_after_ms().
 *   any other 4xx  later.
 *
 * 5xx, no answer, and a 2xx without a token that can be used are later, too.
 */
bool auth_take(struct auth *a, const struct reply *reply, int64_t steady_now, bool *refused,
	       struct err *err) __attribute__((warn_unused_result));
/* The last answer refused a secret in place of which there is another by now: worth asking at
 * once (AUTH_GAP_MS apart). Never twice in a row. */
bool auth_has_other_secret(const struct auth *a);
/* What an answer other than 200 says, as one line; nothing of it when it quotes a secret. */
void auth_error_text(const struct auth *a, const struct reply *reply, char *text, size_t size);
/* A renewal failed while the old token lives: not before wait_ms again (AUTH_GAP_MS at least),
 * unless the token ends first: then one is wanted at its end. */
void auth_postpone(struct auth *a, int64_t steady_now, int64_t wait_ms);

/*
 * The API answered 401 to a request that carried `bearer` (NULL: whatever is in force). If that
 * is what is in force, the token is gone and the secret is read again (rotation); a newer one
 * stays. True: there is something new to try, a token to fetch or another bearer. False: this
 * same API key was refused, and reading it again brought no other one.
 */
bool auth_rejected(struct auth *a, const char *bearer) __attribute__((warn_unused_result));

#endif
