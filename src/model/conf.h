/*
 * conf: a libconfig text read by tables of keys; every mistake found in one run.
 *
 * Every key is a row: name, kind, where it goes, default, bounds, help. A reader walks a group
 * with its table and fills a plain struct. All errors are collected as file:line: message, with
 * the nearest known name for a typo and the remedy in the line (libconfig itself stops at the
 * first syntax error or duplicate key: that one alone, then). No value of a secret is printed.
 * Pure: bytes come in, and secrets are resolved by a function that the caller passes.
 *
 * Three steps, three files: conf.c makes a tree of nodes (and is alone in naming libconfig),
 * conf_read.c fills structs from nodes by tables, conf_problem.c keeps what was wrong.
 * conf_scan.c sees what libconfig would change without a word.
 */
#ifndef MODEL_CONF_H
#define MODEL_CONF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum conf_level { CONF_ERROR, CONF_WARNING };

struct conf_problem {
	char *file;
	int line; /* 0: the whole file */
	enum conf_level level;
	char *message;
};

struct conf_problems {
	struct conf_problem *list; /* owned */
	size_t count;
	size_t error_count;
};

/* The message becomes one line: control characters turn into spaces. */
void conf_problem(struct conf_problems *p, enum conf_level level, const char *file, int line,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
void conf_problem_v(struct conf_problems *p, enum conf_level level, const char *file, int line,
		    const char *format, va_list args) __attribute__((format(printf, 5, 0)));
/* In order of file and line. */
void conf_problems_sort(struct conf_problems *p);
void conf_problems_release(struct conf_problems *p);

/* A value that may be a reference: kept, so that it can be read again (rotation). */
struct conf_secret {
	char *reference; /* as configured, NULL when not set */
	char *value;     /* resolved; never printed */
	char *former;    /* what it was before it was read again; NULL: never */
};

struct conf_texts {
	char **list;
	char **references; /* as configured; NULL elements: the text itself */
	size_t count;
};

struct pair;
struct conf_pairs {
	struct pair *list; /* values resolved; secrets */
	size_t count;
};

enum conf_kind {
	CONF_TEXT,     /* char *; may be a reference, resolved once */
	CONF_SECRET,   /* struct conf_secret */
	CONF_DURATION, /* int64_t ms */
	CONF_SIZE,     /* int64_t bytes */
	CONF_RATE,     /* struct rate */
	CONF_INT,      /* int64_t */
	CONF_REAL,     /* double */
	CONF_BOOL,     /* bool */
	CONF_WORD,     /* an enum: the index of the word in `words` */
	CONF_TEXTS,    /* struct conf_texts: one string or a list of them */
	CONF_PAIRS,    /* struct conf_pairs: a group of strings; values may be references */
	CONF_NESTED, /* a group with its own table; `nested` counts offsets from this offset */
	CONF_OTHER,  /* known, but read by code of its own (sources, match …) */
};

struct conf_key {
	const char *name; /* NULL ends a table */
	enum conf_kind kind;
	size_t offset; /* in the struct that the table fills */
	const char *
		fallback; /* the default, as it would be written (without quotes); NULL: none */
	const char *min, *max; /* bounds, as written; NULL: none */
	bool required;
	bool one_line;     /* CR, LF and NUL are errors (addresses, headers) */
	bool may_be_empty; /* of a text: "" means something */
	const struct conf_key *nested;
	const char *help;
	const char *const *words; /* of CONF_WORD, ended by NULL */
};

/* ---- the text as a tree ---- */

enum conf_shape {
	CONF_NOTHING, /* what a NULL node is */
	CONF_STRING,
	CONF_WHOLE,
	CONF_FRACTION,
	CONF_TRUTH,
	CONF_LIST, /* ( … ) or [ … ] */
	CONF_GROUP,
};

struct conf;
struct conf_node;

/* NULL, with the problem added, when the text cannot be read at all. */
struct conf *conf_parse(const char *bytes, size_t len, const char *file,
			struct conf_problems *p) __attribute__((warn_unused_result));
void conf_free(struct conf **c);
const struct conf_node *conf_root(const struct conf *c);

/* All of these accept NULL (a key that is not set). Nodes live as long as their conf. */
enum conf_shape conf_shape(const struct conf_node *n);
const struct conf_node *conf_get(const struct conf_node *group, const char *name);
size_t conf_count(const struct conf_node *list_or_group);
const struct conf_node *conf_at(const struct conf_node *list_or_group, size_t i);
int conf_line(const struct conf_node *n); /* 0: none, or the root */
const char *conf_name(const struct conf_node *n);
const char *conf_string(const struct conf_node *n); /* NULL unless CONF_STRING */
int64_t conf_whole(const struct conf_node *n);
double conf_fraction(const struct conf_node *n); /* of a CONF_WHOLE too */
bool conf_truth(const struct conf_node *n);

/* ---- nodes into structs ---- */

struct conf_reader {
	const char *file;                                    /* for messages */
	char *(*resolve)(const char *text, struct err *err); /* secret_resolve */
	struct conf_problems *problems;
};

/*
 * Fills `into` from a group by a table; keys that are not set get their default, and a key with
 * an error is left as it was (zero), save that a secret keeps its reference. Group NULL: all
 * defaults, nothing required. `what` names the group in messages ("source \"acme\"").
 */
void conf_fill(const struct conf_reader *r, const struct conf_node *group, const char *what,
	       const struct conf_key *keys, void *into);
/* Frees what conf_fill() put there. */
void conf_release(const struct conf_key *keys, void *from);

/*
 * Reads every reference again, with secret_resolve; true when one brought another value. What
 * cannot be read now stays as it is.
 */
bool conf_refresh(const struct conf_key *keys, void *into,
		  char *(*resolve)(const char *text, struct err *err));

/* Were a and b, both filled by this table, given the same? Secrets by value; what code of its
 * own reads (CONF_OTHER) is left out. */
bool conf_same(const struct conf_key *keys, const void *a, const void *b);

/* Adds a problem for every key of the group that is in none of the tables (ended by NULL). */
void conf_check_names(const struct conf_reader *r, const struct conf_node *group,
		      const char *what, const struct conf_key *const *tables);

/* ---- for keys that code of their own reads (CONF_OTHER) ---- */

/* False, with the problem added, unless n is a string or a list of strings; NULL is fine. */
bool conf_check_texts(const struct conf_reader *r, const struct conf_node *n, const char *what);
/* The i-th of them, NULL past the last. */
const struct conf_node *conf_text_at(const struct conf_node *n, size_t i);
/* False, with the problem added, unless n is a list of groups; NULL is fine. */
bool conf_check_groups(const struct conf_reader *r, const struct conf_node *n,
		       const char *what);

/* Adds an error, or a warning, at a node. */
void conf_error(const struct conf_reader *r, const struct conf_node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warn(const struct conf_reader *r, const struct conf_node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* `; did you mean "x"?` for the nearest of names (ended by NULL), or "". */
enum { CONF_HINT_MAX = 80 };
void conf_hint(char text[CONF_HINT_MAX], const char *word, const char *const *names);

#endif
