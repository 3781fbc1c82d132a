/*
 * date: a moment written as a pattern says, in a zone.
 *
 * A pattern is strftime()'s, in English whatever the machine's locale is:
 *   %Y 2026  %y 26  %m 11  %d 24  %e " 5"  %B November  %b Nov  %A Tuesday  %a Tue
 *   %H 03  %I 03  %p AM  %M 45  %S 56  %z +0100  %Z CET  %s 1795491956
 *   %F %Y-%m-%d  %T %H:%M:%S  %R %H:%M  %% %
 * A - leaves the padding out (%-d: 5).
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/zone.h"

/* False, and what is wrong, for a pattern that knows no % or an unknown one. */
bool date_pattern(const char *pattern, size_t len, struct err *err)
	__attribute__((warn_unused_result));

/* Adds the moment; zone NULL is UTC, years are clamped to 0..9999. False when out overflowed. */
bool date_add(struct buf *out, const char *pattern, size_t len, int64_t at,
	      const struct zone *zone) __attribute__((warn_unused_result));

#endif
