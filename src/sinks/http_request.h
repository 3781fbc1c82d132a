/*
 * http_request: what every HTTP sink's request has in common.
 */
#ifndef SINKS_HTTP_REQUEST_H
#define SINKS_HTTP_REQUEST_H

#include <stdbool.h>

#include "base/err.h"
#include "model/request.h"
#include "model/sink.h"

/* Addresses a request and names us; time, trust and proxy are the core's to set. */
bool http_request_start(struct request *r, const char *method, const char *url, struct err *err)
	__attribute__((warn_unused_result));

/*
 * A text of the configuration that may hold names, {{severity}}, escaped as a template of that
 * suffix: ".url", ".txt".
 */
bool http_request_text(const char *text, const char *suffix, const struct message *m,
		       struct buf *out, struct err *err) __attribute__((warn_unused_result));

/*
 * The body: a rendered part, without the newline that ends every template's file. False when
 * there is nothing in it, or too much.
 */
bool http_request_body(struct request *r, const struct message_part *part, struct err *err)
	__attribute__((warn_unused_result));

#endif
