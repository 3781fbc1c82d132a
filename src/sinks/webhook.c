/*
 * webhook: any HTTP receiver, signed the way of Standard Webhooks 1.0.0.
 *
 * The body is the rendered template, byte for byte, and the signature is over those bytes. A
 * retry keeps webhook-id and has a new webhook-timestamp (and so a new signature): receivers
 * refuse what is older than five minutes. With two secrets both sign, so a receiver can move
 * from one to the other at any moment.
 *
 * `signature = "sha256"` is GitHub's older way: the secret as it is written, over the body
 * alone, so it does not protect against a replay.
 */
#include "sinks/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/facts.h"
#include "sinks/http_common.h"
#include "sinks/http_request.h"
#include "sinks/oauth2.h"
#include "sinks/webhook_preset.h"

enum {
	SECRET_BYTES_MAX = 64 << 10, /* as base/secret takes them */
	SIGNATURE_MAX = 256,         /* two of them are 95 bytes */
	URL_MAX = 16 << 10,
	HEADER_MAX = 64 << 10,
};

const char webhook_key_prefix[] = "whsec_";

static const char *const signatures[] = { "standard", "sha256", NULL };

static const struct conf_key basic_keys[] = {
	{ .name = "username",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct webhook_basic, username),
	  .help = "of HTTP basic authentication" },
	{ .name = "password",
	  .kind = CONF_SECRET,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct webhook_basic, password),
	  .help = "of HTTP basic authentication" },
	{ .name = NULL },
};

static const struct conf_key keys[] = {
	{ .name = "url",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, url),
	  .help = "where to POST; may hold names, as {{severity}}, behind the host" },
	{ .name = "preset",
	  .kind = CONF_OTHER,
	  .help = "a vendor's API by name: `tocsin presets` lists them" },
	{ .name = "base_url",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, base_url),
	  .help = "in place of the preset's: another region, a proxy, a test" },
	{ .name = "method",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, method),
	  .help = "POST unless set; PUT, PATCH …" },
	{ .name = "headers",
	  .kind = CONF_PAIRS,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, headers),
	  .help = "more headers, by name; Content-Type replaces ours" },
	{ .name = "secret",
	  .kind = CONF_TEXTS,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, secrets),
	  .help = "signs each request; two while a receiver moves from one to the other" },
	{ .name = "signature",
	  .kind = CONF_WORD,
	  .words = signatures,
	  .fallback = "standard",
	  .offset = offsetof(struct webhook_settings, signature),
	  .help = "\"standard\" (Standard Webhooks) or \"sha256\" (X-Hub-Signature-256)" },
	{ .name = "basic",
	  .kind = CONF_NESTED,
	  .nested = basic_keys,
	  .offset = offsetof(struct webhook_settings, basic),
	  .help = "HTTP basic authentication: { username; password; }" },
	{ .name = "bearer",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, bearer),
	  .help = "the token of Authorization: Bearer" },
	{ .name = "oauth2",
	  .kind = CONF_NESTED,
	  .nested = oauth2_keys,
	  .offset = offsetof(struct webhook_settings, oauth2),
	  .help = "OAuth 2.0: { token_url; client_id; client_secret; scope; }" },
	{ .name = "cert_file",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, cert_file),
	  .help = "our certificate, for a receiver that asks for one (PEM)" },
	{ .name = "key_file",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct webhook_settings, key_file),
	  .help = "its private key (PEM, without a passphrase)" },
	{ .name = NULL },
};

/* ---- signing ---- */

bool webhook_key(const char *secret, struct buf *key)
{
	size_t skip = strlen(webhook_key_prefix);

	if (strncmp(secret, webhook_key_prefix, skip) != 0)
		return buf_adds(key, secret);
	return esc_unbase64(key, secret + skip, strlen(secret + skip));
}

static bool add_standard(struct buf *out, const char *secret, const struct message *m,
			 const struct buf *body)
{
	unsigned char digest[HMAC_LEN];
	char timestamp[NUM_TEXT_MAX];
	struct buf key;

	size_t timestamp_len = num_text(m->now / 1000, timestamp);

	buf_init(&key, SECRET_BYTES_MAX);
	bool ok = webhook_key(secret, &key);
	const struct hmac_part parts[] = {
		{ m->delivery_id, strlen(m->delivery_id) },
		{ ".", 1 },
		{ timestamp, timestamp_len },
		{ ".", 1 },
		{ body->data, body->len },
	};

	hmac_sha256(key.data, key.len, parts, ARRAY_LEN(parts), digest);
	buf_release(&key);
	ok = ok && buf_adds(out, out->len == 0 ? "v1," : " v1,");
	return ok && esc_base64(out, digest, sizeof(digest));
}

static bool sign_standard(const struct webhook_settings *own, const struct message *m,
			  struct request *out, struct err *err)
{
	struct buf text;
	bool ok = true;

	buf_init(&text, SIGNATURE_MAX);
	for (size_t i = 0; i < own->secrets.count; i++)
		ok = ok && add_standard(&text, own->secrets.list[i], m, &out->body);
	ok = ok ? request_header(out, "webhook-signature", text.data, err)
		: err_set(err, "secret is no base64 after whsec_");
	buf_release(&text);
	return ok;
}

static bool sign_sha256(const struct webhook_settings *own, struct request *out,
			struct err *err)
{
	const char *secret = own->secrets.list[0];
	const struct hmac_part part = { out->body.data, out->body.len };
	unsigned char digest[HMAC_LEN];
	struct buf text;
	bool ok;

	hmac_sha256(secret, strlen(secret), &part, 1, digest);
	buf_init(&text, SIGNATURE_MAX);
	buf_adds(&text, "sha256=");
	esc_hex(&text, digest, sizeof(digest));
	ok = request_header(out, "X-Hub-Signature-256", text.data, err);
	buf_release(&text);
	return ok;
}

static bool sign(const struct webhook_settings *own, const struct message *m,
		 struct request *out, struct err *err)
{
	char timestamp[NUM_TEXT_MAX];

	num_text(m->now / 1000, timestamp);
	if (!request_header(out, "webhook-id", m->delivery_id, err) ||
	    !request_header(out, "webhook-timestamp", timestamp, err))
		return false;
	if (own->secrets.count == 0)
		return true;
	switch (own->signature) {
	case WEBHOOK_STANDARD: return sign_standard(own, m, out, err);
	case WEBHOOK_SHA256: return sign_sha256(own, out, err);
	}
	BUG("a signature of kind %d", (int)own->signature);
}

/* ---- building ---- */

/* A value may hold names; what they stand for stays one line. */
static bool add_header(const struct pair *header, const struct message *m, struct request *out,
		       struct err *err)
{
	struct buf value, line;
	bool ok;

	buf_init(&value, HEADER_MAX);
	buf_init(&line, HEADER_MAX);
	ok = http_request_text(header->value, ".txt", m, &value, err) &&
	     (esc_header(&line, value.data, value.len) || err_set(err, "a header is too long"));
	ok = ok && request_set_header(out, header->name, line.data, err);
	buf_release(&line);
	buf_release(&value);
	return ok;
}

static bool add_headers(const struct webhook_settings *own, const struct message *m,
			struct request *out, struct err *err)
{
	for (size_t i = 0; i < own->headers.count; i++)
		if (!add_header(&own->headers.list[i], m, out, err))
			return false;
	return true;
}

static bool add_content_type(struct request *out, struct err *err)
{
	return request_get_header(out, "Content-Type") != NULL ||
	       request_header(out, "Content-Type", "application/json", err);
}

static bool start(const struct webhook_settings *own, const struct message *m,
		  struct request *out, struct err *err)
{
	const char *method = own->method != NULL ? own->method : "POST";
	struct buf url;

	if (own->url.value == NULL)
		return err_set(err, "url has no value");
	buf_init(&url, URL_MAX);
	bool ok = http_request_text(own->url.value, ".url", m, &url, err) &&
		  http_request_start(out, method, url.data, err) &&
		  http_request_body(out, &m->parts[0], err);

	buf_release(&url);
	return ok;
}

static void add_login(const struct webhook_settings *own, struct request *out)
{
	if (own->basic.username != NULL) {
		mem_free(&out->username);
		mem_free_secret(&out->password);
		out->username = mem_strdup(own->basic.username);
		out->password = mem_strdup(own->basic.password.value);
	}
	out->bearer = mem_strdup(own->bearer.value);
	out->cert_file = mem_strdup(own->cert_file);
	out->key_file = mem_strdup(own->key_file);
}

static bool build_plain(const struct webhook_settings *own, const struct message *m,
			struct request *out, struct err *err)
{
	return start(own, m, out, err) && add_headers(own, m, out, err) &&
	       add_content_type(out, err) && sign(own, m, out, err);
}

static bool build_preset(const struct sink_settings *s, const struct message *m,
			 struct request *out, struct err *err)
{
	const struct webhook_settings *own = s->own;
	struct message addressed = *m;

	addressed.url = own->url.value;
	addressed.base_url = own->base_url != NULL ? own->base_url : s->preset->base_url;
	return webhook_preset_build(s, &addressed, out, err) && add_headers(own, m, out, err) &&
	       (own->secrets.count == 0 || sign(own, m, out, err));
}

static bool build(const struct sink_settings *s, const struct message *m, struct request *out,
		  struct err *err)
{
	bool ok = s->preset != NULL ? build_preset(s, m, out, err)
				    : build_plain(s->own, m, out, err);

	add_login(s->own, out);
	return ok;
}

/* ---- judging ---- */

/* Servers that complain about a login quote the header that carried it. */
static void hide_login(const char *username, const char *password, struct mask *m)
{
	struct buf pair, header;

	if (username == NULL || password == NULL)
		return;
	mask_add(m, password);
	buf_init(&pair, SECRET_BYTES_MAX * 2);
	buf_init(&header, SECRET_BYTES_MAX * 4);
	buf_addf(&pair, "%s:%s", username, password);
	esc_base64(&header, pair.data, pair.len);
	mask_add(m, header.data);
	buf_release(&header);
	buf_release(&pair);
}

/* In an address it stands percent-encoded. */
static void hide_text(struct mask *m, const char *secret)
{
	struct buf encoded;

	if (secret == NULL)
		return;
	mask_add(m, secret);
	buf_init(&encoded, SECRET_BYTES_MAX * 3);
	if (esc_url(&encoded, secret, strlen(secret)) && strcmp(encoded.data, secret) != 0)
		mask_add(m, encoded.data);
	buf_release(&encoded);
}

static void hide_var(struct mask *m, const struct pair *var)
{
	hide_text(m, var->value);
	hide_text(m, var->former);
}

static void secrets(const struct sink_settings *s, struct mask *m)
{
	const struct webhook_settings *own = s->own;

	mask_add_url(m, own->url.value);
	mask_add_url(m, own->url.former);
	mask_add_secret(m, &own->bearer);
	mask_add_secret(m, &own->oauth2.client_secret);
	mask_add_secret(m, &own->basic.password);
	hide_login(own->basic.username, own->basic.password.value, m);
	for (size_t i = 0; i < own->secrets.count; i++)
		mask_add(m, own->secrets.list[i]);
	mask_add_pairs(m, &own->headers);
	for (size_t i = 0; i < s->vars.count; i++)
		if (s->preset == NULL || preset_is_secret(s->preset, s->vars.list[i].name))
			hide_var(m, &s->vars.list[i]);
	if (s->preset != NULL)
		hide_login(webhook_preset_var(s, s->preset->username),
			   webhook_preset_var(s, s->preset->password), m);
}

static const char *login_keys(const struct sink_settings *s)
{
	const struct webhook_settings *own = s->own;

	if (own->oauth2.token_url != NULL)
		return "oauth2";
	if (own->bearer.value != NULL)
		return "bearer";
	if (own->basic.username != NULL)
		return "basic";
	if (s->preset != NULL && s->preset->var_count > 0)
		return "vars";
	return own->secrets.count > 0 ? "secret" : "bearer, basic or headers";
}

static void judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		  struct outcome *out)
{
	const struct judge by = {
		.settings = s,
		.address =
			s->preset != NULL && s->preset->base_url != NULL ? "base_url" : "url",
		.login = login_keys(s),
		.secrets = secrets,
		.bearer = m->bearer,
	};

	if (s->preset != NULL)
		webhook_preset_judge(&by, m, r, out);
	else
		http_judge(&by, r, out);
}

static struct sink_oauth2 *oauth2_of(void *settings)
{
	struct webhook_settings *own = settings;

	return own->oauth2.token_url != NULL ? &own->oauth2 : NULL;
}

const struct sink_type webhook_sink = {
	.name = "webhook",
	.help = "any HTTP receiver, signed the way of Standard Webhooks",
	.keys = keys,
	.own_size = sizeof(struct webhook_settings),
	.template = "webhook",
	.takes_preset = true,
	.oauth2 = oauth2_of,
	.parts = { {
		.name = "body",
		.suffix = ".json",
		.plain = "{\"type\":\"alert.{{event}}\",\"timestamp\":\"{{at}}\",\"data\":{"
			 "\"count\":{{count}},\"sink\":\"{{sink}}\",\"plain\":true,\"items\":["
			 "{{#alerts}}{\"type\":\"alert.{{event}}\",\"timestamp\":\"{{at}}\","
			 "\"data\":{\"alert\":{\"id\":\"{{id | truncate 500}}\","
			 "\"org_id\":\"{{org_id | truncate 200}}\","
			 "\"type\":\"{{type | truncate 200}}\","
			 "\"severity\":\"{{severity | truncate 200}}\","
			 "\"status\":\"{{status | truncate 200}}\","
			 "\"title\":\"{{title | truncate 1000}}\"},\"source\":\"{{source}}\","
			 "\"route\":\"{{route}}\",\"sink\":\"{{sink}}\"}}{{^last}},{{/last}}"
			 "{{/alerts}}]}}",
		.max_len = REQUEST_BODY_MAX,
	} },
	.part_count = 1,
	.collapse = false,
	.batch_max = 100,
	.rate = "off",
	.check = webhook_check,
	.build = build,
	.judge = judge,
};
