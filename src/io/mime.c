/*
 * mime: headers, parts and their encoding (RFC 5322, 2045, 2046; RFC 5321 4.5.2 for the dots).
 *
 * The boundary is a constant: it holds "=_", which quoted-printable text never does, so no
 * content can end a part. Nothing here needs chance or a clock.
 */
#include "io/mime.h"

#include <string.h>
#include <strings.h>

static const char boundary[] = "=_tocsin_alternative";

enum {
	QUOTED_LINE_MAX = 76, /* with the "=" of a soft line break (RFC 2045 6.7) */
	HEADER_LINE_MAX = 76, /* RFC 5322 asks for 78; with encoded words RFC 2047 for 76 */
};

/* Where the line at text ends, and *next where the following one begins. */
static size_t line_len(const char *text, size_t len, size_t *next)
{
	const char *lf = memchr(text, '\n', len);

	if (lf == NULL) {
		*next = len;
		return len;
	}
	size_t at = (size_t)(lf - text);

	*next = at + 1;
	return at > 0 && text[at - 1] == '\r' ? at - 1 : at;
}

/* The characters that stand for byte c of a line; a blank at its end would be stripped on the
 * way, and is therefore spelt out. */
static size_t quote(char out[4], unsigned char c, bool last)
{
	static const char hex[] = "0123456789ABCDEF";
	bool blank = c == ' ' || c == '\t';

	if ((blank && !last) || (c > ' ' && c < 0x7f && c != '=')) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '=';
	out[1] = hex[c >> 4];
	out[2] = hex[c & 15];
	return 3;
}

static void quote_line(struct buf *out, const char *line, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		char quoted[4];
		bool last = i + 1 == len;
		size_t add = quote(quoted, (unsigned char)line[i], last);

		if (column + add > QUOTED_LINE_MAX - (last ? 0 : 1)) {
			buf_adds(out, "=\r\n");
			column = 0;
		}
		buf_add(out, quoted, add);
		column += add;
	}
	buf_adds(out, "\r\n");
}

bool mime_quoted(struct buf *out, const char *text, size_t len)
{
	size_t next;

	for (size_t at = 0; at < len; at += next)
		quote_line(out, text + at, line_len(text + at, len - at, &next));
	return !out->overflow;
}

/* The last blank before `max`, not among the name's; 0 when the line has none. */
static size_t fold_at(const char *line, size_t from, size_t max)
{
	size_t blank = 0;

	for (size_t i = from; line[i] != '\0' && (i <= max || blank == 0); i++)
		if (line[i] == ' ' && i > from)
			blank = i;
	return blank;
}

/* Folds before a blank, which begins the next line: unfolding gives the same text again. */
static void add_header(struct buf *out, const char *line)
{
	const char *colon = strchr(line, ':');
	size_t from = colon == NULL ? 0 : (size_t)(colon - line) + 1;

	while (strlen(line) > HEADER_LINE_MAX) {
		size_t at = fold_at(line, from, HEADER_LINE_MAX);

		if (at == 0)
			break;
		buf_add(out, line, at);
		buf_adds(out, "\r\n");
		line += at;
		from = 0;
	}
	buf_adds(out, line);
	buf_adds(out, "\r\n");
}

static bool is_ours(const char *header)
{
	return strncasecmp(header, "MIME-Version:", 13) == 0 ||
	       strncasecmp(header, "Content-", 8) == 0;
}

static void add_part(struct buf *out, const char *type, const char *text)
{
	buf_addf(out,
		 "Content-Type: %s; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		 type);
	mime_quoted(out, text, strlen(text));
}

bool mime_write(struct buf *out, const struct request *r)
{
	const char *text = r->text == NULL ? "" : r->text;

	for (size_t i = 0; i < r->header_count; i++)
		if (!is_ours(r->headers[i]))
			add_header(out, r->headers[i]);
	buf_adds(out, "MIME-Version: 1.0\r\n");
	if (r->html == NULL) {
		add_part(out, "text/plain", text);
		return !out->overflow;
	}
	/* RFC 2046 5.1.4: the plainest first, the one to show last. */
	buf_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
	buf_addf(out, "--%s\r\n", boundary);
	add_part(out, "text/plain", text);
	buf_addf(out, "\r\n--%s\r\n", boundary);
	add_part(out, "text/html", r->html);
	buf_addf(out, "\r\n--%s--\r\n", boundary);
	return !out->overflow;
}

bool mime_stuff(struct buf *out, const char *mail, size_t len)
{
	size_t next;

	for (size_t at = 0; at < len; at += next) {
		size_t line = line_len(mail + at, len - at, &next);

		if (mail[at] == '.')
			buf_addc(out, '.');
		buf_add(out, mail + at, line);
		buf_adds(out, "\r\n");
	}
	buf_adds(out, ".\r\n");
	return !out->overflow;
}
