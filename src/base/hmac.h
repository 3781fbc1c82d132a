/*
 * hmac: SHA-256, plain and keyed (OpenSSL). For one thread: all calls share a context.
 */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

enum { HMAC_LEN = 32 };

/* A piece of a message. */
struct hmac_part {
	const void *bytes;
	size_t len;
};

/* SHA-256 of one piece, and of the parts, one after the other. */
void sha256_of(const void *bytes, size_t len, unsigned char digest[HMAC_LEN]);
void sha256_of_parts(const struct hmac_part *parts, size_t part_count,
		     unsigned char digest[HMAC_LEN]);

/* HMAC-SHA256 (RFC 2104) of the parts, one after the other. */
void hmac_sha256(const void *key, size_t key_len, const struct hmac_part *parts,
		 size_t part_count, unsigned char digest[HMAC_LEN]);

/* Constant-time comparison. */
bool hmac_equal(const void *a, const void *b, size_t len);

#endif
