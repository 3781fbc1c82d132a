/*
 * instant: a moment as somebody types it.
 *
 * "2026-11-27T07:00:00+01:00", and shorter: without the seconds, without the time (midnight),
 * with a space for the T. Without a zone it is UTC, as all that the program prints.
 */
#ifndef CLI_INSTANT_H
#define CLI_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* False and err, with an example; *has_zone: it was said where. */
bool instant_parse(const char *text, int64_t *at, bool *has_zone, struct err *err)
	__attribute__((warn_unused_result));

#endif
