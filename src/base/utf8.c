/* utf8: the part of esc.h that knows where a character begins and ends (RFC 3629 section 4). */
#include "base/esc.h"

#include <string.h>

/* The second byte alone decides about overlong forms, surrogates and what is past U+10FFFF. */
size_t utf8_len(const char *text, size_t left)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (left == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	if (left < len || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Where the first bad byte is; len when there is none. ASCII goes by eight bytes a step. */
static size_t valid_len(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;

		if (len - i >= sizeof(eight)) {
			memcpy(&eight, s + i, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		size_t step = utf8_len(s + i, len - i);

		if (step == 0)
			return i;
		i += step;
	}
	return i;
}

bool utf8_valid(const char *s, size_t len)
{
	return valid_len(s, len) == len;
}

bool utf8_repair(struct buf *out, const char *s, size_t len)
{
	size_t good = valid_len(s, len);
	bool is_valid = good == len;

	buf_add(out, s, good);
	while (good < len) {
		buf_adds(out, UTF8_REPLACEMENT);
		s += good + 1;
		len -= good + 1;
		good = valid_len(s, len);
		buf_add(out, s, good);
	}
	return is_valid;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_cut(const char *s, size_t len, size_t count)
{
	size_t i = 0;

	for (; i < len; i++)
		if (!is_continuation(s[i]) && count-- == 0)
			break;
	return i;
}

size_t utf8_count(const char *s, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !is_continuation(s[i]);
	return count;
}

bool utf8_add(struct buf *out, uint32_t code)
{
	char s[4];
	size_t len = 0;

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return buf_adds(out, UTF8_REPLACEMENT);
	if (code < 0x80)
		return buf_addc(out, (char)code);
	if (code < 0x800) {
		s[len++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		s[len++] = (char)(0xe0 | code >> 12);
		s[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		s[len++] = (char)(0xf0 | code >> 18);
		s[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		s[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	s[len++] = (char)(0x80 | (code & 0x3f));
	return buf_add(out, s, len);
}
