/*
 * batches: digests: several rows of one sink that go out as one.
 *
 *   forming ── all whose time has come are in ──▶ waiting ── its leader settles ──▶ ended
 *                                                    └── refused as a whole ──▶ split into singles
 *
 * One row leads: it is due, claimed and settled like any other. The others are `held` by the
 * batch alone and end with it. Who is in it is fixed before it is claimed, so that a retry is the
 * same again. All is called within a transaction; failures stick to it.
 */
#ifndef STORE_BATCHES_H
#define STORE_BATCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* A held row whose time has come joins the digest that is forming of its sink, for this reason,
 * group (0: all of the sink's) and people. */
struct joining {
	int64_t id, after; /* the row; what it waits behind */
	enum hold_reason why;
	int64_t grp;
	int64_t people; /* people_of() */
	struct bearing bearing;
};
void batches_join(struct store *s, const struct joining *j, const struct tick *tick,
		  int64_t now);

/* Row id, due already, is the first of a storm: a digest of one, where the sink takes any. */
void batches_begin_storm(struct store *s, int64_t id, int64_t grp, int64_t now);

/* A row that would have been in the next digest of its sink for this reason ends instead, with
 * all that its alert has to tell: the digest for its people counts it among the rest. */
struct dropping {
	int64_t id; /* the row */
	enum hold_reason why;
	const char *severity, *type;
};
void batches_note_dropped(struct store *s, const struct dropping *d, int64_t now);

/* Nobody else is to come: those that are forming are to be sent, of very many some now and the
 * others with the next ticks. */
void batches_close(struct store *s, const struct tick *tick, int64_t now);

/* Fills what the claim of a leader tells: members with their keys, not yet their events. */
void batches_claim(struct store *s, struct claim *claim);

/* Who is told again, and when: store_turn()'s. */
struct repeats {
	int64_t (*ms)(void *arg, int route); /* NULL: nobody is */
	void *arg;
};
/* The leader has settled: what becomes of the others, of very many in later steps. */
void batches_settled(struct store *s, const struct settle *settle,
		     const struct repeats *repeats, int64_t now);
/* Such a step; false: there was nothing to do. */
bool batches_step(struct store *s, const struct repeats *repeats, int64_t now);
/* Is there such a step to be done, or one forming? */
bool batches_any_work(struct store *s);

/* Something else is to happen to this row of a digest than to the others: all go their own way. */
void batches_part(struct store *s, int64_t id, int64_t batch, int64_t now);

/* Members that have not ended, the most severe first, up to a limit. */
size_t batches_members(struct store *s, int64_t batch, int64_t *ids, size_t limit);
/* Its members become singles again: at once, or in the steps of later ticks. */
void batches_let_go(struct store *s, int64_t batch, bool at_once, int64_t now);
struct sink_facts;
/* Does the sink take more than one at a time? A reload may have made another one of it. */
bool batches_taken_by(const struct sink_facts *sink);
/* Nobody is in it any more. */
void batches_forget(struct store *s, int64_t batch);

/* Digests that were on their way when the program ended may have been heard, each member. */
void batches_doubt_claimed(struct store *s);

#endif
