/* meter: see the header. */
#include "cli/meter.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { TELL_EVERY_MS = 100 };

void meter_begin(struct meter *m, const char *what)
{
	*m = (struct meter){ .what = what, .is_shown = isatty(STDERR_FILENO) == 1 };
}

void meter_told(void *arg, int64_t done, int64_t total)
{
	struct meter *m = arg;
	int64_t now = clock_steady();

	if (!m->is_shown || total <= 0 || now - m->told_at < TELL_EVERY_MS)
		return;
	m->told_at = now;
	fprintf(stderr, "\r%s: %lld %%\033[K", m->what, (long long)(done * 100 / total));
	fflush(stderr);
}

void meter_end(struct meter *m)
{
	if (m->told_at != 0)
		fputs("\r\033[K", stderr);
}
