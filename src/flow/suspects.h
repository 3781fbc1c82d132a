/*
 * suspects: what this program has crashed on, and no longer works on.
 *
 *   in hand ── crash ──▶ note beside the store ── next start ──▶ counted in the store
 *   (base/crash)                                                  once: tried again
 *                                                                 twice: given up
 *
 * So one alert that makes the program crash cannot keep it crashing: a delivery that is given up
 * is a dead letter, an alert is set aside like one that can't be read, and the others go on. Of
 * an alert that crashed while it was read nothing is known but its bytes, so it is told by those;
 * one that crashed later, by its id, whatever else of it changes. A new version of the program
 * tries all of them again, but for dead letters, which are requeued by hand.
 */
#ifndef FLOW_SUSPECTS_H
#define FLOW_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alert.h"
#include "model/page.h"
#include "store/store.h"

/* What is in hand; the words of a note. */
#define IN_HAND_READ     "reading"
#define IN_HAND_TAKEN_IN "deciding"
#define IN_HAND_BUILT    "building"
#define IN_HAND_JUDGED   "judging"

/* The note of the store at this path; the caller frees it. */
char *suspects_note_path(const char *store);

/*
 * At the daemon's start: counts what the note names, says so, and removes it. It never fails: a
 * note that can't be read, or tells of what is not there any more, is said and removed, too.
 */
void suspects_count(struct store *s, const char *store, int64_t now);

/* The alerts of one source that are given up. Zeroes: none. */
struct suspects {
	struct suspect *list; /* owned */
	size_t count;
};
bool suspects_load(struct suspects *all, struct store *s, int source, struct err *err)
	__attribute__((warn_unused_result));
void suspects_release(struct suspects *all);

/* NULL, or why this item is not even read. */
const char *suspects_refuse(const struct suspects *all, const char *bytes, size_t len);
/* Is the alert with this id given up? */
bool suspects_names(const struct suspects *all, const char *id);
/* Sets aside what is given up by its id. */
void suspects_set_aside(const struct suspects *all, struct page *p);

#endif
