/*
 * jline: one JSON object on one line, written piece by piece.
 *
 * Whatever bytes come in, the line is complete, valid and alone: texts are repaired and
 * escaped, JSON that is passed on loses its line breaks, and characters that some readers take
 * for a line's end or a terminal for a command (C1, U+2028, U+2029) are written as escapes.
 * Commas are put by themselves. key is NULL inside an array. Nothing is kept: the size of a
 * line has no bound here.
 */
#ifndef CLI_JLINE_H
#define CLI_JLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct jline {
	FILE *out;
	bool first; /* of its object or array: no comma before it */
};

void jline_begin(struct jline *j, FILE *out);
void jline_end(struct jline *j);

/* A member that is an object or an array, up to its close. */
void jline_open(struct jline *j, const char *key, char bracket);
void jline_close(struct jline *j, char bracket);

void jline_text(struct jline *j, const char *key, const char *text); /* NULL: null */
void jline_bytes(struct jline *j, const char *key, const char *text, size_t len);
void jline_int(struct jline *j, const char *key, int64_t value);
void jline_bool(struct jline *j, const char *key, bool value);
void jline_null(struct jline *j, const char *key);
/* An instant as ISO 8601; 0: null. */
void jline_at(struct jline *j, const char *key, int64_t at);
/* JSON as it is; what is none becomes a text, NULL null. */
void jline_json(struct jline *j, const char *key, const char *json, size_t len);

#endif
