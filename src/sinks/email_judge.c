/*
 * email_judge: whose fault is it? The policy for what a mail server says.
 *
 * A server's number means little without the moment at which it was said (sinks.md 2.2, 2.3):
 *
 *   before any RCPT was answered   greeting, EHLO, MAIL FROM: a 5xx is about us or our sender
 *   RCPT, nobody accepted          about the recipients, each for itself
 *   after somebody was accepted    DATA and the final dot: about the content
 *
 * A mail that is accepted (2xx after the dot) is so for those recipients that were accepted
 * before it. Those that were refused for good are dropped and named; those that were put off
 * wait for an attempt of their own, for which the others are left out.
 *
 * Nobody knows whether a mail arrived when the connection dies after the final dot: it is tried
 * again under the same Message-ID, and said to be a possible repeat (reply.maybe_sent).
 */
#include "sinks/email.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sinks/email_headers.h"
#include "sinks/email_recipients.h"
#include "sinks/ruling.h"

enum moment { BEFORE_RCPT = 1, AT_RCPT = 2, AFTER_RCPT = 4, ANY_MOMENT = 7 };

#define LOGIN_FAULT                                                         \
	VERDICT_LATER, BLAME_OPERATOR, "the login was refused", "username", \
		"does the server want one, and are username and password (bearer, oauth2) right?"

/* The first row that fits wins. */
static const struct {
	int from, to; /* codes, both inclusive */
	unsigned moments;
	struct ruling ruling;
} rules[] = {
	{ 421,
	  421,
	  ANY_MOMENT,
	  { VERDICT_LATER, BLAME_DOWN, "the server is closing", NULL, NULL } },
	{ 454,
	  454,
	  ANY_MOMENT,
	  { VERDICT_LATER, BLAME_DOWN, "no login or TLS now", NULL, NULL } },
	{ 530, 530, ANY_MOMENT, { LOGIN_FAULT } },
	{ 534, 535, ANY_MOMENT, { LOGIN_FAULT } },
	{ 538, 538, ANY_MOMENT, { LOGIN_FAULT } },
	{ 552,
	  552,
	  BEFORE_RCPT | AFTER_RCPT,
	  { VERDICT_NEVER, BLAME_NOBODY, "the mail is too large", "template",
	    "let it cut long texts: {{message | truncate 5000}}" } },
	{ 500,
	  599,
	  BEFORE_RCPT,
	  { VERDICT_LATER, BLAME_OPERATOR, "the server refuses us or our sender", "from",
	    "may this server send for it? else check server and username" } },
	{ 500,
	  599,
	  AT_RCPT,
	  { VERDICT_NEVER, BLAME_NOBODY, "every recipient was refused", "to",
	    "do the addresses exist, and may we send there?" } },
	{ 500,
	  599,
	  AFTER_RCPT,
	  { VERDICT_NEVER, BLAME_NOBODY, "the server refuses this mail", "template",
	    "does its text look like spam?" } },
	{ 400, 499, ANY_MOMENT, { VERDICT_LATER, BLAME_NOBODY, "not now", NULL, NULL } },
};

static const struct ruling unknown = { VERDICT_LATER, BLAME_NOBODY, "an answer we do not know",
				       NULL, NULL };
static const struct ruling delivered = { VERDICT_DELIVERED, BLAME_NOBODY, NULL, NULL, NULL };
static const struct ruling put_off = { VERDICT_LATER, BLAME_NOBODY,
				       "some recipients were put off", NULL, NULL };
static const struct ruling login_refused = { LOGIN_FAULT };
static const struct ruling login_not_now = { VERDICT_LATER, BLAME_DOWN, "no login now", NULL,
					     NULL };
static const struct ruling login_missing = {
	VERDICT_LATER,
	BLAME_OPERATOR,
	"the server offers no login we can use",
	"server",
	"use smtps:// or a port with STARTTLS, or leave out username and password",
};

/* The TLS that failed never began: the last word was the one to EHLO. */
static const struct ruling starttls_missing = {
	VERDICT_LATER,
	BLAME_OPERATOR,
	"the server offers no STARTTLS",
	"starttls",
	"\"off\" is for a server on this machine; else use smtps://, or a port with STARTTLS",
};

static void secrets(const struct sink_settings *s, struct mask *m)
{
	const struct email_settings *own = s->own;

	mask_add_secret(m, &own->password);
	mask_add_secret(m, &own->bearer);
	mask_add_secret(m, &own->oauth2.client_secret);
	mask_add_pairs(m, &s->vars);
}

static bool is_2xx(int code)
{
	return code >= 200 && code <= 299;
}

static bool is_5xx(int code)
{
	return code >= 500 && code <= 599;
}

/* ---- rows ---- */

static enum moment moment_of(const struct reply *r)
{
	for (size_t i = 0; i < r->rcpt_count; i++)
		if (is_2xx(r->rcpt[i].code))
			return AFTER_RCPT;
	return r->rcpt_count == 0 ? BEFORE_RCPT : AT_RCPT;
}

static const struct ruling *rule_of_code(const struct reply *r)
{
	unsigned moment = moment_of(r);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (r->status >= rules[i].from && r->status <= rules[i].to &&
		    (rules[i].moments & moment) != 0)
			return &rules[i].ruling;
	return &unknown;
}

static const struct ruling *rule_of_login(const struct reply *r)
{
	if (r->status >= 400 && r->status <= 499)
		return &login_not_now;
	return is_5xx(r->status) || r->status == 334 ? &login_refused : &login_missing;
}

static const struct ruling *rule_of(const struct reply *r)
{
	const struct ruling *trouble = ruling_of_trouble(r->kind);

	if (r->kind == REPLY_LOGIN)
		return rule_of_login(r);
	if (r->kind == REPLY_TLS && r->status == 250)
		return &starttls_missing;
	if (trouble != NULL)
		return trouble;
	return is_2xx(r->status) ? &delivered : rule_of_code(r);
}

/* ---- recipients ---- */

struct tally {
	size_t served, refused, waiting;
	const struct reply_line *worst; /* the first that was not accepted */
	const char *address;            /* whose it was */
};

/*
 * Notes in progress what each RCPT answer settled. Without an answer for each recipient nothing
 * can be told apart: an accepted mail is then everybody's.
 */
static void settle(const struct email_recipients *waiting, const struct reply *r,
		   char *progress, struct tally *t)
{
	bool is_told = r->rcpt_count == waiting->count;

	for (size_t i = 0; i < waiting->count; i++) {
		const char *address = waiting->list[i].address;
		int code = is_told ? r->rcpt[i].code : r->status;

		if (is_2xx(code)) {
			email_progress_add(progress, address, EMAIL_SERVED);
			t->served++;
		} else if (is_told && is_5xx(code)) {
			email_progress_add(progress, address, EMAIL_REFUSED);
			t->refused++;
		} else {
			t->waiting++;
		}
		if (is_told && !is_2xx(code) && t->worst == NULL) {
			t->worst = &r->rcpt[i];
			t->address = address;
		}
	}
}

static void name_worst(const struct tally *t, const struct judge *by, struct outcome *out)
{
	char answer[MASK_TEXT_MAX + 1];
	struct mask mask = { 0 };

	by->secrets(by->settings, &mask);
	mask_add(&mask, by->bearer);
	mask_text(&mask, t->worst->text, strlen(t->worst->text), answer, sizeof(answer));
	mask_release(&mask);
	ruling_say(out->reason, "%zu served, %zu put off, %zu refused; %s: %s", t->served,
		   t->waiting, t->refused, t->address, answer);
	if (t->refused > 0)
		ruling_say(out->hint, "sinks: %.80s: to: is %.100s right?", by->settings->name,
			   t->address);
}

/*
 * What becomes of a mail once every RCPT answer is known: r is 2xx, or nobody was accepted. The
 * progress is in out.
 */
static const struct ruling *rule_of_tally(const struct tally *t, const char *progress,
					  const struct ruling *otherwise)
{
	if (t->waiting > 0)
		return t->refused + t->served > 0 ? &put_off : otherwise;
	return email_progress_any_served(progress) ? &delivered : otherwise;
}

static void judge_recipients(const struct judge *by, const struct message *m,
			     const struct reply *r, const struct ruling *otherwise,
			     struct outcome *out)
{
	char progress[PROGRESS_MAX];
	struct email_recipients waiting;
	struct people room;
	const struct people *people = email_people_for(by->settings->own, m, &room);
	struct tally t = { 0 };
	struct err err;

	snprintf(progress, sizeof(progress), "%s", m->progress);
	bool ok = email_recipients_read(&waiting, people, &err);

	people_release(&room);
	if (!ok) {
		ruling_apply(otherwise, by, r, out);
		return;
	}
	email_recipients_waiting(&waiting, m->progress);
	settle(&waiting, r, progress, &t);
	ruling_apply(rule_of_tally(&t, progress, otherwise), by, r, out);
	if (t.worst != NULL)
		name_worst(&t, by, out);
	memcpy(out->progress, progress, sizeof(progress));
	email_recipients_release(&waiting);
}

/* ---- all of it ---- */

/* A later event refers to the first mail of the episode, so that one stays the handle. */
static void keep_handle(const struct email_settings *own, const struct message *m,
			struct outcome *out)
{
	struct err err;

	if (email_has_thread(m))
		snprintf(out->handle, sizeof(out->handle), "%s", m->handle);
	else if (!email_message_id(own, m, out->handle, &err))
		out->handle[0] = '\0';
}

void email_judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		 struct outcome *out)
{
	const struct judge by = {
		.settings = s,
		.address = "server",
		.login = "username",
		.secrets = secrets,
		.bearer = m->bearer,
	};
	const struct ruling *ruling = rule_of(r);
	bool is_about_recipients = ruling == &delivered ||
				   (moment_of(r) == AT_RCPT && ruling->blame == BLAME_NOBODY);

	if (is_about_recipients) {
		judge_recipients(&by, m, r, ruling, out);
	} else {
		ruling_apply(ruling, &by, r, out);
		snprintf(out->progress, sizeof(out->progress), "%s", m->progress);
	}
	if (out->verdict == VERDICT_DELIVERED) {
		keep_handle(s->own, m, out);
		out->progress[0] = '\0';
	}
}
