/*
 * auth: one credential, its age, and the two messages of RFC 6749 section 4.4.
 *
 * A token's life counts from its arrival. It is renewed ahead of its end by a part of its life
 * and by as long as the endpoint took to answer, and daily however long it lives, so that a
 * client that was shut out is noticed. It is sent to its very end all the same: a 401 for the
 * last moments costs one repeat, a token given up early costs the alerts of an outage.
 *
 * What refuses is compared with what was sent. Several requests are under way with one
 * credential: a 401 may come back when another one has brought a newer token or secret already,
 * and says nothing of that.
 */
#include "flow/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"
#include "flow/setup.h"
#include "model/json.h"
#include "model/page.h"

enum {
	TOKEN_LIFE_MS = 3600 * 1000, /* where expires_in is missing, or no number */
	TOKEN_LIFE_MIN_MS = AUTH_GAP_MS,
	TOKEN_RENEW_MS = 24 * 3600 * 1000,
	TOKEN_AHEAD_MS = 120 * 1000, /* "a minute or two before" */
	TOKEN_AHEAD_PART = 4,        /* of a short life: never ahead by more */
	TOKEN_TEXT_MAX = 16 << 10,
};
static const int64_t token_life_max_ms = INT64_C(1000) * 3600 * 24 * 365 * 100;

struct auth_client auth_of_source(struct source_settings *settings)
{
	return (struct auth_client){ .token_url = settings->base_url,
				     .token_path = "/oauth/token",
				     .client_id = settings->client_id,
				     .client_secret = &settings->client_secret,
				     .api_key = &settings->api_key,
				     .timeout_ms = settings->timeout_ms,
				     .ca_file = settings->ca_file,
				     .proxy = settings->proxy };
}

void auth_init(struct auth *a, const struct auth_client *client)
{
	*a = (struct auth){ .client = *client };
}

void auth_refit(struct auth *a, const struct auth_client *client)
{
	a->client = client != NULL ? *client : (struct auth_client){ .token_url = NULL };
}

void auth_release(struct auth *a)
{
	mem_free_secret(&a->token);
	mem_free_secret(&a->former_token);
	mem_free_secret(&a->former_secret);
}

static bool has_key(const struct auth *a)
{
	return a->client.api_key != NULL && a->client.api_key->value != NULL;
}

static int64_t after(int64_t steady, int64_t wait_ms)
{
	return wait_ms < 0 || steady <= INT64_MAX - wait_ms ? steady + wait_ms : INT64_MAX;
}

static int64_t at_least(int64_t a, int64_t min)
{
	return a > min ? a : min;
}

static int64_t at_most(int64_t a, int64_t max)
{
	return a < max ? a : max;
}

bool auth_wants_token(const struct auth *a, int64_t steady_now)
{
	return auth_bearer(a, steady_now) == NULL || (!has_key(a) && steady_now >= a->renew_at);
}

const char *auth_bearer(const struct auth *a, int64_t steady_now)
{
	if (has_key(a))
		return a->client.api_key->value;
	return a->token != NULL && steady_now < a->expires_at ? a->token : NULL;
}

void auth_postpone(struct auth *a, int64_t steady_now, int64_t wait_ms)
{
	a->renew_at = after(steady_now, at_least(wait_ms, AUTH_GAP_MS));
}

/* ---- asking ---- */

static void add_form(struct buf *body, const char *name, const char *value)
{
	buf_addf(body, "%s%s=", body->len > 0 ? "&" : "", name);
	esc_form(body, value, strlen(value));
}

void auth_request(struct auth *a, struct request *out)
{
	struct err err;

	request_init(out, REQUEST_HTTP);
	out->method = mem_strdup("POST");
	out->url = mem_printf("%s%s", a->client.token_url, a->client.token_path);
	if (!request_header(out, "Content-Type", "application/x-www-form-urlencoded", &err) ||
	    !request_header(out, "Accept", "application/json", &err))
		BUG("%s", err.text);
	add_form(&out->body, "grant_type", "client_credentials");
	add_form(&out->body, "client_id", a->client.client_id);
	add_form(&out->body, "client_secret", a->client.client_secret->value);
	if (a->client.scope != NULL)
		add_form(&out->body, "scope", a->client.scope);
	out->timeout_ms = a->client.timeout_ms;
	out->ca_file = mem_strdup(a->client.ca_file);
	out->proxy = mem_strdup(a->client.proxy);
	a->asked_number = a->secret_number;
}

/* ---- what was in force, and what is ---- */

static void retire(char **secret, char **former)
{
	mem_free_secret(former);
	*former = *secret;
	*secret = NULL;
}

/*
 * Reads the key or the client's secret again; true when it is another. A file that is gone or
 * half written for the moment brings nothing: the next refusal looks again.
 */
static bool read_secret_again(struct auth *a)
{
	struct settings_context ctx = setup_context(NULL);
	struct conf_secret *secret = has_key(a) ? a->client.api_key : a->client.client_secret;
	struct conf_secret fresh = { .reference = secret->reference };
	struct err err;

	if (!settings_refresh(&fresh, &ctx, &err) || fresh.value == NULL)
		return false;
	if (strpbrk(fresh.value, "\r\n") != NULL || strcmp(fresh.value, secret->value) == 0) {
		mem_free_secret(&fresh.value);
		return false;
	}
	retire(&secret->value, &a->former_secret);
	secret->value = fresh.value;
	a->secret_number++;
	return true;
}

bool auth_rejected(struct auth *a, const char *bearer)
{
	const char *ours = has_key(a) ? a->client.api_key->value : a->token;

	if (ours == NULL || (bearer != NULL && strcmp(bearer, ours) != 0))
		return true;
	bool is_other = read_secret_again(a);

	if (has_key(a))
		return is_other;
	retire(&a->token, &a->former_token);
	return true;
}

/* ---- texts that tell nothing ---- */

enum {
	SECRET_LEN_MIN = 4,  /* shorter ones are found in any text */
	SECRET_LEN_PART = 8, /* of a longer one: so much alone tells too much */
};

/* Does the text hold all of it, or the piece of a quotation that was cut? */
static bool holds_part(const char *text, const char *secret)
{
	size_t len = strlen(secret), text_len = strlen(text);
	size_t part = len < SECRET_LEN_PART ? len : SECRET_LEN_PART;

	for (size_t i = 0; i + part <= text_len; i++)
		if (memmem(secret, len, text + i, part) != NULL)
			return true;
	return false;
}

/* Looked for in the bytes that came and, as JSON can write one in many ways, in what is shown. */
static bool tells(const struct reply *reply, const char *text, const char *secret)
{
	size_t len = strlen(secret);

	return len >= SECRET_LEN_MIN &&
	       (memmem(reply->body, reply->body_len, secret, len) != NULL ||
		holds_part(text, secret));
}

/* As it is, and as the token request carries it. */
static bool tells_any_form(const struct reply *reply, const char *text, const char *secret)
{
	struct buf form;

	if (secret == NULL)
		return false;
	buf_init(&form, REQUEST_BODY_MAX);
	esc_form(&form, secret, strlen(secret));
	bool found = tells(reply, text, secret) || tells(reply, text, form.data);
	char *bytes = buf_take(&form, NULL);

	mem_free_secret(&bytes);
	return found;
}

void auth_error_text(const struct auth *a, const struct reply *reply, char *text, size_t size)
{
	const char *secrets[] = { a->token, a->former_token,
				  has_key(a) ? a->client.api_key->value : NULL,
				  a->client.client_secret->value, a->former_secret };

	page_error_text(reply->body, reply->body_len, text, size);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (tells_any_form(reply, text, secrets[i])) {
			snprintf(text, size, "a text that quotes a secret and is not shown");
			return;
		}
}

/* ---- the answer: a token ---- */

static bool is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

/* RFC 6749 7.1: a token of a type that one does not know must not be used. */
static bool is_bearer(const struct json_value *type)
{
	size_t len;
	const char *text = json_text(type, &len);

	if (json_kind(type) == JSON_MISSING || json_kind(type) == JSON_NULL)
		return true;
	return json_kind(type) == JSON_STRING && len == strlen("bearer") &&
	       strcasecmp(text, "bearer") == 0;
}

/* The token, borrowed; NULL with the reason. */
static const char *token_of(const struct json_value *root, struct err *err)
{
	size_t len = 0;
	const struct json_value *value = json_get(root, "access_token");
	const char *token = json_kind(value) == JSON_STRING ? json_text(value, &len) : NULL;

	if (token == NULL || len == 0)
		err_set(err, "the token endpoint answered without an access_token");
	else if (len > TOKEN_TEXT_MAX)
		err_set(err, "the token endpoint gave an access_token of more than %d bytes",
			TOKEN_TEXT_MAX);
	else if (strlen(token) != len || !is_visible(token))
		err_set(err,
			"the token endpoint gave an access_token that no header can carry");
	else if (!is_bearer(json_get(root, "token_type")))
		err_set(err, "the token endpoint gave a token of another type than bearer");
	else
		return token;
	return NULL;
}

/* In seconds, as a number or (as many servers write it) as a string of one. */
static int64_t life_of(const struct json_value *root)
{
	size_t len;
	const char *text = json_text(json_get(root, "expires_in"), &len);
	double seconds;

	if (text == NULL || !num_parse_decimal(text, len, &seconds))
		return TOKEN_LIFE_MS;
	if (seconds >= (double)(token_life_max_ms / 1000))
		return token_life_max_ms;
	return seconds > 0 ? at_least((int64_t)(seconds * 1000), TOKEN_LIFE_MIN_MS)
			   : TOKEN_LIFE_MIN_MS;
}

static void keep_token(struct auth *a, const char *token, int64_t life, int64_t took_ms,
		       int64_t steady_now)
{
	int64_t ahead = at_most(life / TOKEN_AHEAD_PART, TOKEN_AHEAD_MS) +
			at_most(at_least(took_ms, 0), life);

	retire(&a->token, &a->former_token);
	a->token = mem_strdup(token);
	a->expires_at = after(steady_now, life);
	a->renew_at =
		after(steady_now, at_least(at_most(life - ahead, TOKEN_RENEW_MS), AUTH_GAP_MS));
}

static bool take_token(struct auth *a, const struct reply *reply, int64_t steady_now,
		       struct err *err)
{
	if (reply->body_cut)
		return err_set(err, "the token endpoint answered with more than %zu bytes",
			       reply->body_len);
	struct json *json = json_parse(reply->body, reply->body_len, err);

	if (json == NULL)
		return err_prefix(err, "token endpoint");
	const struct json_value *root = json_root(json);
	const char *token = token_of(root, err);

	if (token != NULL)
		keep_token(a, token, life_of(root), reply->took_ms, steady_now);
	json_free(&json);
	return token != NULL;
}

/* ---- the answer: none ---- */

/* Errors of OAuth that pass by themselves; some servers give them the status 400. */
static bool is_passing_error(const struct reply *reply)
{
	static const char *const passing[] = { "temporarily_unavailable", "server_error" };
	struct json *json = json_parse(reply->body, reply->body_len, NULL);
	const struct json_value *error =
		json == NULL ? NULL : json_get(json_root(json), "error");
	bool found = false;

	for (size_t i = 0; json_kind(error) == JSON_STRING && i < ARRAY_LEN(passing); i++)
		found |= strcmp(json_text(error, NULL), passing[i]) == 0;
	json_free(&json);
	return found;
}

static bool refuses(const struct reply *reply)
{
	switch (reply->status) {
	case 400: return !is_passing_error(reply);
	case 401:
	case 403: return true;
	}
	return false;
}

bool auth_take(struct auth *a, const struct reply *reply, int64_t steady_now, bool *refused,
	       struct err *err)
{
	bool had_other = a->has_other_secret;
	char text[160];

	*refused = false;
	a->has_other_secret = false;
	if (reply->kind == REPLY_ANSWERED && reply->status / 100 == 2 &&
	    take_token(a, reply, steady_now, err)) {
		a->fails = 0;
		return true;
	}
	a->fails++;
	if (reply->kind != REPLY_ANSWERED)
		return err_set(err, "token endpoint: %s", reply->error);
	if (reply->status / 100 == 2)
		return false;
	auth_error_text(a, reply, text, sizeof(text));
	if (refuses(reply)) {
		/* A page's 401 may have brought another one while this request was under way. */
		read_secret_again(a);
		a->has_other_secret = a->secret_number != a->asked_number && !had_other;
		*refused = !a->has_other_secret;
	}
	return err_set(err, "token endpoint answered %d: %s", reply->status, text);
}

bool auth_has_other_secret(const struct auth *a)
{
	return a->has_other_secret;
}
