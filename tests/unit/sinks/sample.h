/*
 * sample: what the tests of sinks share: a sink from a configuration, an alert, a message.
 */
#ifndef TESTS_SINKS_SAMPLE_H
#define TESTS_SINKS_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "model/json.h"
#include "model/settings.h"
#include "model/sink.h"

/* 2026-11-24T03:45:56Z */
#define SAMPLE_AT INT64_C(1795491956000)

/* Reads a configuration whose only sink is `sink "s"` with these keys. */
static inline struct settings *sample_read(const char *keys, struct conf_problems *problems)
{
	const struct settings_context ctx = { .file = "t.conf",
					      .types = sink_types,
					      .resolve = secret_resolve };
	char *text = mem_printf("store = \"/tmp/t.db\";\n"
				"sources = ( { name = \"acme\"; api_key = \"k\";\n"
				"  base_url = \"https://api.toktra.io/v1\"; } );\n"
				"sinks = ( { name = \"s\"; %s } );\n"
				"routes = ( { name = \"all\"; to = [ \"s\" ]; } );\n",
				keys);
	struct settings *s = settings_read(text, strlen(text), &ctx, problems);

	mem_free(&text);
	return s;
}

static inline struct settings *sample_settings(const char *keys)
{
	struct conf_problems problems = { 0 };
	struct settings *s = sample_read(keys, &problems);

	for (size_t i = 0; i < problems.count; i++)
		if (problems.list[i].level == CONF_ERROR)
			print_message("%d: %s\n", problems.list[i].line,
				      problems.list[i].message);
	conf_problems_release(&problems);
	assert_non_null(s);
	return s;
}

/* The only problem of these keys is this one; "" for none at all. */
static inline void sample_expect_problem(const char *keys, enum conf_level level,
					 const char *message)
{
	struct conf_problems problems = { 0 };
	struct settings *s = sample_read(keys, &problems);
	size_t wanted = message[0] == '\0' ? 0 : 1;

	if (problems.count != wanted ||
	    (wanted == 1 && strcmp(problems.list[0].message, message) != 0)) {
		print_message("keys: %s\nwanted: %s\n", keys, message);
		for (size_t i = 0; i < problems.count; i++)
			print_message("got: %s\n", problems.list[i].message);
	}
	assert_int_equal(problems.count, wanted);
	if (wanted == 1) {
		assert_string_equal(problems.list[0].message, message);
		assert_int_equal(problems.list[0].level, level);
	}
	conf_problems_release(&problems);
	settings_free(&s);
}

static inline struct reply sample_reply(int status, const char *body)
{
	return (struct reply){ .kind = REPLY_ANSWERED,
			       .status = status,
			       .body = body,
			       .body_len = strlen(body),
			       .headers = "",
			       .error = "",
			       .at = SAMPLE_AT };
}

static inline struct message sample_message(const char *text)
{
	return (struct message){ .count = 1,
				 .sink = "s",
				 .delivery_id = "tcs_0123456789abcdef0123456789abcdef",
				 .now = SAMPLE_AT,
				 .handle = "",
				 .progress = "",
				 .parts = { { text, strlen(text) } } };
}

/* The request as text: the lines that a reader of a failure wants to see. */
static inline char *sample_request_text(const struct request *r)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	if (r->method != NULL)
		buf_addf(&text, "%s %s\n", r->method, r->url);
	else
		buf_addf(&text, "MAIL %s\n", r->url);
	for (size_t i = 0; i < r->header_count; i++)
		buf_addf(&text, "%s\n", r->headers[i]);
	buf_adds(&text, "\n");
	buf_add(&text, r->body.data, r->body.len);
	return buf_take(&text, NULL);
}

static inline void sample_build(const struct settings *s, const struct message *m,
				struct request *r)
{
	const struct sink_settings *sink = &s->sinks[0];
	struct err err = { "" };

	request_init(r, REQUEST_HTTP);
	if (!sink->type->build(sink, m, r, &err))
		fail_msg("%s", err.text);
}

static inline void sample_judge(const struct settings *s, const struct message *m,
				const struct reply *reply, struct outcome *out)
{
	const struct sink_settings *sink = &s->sinks[0];

	*out = (struct outcome){ .retry_after_ms = -1 };
	sink->type->judge(sink, m, reply, out);
}

/* ---- what is behind an alert ---- */

struct behind {
	char *bytes;
	struct json *json;
};

/* All of it says this word, as JSON has it, but what has a bar: that is a number, and long. */
static inline void behind_fill(struct behind *b, const char *word, bool has_bar)
{
	const char *percent = has_bar ? "104.20000000000000001" : word;
	size_t room = (strlen(word) + 64) * 24 + 1024, len;
	struct buf json;
	struct err err;

	buf_init(&json, room);
	buf_addf(&json,
		 "{\"user\":{\"id\":%s,\"name\":%s,\"email\":%s,\"department\":%s},"
		 "\"policy\":{\"id\":%s,\"name\":%s,\"description\":%s},"
		 "\"budget\":{\"id\":%s,\"name\":%s,\"amount\":%s,\"spent\":%s,\"currency\":%s,"
		 "\"period\":%s,\"percent\":%s},\"usage\":{\"user_email\":%s,\"date\":%s,"
		 "\"estimated_cost_usd\":%s,\"own\":{\"model\":%s,\"estimated_cost_usd\":%s}}}",
		 word, word, word, word, word, word, word, word, word, word, word, word, word,
		 percent, word, word, word, word, word);
	b->bytes = buf_take(&json, &len);
	b->json = json_parse(b->bytes, len, &err);
	if (b->json == NULL)
		fail_msg("%s", err.text);
}

static inline void behind_release(struct behind *b)
{
	json_free(&b->json);
	mem_free(&b->bytes);
}

#endif
