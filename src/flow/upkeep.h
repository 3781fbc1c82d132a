/*
 * upkeep: what the daemon does for itself, a little every second: it forgets what is over, looks
 * whether its store is as it must be, and tells of its own trouble (flow/alarm).
 *
 * Each piece of work is one bounded step, so that deliveries beside it wait for some ms at most.
 */
#ifndef FLOW_UPKEEP_H
#define FLOW_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/queue.h"
#include "flow/roster.h"
#include "store/audit.h"
#include "store/store.h"

struct upkeep;

/* All are borrowed. NULL and err: the store can't be read. */
struct upkeep *upkeep_new(const struct roster *roster, struct store *store, struct err *err)
	__attribute__((warn_unused_result));
void upkeep_free(struct upkeep **u);

/* Had this sink (index in the settings) refused all it was sent when the last run ended? */
bool upkeep_had_refused(const struct upkeep *u, size_t sink);

/* Once a second, between turns, while the store takes writes. True: rows may be due. */
bool upkeep_tick(struct upkeep *u, const struct queue *queue);
/* The roster has another configuration from now on. */
void upkeep_refit(struct upkeep *u);
/* For a life that is too short for ticks: some steps of forgetting at once. */
void upkeep_at_once(struct upkeep *u);

/* What the audit has looked at and found since the start. */
void upkeep_audit(const struct upkeep *u, struct audit_status *out);

#endif
