/* explain_json: the story as one object. An id that two sources have makes two. */
#include <string.h>

#include "cli/explain.h"

enum { BODY_MAX = 8 << 20 };

static void tell_body(struct story *s, struct view *v)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	lens_add_alert(s->lens, view_text(v, "body"), view_len(v, "body"), &body);
	jline_json(&s->j, "alert", body.data, body.len);
	buf_release(&body);
}

/* What was known behind it; nothing where nobody asked for that. */
static void tell_context(struct story *s, struct view *v)
{
	struct buf context;

	if (view_is_null(v, "context"))
		return;
	buf_init(&context, BODY_MAX);
	lens_add_alert(s->lens, view_text(v, "context"), view_len(v, "context"), &context);
	jline_json(&s->j, "context", context.data, context.len);
	buf_release(&context);
}

/* A time or 0, null where it is not to be seen. */
static int64_t seen_at(struct story *s, struct view *v, const char *name)
{
	return lens_shows(s->lens, name) ? view_int(v, name) : 0;
}

static void tell_alert(struct story *s, struct view *v)
{
	struct jline *j = &s->j;
	const char *severity = view_text(v, "severity");

	jline_begin(j, s->out);
	tell_body(s, v);
	jline_text(j, "id", view_text(v, "id"));
	jline_text(j, "source", view_text(v, "source"));
	jline_text(j, "state", view_text(v, "state"));
	jline_text(j, "status", view_text(v, "status"));
	jline_text(j, "severity", lens_shows(s->lens, "severity") ? severity : NULL);
	jline_int(j, "episode", view_int(v, "episode"));
	jline_at(j, "created_at", seen_at(s, v, "created_at"));
	jline_at(j, "first_seen_at", view_int(v, "first_seen_at"));
	jline_at(j, "last_seen_at", view_int(v, "last_seen_at"));
	jline_at(j, "resolved_at", seen_at(s, v, "resolved_at"));
	jline_open(j, "events", '[');
}

static void tell_event(struct story *s, struct view *v)
{
	struct jline *j = &s->j;

	jline_open(j, NULL, '{');
	jline_text(j, "event", view_text(v, "kind"));
	jline_int(j, "episode", view_int(v, "episode"));
	jline_int(j, "seq", view_int(v, "seq"));
	jline_bool(j, "first", view_int(v, "first") != 0);
	jline_at(j, "at", view_int(v, "at"));
	tell_body(s, v);
	tell_context(s, v);
	if (!view_is_null(v, "wait_until"))
		jline_at(j, "wait_until", view_int(v, "wait_until"));
	jline_open(j, "deliveries", '[');
}

static void tell_matched(struct jline *j, const struct matched *matched)
{
	if (!matched->route_known) {
		jline_null(j, "matched");
		return;
	}
	jline_open(j, "matched", '[');
	for (size_t i = 0; i < matched->count; i++)
		jline_text(j, NULL, matched->texts[i]);
	jline_close(j, ']');
}

/* What was not listed is counted by these. */
static bool shows_rest(const struct story *s)
{
	return lens_shows(s->lens, "severity") && lens_shows(s->lens, "type");
}

static void tell_hold(const struct story *s, struct jline *j, struct view *v)
{
	jline_text(j, "hold", view_text(v, "hold"));
	jline_at(j, "hold_until", view_int(v, "hold_until"));
	if (view_is_null(v, "batch_why")) {
		jline_null(j, "batch");
		return;
	}
	jline_open(j, "batch", '{');
	jline_int(j, "id", view_int(v, "batch_id"));
	jline_text(j, "why", view_text(v, "batch_why"));
	jline_text(j, "storm", view_text(v, "batch_storm"));
	jline_int(j, "count", view_int(v, "batch_count"));
	if (shows_rest(s))
		jline_json(j, "rest", view_text(v, "batch_rest"), view_len(v, "batch_rest"));
	jline_close(j, '}');
}

static void tell_silences(struct jline *j, const struct hushes *hushes)
{
	jline_open(j, "silences", '[');
	for (size_t i = 0; i < hushes->count; i++) {
		const struct hush *h = &hushes->list[i];

		jline_open(j, NULL, '{');
		jline_int(j, "id", h->id);
		jline_json(j, "matchers", h->matchers, strlen(h->matchers));
		jline_at(j, "until", h->until);
		jline_text(j, "comment", h->comment);
		jline_text(j, "who", h->who);
		jline_close(j, '}');
	}
	jline_close(j, ']');
}

static void tell_list(struct jline *j, const char *key, char *const *list, size_t count)
{
	jline_open(j, key, '[');
	for (size_t i = 0; i < count; i++)
		jline_text(j, NULL, list[i]);
	jline_close(j, ']');
}

/* Of mail, where one sink is asked for. */
static void tell_people(struct jline *j, const struct people *p)
{
	if (p == NULL)
		return;
	jline_open(j, "recipients", '{');
	tell_list(j, "to", p->to, p->to_count);
	tell_list(j, "cc", p->cc, p->cc_count);
	jline_open(j, "left_out", '[');
	for (size_t i = 0; i < p->left_out_count; i++) {
		jline_open(j, NULL, '{');
		jline_text(j, "key", p->left_out[i].key);
		jline_int(j, "place", (int64_t)p->left_out[i].place);
		jline_text(j, "reason", p->left_out[i].why);
		jline_close(j, '}');
	}
	jline_close(j, ']');
	jline_close(j, '}');
}

static void tell_delivery(struct story *s, struct view *v, const struct matched *matched)
{
	struct jline *j = &s->j;

	jline_open(j, NULL, '{');
	rows_json(j, v);
	tell_matched(j, matched);
	if (view_int(v, "after") != 0)
		jline_int(j, "after", view_int(v, "after"));
	tell_hold(s, j, v);
	tell_people(j, s->people);
	tell_silences(j, &s->hushes);
	jline_at(j, "ended_at", view_int(v, "ended_at"));
	jline_at(j, "next_at", rows_next_at(v));
	jline_open(j, "attempts", '[');
}

static void tell_attempt(struct story *s, const struct row_try *t, int64_t n)
{
	(void)n;
	rows_json_try(&s->j, NULL, t);
}

static void end_list(struct story *s)
{
	jline_close(&s->j, ']');
	jline_close(&s->j, '}');
}

static void end_event(struct story *s)
{
	jline_close(&s->j, ']');
	jline_bool(&s->j, "unrouted", s->seq == 1 && s->delivery_count == 0 && !s->waits);
	jline_close(&s->j, '}');
}

static void end_alert(struct story *s)
{
	struct jline *j = &s->j;

	jline_close(j, ']');
	if (s->next.at == 0) {
		jline_null(j, "next");
	} else {
		jline_open(j, "next", '{');
		jline_int(j, "id", s->next.id);
		jline_text(j, "sink", s->next.sink);
		jline_at(j, "at", s->next.at);
		jline_close(j, '}');
	}
	jline_end(j);
}

const struct voice explain_json = {
	.alert = tell_alert,
	.event = tell_event,
	.delivery = tell_delivery,
	.attempt = tell_attempt,
	.delivery_end = end_list,
	.event_end = end_event,
	.alert_end = end_alert,
};
