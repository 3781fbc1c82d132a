/*
 * envelope: from one alert at one event to the request that tells a sink of it.
 *
 * The path that delivery, `tocsin send` and `tocsin render` share: facts, link, rendered parts,
 * the sink's build(), and the settings that are common to all sinks. No store, no transfer.
 */
#ifndef FLOW_ENVELOPE_H
#define FLOW_ENVELOPE_H

#include "flow/setup.h"
#include "model/facts.h"
#include "model/request.h"
#include "model/sink.h"

/* What is told: everything but the alert is borrowed. */
struct envelope {
	struct alert alert; /* owned */
	struct facts facts;
	char delivery_id[DELIVERY_ID_MAX];
	char *context_bytes;  /* owned; of context */
	struct json *context; /* owned or NULL: none, or one that can't be read */
	char *link;           /* owned or NULL */
	struct message message;
};

/* Of the delivery; names as in delivery_names. */
struct envelope_names {
	const char *source, *route; /* route may be NULL */
	enum event_kind kind;
	bool first;
	int64_t episode, seq, at;
	enum delivery_origin origin;
	int ordinal;
	const char *context; /* what is known behind it, a JSON object; context_len 0: none */
	size_t context_len;
};

/* Reads the alert's bytes and fills facts and message. False when they are no alert. */
bool envelope_fill(struct envelope *e, const struct sink_settings *sink,
		   const struct envelope_names *names, const char *bytes, size_t len,
		   struct err *err) __attribute__((warn_unused_result));
void envelope_release(struct envelope *e);

/* Renders the link, when there is a template for it. */
void envelope_add_link(struct envelope *e, const struct tmpl *link);

/*
 * Renders and builds; sets timeout, CA and proxy from the sink's settings. The message's parts
 * are gone afterwards (they live in parts). False with the reason; out is then empty.
 */
bool envelope_seal(struct envelope *e, const struct sink_settings *sink, struct parts *parts,
		   struct request *out, struct err *err) __attribute__((warn_unused_result));

#endif
