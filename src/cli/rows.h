/*
 * rows: deliveries and their attempts as commands read and tell them.
 *
 * A command reads a piece of a list, notes the text in a spool, closes the view, and only then
 * writes: a terminal that somebody has stopped must not keep a read transaction open.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "cli/jline.h"
#include "model/event.h"
#include "store/store.h"

/* Text that waits for its view to be closed. */
struct spool {
	FILE *out; /* write here */
	char *data;
	size_t len;
};

void spool_open(struct spool *s);
/* Writes it all to stdout and releases it; false when stdout failed. */
bool spool_close(struct spool *s);
/* Releases it unwritten: half an object is worse than none. */
void spool_discard(struct spool *s);

/*
 * What a query of v_deliveries, as d, must select for the functions below. Sub-queries, for a
 * view on the right of a LEFT JOIN would be made whole first. The last attempt of a row is in
 * last_*; a first success keeps no attempt and is told from the row itself.
 */
#define ROWS_LAST(column)                                           \
	"(SELECT " column " FROM v_attempts WHERE delivery = d.id " \
	"ORDER BY n DESC LIMIT 1) AS last_" column
#define ROWS_OF_SINK(column) \
	"(SELECT " column " FROM v_sinks WHERE name = d.sink) AS sink_" column
#define ROWS_COLUMNS                                                                                     \
	"d.id, d.alert_id, d.source, d.event, d.sink, d.origin, d.n, d.route, d.state, "                 \
	"d.reason, d.attempt, d.due_at, d.held_until, d.maybe_sent, d.first_attempt_at, "                \
	"d.claimed_at, d.ended_at, d.status, d.after, d.episode, d.seq, d.at, d.batch_id, "              \
	"(SELECT json_extract(body, '$.org_id') FROM v_events WHERE id = d.event_id) "                   \
	"AS org_id, " ROWS_LAST("at") ", " ROWS_LAST("verdict") ", " ROWS_LAST("status") ", " ROWS_LAST( \
		"answer") ", " ROWS_OF_SINK("state") ", " ROWS_OF_SINK("held_until")

/* One try, kept or told from its row. verdict NULL: there was none yet. Texts are the view's. */
struct row_try {
	int64_t at, took_ms; /* took_ms -1: not known */
	int64_t status;      /* 0: none */
	const char *verdict, *answer;
};
void rows_last_try(struct view *v, struct row_try *t);
/* Is the row done by its first try, of which no attempt is kept? */
bool rows_is_first_success(struct view *v);

void rows_delivery_id(struct view *v, char id[DELIVERY_ID_MAX]);

/* When the row will be tried next, as far as the store can tell; 0: never, after another, or when
 * the operator lets its sink go. */
int64_t rows_next_at(struct view *v);

/* The members that `queue` and `explain` have in common. */
void rows_json(struct jline *j, struct view *v);
void rows_json_try(struct jline *j, const char *key, const struct row_try *t);

#endif
