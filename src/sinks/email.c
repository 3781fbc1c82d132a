/*
 * email: one mail for each message, to all recipients at once.
 *
 * build() makes the envelope (who is still waiting for it), the header and the two texts; the
 * MIME structure around them is io's. TLS is the rule: smtps:// from the first byte, smtp:// by
 * STARTTLS, which is required unless it is turned off for a server on this machine (or where
 * plaintext = true says that the way there is one's own).
 */
#include "sinks/email.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sinks/check.h"
#include "sinks/email_address.h"
#include "sinks/email_headers.h"
#include "sinks/email_recipients.h"
#include "sinks/oauth2.h"

enum {
	PART_SUBJECT,
	PART_TEXT,
	PART_HTML,
	SUBJECT_BYTES_MAX = 1000,
	TEXT_BYTES_MAX = 1 << 20,
	HTML_BYTES_MAX = 2 << 20,
	DIGEST_MAX = 20, /* alerts in one message that people read */
	PORT_DIGITS_MAX = 5,
};

static const char *const starttls_words[] = { "required", "off", NULL };

static const struct conf_key keys[] = {
	{ .name = "server",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, server),
	  .help = "smtp://host:587 (STARTTLS) or smtps://host:465" },
	{ .name = "username",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, username),
	  .help = "of the server's login" },
	{ .name = "password",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, password),
	  .help = "of the server's login" },
	{ .name = "bearer",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, bearer),
	  .help = "an OAuth token in place of a password (XOAUTH2)" },
	{ .name = "oauth2",
	  .kind = CONF_NESTED,
	  .nested = oauth2_keys,
	  .offset = offsetof(struct email_settings, oauth2),
	  .help = "where such tokens come from: { token_url; client_id; client_secret; scope; }" },
	{ .name = "from",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, from),
	  .help = "the sender, \"Name <name@domain>\"" },
	{ .name = "to",
	  .kind = CONF_TEXTS,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, to),
	  .help = "one address or a list of them; \"{{user.email}}\": the alert names it" },
	{ .name = "cc",
	  .kind = CONF_TEXTS,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, cc),
	  .help = "likewise, who gets a copy" },
	{ .name = "to_domains",
	  .kind = CONF_TEXTS,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, to_domains),
	  .help = "domains of the addresses that alerts may name; [ \"*\" ]: any" },
	{ .name = "reply_to",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, reply_to),
	  .help = "where answers go" },
	{ .name = "hello",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct email_settings, hello),
	  .help = "our name in EHLO; the machine's unless set" },
	{ .name = "starttls",
	  .kind = CONF_WORD,
	  .words = starttls_words,
	  .fallback = "required",
	  .offset = offsetof(struct email_settings, starttls),
	  .help = "\"required\", or \"off\" for a server on loopback" },
	{ .name = NULL },
};

/* ---- checking ---- */

static const char *after_scheme(const char *server)
{
	if (strncmp(server, "smtp://", 7) == 0)
		return server + 7;
	return strncmp(server, "smtps://", 8) == 0 ? server + 8 : NULL;
}

static bool is_implicit(const struct email_settings *own)
{
	return strncmp(own->server, "smtps://", 8) == 0;
}

/* Letters, digits and what else a host's name or address has. */
static bool is_host(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:",
			   s[i]) == NULL)
			return false;
	return len > 0;
}

/* What is wrong with `server`, or NULL. */
static const char *server_mistake(const char *server)
{
	const char *host = after_scheme(server), *port;
	size_t len, digits;

	if (host == NULL)
		return "must begin with smtp:// or smtps://";
	if (strchr(host, '@') != NULL)
		return "holds a login: set username and password";
	len = strcspn(host, "/");
	if (host[len] == '/' && host[len + 1] != '\0')
		return "holds a path: smtp://host:port is all of it (our own name is `hello`)";
	port = host[0] == '[' ? memchr(host, ']', len) : host;
	port = port == NULL ? NULL : memchr(port, ':', len - (size_t)(port - host));
	if (!is_host(host, port == NULL ? len : (size_t)(port - host)))
		return "has no valid host";
	if (port == NULL)
		return NULL;
	digits = len - (size_t)(port + 1 - host);
	if (digits == 0 || digits > PORT_DIGITS_MAX || strspn(port + 1, "0123456789") < digits)
		return "has no valid port";
	return NULL;
}

static enum mail_tls mail_tls(const struct email_settings *own)
{
	if (is_implicit(own))
		return MAIL_TLS_IMPLICIT;
	switch (own->starttls) {
	case EMAIL_STARTTLS_REQUIRED: return MAIL_TLS_STARTTLS;
	case EMAIL_STARTTLS_OFF: break;
	}
	return MAIL_TLS_NONE;
}

/* True on loopback, or where plaintext allows it: the rule is the one for http. */
static bool may_be_plain(const struct sink_settings *s, bool plaintext)
{
	const struct email_settings *own = s->own;
	char *url = mem_printf("http://%s", after_scheme(own->server));
	struct err err;
	bool ok = settings_url_allowed(url, plaintext, &err);

	mem_free(&url);
	return ok;
}

static void check_server(const struct sink_settings *s, struct conf_problems *p)
{
	const struct email_settings *own = s->own;
	const char *mistake = own->server != NULL ? server_mistake(own->server) : NULL;

	if (own->hello != NULL && !is_host(own->hello, strlen(own->hello)))
		check_error(s, p, "hello", "must be a host's name");
	if (own->server == NULL)
		return;
	if (mistake != NULL)
		check_error(s, p, "server", mistake);
	else if (own->starttls == EMAIL_STARTTLS_OFF && is_implicit(own))
		check_error(s, p, "starttls",
			    "does not go with smtps://, which is TLS already");
	else if (own->starttls == EMAIL_STARTTLS_OFF && !may_be_plain(s, s->plaintext))
		check_error(
			s, p, "starttls",
			"can be off for a server on loopback only; elsewhere set plaintext = "
			"true if the way there is your own");
}

/* Credentials go by TLS or stay on this machine, whatever plaintext allows for the mail itself. */
static void check_way(const struct sink_settings *s, struct conf_problems *p)
{
	const struct email_settings *own = s->own;

	if (own->username != NULL && own->server != NULL &&
	    server_mistake(own->server) == NULL && mail_tls(own) == MAIL_TLS_NONE &&
	    !may_be_plain(s, false))
		check_error(s, p, "username",
			    "is sent without TLS to loopback only: leave starttls on, or "
			    "leave out the login");
}

/* The one of the ways to log in that is set; NULL: none, or (*many) more than one. */
static const char *login_key(const struct email_settings *own, bool *many)
{
	const struct {
		const char *key;
		bool is_set;
	} ways[] = {
		{ "password", own->password.reference != NULL },
		{ "bearer", own->bearer.reference != NULL },
		{ "oauth2", own->oauth2.token_url != NULL },
	};
	const char *found = NULL;

	*many = false;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (!ways[i].is_set)
			continue;
		*many = *many || found != NULL;
		found = ways[i].key;
	}
	return found;
}

static void check_login(const struct sink_settings *s, struct conf_problems *p)
{
	const struct email_settings *own = s->own;
	bool many;
	const char *key = login_key(own, &many);
	struct err err = { "" };

	check_way(s, p);
	if (own->oauth2.token_url != NULL &&
	    !settings_url_allowed(own->oauth2.token_url, s->plaintext, &err))
		check_error(s, p, "oauth2: token_url", err.text);
	/* One of the two may be there and only unreadable, which has been said. */
	if (!s->is_whole)
		return;
	if (many)
		check_error(s, p, key, "takes the place of password: keep one of them");
	else if (own->username != NULL && key == NULL)
		check_error(s, p, "username",
			    "needs password (or bearer, or oauth2) beside it");
	else if (own->username == NULL && key != NULL)
		check_error(s, p, key, "needs username beside it");
}

static void check_address(const struct sink_settings *s, struct conf_problems *p,
			  const char *key, const char *text)
{
	struct email_address a;
	struct err err;

	if (text != NULL && !email_address_read(&a, text, &err))
		check_error(s, p, key, err.text);
}

static void check(const struct sink_settings *s, struct conf_problems *p)
{
	const struct email_settings *own = s->own;

	check_server(s, p);
	check_login(s, p);
	check_address(s, p, "from", own->from);
	check_address(s, p, "reply_to", own->reply_to);
	email_check_people(s, p);
}

static void release(void *settings)
{
	struct email_settings *own = settings;

	email_people_free(&own->people);
}

static bool names_people(const struct sink_settings *s)
{
	const struct email_settings *own = s->own;

	return email_people_are_named(own->people);
}

static void people(const struct sink_settings *s, const struct facts *facts, struct people *out)
{
	const struct email_settings *own = s->own;

	email_people_of(own->people, facts, out);
}

static void each_people_use(const struct sink_settings *s, const struct tmpl_uses *uses)
{
	const struct email_settings *own = s->own;

	email_people_each_use(own->people, uses);
}

const struct people *email_people_for(const struct email_settings *own, const struct message *m,
				      struct people *room)
{
	*room = (struct people){ .key = PEOPLE_NOBODY };
	if (m->people != NULL)
		return m->people;
	email_people_of(own->people, m->count > 0 ? m->alerts : NULL, room);
	return room;
}

/* ---- building ---- */

/* Every line end as CRLF, whatever it was; no NUL. */
static char *mail_text(const struct message_part *part)
{
	struct buf text;

	buf_init(&text, part->len * 2);
	for (size_t i = 0; i < part->len; i++) {
		char c = part->text[i];

		if (c == '\r' && i + 1 < part->len && part->text[i + 1] == '\n')
			continue;
		if (c == '\r' || c == '\n')
			buf_adds(&text, "\r\n");
		else if (c != '\0')
			buf_addc(&text, c);
	}
	return buf_take(&text, NULL);
}

static char *mail_url(const struct email_settings *own)
{
	size_t len = strlen(own->server);
	const char *hello = own->hello == NULL ? "" : own->hello;

	if (own->server[len - 1] == '/')
		len--;
	return mem_printf("%.*s%s%s", (int)len, own->server, hello[0] == '\0' ? "" : "/",
			  hello);
}

static bool add_recipients(struct request *r, const struct people *people, const char *progress,
			   struct err *err)
{
	struct email_recipients waiting;
	bool ok;

	if (!email_recipients_read(&waiting, people, err))
		return false;
	email_recipients_waiting(&waiting, progress);
	ok = waiting.count > 0 || err_set(err, "nobody is left who does not have it");
	for (size_t i = 0; ok && i < waiting.count; i++)
		ok = request_recipient(r, waiting.list[i].address, err);
	email_recipients_release(&waiting);
	return ok;
}

static bool build(const struct sink_settings *s, const struct message *m, struct request *out,
		  struct err *err)
{
	const struct email_settings *own = s->own;
	struct email_address from;

	if (m->parts[PART_SUBJECT].text == NULL || m->parts[PART_TEXT].text == NULL)
		return err_set(err, "no subject or no text was made");
	if (!email_address_read(&from, own->from, err))
		return false;
	out->kind = REQUEST_MAIL;
	out->url = mail_url(own);
	out->tls = mail_tls(own);
	out->username = mem_strdup(own->username);
	out->password = mem_strdup(own->password.value);
	out->bearer = mem_strdup(own->bearer.value);
	out->from = mem_strdup(from.address);
	out->text = mail_text(&m->parts[PART_TEXT]);
	if (m->parts[PART_HTML].text != NULL)
		out->html = mail_text(&m->parts[PART_HTML]);

	struct people room;
	const struct people *to = email_people_for(own, m, &room);
	bool ok = add_recipients(out, to, m->progress, err) &&
		  email_headers_add(out, own, to, m, err);

	people_release(&room);
	return ok;
}

static struct sink_oauth2 *oauth2_of(void *settings)
{
	struct email_settings *own = settings;

	return own->oauth2.token_url != NULL ? &own->oauth2 : NULL;
}

const struct sink_type email_sink = {
	.name = "email",
	.help = "mail by SMTP, with TLS",
	.keys = keys,
	.own_size = sizeof(struct email_settings),
	.template = "email",
	.oauth2 = oauth2_of,
	.names_people = names_people,
	.people = people,
	.each_people_use = each_people_use,
	.release = release,
	.parts = {
		[PART_SUBJECT] = {
			.name = "subject",
			.suffix = ".subject.txt",
			.plain = "{{#test}}TEST {{/test}}[{{event}}] {{severity | truncate 20}} "
				 "{{title | truncate 100}}{{^title}}{{count}} alerts{{/title}}",
			.header = true,
			.max_len = SUBJECT_BYTES_MAX,
		},
		[PART_TEXT] = {
			.name = "text",
			.suffix = ".txt",
			.plain = "{{#alerts}}{{event}}: {{severity | truncate 40}} "
				 "{{title | truncate 500}}\n{{message | truncate 5000}}\n"
				 "{{source}} {{type | truncate 100}} {{id | truncate 200}} {{at}}\n\n"
				 "{{/alerts}}",
			.max_len = TEXT_BYTES_MAX,
		},
		[PART_HTML] = {
			.name = "html",
			.suffix = ".html",
			.plain = "{{#alerts}}<p><b>{{event}}: {{severity | truncate 40}} "
				 "{{title | truncate 500}}</b><br>{{message | truncate 5000}}<br>"
				 "{{source}} {{type | truncate 100}} {{id | truncate 200}} {{at}}</p>\n"
				 "{{/alerts}}",
			.optional = true,
			.max_len = HTML_BYTES_MAX,
		},
	},
	.part_count = 3,
	.collapse = true,
	.batch_max = DIGEST_MAX,
	.rate = "off",
	.check = check,
	.build = build,
	.judge = email_judge,
};
