/*
 * explain_hold: what a delivery waited for, and how it ended, in words for somebody just woken.
 *
 * Each reason is a row of a table: what holds, until when it does, and what comes then. A new
 * reason is a new row; one that has none is told by its own word.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "cli/print.h"
#include "cli/silence.h"

enum { TEXT_MAX = 200, MATCHERS_MAX = 4096 };

#define MARGIN "\n       "

struct hold_words {
	const char *reason;
	const char *now, *before; /* with "until" behind it: as it is held, as it was */
	const char *then;         /* what comes of it when its time has come */
};

static const struct hold_words holds[] = {
	{ "silence", "held by a silence", "was held by a silence",
	  "told then, together with what else waited, unless it is over by then" },
	{ "quiet", "held by quiet hours", "was held by quiet hours",
	  "told then, together with what else waited" },
	{ "delay", "held by its route's delay", "was held by its route's delay",
	  "told then, unless it is resolved before" },
	{ "digest", "held for the next digest", "was held for the next digest",
	  "told then, together with what else waited" },
	{ "storm", "held in a storm of alerts", "was held in a storm of alerts",
	  "told then, together with the rest of the storm" },
	{ "group", "held for its group", "was held for its group",
	  "told then, together with others of its kind" },
	{ "escalation", "waits", "waited",
	  "told then, unless it is acknowledged or resolved before" },
	{ "repeat", "waits", "waited",
	  "told again then, unless it is acknowledged or resolved before" },
	{ "flap", "held because it opens again and again",
	  "was held because it opened again and again", "told then as one, with how it ended" },
};

static const struct {
	const char *reason, *means;
} drops[] = {
	{ "silenced", "it opened and closed while it was silenced: nobody was told" },
	{ "resolved within delay", "it was over before its delay was: nobody was told" },
	{ "no longer open",
	  "by then it was acknowledged or resolved, so this was not needed any more" },
	{ "superseded", "later news of the alert took its place" },
	{ "event not chosen", "the `events` of its route leave this one out" },
	{ "resolved before it was seen open", "there was nothing left to ring for" },
	{ "flapping", "the latest of its openings tells of this one, too" },
	{ "operator", "an operator ended it with `tocsin drop`" },
	{ "no recipient", "the mail's addresses left nobody to write to" },
};

static const struct hold_words *words_of(const char *reason)
{
	for (size_t i = 0; reason != NULL && i < ARRAY_LEN(holds); i++)
		if (strcmp(holds[i].reason, reason) == 0)
			return &holds[i];
	return NULL;
}

static void put_text(struct story *s, const char *text)
{
	print_text(s->out, text, TEXT_MAX);
}

static void put_at(struct story *s, int64_t at)
{
	char ago[CLOCK_TEXT_MAX], iso[CLOCK_TEXT_MAX];

	clock_ago(at, s->now, ago);
	clock_iso(at, false, iso);
	fprintf(s->out, "%s (%s)", iso, ago);
}

static void put_holding(struct story *s, struct view *v)
{
	const struct hold_words *w = words_of(view_text(v, "reason"));

	if (w == NULL)
		return;
	fprintf(s->out, MARGIN "%s until ", w->now);
	put_at(s, view_int(v, "held_until"));
	fprintf(s->out, ": %s", w->then);
}

/* The hold is over, by its time or because something came before that. */
static void put_was_held(struct story *s, struct view *v)
{
	const struct hold_words *w = words_of(view_text(v, "hold"));
	int64_t until = view_int(v, "hold_until"), ended = view_int(v, "ended_at");
	bool was_cut = until > s->now || (ended != 0 && ended < until);

	if (w == NULL)
		return;
	fprintf(s->out, MARGIN "%s%s until ", w->before, was_cut ? ", at most" : "");
	put_at(s, until);
}

bool explain_knows_hold(struct view *v)
{
	const char *state = view_text(v, "state");

	return state != NULL && strcmp(state, "held") == 0 && view_int(v, "held_until") != 0 &&
	       words_of(view_text(v, "reason")) != NULL;
}

static void put_matchers(struct story *s, const char *list)
{
	struct buf text;

	buf_init(&text, MATCHERS_MAX);
	silence_add_matchers(&text, list, strlen(list));
	put_text(s, text.data);
	buf_release(&text);
}

static void put_silences(struct story *s)
{
	for (size_t i = 0; i < s->hushes.count; i++) {
		const struct hush *h = &s->hushes.list[i];

		fprintf(s->out, MARGIN "  silence %" PRId64 " by ", h->id);
		put_text(s, h->who);
		fputs(" until ", s->out);
		put_at(s, h->until);
		fputs(", \"", s->out);
		put_text(s, h->comment);
		fputs("\": ", s->out);
		put_matchers(s, h->matchers);
	}
}

static void put_batch(struct story *s, struct view *v)
{
	const char *state = view_text(v, "state"), *why = view_text(v, "batch_why");
	int64_t others = view_int(v, "batch_count") - 1;
	bool is_done = state != NULL && strcmp(state, "done") == 0;

	if (why == NULL)
		return;
	fputs(is_done ? MARGIN "told " : MARGIN "to be told ", s->out);
	if (is_done && view_int(v, "ended_at") != 0) {
		put_at(s, view_int(v, "ended_at"));
		fputc(' ', s->out);
	}
	fprintf(s->out, "in digest %" PRId64 " (", view_int(v, "batch_id"));
	put_text(s, why);
	fputc(')', s->out);
	if (others > 0)
		fprintf(s->out, ", with %" PRId64 " other%s", others, others > 1 ? "s" : "");
	if (view_int(v, "batch_unlisted") > 0)
		fprintf(s->out, ": the %" PRId64 " least severe are counted, not listed",
			view_int(v, "batch_unlisted"));
	if (!view_is_null(v, "batch_storm")) {
		fputs(": the storm ", s->out);
		put_text(s, view_text(v, "batch_storm"));
	}
}

static void put_drop(struct story *s, const char *reason)
{
	for (size_t i = 0; reason != NULL && i < ARRAY_LEN(drops); i++)
		if (strcmp(drops[i].reason, reason) == 0)
			fprintf(s->out, MARGIN "%s", drops[i].means);
}

void explain_hold(struct story *s, struct view *v)
{
	const char *state = view_text(v, "state");

	if (state == NULL)
		return;
	if (explain_knows_hold(v))
		put_holding(s, v);
	else if (view_int(v, "hold_until") != 0)
		put_was_held(s, v);
	put_silences(s);
	put_batch(s, v);
	if (strcmp(state, "dropped") == 0)
		put_drop(s, view_text(v, "reason"));
}
