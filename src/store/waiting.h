/*
 * waiting: events that are kept, and not routed yet, since their context is still to come.
 *
 * Only the newest event of an alert waits, and it is the first of an episode: as soon as the
 * alert goes on it is routed with what is known, so that what follows finds the rows that it
 * follows.
 */
#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "store/telling.h"

/* Does this event wait? Then it does no longer, and has its rows. */
void waiting_catch_up(struct telling *t, int64_t event);

/* Looks at so many events of the batch's source that wait, after this one. Returns the last of
 * them; 0: there are no more. */
int64_t waiting_look(struct telling *t, int64_t after, size_t room);

/* Until when the first of a source's events waits; INT64_MAX: none does. */
int64_t waiting_until(struct store *s, int source);

#endif
