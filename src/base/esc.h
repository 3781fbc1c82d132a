/*
 * esc: text made safe for where it goes, and UTF-8 kept whole.
 *
 * Each esc_* adds the escaped text to out and returns false when out overflowed. None of them
 * truncates; cut first (utf8_cut), escape after, so no entity is ever split.
 */
#ifndef BASE_ESC_H
#define BASE_ESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The inside of a JSON string (no quotes): RFC 8259, control characters as \n or \u00XX. Bad
 * UTF-8 becomes U+FFFD, here and in esc_slack_json(): the string is valid whatever came in. */
bool esc_json(struct buf *out, const char *s, size_t len);
/* & < > " ' as entities. */
bool esc_html(struct buf *out, const char *s, size_t len);
/* & < > as entities: Slack's mrkdwn and plain_text (sinks.md 1.4). */
bool esc_slack(struct buf *out, const char *s, size_t len);
/* Slack's escape, then JSON's: for *.slack.json templates. */
bool esc_slack_json(struct buf *out, const char *s, size_t len);
/* Percent-encoding, unreserved characters kept (RFC 3986). */
bool esc_url(struct buf *out, const char *s, size_t len);
/* application/x-www-form-urlencoded: as esc_url, a space becomes +. */
bool esc_form(struct buf *out, const char *s, size_t len);
/* A header value: CR, LF, NUL and other control characters become spaces. */
bool esc_header(struct buf *out, const char *s, size_t len);
/* Nothing: adds as it is. */
bool esc_none(struct buf *out, const char *s, size_t len);

bool esc_base64(struct buf *out, const void *bytes, size_t len);
/* Decodes base64 (padding optional, no white space). False when malformed: nothing is added. */
bool esc_unbase64(struct buf *out, const char *s, size_t len);
bool esc_hex(struct buf *out, const void *bytes, size_t len);

/*
 * A header's text: RFC 2047 encoded words when s is not plain ASCII (or too long for one line,
 * or holds "=?"), with CR LF SP between words so that no line passes 76 after a header name of
 * up to 12 bytes with its colon and space; otherwise as it is. Control characters become
 * spaces.
 */
bool esc_mail_word(struct buf *out, const char *s, size_t len);

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what was no character */

/* The byte length of the character at s, where len bytes are left; 0 when there is none. */
size_t utf8_len(const char *s, size_t len);
/* True when all of it is UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(const char *s, size_t len);
/* Adds s with every bad byte as U+FFFD; returns true when it was valid already. */
bool utf8_repair(struct buf *out, const char *s, size_t len);
/* The byte length of the first `count` characters of s. s must be valid. */
size_t utf8_cut(const char *s, size_t len, size_t count);
/* As utf8_cut(), or somewhat less, so that what is seen as one sign stays whole: a flag, a
 * family, a letter with its accents. */
size_t utf8_cut_sign(const char *s, size_t len, size_t count);
size_t utf8_count(const char *s, size_t len);
/* Adds one code point; what is none (a surrogate, past U+10FFFF) becomes U+FFFD. */
bool utf8_add(struct buf *out, uint32_t code);
/* Adds s in capitals or in small letters: Latin, Greek and Cyrillic; the rest passes. s must be
 * valid. */
bool utf8_change_case(struct buf *out, const char *s, size_t len, bool upper);

#endif
