/*
 * subject: one alert at one event, for commands that try something on it: a sample, an alert in a
 * file, or one in the store.
 */
#ifndef CLI_SUBJECT_H
#define CLI_SUBJECT_H

#include "base/buf.h"
#include "cli/cli.h"
#include "model/event.h"

struct subject {
	struct buf bytes;
	struct buf context; /* what is behind it, a JSON object; empty: nothing */
	enum event_kind kind;
	bool first;
	int64_t at;
	char *source; /* owned; NULL: an example's */
};

/*
 * By --id, else --alert, else the sample of that type; what is behind it is as stored, else the
 * sample's, unless --context says. A stored alert is at its latest event, one in a file at the
 * event that its status tells, unless --event says another (kind). EXIT_OK, or what to exit with
 * after it was said what is wrong; release it in any case.
 */
int subject_take(const struct cli *cli, const char *type, enum event_kind kind,
		 struct subject *out);
void subject_release(struct subject *s);

#endif
