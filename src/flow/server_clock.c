/* server_clock: see the header. */
#include "flow/server_clock.h"

enum {
	STEP_MS = 2 * 60 * 1000, /* a Date further off than that is doubted */
	SAME_ANSWERS = 3,        /* so many in a row are believed */
	ANSWERS_MAX = 6,         /* without any agreement our own clock is as good */
};

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= STEP_MS && b - a <= STEP_MS;
}

static void believe(struct server_clock *c, int64_t ahead_ms)
{
	c->is_known = true;
	c->ahead_ms = ahead_ms;
	c->doubted = 0;
}

static void doubt(struct server_clock *c, int64_t ahead_ms)
{
	c->doubted = c->doubted > 0 && is_near(ahead_ms, c->doubted_ms) ? c->doubted + 1 : 1;
	c->doubted_ms = ahead_ms;
	if (c->doubted == SAME_ANSWERS)
		believe(c, ahead_ms);
}

void server_clock_note(struct server_clock *c, int64_t date, int64_t wall, int64_t steady)
{
	int64_t believed = c->is_known ? c->ahead_ms : wall - steady;

	if (date == 0 && c->is_known)
		return;
	int64_t ahead = (date != 0 ? date : wall) - steady;

	c->answers++;
	if (is_near(ahead, believed))
		believe(c, ahead);
	else
		doubt(c, ahead);
	if (!c->is_known && c->answers == ANSWERS_MAX)
		believe(c, wall - steady);
}

int64_t server_clock_at(const struct server_clock *c, int64_t steady)
{
	return steady + c->ahead_ms;
}
