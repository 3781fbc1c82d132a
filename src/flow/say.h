/*
 * say: the log lines of the pipeline, in one place, so that they read alike.
 *
 * One line an attempt, one when a sink goes down or comes up, is held or let go. A line names the sink, the reason
 * and, where there is one, the knob (`hint`). Of an alert it holds its id, event and source,
 * nothing else.
 */
#ifndef FLOW_SAY_H
#define FLOW_SAY_H

#include "flow/queue.h"
#include "store/audit.h"

struct say_attempt {
	const struct sink_settings *sink;
	const struct tried *tried;
	const char *alert_id;
	enum event_kind kind;
	const struct outcome *outcome;
	const struct settle *settle;
	int64_t moved; /* rows of its sink that went to a fallback in its last outage */
};
void say_attempt(const struct say_attempt *a);

/* Who is named by the alert and gets nothing; what stands there is not told. */
void say_left_out(const struct say_attempt *a, const struct people *people);

/* What that attempt did to its sink. */
void say_sink(const struct say_attempt *a, enum queue_change change);

/* The rows of a sink that is down go to its fallback from now on: once an outage. */
void say_moved(const struct sink_settings *from, const char *reason);

/* What the store's audit found; sink: its name. */
void say_violation(const struct audit_finding *finding, const char *sink);
/* So many more were found within the minute. */
void say_violations_more(int64_t count);

/* The operator holds this sink, or has let it go. */
void say_sink_held(const char *sink, const char *reason);
void say_sink_released(const char *sink);

/* Commands keep the store for moments. Held for longer, it is a store that fails. */
enum { STORE_BUSY_MAX_MS = 5000 };
void say_store_failed(const char *error, const char *hint);

/* The disk has less than store_reserve left, and enough again. */
void say_room_low(int64_t room, int64_t reserve);
void say_room_back(int64_t room);

#endif
