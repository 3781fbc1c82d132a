/*
 * bugs: mistakes put into the program on purpose, to see that the world finds them.
 *
 * Each is a function of the program wrapped by the linker (-Wl,--wrap=…), so the program holds
 * no switches of its own; without a bug a wrapper only passes on. bugs_polling.c and
 * bugs_delivery.c hold the wrappers.
 */
#ifndef WORLD_BUGS_H
#define WORLD_BUGS_H

#include <stdbool.h>
#include <stddef.h>

enum bug {
	BUG_NONE,
	/* Of polling. */
	SAVE_POSITION_MID_PASS,
	STOP_AT_FIRST_KNOWN,
	TRUST_HAS_MORE,
	RESOLVED_FROM_ABSENCE,
	NO_OVERLAP,
	STALE_CURSOR_IS_THE_END,
	/* Of delivery. */
	SPEAK_BEFORE_COMMIT,
	SETTLE_WITHOUT_CLAIM,
	FORGET_MAYBE_SENT,
	CLOSE_OVERTAKES,
	FOLLOW_UP_ROUTED_ANEW,
	FORGET_HOLD,
	RETRY_BY_COUNT,
	SYNC_NORMAL,
	BUG_KINDS
};

/* False: there is no such bug. */
bool bugs_choose(const char *name);
/* Does the program have this one? */
bool bugs_has(enum bug bug);
/* NULL: no more. */
const char *bugs_name(size_t index);
/* Is it one that runs of delivery must find? */
bool bugs_of_delivery(size_t index);

#endif
