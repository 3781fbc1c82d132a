/* subject: see the header. */
#include "cli/subject.h"

#include "base/err.h"
#include "base/mem.h"
#include "cli/sample_options.h"
#include "model/alert.h"

#define OF_EVENT(column) "(SELECT " column " FROM v_events WHERE id = a.last_event) AS " column

static const char query[] =
	"SELECT a.source, a.body, " OF_EVENT("kind") ", " OF_EVENT("first") ", " OF_EVENT(
		"context") ", coalesce((SELECT at FROM v_events WHERE id = a.last_event), "
			   "a.first_seen_at) AS at FROM v_alerts a WHERE a.id = ?1";

static bool take_row(const struct cli *cli, struct subject *s, struct view *v)
{
	enum event_kind kind;

	if (!view_next(v))
		return false;
	if (view_text(v, "body") != NULL)
		buf_add(&s->bytes, view_text(v, "body"), view_len(v, "body"));
	if (view_text(v, "context") != NULL)
		buf_add(&s->context, view_text(v, "context"), view_len(v, "context"));
	s->source = mem_strdup(view_text(v, "source"));
	s->at = view_int(v, "at");
	s->first = view_int(v, "first") != 0;
	if (!cli_has(cli, "event") && view_text(v, "kind") != NULL &&
	    event_kind_parse(view_text(v, "kind"), &kind))
		s->kind = kind;
	return true;
}

/* --context in place of what is kept with the event. */
static int other_context(const struct cli *cli, struct subject *s)
{
	struct buf other;
	int code;

	buf_init(&other, SAMPLE_CONTEXT_MAX);
	if (sample_context(cli, &other, &code)) {
		buf_clear(&s->context);
		buf_add(&s->context, other.data, other.len);
	}
	buf_release(&other);
	return code;
}

static int take_stored(const struct cli *cli, struct subject *s)
{
	const char *id = cli_option(cli, "id");
	struct glance glance;
	struct err err = { "" };
	int code;
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	struct view *v = view_open(store, query, &id, 1, &err);
	bool found = v != NULL && take_row(cli, s, v);

	if (v != NULL && !found)
		view_failed(v, &err);
	view_close(&v);
	store_close(&store);
	glance_release(&glance);
	if (err.text[0] != '\0')
		return cli_failed("%s", err.text);
	return found ? other_context(cli, s) : cli_failed("the store knows no alert %s", id);
}

int subject_take(const struct cli *cli, const char *type, enum event_kind kind,
		 struct subject *out)
{
	*out = (struct subject){ .kind = kind };
	buf_init(&out->bytes, ALERT_BYTES_MAX);
	buf_init(&out->context, SAMPLE_CONTEXT_MAX);
	if (cli_has(cli, "id"))
		return take_stored(cli, out);
	return sample_take(cli, type, &out->kind, &out->at, &out->bytes, &out->context);
}

void subject_release(struct subject *s)
{
	buf_release(&s->bytes);
	buf_release(&s->context);
	mem_free(&s->source);
}
