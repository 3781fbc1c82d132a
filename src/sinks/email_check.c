/*
 * email_check: what can be wrong with `to`, `cc` and `to_domains` of a mail sink.
 */
#include <string.h>

#include "base/mem.h"
#include "model/redact.h"
#include "sinks/check.h"
#include "sinks/email.h"
#include "sinks/email_recipients.h"

static bool check_list(const struct sink_settings *s, struct conf_problems *p, const char *key,
		       const struct conf_texts *texts)
{
	bool ok = true;
	struct err err;

	for (size_t i = 0; i < texts->count; i++) {
		if (texts->list[i] != NULL && email_people_check(texts->list[i], &err))
			continue;
		ok = false;
		if (texts->list[i] != NULL)
			check_error(s, p, key, err.text);
	}
	return ok;
}

/* "acme.com", as it stands behind an @; "*" is any. */
static bool is_domain(const char *text)
{
	static const char bytes[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len = strlen(text);

	if (strcmp(text, "*") == 0)
		return true;
	return len > 0 && strspn(text, bytes) == len && text[0] != '.' && text[len - 1] != '.';
}

static void check_domains(const struct sink_settings *s, struct conf_problems *p)
{
	const struct email_settings *own = s->own;

	for (size_t i = 0; i < own->to_domains.count; i++)
		if (own->to_domains.list[i] != NULL && !is_domain(own->to_domains.list[i]))
			check_error(s, p, "to_domains",
				    "each is a domain as it stands behind an @, \"acme.com\": "
				    "one below it is another one, and \"*\" is any");
	if (own->to_domains.count > 0 && !email_people_are_named(own->people))
		check_warning(s, p, "to_domains",
			      "does nothing, since no address of to and cc is the alert's to "
			      "name");
	if (email_people_are_free(own->people))
		check_warning(s, p, "to_domains",
			      "is not set, so that an alert may send itself to any address: "
			      "set it to your own domains, as [ \"acme.com\" ] ([ \"*\" ] if "
			      "any is meant)");
}

struct onlooker {
	const struct sink_settings *sink;
	struct conf_problems *problems;
};

/* What is not to be seen there cannot say where it goes. */
static void check_sight(void *arg, const struct tmpl_use *use)
{
	const struct onlooker *o = arg;
	const struct conf_texts *redact = &o->sink->redact;

	for (size_t i = 0; i < redact->count; i++) {
		if (redact->list[i] == NULL || !redact_touches(redact->list[i], use->name))
			continue;
		char *text = mem_printf("\"%.60s\" is what names its recipients ({{%.60s}}): "
					"who gets the mail is to see it",
					redact->list[i], use->name);

		check_error(o->sink, o->problems, "redact", text);
		mem_free(&text);
	}
}

void email_check_people(const struct sink_settings *s, struct conf_problems *p)
{
	struct email_settings *own = s->own;
	const struct email_people_keys lists = { &own->to, &own->cc, &own->to_domains };
	struct onlooker onlooker = { .sink = s, .problems = p };
	bool to_ok = check_list(s, p, "to", &own->to);

	if (own->to.count + own->cc.count > EMAIL_RECIPIENTS_MAX)
		check_error(
			s, p, "to",
			"more than 100 recipients with cc: use a mailing list, or a second sink");
	if (!check_list(s, p, "cc", &own->cc) || !to_ok)
		return;
	own->people = email_people_new(&lists);
	check_domains(s, p);
	email_people_each_use(own->people,
			      &(struct tmpl_uses){ .each = check_sight, .arg = &onlooker });
}
