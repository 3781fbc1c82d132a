/*
 * fuzz: one function a target, fed with any bytes by libFuzzer, or with the files of a corpus by
 * replay.c. A target keeps its settings for life and nothing of an input.
 *
 * An input is cut into fields at its zero bytes; the last one has what is left.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct fuzz_input {
	const char *at;
	size_t len;
};

/* The bytes up to the next zero, which is skipped; "" when nothing is left. */
static inline struct fuzz_input fuzz_field(struct fuzz_input *rest)
{
	struct fuzz_input field = { rest->at, strnlen(rest->at, rest->len) };
	size_t used = field.len < rest->len ? field.len + 1 : field.len;

	rest->at += used;
	rest->len -= used;
	return field;
}

/* One byte; 0 when nothing is left. */
static inline unsigned fuzz_byte(struct fuzz_input *rest)
{
	if (rest->len == 0)
		return 0;
	rest->len--;
	return (unsigned char)*rest->at++;
}

#endif
