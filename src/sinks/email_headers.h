/*
 * email_headers: the header fields of one mail (sinks.md 2.1).
 */
#ifndef SINKS_EMAIL_HEADERS_H
#define SINKS_EMAIL_HEADERS_H

#include <stdbool.h>

#include "base/err.h"
#include "model/request.h"
#include "model/sink.h"
#include "sinks/email.h"

/*
 * Adds all of them: From, To, Cc, Reply-To, Subject, Date, Message-ID, In-Reply-To, References,
 * Outlook's Thread-Topic and -Index, what tells machines that a machine wrote it, Importance and
 * X-Priority. Each is one line.
 */
bool email_headers_add(struct request *r, const struct email_settings *own,
		       const struct people *people, const struct message *m, struct err *err)
	__attribute__((warn_unused_result));

/* The Message-ID of this delivery, the same at every attempt: <delivery_id@domain of from>. */
bool email_message_id(const struct email_settings *own, const struct message *m,
		      char id[HANDLE_MAX], struct err *err) __attribute__((warn_unused_result));

/* True when an earlier mail's Message-ID can be referred to. */
bool email_has_thread(const struct message *m);

#endif
