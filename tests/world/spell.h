/*
 * spell: a receiver's bad weather: what becomes of a request, how often, until when.
 *
 * What a request meets is drawn once, when it arrives, by the receiver's own chance.
 */
#ifndef WORLD_SPELL_H
#define WORLD_SPELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "world/sim_io.h"

enum spell_kind {
	SPELL_NONE,
	/* The destination's fault. */
	SPELL_500,
	SPELL_502,
	SPELL_503,
	SPELL_429,
	SPELL_RESOLVE,
	SPELL_REFUSED,
	SPELL_TLS,
	SPELL_GARBLED,
	SPELL_UNCONNECTED, /* no connection comes about until the timeout */
	SPELL_HANG,        /* read by nobody */
	SPELL_HEARD_HANG,  /* heard, and never answered */
	SPELL_CUT,
	SPELL_HEARD_CUT,
	SPELL_401,
	SPELL_403,
	SPELL_404,
	SPELL_410,
	SPELL_302,
	/* The row's. */
	SPELL_400,
	SPELL_422,
	SPELL_409,
	SPELL_418, /* an answer nobody knows */
	/* Nobody's. */
	SPELL_SLOW,
	SPELL_KINDS
};

/* How a Retry-After is written, if at all. */
enum spell_retry {
	ASKS_SECONDS,
	ASKS_DATE,
	ASKS_NOTHING,
	ASKS_NONSENSE,
	ASKS_PAST,
	ASKS_KINDS
};

struct spell {
	enum spell_kind kind;
	int64_t percent;
	int64_t from, until;
	enum spell_retry retry;
	int64_t retry_ms;
};

const char *spell_name(enum spell_kind kind);
/* What the request meets. */
enum spell_kind spell_draw(const struct spell *s, struct chance *chance, int64_t now);
/* Is a request that met it heard? */
bool spell_hears(enum spell_kind kind);
/* Is it the destination's fault, and not the row's? */
bool spell_is_down(enum spell_kind kind);
/* Fills the answer to a request that met it. */
void spell_answer(const struct spell *s, enum spell_kind kind, struct sim_answer *out);

#endif
