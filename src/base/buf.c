/*
 * buf: a string that doubles until its bound.
 *
 * An empty buffer owns nothing: data points at a shared NUL, so that a struct on the stack
 * costs no allocation until something is added, and data may be printed at any time. Nobody
 * writes to that NUL, therefore every write below first asks whether there is room.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { FIRST_ROOM = 64 };

static char nothing[1];

void buf_init(struct buf *b, size_t max_len)
{
	assert(max_len < SIZE_MAX / 2);
	*b = (struct buf){ .data = nothing, .max_len = max_len };
}

void buf_release(struct buf *b)
{
	if (b->room > 0)
		mem_free(&b->data);
	buf_init(b, b->max_len);
}

void buf_clear(struct buf *b)
{
	b->overflow = false;
	buf_truncate(b, 0);
}

void buf_truncate(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->room > 0)
		b->data[len] = '\0';
}

/* Grows to hold len bytes and the NUL, at least by doubling, never past the bound. */
static void grow(struct buf *b, size_t len)
{
	size_t room = b->room == 0 ? FIRST_ROOM : b->room * 2;

	if (room > b->max_len + 1)
		room = b->max_len + 1;
	if (room < len + 1)
		room = len + 1;
	b->data = mem_resize(b->room == 0 ? NULL : b->data, room, 1);
	b->room = room;
	b->data[b->len] = '\0';
}

char *buf_space(struct buf *b, size_t len)
{
	if (len > b->max_len - b->len) {
		b->overflow = true;
		return NULL;
	}
	if (b->len + len >= b->room)
		grow(b, b->len + len);
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
	assert(b->room > b->len + len);
	b->len += len;
	b->data[b->len] = '\0';
}

bool buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return true;
	char *to = buf_space(b, len);

	if (to == NULL)
		return false;
	memcpy(to, bytes, len);
	buf_commit(b, len);
	return true;
}

bool buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bool added = buf_addv(b, format, args);

	va_end(args);
	return added;
}

/* Prints into what room there is, and only when that was too small a second time. */
bool buf_addv(struct buf *b, const char *format, va_list args)
{
	size_t left = b->room - b->len;
	va_list again;

	va_copy(again, args);
	int printed = vsnprintf(b->room == 0 ? NULL : b->data + b->len, left, format, args);

	if (printed < 0)
		BUG("a format that cannot be printed: %s", format);
	size_t len = (size_t)printed;
	bool fits = len < left || buf_space(b, len) != NULL;

	if (fits && len >= left)
		vsnprintf(b->data + b->len, len + 1, format, again);
	va_end(again);
	if (fits)
		buf_commit(b, len);
	else
		buf_truncate(b, b->len); /* the first try left its beginning behind */
	return fits;
}

char *buf_take(struct buf *b, size_t *len)
{
	char *taken = b->room == 0 ? mem_dup("", 0) : b->data;

	if (len != NULL)
		*len = b->len;
	buf_init(b, b->max_len);
	return taken;
}
