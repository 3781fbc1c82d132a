/*
 * select: which deliveries an operator means: ids, or a sink and a state.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include "cli/cli.h"

extern const struct cli_option select_options[];

/* A change of the selected rows (store_requeue, store_drop); returns how many, or -1. */
typedef int64_t select_change(struct store *s, const struct selection *which, int64_t now,
			      struct err *err);

/*
 * Reads the selection from the command line, makes sure that every id exists, applies the
 * change and prints how many: "done 3 deliveries", or {"done":3}. Returns an exit code.
 */
int select_run(const struct cli *cli, select_change *change, const char *done);

#endif
