/* silences: to come. */
#include "flow/silences.h"

int64_t silences_until(const struct silences *s, const struct facts *facts, int64_t now,
		       int64_t *id)
{
	(void)s, (void)facts, (void)now, (void)id;
	return 0;
}
