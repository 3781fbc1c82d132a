/*
 * source_token: one token for all lanes.
 *
 * A lane that wants a page while there is no token, or the token nears its end, makes it be
 * fetched; one at a time. Without a token that still lives all lanes wait, and the passes under
 * way are given up only when the endpoint has failed: their cursors would not outlive it.
 */
#include "base/clock.h"
#include "flow/source_inner.h"

/* A 2xx without a token is somebody else's answer. */
static const char *hint_of(const struct reply *reply, bool refused)
{
	if (refused)
		return "look at client_id and client_secret of this source";
	if (reply->kind == REPLY_ANSWERED && reply->status >= 200 && reply->status <= 299)
		return "is base_url of this source a Toktra API?";
	return source_hint(reply);
}

bool source_is_unwanted(const struct source *s, const struct reply *reply)
{
	return s->retired || (s->stopped && reply->kind == REPLY_CUT);
}

/* No token, and none to be had now: what is under way has nothing to go on with. */
static void give_up_all(struct source *s)
{
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (s->lanes[i].doing == WANTS_PAGE)
			source_rest(&s->lanes[i]);
}

static void on_token(void *arg, const struct reply *reply)
{
	struct source *s = arg;
	bool refused;
	struct err err;
	int64_t now = clock_steady();

	s->token = TOKEN_RESTS;
	/* However short its tokens live, however they are refused: one request a second. */
	s->token_not_before = now + AUTH_GAP_MS;
	if (source_is_unwanted(s, reply))
		return;
	budget_note(s->p.budget, reply, now);
	if (auth_take(&s->auth, reply, now, &refused, &err)) {
		log_line(LOG_INFO, LOG_TOKEN_RENEWED, LOG_S("source", s->p.settings->name));
		source_recovered(s, &s->token_trouble);
		return;
	}
	if (auth_bearer(&s->auth, now) != NULL) {
		auth_postpone(&s->auth, now,
			      source_wait_ms(s, budget_asked_ms(reply), s->auth.fails));
		return;
	}
	if (auth_has_other_secret(&s->auth))
		return;
	struct trouble t = { .msg = LOG_TOKEN_FAILED,
			     .operator_must_act = refused,
			     .asked_ms = budget_asked_ms(reply),
			     .hint = hint_of(reply, refused) };

	s->token_trouble.fails++;
	s->token_errors++;
	source_say_trouble(s, &s->token_trouble, err.text, &t);
	s->token_not_before = now + source_wait_ms(s, t.asked_ms, s->token_trouble.fails);
	source_once_failed(s, &s->token_trouble, &t);
	give_up_all(s);
}

static void start_token(struct source *s, int64_t now)
{
	struct request request;

	auth_request(&s->auth, &request);
	s->token = TOKEN_FLIES;
	budget_take(s->p.budget, now);
	xfer_start(s->p.xfer, &request, on_token, s);
}

bool source_has_token(struct source *s, int64_t now)
{
	if (auth_wants_token(&s->auth, now) && s->token == TOKEN_RESTS &&
	    now >= s->token_not_before)
		start_token(s, now);
	/* One that nears its end is good while the next one flies. */
	return auth_bearer(&s->auth, now) != NULL;
}
