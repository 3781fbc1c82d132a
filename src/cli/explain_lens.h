/*
 * explain_lens: what one sink sees of an alert, and whom it writes to, for `explain --for SINK`.
 *
 * It takes from the configuration only what it needs, as glance does: passwords need not resolve
 * for who asks.
 */
#ifndef CLI_EXPLAIN_LENS_H
#define CLI_EXPLAIN_LENS_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/glance.h"
#include "model/facts.h"
#include "model/people.h"
#include "sinks/email_people.h"

struct lens {
	const char *sink;
	char *was; /* what the sink was called before; NULL: nothing else */
	struct conf_texts redact, to, cc, to_domains;
	struct email_people *people; /* NULL: it writes to nobody by an address */
};

/* What comes of looking for it. */
enum lens_found { LENS_READ, LENS_UNKNOWN, LENS_WRONG };

/* UNKNOWN: no such sink; WRONG: what it needs can't be read, which is in problems. Release it in
 * any case. */
enum lens_found lens_read(struct lens *s, const struct glance *g, const char *file,
			  const char *sink, struct conf_problems *problems);
void lens_release(struct lens *s);

/* Sees everything (s NULL), or this field? */
bool lens_shows(const struct lens *s, const char *field);
/* Is the row of that sink's? All are where s is NULL. */
bool lens_has(const struct lens *s, const char *sink);
/* Adds the alert's bytes without what it does not see; "null" for bytes that can't be read. */
void lens_add_alert(const struct lens *s, const char *bytes, size_t len, struct buf *out);
/* A matcher, without the value where its field is not seen; the caller frees it. */
char *lens_matcher(const struct lens *s, const char *text);
/* The same of a JSON list of matchers; the caller frees it. */
char *lens_matchers(const struct lens *s, const char *list);
/* Whom the facts name; false: it writes to nobody by an address. */
bool lens_people(const struct lens *s, const struct facts *facts, struct people *out);

#endif
