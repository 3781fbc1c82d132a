/*
 * against: `tocsin check --against 7d`: what this configuration would have done with the alerts
 * that the store remembers.
 */
#ifndef CLI_AGAINST_H
#define CLI_AGAINST_H

#include "cli/cli.h"

/* Replays what came within span_ms; prints, and returns an exit code. */
int against_run(const struct cli *cli, const struct setup *setup, int64_t span_ms);

#endif
