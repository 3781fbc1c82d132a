/* hmac.h against the published vectors: FIPS 180-4, RFC 4231, Standard Webhooks, GitHub. */
#include "base/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"

static void assert_hex(const unsigned char digest[HMAC_LEN], const char *hex)
{
	struct buf text;

	buf_init(&text, 2 * HMAC_LEN);
	assert_true(esc_hex(&text, digest, HMAC_LEN));
	assert_string_equal(text.data, hex);
	buf_release(&text);
}

static const struct {
	const char *message;
	const char *digest;
} digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void messages_have_their_digests(void **state)
{
	(void)state;
	unsigned char digest[HMAC_LEN];

	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		sha256_of(digests[i].message, strlen(digests[i].message), digest);
		assert_hex(digest, digests[i].digest);
	}
}

static void parts_are_one_message(void **state)
{
	(void)state;
	struct hmac_part bytes[64];
	unsigned char digest[HMAC_LEN];

	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		size_t len = strlen(digests[i].message);

		for (size_t at = 0; at < len; at++)
			bytes[at] = (struct hmac_part){ digests[i].message + at, 1 };
		sha256_of_parts(bytes, len, digest);
		assert_hex(digest, digests[i].digest);
	}
}

/* RFC 4231 section 4: cases 1 to 4, 6 and 7 (5 is a truncated digest). */
static const struct {
	const char *key;
	const char *data;
	const char *digest;
	size_t key_repeat; /* the key is its first byte so often; 0: as it is */
	size_t data_repeat;
} rfc4231[] = {
	{ "\x0b", "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", 20, 0 },
	{ "Jefe", "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 0, 0 },
	{ "\xaa", "\xdd", "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
	  20, 50 },
	{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15"
	  "\x16\x17\x18\x19",
	  "\xcd", "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", 0, 50 },
	{ "\xaa", "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", 131, 0 },
	{ "\xaa",
	  "This is a test using a larger than block-size key and a larger than block-size data. "
	  "The key needs to be hashed before being used by the HMAC algorithm.",
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2", 131, 0 },
};

static size_t spread(char *to, const char *s, size_t repeat)
{
	if (repeat > 0)
		memset(to, s[0], repeat);
	else
		memcpy(to, s, strlen(s));
	return repeat > 0 ? repeat : strlen(s);
}

/* Whole, and cut in three at every place: the parts are one message. */
static void keyed_digests_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc4231); i++) {
		char key[200], data[200];
		unsigned char digest[HMAC_LEN];
		size_t key_len = spread(key, rfc4231[i].key, rfc4231[i].key_repeat);
		size_t len = spread(data, rfc4231[i].data, rfc4231[i].data_repeat);

		hmac_sha256(key, key_len, &(struct hmac_part){ data, len }, 1, digest);
		assert_hex(digest, rfc4231[i].digest);
		for (size_t cut = 0; cut <= len; cut++) {
			struct hmac_part parts[] = {
				{ data, cut / 2 },
				{ data + cut / 2, cut - cut / 2 },
				{ data + cut, len - cut },
			};

			hmac_sha256(key, key_len, parts, 3, digest);
			assert_hex(digest, rfc4231[i].digest);
		}
	}
}

static void an_empty_key_and_no_message_have_a_digest(void **state)
{
	(void)state;
	unsigned char digest[HMAC_LEN];

	hmac_sha256(NULL, 0, NULL, 0, digest);
	assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	hmac_sha256("", 0, &(struct hmac_part){ NULL, 0 }, 1, digest);
	assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void a_standard_webhook_is_signed_as_every_receiver_expects(void **state)
{
	(void)state;
	struct buf key, signature;
	unsigned char digest[HMAC_LEN];
	static const struct hmac_part parts[] = {
		{ "msg_p5jXN8AQM9LWM0D4loKWxJek", 28 },
		{ ".", 1 },
		{ "1614265330", 10 },
		{ ".", 1 },
		{ "{\"test\": 2432232314}", 20 },
	};

	buf_init(&key, 64);
	buf_init(&signature, 64);
	assert_true(esc_unbase64(&key, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32));
	assert_int_equal(key.len, 24);
	hmac_sha256(key.data, key.len, parts, ARRAY_LEN(parts), digest);
	assert_true(esc_base64(&signature, digest, HMAC_LEN));
	assert_string_equal(signature.data, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_release(&key);
	buf_release(&signature);
}

static void a_body_is_signed_as_github_signs(void **state)
{
	(void)state;
	unsigned char digest[HMAC_LEN];

	hmac_sha256("It's a Secret to Everybody", 26,
		    &(struct hmac_part){ "Hello, World!", 13 }, 1, digest);
	assert_hex(digest, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

static void digests_are_compared_whole(void **state)
{
	(void)state;
	unsigned char a[HMAC_LEN] = { 0 }, b[HMAC_LEN] = { 0 };

	assert_true(hmac_equal(a, b, HMAC_LEN));
	for (size_t i = 0; i < HMAC_LEN; i++) {
		b[i] = 0x80;
		assert_false(hmac_equal(a, b, HMAC_LEN));
		b[i] = 0;
	}
	assert_true(hmac_equal(a, b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_their_digests),
		cmocka_unit_test(parts_are_one_message),
		cmocka_unit_test(keyed_digests_are_those_of_the_rfc),
		cmocka_unit_test(an_empty_key_and_no_message_have_a_digest),
		cmocka_unit_test(a_standard_webhook_is_signed_as_every_receiver_expects),
		cmocka_unit_test(a_body_is_signed_as_github_signs),
		cmocka_unit_test(digests_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
