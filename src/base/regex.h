/*
 * regex: anchored UTF-8 patterns that always answer (PCRE2, JIT where the machine has it).
 *
 * A pattern must match the whole subject, and "." takes in a line break, as messages have
 * several lines. A match limit keeps a bad pattern from stopping the loop; a limit that is hit
 * counts as a match (it can only over-notify), and *hit_limit says so to the caller, who warns.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct regex;

/* NULL and err when it does not compile ("missing closing parenthesis at offset 7"). */
struct regex *regex_new(const char *pattern, struct err *err)
	__attribute__((warn_unused_result));
void regex_free(struct regex **re);

/* *hit_limit (may be NULL) tells that the answer is only "perhaps". Bad UTF-8 never matches. */
bool regex_matches(struct regex *re, const char *subject, size_t len, bool *hit_limit);
/* Has it ever hit its limit? */
bool regex_was_cut(const struct regex *re);

#endif
