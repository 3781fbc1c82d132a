/*
 * audit: does the store say what it must (invariants 4 and 5)? Asked of itself, while it runs.
 *
 * What was touched since the last look is looked at first, then a little of the rest by a walk
 * that comes around, so that what a command or an earlier run did wrong is found too. It works in
 * steps, each a short look at one moment of the store, with nothing written but a remedy.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

struct store;
struct audit;

/* One violation. */
struct audit_finding {
	const char
		*alert; /* its id, or the beginning of it; until found() returns; "" unknown */
	int64_t delivery; /* 0: it is about an event and a sink that has no row */
	int64_t event;
	int sink;         /* number */
	const char *what; /* a constant */
	bool is_mended;   /* the row that waited in vain is due now */
};

struct audit_rules {
	/* Does a sink that was chosen by this route (number; 0: none) hear an event of this kind? */
	bool (*follows)(void *arg, int route, int sink, enum event_kind kind);
	/* Called for each violation, between steps of the store. */
	void (*found)(void *arg, const struct audit_finding *finding);
	void *arg;
};

struct audit_status {
	int64_t rows;       /* looked at */
	int64_t violations; /* found */
	int64_t waited;     /* of these: rows that waited for one that had ended */
	int64_t mended;
	int64_t rounds;       /* the walk has come around so often */
	int64_t clean_rounds; /* … and nothing was found since it began */
};

/* From now on the store notes what is touched. Events that come from now on are judged by the
 * rules; what came before may have followed other ones. */
struct audit *audit_new(struct store *s, const struct audit_rules *rules)
	__attribute__((warn_unused_result));
void audit_free(struct audit **a);
/* Other rules are in force from now on. */
void audit_from_now(struct audit *a);

/* Takes up what was touched since the last call; once a minute. What is still to be looked at
 * stays. */
void audit_begin(struct audit *a);
/* One step, some ms; false: nothing is left until the next audit_begin(). */
bool audit_step(struct audit *a, int64_t now);

void audit_status(const struct audit *a, struct audit_status *out);

#endif
