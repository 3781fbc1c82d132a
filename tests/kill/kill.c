/*
 * kill: what the points of tocsin-killed do, by its environment.
 *
 *   TOCSIN_KILL=POINT:N      at the N-th passing of POINT the process is gone, as by kill -9
 *   TOCSIN_CRASH=POINT:WORD  at POINT, working on a text that holds WORD, it crashes (SIGSEGV)
 */
#include "base/kill.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What stands behind "POINT:" in that variable; NULL: it names another point, or is not set. */
static const char *asked_of(const char *variable, const char *point)
{
	const char *asked = getenv(variable);
	size_t len = strlen(point);

	if (asked == NULL || strncmp(asked, point, len) != 0 || asked[len] != ':')
		return NULL;
	return asked + len + 1;
}

void kill_point(const char *name)
{
	static unsigned long passed;
	const char *nth = asked_of("TOCSIN_KILL", name);

	if (nth != NULL && ++passed == strtoul(nth, NULL, 10))
		kill(getpid(), SIGKILL);
}

void crash_point(const char *name, const char *text)
{
	const char *word = asked_of("TOCSIN_CRASH", name);

	if (word != NULL && strstr(text, word) != NULL)
		raise(SIGSEGV);
}
