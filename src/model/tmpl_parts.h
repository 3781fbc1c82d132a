/*
 * tmpl_parts: what the files of tmpl share; only tmpl*.c includes this.
 *
 * A template is one flat array of nodes. A body (the template itself, or one of its partials)
 * is a range of them; a section is followed by its own nodes and knows where they end. Nodes
 * and filters borrow their texts from the bodies, which own the bytes they were compiled from.
 *
 *   tmpl.c          owns the template: names, partials, what escaping a name asks for
 *   tmpl_compile.c  one body's bytes → nodes; delimiters, tags, standalone lines, errors
 *   tmpl_filter.c   what stands after a | : read at compile time, applied at rendering
 *   tmpl_date.c     the two filters about time
 *   tmpl_steps.c    the filter that chooses by a number
 *   tmpl_render.c   nodes and values → bytes
 */
#ifndef MODEL_TMPL_PARTS_H
#define MODEL_TMPL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/zone.h"
#include "model/facts.h"
#include "model/tmpl.h"

enum {
	TMPL_TEXT_MAX = 1 << 20,     /* bytes of one template or partial */
	TMPL_NODES_MAX = 16384,      /* of a template with its partials */
	TMPL_FILTERS_MAX = 4096,     /* likewise */
	TMPL_BODIES_MAX = 64,        /* the template and its partials */
	TMPL_NAME_MAX = 200,         /* bytes of a name in a tag */
	TMPL_SECTIONS_MAX = 32,      /* sections within sections of one body */
	TMPL_PARTIAL_DEPTH_MAX = 32, /* partials within partials at rendering */
	TMPL_DEPTH_MAX = 128,        /* sections and partials together at rendering */
	TMPL_DELIMITER_MAX = 16,
	TMPL_SCRATCH_MAX = 4 << 20, /* what a filter may make */
	TMPL_TRUNCATE_MAX = 1000000,
};

struct tmpl_text {
	const char *at;
	size_t len;
};

enum tmpl_node_kind {
	TMPL_TEXT,
	TMPL_VALUE,
	TMPL_SECTION,  /* {{#name}}: nodes up to end, for each member or once */
	TMPL_INVERTED, /* {{^name}} */
	TMPL_EQUAL,    /* {{#name = literal}}: once, in the same context */
	TMPL_UNEQUAL,  /* {{^name = literal}} */
	TMPL_PARTIAL,
};

struct tmpl_node {
	enum tmpl_node_kind kind;
	bool verbatim;   /* VALUE: {{{name}}} or {{&name}} */
	bool line_start; /* TEXT: begins a line of its body */
	uint32_t body;   /* where it stands: for reports */
	uint32_t line, column;
	uint32_t target;                /* PARTIAL: its body */
	uint32_t end;                   /* sections: the node after their last one */
	uint32_t filters, filter_count; /* VALUE: a range of tmpl.filters */
	struct fact_name first;         /* of a name: what stands before its first dot */
	struct tmpl_text text;          /* TEXT: the bytes; else the name */
	struct tmpl_text literal; /* (UN)EQUAL: the word; PARTIAL: its line's indentation */
};

enum tmpl_filter_kind {
	TMPL_TRUNCATE,
	TMPL_UPPER,
	TMPL_LOWER,
	TMPL_DEFAULT,
	TMPL_JSON,
	TMPL_DATE,
	TMPL_DURATION,
	TMPL_URLENCODE,
	TMPL_JOIN,
	TMPL_ESCAPE,
	TMPL_SWAP,
	TMPL_MONEY,
	TMPL_STEPS,
};

struct tmpl_filter {
	enum tmpl_filter_kind kind;
	bool has_word;
	bool by_name;           /* word is a name, to be looked up before it is applied */
	struct tmpl_text word;  /* its argument */
	struct fact_name first; /* by_name: what stands before the word's first dot */
	size_t number;          /* truncate: characters */
	bool has_zone;
	struct tmpl_text zone_name; /* date: its second argument */
	struct zone *zone;          /* date: owned by the template; NULL: UTC */
};

struct tmpl_body {
	char *name; /* as the tag has it; of the template its file's */
	char *file; /* NULL: as its name */
	char *text; /* NULL: a partial that does not exist; renders empty */
	size_t len;
	int line, column;    /* where it begins in its file */
	uint32_t first, end; /* nodes */
};

typedef bool tmpl_escape(struct buf *out, const char *s, size_t len);

struct tmpl {
	char *name;
	tmpl_escape *escape; /* of texts */
	tmpl_escape *markup; /* of what is JSON already: the same without JSON's own part */
	bool is_json;

	struct tmpl_body bodies[TMPL_BODIES_MAX]; /* [0] is the template */
	uint32_t body_count;
	struct tmpl_node *nodes;
	uint32_t node_count, node_room;
	struct tmpl_filter *filters;
	uint32_t filter_count, filter_room;
};

/* What stands for a body in errors and reports. */
const char *tmpl_file(const struct tmpl *t, uint32_t body);

/* The part of a dotted name that is looked for first. */
struct fact_name tmpl_first(struct tmpl_text name);

/* Compiles bodies[body]; partials it names become further bodies, still without text. */
bool tmpl_compile(struct tmpl *t, uint32_t body, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Reads "truncate 80 | upper" (what follows the first |, not empty) and adds it to t->filters.
 * Quoted words are unquoted in place. err is the reason alone.
 */
bool tmpl_filter_read(struct tmpl *t, char *text, size_t len, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Takes a word off the front of *text, or a "quoted" one, unquoted in place; white space before
 * it is skipped. False and err when a quote is not closed. *quoted may be NULL.
 */
bool tmpl_word(char **text, size_t *len, struct tmpl_text *word, bool *quoted, struct err *err)
	__attribute__((warn_unused_result));

bool tmpl_is_word(struct tmpl_text word, const char *s);

/* Judges and completes the arguments of `date` (word, zone_name); err is the reason alone. */
bool tmpl_date_read(struct tmpl_filter *f, struct err *err) __attribute__((warn_unused_result));
bool tmpl_date(const struct tmpl_filter *f, const struct value *v, struct buf *to);
/* other: what a by_name filter names, as in tmpl_filter_apply(). */
bool tmpl_duration(const struct tmpl_filter *f, const struct value *v,
		   const struct value *other, struct buf *to);

/* Are these texts with ascending numbers between them? */
bool tmpl_steps_read(struct tmpl_text steps);
bool tmpl_steps(const struct tmpl_filter *f, const struct value *v, struct buf *to);

/* False for what is no text but a list, an object, an alert: its text is its JSON. */
bool tmpl_has_text(const struct value *v);

/* Can the filter read v as it is? Else it wants v's text. */
bool tmpl_filter_takes(const struct tmpl_filter *f, const struct value *v);

/*
 * Applies one filter that takes v: v becomes its result, whose text may lie in `to` (cleared
 * first; v's own text must not lie there). other is the value that a by_name filter names, else
 * unused. False when the result does not fit `to`.
 */
bool tmpl_filter_apply(const struct tmpl_filter *f, struct value *v, const struct value *other,
		       struct buf *to) __attribute__((warn_unused_result));

/* Adds v as JSON text: of an alert its bytes, of a list an array of them. */
bool tmpl_json(const struct value *v, struct buf *out);

#endif
