/*
 * guests: who is connected to a server, and for how long they may be.
 *
 * Each connection may take so long for a request: from its beginning, or from the end of its
 * last answer, until the next answer is out. Who takes longer is shown the door: a client that
 * sends a byte now and then, one that sends nothing, one that does not read. And when the house
 * is full, who has been there longest goes, so that a newcomer always gets in: those who ask and
 * read are done in milliseconds, so the longest is never one of them.
 *
 * The door is shutdown(2): the server's library sees an orderly end and closes by itself. The
 * descriptors are its own.
 */
#ifndef IO_GUESTS_H
#define IO_GUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "io/turn.h"

struct guests;
struct guest;

/* At most `max` at a time, each with stay_ms for a request. */
struct guests *guests_new(struct turn *turn, size_t max, int64_t stay_ms)
	__attribute__((warn_unused_result));
/* All guests must have left. */
void guests_free(struct guests **g);

/* A connection has begun; fd is its socket until guest_left(). */
struct guest *guest_came(struct guests *g, int fd) __attribute__((warn_unused_result));
/* An answer to it is out: its time begins anew. */
void guest_served(struct guest *guest);
/* It is closed; NULL is nobody. */
void guest_left(struct guest **guest);

#endif
