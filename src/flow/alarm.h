/*
 * alarm: what the daemon itself has to say, as alerts of a source of its own, `tocsin`.
 *
 * An own alert is stored like any other, so retries, templates, mail threads and closes work by
 * themselves; only routes do not choose its sinks (it has none): it goes to every sink that is
 * up, or, where none is, to all but the one that it is about. Its id is `tocsin:KIND` or
 * `tocsin:KIND:SUBJECT`; while that is open, raising it again makes nothing new, and clearing it
 * tells whoever heard it.
 *
 * What is raised and cleared waits in memory, as what ought to be open, until the store takes it;
 * what comes and goes in between was nothing. At start those of the last run are open still: who
 * finds that the cause is gone clears them. Those whose sink is no longer configured are cleared
 * by themselves.
 */
#ifndef FLOW_ALARM_H
#define FLOW_ALARM_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/queue.h"
#include "flow/roster.h"
#include "store/store.h"

enum alarm_kind {
	ALARM_SINK_REFUSES, /* subject: the sink that refuses one payload after another */
	ALARM_AUDIT,        /* subject "": the store is not as it must be */
};

struct alarm;

/* Both are borrowed. NULL and err: the store can't be read. */
struct alarm *alarm_new(const struct roster *roster, struct store *store, struct err *err)
	__attribute__((warn_unused_result));
void alarm_free(struct alarm **a);

/* message: a sentence or two, of which at most ALARM_MESSAGE_MAX bytes are told. */
enum { ALARM_MESSAGE_MAX = 1000 };
void alarm_raise(struct alarm *a, enum alarm_kind kind, const char *subject,
		 const char *message);
void alarm_clear(struct alarm *a, enum alarm_kind kind, const char *subject);
bool alarm_is_open(const struct alarm *a, enum alarm_kind kind, const char *subject);

/* Clears what is about sinks that are configured no longer. */
void alarm_forget_gone(struct alarm *a);

/*
 * Once a second, between turns: raises and clears what the queue tells of its sinks, and hands
 * what has changed to the store, if anything; where that refuses, the next tick is the next try.
 * True when rows may have been made.
 */
bool alarm_tick(struct alarm *a, const struct queue *queue);

#endif
