/*
 * context: who and what stands behind an alert, as one JSON object.
 *
 *   {"user":{…},"policy":{…},"budget":{…,"percent":84.2},"usage":{…}}
 *
 * Each is the API's object as it came, and left out where it is not known. It is made once, of what
 * the directory and the look-ups know in that moment, and kept with the event. What is not known
 * may come: then the event may wait for it, and what is to be asked for is noted here until its
 * page is stored.
 */
#ifndef FLOW_CONTEXT_H
#define FLOW_CONTEXT_H

#include "base/buf.h"
#include "flow/directory.h"
#include "flow/lookup.h"
#include "model/alert.h"

struct context {
	const struct directory_parts *p; /* the source's */
	struct directory *directory;
	struct lookup *lookup;
	char *wanted[CONTEXT_LISTS]; /* owned; an id that nobody knows, of each list */
};

/* Does the source's configuration ask for any? */
bool context_is_on(const struct context *c);

/*
 * Adds the object. True: this is all; false: more may come. Called while a page is stored, it
 * writes nothing.
 */
bool context_add(struct context *c, const struct alert *alert, struct buf *out);

/* Asks for what was noted. */
void context_ask(struct context *c);

void context_release(struct context *c);

#endif
