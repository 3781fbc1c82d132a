/* envelope: one alert, one event, one sink: what is said, in order of who says it. */
#include "flow/envelope.h"

#include <string.h>

#include "base/mem.h"
#include "model/json.h"
#include "model/redact.h"

enum {
	LINK_MAX = 2048,     /* bytes; longer ones are cut by browsers and refused by chats */
	REDACTED_MORE = 1024 /* what a redacted alert may be longer than it was */
};

/* What the sink must not see is gone before anybody asks for it. */
static bool read_alert(struct alert *alert, const struct sink_settings *sink, const char *bytes,
		       size_t len, struct err *err)
{
	struct buf text;

	if (sink->redact.count == 0)
		return alert_read(alert, bytes, len, err);
	buf_init(&text, len + REDACTED_MORE);
	bool ok =
		redact_object(&text, bytes, len, sink->redact.list, sink->redact.count, err) &&
		alert_read(alert, text.data, text.len, err);

	buf_release(&text);
	return ok;
}

/* One that can't be read is left out: it must not cost the alert. */
static void read_context(struct envelope *e, const struct sink_settings *sink,
			 const char *bytes, size_t len)
{
	struct buf text;
	struct err err;
	bool ok;

	if (len == 0)
		return;
	buf_init(&text, len + REDACTED_MORE);
	if (sink->redact.count == 0)
		ok = buf_add(&text, bytes, len);
	else
		ok = redact_object(&text, bytes, len, sink->redact.list, sink->redact.count,
				   &err);
	e->context_bytes = buf_take(&text, &len);
	if (ok)
		e->context = json_parse(e->context_bytes, len, &err);
}

bool envelope_fill(struct envelope *e, const struct sink_settings *sink,
		   const struct envelope_names *names, const char *bytes, size_t len,
		   struct err *err)
{
	*e = (struct envelope){ .link = NULL };
	if (!read_alert(&e->alert, sink, bytes, len, err))
		return false;
	read_context(e, sink, names->context, names->context_len);
	delivery_id(&(struct delivery_names){ .org_id = e->alert.org_id,
					      .alert_id = e->alert.id,
					      .episode = names->episode,
					      .kind = names->kind,
					      .seq = names->seq,
					      .sink = sink->name,
					      .origin = names->origin,
					      .ordinal = names->ordinal },
		    e->delivery_id);
	e->facts =
		(struct facts){ .alert = &e->alert,
				.event = names->kind,
				.first = names->first,
				.source = names->source,
				.route = names->route,
				.sink = sink->name,
				.delivery_id = e->delivery_id,
				.at = names->at,
				.repeat = names->origin == ORIGIN_REPEAT ? names->ordinal : 0,
				.vars = sink->vars.list,
				.var_count = sink->vars.count,
				.preset = sink->preset,
				.context = e->context };
	e->message = (struct message){ .alerts = &e->facts,
				       .count = 1,
				       .sink = sink->name,
				       .delivery_id = e->delivery_id,
				       .handle = "",
				       .progress = "" };
	return true;
}

void envelope_release(struct envelope *e)
{
	alert_release(&e->alert);
	json_free(&e->context);
	mem_free(&e->context_bytes);
	mem_free(&e->link);
}

void envelope_add_link(struct envelope *e, const struct tmpl *link)
{
	struct value root;
	struct buf text;
	struct err err;

	if (link == NULL)
		return;
	buf_init(&text, LINK_MAX);
	value_of_facts(&e->facts, &root);
	/* A link that can't be made is left out: it must not cost the alert. */
	if (tmpl_render(link, &root, &text, NULL, &err))
		e->facts.link = e->link = buf_take(&text, NULL);
	buf_release(&text);
}

bool envelope_seal(struct envelope *e, const struct sink_settings *sink, struct parts *parts,
		   struct request *out, struct err *err)
{
	request_init(out, REQUEST_HTTP);
	if (!parts_render(parts, &e->message, err))
		return false;
	bool ok = sink->type->build(sink, &e->message, out, err);

	memset(e->message.parts, 0, sizeof(e->message.parts));
	if (!ok) {
		request_release(out);
		return false;
	}
	out->timeout_ms = sink->timeout_ms;
	out->ca_file = mem_strdup(sink->ca_file);
	out->proxy = mem_strdup(sink->proxy);
	return true;
}
