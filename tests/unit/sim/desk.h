/*
 * desk: a simulator without a socket: one call asks, the answer is read from the desk. Time is
 * moved by hand: desk_now.
 */
#ifndef TESTS_UNIT_SIM_DESK_H
#define TESTS_UNIT_SIM_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/sim.h"

/* 2026-11-24T03:45:00Z, the beginning of a minute */
static const int64_t desk_start = INT64_C(1795491900000);
static int64_t desk_now;

struct desk {
	struct args args;
	struct sim *sim;
	struct httpd_answer answer;
	const char *key;  /* sent as Bearer; NULL: none */
	const char *type; /* the Content-Type */
	bool remote;      /* from another machine */
};

static int64_t desk_clock(void)
{
	return desk_now;
}

/* Options as on the command line; the last is NULL. */
static void desk_open(struct desk *d, const char *const *options)
{
	char *argv[16] = { mem_strdup("toktra-sim") };
	struct err err = { "" };
	int argc = 1;

	desk_now = desk_start;
	clock_use(desk_clock, desk_clock);
	for (; options != NULL && options[argc - 1] != NULL; argc++)
		argv[argc] = mem_strdup(options[argc - 1]);
	if (!args_parse(&d->args, argc, argv, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < argc; i++)
		mem_free(&argv[i]);
	d->sim = sim_new(&d->args, 7);
	d->key = "sandbox-key";
	d->type = "application/json";
	d->remote = false;
	httpd_answer_init(&d->answer);
}

static void desk_close(struct desk *d)
{
	httpd_answer_release(&d->answer);
	sim_free(&d->sim);
	args_release(&d->args);
	clock_use(NULL, NULL);
}

/* Splits target's query at & and =; nothing in it is escaped. */
static void desk_split(struct httpd_request *request, char *target)
{
	char *query = strchr(target, '?');

	request->path = target;
	while (query != NULL) {
		struct httpd_pair *pair = &request->query[request->query_count++];
		char *equals = strchr(query, '=');

		*query = '\0';
		*equals = '\0';
		pair->name = query + 1;
		pair->value = equals + 1;
		query = strchr(equals + 1, '&');
	}
	for (size_t i = 0; i < request->query_count; i++)
		request->query[i].value_len = strlen(request->query[i].value);
}

/* Asks; the status. */
static int desk_ask(struct desk *d, const char *method, const char *target, const char *body)
{
	struct httpd_request *request = mem_new(sizeof(*request));
	char *copy = mem_strdup(target);
	char *bearer = mem_printf("Bearer %s", d->key == NULL ? "" : d->key);

	httpd_answer_release(&d->answer);
	httpd_answer_init(&d->answer);
	request->method = method;
	request->body = body == NULL ? "" : body;
	request->body_len = strlen(request->body);
	request->from_loopback = !d->remote;
	desk_split(request, copy);
	request->headers[request->header_count++] =
		(struct httpd_pair){ "content-type", d->type, strlen(d->type) };
	if (d->key != NULL)
		request->headers[request->header_count++] =
			(struct httpd_pair){ "authorization", bearer, strlen(bearer) };
	sim_handle(d->sim, request, &d->answer);
	mem_free(&request);
	mem_free(&copy);
	mem_free(&bearer);
	return d->answer.status;
}

static inline int desk_get(struct desk *d, const char *target)
{
	return desk_ask(d, "GET", target, NULL);
}

static inline int desk_post(struct desk *d, const char *target, const char *body)
{
	return desk_ask(d, "POST", target, body);
}

/* The answer's header, or "". */
static inline const char *desk_header(const struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->answer.header_count; i++)
		if (strcmp(d->answer.headers[i].name, name) == 0)
			return d->answer.headers[i].value;
	return "";
}

static inline void desk_has(const struct desk *d, const char *part)
{
	if (strstr(d->answer.body.data, part) == NULL)
		fail_msg("no %s in %s", part, d->answer.body.data);
}

/* The text of a member of the answer's object, which the caller frees; NULL when missing. */
static inline char *desk_member(const struct desk *d, const char *key)
{
	struct json *json = json_parse(d->answer.body.data, d->answer.body.len, NULL);
	char *text;

	assert_non_null(json);
	text = mem_strdup(json_text(json_get(json_root(json), key), NULL));
	json_free(&json);
	return text;
}

/* The ids of the answer's items, comma after each, added to ids; how many. */
static inline size_t desk_ids(const struct desk *d, struct buf *ids)
{
	struct json *json = json_parse(d->answer.body.data, d->answer.body.len, NULL);
	const struct json_value *items;
	size_t count;

	assert_non_null(json);
	items = json_get(json_root(json), "items");
	count = json_count(items);
	for (const struct json_value *v = json_first(items); v != NULL; v = json_next(v))
		buf_addf(ids, "%s,", json_text(json_get(v, "id"), NULL));
	json_free(&json);
	return count;
}

#endif
