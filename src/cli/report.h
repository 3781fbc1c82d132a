/*
 * report: what the files of `tocsin report` share.
 *
 *   report.c        the command: what is asked of the API, and added up
 *   report_show.c   tables and JSON lines
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/cli.h"
#include "cli/sums.h"
#include "model/budget.h"

enum { REPORT_DAY_MAX = 11 };

struct report_days {
	char from[REPORT_DAY_MAX], to[REPORT_DAY_MAX]; /* YYYY-MM-DD, both inclusive, UTC */
};

struct report {
	const struct cli *cli;
	bool of_usage;
	bool has_sources; /* several: each is named */
	const struct grouping *grouping;
	struct report_days days;
};

struct usage_shown {
	const char *title;        /* of the first column */
	const char *key, *beside; /* the API's names for a sum's key and label */
};
void report_show_usage(const struct report *r, const char *source, const struct sums *sums,
		       const struct usage_shown *shown);

/* Sorts them, the most spent first. */
void report_show_budgets(const struct report *r, const char *source, struct budget_list *b);

#endif
