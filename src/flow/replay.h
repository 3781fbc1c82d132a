/*
 * replay: what another configuration would do with an event that has been routed before.
 *
 * `tocsin check --against` asks it of each first event that the store remembers. What a sink was
 * told then stands in the rows that routes made; what it would be told now is routed and rendered
 * here. Times play no part: what would be held, and for how long, is not asked. Names that the
 * other configuration has changed, and says so by `was`, are the same.
 */
#ifndef FLOW_REPLAY_H
#define FLOW_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/setup.h"
#include "model/event.h"

enum replay_change {
	REPLAY_GAINS,    /* a sink would be told that was not */
	REPLAY_LOSES,    /* the other way round */
	REPLAY_MOVES,    /* a sink would be told by another route */
	REPLAY_UNROUTED, /* no route matches; what it loses by that is not counted apart */
	REPLAY_TEMPLATE, /* a template of a sink that would be told fails */
};
enum { REPLAY_CHANGE_COUNT = REPLAY_TEMPLATE + 1 };
/* "gains" "loses" "moves" "unrouted" "template". */
const char *replay_change_name(enum replay_change change);

/* A row that a route made of the event: whom it told. */
struct replay_row {
	const char *sink, *route;   /* as the store has them; NULL: the name is gone */
	const char *state, *reason; /* reason may be NULL */
};
/* Was the sink told of the event, or to be told? Its route or its type may have left it out. */
bool replay_row_tells(const struct replay_row *row);

struct replay_event {
	const char *source; /* as the store has it */
	enum event_kind kind;
	bool first;
	int64_t episode, seq, at;
	const char *body;
	size_t body_len;
	const char *context; /* kept with it; context_len 0: none */
	size_t context_len;
	const struct replay_row *rows; /* those that tell */
	size_t row_count;
};

enum { REPLAY_NONE = -1 };

/* Whom it would tell, by places in the settings. */
struct replay_target {
	size_t sink, route;
	int row;    /* the event's row for that sink; REPLAY_NONE */
	bool moves; /* … which another route made */
};

struct replayed {
	bool is_known; /* else its source is not in the configuration, and the rest is empty */
	unsigned changes;                    /* bits 1 << replay_change */
	const struct replay_target *targets; /* until the next call */
	size_t target_count;
	size_t failed_sink; /* of TEMPLATE: the first one */
	struct err failure;
};

struct replay;

/* The setup outlives it. */
struct replay *replay_new(const struct setup *setup) __attribute__((warn_unused_result));
void replay_free(struct replay **r);

/* False and err: the event's alert cannot be read. */
bool replay_ask(struct replay *r, const struct replay_event *event, struct replayed *out,
		struct err *err) __attribute__((warn_unused_result));

/* Is the sink of this row the sink at that place, by its name or by `was`? */
bool replay_is_sink(const struct replay *r, const struct replay_row *row, size_t sink);

#endif
