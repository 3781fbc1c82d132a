/*
 * recipients: whom an event names, where a sink lets alerts name its recipients.
 *
 * One function for all who ask: deliveries (by the event that the store says, see struct
 * opening), the store (who may share a digest), groups, and commands. Recipients are found in the
 * alert as it came: what names them cannot be redacted.
 */
#ifndef FLOW_RECIPIENTS_H
#define FLOW_RECIPIENTS_H

#include <stdbool.h>

#include "base/err.h"
#include "model/people.h"
#include "model/settings.h"
#include "store/store.h"

/* Do alerts name any of those whom this sink writes to? All else here is for such sinks alone. */
bool recipients_are_named(const struct sink_settings *sink);

/* Fills out by an event of this source. False, with nobody, when its alert can't be read. */
bool recipients_of(const struct sink_settings *sink, const char *source,
		   const struct opening *opening, struct people *out, struct err *err)
	__attribute__((warn_unused_result));

/* The same of facts that are there already. */
void recipients_named(const struct sink_settings *sink, const struct facts *facts,
		      struct people *out);

/* The same as one number (struct store_namer's): never 0, STORE_NOBODY for nobody. */
int64_t recipients_key(const struct sink_settings *sink, const char *source,
		       const struct opening *opening);
/* … of an event whose facts are there. */
int64_t recipients_key_of(const struct sink_settings *sink, const struct facts *facts);

#endif
