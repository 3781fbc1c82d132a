/* auth: one credential, its age, and the two messages of RFC 6749 section 4.4. */
#include "flow/auth.h"

#include <stdio.h>
#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "flow/setup.h"
#include "model/json.h"
#include "model/page.h"

enum {
	TOKEN_LIFE_MS = 3600 * 1000, /* where expires_in is missing */
	TOKEN_LIFE_MIN_MS = 1000,
	TOKEN_LIFE_MAX_MS = 24 * 3600 * 1000, /* a longer one is renewed daily all the same */
	TOKEN_AHEAD_MS = 120 * 1000,          /* "a minute or two before" */
	TOKEN_TEXT_MAX = 16 << 10,
};

void auth_init(struct auth *a, struct source_settings *settings)
{
	*a = (struct auth){ .settings = settings };
}

void auth_release(struct auth *a)
{
	mem_free_secret(&a->token);
}

static bool has_key(const struct auth *a)
{
	return a->settings->api_key.value != NULL;
}

bool auth_wants_token(const struct auth *a, int64_t steady_now)
{
	return !has_key(a) && (a->token == NULL || steady_now >= a->renew_at);
}

const char *auth_bearer(const struct auth *a, int64_t steady_now)
{
	if (has_key(a))
		return a->settings->api_key.value;
	return a->token != NULL && steady_now < a->expires_at ? a->token : NULL;
}

static void add_form(struct buf *body, const char *name, const char *value)
{
	buf_addf(body, "%s%s=", body->len > 0 ? "&" : "", name);
	esc_form(body, value, strlen(value));
}

void auth_request(const struct auth *a, struct request *out)
{
	struct err err;

	request_init(out, REQUEST_HTTP);
	out->method = mem_strdup("POST");
	out->url = mem_printf("%s/oauth/token", a->settings->base_url);
	if (!request_header(out, "Content-Type", "application/x-www-form-urlencoded", &err) ||
	    !request_header(out, "Accept", "application/json", &err))
		BUG("%s", err.text);
	add_form(&out->body, "grant_type", "client_credentials");
	add_form(&out->body, "client_id", a->settings->client_id);
	add_form(&out->body, "client_secret", a->settings->client_secret.value);
	out->timeout_ms = a->settings->timeout_ms;
	out->ca_file = mem_strdup(a->settings->ca_file);
	out->proxy = mem_strdup(a->settings->proxy);
}

static int64_t life_of(const struct json_value *root)
{
	int64_t seconds;

	if (!json_int(json_get(root, "expires_in"), &seconds))
		return TOKEN_LIFE_MS;
	if (seconds > TOKEN_LIFE_MAX_MS / 1000)
		return TOKEN_LIFE_MAX_MS;
	return seconds < 1 ? TOKEN_LIFE_MIN_MS : seconds * 1000;
}

static bool take_token(struct auth *a, const struct json_value *root, int64_t steady_now,
		       struct err *err)
{
	size_t len = 0;
	const struct json_value *value = json_get(root, "access_token");
	const char *token = json_kind(value) == JSON_STRING ? json_text(value, &len) : NULL;

	if (token == NULL || len == 0 || len > TOKEN_TEXT_MAX || strlen(token) != len ||
	    strpbrk(token, "\r\n") != NULL)
		return err_set(err, "the token endpoint answered without an access_token");
	int64_t life = life_of(root);
	/* Ahead by two minutes, but never by more than a quarter of a short life. */
	int64_t ahead = life / 4 < TOKEN_AHEAD_MS ? life / 4 : TOKEN_AHEAD_MS;

	mem_free_secret(&a->token);
	a->token = mem_dup(token, len);
	a->expires_at = steady_now + life;
	a->renew_at = a->expires_at - ahead;
	return true;
}

enum { SECRET_LEN_MIN = 4 }; /* shorter ones are found in any text */

static bool is_in(const struct reply *reply, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len >= SECRET_LEN_MIN && memmem(reply->body, reply->body_len, text, len) != NULL;
}

/* The secret as the token request carries it. */
static bool is_form_in(const struct reply *reply, const char *secret)
{
	struct buf form;

	if (secret == NULL)
		return false;
	buf_init(&form, REQUEST_BODY_MAX);
	esc_form(&form, secret, strlen(secret));
	bool found = is_in(reply, form.data);
	char *text = buf_take(&form, NULL);

	mem_free_secret(&text);
	return found;
}

void auth_error_text(const struct auth *a, const struct reply *reply, char *text, size_t size)
{
	const struct source_settings *s = a->settings;

	if (is_in(reply, a->token) || is_in(reply, s->api_key.value) ||
	    is_in(reply, s->client_secret.value) || is_form_in(reply, s->client_secret.value))
		snprintf(text, size, "a text that quotes a secret and is not shown");
	else
		page_error_text(reply->body, reply->body_len, text, size);
}

bool auth_take(struct auth *a, const struct reply *reply, int64_t steady_now, bool *refused,
	       struct err *err)
{
	*refused = false;
	if (reply->kind != REPLY_ANSWERED)
		return err_set(err, "token endpoint: %s", reply->error);
	if (reply->status != 200) {
		char text[160];

		auth_error_text(a, reply, text, sizeof(text));
		*refused = reply->status == 400 || reply->status == 401 || reply->status == 403;
		if (*refused)
			auth_rejected(a);
		return err_set(err, "token endpoint answered %d: %s", reply->status, text);
	}
	struct json *json = json_parse(reply->body, reply->body_len, err);

	if (json == NULL)
		return err_prefix(err, "token endpoint");
	bool ok = take_token(a, json_root(json), steady_now, err);

	json_free(&json);
	return ok;
}

void auth_postpone(struct auth *a, int64_t steady_now, int64_t wait_ms)
{
	a->renew_at = steady_now + wait_ms;
}

void auth_rejected(struct auth *a)
{
	struct settings_context ctx = setup_context(NULL);
	struct conf_secret *secret =
		has_key(a) ? &a->settings->api_key : &a->settings->client_secret;
	struct err err;

	mem_free_secret(&a->token);
	/* A reference that can't be read now keeps its old value: the next 401 tries again. */
	if (!settings_refresh(secret, &ctx, &err))
		return;
}
