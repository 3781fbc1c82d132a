/*
 * conf_scan: what libconfig 1.5 would do to a text without a word.
 *
 * It drops "\x00" from strings, wraps integers past 2^31, reads files for @include, stops at a
 * NUL byte, and tells the line after a string for the string's own. One walk over the tokens,
 * before the parse, finds all of these, and two syntax errors on which libconfig leaks: a string
 * that is never closed, and one where no string may be.
 */
#ifndef MODEL_CONF_SCAN_H
#define MODEL_CONF_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/conf.h"

struct conf_scan {
	int *string_lines; /* of every string, in order; neighbours are one, as in C */
	size_t string_count;
};

/* Adds the problems. False for a text that must not be parsed at all. */
bool conf_scan(struct conf_scan *s, const char *bytes, size_t len, const char *file,
	       struct conf_problems *p) __attribute__((warn_unused_result));
void conf_scan_release(struct conf_scan *s);

#endif
