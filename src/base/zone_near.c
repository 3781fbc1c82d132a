/*
 * zone_near: which time zone was perhaps meant, out of the database's own list of names.
 *
 * The list is tzdata.zi, the text that the database is made from: a zone's line is "Z NAME …",
 * one of another name for a zone is "L ZONE NAME". Where there is no such file nothing is
 * guessed.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/zone.h"

static const char list_path[] = "/usr/share/zoneinfo/tzdata.zi";

enum { LIST_BYTES_MAX = 1 << 20 }; /* 112 kB in 2025 */

/* The name in a line of the list, with its end made a NUL; NULL where there is none. */
static char *take_name(char *line)
{
	char *name = line + 2;

	if (line[0] == 'L' && line[1] == ' ')
		name += strcspn(name, " ") + 1;
	else if (line[0] != 'Z' || line[1] != ' ')
		return NULL;
	name[strcspn(name, " ")] = '\0';
	return name;
}

/* All names, ended by NULL; they point into the text. */
static const char **take_names(char *text)
{
	const char **names = NULL;
	size_t count = 0;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *name = take_name(line);

		if (name == NULL)
			continue;
		names = mem_resize(names, count + 1, sizeof(*names));
		names[count++] = name;
	}
	names = mem_resize(names, count + 1, sizeof(*names));
	names[count] = NULL;
	return names;
}

/* "europe/berlin", "Berlin": the name itself, or its end. */
static const char *same_place(const char *name, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		const char *slash = strrchr(names[i], '/');

		if (strcasecmp(names[i], name) == 0 ||
		    (slash != NULL && strcasecmp(slash + 1, name) == 0))
			return names[i];
	}
	return NULL;
}

/* Short words are not compared by their letters: who writes PST does not mean EST. */
char *zone_nearest(const char *name)
{
	struct buf text;
	struct err err;
	const char *found = NULL;

	buf_init(&text, LIST_BYTES_MAX);
	if (file_read(list_path, &text, &err)) {
		const char **names = take_names(text.data);

		found = same_place(name, names);
		if (found == NULL && strchr(name, '/') != NULL)
			found = num_nearest(name, names);
		mem_free(&names);
	}
	char *copy = mem_strdup(found);

	buf_release(&text);
	return copy;
}
