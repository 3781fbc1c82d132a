/*
 * against_inner: what the files of `check --against` share.
 *
 *   against.c       reading and counting
 *   against_tell.c  one change as JSON or as a row, and the summary
 */
#ifndef CLI_AGAINST_INNER_H
#define CLI_AGAINST_INNER_H

#include "cli/against.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "flow/replay.h"
#include "model/json.h"

/* What comes of one sink, by its name in this configuration, or as the store knows it. */
struct sink_count {
	char *name; /* owned */
	int64_t before, after, gains, loses, moves, fails;
};

struct against {
	const struct cli *cli;
	const struct settings *settings;
	struct store *store;
	struct replay *replay;
	int64_t now, from_at, last_id;
	struct spool spool;
	struct table *shown;
	int64_t told; /* changes */
	int64_t count, changed, by_change[REPLAY_CHANGE_COUNT];
	int64_t unrouted_before; /* of those that match no route: they did not before */
	int64_t unread, unknown;
	struct sink_count *sinks; /* owned */
	size_t sink_count;
};

/* An event with its rows, as the view gives them. */
struct replayable {
	struct replay_event event;
	struct replay_row *rows; /* owned */
	struct json *doc;        /* of rows */
	const char *alert_id;
};

const char *against_sink(const struct against *a, size_t sink);
/* The target that is the row's sink; NULL: it is told no more. */
const struct replay_target *against_target(const struct replayed *r, size_t row);

/* ---- against_tell.c ---- */

/* The columns of a->shown. */
extern const struct table_column against_columns[];
void against_tell(struct against *a, enum replay_change change, const struct replayable *e,
		  const struct replayed *r);
void against_summary(const struct against *a);
/* What was not asked, and why. */
void against_left_out(const struct against *a, int64_t span_ms);

#endif
