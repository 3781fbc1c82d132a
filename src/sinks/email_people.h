/*
 * email_people: `to`, `cc` and `to_domains` of a mail sink, and whom they mean for one alert.
 *
 * An entry of `to` or `cc` that holds {{…}} is a template over one alert's facts. What it becomes
 * was written by others: it is one address that can be sent to as it stands, in a domain that
 * `to_domains` allows, or it is left out. Entries without {{ are the operator's word and stay.
 */
#ifndef SINKS_EMAIL_PEOPLE_H
#define SINKS_EMAIL_PEOPLE_H

#include <stdbool.h>

#include "base/err.h"
#include "model/conf.h"
#include "model/facts.h"
#include "model/people.h"
#include "model/tmpl.h"

struct email_people;

/* As they are configured; borrowed for as long as what is made of them lives. */
struct email_people_keys {
	const struct conf_texts *to, *cc, *domains;
};

/* False and err, which names neither key nor sink, where an entry is no address and no
 * template. */
bool email_people_check(const char *entry, struct err *err) __attribute__((warn_unused_result));

/* All entries must be right: email_people_check(). Never NULL. */
struct email_people *email_people_new(const struct email_people_keys *keys);
void email_people_free(struct email_people **p);

/* Does an alert name any of them? */
bool email_people_are_named(const struct email_people *p);
/* May it name any domain? */
bool email_people_are_free(const struct email_people *p);
/* Every field that a template asks for. */
void email_people_each_use(const struct email_people *p, const struct tmpl_uses *uses);

/* Fills out, each address once: what is in `to` is not in `cc`. facts may be NULL where no
 * alert names any. */
void email_people_of(const struct email_people *p, const struct facts *facts,
		     struct people *out);

#endif
