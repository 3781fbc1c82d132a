/*
 * explain: the story of one alert, told by one of two voices.
 *
 * explain.c walks from the alert over its events and their deliveries to the attempts, and
 * calls the voice at each step; explain_json.c and explain_text.c are the voices, explain_hold.c
 * the words for what held a delivery, explain_silences.c finds which silences, explain_lens.c
 * what one sink sees of it all. They write to the spool alone, for the story is read in one transaction.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/explain_lens.h"
#include "cli/glance.h"
#include "cli/jline.h"
#include "cli/rows.h"
#include "model/alert.h"
#include "model/facts.h"
#include "store/store.h"

/* What is due next, of all deliveries of the alert. */
struct next {
	int64_t id, at; /* at 0: nothing */
	char *sink;     /* owned */
};

/* The matchers of a row's route that hold on its event. */
struct matched {
	bool route_known; /* it is in the configuration, under that name */
	char **texts;     /* owned */
	size_t count;
};

/* Silences that were about a row. Texts are owned. */
struct hushes {
	struct hush {
		int64_t id, until;
		char *matchers, *comment, *who; /* matchers: a JSON list of texts */
	} * list;
	size_t count;
};

/* The alert as it was at an event. */
struct told {
	bool is_known; /* its bytes can be read */
	struct alert alert;
	struct buf text;      /* its context */
	struct json *context; /* the same; NULL: none is kept with it */
	struct facts facts;
};

struct story {
	const struct glance *glance;
	const struct lens *lens; /* NULL: all of it, to every sink */
	struct store *store;
	const struct voice *voice;
	FILE *out; /* the spool's */
	struct jline j;
	int64_t now;
	struct next next;
	const char *source; /* of the alert */

	/* Of the event being told. */
	int64_t seq, episode;
	bool waits;            /* for its context: it is not routed yet */
	size_t delivery_count; /* to whatever sink */
	struct told event;
	struct told began; /* the first event of its episode: routes chose then */

	/* The event by which the sink that is asked for first heard of an episode: whom that names. */
	struct told heard;
	int64_t heard_in;            /* that episode; 0: none yet */
	bool is_opening;             /* the event being told is it */
	size_t seen_count;           /* of all deliveries of that sink */
	const struct people *people; /* of the delivery being told; NULL: not by addresses */

	struct hushes hushes; /* of the delivery being told */
	int64_t dead_id;      /* … when it is a dead letter; else 0 */
	size_t dead_count;    /* of the whole alert */
};

/* Views are at a row: of v_alerts, v_events, and v_deliveries with EXPLAIN_COLUMNS. */
#define EXPLAIN_BATCH " FROM v_batches WHERE id = d.batch_id) AS batch_"
#define EXPLAIN_COLUMNS                                      \
	ROWS_COLUMNS ", d.hold, d.hold_until, "              \
		     "(SELECT why" EXPLAIN_BATCH "why, "     \
		     "(SELECT count" EXPLAIN_BATCH "count, " \
		     "(SELECT storm" EXPLAIN_BATCH "storm, " \
		     "(SELECT rest" EXPLAIN_BATCH "rest, "   \
		     "(SELECT json_extract(rest, '$.count')" EXPLAIN_BATCH "unlisted"
struct voice {
	void (*alert)(struct story *s, struct view *v);
	void (*event)(struct story *s, struct view *v);
	void (*delivery)(struct story *s, struct view *v, const struct matched *matched);
	void (*attempt)(struct story *s, const struct row_try *t, int64_t n);
	void (*delivery_end)(struct story *s);
	void (*event_end)(struct story *s);
	void (*alert_end)(struct story *s);
};

extern const struct voice explain_json, explain_text;

/* Who and what stands behind the alert, what is not known, and what is waited for: lines. */
void explain_context(struct story *s, struct view *v);

/* What held the row, what it went out with and how it ended: lines, each after a line break. */
void explain_hold(struct story *s, struct view *v);
/* Is the row held for a time, for a reason that explain_hold() has words for? */
bool explain_knows_hold(struct view *v);

/* Silences in force from the event (facts->at) until then that match its alert. On false h is
 * to be released all the same. */
bool explain_silences_find(struct store *store, const struct facts *facts, int64_t until,
			   struct hushes *h, struct err *err);
void explain_silences_release(struct hushes *h);

#endif
