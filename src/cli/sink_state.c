/* sink_state: see the header. */
#include "cli/sink_state.h"

#include <stdio.h>

#include "base/clock.h"

/* What is being done about it, without the reason. */
static void say_wait(struct view *v, int64_t now, bool daemon_lives, char *text, size_t size)
{
	int64_t until = view_int(v, "held_until");
	char when[CLOCK_TEXT_MAX];

	text[0] = '\0';
	if (!view_is_null(v, "held_since")) {
		clock_ago(view_int(v, "held_since"), now, when);
		snprintf(text, size, "by the operator, %s", when);
	} else if (view_is_null(v, "held_until")) {
		return;
	} else if (until > now) {
		clock_ago(until, now, when);
		snprintf(text, size, "tried again %s", when);
	} else {
		snprintf(text, size, "%s",
			 daemon_lives ? "is being tried" : "tried again once a daemon runs");
	}
}

void sink_state_why(struct view *v, int64_t now, bool daemon_lives, char *text, size_t size)
{
	const char *reason = view_text(v, "reason");
	char wait[120];

	say_wait(v, now, daemon_lives, wait, sizeof(wait));
	snprintf(text, size, "%s%s%s", wait,
		 wait[0] != '\0' && reason != NULL && reason[0] != '\0' ? ": " : "",
		 reason != NULL ? reason : "");
}

void sink_state_json(struct jline *j, struct view *v)
{
	jline_text(j, "name", view_text(v, "name"));
	jline_text(j, "type", view_text(v, "type"));
	jline_text(j, "state", view_text(v, "state"));
	jline_at(j, "held_until", view_int(v, "held_until"));
	jline_at(j, "held_since", view_int(v, "held_since"));
	jline_text(j, "reason", view_text(v, "reason"));
	jline_bool(j, "present", view_int(v, "present") != 0);
}
