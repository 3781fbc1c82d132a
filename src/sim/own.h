/*
 * own: alerts that have a text of their own (injected, or changed beyond their status), found
 * by id. Several may share one id, and some have none.
 */
#ifndef SIM_OWN_H
#define SIM_OWN_H

#include <stddef.h>
#include <stdint.h>

struct own {
	uint32_t number;
	char *id; /* NULL: not to be found */
	char *text;
	size_t len;
	struct own *next; /* in its bucket */
};

/* Zeroed is empty. */
struct owns {
	struct own **buckets;
	size_t bucket_count; /* 0 or a power of two */
	size_t count;        /* of those with an id */
};

void owns_release(struct owns *owns);

/* Takes over id (may be NULL) and text, both of mem. The result is the caller's to own_free(). */
struct own *own_new(struct owns *owns, uint32_t number, char *id, char *text, size_t len);
void own_free(struct owns *owns, struct own **own);

/* The first of that id after `after` (NULL: of all), or NULL. */
const struct own *own_find(const struct owns *owns, const char *id, const struct own *after);

#endif
