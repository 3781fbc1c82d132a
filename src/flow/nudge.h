/*
 * nudge: Toktra's own webhook, taken as a word that it is worth polling now.
 *
 * Only the signature counts (Toktra API, webhooks: X-Toktra-Signature: sha256=HEX, the whole
 * secret as the key, over the raw body); what the body says is not even read. So a forged one does
 * nothing, and neither a replayed nor a lost one can make or lose an alert: the poll is the record
 * of truth. Nudges fold: one poll at once, then at most one a NUDGE_GAP_MS, within the budget.
 * Pure, on the steady clock.
 */
#ifndef FLOW_NUDGE_H
#define FLOW_NUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/conf.h"

enum {
	NUDGE_BODY_MAX = 1 << 20,
	NUDGE_GAP_MS = 1000,
};

struct nudge {
	int64_t at;             /* when a poll is wanted; INT64_MAX: none is */
	int64_t polled_at;      /* the last one that was */
	int64_t folded;         /* valid ones since then */
	int64_t taken, refused; /* since start */
	int64_t refused_said_at, refused_unsaid;
};

void nudge_init(struct nudge *n, int64_t now);

/* Is it signed with one of the secrets? In constant time for a signature of the right length. */
bool nudge_is_signed(const struct conf_texts *secrets, const char *signature, const char *body,
		     size_t len);

/* A valid one. */
void nudge_take(struct nudge *n, int64_t now);
/* One that is not: true when it is to be said, once a minute, and how many there were. */
bool nudge_refuse(struct nudge *n, int64_t now, int64_t *count);

/* True when a poll is wanted now, once each time; how many nudges it stands for. */
bool nudge_is_due(struct nudge *n, int64_t now, int64_t *folded);

#endif
