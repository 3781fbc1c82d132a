/*
 * people: to whom one delivery goes, where its sink writes to people by their addresses.
 *
 * An address may be the alert's to name, so each delivery has its own list. Who is left out of
 * it is kept with the reason, and never with the address.
 */
#ifndef MODEL_PEOPLE_H
#define MODEL_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEOPLE_WHY_MAX = 120 };

/* One that was named and gets nothing. */
struct left_out {
	const char *key;          /* of the configuration: "to", "cc" */
	size_t place;             /* in its list, from 1 */
	bool is_empty;            /* the alert names nobody there */
	char why[PEOPLE_WHY_MAX]; /* follows "to: " */
};

struct people {
	char **to, **cc; /* owned, as is each: "name@domain" or "Name <name@domain>" */
	size_t to_count, cc_count;
	struct left_out *left_out; /* owned */
	size_t left_out_count;
	int64_t key; /* of the addresses alone, in small letters: the same key, the same people */
};

/* Of nobody. No list of addresses has it. */
enum { PEOPLE_NOBODY = 0 };

void people_release(struct people *p);

#endif
