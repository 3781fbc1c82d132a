/*
 * email_address: one mailbox, "Name <local@domain>" or "local@domain".
 *
 * Strict where a header or an envelope could be broken (line breaks, <, >, white space), plain
 * where mail servers are: ASCII addresses without quoted local parts. A name may be any UTF-8.
 */
#ifndef SINKS_EMAIL_ADDRESS_H
#define SINKS_EMAIL_ADDRESS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum { EMAIL_NAME_MAX = 200, EMAIL_ADDRESS_MAX = 254 }; /* bytes; RFC 5321 4.5.3.1.3 */

struct email_address {
	char name[EMAIL_NAME_MAX + 1];       /* "" none */
	char address[EMAIL_ADDRESS_MAX + 1]; /* without <> */
};

/* False with what is wrong and the remedy. */
bool email_address_read(struct email_address *a, const char *text, struct err *err)
	__attribute__((warn_unused_result));

/* What follows the @. */
const char *email_address_domain(const struct email_address *a);

/* Adds it as a header has it, in one line: the name quoted (RFC 5322) or encoded (RFC 2047). */
bool email_address_add(struct buf *out, const struct email_address *a);

#endif
