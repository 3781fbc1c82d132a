/*
 * hmac: SHA-256 by OpenSSL's EVP, and HMAC written on top of it.
 *
 * In OpenSSL 3 to look an algorithm up by name costs more than to hash a small body, and every
 * one-shot call (SHA256(), HMAC(), EVP_Q_mac()) looks it up anew. A delivery is signed twice,
 * so the algorithm is fetched once and one context is kept for good: both are OpenSSL's state,
 * not ours, hold no key, and are why these calls belong to one thread. HMAC itself is two
 * hashes (RFC 2104), and needs no second library object.
 */
#include "base/hmac.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/err.h"

enum { BLOCK_LEN = 64 }; /* of SHA-256: FIPS 180-4 */

static const EVP_MD *algorithm(void)
{
	static EVP_MD *fetched;

	if (fetched == NULL)
		fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (fetched == NULL)
		BUG("OpenSSL has no SHA-256");
	return fetched;
}

static void start(EVP_MD_CTX *ctx)
{
	if (EVP_DigestInit_ex2(ctx, algorithm(), NULL) != 1)
		BUG("OpenSSL cannot start SHA-256");
}

static void add(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
	if (len > 0 && EVP_DigestUpdate(ctx, bytes, len) != 1)
		BUG("OpenSSL cannot go on with SHA-256");
}

static void end(EVP_MD_CTX *ctx, unsigned char digest[HMAC_LEN])
{
	if (EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		BUG("OpenSSL cannot end SHA-256");
}

/* The one context. */
static EVP_MD_CTX *context(void)
{
	static EVP_MD_CTX *kept;

	if (kept == NULL)
		kept = EVP_MD_CTX_new();
	if (kept == NULL)
		BUG("OpenSSL is out of memory");
	return kept;
}

static void add_parts(EVP_MD_CTX *ctx, const struct hmac_part *parts, size_t part_count)
{
	for (size_t i = 0; i < part_count; i++)
		add(ctx, parts[i].bytes, parts[i].len);
}

void sha256_of_parts(const struct hmac_part *parts, size_t part_count,
		     unsigned char digest[HMAC_LEN])
{
	EVP_MD_CTX *ctx = context();

	start(ctx);
	add_parts(ctx, parts, part_count);
	end(ctx, digest);
}

void sha256_of(const void *bytes, size_t len, unsigned char digest[HMAC_LEN])
{
	sha256_of_parts(&(struct hmac_part){ bytes, len }, 1, digest);
}

/* A key longer than a block is replaced by its digest, a shorter one filled up with zeros. */
static void fit_key(const void *key, size_t key_len, unsigned char block[BLOCK_LEN])
{
	memset(block, 0, BLOCK_LEN);
	if (key_len > BLOCK_LEN)
		sha256_of(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
}

static void mask(unsigned char block[BLOCK_LEN], unsigned char with)
{
	for (size_t i = 0; i < BLOCK_LEN; i++)
		block[i] ^= with;
}

void hmac_sha256(const void *key, size_t key_len, const struct hmac_part *parts,
		 size_t part_count, unsigned char digest[HMAC_LEN])
{
	EVP_MD_CTX *ctx = context();
	unsigned char block[BLOCK_LEN];
	unsigned char inner[HMAC_LEN];

	fit_key(key, key_len, block);
	mask(block, 0x36);
	start(ctx);
	add(ctx, block, BLOCK_LEN);
	add_parts(ctx, parts, part_count);
	end(ctx, inner);

	mask(block, 0x36 ^ 0x5c);
	start(ctx);
	add(ctx, block, BLOCK_LEN);
	add(ctx, inner, sizeof(inner));
	end(ctx, digest);
	OPENSSL_cleanse(block, sizeof(block));
}

bool hmac_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
