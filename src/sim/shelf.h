/*
 * shelf: the order in which alerts are listed, and pages of it.
 *
 * Every alert has one place: a key and its number, which never change while it exists. A page
 * is asked for "after that place", never "from the n-th", so adding and removing alerts shifts
 * nothing: an alert that was there is neither skipped nor repeated.
 */
#ifndef SIM_SHELF_H
#define SIM_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/words.h"

struct place {
	int64_t key;
	uint32_t number; /* decides between equal keys */
};

/* What is asked for: a word's value, or ANY. */
enum { ANY = -1 };
struct filter {
	int status;
	int severity;
};

struct shelf {
	struct place *places; /* ascending */
	size_t count;
	size_t room;
};

struct shelves {
	bool descending; /* how pages run */
	struct shelf shelf[STATUS_COUNT + 1][SEVERITY_COUNT + 1];
};

/* Zeroed shelves are empty ones. */
void shelves_release(struct shelves *s);

void shelves_add(struct shelves *s, enum alert_status status, enum alert_severity severity,
		 struct place place);
/* The place must be there. */
void shelves_remove(struct shelves *s, enum alert_status status, enum alert_severity severity,
		    struct place place);

/* For many at once: appended in any order, then sorted before anything else is asked. */
void shelves_append(struct shelves *s, enum alert_status status, enum alert_severity severity,
		    struct place place);
void shelves_sort(struct shelves *s);

size_t shelves_count(const struct shelves *s, struct filter filter);

/* Up to max places that pass the filter, after `after` (NULL: from the first); how many. */
size_t shelves_page(const struct shelves *s, struct filter filter, const struct place *after,
		    struct place *places, size_t max);

#endif
