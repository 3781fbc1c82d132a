/*
 * login: the token of one sink that logs in by OAuth 2.0 client_credentials.
 *
 * Who wants to send waits here until there is a token; one request for it is under way at a
 * time, and none sooner than AUTH_GAP_MS after the last. It tells the receiver nothing, so it
 * needs no claim of its own: the row that waits is claimed already.
 */
#ifndef FLOW_LOGIN_H
#define FLOW_LOGIN_H

#include "io/xfer.h"
#include "model/settings.h"

struct login;

/* NULL for a sink that has no oauth2. Borrows the sink's settings. */
struct login *login_new(struct sink_settings *sink) __attribute__((warn_unused_result));
void login_free(struct login **l);

/*
 * Tells, once and perhaps from within the call, that bearer is there (borrowed); or that there is
 * none: bearer is NULL, and out is what becomes of the row. xfer_cut() ends a wait like any
 * transfer: then reply is REPLY_CUT.
 */
struct login_wait {
	void (*done)(void *arg, const char *bearer, const struct reply *reply,
		     const struct outcome *out);
	void *arg;
	struct login_wait *next; /* login's */
};
void login_wait(struct login *l, struct xfer *xfer, struct login_wait *wait);

/* The receiver did not accept this bearer: true when another one is worth a try at once. */
bool login_refused(struct login *l, const char *bearer);

#endif
