/*
 * tally: deliveries counted by sink and state.
 */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/jline.h"

struct tally_line {
	char *sink, *state; /* owned */
	int64_t count;
};

/* Zero it to begin. */
struct tally {
	struct tally_line *lines;
	size_t count, last;
	int64_t total;
};

void tally_add(struct tally *t, const char *sink, const char *state);
void tally_release(struct tally *t);

/* By sink, then by state, as a table; nothing when there is nothing. */
void tally_print(struct tally *t, FILE *out);
/* The same, each an object: members of an array that is open, or lines of their own (j NULL). */
void tally_json(struct tally *t, struct jline *j);

#endif
