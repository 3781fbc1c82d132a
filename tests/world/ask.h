/*
 * ask: the oracle's questions: SQL over the views, its columns by name.
 *
 * Each text is prepared once for a connection and kept, since most are asked hundreds of times
 * and preparing one costs more than answering it. So what differs from time to time is bound.
 * A question that cannot be answered is a violation.
 *
 * The connection is opened with the first question, or before, and stays open until ask_leave().
 */
#ifndef WORLD_ASK_H
#define WORLD_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;
struct stmt;

/* One that is being asked; the same text is not asked twice at a time. */
struct question {
	struct stmt *stmt;
};

void ask(struct world *w, struct question *q, const char *sql);
/* Values for ?1, ?2, … before the first row; a text lives until the answer ends. */
void ask_bind(struct question *q, int at, int64_t value);
void ask_bind_text(struct question *q, int at, const char *text);
/* The next row; false: there is none. */
bool ask_next(struct question *q);
void ask_end(struct world *w, struct question *q);

/* Of the row; a text lives until the next one. */
int64_t ask_int(const struct question *q, const char *column);
const char *ask_text(const struct question *q, const char *column);
size_t ask_len(const struct question *q, const char *column);
bool ask_is_null(const struct question *q, const char *column);

/* The first row's column n; -1: no row. A text for ?1, or NULL. */
int64_t ask_count_of(struct world *w, const char *sql, const char *text);
int64_t ask_count(struct world *w, const char *sql);

/* Now, while the disk is well: one that fails would refuse the oracle, too. */
void ask_open(struct world *w);
/* Nothing of it keeps the store open. */
void ask_leave(struct world *w);

#endif
