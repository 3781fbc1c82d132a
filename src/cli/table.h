/*
 * table: rows of cells as aligned columns.
 *
 * Cells are cleaned as print_line() does and cut at their column's width. Rows are kept until
 * table_flush(), so that a long list can be shown in pieces; later pieces are at least as wide
 * as earlier ones, and the titles stand above the first.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/print.h"

struct table_column {
	const char *title; /* NULL ends the list */
	size_t max;        /* characters of a cell; 0: 40 */
	bool right;        /* numbers */
};

struct table;

/* The columns outlive it. */
struct table *table_new(FILE *out, const struct table_column *columns)
	__attribute__((warn_unused_result));
void table_free(struct table **t);

/* The next cell, row by row; NULL is an empty one. */
void table_cell(struct table *t, enum colour colour, const char *text);
void table_int(struct table *t, int64_t value);
/* An instant as "3 min ago"; 0 is an empty cell. */
void table_at(struct table *t, int64_t at, int64_t now);

/* Writes the rows that there are; nothing, not even titles, where there was never one. */
void table_flush(struct table *t);

#endif
