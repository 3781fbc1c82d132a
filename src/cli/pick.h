/*
 * pick: which deliveries an operator means: ids, or what they have in common.
 *
 * The same options for `queue`, which lists them, and for `requeue` and `drop`, which change
 * them: so the one shows what the other would take. States, names and ages are asked of the
 * store's views; matchers, which the store does not know, of the alert's bytes at the event.
 */
#ifndef CLI_PICK_H
#define CLI_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "model/route.h"

/* Rows of a command's table of options. */
#define PICK_OPTIONS                                                                           \
	{ "sink", "NAME", "only those for this sink" },                                        \
		{ "state", "STATE",                                                            \
		  "due, held, claimed, done, dead, moved, dropped or orphaned" },              \
		{ "source", "NAME", "only those of this source's alerts" },                    \
		{ "older", "DURATION", "whose event was seen longer ago than: 30m, 24h, 7d" }, \
		{ "newer", "DURATION", "whose event was seen since: 30m, 24h, 7d" },           \
		{ "match", "MATCHER",                                                          \
		  "whose alert, at the event, matches as in a route: 'severity >= high';\n"    \
		  "                       with several, all must" },                           \
	{                                                                                      \
		"limit", "N", "at most so many, the oldest"                                    \
	}

enum { PICK_ALL = ~0u };

struct pick {
	int64_t *ids; /* owned; ascending, each once */
	size_t id_count;
	bool is_filtered;          /* by any option */
	unsigned states;           /* bits 1 << delivery_state */
	const char *sink, *source; /* borrowed; NULL: any */
	int64_t from_at, until_at; /* of the event; 0: no bound */
	struct matcher **match;    /* owned */
	size_t match_count;
	int64_t limit; /* INT64_MAX: none */
};

/*
 * Reads ids and options from the command line; without --state a filter means `states`, ids mean
 * any. EXIT_USAGE after what is wrong was printed. Release it in any case.
 */
int pick_read(struct pick *p, const struct cli *cli, unsigned states, int64_t now);
void pick_release(struct pick *p);

/* Does the store know the names and ids? EXIT_FAILED after each that it does not was printed. */
int pick_check(const struct pick *p, struct store *store);

/* A walk over the picked rows, by ascending ids, that is in the order of events. */
struct pick_walk {
	const struct pick *pick;
	const char *columns; /* of v_deliveries as d */
	size_t piece;        /* so many rows are asked for in one short read */
	void (*each)(void *arg, struct view *v);
	void *arg;
	int64_t last_id, told; /* zero */
};

/* The next piece; false: it was the last one, or err tells. */
bool pick_next(struct pick_walk *w, struct store *store, struct err *err);

#endif
