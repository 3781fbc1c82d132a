/*
 * meter: how far something long has come, on one line of a terminal that is written over.
 *
 * Where stderr is no terminal nothing is written.
 */
#ifndef CLI_METER_H
#define CLI_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter {
	const char *what; /* "copying" */
	bool is_shown;
	int64_t told_at; /* steady ms */
};

void meter_begin(struct meter *m, const char *what);
/* As struct progress wants it; arg is the meter. */
void meter_told(void *arg, int64_t done, int64_t total);
/* Takes the line away. */
void meter_end(struct meter *m);

#endif
