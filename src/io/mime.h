/*
 * mime: a mail's bytes, from a request.
 *
 * One text/plain part, or multipart/alternative of text/plain and text/html; UTF-8 in
 * quoted-printable, so that every line is short and 7-bit whatever an alert holds. The bytes
 * depend on the request alone: the same delivery gives the same mail on every try.
 *
 * The MIME headers (MIME-Version, Content-…) are written here and left out of the request's;
 * all other headers are the request's, folded at a blank where a line passes 76 bytes.
 */
#ifndef IO_MIME_H
#define IO_MIME_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/request.h"

/* Adds the whole mail with CRLF lines, not dot-stuffed; false when out overflowed. */
bool mime_write(struct buf *out, const struct request *r);

/* Adds len bytes in quoted-printable, ended by CRLF; a bare LF is a line end too. */
bool mime_quoted(struct buf *out, const char *text, size_t len);

/* Adds what DATA sends: len bytes of CRLF lines, dots stuffed, and the final dot. */
bool mime_stuff(struct buf *out, const char *mail, size_t len);

#endif
