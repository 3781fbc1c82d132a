/*
 * facts: all that templates, matchers, JSON output and log lines may know of one event.
 *
 * One table in facts.c names every field once (contract.md section 1). A name that is not in
 * the table is looked for in the alert's own bytes, so fields unknown to us are reachable too;
 * a path (`metadata.model`) walks objects. Everything is borrowed.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alert.h"
#include "model/event.h"

/* A named text of the operator's (a sink's `vars`, `headers`). */
struct pair {
	char *name, *value;
	char *reference, *former; /* of a value that can be read again (model/conf); NULL */
};

struct facts {
	const struct alert *alert;
	enum event_kind event;
	bool first; /* the first sighting was already resolved */
	bool possible_repeat;
	const char *source, *route, *sink; /* NULL: not known here */
	const char *delivery_id;
	const char *link; /* the alert's page for people, or NULL */
	int64_t at;       /* when the event was observed */
	int64_t repeat;   /* 0: none */
	bool test;        /* a sample of `tocsin send`: marked TEST */
	const struct pair *vars;
	size_t var_count;
	const struct preset *preset; /* its maps; NULL: none */
	/* An object with user, policy, budget, usage behind the alert, as far as known; NULL: none. */
	const struct json *context;
};

/* What one name stands for. */
enum value_kind {
	VALUE_MISSING, /* also JSON's null */
	VALUE_TEXT,    /* text, len: a string */
	VALUE_NUMBER,  /* text, len: its digits as they came */
	VALUE_BOOL,    /* truth; text is "true" or "false" */
	VALUE_RAW,     /* text, len: JSON bytes to be passed on verbatim */
	VALUE_JSON,    /* json: an object or an array */
	VALUE_FACTS,   /* facts: one alert of a message */
	VALUE_LIST,    /* message: its alerts */
	VALUE_MESSAGE, /* message: the root of a rendering */
	VALUE_VARS,    /* facts: its vars, by name */
	VALUE_MAPS,    /* facts: its preset's maps, by name */
};

struct message;
struct preset;

struct value {
	enum value_kind kind;
	bool truth;
	const char *text;
	size_t len;
	const struct json_value *json;
	const struct json *doc; /* of json: for its bytes */
	const struct facts *facts;
	const struct message *message;
	size_t index, count;         /* of facts within its list: `index` (from 0) and `last` */
	char scratch[DEDUP_KEY_MAX]; /* text made here (a time, a key); text points into it */
};

/* A name without dots, and its row of the table, looked for once for many values. */
struct fact_name {
	const char *text;
	size_t len;
	const struct fact *fact; /* NULL: it has none */
};

struct fact_name fact_name(const char *text, size_t len);

/*
 * The value of one name (no dots) within v; out may be v. False and VALUE_MISSING where there is
 * no such name; true and VALUE_MISSING where it is known but null or not set here. text is "" of
 * what has none. A value is not to be copied: text may point into its own scratch.
 */
bool value_named(const struct value *v, const struct fact_name *name, struct value *out);
bool value_get(const struct value *v, const char *name, size_t len, struct value *out);
/* The value of a dotted path within v. */
bool value_path(const struct value *v, const char *path, size_t len, struct value *out);
/* Members of a list (VALUE_LIST, or a JSON array): how many, and the i-th. */
size_t value_count(const struct value *v);
bool value_at(const struct value *v, size_t i, struct value *out);
/* Mustache's truth: missing, false and empty lists are false; everything else true. "" is false. */
bool value_is_true(const struct value *v);

void value_of_json(const struct json *doc, const struct json_value *json, struct value *out);
void value_of_facts(const struct facts *facts, struct value *out);
void value_of_message(const struct message *message, struct value *out);

/* Every name of the table, ended by NULL: for `check`, typos and documentation. */
const char *const *facts_names(void);
/* Is it one of them, or what lies in one (metadata.model, user.email)? */
bool facts_know(const char *name);

#endif
