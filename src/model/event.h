/*
 * event: the words of the pipeline, each in one table, and the names of a delivery.
 *
 * An event is one observed step of an alert; a delivery is one event for one sink for one
 * origin and ordinal. The words are those of contract.md section 2 and are stored as text.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_OPENED,
	EVENT_ACKNOWLEDGED,
	EVENT_RESOLVED,
	EVENT_REOPENED,
	EVENT_CHANGED
};
enum { EVENT_KIND_COUNT = 5 };
const char *event_kind_name(enum event_kind kind);
bool event_kind_parse(const char *word, enum event_kind *kind);

/* What we hold an alert to be; `state` of v_alerts. */
enum alert_state { ALERT_IS_ACTIVE, ALERT_IS_RESOLVED, ALERT_IS_SILENT, ALERT_IS_VANISHED };
const char *alert_state_name(enum alert_state state);
bool alert_state_parse(const char *word, enum alert_state *state);

enum delivery_state {
	DELIVERY_DUE,
	DELIVERY_HELD,
	DELIVERY_CLAIMED,
	DELIVERY_DONE,
	DELIVERY_DEAD,
	DELIVERY_MOVED,
	DELIVERY_DROPPED,
	DELIVERY_ORPHANED,
};
const char *delivery_state_name(enum delivery_state state);
bool delivery_state_parse(const char *word, enum delivery_state *state);

enum delivery_origin {
	ORIGIN_ROUTE,
	ORIGIN_FOLLOW,
	ORIGIN_FALLBACK,
	ORIGIN_ESCALATION,
	ORIGIN_REPEAT,
	ORIGIN_REQUEUE,
};
const char *delivery_origin_name(enum delivery_origin origin);

/* What a row waits for that is held for a time; `reason` of v_deliveries, `why` of a digest. */
enum hold_reason {
	HOLD_NONE,
	HOLD_SILENCE,
	HOLD_QUIET,
	HOLD_DELAY,
	HOLD_DIGEST,
	HOLD_STORM,
	HOLD_GROUP,
	HOLD_ESCALATION,
	HOLD_REPEAT,
	HOLD_FLAP,
};
/* "" for none. */
const char *hold_reason_name(enum hold_reason reason);
bool hold_reason_parse(const char *word, enum hold_reason *reason);

/* How an attempt ended (design.md section 4). */
enum verdict { VERDICT_DELIVERED, VERDICT_AGAIN, VERDICT_LATER, VERDICT_NEVER };
enum { VERDICT_KINDS = VERDICT_NEVER + 1 };
const char *verdict_name(enum verdict verdict);

/*
 * The key of a delivery row: event, sink, origin and ordinal packed into 63 bits
 * (36 + 12 + 3 + 12), so that the key is the uniqueness and rows of one event are one range.
 */
enum { DELIVERY_SINK_MAX = 4095, DELIVERY_ORDINAL_MAX = 4095 };
int64_t delivery_key(int64_t event, int sink, enum delivery_origin origin, int ordinal);
int64_t delivery_key_event(int64_t key);
int delivery_key_sink(int64_t key);
enum delivery_origin delivery_key_origin(int64_t key);
int delivery_key_ordinal(int64_t key);

/*
 * delivery_id = webhook-id: "tcs_" and 32 hex digits of a SHA-256 over the names below, so a
 * lost store makes the same ids again, and no two differ by where a field ends.
 */
enum { DELIVERY_ID_MAX = 40 };
struct delivery_names {
	const char *org_id, *alert_id;
	int64_t episode;
	enum event_kind kind;
	int64_t seq;
	const char *sink;
	enum delivery_origin origin;
	int ordinal;
};
void delivery_id(const struct delivery_names *names, char id[DELIVERY_ID_MAX]);
/* A digest's: of its members', in order. */
void delivery_digest_id(const char (*ids)[DELIVERY_ID_MAX], size_t count,
			char id[DELIVERY_ID_MAX]);

/*
 * What a receiver pairs an alert's events by, over all episodes and whatever the sink is called:
 * "ORGANISATION:ID" where both are short and plain, else a hash of both.
 */
enum { DEDUP_KEY_MAX = 104 };
void dedup_key(const char *org_id, const char *alert_id, char key[DEDUP_KEY_MAX]);

#endif
