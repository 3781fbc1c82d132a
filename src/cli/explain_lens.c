/* explain_lens: see the header. */
#include "cli/explain_lens.h"

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "model/json.h"
#include "model/matcher.h"
#include "model/redact.h"

enum {
	REDACTED_MORE = 1024, /* bytes that a redacted alert may be longer than it was */
	MATCHERS_MAX = 64 << 10,
};

#define AT(member) offsetof(struct lens, member)

static const struct conf_key keys[] = {
	{ .name = "was", .kind = CONF_TEXT, .offset = AT(was) },
	{ .name = "redact", .kind = CONF_TEXTS, .offset = AT(redact) },
	{ .name = "to", .kind = CONF_TEXTS, .offset = AT(to) },
	{ .name = "cc", .kind = CONF_TEXTS, .offset = AT(cc) },
	{ .name = "to_domains", .kind = CONF_TEXTS, .offset = AT(to_domains) },
	{ .name = NULL },
};

static void check(const struct conf_reader *reader, const struct conf_node *group,
		  const char *key, const struct conf_texts *texts)
{
	struct err err;

	for (size_t i = 0; i < texts->count; i++)
		if (!email_people_check(texts->list[i], &err))
			conf_error(reader, conf_get(group, key), "%s: %s", key, err.text);
}

static bool is_mail(const struct conf_node *group)
{
	const char *type = conf_string(conf_get(group, "type"));

	return type != NULL && strcmp(type, "email") == 0;
}

enum lens_found lens_read(struct lens *s, const struct glance *g, const char *file,
			  const char *sink, struct conf_problems *problems)
{
	const struct conf_reader reader = { .file = file,
					    .resolve = secret_resolve,
					    .problems = problems };
	const struct conf_node *group = glance_find(g, "sinks", sink);

	*s = (struct lens){ .sink = sink };
	if (group == NULL)
		return LENS_UNKNOWN;
	conf_fill(&reader, group, "sink", keys, s);
	if (problems->error_count == 0 && is_mail(group)) {
		check(&reader, group, "to", &s->to);
		check(&reader, group, "cc", &s->cc);
	}
	if (problems->error_count > 0)
		return LENS_WRONG;
	if (is_mail(group))
		s->people = email_people_new(
			&(struct email_people_keys){ &s->to, &s->cc, &s->to_domains });
	return LENS_READ;
}

void lens_release(struct lens *s)
{
	email_people_free(&s->people);
	conf_release(keys, s);
}

bool lens_shows(const struct lens *s, const char *field)
{
	for (size_t i = 0; s != NULL && i < s->redact.count; i++)
		if (redact_touches(s->redact.list[i], field))
			return false;
	return true;
}

bool lens_has(const struct lens *s, const char *sink)
{
	if (s == NULL)
		return true;
	return sink != NULL &&
	       (strcmp(sink, s->sink) == 0 || (s->was != NULL && strcmp(sink, s->was) == 0));
}

void lens_add_alert(const struct lens *s, const char *bytes, size_t len, struct buf *out)
{
	struct buf text;
	struct err err;

	if (bytes == NULL || s == NULL || s->redact.count == 0) {
		buf_add(out, bytes != NULL ? bytes : "null", bytes != NULL ? len : 4);
		return;
	}
	buf_init(&text, len + REDACTED_MORE);
	if (redact_object(&text, bytes, len, s->redact.list, s->redact.count, &err))
		buf_add(out, text.data, text.len);
	else
		buf_adds(out, "null");
	buf_release(&text);
}

char *lens_matcher(const struct lens *s, const char *text)
{
	struct err err;
	struct matcher *m = matcher_new(text, &err);
	bool is_shown = m != NULL && lens_shows(s, matcher_field(m));
	char *shown = is_shown || s == NULL
			      ? mem_strdup(text)
			      : mem_printf("%s ***", m != NULL ? matcher_field(m) : "");

	matcher_free(&m);
	return shown;
}

char *lens_matchers(const struct lens *s, const char *list)
{
	struct err err;
	struct json *doc = s != NULL ? json_parse(list, strlen(list), &err) : NULL;
	const struct json_value *one = json_first(json_root(doc));
	const char *comma = "";
	struct buf out;

	if (doc == NULL)
		return mem_strdup(list);
	buf_init(&out, MATCHERS_MAX);
	buf_addc(&out, '[');
	for (; one != NULL; one = json_next(one)) {
		const char *text = json_text(one, NULL);
		char *shown = lens_matcher(s, text != NULL ? text : "");

		buf_adds(&out, comma);
		json_add_string(&out, shown);
		mem_free(&shown);
		comma = ",";
	}
	buf_addc(&out, ']');
	json_free(&doc);
	return buf_take(&out, NULL);
}

bool lens_people(const struct lens *s, const struct facts *facts, struct people *out)
{
	*out = (struct people){ .key = PEOPLE_NOBODY };
	if (s == NULL || s->people == NULL)
		return false;
	struct facts own = *facts;

	own.sink = s->sink;
	email_people_of(s->people, &own, out);
	return true;
}
