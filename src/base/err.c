/*
 * err: messages of one line.
 *
 * A text may quote what a server or a file said, so that it is one line and whole UTF-8 is made
 * true here and not hoped for: control characters become spaces, and a text that is cut ends
 * between two characters.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/esc.h"
#include "base/log.h"

/* Drops the beginning of a character that the cut left at the end. */
static void drop_half_character(char *text, size_t len)
{
	size_t lead = len - 1;

	while (lead > 0 && len - lead < 4 && ((unsigned char)text[lead] & 0xc0) == 0x80)
		lead--;
	if (utf8_len(text + lead, len - lead) == 0)
		text[lead] = '\0';
}

/* Prints to text what fits of one line. */
static void print_line(char text[ERR_TEXT_MAX], const char *format, va_list args)
{
	int len = vsnprintf(text, ERR_TEXT_MAX, format, args);

	if (len < 0)
		text[0] = '\0';
	if (len >= ERR_TEXT_MAX)
		drop_half_character(text, ERR_TEXT_MAX - 1);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

bool err_set(struct err *err, const char *format, ...)
{
	struct err made; /* an argument may be err->text itself */
	va_list args;

	if (err == NULL)
		return false;
	va_start(args, format);
	print_line(made.text, format, args);
	va_end(args);
	*err = made;
	return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
	struct err prefix;
	va_list args;

	if (err == NULL)
		return false;
	va_start(args, format);
	print_line(prefix.text, format, args);
	va_end(args);
	return err_set(err, "%s: %s", prefix.text, err->text);
}

void die(int code, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	log_flush();
	fputs("tocsin: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(code);
}

void bug_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	log_flush();
	fprintf(stderr, "tocsin: bug at %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
