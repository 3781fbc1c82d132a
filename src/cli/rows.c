/* rows: see the header. */
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

void spool_open(struct spool *s)
{
	*s = (struct spool){ .data = NULL };
	s->out = open_memstream(&s->data, &s->len);
	if (s->out == NULL)
		BUG("no memory for a list");
}

bool spool_close(struct spool *s)
{
	fclose(s->out);
	bool ok = fwrite(s->data, 1, s->len, stdout) == s->len;

	free(s->data);
	*s = (struct spool){ .data = NULL };
	return ok;
}

void spool_discard(struct spool *s)
{
	fclose(s->out);
	free(s->data);
	*s = (struct spool){ .data = NULL };
}

bool rows_is_first_success(struct view *v)
{
	const char *state = view_text(v, "state");

	return state != NULL && strcmp(state, "done") == 0 && view_is_null(v, "last_verdict") &&
	       view_int(v, "attempt") > 0;
}

void rows_last_try(struct view *v, struct row_try *t)
{
	*t = (struct row_try){ .took_ms = -1 };
	if (!view_is_null(v, "last_verdict")) {
		t->at = view_int(v, "last_at");
		t->status = view_int(v, "last_status");
		t->verdict = view_text(v, "last_verdict");
		t->answer = view_text(v, "last_answer");
	} else if (rows_is_first_success(v)) {
		t->at = view_is_null(v, "claimed_at") ? view_int(v, "ended_at")
						      : view_int(v, "claimed_at");
		t->status = view_int(v, "status");
		t->verdict = verdict_name(VERDICT_DELIVERED);
	}
}

void rows_delivery_id(struct view *v, char id[DELIVERY_ID_MAX])
{
	const char *org = view_text(v, "org_id"), *alert = view_text(v, "alert_id"),
		   *kind = view_text(v, "event"), *sink = view_text(v, "sink");
	int64_t key = view_int(v, "id");
	struct delivery_names names = {
		.org_id = org != NULL ? org : "",
		.alert_id = alert != NULL ? alert : "",
		.episode = view_int(v, "episode"),
		.seq = view_int(v, "seq"),
		.sink = sink != NULL ? sink : "",
		.origin = delivery_key_origin(key),
		.ordinal = delivery_key_ordinal(key),
	};

	if (kind != NULL && event_kind_parse(kind, &names.kind))
		delivery_id(&names, id);
	else
		id[0] = '\0';
}

int64_t rows_next_at(struct view *v)
{
	const char *state = view_text(v, "state"), *sink = view_text(v, "sink_state");
	int64_t at = 0, held = view_int(v, "sink_held_until");

	if (state == NULL || (sink != NULL && strcmp(sink, "held") == 0))
		return 0;
	if (strcmp(state, "due") == 0)
		at = view_int(v, "due_at");
	else if (strcmp(state, "held") == 0)
		at = view_int(v, "held_until");
	return at != 0 && held > at ? held : at;
}

void rows_json_try(struct jline *j, const char *key, const struct row_try *t)
{
	if (t->verdict == NULL) {
		jline_null(j, key);
		return;
	}
	jline_open(j, key, '{');
	jline_at(j, "at", t->at);
	if (t->took_ms >= 0)
		jline_int(j, "took_ms", t->took_ms);
	jline_text(j, "verdict", t->verdict);
	if (t->status != 0)
		jline_int(j, "status", t->status);
	else
		jline_null(j, "status");
	jline_text(j, "answer", t->answer);
	jline_close(j, '}');
}

void rows_json(struct jline *j, struct view *v)
{
	char id[DELIVERY_ID_MAX];

	rows_delivery_id(v, id);
	jline_int(j, "id", view_int(v, "id"));
	jline_text(j, "delivery_id", id[0] != '\0' ? id : NULL);
	jline_text(j, "sink", view_text(v, "sink"));
	jline_text(j, "source", view_text(v, "source"));
	jline_text(j, "alert_id", view_text(v, "alert_id"));
	jline_text(j, "event", view_text(v, "event"));
	jline_text(j, "origin", view_text(v, "origin"));
	jline_int(j, "n", view_int(v, "n"));
	jline_text(j, "route", view_text(v, "route"));
	jline_text(j, "state", view_text(v, "state"));
	jline_text(j, "reason", view_text(v, "reason"));
	jline_int(j, "attempt", view_int(v, "attempt"));
	jline_at(j, "due_at", view_int(v, "due_at"));
	jline_at(j, "held_until", view_int(v, "held_until"));
	jline_bool(j, "maybe_sent", view_int(v, "maybe_sent") != 0);
}
