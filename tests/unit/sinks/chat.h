/*
 * chat: what the tests of the chats' presets share: a preset as a sink, and one alert told to it.
 */
#ifndef TESTS_SINKS_CHAT_H
#define TESTS_SINKS_CHAT_H

#include "sample.h"

#include "base/file.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/json.h"
#include "model/preset.h"
#include "sinks/webhook.h"

enum { CHAT_ALERTS_MAX = 100, CHAT_FILE_MAX = 256 << 10, LARGE = 1 << 20 };

#define LINK "https://app.example.com/alerts/al%201"

/* ---- a preset as a sink ---- */

struct chat {
	struct preset *preset;
	struct webhook_settings own;
	struct sink_settings sink;
	struct pair vars[16];
	char name[8], url[64];
};

static inline struct chat *chat_new(const char *name)
{
	struct chat *c = mem_new(sizeof(*c));
	char *path = mem_printf("templates/presets/%s.preset", name);
	struct conf_problems problems = { 0 };
	struct buf text;
	struct err err;

	buf_init(&text, CHAT_FILE_MAX);
	if (!file_read(path, &text, &err))
		fail_msg("%s (tests run at the top of the tree)", err.text);
	c->preset = preset_read(name, path, text.data, text.len, &problems);
	if (c->preset == NULL)
		fail_msg("%s:%d: %s", path, problems.list[0].line, problems.list[0].message);
	conf_problems_release(&problems);
	buf_release(&text);
	mem_free(&path);
	snprintf(c->url, sizeof(c->url), "https://chat.example.com/hook?key=a");
	c->own.url.reference = c->own.url.value = c->url;
	snprintf(c->name, sizeof(c->name), "s");
	c->sink = (struct sink_settings){ .name = c->name,
					  .type = &webhook_sink,
					  .preset = c->preset,
					  .batch_max = c->preset->batch_max,
					  .own = &c->own };
	c->sink.vars.list = c->vars;
	for (size_t i = 0; i < c->preset->var_count; i++) {
		const struct preset_var *v = &c->preset->vars[i];

		c->vars[c->sink.vars.count++] =
			(struct pair){ .name = v->name,
				       .value = v->fallback != NULL ? v->fallback : v->name };
	}
	return c;
}

static inline void chat_free(struct chat **c)
{
	preset_free(&(*c)->preset);
	mem_free(c);
}

/* ---- alerts ---- */

struct told {
	struct alert alert;
	struct behind behind;
	struct facts facts[CHAT_ALERTS_MAX];
	struct message message;
};

/*
 * One alert, all of whose texts are this one, as are those of what is behind it, told `count`
 * times; the text may hold NULs.
 */
static inline struct told *told_new(const struct chat *c, const char *text, size_t len,
				    size_t count, enum event_kind event)
{
	struct told *t = mem_new(sizeof(*t));
	struct buf word, json;
	struct err err;

	buf_init(&word, LARGE * 7);
	buf_init(&json, LARGE * 60);
	json_add_text(&word, text, len);
	buf_addf(
		&json,
		"{\"id\":\"al 1\",\"org_id\":\"o\",\"type\":%s,\"severity\":%s,"
		"\"status\":\"open\",\"title\":%s,\"message\":%s,\"user_id\":%s,"
		"\"policy_id\":%s,\"metadata\":null,\"created_at\":null,\"rest\":{\"count\":%s}}",
		word.data, word.data, word.data, word.data, word.data, word.data, word.data);
	if (!alert_read(&t->alert, json.data, json.len, &err))
		fail_msg("%s", err.text);
	behind_fill(&t->behind, word.data, event == EVENT_OPENED);
	buf_release(&word);
	buf_release(&json);
	t->message = sample_message("");
	t->message.alerts = t->facts;
	t->message.count = count;
	t->message.why = count > 1 ? "digest" : NULL;
	t->message.storm = count > 1 ? "going on" : NULL;
	t->message.test = t->message.possible_repeat = true;
	t->message.url = c->own.url.value;
	t->message.base_url = c->preset->base_url;
	for (size_t i = 0; i < count; i++)
		t->facts[i] = (struct facts){ .alert = &t->alert,
					      .context = t->behind.json,
					      .event = event,
					      .first = event == EVENT_RESOLVED,
					      .repeat = event == EVENT_OPENED ? 12 : 0,
					      .source = "acme",
					      .sink = "s",
					      .delivery_id = t->message.delivery_id,
					      .link = LINK,
					      .at = SAMPLE_AT,
					      .preset = c->preset,
					      .vars = c->vars,
					      .var_count = c->sink.vars.count };
	return t;
}

static inline void told_free(struct told **t)
{
	alert_release(&(*t)->alert);
	behind_release(&(*t)->behind);
	mem_free(t);
}

#endif
