/*
 * source_trouble: what fails, told once, and how long to wait.
 *
 * Whatever fails ends in one of two ways: the same page again after a wait (429, 5xx, a cut
 * connection: at most REPEAT_MAX times, 429 without end), or the pass is given up (a refused
 * cursor, a loop, a body that is no page) and its next one begins anew. Both waits grow. Lanes
 * that meet the same trouble tell it once between them, and once that all is well again.
 */
#include <stdio.h>

#include "base/clock.h"
#include "flow/source_inner.h"
#include "model/page.h"

enum {
	WAIT_MIN_MS = 1000,
	WAIT_MAX_MS = 300000,
	ASKED_WAIT_MAX_MS = 3600000, /* of a Retry-After */
	SAY_EVERY = 10,
	/* A single poll: who waits for it has other things to do. */
	ONCE_TRIES_MAX = 10,
	ONCE_WAIT_MAX_MS = 60000,
};

const char *source_error(const struct source *s)
{
	if (s->store_error[0] != '\0')
		return s->store_error;
	if (s->token_trouble.error[0] != '\0')
		return s->token_trouble.error;
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (s->lanes[i].trouble.error[0] != '\0')
			return s->lanes[i].trouble.error;
	return "";
}

int64_t source_wait_ms(struct source *s, int64_t asked_ms, int64_t tries)
{
	int64_t wait = backoff_ms(&s->chance, WAIT_MIN_MS, WAIT_MAX_MS, tries);

	if (asked_ms > ASKED_WAIT_MAX_MS)
		asked_ms = ASKED_WAIT_MAX_MS;
	if (asked_ms >= 0)
		asked_ms = backoff_jitter_ms(&s->chance, asked_ms);
	/* Never in a tight loop, whatever chance says. */
	wait = wait > WAIT_MIN_MS / 4 ? wait : WAIT_MIN_MS / 4;
	return wait > asked_ms ? wait : asked_ms;
}

/* Some part of the source has said this already. */
static bool is_known(const struct source *s, const char *reason)
{
	if (page_error_same(s->token_trouble.error, reason))
		return true;
	for (size_t i = 0; i < PASS_KINDS; i++)
		if (page_error_same(s->lanes[i].trouble.error, reason))
			return true;
	return false;
}

void source_say_trouble(struct source *s, struct trouble_now *now, const char *reason,
			const struct trouble *t)
{
	bool again = now->fails > 0 && now->fails % SAY_EVERY == 0;
	bool is_news = !is_known(s, reason) || again;

	snprintf(now->error, sizeof(now->error), "%s", reason);
	now->operator_must_act = t->operator_must_act;
	if (is_news)
		log_line(t->operator_must_act ? LOG_ERROR : LOG_WARN, t->msg,
			 LOG_S("source", s->p.settings->name), LOG_S("reason", now->error),
			 LOG_N("failures", now->fails), LOG_S("hint", t->hint));
}

static void say_recovered(const struct source *s)
{
	if (source_error(s)[0] == '\0')
		log_line(LOG_INFO, LOG_POLL_RECOVERED, LOG_S("source", s->p.settings->name));
}

void source_recovered(struct source *s, struct trouble_now *now)
{
	bool failed = now->error[0] != '\0';

	*now = (struct trouble_now){ .fails = 0 };
	if (failed)
		say_recovered(s);
}

void source_store_recovered(struct source *s)
{
	bool failed = s->store_error[0] != '\0';

	s->store_error[0] = '\0';
	if (failed)
		say_recovered(s);
}

void source_once_failed(struct source *s, const struct trouble_now *now,
			const struct trouble *t)
{
	if (s->is_once && (now->fails > REPEAT_MAX || t->operator_must_act))
		s->once_over = true;
}

void source_once_waits(struct source *s, int64_t wait_ms, int64_t tries)
{
	if (s->is_once && (tries > ONCE_TRIES_MAX || wait_ms > ONCE_WAIT_MAX_MS))
		s->once_over = true;
}

void source_give_up(struct lane *l, const char *reason, const struct trouble *t)
{
	struct source *s = l->source;

	l->trouble.fails++;
	l->polls.errors++;
	source_say_trouble(s, &l->trouble, reason, t);
	source_once_failed(s, &l->trouble, t);
	source_rest(l); /* it is due as it was */
	source_want(l, RESTS, source_wait_ms(s, t->asked_ms, l->trouble.fails));
}

void source_repeat(struct lane *l, const char *reason, const struct trouble *t)
{
	l->repeats++;
	l->polls.errors++;
	source_say_trouble(l->source, &l->trouble, reason, t);
	source_want(l, WANTS_PAGE, source_wait_ms(l->source, t->asked_ms, l->repeats));
}

const char *source_hint(const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_ANSWERED: break;
	case REPLY_RESOLVE:
	case REPLY_CONNECT: return "look at base_url and proxy of this source, and the network";
	case REPLY_TLS:
		return "is the certificate one we trust? ca_file of this source names an "
		       "authority of your own";
	case REPLY_TIMEOUT: return "timeout of this source is how long we wait";
	case REPLY_LOGIN:
	case REPLY_CUT:
	case REPLY_TOO_LARGE:
	case REPLY_GARBLED:
	case REPLY_LOCAL: return NULL;
	}
	switch (reply->status) {
	case 403: return "the credentials of this source may not read alerts";
	case 404: return "look at base_url of this source";
	}
	return NULL;
}
