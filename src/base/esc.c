/*
 * esc: tables that say what becomes of each byte, and one loop that copies what stays.
 *
 * Most text needs no escaping, so escape() looks for the next byte that does and copies the run
 * before it whole. A row of a table is NULL for a byte that stays. Bodies that must be JSON
 * must be UTF-8 too, so in these tables bytes above 0x7f become U+FFFD where they are not part of
 * a character: whatever comes in, what comes out is a valid JSON string.
 */
#include "base/esc.h"

#include <string.h>

#include "base/mem.h"

/* ---- the tables ---- */

typedef const char *const escapes[256];

static const char bad_utf8[] = UTF8_REPLACEMENT;

#define JSON_CONTROLS                                                                          \
	"\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006",           \
		"\\u0007", "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", \
		"\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016",   \
		"\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d",   \
		"\\u001e", "\\u001f"

static escapes json = {
	JSON_CONTROLS,
	['"'] = "\\\"",
	['\\'] = "\\\\",
	[0x80 ... 0xff] = bad_utf8,
};

static escapes slack_json = {
	JSON_CONTROLS,
	['"'] = "\\\"",
	['\\'] = "\\\\",
	['&'] = "&amp;",
	['<'] = "&lt;",
	['>'] = "&gt;",
	[0x80 ... 0xff] = bad_utf8,
};

static escapes html = {
	['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

static escapes slack = { ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;" };

static escapes header = {
	[0] = " ",  [1] = " ",  [2] = " ",  [3] = " ",  [4] = " ",   [5] = " ",  [6] = " ",
	[7] = " ",  [8] = " ",  [9] = " ",  [10] = " ", [11] = " ",  [12] = " ", [13] = " ",
	[14] = " ", [15] = " ", [16] = " ", [17] = " ", [18] = " ",  [19] = " ", [20] = " ",
	[21] = " ", [22] = " ", [23] = " ", [24] = " ", [25] = " ",  [26] = " ", [27] = " ",
	[28] = " ", [29] = " ", [30] = " ", [31] = " ", [127] = " ",
};

/* ---- the loop ---- */

/* Where, from i on, the first byte stands that does not stay; len: all do. */
static size_t next_escaped(const unsigned char *s, size_t i, size_t len, escapes table)
{
	for (;;) {
		while (i < len && table[s[i]] == NULL)
			i++;
		bool is_longer = i < len && table[s[i]] == bad_utf8;
		size_t kept = is_longer ? utf8_len((const char *)s + i, len - i) : 0;

		if (kept == 0)
			return i;
		i += kept;
	}
}

static bool escape(struct buf *out, const char *text, size_t len, escapes table)
{
	const unsigned char *s = (const unsigned char *)text;
	bool is_whole = true;
	size_t from = 0, i;

	while ((i = next_escaped(s, from, len, table)) < len) {
		is_whole &= buf_add(out, s + from, i - from);
		is_whole &= buf_adds(out, table[s[i]]);
		from = i + 1;
	}
	return buf_add(out, s + from, len - from) && is_whole;
}

bool esc_json(struct buf *out, const char *s, size_t len)
{
	return escape(out, s, len, json);
}

bool esc_slack_json(struct buf *out, const char *s, size_t len)
{
	return escape(out, s, len, slack_json);
}

bool esc_html(struct buf *out, const char *s, size_t len)
{
	return escape(out, s, len, html);
}

bool esc_slack(struct buf *out, const char *s, size_t len)
{
	return escape(out, s, len, slack);
}

bool esc_header(struct buf *out, const char *s, size_t len)
{
	return escape(out, s, len, header);
}

bool esc_none(struct buf *out, const char *s, size_t len)
{
	return buf_add(out, s, len);
}

/* ---- percent-encoding ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool percent(struct buf *out, const char *s, size_t len, const char *space)
{
	static const char digits[] = "0123456789ABCDEF";
	bool is_whole = true;
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char hex[4] = { '%', digits[c >> 4], digits[c & 15], '\0' };

		if (is_unreserved(s[i]))
			continue;
		is_whole &= buf_add(out, s + from, i - from);
		is_whole &= buf_adds(out, c == ' ' ? space : hex);
		from = i + 1;
	}
	return buf_add(out, s + from, len - from) && is_whole;
}

bool esc_url(struct buf *out, const char *s, size_t len)
{
	return percent(out, s, len, "%20");
}

bool esc_form(struct buf *out, const char *s, size_t len)
{
	return percent(out, s, len, "+");
}

/* ---- base64 (RFC 4648 section 4) and hex ---- */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool esc_base64(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *s = bytes;
	size_t text_len = (len + 2) / 3 * 4;
	char *to = buf_space(out, text_len);

	if (to == NULL)
		return false;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)s[i] << 16;

		if (left > 1)
			group |= (uint32_t)s[i + 1] << 8;
		if (left > 2)
			group |= s[i + 2];
		*to++ = base64[group >> 18];
		*to++ = base64[group >> 12 & 63];
		*to++ = left > 1 ? base64[group >> 6 & 63] : '=';
		*to++ = left > 2 ? base64[group & 63] : '=';
	}
	buf_commit(out, text_len);
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without its padding; false when there is some and it does not fill a group of four. */
static bool strip_padding(const char *s, size_t *len)
{
	size_t padded = *len;

	while (*len > 0 && padded - *len < 2 && s[*len - 1] == '=')
		--*len;
	return (*len == padded || padded % 4 == 0) && *len % 4 != 1;
}

bool esc_unbase64(struct buf *out, const char *s, size_t len)
{
	uint32_t bits = 0;

	if (!strip_padding(s, &len))
		return false;
	unsigned char *to = (unsigned char *)buf_space(out, len * 3 / 4);
	size_t added = 0;

	if (to == NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(s[i]);

		if (value < 0) {
			buf_commit(out, 0);
			return false;
		}
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			to[added++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	buf_commit(out, added);
	return true;
}

bool esc_hex(struct buf *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *s = bytes;
	char *to = buf_space(out, len * 2);

	if (to == NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		*to++ = digits[s[i] >> 4];
		*to++ = digits[s[i] & 15];
	}
	buf_commit(out, len * 2);
	return true;
}

/* ---- mail ---- */

enum {
	/* An encoded word has at most 75 characters and its line 76 (RFC 2047 section 2): 45
	 * bytes make 60 of base64 and 12 around them. The first shares its line with the
	 * header's name: 39 bytes, 64 characters, leave 12 for "Reply-To: " and shorter. */
	WORD_BYTES = 45,
	FIRST_WORD_BYTES = 39,
	/* What is plain stays plain while its line keeps below 998 (RFC 5322 section 2.1.1). */
	PLAIN_MAX = 900,
};

static bool is_plain(const char *s, size_t len)
{
	if (len > PLAIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] > 0x7f)
			return false;
		if (s[i] == '=' && i + 1 < len && s[i + 1] == '?')
			return false;
	}
	return true;
}

/* How much of s fits a word of max bytes, in whole characters; max >= 4, so never 0. */
static size_t word_len(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static bool encode_words(struct buf *out, const char *s, size_t len)
{
	size_t max = FIRST_WORD_BYTES;
	bool is_whole = true;

	while (len > 0) {
		size_t step = word_len(s, len, max);

		is_whole &= buf_adds(out, max == FIRST_WORD_BYTES ? "=?UTF-8?B?"
								  : "\r\n =?UTF-8?B?");
		is_whole &= esc_base64(out, s, step);
		is_whole &= buf_adds(out, "?=");
		max = WORD_BYTES;
		s += step;
		len -= step;
	}
	return is_whole;
}

bool esc_mail_word(struct buf *out, const char *s, size_t len)
{
	struct buf repaired, one_line;

	if (is_plain(s, len))
		return esc_header(out, s, len);
	buf_init(&repaired, len * 3); /* each byte may become U+FFFD */
	buf_init(&one_line, len * 3);
	utf8_repair(&repaired, s, len);
	esc_header(&one_line, repaired.data, repaired.len);
	bool is_whole = encode_words(out, one_line.data, one_line.len);

	buf_release(&one_line);
	buf_release(&repaired);
	return is_whole;
}
