/*
 * print: how results look to people: safe, short, coloured only where that is wanted.
 *
 * What an alert or a receiver said never steers the terminal: control characters (C0, DEL, C1),
 * line separators and marks that turn the direction of writing are taken out, bad UTF-8 is
 * repaired, long texts are cut with an ellipsis. Colour only on a terminal and without NO_COLOR.
 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/conf.h"

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_DIM, COLOUR_STRONG };

/* "file:line: message" a line, or JSON lines; warnings say so. */
void print_problems(FILE *out, struct conf_problems *problems, bool json);

/* Adds s as one line of at most `max` characters; runs of white space become one space. */
void print_line(struct buf *out, const char *s, size_t len, size_t max);
/* Writes s with its own lines and tabs; everything else as print_line(). Ends with a newline. */
void print_block(FILE *out, const char *s, size_t len);
/* Writes s, as print_line() makes it, straight to out; NULL is nothing. */
void print_text(FILE *out, const char *s, size_t max);

bool print_is_coloured(FILE *out);
/* Writes a text that is safe already, coloured where out is. */
void print_coloured(FILE *out, enum colour colour, const char *text);
/* The same whatever out is: for what goes on to a terminal later. */
void print_in_colour(FILE *out, enum colour colour, const char *text);
/* The colour of a delivery's, an alert's or a sink's state, or of a severity, by its word. */
enum colour print_colour_of(const char *word);

#endif
