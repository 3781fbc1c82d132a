/*
 * email: the settings of a mail sink, shared by the files that build and judge its mails.
 *
 *   email.c             keys, what can be wrong with them, and the request
 *   email_check.c       the same of those who get the mails
 *   email_address.c     "Name <local@domain>" in, header text out
 *   email_people.c      whom `to` and `cc` mean for one alert
 *   email_recipients.c  who gets a mail, and who has it already
 *   email_headers.c     the header fields of one mail
 *   email_judge.c       whose fault a server's answer is
 */
#ifndef SINKS_EMAIL_H
#define SINKS_EMAIL_H

#include "model/conf.h"
#include "model/settings.h"
#include "model/sink.h"
#include "sinks/email_people.h"

enum email_starttls { EMAIL_STARTTLS_REQUIRED, EMAIL_STARTTLS_OFF };

struct email_settings {
	char *server; /* smtp://host[:port] or smtps://host[:port] */
	char *username;
	struct conf_secret password, bearer; /* one of them, or oauth2, beside a username */
	struct sink_oauth2 oauth2;
	char *from, *reply_to, *hello;
	struct conf_texts to, cc, to_domains;
	struct email_people *people; /* of these three; NULL while one of them is wrong */
	enum email_starttls starttls;
};

extern const struct sink_type email_sink;

/* Says what is wrong with whom it is to write to; fills `people` of its settings where nothing
 * is (email_check.c). */
void email_check_people(const struct sink_settings *s, struct conf_problems *p);

/*
 * Whom the message goes to: as flow says, else as its first alert names them. `room` is filled
 * for that, and to be released in any case.
 */
const struct people *email_people_for(const struct email_settings *own, const struct message *m,
				      struct people *room);

void email_judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		 struct outcome *out);

#endif
