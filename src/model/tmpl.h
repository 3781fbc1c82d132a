/*
 * tmpl: Mustache (public specification 1.4), compiled once, streamed into a capped buffer.
 *
 * Escaping is a property of the template, from its name: `x.json.mustache` escapes JSON
 * strings, `.html.` HTML, `.slack.json.` Slack's markup and then JSON, `.slack.` the markup
 * alone, `.form.` and `.url.` URL-encode (a space as + or %20), `.txt.` nothing; any other name
 * escapes HTML, as the specification has it. Partials have the escape of their template.
 * {{{x}}} and {{&x}} escape nothing. `{{raw}}` and what ends in the filter `json` are JSON
 * already: they stand as they are in .json, and only the markup's escape applies to them.
 *
 * Ours beyond the specification:
 *   {{#severity = critical}}…{{/severity}}, {{^severity = "two words"}}…{{/severity}}
 *   {{title | truncate 80}}   at most so many characters, "… +412 characters" among them, or
 *                             "…" where that would leave too little; splits none that is seen
 *                             as one (an emoji), no entity and no %XX
 *   {{x | upper}} {{x | lower}}           Latin, Greek, Cyrillic
 *   {{x | default "none"}}    for what is missing, null or empty; reports nothing then
 *   {{x | json}}              JSON text of any value
 *   {{at | date}}             2026-11-24 03:45 UTC; `date iso`, `date unix`
 *   {{at | date "%d %b %H:%M" "Europe/Berlin"}}   base/date.h's patterns, a zone of the system
 *   {{x | duration}}          of ms, of seconds `duration s`, since a time `duration created_at`
 *   {{x | urlencode}} {{list | join ", "}}
 *   {{x | money budget.currency}}         $1,234.50, ¥1,235, CHF 0.05; or `money EUR`
 *   {{x | steps "low 75 high 90 over"}}   a word by a number: "high" from 75 on, "over" from 90
 *   {{x | escape "*_`"}}      a \ before each of these and before each \
 *   {{x | swap "@＠*∗"}}      each first of a pair becomes its second; both make blanks of
 *                             control characters, line breaks and tabs excepted
 *
 * A missing name renders empty and is reported. Neither a template nor data can take the stack,
 * the memory or the loop: size, depth and work are bounded, and what passes them fails. Pure:
 * partials come through a callback at compile time.
 */
#ifndef MODEL_TMPL_H
#define MODEL_TMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/facts.h"

struct tmpl;

/* Where a text begins: its file, and the line and column there, from 1. */
struct tmpl_place {
	const char *file;
	int line, column;
};

/*
 * load gives the text of a partial by name, or NULL: renders empty. *file may be set to what
 * stands for it in errors; we mem_free() both. *line is where it begins there, 1 unless set.
 */
struct tmpl_partials {
	char *(*load)(void *arg, const char *name, char **file, int *line, size_t *len);
	void *arg;
};

/* name is the file's: it decides the escaping and stands in errors ("name:3:14: …": line and
 * column, from 1, in characters). */
struct tmpl *tmpl_new(const char *name, const char *text, size_t len,
		      const struct tmpl_partials *partials, struct err *err)
	__attribute__((warn_unused_result));
/* As tmpl_new(), of a piece of a file: name only decides the escaping, errors count from `at`. */
struct tmpl *tmpl_new_within(const struct tmpl_place *at, const char *name, const char *text,
			     size_t len, const struct tmpl_partials *partials, struct err *err)
	__attribute__((warn_unused_result));
void tmpl_free(struct tmpl **t);

/*
 * Called for each tag {{name}} whose name was missing, once a rendering; may be NULL. A name
 * that is known but null is not missing, and a section is a question, not a miss.
 */
struct tmpl_report {
	void (*missing)(void *arg, const char *template_name, int line, const char *name);
	void *arg;
};

/*
 * Adds the rendering of root to out. False when out overflowed, or when the template's name
 * says JSON and the rendering is not strict JSON. out then holds what there was, and err says
 * where in the template it happened ("name:3:14: …").
 */
bool tmpl_render(const struct tmpl *t, const struct value *root, struct buf *out,
		 const struct tmpl_report *report, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Every name that the template may ask for, wherever it stands (a section never entered, the
 * name in `duration created_at`), and every partial that does not exist.
 */
struct tmpl_use {
	const char *file;
	int line;
	const char *name;
	bool is_partial;
};
struct tmpl_uses {
	void (*each)(void *arg, const struct tmpl_use *use);
	void *arg;
};
void tmpl_each_use(const struct tmpl *t, const struct tmpl_uses *uses);

const char *tmpl_name(const struct tmpl *t);

#endif
