/*
 * mem: allocation that cannot fail.
 *
 * Out of memory aborts (with a log line), so callers have no branch for it; every input is
 * therefore capped before it is allocated. What these return is freed with mem_free(), which
 * takes the pointer's address, accepts NULL and leaves NULL behind.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* size bytes, zeroed; size 0 gives a pointer that may be freed. */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* count elements of size bytes, zeroed; aborts when the product overflows. */
void *mem_array(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* p (or NULL) grown or shrunk to count elements of size bytes; new room is not zeroed. */
void *mem_resize(void *p, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

/* A copy of len bytes with a NUL behind them. */
char *mem_dup(const void *bytes, size_t len)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* A copy of a string; NULL gives NULL. */
char *mem_strdup(const char *s) __attribute__((malloc, warn_unused_result));

/* A formatted string. */
char *mem_printf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, warn_unused_result, format(printf, 1, 2)));

/*
 * Frees *p and sets it to NULL; p is the address of any pointer. (The sizeof evaluates nothing:
 * it only makes the compiler refuse a p that is the pointer itself.)
 */
#define mem_free(p) ((void)sizeof(*(p) == NULL), mem_free_at((void **)(p)))
void mem_free_at(void **p);

/* As mem_free(), after overwriting the string: for secrets. */
void mem_free_secret(char **s);

/*
 * For a process that runs for long: the heap's end is given back when 1 MiB of it is unused, and
 * not at each page of alerts that is freed there, which the next one would ask back.
 */
void mem_keep_room(void);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
