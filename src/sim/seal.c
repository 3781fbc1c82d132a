/* seal: eight bytes a number, eight of HMAC-SHA256 over the prefix and all of them, base64url. */
#include "sim/seal.h"

#include <assert.h>
#include <string.h>

#include "base/esc.h"
#include "base/hmac.h"
#include "sim/dice.h"

enum { MAC_LEN = 8, SEALED_MAX = SEAL_NUMBERS_MAX * 8 + MAC_LEN, TEXT_MAX = SEALED_MAX * 2 };

void seal_init(struct seal *seal, uint64_t seed)
{
	uint64_t halves[2] = { dice_mix(seed ^ 1), dice_mix(seed ^ 2) };

	memcpy(seal->key, halves, sizeof(seal->key));
}

static void sign(const struct seal *seal, const char *prefix, const int64_t *numbers,
		 size_t count, unsigned char digest[HMAC_LEN])
{
	const struct hmac_part parts[] = { { prefix, strlen(prefix) },
					   { numbers, count * sizeof(*numbers) } };

	hmac_sha256(seal->key, sizeof(seal->key), parts, 2, digest);
}

/* Replaces two characters of base64 that a URL gives a meaning; the padding is never there. */
static void swap(char *text, size_t len, const char from[2], const char to[2])
{
	for (size_t i = 0; i < len; i++)
		for (int k = 0; k < 2; k++)
			if (text[i] == from[k]) {
				text[i] = to[k];
				break;
			}
}

void seal_add(const struct seal *seal, struct buf *out, const char *prefix,
	      const int64_t *numbers, size_t count)
{
	unsigned char digest[HMAC_LEN];
	unsigned char sealed[SEALED_MAX];
	size_t start;

	assert(count <= SEAL_NUMBERS_MAX);
	sign(seal, prefix, numbers, count, digest);
	memcpy(sealed, numbers, count * sizeof(*numbers));
	memcpy(sealed + count * sizeof(*numbers), digest, MAC_LEN);
	buf_adds(out, prefix);
	start = out->len;
	esc_base64(out, sealed, count * sizeof(*numbers) + MAC_LEN);
	while (out->len > start && out->data[out->len - 1] == '=')
		buf_truncate(out, out->len - 1);
	swap(out->data + start, out->len - start, "+/", "-_");
}

/* The bytes behind a text in base64url; false unless they are exactly len. */
static bool decode(const char *text, unsigned char *bytes, size_t len)
{
	struct buf plain;
	char copy[TEXT_MAX];
	size_t text_len = strnlen(text, TEXT_MAX);
	bool is_it;

	if (text_len == TEXT_MAX || strpbrk(text, "+/=") != NULL)
		return false;
	memcpy(copy, text, text_len);
	swap(copy, text_len, "-_", "+/");
	buf_init(&plain, SEALED_MAX);
	is_it = esc_unbase64(&plain, copy, text_len) && plain.len == len;
	if (is_it)
		memcpy(bytes, plain.data, len);
	buf_release(&plain);
	return is_it;
}

bool seal_open(const struct seal *seal, const char *text, const char *prefix, int64_t *numbers,
	       size_t count)
{
	unsigned char digest[HMAC_LEN];
	unsigned char sealed[SEALED_MAX];
	size_t prefix_len = strlen(prefix);

	assert(count <= SEAL_NUMBERS_MAX);
	if (strncmp(text, prefix, prefix_len) != 0 ||
	    !decode(text + prefix_len, sealed, count * sizeof(*numbers) + MAC_LEN))
		return false;
	memcpy(numbers, sealed, count * sizeof(*numbers));
	sign(seal, prefix, numbers, count, digest);
	return hmac_equal(digest, sealed + count * sizeof(*numbers), MAC_LEN);
}
