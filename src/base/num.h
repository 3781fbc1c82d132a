/*
 * num: numbers, durations, sizes and rates as people write them in a configuration.
 *
 * Strict: the whole text must be one, without white space; false and a remedy in err otherwise
 * ("needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"").
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

bool num_parse_int(const char *text, int64_t *value, struct err *err)
	__attribute__((warn_unused_result));
/* "250ms" "5s" "10m" "24h" "3d"; at most 3650 days. */
bool num_parse_duration(const char *text, int64_t *ms, struct err *err)
	__attribute__((warn_unused_result));
/* "512" "64KiB" "64MiB" "1GiB" "10kB" "10MB". */
bool num_parse_size(const char *text, int64_t *bytes, struct err *err)
	__attribute__((warn_unused_result));

enum { NUM_TEXT_MAX = 21 }; /* the longest int64, and a NUL */

/* The number in decimal digits; returns how many bytes (snprintf() takes ten times as long). */
size_t num_text(int64_t value, char text[NUM_TEXT_MAX]);

/* count in every per_ms; count 0 is no limit. */
struct rate {
	int64_t count;
	int64_t per_ms;
};

/* "1/s" "120/min" "5/10s" "250/day" "off". */
bool num_parse_rate(const char *text, struct rate *rate, struct err *err)
	__attribute__((warn_unused_result));

/* A number as JSON writes it; false for anything else, and for one that no double can hold. */
bool num_parse_decimal(const char *text, size_t len, double *value);

/*
 * The same as a whole number of 10^-decimals (at most 18), rounded half away from zero and never
 * through a double; false also for one that is too large.
 */
bool num_parse_fixed(const char *text, size_t len, int decimals, int64_t *value);

/* The nearest of names (ending with NULL) to word, or NULL when none is near: for typos.
 * Letters added, lost, changed or swapped count, case does not. */
const char *num_nearest(const char *word, const char *const *names);

#endif
