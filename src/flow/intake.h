/*
 * intake: what is seen on a page becomes events and delivery rows.
 *
 * An alert seen is NEW, CHANGED or SAME; the first two become events by a table; the first
 * event of an episode is routed, every later one follows to the sinks of that episode
 * (invariant 5). One page is one store_page() batch; the last page of a pass carries the
 * position (invariant 3). The decisions are pure functions of what the store knew and what was
 * seen, so they are tested as tables.
 */
#ifndef FLOW_INTAKE_H
#define FLOW_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/context.h"
#include "flow/doubts.h"
#include "flow/holding.h"
#include "flow/roster.h"
#include "flow/suspects.h"
#include "model/page.h"
#include "store/store.h"

/* How one source's alerts are taken in. */
struct intake {
	const struct holding *holding;
	const struct roster *roster; /* the same */
	const struct source_settings *source;
	int source_number;
	struct context *context;         /* NULL: events have none */
	const struct suspects *suspects; /* NULL: there are none */
	int64_t baseline_at; /* older alerts are recorded without ringing; 0: none are older */
	int64_t now;         /* of the page */
	const struct alert *seen;    /* the alert that is being decided on */
	int64_t seen_at;             /* when it was so */
	struct alert waited;         /* it, where its event has waited; owned */
	struct buf text;             /* the context of its events */
	struct json *known;          /* the same, parsed; NULL: none; owned */
	bool is_flapping;            /* it opens again too often */
	struct route_target *chosen; /* scratch, one a sink; owned */
	struct target *targets;
	size_t target_count, target_room;
	struct doubts doubts;
	int64_t unrouted;     /* episodes that began without a route, since start */
	int64_t unrouted_now; /* of the batch that is being stored, or was */
	bool is_over;         /* that batch was gone through; it may be so again */
};

void intake_init(struct intake *in, const struct holding *holding,
		 const struct source_settings *source, int source_number);
/* Another configuration, which the roster has already; not while a page is being stored. */
void intake_refit(struct intake *in, const struct source_settings *source);
void intake_release(struct intake *in);

/*
 * Makes a page the batch for store_page(); position may be NULL. The caller sets done and arg.
 * The page must live until done().
 */
struct page_batch intake_batch(struct intake *in, const struct page *page,
			       const struct source_state *position, int64_t now);

/* The batch that looks again at some events which wait for their context, after this one. */
struct page_batch intake_look(struct intake *in, int64_t after, int64_t now);

/* All of them wait no longer. False: the store refuses; those that are left still wait. */
bool intake_end_waiting(struct intake *in, struct store *store, int64_t now, size_t *deliveries)
	__attribute__((warn_unused_result));

/* A batch of this intake was stored: what it counted counts, what it missed is asked for. */
void intake_stored(struct intake *in);

/*
 * The steps for one alert (targets not yet filled), given what the store knew (NULL: nothing):
 * the heart of intake, pure. Returns false for an alert that is recorded silently.
 */
bool intake_steps(const struct known *known, const struct alert *seen, int64_t baseline_at,
		  struct decision *out);

/* Why a sink that routes chose is told nothing of an episode's first event; NULL: it is told. */
const char *intake_drops(const struct route_target *chosen, const struct sink_settings *sink,
			 enum event_kind kind, bool first);
/* Is this reason of a dropped row one of those? */
bool intake_has_dropped(const char *reason);

/*
 * Does a sink of an episode, chosen by this route (number; 0: none), hear an event of this kind?
 * A route that is gone filters nothing: the sink heard the open, it hears the rest.
 */
bool intake_follows(const struct roster *roster, int route, int sink, enum event_kind kind);

#endif
