/*
 * shipped: a shipped template, and an alert that it is to tell.
 */
#ifndef TESTS_SINKS_SHIPPED_H
#define TESTS_SINKS_SHIPPED_H

#include "sample.h"

#include "base/file.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/json.h"
#include "model/tmpl.h"

enum { ALERTS_MAX = 100, RENDERED_MAX = 16 << 20 };

#define FRIENDLY                                                                                 \
	"{\"id\":\"al1\",\"org_id\":\"o1\",\"type\":\"policy_violation\",\"severity\":\"high\"," \
	"\"status\":\"open\",\"title\":\"GPT-4 usage\",\"message\":\"A longer text.\","          \
	"\"user_id\":\"u1\",\"policy_id\":\"p1\",\"metadata\":{\"model\":\"gpt-4\"},"            \
	"\"created_at\":\"2025-01-15T10:30:00Z\",\"resolved_at\":null}"

static inline char *load(const char *name)
{
	char *path = mem_printf("templates/%s", name);
	struct buf text;
	struct err err;

	buf_init(&text, 1 << 20);
	if (!file_read(path, &text, &err))
		fail_msg("%s (tests run at the top of the tree)", err.text);
	mem_free(&path);
	return buf_take(&text, NULL);
}

/* Renders or fails the test. The caller frees the text. */
static inline char *render(const char *name, const char *text, const struct message *m,
			   size_t max_len)
{
	struct err err = { "" };
	struct tmpl *t = tmpl_new(name, text, strlen(text), NULL, &err);
	struct value root;
	struct buf out;

	if (t == NULL)
		fail_msg("%s", err.text);
	value_of_message(m, &root);
	buf_init(&out, max_len);
	if (!tmpl_render(t, &root, &out, NULL, &err))
		fail_msg("%s: %s after %zu bytes", name, err.text, out.len);
	tmpl_free(&t);
	for (size_t i = 0; i < out.len; i++) /* so that the whole of it is a string here */
		if (out.data[i] == '\0')
			out.data[i] = ' ';
	return buf_take(&out, NULL);
}

static inline char *render_shipped(const char *name, const struct message *m)
{
	char *text = load(name);
	char *out = render(name, text, m, RENDERED_MAX);

	mem_free(&text);
	return out;
}

/* ---- alerts ---- */

/* One alert, told `count` times. */
struct sample {
	struct alert alert;
	struct behind behind;
	struct facts facts[ALERTS_MAX];
	struct message message;
};

static inline struct sample *sample_new(const char *json, size_t count)
{
	struct sample *s = mem_new(sizeof(*s));
	struct err err;

	s->message = sample_message("");
	s->message.alerts = s->facts;
	s->message.count = count;
	if (!alert_read(&s->alert, json, strlen(json), &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++)
		s->facts[i] = (struct facts){ .alert = &s->alert,
					      .event = EVENT_OPENED,
					      .source = "acme",
					      .route = "rest",
					      .sink = "s",
					      .delivery_id = s->message.delivery_id,
					      .at = SAMPLE_AT };
	return s;
}

/* What is behind the alert says what its title does. */
static inline void sample_say_behind(struct sample *s, bool has_bar)
{
	struct json_span title =
		json_bytes(s->alert.json, json_get(json_root(s->alert.json), "title"));
	char *word = title.len > 0 ? mem_dup(title.at, title.len) : mem_strdup("null");

	behind_fill(&s->behind, word, has_bar);
	for (size_t i = 0; i < s->message.count; i++)
		s->facts[i].context = s->behind.json;
	mem_free(&word);
}

static inline void sample_free(struct sample **s)
{
	behind_release(&(*s)->behind);
	alert_release(&(*s)->alert);
	mem_free(s);
}

static inline struct json *parse(const char *text)
{
	struct err err;
	struct json *j = json_parse(text, strlen(text), &err);

	if (j == NULL)
		fail_msg("%s in %.300s", err.text, text);
	return j;
}

static inline void expect_webhook(const struct sample *s, const char *wanted)
{
	char *body = render_shipped("webhook.json.mustache", &s->message);

	assert_string_equal(body, wanted);
	mem_free(&body);
}

#endif
