/*
 * parts: a sink's templates, compiled once, and the rendering that cannot lose an alert.
 *
 * Each sink type names its parts (body, subject …); each part is a file found by base name and
 * suffix, first beside the configuration, then in `templates`. When a template fails at run
 * time the built-in plain rendering goes out instead; that is counted, and said once a part.
 */
#ifndef FLOW_PARTS_H
#define FLOW_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/settings.h"
#include "model/sink.h"
#include "model/tmpl.h"

struct parts;

/*
 * Compiles the templates of one sink. NULL when one does not compile or is missing: every
 * mistake is in problems.
 */
struct parts *parts_new(const struct settings *settings, const struct sink_settings *sink,
			struct conf_problems *problems) __attribute__((warn_unused_result));
void parts_free(struct parts **p);

/*
 * Renders every part into message->parts; the texts live in p until the next call. Falls back
 * to the plain rendering where a template fails. False only when that fails too (BUG class:
 * a receiver-sized limit that not even the plain text meets); err says which.
 */
bool parts_render(struct parts *p, struct message *message, struct err *err)
	__attribute__((warn_unused_result));

/*
 * The compiled template of the sink type's i-th part, or of the body of its preset's i-th
 * request; NULL: there is none.
 */
const struct tmpl *parts_template(const struct parts *p, size_t i);

/* How many renderings fell back so far. */
int64_t parts_failed(const struct parts *p);

/* A preset's file by name or path: beside the configuration, in its presets/, in the shipped
 * presets/. */
char *parts_find_preset(const struct settings *settings, const char *name, char **path,
			size_t *len, struct err *err) __attribute__((warn_unused_result));

/*
 * A mistake of the template at path as an error: `why` is what the engine said
 * ("FILE:LINE:COLUMN: reason"), of what stands before the reason. The same is said once.
 */
void parts_problem(struct conf_problems *problems, const char *path, const char *of,
		   const char *why);
/* Any problem, unless it is there already. */
void parts_say(struct conf_problems *problems, enum conf_level level, const char *file,
	       int line, const char *text);

/* The text of a template file by name or path, with the name it compiled under: for `render`. */
char *parts_find(const struct settings *settings, const char *name, char **path, size_t *len,
		 struct err *err) __attribute__((warn_unused_result));
/* Compiles one template found by parts_find(), partials beside it. */
struct tmpl *parts_compile(const char *path, const char *text, size_t len, struct err *err)
	__attribute__((warn_unused_result));

#endif
