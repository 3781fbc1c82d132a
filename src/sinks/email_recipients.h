/*
 * email_recipients: who gets a mail, and who of them has it already.
 *
 * A server may take a mail for some recipients and put the others off. Those that are settled
 * (served, or refused for good) are noted in the delivery's progress, so that the next attempt
 * is for the others alone and nobody gets a mail twice. The note holds hashes of addresses, not
 * their places in a list that a reload may change.
 */
#ifndef SINKS_EMAIL_RECIPIENTS_H
#define SINKS_EMAIL_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/sink.h"
#include "sinks/email.h"
#include "sinks/email_address.h"

/* As many as every server must take in one mail (RFC 5321 4.5.3.1.8); progress has room for them. */
enum { EMAIL_RECIPIENTS_MAX = 100 };

enum email_fate { EMAIL_WAITING, EMAIL_SERVED, EMAIL_REFUSED };

struct email_recipients {
	struct email_address *list; /* owned; `to`, then `cc`, each address once */
	size_t count;
};

/* False when they are too many, or one is no address: check() has said so already. */
bool email_recipients_read(struct email_recipients *r, const struct people *people,
			   struct err *err) __attribute__((warn_unused_result));
void email_recipients_release(struct email_recipients *r);

/* Takes out those that are settled by this progress; the order stays. */
void email_recipients_waiting(struct email_recipients *r, const char *progress);

enum email_fate email_progress_get(const char *progress, const char *address);
/* Notes that an address is settled. */
void email_progress_add(char progress[PROGRESS_MAX], const char *address, enum email_fate fate);
/* Has anybody been served? */
bool email_progress_any_served(const char *progress);

#endif
