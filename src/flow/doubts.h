/*
 * doubts: what routing took for granted, said once.
 *
 * An unknown severity counts as high, and a pattern that takes too many steps counts as a
 * match: both can only tell somebody too much, and both are the operator's to mend. The log
 * names the alert, not its severity: that is a field, and fields stay out of it.
 */
#ifndef FLOW_DOUBTS_H
#define FLOW_DOUBTS_H

#include "base/idset.h"
#include "model/alert.h"
#include "model/matcher.h"

/* Of one source; zeroes: nothing was said. */
struct doubts {
	struct idset severities; /* hashes of unknown ones; at most DOUBTS_MAX */
};

enum { DOUBTS_MAX = 100 };

void doubts_release(struct doubts *d);
/* Says that its severity is unknown, once a word. */
void doubts_severity(struct doubts *d, const char *source, const struct alert *a);
/* Says that this matcher of a route was cut short by this alert. */
void doubts_pattern(const char *source, const struct alert *a, const struct matcher *m);

#endif
