/*
 * sample_options: --event, --sample, --alert and --context, which several commands share.
 */
#ifndef CLI_SAMPLE_OPTIONS_H
#define CLI_SAMPLE_OPTIONS_H

#include "base/buf.h"
#include "cli/cli.h"
#include "model/event.h"

enum { SAMPLE_CONTEXT_MAX = 4 << 20 };

/*
 * The values of the two options, or what stands for them. EXIT_OK, or EXIT_USAGE after it was
 * said what is wrong.
 */
int sample_options(const struct cli *cli, enum event_kind *kind, const char **type);

/*
 * Adds the bytes of the alert in the file of --alert, or of the sample of that type, and what is
 * behind it. A file tells its event by its status, unless --event says another. EXIT_OK, or
 * EXIT_FAILED after it was said what is wrong. Bytes has room for ALERT_BYTES_MAX, context for
 * SAMPLE_CONTEXT_MAX.
 */
int sample_take(const struct cli *cli, const char *type, enum event_kind *kind, int64_t *at,
		struct buf *bytes, struct buf *context);

/*
 * What stands behind the alert is what --context says: the file with that name, or nothing
 * ("none"). True where it was asked for. *code is EXIT_FAILED after it was said what is wrong.
 */
bool sample_context(const struct cli *cli, struct buf *context, int *code);

#endif
