/*
 * server_clock: what the API's clock shows, from the Date of its answers; pure.
 *
 * The baseline and the depth of head passes are measured by it, so a single wrong Date must not
 * move it: forward it would silence what is new, or make passes too shallow. A Date near to what
 * is believed (at first: our own clock) is taken at once; one that is minutes off only when the
 * answers that follow say the same.
 */
#ifndef FLOW_SERVER_CLOCK_H
#define FLOW_SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct server_clock {
	bool is_known;
	int64_t ahead_ms; /* of our steady clock */
	/* A Date that was not believed, and how many said so one after another. */
	int64_t doubted_ms;
	int doubted, answers;
};

/* An answer came: date is its Date, 0 when it had none; wall and steady are our own clocks. */
void server_clock_note(struct server_clock *c, int64_t date, int64_t wall, int64_t steady);
/* What it shows at that steady instant, once it is known. */
int64_t server_clock_at(const struct server_clock *c, int64_t steady);

#endif
