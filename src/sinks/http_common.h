/*
 * http_common: whose fault is it? The policy for HTTP answers, shared by Slack and webhooks.
 *
 * This is the one place where a status becomes an outcome (design: delivery; sinks.md 3.5).
 * A sink with a vocabulary of its own in the body looks there first and comes here after.
 */
#ifndef SINKS_HTTP_COMMON_H
#define SINKS_HTTP_COMMON_H

#include "sinks/ruling.h"

/* Judges a reply by its status, or by how the connection failed. */
void http_judge(const struct judge *judge, const struct reply *r, struct outcome *out);

#endif
