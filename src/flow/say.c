/* say: see the header. Levels: delivered info, retry warning, what needs a hand error. */
#include "flow/say.h"

#include "base/log.h"

/* A repeat's number is a part of its key, and ends. */
static bool is_last_repeat(const struct say_attempt *a)
{
	return a->settle->state == DELIVERY_DONE &&
	       delivery_key_origin(a->tried->id) == ORIGIN_REPEAT &&
	       delivery_key_ordinal(a->tried->id) == DELIVERY_ORDINAL_MAX;
}

static const char *hint_of(const struct say_attempt *a)
{
	if (a->outcome->hint[0] != '\0' || !is_last_repeat(a))
		return a->outcome->hint;
	return "that was repeat 4095, and the last: somebody should acknowledge or resolve the "
	       "alert; a longer `repeat` of its route reaches further";
}

static void say_with(enum log_level level, enum log_msg msg, const struct say_attempt *a)
{
	const struct outcome *o = a->outcome;
	const char *hint = hint_of(a);
	/* What was delivered may leave something to say: a recipient was refused. */
	bool tells = msg != LOG_DELIVERED || hint[0] != '\0';

	log_line(level, msg, LOG_S("sink", a->sink->name), LOG_S("alert", a->alert_id),
		 LOG_S("event", event_kind_name(a->kind)), LOG_N("delivery", a->tried->id),
		 LOG_N("attempt", a->tried->attempt),
		 (o->status != 0 ? LOG_N("status", o->status) : LOG_S("status", NULL)),
		 LOG_N("took_ms", a->tried->took_ms),
		 LOG_S("to", msg == LOG_MOVED ? a->sink->fallback : NULL),
		 LOG_S("maybe_sent", o->maybe_sent ? "true" : NULL),
		 LOG_S("reason",
		       tells ? (a->settle->reason != NULL ? a->settle->reason : o->reason)
			     : NULL),
		 LOG_S("hint", tells ? hint : NULL));
}

/* A step of several that went well is no trouble; what has a hint is. */
static enum log_level retry_level(const struct outcome *o)
{
	return o->verdict == VERDICT_AGAIN && o->hint[0] == '\0' ? LOG_INFO : LOG_WARN;
}

void say_attempt(const struct say_attempt *a)
{
	switch (a->settle->state) {
	case DELIVERY_DONE:
		say_with(hint_of(a)[0] != '\0' ? LOG_WARN : LOG_INFO, LOG_DELIVERED, a);
		return;
	case DELIVERY_DUE: say_with(retry_level(a->outcome), LOG_RETRY, a); return;
	case DELIVERY_DEAD: say_with(LOG_ERROR, LOG_DEAD, a); return;
	case DELIVERY_MOVED: say_with(LOG_WARN, LOG_MOVED, a); return;
	case DELIVERY_DROPPED: say_with(LOG_INFO, LOG_DROPPED, a); return;
	case DELIVERY_HELD:
	case DELIVERY_CLAIMED:
	case DELIVERY_ORPHANED: break;
	}
	BUG("an attempt can't end %s", delivery_state_name(a->settle->state));
}

void say_left_out(const struct say_attempt *a, const struct people *people)
{
	for (size_t i = 0; i < people->left_out_count; i++) {
		const struct left_out *l = &people->left_out[i];

		log_line(l->is_empty ? LOG_DEBUG : LOG_INFO, LOG_LEFT_OUT,
			 LOG_S("sink", a->sink->name), LOG_S("alert", a->alert_id),
			 LOG_S("event", event_kind_name(a->kind)),
			 LOG_N("delivery", a->tried->id), LOG_S("key", l->key),
			 LOG_N("place", (int64_t)l->place), LOG_S("reason", l->why));
	}
}

static void say_down(const struct say_attempt *a)
{
	const struct outcome *o = a->outcome;
	/* Held for payloads that it refused: no one row can tell, so somebody must look. */
	bool refuses = o->verdict == VERDICT_NEVER;

	log_line(o->alarm || refuses ? LOG_ERROR : LOG_WARN, LOG_SINK_DOWN,
		 LOG_S("sink", a->sink->name),
		 LOG_S("reason", refuses ? a->settle->reason : o->reason),
		 LOG_S("hint", o->hint));
}

void say_sink(const struct say_attempt *a, enum queue_change change)
{
	switch (change) {
	case QUEUE_SAME:
	case QUEUE_STILL_DOWN: return;
	case QUEUE_CAME_UP:
		log_line(LOG_INFO, LOG_SINK_UP, LOG_S("sink", a->sink->name),
			 (a->moved != 0 ? LOG_N("moved", a->moved) : LOG_S("moved", NULL)));
		return;
	case QUEUE_WENT_DOWN: say_down(a); return;
	}
	BUG("change %d", change);
}

void say_moved(const struct sink_settings *from, const char *reason)
{
	log_line(
		LOG_WARN, LOG_MOVED, LOG_S("sink", from->name), LOG_S("to", from->fallback),
		LOG_S("reason", reason),
		LOG_S("hint",
		      "its rows go there until it is up; `fallback_after` of the sink says when; what it had heard of "
		      "waits for it"));
}

void say_violation(const struct audit_finding *f, const char *sink)
{
	log_line(LOG_ERROR, LOG_AUDIT_VIOLATION, LOG_S("sink", sink), LOG_S("alert", f->alert),
		 (f->delivery != 0 ? LOG_N("delivery", f->delivery) : LOG_S("delivery", NULL)),
		 LOG_S("reason", f->what),
		 LOG_S("hint",
		       f->is_mended
			       ? "it is due now; keep a copy of the store, and report this"
			       : "keep a copy of the store, and report this; `tocsin "
				 "explain` tells what was heard, and `tocsin requeue` of a "
				 "delivery sends the alert as it is now"));
}

void say_violations_more(int64_t count)
{
	log_line(LOG_ERROR, LOG_AUDIT_VIOLATION, LOG_N("more", count),
		 LOG_S("hint",
		       "so many more were found, and are not listed: keep a copy of the "
		       "store, and report this"));
}

void say_sink_held(const char *sink, const char *reason)
{
	log_line(LOG_INFO, LOG_SINK_HELD, LOG_S("sink", sink), LOG_S("reason", reason),
		 LOG_S("hint",
		       "by the operator: nothing goes there until `tocsin sink release`"));
}

void say_sink_released(const char *sink)
{
	log_line(LOG_INFO, LOG_SINK_RELEASED, LOG_S("sink", sink));
}

void say_store_failed(const char *error, const char *hint)
{
	log_line(LOG_ERROR, LOG_STORE_FAILED, LOG_S("reason", error), LOG_S("hint", hint));
}

void say_room_low(int64_t room, int64_t reserve)
{
	log_line(LOG_ERROR, LOG_STORE_FAILED, LOG_S("reason", "the disk is nearly full"),
		 LOG_N("free_bytes", room), LOG_N("reserve_bytes", reserve),
		 LOG_S("hint", "no new alerts are taken in until there is more than "
			       "`store_reserve`; what is known is delivered on"));
}

void say_room_back(int64_t room)
{
	log_line(LOG_WARN, LOG_STORE_RECOVERED, LOG_N("free_bytes", room));
}
