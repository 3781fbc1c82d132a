/*
 * preset_parts: the requests of a preset, cut out of its file and compiled.
 *
 * A part's first line, headers and body are three kinds of template, for a value is escaped by
 * where it stands.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/preset_inner.h"

void preset_mistake(const struct preset_reading *g, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_problem_v(g->reader.problems, CONF_ERROR, g->preset->path, line, format, args);
	va_end(args);
}

/* ---- the parts ---- */

static const char separator[] = PRESET_SEPARATOR;

static bool is_separator(const char *at, const char *end)
{
	size_t len = sizeof(separator) - 1;

	return (size_t)(end - at) >= len && memcmp(at, separator, len) == 0;
}

static const char *line_end(const char *at, const char *end)
{
	const char *found = memchr(at, '\n', (size_t)(end - at));

	return found == NULL ? end : found;
}

static void add_part(struct preset_reading *g, const char *at, const char *end, int line)
{
	struct preset_part part = { .name = at + sizeof(separator) - 1, .line = line + 1 };
	const char *stop = line_end(at, end);

	part.text = stop < end ? stop + 1 : end;
	while (stop > part.name && (stop[-1] == ' ' || stop[-1] == '\r'))
		stop--;
	part.name_len = (size_t)(stop - part.name);
	for (size_t i = 0; i < g->part_count; i++)
		if (g->parts[i].name_len == part.name_len &&
		    memcmp(g->parts[i].name, part.name, part.name_len) == 0)
			preset_mistake(g, line, "another part has the name \"%.*s\"",
				       (int)part.name_len, part.name);
	g->parts = mem_resize(g->parts, g->part_count + 1, sizeof(*g->parts));
	g->parts[g->part_count++] = part;
}

size_t preset_split(struct preset_reading *g)
{
	const char *bytes = g->preset->bytes, *end = bytes + g->preset->len, *at = bytes;
	size_t head = g->preset->len;

	for (int line = 1; at < end; line++) {
		const char *stop = line_end(at, end);

		if (is_separator(at, end)) {
			if (g->part_count == 0)
				head = (size_t)(at - bytes);
			else
				g->parts[g->part_count - 1].len =
					(size_t)(at - g->parts[g->part_count - 1].text);
			add_part(g, at, end, line);
		}
		at = stop < end ? stop + 1 : end;
	}
	if (g->part_count > 0)
		g->parts[g->part_count - 1].len =
			(size_t)(end - g->parts[g->part_count - 1].text);
	return head;
}

/* The part whose name begins with "name.", or is it. */
const struct preset_part *preset_find_part(const struct preset_reading *g, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < g->part_count; i++) {
		const struct preset_part *part = &g->parts[i];

		if (part->name_len >= len && memcmp(part->name, name, len) == 0 &&
		    (part->name_len == len || part->name[len] == '.'))
			return part;
	}
	return NULL;
}

/* {{> name}} is a part beside it, without the newline that ends it. */
static char *load_partial(void *arg, const char *name, char **file, int *line, size_t *len)
{
	const struct preset_reading *g = arg;
	const struct preset_part *part = preset_find_part(g, name);

	if (part == NULL)
		return NULL;
	*file = mem_strdup(g->preset->path);
	*line = part->line;
	*len = part->len;
	while (*len > 0 && part->text[*len - 1] == '\n')
		(*len)--;
	return mem_dup(part->text, *len);
}

/* An error "PATH:LINE:COLUMN: why" is told with its line. */
static void say_where(const struct preset_reading *g, int line, const char *text)
{
	size_t len = strlen(g->preset->path);
	int column = 0, used = 0;

	if (strncmp(text, g->preset->path, len) != 0 ||
	    sscanf(text + len, ":%d:%d: %n", &line, &column, &used) != 2 || used == 0)
		preset_mistake(g, line, "%s", text);
	else
		preset_mistake(g, line, "column %d: %s", column, text + len + used);
}

struct tmpl *preset_compile(const struct preset_reading *g, const char *suffix,
			    const struct preset_piece *piece)
{
	const struct tmpl_place place = { g->preset->path, piece->line, piece->column };
	struct tmpl_partials partials = { .load = load_partial, .arg = (void *)(uintptr_t)g };
	char *name = mem_printf("%s.preset/%s", g->preset->name, suffix);
	struct err err;
	struct tmpl *t =
		tmpl_new_within(&place, name, piece->text, piece->len, &partials, &err);

	if (t == NULL)
		say_where(g, piece->line, err.text);
	mem_free(&name);
	return t;
}

static bool is_made_of(const char *at, const char *end, const char *letters)
{
	while (at < end && *at != '\0' && strchr(letters, *at) != NULL)
		at++;
	return at == end;
}

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void read_header(const struct preset_reading *g, struct preset_request *r,
			const char *at, size_t len, int line)
{
	const char *colon = memchr(at, ':', len), *start = at;
	struct preset_header *h;

	if (colon == NULL || colon == at ||
	    !is_made_of(at, colon, CAPITALS "abcdefghijklmnopqrstuvwxyz0123456789-_")) {
		preset_mistake(g, line,
			       "a header is \"Name: value\"; the body follows an empty line");
		return;
	}
	r->headers = mem_resize(r->headers, r->header_count + 1, sizeof(*r->headers));
	h = &r->headers[r->header_count++];
	h->name = mem_dup(at, (size_t)(colon - at));
	len -= (size_t)(colon + 1 - at);
	at = colon + 1;
	while (len > 0 && *at == ' ') {
		at++;
		len--;
	}
	h->value =
		preset_compile(g, "header.txt",
			       &(struct preset_piece){ at, len, line, (int)(at - start) + 1 });
}

static void read_first_line(const struct preset_reading *g, struct preset_request *r,
			    const char *at, size_t len, int line)
{
	const char *space = memchr(at, ' ', len);

	if (space == NULL || space == at || !is_made_of(at, space, CAPITALS)) {
		preset_mistake(g, line, "a request begins with \"METHOD URL\"");
		return;
	}
	r->method = mem_dup(at, (size_t)(space - at));
	space++;
	r->url = preset_compile(g, "address.url",
				&(struct preset_piece){ space, len - (size_t)(space - at), line,
							(int)(space - at) + 1 });
}

void preset_read_part(const struct preset_reading *g, struct preset_request *r,
		      const struct preset_part *part)
{
	const char *at = part->text, *end = part->text + part->len;
	int line = part->line;

	r->file = mem_dup(part->name, part->name_len);
	for (; at < end; line++) {
		const char *stop = line_end(at, end);
		size_t len = (size_t)(stop - at);

		if (len > 0 && stop[-1] == '\r')
			len--;
		if (line == part->line)
			read_first_line(g, r, at, len, line);
		else if (len > 0)
			read_header(g, r, at, len, line);
		at = stop < end ? stop + 1 : end;
		if (len == 0)
			break;
	}
	if (at < end && strchr(r->file, '.') == NULL)
		preset_mistake(g, part->line - 1,
			       "the name of a part with a body ends in how it is escaped, as "
			       "\"%s.json\" or \"%s.txt\"",
			       r->file, r->file);
	if (at < end)
		r->body = preset_compile(
			g, r->file,
			&(struct preset_piece){ at, (size_t)(end - at), line + 1, 1 });
}
