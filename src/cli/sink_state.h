/*
 * sink_state: how a sink is, as `status` and `sink list` tell it.
 */
#ifndef CLI_SINK_STATE_H
#define CLI_SINK_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/jline.h"
#include "store/store.h"

/* What a query of v_sinks, as k, must select for the functions below. */
#define SINK_STATE_COLUMNS                                                              \
	"k.name, k.type, k.state, k.held_until, k.held_since, k.down_since, k.reason, " \
	"k.present"

/* Of a sink in the configuration: "tried again in 3 min: HTTP 503", "by the operator, 2 h ago". */
void sink_state_why(struct view *v, int64_t now, bool daemon_lives, char *text, size_t size);

/* The members that both have in common. */
void sink_state_json(struct jline *j, struct view *v);

#endif
