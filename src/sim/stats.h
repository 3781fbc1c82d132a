/*
 * stats: how often which path was answered how, and which lists of alerts were asked for.
 */
#ifndef SIM_STATS_H
#define SIM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/words.h"

enum { STATS_PATHS_MAX = 64, STATS_ENDS_MAX = 32, STATS_NAME_MAX = 128 };

struct stats_path {
	char path[STATS_NAME_MAX];
	size_t end_count;
	struct {
		char end[16]; /* a status, or the misdeed in place of one: "reset" */
		int64_t count;
	} ends[STATS_ENDS_MAX];
};

struct stats {
	size_t path_count;
	struct stats_path paths[STATS_PATHS_MAX + 1]; /* the last for all other paths */
	struct {
		int64_t first;     /* requests for a first page */
		int64_t further;   /* with a cursor */
	} lists[STATUS_COUNT + 1]; /* by the status asked for; the last: by none */
};

void stats_count(struct stats *stats, const char *path, const char *end);

/* A request for alerts of that status (NULL: of all), whatever it was answered. */
void stats_count_list(struct stats *stats, const char *status, bool has_cursor);

/* Adds {"/v1/alerts":{"200":3,"429":1}}. */
void stats_add(const struct stats *stats, struct buf *out);

/* Adds {"open":{"first":3,"further":1},…,"unfiltered":…}. */
void stats_add_lists(const struct stats *stats, struct buf *out);

#endif
