/*
 * silences: what the operator wants quiet for a while, compiled and ready to be asked.
 *
 * The store's table is the truth; this is its copy in memory, taken anew when the table changes.
 * There may be SILENCES_MAX, and each alert asks of them all, so they are filed by words (`id =
 * al1`): what no alert's field names is not looked at. A silence that cannot be read any more is
 * said once and holds nothing: rather one ring too many.
 */
#ifndef FLOW_SILENCES_H
#define FLOW_SILENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/facts.h"
#include "store/silences.h"

struct silences;

/* Knows of none yet. */
struct silences *silences_new(void) __attribute__((warn_unused_result));
void silences_free(struct silences **s);

/*
 * Looks whether the table has changed, and takes it anew where it has; for the start, and for
 * when store_version() has changed. *changed: it was taken, so rows of silences that are over need
 * not wait any longer (some may have been ended while nobody ran). False and err: all is as it was, so ask again.
 */
bool silences_look(struct silences *s, struct store *store, int64_t now, bool *changed,
		   struct err *err) __attribute__((warn_unused_result));

/* How many were not over when they were last taken. */
size_t silences_count(const struct silences *s);

/* The latest end among those that match and are in force; 0: none is. *id: which one (of several
 * that end together the oldest). */
int64_t silences_until(const struct silences *s, const struct facts *facts, int64_t now,
		       int64_t *id);

#endif
