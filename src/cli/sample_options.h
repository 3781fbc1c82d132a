/*
 * sample_options: --event and --sample, which `render` and `send` share.
 */
#ifndef CLI_SAMPLE_OPTIONS_H
#define CLI_SAMPLE_OPTIONS_H

#include "cli/cli.h"
#include "model/event.h"

/*
 * The values of the two options, or what stands for them. EXIT_OK, or EXIT_USAGE after it was
 * said what is wrong.
 */
int sample_options(const struct cli *cli, enum event_kind *kind, const char **type);

#endif
