/* login: auth's two messages, and a list of those who wait for them. */
#include "flow/login.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/auth.h"

/* A token refused when it was no older than this was refused for what the client may do. */
enum { TOKEN_FRESH_MS = 10000 };

struct login {
	const struct sink_settings *sink; /* borrowed */
	struct auth auth;
	bool flies;       /* a request for a token is under way … */
	bool is_left;     /* … and nobody else knows of it any more */
	int64_t token_at; /* steady; when the newest token came */
	struct login_wait *first, **last;
};

struct login *login_new(struct sink_settings *sink)
{
	struct sink_oauth2 *oauth2 =
		sink->type->oauth2 == NULL ? NULL : sink->type->oauth2(sink->own);
	struct login *l;

	if (oauth2 == NULL)
		return NULL;
	l = mem_new(sizeof(*l));
	l->sink = sink;
	l->last = &l->first;
	auth_init(&l->auth, &(struct auth_client){ .token_url = oauth2->token_url,
						   .token_path = "",
						   .client_id = oauth2->client_id,
						   .client_secret = &oauth2->client_secret,
						   .scope = oauth2->scope,
						   .timeout_ms = sink->timeout_ms,
						   .ca_file = sink->ca_file,
						   .proxy = sink->proxy });
	return l;
}

void login_free(struct login **l)
{
	if (*l == NULL)
		return;
	if ((*l)->flies) { /* a renewal, which a reload does not wait for */
		(*l)->is_left = true;
		*l = NULL;
		return;
	}
	auth_release(&(*l)->auth);
	mem_free(l);
}

static void answer_all(struct login *l, const struct reply *reply, const struct outcome *out)
{
	const char *bearer = out == NULL ? auth_bearer(&l->auth, clock_steady()) : NULL;
	struct login_wait *wait = l->first, *next;

	l->first = NULL;
	l->last = &l->first;
	for (; wait != NULL; wait = next) {
		next = wait->next;
		wait->done(wait->arg, bearer, reply, out);
	}
}

static struct outcome outcome_of(const struct login *l, const struct reply *reply, bool refused,
				 const struct err *err)
{
	struct outcome out = { .verdict = VERDICT_LATER,
			       .sink_down = true,
			       .alarm = refused,
			       .retry_after_ms = reply_retry_after_ms(reply),
			       .status = reply->kind == REPLY_ANSWERED ? reply->status : 0 };

	snprintf(out.reason, sizeof(out.reason), "%.200s", err->text);
	snprintf(out.hint, sizeof(out.hint), "sinks: %.80s: oauth2: %s", l->sink->name,
		 refused ? "look at client_id, client_secret and scope"
			 : "is token_url right, and does it answer?");
	return out;
}

static void on_token(void *arg, const struct reply *reply)
{
	struct login *l = arg;
	int64_t now = clock_steady();
	struct outcome out;
	struct err err;
	bool refused;

	l->flies = false;
	if (l->is_left) {
		login_free(&l);
		return;
	}
	if (auth_take(&l->auth, reply, now, &refused, &err)) {
		l->token_at = now;
		answer_all(l, reply, NULL);
		return;
	}
	if (auth_bearer(&l->auth, now) != NULL) {
		auth_postpone(&l->auth, now, AUTH_GAP_MS * l->auth.fails);
		answer_all(l, reply, NULL);
		return;
	}
	out = outcome_of(l, reply, refused, &err);
	answer_all(l, reply, &out);
}

static void ask(struct login *l, struct xfer *xfer)
{
	struct request request;

	auth_request(&l->auth, &request);
	l->flies = true;
	xfer_start(xfer, &request, on_token, l);
}

void login_wait(struct login *l, struct xfer *xfer, struct login_wait *wait)
{
	const char *bearer = auth_bearer(&l->auth, clock_steady());

	if (auth_wants_token(&l->auth, clock_steady()) && !l->flies)
		ask(l, xfer);
	if (bearer != NULL) {
		wait->done(wait->arg, bearer, NULL, NULL);
		return;
	}
	wait->next = NULL;
	*l->last = wait;
	l->last = &wait->next;
}

bool login_refused(struct login *l, const char *bearer)
{
	bool is_fresh = clock_steady() - l->token_at < TOKEN_FRESH_MS;

	return auth_rejected(&l->auth, bearer) && !is_fresh;
}
