/* explain_text: the story for people, top to bottom in the order it happened. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/explain.h"
#include "cli/print.h"

enum { TEXT_MAX = 200, BODY_MAX = 8 << 20 };

static void put_ago(struct story *s, const char *before, int64_t at)
{
	char ago[CLOCK_TEXT_MAX], iso[CLOCK_TEXT_MAX];

	if (at == 0)
		return;
	clock_ago(at, s->now, ago);
	clock_iso(at, false, iso);
	fprintf(s->out, "%s%s (%s)", before, ago, iso);
}

static void put(struct story *s, const char *before, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	fputs(before, s->out);
	print_text(s->out, text, TEXT_MAX);
}

/* A word in its colour; the spool is no terminal, so stdout is asked. */
static void put_word(struct story *s, const char *word)
{
	enum colour colour = print_colour_of(word);

	if (colour != COLOUR_NONE && print_is_coloured(stdout))
		print_in_colour(s->out, colour, word);
	else
		print_text(s->out, word, TEXT_MAX);
}

static void put_lens(struct story *s)
{
	if (s->lens == NULL)
		return;
	put(s, "\n  as the sink ", s->lens->sink);
	fputs(" sees it", s->out);
	for (size_t i = 0; i < s->lens->redact.count; i++)
		put(s, i == 0 ? ", without " : ", ", s->lens->redact.list[i]);
}

static void tell_alert(struct story *s, struct view *v)
{
	struct alert alert;
	struct buf body;
	struct err err;

	buf_init(&body, BODY_MAX);
	lens_add_alert(s->lens, view_text(v, "body"), view_len(v, "body"), &body);
	bool ok = alert_read(&alert, body.data, body.len, &err);

	put(s, "", view_text(v, "id"));
	fputs(": ", s->out);
	put_word(s, view_text(v, "state"));
	put(s, ", ", ok ? alert.type : NULL);
	if (lens_shows(s->lens, "severity")) {
		fputs(", ", s->out);
		put_word(s, view_text(v, "severity"));
	}
	put(s, ", ", view_text(v, "status"));
	put(s, "\n  ", ok ? alert.title : NULL);
	put(s, "\n  source ", view_text(v, "source"));
	if (lens_shows(s->lens, "created_at"))
		put_ago(s, "\n  created    ", view_int(v, "created_at"));
	put_ago(s, "\n  first seen ", view_int(v, "first_seen_at"));
	put_ago(s, "\n  last seen  ", view_int(v, "last_seen_at"));
	if (lens_shows(s->lens, "resolved_at"))
		put_ago(s, "\n  resolved   ", view_int(v, "resolved_at"));
	put_lens(s);
	fputc('\n', s->out);
	if (view_int(v, "last_event") == 0)
		fputs("  older than the first start: recorded without ringing\n", s->out);
	if (ok)
		alert_release(&alert);
	buf_release(&body);
}

static void tell_event(struct story *s, struct view *v)
{
	fputc('\n', s->out);
	put(s, "", view_text(v, "kind"));
	put_ago(s, " ", view_int(v, "at"));
	if (view_int(v, "episode") > 1)
		fprintf(s->out, ", episode %" PRId64, view_int(v, "episode"));
	if (view_int(v, "first") != 0)
		fputs(", already so when it was first seen", s->out);
	fputc('\n', s->out);
	explain_context(s, v);
}

/* Why the row was made: the route and what of it holds, or how else it came to be. */
static void put_origin(struct story *s, struct view *v, const struct matched *matched)
{
	const char *origin = view_text(v, "origin"), *route = view_text(v, "route");

	if (origin != NULL && strcmp(origin, "escalation") == 0)
		fprintf(s->out, ", step %" PRId64 " of the escalation", view_int(v, "n"));
	else if (origin != NULL && strcmp(origin, "repeat") == 0)
		fprintf(s->out, ", reminder %" PRId64, view_int(v, "n"));
	else if (origin != NULL && strcmp(origin, "follow") == 0)
		fputs(", goes where the opening went", s->out);
	else if (origin != NULL && strcmp(origin, "route") != 0)
		put(s, ", by ", origin);
	put(s, ", route ", route);
	if (route != NULL && !matched->route_known)
		fputs(" (not in the configuration now)", s->out);
	for (size_t i = 0; i < matched->count; i++)
		put(s, i == 0 ? ": " : ", ", matched->texts[i]);
}

static void put_list(struct story *s, const char *before, char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(s, i == 0 ? before : ", ", list[i]);
}

static void put_people(struct story *s)
{
	const struct people *p = s->people;

	if (p == NULL)
		return;
	if (p->key == PEOPLE_NOBODY)
		fputs("\n       for nobody", s->out);
	put_list(s, "\n       for ", p->to, p->to_count);
	put_list(s, p->to_count > 0 ? "; copies for " : "\n       copies for ", p->cc,
		 p->cc_count);
	for (size_t i = 0; i < p->left_out_count; i++) {
		const struct left_out *l = &p->left_out[i];

		fprintf(s->out, "\n       left out: entry %zu of `%s`: ", l->place, l->key);
		put(s, "", l->why);
	}
}

static void put_wait(struct story *s, struct view *v)
{
	const char *sink_state = view_text(v, "sink_state");
	int64_t at = rows_next_at(v);
	char ago[CLOCK_TEXT_MAX];

	if (view_int(v, "after") != 0)
		fprintf(s->out, "\n       waits behind delivery %" PRId64,
			view_int(v, "after"));
	if (sink_state != NULL && strcmp(sink_state, "held") == 0 &&
	    strcmp(view_text(v, "state"), "due") == 0)
		fputs("\n       its sink is held by the operator", s->out);
	if (at == 0 || strcmp(view_text(v, "state"), "held") == 0)
		return;
	clock_ago(at, s->now, ago);
	fprintf(s->out, "\n       next try %s", at > s->now ? ago : "now");
	if (sink_state != NULL && strcmp(sink_state, "up") != 0)
		put(s, ", its sink is ", sink_state);
}

static void tell_delivery(struct story *s, struct view *v, const struct matched *matched)
{
	fprintf(s->out, "  %" PRId64 " to ", view_int(v, "id"));
	put(s, "", view_text(v, "sink"));
	fputs(": ", s->out);
	put_word(s, view_text(v, "state"));
	if (!explain_knows_hold(v))
		put(s, ", ", view_text(v, "reason"));
	if (view_int(v, "maybe_sent") != 0)
		fputs(", may have arrived before", s->out);
	put_origin(s, v, matched);
	put_people(s);
	explain_hold(s, v);
	put_wait(s, v);
	fputc('\n', s->out);
}

static void tell_attempt(struct story *s, const struct row_try *t, int64_t n)
{
	char span[CLOCK_TEXT_MAX];

	fprintf(s->out, "       try %" PRId64, n);
	put_ago(s, ", ", t->at);
	fputs(": ", s->out);
	put_word(s, t->verdict);
	if (t->status != 0)
		fprintf(s->out, " %" PRId64, t->status);
	if (t->took_ms >= 0) {
		clock_span(t->took_ms, span);
		fprintf(s->out, " in %s", span);
	}
	put(s, ": ", t->answer);
	fputc('\n', s->out);
}

static void end_delivery(struct story *s)
{
	if (s->dead_id != 0)
		fprintf(s->out,
			"       given up: `tocsin requeue %" PRId64 "` sends it once more\n",
			s->dead_id);
}

/* An episode is routed at its first event. */
static void end_event(struct story *s)
{
	if (s->seq == 1 && s->delivery_count == 0 && !s->waits)
		fputs("  no route wanted it: nobody was told (`tocsin route --id` tells why)\n",
		      s->out);
}

static void end_alert(struct story *s)
{
	char ago[CLOCK_TEXT_MAX];

	fputc('\n', s->out);
	if (s->lens != NULL && s->seen_count == 0) {
		put(s, "nothing of it is for the sink ", s->lens->sink);
		fputc('\n', s->out);
		return;
	}
	if (s->next.at == 0) {
		fputs("nothing more is due", s->out);
		if (s->dead_count > 0)
			fprintf(s->out, "; given up: %zu", s->dead_count);
		fputc('\n', s->out);
		return;
	}
	clock_ago(s->next.at, s->now, ago);
	fprintf(s->out, "next: delivery %" PRId64, s->next.id);
	put(s, " to ", s->next.sink);
	fprintf(s->out, " %s\n", s->next.at > s->now ? ago : "now");
}

const struct voice explain_text = {
	.alert = tell_alert,
	.event = tell_event,
	.delivery = tell_delivery,
	.attempt = tell_attempt,
	.delivery_end = end_delivery,
	.event_end = end_event,
	.alert_end = end_alert,
};
