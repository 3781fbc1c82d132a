/*
 * http_common: one table from status to outcome, and why.
 *
 * - 2xx is the receiver's word that it has it, even when its answer is cut afterwards: asking
 *   again would ring twice.
 * - 3xx is never followed (a POST would become a GET and look delivered), so only the operator
 *   can end it.
 * - 400, 413, 415, 422 are about this payload: no wait makes it pass, and others may go on.
 * - 401, 403, 404, 405, 407, 410 are about the address or the login: every alert would meet
 *   them, so the queue is kept and the operator called.
 * - 408, 425, 429 and 5xx are the destination's bad hour.
 * - 409 is this row's alone (something with its key is being worked on).
 * - Anything else is unknown, and unknown means later.
 */
#include "sinks/http_common.h"

#include "base/mem.h"

#define MESSAGE_FAULT                                                       \
	VERDICT_NEVER, BLAME_NOBODY, "this message is refused", "template", \
		"the receiver does not take what it makes"

static const struct {
	int from, to;  /* statuses, both inclusive */
	bool by_login; /* the hint names the login's keys */
	struct ruling ruling;
} rules[] = {
	{ 200, 299, false, { VERDICT_DELIVERED, BLAME_NOBODY, NULL, NULL, NULL } },
	{ 300,
	  399,
	  false,
	  { VERDICT_LATER, BLAME_OPERATOR, "redirected", NULL,
	    "set it to the final address, redirects are never followed" } },
	{ 400, 400, false, { MESSAGE_FAULT } },
	{ 401,
	  401,
	  true,
	  { VERDICT_LATER, BLAME_OPERATOR, "the login was refused", NULL,
	    "the receiver does not accept it" } },
	{ 403,
	  403,
	  true,
	  { VERDICT_LATER, BLAME_OPERATOR, "forbidden", NULL,
	    "the receiver does not accept it" } },
	{ 404,
	  404,
	  false,
	  { VERDICT_LATER, BLAME_OPERATOR, "nothing there", NULL,
	    "is it complete, and does it still exist?" } },
	{ 405,
	  405,
	  false,
	  { VERDICT_LATER, BLAME_OPERATOR, "the method is not allowed there", NULL,
	    "is it the address that takes messages, by this method?" } },
	{ 407,
	  407,
	  false,
	  { VERDICT_LATER, BLAME_OPERATOR, "the proxy wants a login", "proxy",
	    "give it one, as http://user:password@host:port" } },
	{ 408,
	  408,
	  false,
	  { VERDICT_LATER, BLAME_DOWN, "timed out there", "retry", RULING_WAITS } },
	{ 409,
	  409,
	  false,
	  { VERDICT_LATER, BLAME_NOBODY, "not ready for this one", NULL, NULL } },
	{ 410,
	  410,
	  false,
	  { VERDICT_LATER, BLAME_OPERATOR, "gone for good", NULL,
	    "it was revoked; set a new one" } },
	{ 413, 413, false, { MESSAGE_FAULT } },
	{ 415, 415, false, { MESSAGE_FAULT } },
	{ 422, 422, false, { MESSAGE_FAULT } },
	{ 425, 425, false, { VERDICT_LATER, BLAME_DOWN, "too early", "retry", RULING_WAITS } },
	{ 429,
	  429,
	  false,
	  { VERDICT_LATER, BLAME_DOWN, "too many requests", "rate",
	    "set it to what the receiver allows" } },
	{ 500,
	  599,
	  false,
	  { VERDICT_LATER, BLAME_DOWN, "the receiver failed", "retry", RULING_WAITS } },
};

static const struct ruling unknown = { VERDICT_LATER, BLAME_NOBODY, "an answer we do not know",
				       NULL, NULL };

static struct ruling rule_of_status(const struct judge *judge, int status)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct ruling ruling = rules[i].ruling;

		if (status < rules[i].from || status > rules[i].to)
			continue;
		if (rules[i].by_login)
			ruling.key = judge->login;
		return ruling;
	}
	return unknown;
}

void http_judge(const struct judge *judge, const struct reply *r, struct outcome *out)
{
	const struct ruling *trouble = ruling_of_trouble(r->kind);
	struct ruling ruling;

	if (trouble != NULL && (r->status < 200 || r->status > 299)) {
		ruling_apply(trouble, judge, r, out);
		return;
	}
	ruling = rule_of_status(judge, r->status);
	ruling_apply(&ruling, judge, r, out);
}
