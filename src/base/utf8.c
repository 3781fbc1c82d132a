/* utf8: the part of esc.h that knows where a character begins and ends (RFC 3629 section 4). */
#include "base/esc.h"

#include <string.h>

#include "base/mem.h"

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

/* Capitals whose small letter is `plus` further, every `step`-th code point of a range. */
static const struct letters {
	uint32_t from, to, step, plus;
} letters[] = {
	{ 'A', 'Z', 1, 32 },     { 0xc0, 0xd6, 1, 32 },   { 0xd8, 0xde, 1, 32 },
	{ 0x100, 0x12e, 2, 1 },  { 0x132, 0x136, 2, 1 },  { 0x139, 0x147, 2, 1 },
	{ 0x14a, 0x176, 2, 1 },  { 0x179, 0x17d, 2, 1 },  { 0x391, 0x3a1, 1, 32 },
	{ 0x3a3, 0x3ab, 1, 32 }, { 0x400, 0x40f, 1, 80 }, { 0x410, 0x42f, 1, 32 },
};

static uint32_t other_case(uint32_t code, bool upper)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const struct letters *l = &letters[i];
		uint32_t capital = upper ? code - l->plus : code;

		if (capital >= l->from && capital <= l->to &&
		    (capital - l->from) % l->step == 0)
			return upper ? capital : capital + l->plus;
	}
	return code;
}

/* All that is known has one or two bytes. */
bool utf8_change_case(struct buf *to, const char *text, size_t len, bool upper)
{
	const unsigned char *s = (const unsigned char *)text;
	bool ok = true;

	for (size_t i = 0; ok && i < len; i++) {
		if (s[i] < 0x80) {
			ok = buf_addc(to, (char)other_case(s[i], upper));
		} else if (s[i] >= 0xc3 && s[i] <= 0xd1 && i + 1 < len) {
			uint32_t code = (uint32_t)(s[i] & 0x1f) << 6 | (s[i + 1] & 0x3f);

			ok = utf8_add(to, other_case(code, upper));
			i++;
		} else {
			ok = buf_addc(to, (char)s[i]);
		}
	}
	return ok;
}
