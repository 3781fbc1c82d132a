/* bugs: their names. */
#include "world/bugs.h"

#include <string.h>

#include "base/mem.h"

static const char *const names[] = {
	[BUG_NONE] = "none",
	[SAVE_POSITION_MID_PASS] = "save-position-mid-pass",
	[STOP_AT_FIRST_KNOWN] = "stop-at-first-known",
	[TRUST_HAS_MORE] = "trust-has-more",
	[RESOLVED_FROM_ABSENCE] = "resolved-from-absence",
	[NO_OVERLAP] = "no-overlap",
	[STALE_CURSOR_IS_THE_END] = "stale-cursor-is-the-end",
	[SPEAK_BEFORE_COMMIT] = "speak-before-commit",
	[SETTLE_WITHOUT_CLAIM] = "settle-without-claim",
	[FORGET_MAYBE_SENT] = "forget-maybe-sent",
	[CLOSE_OVERTAKES] = "close-overtakes",
	[FOLLOW_UP_ROUTED_ANEW] = "follow-up-routed-anew",
	[FORGET_HOLD] = "forget-hold",
	[RETRY_BY_COUNT] = "retry-by-count",
	[SYNC_NORMAL] = "sync-normal",
};

static enum bug chosen;

bool bugs_choose(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0) {
			chosen = (enum bug)i;
			return true;
		}
	return false;
}

bool bugs_has(enum bug bug)
{
	return chosen == bug;
}

const char *bugs_name(size_t index)
{
	return index + 1 < ARRAY_LEN(names) ? names[index + 1] : NULL;
}

bool bugs_of_delivery(size_t index)
{
	return index + 1 >= SPEAK_BEFORE_COMMIT;
}
