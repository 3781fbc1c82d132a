/*
 * auth_desk: a source, its credential, and the answers of a token endpoint, for the tests of auth.
 * Each function is static inline: a test needs not all of them.
 */
#ifndef TESTS_FLOW_AUTH_DESK_H
#define TESTS_FLOW_AUTH_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/auth.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND, DAY = 24 * HOUR };
#define YEAR         (INT64_C(365) * DAY)
#define AN_HOUR_OF_T "{\"access_token\":\"t\",\"expires_in\":3600}"

/* ---- a source and its credential ---- */

struct desk {
	struct source_settings s;
	struct auth a;
	char path[32]; /* where its secret is read from; "": nowhere */
};

static inline void start_auth(struct desk *d)
{
	struct auth_client client = auth_of_source(&d->s);

	auth_init(&d->a, &client);
}

static inline void open_desk(struct desk *d)
{
	*d = (struct desk){ .s = { .name = (char *)"acme",
				   .base_url = (char *)"https://api.example.com/v1",
				   .client_id = (char *)"my id",
				   .client_secret = { .value = mem_strdup("s&cret=1") } } };
	start_auth(d);
}

static inline void open_desk_with_key(struct desk *d)
{
	*d = (struct desk){ .s = { .name = (char *)"acme",
				   .api_key = { .value = mem_strdup("key-1") } } };
	start_auth(d);
}

static inline void close_desk(struct desk *d)
{
	auth_release(&d->a);
	mem_free_secret(&d->s.client_secret.value);
	mem_free_secret(&d->s.client_secret.reference);
	mem_free_secret(&d->s.api_key.value);
	mem_free_secret(&d->s.api_key.reference);
	if (d->path[0] != '\0')
		unlink(d->path);
}

/* The secret comes from a file from now on. */
static inline void put_in_file(struct desk *d, struct conf_secret *secret)
{
	snprintf(d->path, sizeof(d->path), "/tmp/auth_test.XXXXXX");
	int fd = mkstemp(d->path);

	assert_true(fd >= 0);
	close(fd);
	secret->reference = mem_printf("file:%s", d->path);
}

static inline void write_file(const struct desk *d, const char *text)
{
	FILE *f = fopen(d->path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline struct reply answer(int status, const char *body)
{
	return (struct reply){ .kind = REPLY_ANSWERED,
			       .status = status,
			       .body = body,
			       .body_len = strlen(body),
			       .headers = "",
			       .error = "" };
}

static inline bool take(struct desk *d, int status, const char *body, int64_t now,
			bool *refused)
{
	struct reply r = answer(status, body);
	struct err err;

	return auth_take(&d->a, &r, now, refused, &err);
}

static inline void have_token(struct desk *d, const char *token, int64_t seconds, int64_t now)
{
	char body[512];
	bool refused;

	snprintf(body, sizeof(body), "{\"access_token\":\"%s\",\"expires_in\":%lld}", token,
		 (long long)seconds);
	assert_true(take(d, 200, body, now, &refused));
	assert_false(refused);
}

static inline void ask(struct desk *d, const char *form)
{
	struct request r;

	auth_request(&d->a, &r);
	if (form != NULL)
		assert_string_equal(r.body.data, form);
	request_release(&r);
}

#endif
