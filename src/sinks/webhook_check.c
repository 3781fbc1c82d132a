/*
 * webhook_check: what an operator can get wrong about a webhook, said before it matters.
 *
 * A header that we own is refused rather than overridden in silence: its value would be false
 * (Content-Length), break the framing (Transfer-Encoding) or make signatures worthless.
 */
#include "sinks/webhook.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/esc.h"
#include "base/mem.h"
#include "model/facts.h"
#include "model/tmpl.h"
#include "sinks/check.h"

enum { KEY_MIN = 24, KEY_MAX = 64, SECRETS_MAX = 2, HEADER_VALUE_MAX = 8192 };

static const char *const our_headers[] = {
	"Connection",
	"Content-Length",
	"Expect",
	"Host",
	"Keep-Alive",
	"Proxy-Authorization",
	"Proxy-Connection",
	"TE",
	"Trailer",
	"Transfer-Encoding",
	"Upgrade",
	"User-Agent",
	"webhook-id",
	"webhook-signature",
	"webhook-timestamp",
};

/* ---- headers ---- */

/* RFC 9110 5.6.2 */
static bool is_token(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789!#$%&'*+-.^_`|~";

	return name[0] != '\0' && strspn(name, letters) == strlen(name);
}

static bool is_ours(const char *name, const struct webhook_settings *own)
{
	for (size_t i = 0; i < ARRAY_LEN(our_headers); i++)
		if (strcasecmp(name, our_headers[i]) == 0)
			return true;
	return strcasecmp(name, "X-Hub-Signature-256") == 0 && own->secrets.count > 0 &&
	       own->signature == WEBHOOK_SHA256;
}

/* What is wrong with one header, or NULL. */
static const char *header_mistake(const struct webhook_settings *own, size_t i)
{
	const struct pair *header = &own->headers.list[i];
	const char *value = header->value == NULL ? "" : header->value;

	if (!is_token(header->name))
		return "is no header name: letters, digits and - only";
	if (is_ours(header->name, own))
		return "is set by tocsin itself: take it off";
	if (strcasecmp(header->name, "Authorization") == 0 &&
	    (own->bearer.reference != NULL || own->basic.username != NULL ||
	     own->oauth2.token_url != NULL))
		return "is what bearer, basic and oauth2 set: keep one of them";
	if (strpbrk(value, "\r\n") != NULL)
		return "its value holds a line break";
	if (strlen(value) > HEADER_VALUE_MAX)
		return "its value is over 8 KiB";
	for (size_t other = 0; other < i; other++)
		if (strcasecmp(header->name, own->headers.list[other].name) == 0)
			return "is there twice (case does not count)";
	return NULL;
}

static void check_headers(const struct sink_settings *s, struct conf_problems *p)
{
	const struct webhook_settings *own = s->own;

	for (size_t i = 0; i < own->headers.count; i++) {
		const char *mistake = header_mistake(own, i);
		char key[100];

		snprintf(key, sizeof(key), "headers: %.80s", own->headers.list[i].name);
		if (mistake != NULL)
			check_error(s, p, key, mistake);
	}
}

/* ---- secrets ---- */

static void check_standard_secret(const struct sink_settings *s, const char *secret,
				  struct conf_problems *p)
{
	bool has_prefix = strncmp(secret, webhook_key_prefix, strlen(webhook_key_prefix)) == 0;
	struct buf key;
	bool ok;

	buf_init(&key, strlen(secret));
	ok = webhook_key(secret, &key);
	if (has_prefix && (!ok || key.len < KEY_MIN || key.len > KEY_MAX))
		check_error(
			s, p, "secret",
			"must be base64 of 24 to 64 bytes after whsec_: is all of it there?");
	else if (key.len < KEY_MIN)
		check_warning(s, p, "secret",
			      "is shorter than 24 bytes; make a better one with "
			      "`openssl rand -base64 32` and whsec_ before it");
	buf_release(&key);
}

static void check_secrets(const struct sink_settings *s, struct conf_problems *p)
{
	const struct webhook_settings *own = s->own;
	bool is_standard = own->signature == WEBHOOK_STANDARD;

	if (own->secrets.count > SECRETS_MAX)
		check_error(s, p, "secret", "at most two: the old one and the new one");
	if (!is_standard && own->secrets.count > 1)
		check_error(
			s, p, "secret",
			"signature = \"sha256\" can sign with one only; with \"standard\" both do");
	for (size_t i = 0; is_standard && i < own->secrets.count; i++)
		check_standard_secret(s, own->secrets.list[i], p);
}

/* ---- where to ---- */

/* A name in an address may stand behind the host alone: an alert must not choose who hears it. */
static void check_url_text(const struct sink_settings *s, struct conf_problems *p,
			   const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *name = strstr(url, "{{");
	size_t host = scheme == NULL ? 0 : (size_t)(scheme + 3 - url);
	size_t fixed = host + strcspn(url + host, "/?");

	if (name == NULL) {
		check_url(s, p, url);
		return;
	}
	if ((size_t)(name - url) < fixed) {
		check_error(s, p, "url",
			    "holds a name before the end of the host: "
			    "names may only follow it");
		return;
	}
	char *known = mem_dup(url, fixed);

	check_url(s, p, known);
	mem_free(&known);
}

static void check_error_about(const struct sink_settings *s, struct conf_problems *p,
			      const char *key, const char *text, const char *example)
{
	char *whole = mem_printf("%s \"%s\"", text, example);

	check_error(s, p, key, whole);
	mem_free(&whole);
}

static void check_address(const struct sink_settings *s, struct conf_problems *p)
{
	const struct webhook_settings *own = s->own;
	bool has_base = s->preset != NULL && s->preset->base_url != NULL;

	if (own->url.reference == NULL && !has_base)
		check_error(s, p, "url",
			    s->preset != NULL
				    ? "is required: the whole address that the vendor gave you"
				    : "is required: where to POST");
	if (own->url.value != NULL && has_base)
		check_error(s, p, "url",
			    "is not asked for by this preset: base_url moves all of its "
			    "addresses");
	else if (own->url.value != NULL)
		check_url_text(s, p, own->url.value);
	if (own->base_url != NULL && !has_base)
		check_error(s, p, "base_url", "is for a preset that has one; use url");
	else if (own->base_url != NULL)
		check_base_url(s, p, own->base_url);
	else if (has_base && s->preset->own_host)
		check_error_about(s, p, "base_url", "is required, for example",
				  s->preset->base_url);
}

/* ---- names in url and headers ---- */

static void check_text(const struct sink_settings *s, struct conf_problems *p, const char *key,
		       const char *text)
{
	struct err err = { 0 };
	struct tmpl *t;

	if (text == NULL || strstr(text, "{{") == NULL)
		return;
	t = tmpl_new(key, text, strlen(text), NULL, &err);
	if (t == NULL)
		check_error(s, p, key, err.text);
	tmpl_free(&t);
}

static void check_names(const struct sink_settings *s, struct conf_problems *p)
{
	const struct webhook_settings *own = s->own;

	check_text(s, p, "url", own->url.value);
	for (size_t i = 0; i < own->headers.count; i++)
		check_text(s, p, "headers", own->headers.list[i].value);
}

static void check_method(const struct sink_settings *s, struct conf_problems *p)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "GET", "DELETE" };
	const struct webhook_settings *own = s->own;

	for (size_t i = 0; own->method != NULL && i < ARRAY_LEN(methods); i++)
		if (strcmp(own->method, methods[i]) == 0)
			return;
	if (own->method != NULL)
		check_error(s, p, "method", "must be one of POST, PUT, PATCH, GET, DELETE");
}

static void check_logins(const struct sink_settings *s, struct conf_problems *p)
{
	const struct webhook_settings *own = s->own;
	bool has_bearer = own->bearer.reference != NULL,
	     has_basic = own->basic.username != NULL;
	struct err err = { 0 };

	if (has_bearer && has_basic)
		check_error(s, p, "bearer", "is the same header as basic: keep one of them");
	if (own->oauth2.token_url == NULL)
		return;
	if (has_bearer || has_basic)
		check_error(s, p, "oauth2",
			    "is the same header as bearer and basic: keep one of them");
	if (!settings_url_allowed(own->oauth2.token_url, s->plaintext, &err))
		check_error(s, p, "oauth2: token_url", err.text);
}

void webhook_check(const struct sink_settings *s, struct conf_problems *problems)
{
	const struct webhook_settings *own = s->own;

	check_address(s, problems);
	check_names(s, problems);
	check_headers(s, problems);
	check_secrets(s, problems);
	check_method(s, problems);
	check_logins(s, problems);
	if ((own->cert_file != NULL) != (own->key_file != NULL))
		check_error(s, problems, "cert_file", "and key_file go together");
	if (own->basic.username != NULL && strchr(own->basic.username, ':') != NULL)
		check_error(s, problems, "basic: username", "must not hold a colon (RFC 7617)");
}
