/*
 * samples: one realistic alert of each type, for `check`, `render` and `send`.
 *
 * They hold what makes templates fail: quotes, line breaks, markup, letters beyond ASCII, null
 * where the API allows it. A sample fits its event: an `acknowledged` one has that status, a
 * `resolved` one its time.
 */
#ifndef FLOW_SAMPLES_H
#define FLOW_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/event.h"

/* The types, ended by NULL; the first is the one that is shown unless another is asked for. */
extern const char *const samples_types[];

struct sample_as {
	enum event_kind kind;
	int64_t at;     /* when the event was observed; the alert is a little older */
	const char *id; /* letters, digits and dashes; NULL: the sample's own */
};

/* Adds the alert as JSON. False for an unknown type. */
bool samples_add(struct buf *out, const char *type, const struct sample_as *as);

/*
 * Adds what is behind it, as an event's context: of one all there is, of others a part, as it would
 * be where not all is known. False for an unknown type.
 */
bool samples_add_context(struct buf *out, const char *type, int64_t at);

/* A moment that never changes, so that renderings of samples can be compared. */
int64_t samples_moment(void);

#endif
