/*
 * operate: what `requeue` and `drop` have in common: choose rows, say which, change them.
 */
#ifndef CLI_OPERATE_H
#define CLI_OPERATE_H

#include "cli/chunks.h"
#include "cli/cli.h"
#include "cli/pick.h"

struct operation {
	const char *done; /* "requeued" */
	unsigned states;  /* what a filter without --state takes; bits 1 << delivery_state */
	unsigned leaves;  /* rows in these are left alone */
	chunk_change *change;
	bool is_paced; /* knows --rate */
};

/* "--dry-run" of their tables. */
#define OPERATE_OPTIONS                                                              \
	{                                                                            \
		"dry-run", NULL,                                                     \
			"change nothing: say how many, by sink and state, and show " \
			"the first"                                                  \
	}

/* The whole command; returns an exit code. */
int operate_run(const struct cli *cli, const struct operation *op);

#endif
