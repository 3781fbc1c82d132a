/* tally: see the header. Lines are few: sinks times states. */
#include "cli/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print.h"
#include "cli/table.h"

static const struct table_column columns[] = {
	{ .title = "SINK", .max = 24 },
	{ .title = "STATE" },
	{ .title = "COUNT", .right = true },
	{ .title = NULL },
};

static bool is_line(const struct tally_line *line, const char *sink, const char *state)
{
	return strcmp(line->sink, sink) == 0 && strcmp(line->state, state) == 0;
}

static struct tally_line *find_line(struct tally *t, const char *sink, const char *state)
{
	/* Neighbours are mostly alike. */
	if (t->count != 0 && is_line(&t->lines[t->last], sink, state))
		return &t->lines[t->last];
	for (t->last = 0; t->last < t->count; t->last++)
		if (is_line(&t->lines[t->last], sink, state))
			return &t->lines[t->last];
	t->lines = mem_resize(t->lines, t->count + 1, sizeof(*t->lines));
	t->lines[t->count++] =
		(struct tally_line){ .sink = mem_strdup(sink), .state = mem_strdup(state) };
	return &t->lines[t->last];
}

void tally_add(struct tally *t, const char *sink, const char *state)
{
	find_line(t, sink != NULL ? sink : "", state != NULL ? state : "")->count++;
	t->total++;
}

void tally_release(struct tally *t)
{
	for (size_t i = 0; i < t->count; i++) {
		mem_free(&t->lines[i].sink);
		mem_free(&t->lines[i].state);
	}
	mem_free(&t->lines);
}

static int compare_lines(const void *a, const void *b)
{
	const struct tally_line *x = a, *y = b;
	int by_sink = strcmp(x->sink, y->sink);

	return by_sink != 0 ? by_sink : strcmp(x->state, y->state);
}

static void sort(struct tally *t)
{
	if (t->count != 0)
		qsort(t->lines, t->count, sizeof(*t->lines), compare_lines);
	t->last = 0;
}

void tally_print(struct tally *t, FILE *out)
{
	struct table *table = table_new(out, columns);

	sort(t);
	for (size_t i = 0; i < t->count; i++) {
		const struct tally_line *line = &t->lines[i];

		table_cell(table, COLOUR_NONE, line->sink);
		table_cell(table, print_colour_of(line->state), line->state);
		table_int(table, line->count);
	}
	table_flush(table);
	table_free(&table);
}

static void line_json(const struct tally_line *line, struct jline *j)
{
	jline_text(j, "sink", line->sink);
	jline_text(j, "state", line->state);
	jline_int(j, "count", line->count);
}

void tally_json(struct tally *t, struct jline *j)
{
	struct jline own;

	sort(t);
	for (size_t i = 0; i < t->count; i++) {
		if (j != NULL) {
			jline_open(j, NULL, '{');
			line_json(&t->lines[i], j);
			jline_close(j, '}');
		} else {
			jline_begin(&own, stdout);
			line_json(&t->lines[i], &own);
			jline_end(&own);
		}
	}
}
