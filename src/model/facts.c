/*
 * facts: names to values, by one table.
 *
 * A row tells how a name is read and where it lies in struct facts and in struct message. There
 * are three places to look, and their order is the whole policy:
 *
 *   a message   its own rows; of a single also those of its only alert. A digest has no title:
 *               what belongs to one alert is missing there, so that a template which forgot
 *               {{#alerts}} is found out.
 *   one alert   its rows; a row that only a message has is not found, so that a search goes on
 *               to the message around it.
 *   its bytes   any name that has no row. A row is never shadowed by an alert that happens to
 *               have a field of that name: `user` is who the directory knows, or missing.
 *
 * Strings are taken from the alert's JSON, not from struct alert, whose texts would end at a
 * NUL inside.
 */
#include "model/facts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/json.h"
#include "model/preset.h"
#include "model/sink.h"

enum how {
	HOW_OWN,    /* a field of the alert's JSON, by the same name */
	HOW_EVENT,  /* the kind's name, "digest" for several */
	HOW_TEXT,   /* const char *, NULL: missing */
	HOW_BOOL,   /* bool */
	HOW_AT,     /* int64_t ms, as ISO 8601 */
	HOW_NUMBER, /* int64_t, 0: missing */
	HOW_RAW,    /* the alert's bytes */
	HOW_INDEX,  /* place in the list, from 0 */
	HOW_LAST,
	HOW_COUNT,  /* size_t */
	HOW_ALERTS, /* the list itself */
	HOW_VARS,
	HOW_MAPS,
	HOW_KEY,     /* the receiver's key of the alert */
	HOW_KEPT,    /* a message's progress, without its step */
	HOW_JSON,    /* const struct json *, NULL: missing */
	HOW_CONTEXT, /* a member of the context, by the same name */
};

enum { NOWHERE = -1 };
#define IN_FACTS(member)   ((int)offsetof(struct facts, member))
#define IN_MESSAGE(member) ((int)offsetof(struct message, member))

/* name, how, where in struct facts, where in struct message (contract.md section 1) */
#define FIELDS(X)                                                                              \
	X("event", HOW_EVENT, IN_FACTS(event), NOWHERE)                                        \
	X("first", HOW_BOOL, IN_FACTS(first), NOWHERE)                                         \
	X("id", HOW_OWN, NOWHERE, NOWHERE)                                                     \
	X("org_id", HOW_OWN, NOWHERE, NOWHERE)                                                 \
	X("type", HOW_OWN, NOWHERE, NOWHERE)                                                   \
	X("severity", HOW_OWN, NOWHERE, NOWHERE)                                               \
	X("status", HOW_OWN, NOWHERE, NOWHERE)                                                 \
	X("title", HOW_OWN, NOWHERE, NOWHERE)                                                  \
	X("message", HOW_OWN, NOWHERE, NOWHERE)                                                \
	X("user_id", HOW_OWN, NOWHERE, NOWHERE)                                                \
	X("policy_id", HOW_OWN, NOWHERE, NOWHERE)                                              \
	X("created_at", HOW_OWN, NOWHERE, NOWHERE)                                             \
	X("resolved_at", HOW_OWN, NOWHERE, NOWHERE)                                            \
	X("metadata", HOW_OWN, NOWHERE, NOWHERE)                                               \
	X("source", HOW_TEXT, IN_FACTS(source), NOWHERE)                                       \
	X("route", HOW_TEXT, IN_FACTS(route), NOWHERE)                                         \
	X("sink", HOW_TEXT, IN_FACTS(sink), IN_MESSAGE(sink))                                  \
	X("delivery_id", HOW_TEXT, IN_FACTS(delivery_id), IN_MESSAGE(delivery_id))             \
	X("possible_repeat", HOW_BOOL, IN_FACTS(possible_repeat), IN_MESSAGE(possible_repeat)) \
	X("at", HOW_AT, IN_FACTS(at), NOWHERE)                                                 \
	X("raw", HOW_RAW, IN_FACTS(alert), NOWHERE)                                            \
	X("link", HOW_TEXT, IN_FACTS(link), NOWHERE)                                           \
	X("count", HOW_COUNT, NOWHERE, IN_MESSAGE(count))                                      \
	X("alerts", HOW_ALERTS, NOWHERE, IN_MESSAGE(alerts))                                   \
	X("index", HOW_INDEX, NOWHERE, NOWHERE)                                                \
	X("last", HOW_LAST, NOWHERE, NOWHERE)                                                  \
	X("why", HOW_TEXT, NOWHERE, IN_MESSAGE(why))                                           \
	X("storm", HOW_TEXT, NOWHERE, IN_MESSAGE(storm))                                       \
	X("budgets", HOW_JSON, NOWHERE, IN_MESSAGE(budgets))                                   \
	X("rest", HOW_JSON, NOWHERE, IN_MESSAGE(rest))                                         \
	X("repeat", HOW_NUMBER, IN_FACTS(repeat), NOWHERE)                                     \
	X("user", HOW_CONTEXT, IN_FACTS(context), NOWHERE)                                     \
	X("policy", HOW_CONTEXT, IN_FACTS(context), NOWHERE)                                   \
	X("budget", HOW_CONTEXT, IN_FACTS(context), NOWHERE)                                   \
	X("usage", HOW_CONTEXT, IN_FACTS(context), NOWHERE)                                    \
	X("vars", HOW_VARS, IN_FACTS(vars), NOWHERE)                                           \
	X("test", HOW_BOOL, IN_FACTS(test), IN_MESSAGE(test))                                  \
	X("dedup_key", HOW_KEY, IN_FACTS(alert), NOWHERE)                                      \
	X("map", HOW_MAPS, IN_FACTS(preset), NOWHERE)                                          \
	X("url", HOW_TEXT, NOWHERE, IN_MESSAGE(url))                                           \
	X("base_url", HOW_TEXT, NOWHERE, IN_MESSAGE(base_url))                                 \
	X("handle", HOW_TEXT, NOWHERE, IN_MESSAGE(handle))                                     \
	X("kept", HOW_KEPT, NOWHERE, IN_MESSAGE(progress))

/* A row of the table. */
struct fact {
	const char *name;
	size_t len;
	enum how how;
	int in_facts, in_message;
};

#define AS_ROW(name, how, in_facts, in_message) \
	{ name, sizeof(name) - 1, how, in_facts, in_message },
#define AS_NAME(name, how, in_facts, in_message) name,

static const struct fact fields[] = { FIELDS(AS_ROW) };
static const char *const field_names[] = { FIELDS(AS_NAME) NULL };

const char *const *facts_names(void)
{
	return field_names;
}

static const struct fact *fact_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].len == len && memcmp(fields[i].name, name, len) == 0)
			return &fields[i];
	return NULL;
}

struct fact_name fact_name(const char *text, size_t len)
{
	return (struct fact_name){ text, len, fact_find(text, len) };
}

bool facts_know(const char *name)
{
	return fact_find(name, strcspn(name, ".")) != NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

/* The scratch is left as it is: it only matters to a text that was made in it. */
static void become(struct value *v, enum value_kind kind)
{
	v->kind = kind;
	v->truth = false;
	v->text = "";
	v->len = 0;
	v->json = NULL;
	v->doc = NULL;
	v->facts = NULL;
	v->message = NULL;
	v->index = 0;
	v->count = 0;
}

static bool not_found(struct value *out)
{
	become(out, VALUE_MISSING);
	return false;
}

static bool found_text(struct value *out, enum value_kind kind, const char *text, size_t len)
{
	become(out, kind);
	out->text = text;
	out->len = len;
	return true;
}

static bool found_bool(struct value *out, bool truth)
{
	found_text(out, VALUE_BOOL, truth ? "true" : "false", truth ? 4 : 5);
	out->truth = truth;
	return true;
}

static bool found_number(struct value *out, int64_t number)
{
	_Static_assert(sizeof(out->scratch) >= NUM_TEXT_MAX, "a number fits");
	size_t len = num_text(number, out->scratch);

	return found_text(out, VALUE_NUMBER, out->scratch, len);
}

static bool found_time(struct value *out, int64_t at)
{
	_Static_assert(sizeof(out->scratch) >= CLOCK_TEXT_MAX, "a time fits");
	clock_iso(at, false, out->scratch);
	return found_text(out, VALUE_TEXT, out->scratch, strlen(out->scratch));
}

void value_of_json(const struct json *doc, const struct json_value *json, struct value *out)
{
	size_t len = 0;
	const char *text;

	switch (json_kind(json)) {
	case JSON_MISSING:
	case JSON_NULL: not_found(out); return;
	case JSON_FALSE:
	case JSON_TRUE: found_bool(out, json_kind(json) == JSON_TRUE); return;
	case JSON_NUMBER:
	case JSON_STRING:
		text = json_text(json, &len);
		found_text(out, json_kind(json) == JSON_NUMBER ? VALUE_NUMBER : VALUE_TEXT,
			   text, len);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		become(out, VALUE_JSON);
		out->json = json;
		out->doc = doc;
		return;
	}
	BUG("a JSON value of kind %d", (int)json_kind(json));
}

static void become_facts(struct value *out, const struct facts *facts, size_t index,
			 size_t count)
{
	become(out, VALUE_FACTS);
	out->facts = facts;
	out->index = index;
	out->count = count;
}

void value_of_facts(const struct facts *facts, struct value *out)
{
	become_facts(out, facts, 0, 1);
}

void value_of_message(const struct message *message, struct value *out)
{
	become(out, VALUE_MESSAGE);
	out->message = message;
}

/* A member that is there, but null, is found: it hides one of the same name further out. */
static bool get_json(const struct json *doc, const struct json_value *object,
		     const struct fact_name *name, struct value *out)
{
	const struct json_value *member = NULL;

	if (json_kind(object) == JSON_OBJECT)
		member = json_get_n(object, name->text, name->len);
	value_of_json(doc, member, out);
	return member != NULL;
}

static bool get_own(const struct facts *f, const struct fact_name *name, struct value *out)
{
	const struct json *doc = f->alert != NULL ? f->alert->json : NULL;

	if (doc == NULL)
		return not_found(out);
	return get_json(doc, json_root(doc), name, out);
}

/* A name of the context is found where it is not known, too: no field of the alert's replaces it. */
static bool get_context(const struct facts *f, const struct fact_name *name, struct value *out)
{
	if (f->context == NULL || !get_json(f->context, json_root(f->context), name, out))
		not_found(out);
	return true;
}

static bool get_var(const struct facts *f, const struct fact_name *name, struct value *out)
{
	for (size_t i = 0; i < f->var_count; i++) {
		const struct pair *var = &f->vars[i];

		if (strlen(var->name) == name->len &&
		    memcmp(var->name, name->text, name->len) == 0)
			return found_text(out, VALUE_TEXT, var->value, strlen(var->value));
	}
	return not_found(out);
}

static bool get_map(const struct facts *f, const struct fact_name *name, struct value *out)
{
	const char *text =
		f->preset == NULL ? NULL : preset_map(f->preset, f, name->text, name->len);

	return text == NULL ? not_found(out) : found_text(out, VALUE_TEXT, text, strlen(text));
}

static bool found_group(struct value *out, enum value_kind kind, const struct facts *f)
{
	become(out, kind);
	out->facts = f;
	return true;
}

static bool found_json(const struct json *doc, struct value *out)
{
	if (doc == NULL)
		return not_found(out);
	value_of_json(doc, json_root(doc), out);
	return true;
}

/* ---- of one alert ------------------------------------------------------------------------ */

static bool found_member(const struct fact *fact, const void *base, int offset,
			 struct value *out)
{
	const void *at = (const char *)base + offset;
	const char *text;

	switch (fact->how) {
	case HOW_TEXT:
		text = *(const char *const *)at;
		return text == NULL ? not_found(out)
				    : found_text(out, VALUE_TEXT, text, strlen(text));
	case HOW_BOOL: return found_bool(out, *(const bool *)at);
	case HOW_AT: return found_time(out, *(const int64_t *)at);
	case HOW_NUMBER:
		return *(const int64_t *)at == 0 ? not_found(out)
						 : found_number(out, *(const int64_t *)at);
	case HOW_COUNT: return found_number(out, (int64_t) * (const size_t *)at);
	case HOW_KEPT:
		text = preset_kept(*(const char *const *)at);
		return found_text(out, VALUE_TEXT, text, strlen(text));
	case HOW_JSON: return found_json(*(const struct json *const *)at, out);
	case HOW_OWN:
	case HOW_EVENT:
	case HOW_CONTEXT:
	case HOW_RAW:
	case HOW_KEY:
	case HOW_INDEX:
	case HOW_LAST:
	case HOW_ALERTS:
	case HOW_VARS:
	case HOW_MAPS: break;
	}
	BUG("%s is no plain member", fact->name);
}

static bool found_raw(const struct alert *alert, struct value *out)
{
	if (alert == NULL)
		return not_found(out);
	return found_text(out, VALUE_RAW, alert->bytes, alert->bytes_len);
}

static bool found_key(const struct alert *alert, struct value *out)
{
	if (alert == NULL)
		return not_found(out);
	dedup_key(alert->org_id, alert->id, out->scratch);
	return found_text(out, VALUE_TEXT, out->scratch, strlen(out->scratch));
}

/* v is VALUE_FACTS; it may be out itself. */
static bool get_facts(const struct value *v, const struct fact_name *name, struct value *out)
{
	const struct fact *fact = name->fact;
	const struct facts *f = v->facts;
	const char *kind;

	if (fact == NULL || fact->how == HOW_OWN)
		return get_own(f, name, out);
	switch (fact->how) {
	case HOW_EVENT:
		kind = event_kind_name(f->event);
		return found_text(out, VALUE_TEXT, kind, strlen(kind));
	case HOW_RAW: return found_raw(f->alert, out);
	case HOW_KEY: return found_key(f->alert, out);
	case HOW_INDEX: return found_number(out, (int64_t)v->index);
	case HOW_LAST: return found_bool(out, v->index + 1 == v->count);
	case HOW_VARS: return found_group(out, VALUE_VARS, f);
	case HOW_MAPS: return found_group(out, VALUE_MAPS, f);
	case HOW_CONTEXT: return get_context(f, name, out);
	case HOW_OWN:
	case HOW_TEXT:
	case HOW_BOOL:
	case HOW_AT:
	case HOW_NUMBER:
	case HOW_COUNT:
	case HOW_KEPT:
	case HOW_JSON:
	case HOW_ALERTS: break;
	}
	if (fact->in_facts == NOWHERE)
		return not_found(out);
	/* A row without a value is found all the same, unless the message may know better. */
	return found_member(fact, f, fact->in_facts, out) || fact->in_message == NOWHERE;
}

/* ---- of a message ------------------------------------------------------------------------ */

/* A digest's time is its latest event's, not this attempt's: a retry has the same bytes. */
static bool found_latest(const struct message *m, struct value *out)
{
	int64_t at = 0;

	for (size_t i = 0; i < m->count; i++)
		if (i == 0 || m->alerts[i].at > at)
			at = m->alerts[i].at;
	return found_time(out, at);
}

static bool get_digest(const struct message *m, const struct fact *fact, struct value *out)
{
	if (fact->how == HOW_EVENT)
		return found_text(out, VALUE_TEXT, "digest", 6);
	if (fact->how == HOW_AT)
		return found_latest(m, out);
	if (fact->how != HOW_VARS || m->count == 0)
		return not_found(out);
	return found_group(out, VALUE_VARS, &m->alerts[0]); /* the sink's: the same for all */
}

static bool get_message(const struct message *m, const struct fact_name *name,
			struct value *out)
{
	const struct fact *fact = name->fact;
	struct value only;

	if (fact != NULL && fact->how == HOW_ALERTS) {
		become(out, VALUE_LIST);
		out->message = m;
		return true;
	}
	if (fact != NULL && fact->in_message != NOWHERE) {
		bool found = found_member(fact, m, fact->in_message, out);

		/* "May be a repeat" and TEST are true when either says so. */
		if (found && (fact->how != HOW_BOOL || out->truth))
			return true;
		if (m->count != 1 || fact->in_facts == NOWHERE)
			return true;
	}
	if (m->is_digest && fact != NULL && fact->how == HOW_EVENT)
		return found_text(out, VALUE_TEXT, "digest", 6);
	if (m->count == 1) {
		become_facts(&only, &m->alerts[0], 0, 1);
		return get_facts(&only, name, out);
	}
	return fact != NULL ? get_digest(m, fact, out) : not_found(out);
}

/* ---- the interface ----------------------------------------------------------------------- */

/* v may be out: every case reads what it needs of v before it writes. */
bool value_named(const struct value *v, const struct fact_name *name, struct value *out)
{
	switch (v->kind) {
	case VALUE_JSON: return get_json(v->doc, v->json, name, out);
	case VALUE_FACTS: return get_facts(v, name, out);
	case VALUE_MESSAGE: return get_message(v->message, name, out);
	case VALUE_VARS: return get_var(v->facts, name, out);
	case VALUE_MAPS: return get_map(v->facts, name, out);
	case VALUE_MISSING:
	case VALUE_TEXT:
	case VALUE_NUMBER:
	case VALUE_BOOL:
	case VALUE_RAW:
	case VALUE_LIST: break;
	}
	return not_found(out);
}

bool value_get(const struct value *v, const char *name, size_t len, struct value *out)
{
	bool is_of_table = v->kind == VALUE_FACTS || v->kind == VALUE_MESSAGE;
	const struct fact_name whole = { name, len, is_of_table ? fact_find(name, len) : NULL };

	return value_named(v, &whole, out);
}

bool value_path(const struct value *v, const char *path, size_t len, struct value *out)
{
	const char *end = path + len;

	for (;;) {
		const char *dot = memchr(path, '.', (size_t)(end - path));
		size_t step = (size_t)((dot != NULL ? dot : end) - path);

		if (step == 0)
			return not_found(out);
		bool found = value_get(v, path, step, out);

		if (!found || dot == NULL)
			return found;
		path = dot + 1;
		v = out;
	}
}

size_t value_count(const struct value *v)
{
	if (v->kind == VALUE_LIST)
		return v->message->count;
	if (v->kind == VALUE_JSON && json_kind(v->json) == JSON_ARRAY)
		return json_count(v->json);
	return 0;
}

bool value_at(const struct value *v, size_t i, struct value *out)
{
	const struct json_value *item;

	if (i >= value_count(v))
		return not_found(out);
	if (v->kind == VALUE_LIST) {
		become_facts(out, &v->message->alerts[i], i, v->message->count);
		return true;
	}
	item = json_first(v->json);
	for (; i > 0; i--)
		item = json_next(item);
	value_of_json(v->doc, item, out);
	return true;
}

bool value_is_true(const struct value *v)
{
	switch (v->kind) {
	case VALUE_MISSING: return false;
	case VALUE_BOOL: return v->truth;
	case VALUE_TEXT:
	case VALUE_RAW: return v->len > 0;
	case VALUE_LIST: return v->message->count > 0;
	case VALUE_JSON: return json_kind(v->json) != JSON_ARRAY || json_count(v->json) > 0;
	case VALUE_NUMBER:
	case VALUE_FACTS:
	case VALUE_MESSAGE:
	case VALUE_VARS:
	case VALUE_MAPS: return true;
	}
	BUG("a value of kind %d", (int)v->kind);
}
