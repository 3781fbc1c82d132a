/*
 * email: the settings of a mail sink, shared by the files that build and judge its mails.
 *
 *   email.c             keys, what can be wrong with them, and the request
 *   email_address.c     "Name <local@domain>" in, header text out
 *   email_recipients.c  who gets a mail, and who has it already
 *   email_headers.c     the header fields of one mail
 *   email_judge.c       whose fault a server's answer is
 */
#ifndef SINKS_EMAIL_H
#define SINKS_EMAIL_H

#include "model/conf.h"
#include "model/settings.h"
#include "model/sink.h"

enum email_starttls { EMAIL_STARTTLS_REQUIRED, EMAIL_STARTTLS_OFF };

struct email_settings {
	char *server; /* smtp://host[:port] or smtps://host[:port] */
	char *username;
	struct conf_secret password, bearer; /* one of them, or oauth2, beside a username */
	struct sink_oauth2 oauth2;
	char *from, *reply_to, *hello;
	struct conf_texts to, cc;
	enum email_starttls starttls;
};

extern const struct sink_type email_sink;

void email_judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		 struct outcome *out);

#endif
