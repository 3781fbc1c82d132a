/*
 * bits: a set of small whole numbers, one bit each; it grows as needed.
 *
 * For sets over the rows of a table: a million of them take 125 kB. A zeroed struct is an empty
 * set.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BITS_MAX = 1 << 30 }; /* numbers from here on are never in a set */

struct bits {
	uint64_t *words; /* owned */
	size_t word_count;
};

void bits_release(struct bits *b);
/* A negative number and one past BITS_MAX are left out. */
void bits_add(struct bits *b, int64_t n);
bool bits_has(const struct bits *b, int64_t n);
size_t bits_count(const struct bits *b);

#endif
