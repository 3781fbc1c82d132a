/*
 * preset_inner: what preset_read.c (the head) and preset_parts.c (the requests) share; nobody
 * else includes it.
 */
#ifndef MODEL_PRESET_INNER_H
#define MODEL_PRESET_INNER_H

#include "model/preset.h"

/* In front of the name of a part. */
#define PRESET_SEPARATOR "=== "

struct preset_part {
	const char *name; /* NAME.SUFFIX, name_len long */
	size_t name_len;
	const char *text;
	size_t len;
	int line; /* of its first line of text */
};

struct preset_reading {
	struct preset *preset;
	struct conf_reader reader;
	struct preset_part *parts;
	size_t part_count;
};

/* Cuts the file at its separators; returns the length of the head. */
size_t preset_split(struct preset_reading *g);
/* The part of that name, whatever its suffix; NULL: none. */
const struct preset_part *preset_find_part(const struct preset_reading *g, const char *name);
/* Method, URL, headers and body of a request. */
void preset_read_part(const struct preset_reading *g, struct preset_request *r,
		      const struct preset_part *part);
/* A piece of the file, and where it begins there. */
struct preset_piece {
	const char *text;
	size_t len;
	int line, column;
};
/* Its suffix chooses the escaping. NULL, and said, when it does not compile. */
struct tmpl *preset_compile(const struct preset_reading *g, const char *suffix,
			    const struct preset_piece *piece);
/* Says a mistake at a line of the file; 0: the whole of it. */
void preset_mistake(const struct preset_reading *g, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
