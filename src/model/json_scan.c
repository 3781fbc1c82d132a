/*
 * json_scan: one pass over the bytes, by recursive descent no deeper than JSON_DEPTH_MAX.
 *
 * Each scan_*() stands on the first byte of what it is named for and leaves s->at behind its
 * last. A failure stops everything: wrong() notes the reason once and s->at stays where it is.
 *
 * Lone surrogates (\ud800 without its other half) are grammatical in RFC 8259 but no text: they
 * have no UTF-8, so a value that held one could be neither shown nor stored as text. They fail
 * here, as in RFC 7493, and alert.c asks json_repair() for a text without them.
 */
#include "model/json_scan.h"

#include <endian.h>
#include <string.h>

#include "base/mem.h"

/* Of a member; all 0 for what has none. */
struct key {
	uint32_t at, len;
};

static bool scan_value(struct json_scan *s, unsigned depth, struct key key);

static bool wrong(struct json_scan *s, const char *why)
{
	s->wrong = why;
	return false;
}

/* The byte at hand, or -1 at the end. */
static int peek(const struct json_scan *s)
{
	return s->at < s->len ? (unsigned char)s->bytes[s->at] : -1;
}

static bool is_space(char c)
{
	return c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

/* Inline: between two bytes of what a machine wrote there is nearly never any. */
static inline void skip_space(struct json_scan *s)
{
	while (s->at < s->len && is_space(s->bytes[s->at]))
		s->at++;
}

/* The length of the sequence of two to four bytes at p, 0 when it is no UTF-8 (RFC 3629). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* less is overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* more is a surrogate */
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f; /* more is past U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static int hex4(const char *p)
{
	int code = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			code = code * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			code = code * 16 + (c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			code = code * 16 + (c - 'A') + 10;
		else
			return -1;
	}
	return code;
}

int json_unit_at(const char *bytes, size_t len, size_t at)
{
	if (len < 6 || at > len - 6 || bytes[at] != '\\' || bytes[at + 1] != 'u')
		return -1;
	return hex4(bytes + at + 2);
}

static bool scan_unicode(struct json_scan *s, uint32_t *decoded_len)
{
	int unit = json_unit_at(s->bytes, s->len, s->at);

	if (unit < 0)
		return wrong(s, "\\u without four hex digits");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return wrong(s, "lone surrogate");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		int low = json_unit_at(s->bytes, s->len, s->at + 6);

		if (low < 0xdc00 || low > 0xdfff)
			return wrong(s, "lone surrogate");
		s->at += 12;
		*decoded_len += 4;
		return true;
	}
	s->at += 6;
	*decoded_len += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
	return true;
}

static bool scan_escape(struct json_scan *s, uint32_t *decoded_len)
{
	char c = s->at + 1 < s->len ? s->bytes[s->at + 1] : '\0';

	s->has_escapes = true;
	if (c == 'u')
		return scan_unicode(s, decoded_len);
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return wrong(s, "unknown escape in a string");
	s->at += 2;
	*decoded_len += 1;
	return true;
}

typedef signed char bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

/* Is it a quote, an escape, a control character, or (less than 0) part of a longer character?
 * For one byte, and for sixteen at once, each of which becomes 0 or all ones. */
#define MEANS_MORE(bytes) (((bytes) < ' ') | ((bytes) == '"') | ((bytes) == '\\'))

static size_t first_byte(uint64_t word)
{
	return (size_t)__builtin_ctzll(le64toh(word)) / 8;
}

/* How many bytes from the first on mean themselves in a string. Nearly all of an alert does. */
static size_t plain_len(const char *bytes, size_t len)
{
	size_t i = 0;

	for (bytes16 next; len - i >= sizeof(next); i += sizeof(next)) {
		memcpy(&next, bytes + i, sizeof(next));
		words2 more = (words2)MEANS_MORE(next);

		if (more[0] != 0)
			return i + first_byte(more[0]);
		if (more[1] != 0)
			return i + sizeof(more[0]) + first_byte(more[1]);
	}
	while (i < len && !MEANS_MORE((signed char)bytes[i]))
		i++;
	return i;
}

static bool scan_string(struct json_scan *s, uint32_t *decoded_len)
{
	*decoded_len = 0;
	s->at++;
	for (;;) {
		size_t plain = plain_len(s->bytes + s->at, s->len - s->at);

		s->at += plain;
		*decoded_len += (uint32_t)plain;
		int c = peek(s);

		if (c < 0)
			return wrong(s, "string without an end");
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < 0x20)
			return wrong(s, "control character in a string");
		if (c == '\\') {
			if (!scan_escape(s, decoded_len))
				return false;
			continue;
		}
		size_t len =
			utf8_sequence((const unsigned char *)s->bytes + s->at, s->len - s->at);

		if (len == 0)
			return wrong(s, "invalid UTF-8");
		s->at += len;
		*decoded_len += (uint32_t)len;
	}
}

static bool scan_digits(struct json_scan *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > from || wrong(s, "digit expected");
}

static bool scan_number(struct json_scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++; /* 01 fails in the caller: a digit is nothing that may follow a value */
	else if (!scan_digits(s))
		return false;
	if (peek(s) == '.') {
		s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!scan_digits(s))
			return false;
	}
	return true;
}

static bool scan_word(struct json_scan *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len - s->at < len || memcmp(s->bytes + s->at, word, len) != 0)
		return wrong(s, "value expected");
	s->at += len;
	return true;
}

static bool scan_key(struct json_scan *s, struct key *key)
{
	if (peek(s) != '"')
		return wrong(s, "key expected");
	key->at = (uint32_t)s->at;
	if (!scan_string(s, &key->len))
		return false;
	skip_space(s);
	if (peek(s) != ':')
		return wrong(s, "colon expected");
	s->at++;
	skip_space(s);
	return true;
}

/* Hangs the member at index `member` under its parent, after `*elder` (0: it is the first). */
static void adopt(struct json_scan *s, uint32_t parent, uint32_t *elder, uint32_t member)
{
	if (!s->keep)
		return;
	s->values[parent].count++;
	if (*elder != 0)
		s->values[*elder].next = member - *elder;
	*elder = member;
}

static bool scan_members(struct json_scan *s, uint32_t parent, unsigned depth)
{
	bool object = peek(s) == '{';
	int end = object ? '}' : ']';
	uint32_t elder = 0;

	if (depth == JSON_DEPTH_MAX)
		return wrong(s, "nested too deeply");
	s->at++;
	skip_space(s);
	while (peek(s) != end) {
		struct key key = { 0, 0 };
		uint32_t member;

		if (object && !scan_key(s, &key))
			return false;
		member = s->count;
		if (!scan_value(s, depth + 1, key))
			return false;
		adopt(s, parent, &elder, member);
		skip_space(s);
		if (peek(s) == end)
			break;
		if (peek(s) != ',')
			return wrong(s, "comma or end expected");
		s->at++;
		skip_space(s);
		if (peek(s) == end)
			return wrong(s, "member expected after a comma");
	}
	s->at++;
	return true;
}

static enum json_kind kind_at(const struct json_scan *s)
{
	switch (peek(s)) {
	case '{': return JSON_OBJECT;
	case '[': return JSON_ARRAY;
	case '"': return JSON_STRING;
	case 't': return JSON_TRUE;
	case 'f': return JSON_FALSE;
	case 'n': return JSON_NULL;
	case '-':
	case '0' ... '9': return JSON_NUMBER;
	}
	return JSON_MISSING;
}

/* A new element for the value that begins here; its index. */
static uint32_t open_value(struct json_scan *s, enum json_kind kind, struct key key)
{
	if (!s->keep)
		return 0;
	if (s->count == s->room) {
		/* An alert's 600 bytes hold less than twenty values; a wrong guess costs a resize, and
		 * what is 1 KiB and more costs the allocator twice as much. */
		s->room = s->room == 0 ? (uint32_t)(s->len / 40) + 5 : s->room * 2;
		s->values = mem_resize(s->values, s->room, sizeof(*s->values));
	}
	s->values[s->count] = (struct json_value){
		.kind = kind, .at = (uint32_t)s->at, .key_at = key.at, .key_len = key.len
	};
	return s->count++;
}

static bool scan_value(struct json_scan *s, unsigned depth, struct key key)
{
	uint32_t text_len = 0;
	bool ok = false;

	if (s->sound.len > 0 && s->bytes + s->at == s->sound.at) {
		s->at += s->sound.len;
		return true;
	}
	size_t from = s->at;
	enum json_kind kind = kind_at(s);
	uint32_t index = open_value(s, kind, key);

	switch (kind) {
	case JSON_MISSING: return wrong(s, "value expected");
	case JSON_NULL: ok = scan_word(s, "null"); break;
	case JSON_FALSE: ok = scan_word(s, "false"); break;
	case JSON_TRUE: ok = scan_word(s, "true"); break;
	case JSON_NUMBER: ok = scan_number(s); break;
	case JSON_STRING: ok = scan_string(s, &text_len); break;
	case JSON_ARRAY:
	case JSON_OBJECT: ok = scan_members(s, index, depth); break;
	}
	if (ok && s->keep) {
		s->values[index].len = (uint32_t)(s->at - from);
		s->values[index].text_len =
			kind == JSON_NUMBER ? s->values[index].len : text_len;
	}
	return ok;
}

bool json_scan(struct json_scan *s)
{
	skip_space(s);
	if (!scan_value(s, 0, (struct key){ 0, 0 }))
		return false;
	skip_space(s);
	return s->at == s->len || wrong(s, "more after the end");
}
