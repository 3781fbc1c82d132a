/* instant: what is left out is put in, then the clock reads it strictly. */
#include "cli/instant.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

enum { DATE_LEN = 10, MINUTE_LEN = 16 };

bool instant_parse(const char *text, int64_t *at, bool *has_zone, struct err *err)
{
	size_t len = strlen(text);
	struct buf whole;

	buf_init(&whole, CLOCK_TEXT_MAX);
	*has_zone = len > DATE_LEN && strpbrk(text + DATE_LEN, "Zz+-") != NULL;
	if (len == DATE_LEN) {
		buf_addf(&whole, "%sT00:00:00", text);
	} else if (len >= MINUTE_LEN && text[MINUTE_LEN] != ':') {
		buf_add(&whole, text, MINUTE_LEN);
		buf_addf(&whole, ":00%s", text + MINUTE_LEN);
	} else {
		buf_adds(&whole, text);
	}
	if (!*has_zone)
		buf_addc(&whole, 'Z');
	bool ok = clock_parse_iso(whole.data, whole.len, at);

	buf_release(&whole);
	return ok || err_set(err,
			     "\"%s\" is no time: \"2026-11-27T07:00+01:00\", or without "
			     "the zone, in UTC",
			     text);
}
