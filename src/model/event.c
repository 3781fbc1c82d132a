/*
 * event: the words and keys of the pipeline.
 *
 * Both layouts below are stored or sent and so fixed for good: the bits of a delivery key are
 * the primary key of a table, and a delivery id is what a receiver deduplicates by.
 */
#include "model/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "base/num.h"

static const char *const event_kinds[] = {
	[EVENT_OPENED] = "opened",     [EVENT_ACKNOWLEDGED] = "acknowledged",
	[EVENT_RESOLVED] = "resolved", [EVENT_REOPENED] = "reopened",
	[EVENT_CHANGED] = "changed",
};

static const char *const alert_states[] = {
	[ALERT_IS_ACTIVE] = "active",
	[ALERT_IS_RESOLVED] = "resolved",
	[ALERT_IS_SILENT] = "silent",
	[ALERT_IS_VANISHED] = "vanished",
};

static const char *const delivery_states[] = {
	[DELIVERY_DUE] = "due",         [DELIVERY_HELD] = "held",
	[DELIVERY_CLAIMED] = "claimed", [DELIVERY_DONE] = "done",
	[DELIVERY_DEAD] = "dead",       [DELIVERY_MOVED] = "moved",
	[DELIVERY_DROPPED] = "dropped", [DELIVERY_ORPHANED] = "orphaned",
};

static const char *const delivery_origins[] = {
	[ORIGIN_ROUTE] = "route",       [ORIGIN_FOLLOW] = "follow",
	[ORIGIN_FALLBACK] = "fallback", [ORIGIN_ESCALATION] = "escalation",
	[ORIGIN_REPEAT] = "repeat",     [ORIGIN_REQUEUE] = "requeue",
};

static const char *const hold_reasons[] = {
	[HOLD_NONE] = "",       [HOLD_SILENCE] = "silence",       [HOLD_QUIET] = "quiet",
	[HOLD_DELAY] = "delay", [HOLD_DIGEST] = "digest",         [HOLD_STORM] = "storm",
	[HOLD_GROUP] = "group", [HOLD_ESCALATION] = "escalation", [HOLD_REPEAT] = "repeat",
	[HOLD_FLAP] = "flap",
};

static const char *const verdicts[] = {
	[VERDICT_DELIVERED] = "delivered",
	[VERDICT_AGAIN] = "again",
	[VERDICT_LATER] = "later",
	[VERDICT_NEVER] = "never",
};

_Static_assert(ARRAY_LEN(event_kinds) == EVENT_KIND_COUNT, "a word for every kind");

static bool find(const char *const *words, size_t count, const char *word, size_t *index)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

const char *event_kind_name(enum event_kind kind)
{
	return event_kinds[kind];
}

bool event_kind_parse(const char *word, enum event_kind *kind)
{
	size_t index;

	if (!find(event_kinds, ARRAY_LEN(event_kinds), word, &index))
		return false;
	*kind = (enum event_kind)index;
	return true;
}

const char *alert_state_name(enum alert_state state)
{
	return alert_states[state];
}

bool alert_state_parse(const char *word, enum alert_state *state)
{
	size_t index;

	if (!find(alert_states, ARRAY_LEN(alert_states), word, &index))
		return false;
	*state = (enum alert_state)index;
	return true;
}

const char *delivery_state_name(enum delivery_state state)
{
	return delivery_states[state];
}

bool delivery_state_parse(const char *word, enum delivery_state *state)
{
	size_t index;

	if (!find(delivery_states, ARRAY_LEN(delivery_states), word, &index))
		return false;
	*state = (enum delivery_state)index;
	return true;
}

const char *delivery_origin_name(enum delivery_origin origin)
{
	return delivery_origins[origin];
}

const char *hold_reason_name(enum hold_reason reason)
{
	return hold_reasons[reason];
}

bool hold_reason_parse(const char *word, enum hold_reason *reason)
{
	size_t index;

	if (!find(hold_reasons, ARRAY_LEN(hold_reasons), word, &index))
		return false;
	*reason = (enum hold_reason)index;
	return true;
}

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict];
}

/* From the top: event 36, sink 12, origin 3, ordinal 12. */
enum { ORDINAL_BITS = 12, ORIGIN_BITS = 3, SINK_BITS = 12, EVENT_BITS = 36 };
enum {
	ORIGIN_SHIFT = ORDINAL_BITS,
	SINK_SHIFT = ORIGIN_SHIFT + ORIGIN_BITS,
	EVENT_SHIFT = SINK_SHIFT + SINK_BITS,
};

_Static_assert(EVENT_SHIFT + EVENT_BITS == 63, "a key is a positive int64");
_Static_assert(DELIVERY_SINK_MAX == (1 << SINK_BITS) - 1, "a sink's number fits");
_Static_assert(DELIVERY_ORDINAL_MAX == (1 << ORDINAL_BITS) - 1, "an ordinal fits");

int64_t delivery_key(int64_t event, int sink, enum delivery_origin origin, int ordinal)
{
	if (event < 0 || event >> EVENT_BITS != 0 || sink < 0 || sink > DELIVERY_SINK_MAX ||
	    ordinal < 0 || ordinal > DELIVERY_ORDINAL_MAX)
		BUG("no room in a delivery key: event %" PRId64 " sink %d ordinal %d", event,
		    sink, ordinal);
	return event << EVENT_SHIFT | (int64_t)sink << SINK_SHIFT |
	       (int64_t)origin << ORIGIN_SHIFT | ordinal;
}

int64_t delivery_key_event(int64_t key)
{
	return key >> EVENT_SHIFT;
}

int delivery_key_sink(int64_t key)
{
	return (int)(key >> SINK_SHIFT & DELIVERY_SINK_MAX);
}

enum delivery_origin delivery_key_origin(int64_t key)
{
	return (enum delivery_origin)(key >> ORIGIN_SHIFT & ((1 << ORIGIN_BITS) - 1));
}

int delivery_key_ordinal(int64_t key)
{
	return (int)(key & DELIVERY_ORDINAL_MAX);
}

enum { ID_BYTES = 16 }; /* of the digest; more would tell nothing more apart */

/* A text and the NUL behind it, which no text can hold: so fields cannot run together. */
static struct hmac_part field(const char *text)
{
	if (text == NULL)
		text = "";
	return (struct hmac_part){ text, strlen(text) + 1 };
}

/* "tcs_" and the beginning of a hash. */
static void id_of(const struct hmac_part *fields, size_t count, char *id)
{
	unsigned char digest[HMAC_LEN];

	sha256_of_parts(fields, count, digest);
	memcpy(id, "tcs_", 4);
	for (size_t i = 0; i < ID_BYTES; i++) {
		id[4 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
		id[5 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
	}
	id[4 + 2 * ID_BYTES] = '\0';
}

void delivery_id(const struct delivery_names *names, char id[DELIVERY_ID_MAX])
{
	char episode[NUM_TEXT_MAX], seq[NUM_TEXT_MAX], ordinal[NUM_TEXT_MAX];

	num_text(names->episode, episode);
	num_text(names->seq, seq);
	num_text(names->ordinal, ordinal);
	const struct hmac_part fields[] = {
		field(names->org_id),
		field(names->alert_id),
		field(episode),
		field(event_kind_name(names->kind)),
		field(seq),
		field(names->sink),
		field(delivery_origin_name(names->origin)),
		field(ordinal),
	};

	id_of(fields, ARRAY_LEN(fields), id);
}

void delivery_digest_id(const char (*ids)[DELIVERY_ID_MAX], size_t count,
			char id[DELIVERY_ID_MAX])
{
	struct hmac_part *fields = mem_array(count + 1, sizeof(*fields));

	fields[0] = field("digest");
	for (size_t i = 0; i < count; i++)
		fields[i + 1] = field(ids[i]);
	id_of(fields, count + 1, id);
	mem_free(&fields);
}

static bool is_plain(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";

	return strspn(name, letters) == strlen(name);
}

void dedup_key(const char *org_id, const char *alert_id, char key[DEDUP_KEY_MAX])
{
	const struct hmac_part fields[] = { field(org_id), field(alert_id) };

	if (is_plain(org_id) && is_plain(alert_id) &&
	    snprintf(key, DEDUP_KEY_MAX, "%s:%s", org_id, alert_id) < DEDUP_KEY_MAX)
		return;
	id_of(fields, ARRAY_LEN(fields), key);
}
