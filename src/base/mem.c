/* mem: the C library's allocator, with the one answer to its failure in one place. */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Neither err nor log: both may want memory, and there is none. */
static _Noreturn void out_of_memory(void)
{
	static const char line[] = "tocsin: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)ignored;
	abort();
}

void *mem_new(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
	/* calloc() checks the product, and may answer NULL for nothing, which is no failure. */
	void *p = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	void *resized = realloc(p, bytes == 0 ? 1 : bytes);

	if (resized == NULL)
		out_of_memory();
	return resized;
}

char *mem_dup(const void *bytes, size_t len)
{
	size_t room;

	if (__builtin_add_overflow(len, 1, &room))
		out_of_memory();
	char *copy = malloc(room);

	if (copy == NULL)
		out_of_memory();
	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_dup(s, strlen(s));
}

char *mem_printf(const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);

	va_end(args);
	if (len < 0)
		out_of_memory(); /* a text past INT_MAX: there is no memory for that either */
	char *text = mem_new((size_t)len + 1);

	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

/* Reads and writes the pointer as bytes: *p may be of any pointer type, and aliasing rules
 * forbid to touch it as a void *. */
void mem_free_at(void **p)
{
	void *memory;

	memcpy(&memory, p, sizeof(memory));
	free(memory);
	memory = NULL;
	memcpy(p, &memory, sizeof(memory));
}

void mem_free_secret(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	mem_free(s);
}

void mem_keep_room(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
}
