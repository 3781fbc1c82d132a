/*
 * seal: numbers in a text that nobody else can make: tokens and cursors.
 *
 * A sealed text carries its numbers and a short HMAC of them, so the server keeps no list of
 * what it gave out, and a text that was altered, or made by another run, does not open.
 */
#ifndef SIM_SEAL_H
#define SIM_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SEAL_NUMBERS_MAX = 8, SEAL_KEY_LEN = 16 };

struct seal {
	unsigned char key[SEAL_KEY_LEN];
};

void seal_init(struct seal *seal, uint64_t seed);

/* Adds prefix and the sealed numbers, of characters that need no escape in a URL. */
void seal_add(const struct seal *seal, struct buf *out, const char *prefix,
	      const int64_t *numbers, size_t count);

/* False unless text was sealed here with that prefix and as many numbers. */
bool seal_open(const struct seal *seal, const char *text, const char *prefix, int64_t *numbers,
	       size_t count);

#endif
