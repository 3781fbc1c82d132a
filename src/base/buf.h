/*
 * buf: a growing byte string that is given its maximum at birth.
 *
 * Nothing grows without a bound: what would pass max_len is not added, and the buffer remembers
 * that it overflowed. So a writer may add freely and ask once, at the end. data always ends
 * with a NUL that len does not count, also when empty.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* never NULL; len bytes, then a NUL */
	size_t len;
	size_t room;    /* allocated, 0 while data is the shared empty string */
	size_t max_len; /* the bound given at birth */
	bool overflow;  /* something did not fit */
};

/* An empty buffer that takes at most max_len bytes. */
void buf_init(struct buf *b, size_t max_len);
void buf_release(struct buf *b);

/* Empties it and forgets an overflow; keeps the memory. */
void buf_clear(struct buf *b);

/* Cuts it to len bytes (len <= b->len). */
void buf_truncate(struct buf *b, size_t len);

/* Each adds whole or not at all; false (and overflow) when it does not fit. What is added must
 * not lie in b itself. */
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_adds(struct buf *b, const char *s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_addv(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * For who writes the bytes himself: room for len more, at the returned address, of which
 * buf_commit() then counts as many as were written (0 too, it puts the NUL back). NULL (and
 * overflow) when len does not fit.
 */
char *buf_space(struct buf *b, size_t len) __attribute__((warn_unused_result));
void buf_commit(struct buf *b, size_t len);

/* Hands the bytes over (the caller frees them with mem_free) and leaves the buffer empty and
 * ready for more. len may be NULL. */
char *buf_take(struct buf *b, size_t *len) __attribute__((warn_unused_result));

#endif
