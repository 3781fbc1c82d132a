/*
 * route: which sinks an event goes to.
 *
 * A matcher is `field op value` (contract.md section 9): op one of = != =~ !~ < <= > >=; a list
 * is ANDed; null and missing equal the empty string; < and its kin compare severities by rank,
 * ISO times as times, numbers as numbers. The first matching route wins unless `continue`.
 */
#ifndef MODEL_ROUTE_H
#define MODEL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/facts.h"
#include "model/hours.h"

struct matcher;

struct matcher *matcher_new(const char *text, struct err *err)
	__attribute__((warn_unused_result));
void matcher_free(struct matcher **m);
bool matcher_matches(const struct matcher *m, const struct facts *facts);
const char *matcher_text(const struct matcher *m);
/*
 * For who has too many to ask each: true of one that holds, where its field is a text or missing,
 * for this value alone, byte by byte. Fills field and value of any.
 */
bool matcher_is_word(const struct matcher *m, const char **field, const char **value);
/* For a warning: false, with err, when it may match but is more likely a typo. */
bool matcher_is_plausible(const struct matcher *m, struct err *err);

/* `group = { by; wait; max; }`: rows of the same values go out as one. */
struct route_group {
	char **by; /* names of facts */
	size_t by_count;
	int64_t wait_ms; /* from the first row; 0: the route does not group */
	int64_t max;     /* so many go out at once */
};

/* `storm = { over; within; }`: more rows than that are told as "began", then held. */
struct route_storm {
	int64_t over;
	int64_t within_ms; /* 0: the route does not look for storms */
};

/* `escalate = ( { after; to; } )`: who hears of an alert that is still open. */
struct route_step {
	int64_t after_ms; /* from when the open was observed */
	size_t *to;       /* indexes of sinks */
	size_t to_count;
};

struct route {
	char *name;
	int line;
	struct matcher **match;
	size_t match_count;
	size_t *to; /* indexes of sinks */
	size_t to_count;
	bool goes_on; /* `continue` */
	bool closes;
	unsigned events; /* bit 1 << event_kind */

	/* What it holds (contract.md section 9); zero: nothing. */
	struct route_group group;
	struct hours digest;
	struct route_storm storm;
	int64_t delay_ms, repeat_ms;
	struct quiet *quiet;
	size_t quiet_count;
	struct route_step *escalate;
	size_t escalate_count;
};

bool route_matches(const struct route *r, const struct facts *facts);
/* Does this route let an event of this kind through? A `resolved` only `closes` can stop. */
bool route_wants(const struct route *r, enum event_kind kind);

/* One sink chosen, by the first route that leads there and wants the event. */
struct route_target {
	size_t sink, route; /* indexes */
	bool left_out;      /* only routes lead there whose `events` or `closes` leave it out */
};

/*
 * The targets of an event, each sink once, in route order; room for sink_count. Returns how
 * many. Facts need alert, event, first and source.
 */
size_t route_choose(const struct route *routes, size_t route_count, const struct facts *facts,
		    struct route_target *targets, size_t sink_count);

#endif
