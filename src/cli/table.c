/* table: see the header. */
#include "cli/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"

enum { CELL_MAX = 40, CELL_BYTES_MAX = 4096, GAP = 2 };

struct cell {
	char *text; /* owned */
	size_t width;
	enum colour colour;
};

struct table {
	FILE *out;
	const struct table_column *columns;
	size_t column_count;
	size_t *widths; /* owned, one a column */
	struct cell *cells;
	size_t cell_count, cell_room;
	bool titled;
};

struct table *table_new(FILE *out, const struct table_column *columns)
{
	struct table *t = mem_new(sizeof(*t));

	t->out = out;
	t->columns = columns;
	while (columns[t->column_count].title != NULL)
		t->column_count++;
	t->widths = mem_array(t->column_count, sizeof(*t->widths));
	for (size_t i = 0; i < t->column_count; i++)
		t->widths[i] = strlen(columns[i].title);
	return t;
}

static void forget_cells(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		mem_free(&t->cells[i].text);
	t->cell_count = 0;
}

void table_free(struct table **t)
{
	if (*t == NULL)
		return;
	forget_cells(*t);
	mem_free(&(*t)->cells);
	mem_free(&(*t)->widths);
	mem_free(t);
}

void table_cell(struct table *t, enum colour colour, const char *text)
{
	size_t column = t->cell_count % t->column_count;
	size_t max = t->columns[column].max != 0 ? t->columns[column].max : CELL_MAX;
	struct buf line;

	if (t->cell_count == t->cell_room) {
		t->cell_room = t->cell_room * 2 + 64;
		t->cells = mem_resize(t->cells, t->cell_room, sizeof(*t->cells));
	}
	buf_init(&line, CELL_BYTES_MAX);
	if (text != NULL)
		print_line(&line, text, strlen(text), max);
	size_t width = utf8_count(line.data, line.len);

	t->cells[t->cell_count++] = (struct cell){ buf_take(&line, NULL), width, colour };
	buf_release(&line);
	if (width > t->widths[column])
		t->widths[column] = width;
}

void table_int(struct table *t, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	table_cell(t, value == 0 ? COLOUR_DIM : COLOUR_NONE, text);
}

void table_at(struct table *t, int64_t at, int64_t now)
{
	char text[CLOCK_TEXT_MAX] = "";

	if (at != 0)
		clock_ago(at, now, text);
	table_cell(t, COLOUR_NONE, text);
}

static void put_spaces(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Blanks wait until something follows them, so that no line ends with one. */
static void put_cell(struct table *t, size_t column, const struct cell *c, size_t *blanks)
{
	size_t rest = t->widths[column] - c->width;

	if (t->columns[column].right)
		*blanks += rest;
	if (c->width > 0) {
		put_spaces(t->out, *blanks);
		print_coloured(t->out, c->colour, c->text);
		*blanks = 0;
	}
	*blanks += GAP + (t->columns[column].right ? 0 : rest);
}

static void put_titles(struct table *t)
{
	size_t blanks = 0;

	for (size_t i = 0; i < t->column_count; i++) {
		char *title = mem_strdup(t->columns[i].title);
		struct cell cell = { title, strlen(title), COLOUR_DIM };

		put_cell(t, i, &cell, &blanks);
		mem_free(&title);
	}
	fputc('\n', t->out);
	t->titled = true;
}

void table_flush(struct table *t)
{
	size_t blanks = 0;

	if (t->cell_count == 0)
		return;
	if (!t->titled)
		put_titles(t);
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t column = i % t->column_count;

		put_cell(t, column, &t->cells[i], &blanks);
		if (column + 1 < t->column_count)
			continue;
		fputc('\n', t->out);
		blanks = 0;
	}
	forget_cells(t);
}
