/*
 * hmac: SHA-256, plain and keyed (OpenSSL). For one thread: the one-shot calls share a context.
 */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

enum { HMAC_LEN = 32 };

/* SHA-256 over several pieces, streamed. */
struct sha256;
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 **s);
void sha256_add(struct sha256 *s, const void *bytes, size_t len);
/* The digest; s is ready for the next message. */
void sha256_end(struct sha256 *s, unsigned char digest[HMAC_LEN]);

/* SHA-256 of one piece. */
void sha256_of(const void *bytes, size_t len, unsigned char digest[HMAC_LEN]);

struct hmac_part {
	const void *bytes;
	size_t len;
};

/* HMAC-SHA256 (RFC 2104) of the parts, one after the other. */
void hmac_sha256(const void *key, size_t key_len, const struct hmac_part *parts,
		 size_t part_count, unsigned char digest[HMAC_LEN]);

/* Constant-time comparison. */
bool hmac_equal(const void *a, const void *b, size_t len);

#endif
