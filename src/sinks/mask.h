/*
 * mask: what a peer said, made fit to be shown.
 *
 * An answer may echo what we sent it: a 404 page names the path that was asked for, and in a
 * webhook's path lies its secret. So what must not be seen is collected first, every place of
 * it becomes ***, and only then is the text cut to a line. Used on failures alone; a success
 * shows nothing.
 */
#ifndef SINKS_MASK_H
#define SINKS_MASK_H

#include <stddef.h>

#include "model/conf.h"

enum { MASK_TEXT_MAX = 200 }; /* bytes of an answer that are shown */

struct mask {
	char **list; /* owned; secrets */
	size_t count;
};

void mask_release(struct mask *m);

/* Hides a secret; NULL and texts too short to be one (under 4 bytes) are left alone. */
void mask_add(struct mask *m, const char *secret);
/* Hides a URL: all of it, what follows its host, and every piece of that. */
void mask_add_url(struct mask *m, const char *url);
/* Hides what a secret is, and what it was before it was read again. */
void mask_add_secret(struct mask *m, const struct conf_secret *secret);
/* Hides the values of a group of texts. */
void mask_add_pairs(struct mask *m, const struct conf_pairs *pairs);

/*
 * Fills out (at least MASK_TEXT_MAX + 1 bytes) with one line: secrets hidden, control characters
 * and runs of white space turned into single spaces, UTF-8 repaired, cut between characters.
 */
void mask_text(const struct mask *m, const char *bytes, size_t len, char *out, size_t size);

#endif
