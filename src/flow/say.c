/* say: see the header. Levels: delivered info, retry warning, what needs a hand error. */
#include "flow/say.h"

#include "base/log.h"

static void say_with(enum log_level level, enum log_msg msg, const struct say_attempt *a)
{
	const struct outcome *o = a->outcome;
	bool failed = msg != LOG_DELIVERED;

	log_line(level, msg, LOG_S("sink", a->sink->name), LOG_S("alert", a->alert_id),
		 LOG_S("event", event_kind_name(a->kind)), LOG_N("delivery", a->tried->id),
		 LOG_N("attempt", a->tried->attempt), LOG_N("status", o->status),
		 LOG_N("took_ms", a->tried->took_ms),
		 LOG_S("maybe_sent", o->maybe_sent ? "true" : NULL),
		 LOG_S("reason",
		       failed ? (a->settle->reason != NULL ? a->settle->reason : o->reason)
			      : NULL),
		 LOG_S("hint", failed ? o->hint : NULL));
}

void say_attempt(const struct say_attempt *a)
{
	switch (a->settle->state) {
	case DELIVERY_DONE: say_with(LOG_INFO, LOG_DELIVERED, a); return;
	case DELIVERY_DUE: say_with(LOG_WARN, LOG_RETRY, a); return;
	case DELIVERY_DEAD: say_with(LOG_ERROR, LOG_DEAD, a); return;
	case DELIVERY_MOVED: say_with(LOG_WARN, LOG_MOVED, a); return;
	case DELIVERY_DROPPED: say_with(LOG_WARN, LOG_DROPPED, a); return;
	case DELIVERY_HELD:
	case DELIVERY_CLAIMED:
	case DELIVERY_ORPHANED: break;
	}
	BUG("an attempt can't end %s", delivery_state_name(a->settle->state));
}

void say_sink(const struct sink_settings *sink, enum queue_change change,
	      const struct outcome *outcome)
{
	switch (change) {
	case QUEUE_SAME:
	case QUEUE_STILL_DOWN: return;
	case QUEUE_CAME_UP: log_line(LOG_INFO, LOG_SINK_UP, LOG_S("sink", sink->name)); return;
	case QUEUE_WENT_DOWN:
		log_line(outcome->alarm ? LOG_ERROR : LOG_WARN, LOG_SINK_DOWN,
			 LOG_S("sink", sink->name), LOG_S("reason", outcome->reason),
			 LOG_S("hint", outcome->hint));
		return;
	}
	BUG("change %d", change);
}

void say_store_failed(const char *error, bool full)
{
	log_line(LOG_ERROR, LOG_STORE_FAILED, LOG_S("reason", error),
		 LOG_S("hint",
		       full ? "the disk is full: make room where `store` lies; nothing is "
			      "lost, known outcomes wait in memory"
			    : "look at the disk and the rights of the file `store` names; "
			      "nothing is lost, known outcomes wait in memory"));
}
