/*
 * people: for whom a row is, where alerts name the recipients of its sink.
 *
 * What follows on an open goes to those who heard it, whatever the alert names by then: its
 * recipients are those of the sink's first row in the episode, by the bytes of that row's event.
 * Nothing of it is stored with the row, so an attempt, a follow-up, a step of an escalation, a
 * repeat and a requeued row all find the same. A row that ended because it named nobody is passed
 * over: nobody heard it.
 */
#ifndef STORE_PEOPLE_H
#define STORE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

struct store;

/* The event whose people the row is for; its own where the sink is like any other. */
int64_t people_event(struct store *s, int64_t id);

/* A number that is the same for the same people; 0: of any other sink; STORE_NOBODY. */
int64_t people_of(struct store *s, int64_t id);

#endif
