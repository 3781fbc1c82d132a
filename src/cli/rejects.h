/* rejects: items of the API that could not be read, for `tocsin alerts --rejected`. */
#ifndef CLI_REJECTS_H
#define CLI_REJECTS_H

#include "cli/cli.h"
#include "store/store.h"

/* Prints them, oldest first; returns an exit code. */
int rejects_list(const struct cli *cli, struct store *store);

#endif
