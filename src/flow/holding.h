/*
 * holding: what holds a delivery back, by the configuration and the silences (contract.md
 * section 9).
 *
 *   silence ─▶ quiet ─▶ delay ─▶ digest ─▶ storm ─▶ group        the first that applies holds
 *
 * Asked when a row is made, and again when its time has come: then silence and quiet still
 * count, and after a delay what comes later in the line. Critical is never held by a storm or a
 * delay. Steps of an escalation and repeats are held by silence and quiet alone, wait for a sweep
 * that is complete, and end when their alert is no longer open. Pure: the time comes in.
 */
#ifndef FLOW_HOLDING_H
#define FLOW_HOLDING_H

#include <stddef.h>
#include <stdint.h>

#include "flow/roster.h"
#include "flow/silences.h"
#include "store/store.h"

/* Both outlive it. */
struct holding {
	const struct roster *roster;
	const struct silences *silences; /* NULL: there are none */
};

/* What holds a new row of this route (NULL: none) for this sink (a number). */
void holding_wish(const struct holding *h, const struct route *route, int sink,
		  const struct facts *facts, int64_t now, struct wish *out);

/*
 * How often the alert has opened again, with this time; is it flapping now? Then its row is held
 * with what follows, and told as one. Critical ones are not.
 */
struct flap holding_flap(const struct holding *h, const struct flap *before, int64_t now);
bool holding_is_flapping(const struct holding *h, const struct flap *flap,
			 const struct alert *alert);
/* … where nothing that comes first holds it. */
void holding_wish_flap(const struct holding *h, int64_t now, struct wish *wish);

/* Step n (from 1) of the route's escalation, for an open observed at `at`. */
void holding_step(const struct route *route, size_t n, int64_t at, struct wish *out);

/* A row's time has come: what becomes of it (struct tick's). */
void holding_ripens(const struct holding *h, const struct ripe *row, int64_t now,
		    struct ripened *out);

/* How the alert counts in a digest (struct tick's). */
void holding_bears(const char *body, size_t len, struct bearing *out);

#endif
