/* Tokens by a hand-moved steady clock: when one is fetched, kept, renewed, thrown away. */
#include "flow/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

enum { SECOND = 1000 };

static struct source_settings oauth_source(void)
{
	return (struct source_settings){ .name = (char *)"acme",
					 .base_url = (char *)"https://api.example.com/v1",
					 .client_id = (char *)"my id",
					 .client_secret = { .value = mem_strdup("s&cret=1") } };
}

static void release_source(struct source_settings *s)
{
	mem_free_secret(&s->client_secret.value);
	mem_free_secret(&s->api_key.value);
}

static struct reply answer(int status, const char *body)
{
	return (struct reply){ .kind = REPLY_ANSWERED,
			       .status = status,
			       .body = body,
			       .body_len = strlen(body),
			       .headers = "",
			       .error = "" };
}

static bool take(struct auth *a, int status, const char *body, int64_t now, bool *refused)
{
	struct reply r = answer(status, body);
	struct err err;

	return auth_take(a, &r, now, refused, &err);
}

static void the_request_is_form_encoded(void **state)
{
	(void)state;
	struct source_settings s = oauth_source();
	struct auth a;
	struct request r;

	auth_init(&a, &s);
	auth_request(&a, &r);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.url, "https://api.example.com/v1/oauth/token");
	assert_string_equal(r.body.data, "grant_type=client_credentials&client_id=my+id"
					 "&client_secret=s%26cret%3D1");
	assert_string_equal(request_get_header(&r, "Content-Type"),
			    "application/x-www-form-urlencoded");
	request_release(&r);
	auth_release(&a);
	release_source(&s);
}

struct life {
	const char *body;
	int64_t renew_at, expires_at;
};

static void a_token_is_renewed_ahead_of_its_end(void **state)
{
	(void)state;
	static const struct life lives[] = {
		{ "{\"access_token\":\"t\",\"expires_in\":3600}", 3480 * SECOND,
		  3600 * SECOND },
		{ "{\"access_token\":\"t\"}", 3480 * SECOND, 3600 * SECOND },
		{ "{\"access_token\":\"t\",\"expires_in\":\"x\"}", 3480 * SECOND,
		  3600 * SECOND },
		{ "{\"access_token\":\"t\",\"expires_in\":60}", 45 * SECOND, 60 * SECOND },
		{ "{\"access_token\":\"t\",\"expires_in\":1}", 750, 1000 },
		{ "{\"access_token\":\"t\",\"expires_in\":-5}", 750, 1000 },
		{ "{\"access_token\":\"t\",\"expires_in\":31536000}", 86280 * SECOND,
		  86400 * SECOND },
	};
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct source_settings s = oauth_source();
		struct auth a;
		bool refused;

		auth_init(&a, &s);
		assert_true(auth_wants_token(&a, 0));
		assert_true(take(&a, 200, lives[i].body, 0, &refused));
		assert_false(auth_wants_token(&a, lives[i].renew_at - 1));
		assert_true(auth_wants_token(&a, lives[i].renew_at));
		assert_string_equal(auth_bearer(&a, lives[i].expires_at - 1), "t");
		assert_null(auth_bearer(&a, lives[i].expires_at));
		auth_release(&a);
		release_source(&s);
	}
}

static void a_failed_renewal_keeps_a_token_that_lives(void **state)
{
	(void)state;
	struct source_settings s = oauth_source();
	struct auth a;
	bool refused;

	auth_init(&a, &s);
	assert_true(take(&a, 200, "{\"access_token\":\"t\",\"expires_in\":3600}", 0, &refused));
	assert_false(take(&a, 503, "busy", 3480 * SECOND, &refused));
	assert_false(refused);
	assert_string_equal(auth_bearer(&a, 3480 * SECOND), "t");
	auth_postpone(&a, 3480 * SECOND, 10 * SECOND);
	assert_false(auth_wants_token(&a, 3489 * SECOND));
	assert_true(auth_wants_token(&a, 3490 * SECOND));
	auth_release(&a);
	release_source(&s);
}

static void wrong_credentials_are_the_operators(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		bool refused;
	} answers[] = {
		{ 401, "{\"error\":\"unauthorized\"}", true },
		{ 400, "{\"error\":\"invalid_client\"}", true },
		{ 403, "", true },
		{ 429, "{\"error\":\"rate_limited\"}", false },
		{ 500, "<html>", false },
		{ 200, "<html>", false },
		{ 200, "{}", false },
		{ 200, "{\"access_token\":7}", false },
		{ 200, "{\"access_token\":\"\"}", false },
		{ 200, "{\"access_token\":\"a\\r\\nX: y\"}", false },
		{ 200, "{\"access_token\":\"a\\u0000b\"}", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct source_settings s = oauth_source();
		struct auth a;
		bool refused;

		auth_init(&a, &s);
		assert_false(take(&a, answers[i].status, answers[i].body, 0, &refused));
		assert_int_equal(refused, answers[i].refused);
		assert_null(auth_bearer(&a, 0));
		auth_release(&a);
		release_source(&s);
	}
}

static void a_401_throws_the_token_away(void **state)
{
	(void)state;
	struct source_settings s = oauth_source();
	struct auth a;
	bool refused;

	auth_init(&a, &s);
	assert_true(take(&a, 200, "{\"access_token\":\"t\"}", 0, &refused));
	auth_rejected(&a);
	assert_true(auth_wants_token(&a, 1));
	assert_null(auth_bearer(&a, 1));
	auth_release(&a);
	release_source(&s);
}

static void an_api_key_needs_no_token(void **state)
{
	(void)state;
	struct source_settings s = { .name = (char *)"acme",
				     .api_key = { .value = mem_strdup("key-1") } };
	struct auth a;

	auth_init(&a, &s);
	assert_false(auth_wants_token(&a, 0));
	assert_string_equal(auth_bearer(&a, 0), "key-1");
	auth_release(&a);
	release_source(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_form_encoded),
		cmocka_unit_test(a_token_is_renewed_ahead_of_its_end),
		cmocka_unit_test(a_failed_renewal_keeps_a_token_that_lives),
		cmocka_unit_test(wrong_credentials_are_the_operators),
		cmocka_unit_test(a_401_throws_the_token_away),
		cmocka_unit_test(an_api_key_needs_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
