/* plain: the alert's JSON is written anew from the fields that are short. */
#include "flow/plain.h"

#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "model/json.h"

enum {
	FIELD_CHARACTERS = 200,
	MESSAGE_CHARACTERS = 1000,
	/* No organisation is called so: then its pair is lost rather than the alert. An alert's
	 * id is never longer than ALERT_ID_MAX. */
	NAME_CHARACTERS = 16384,
	PLAIN_BYTES_MAX = 256 << 10,
};

/* What names the alert stays as it is: a receiver pairs opens and closes by it. */
static const struct field {
	const char *name;
	bool is_name;
	size_t characters;
	enum plain_form last; /* the last form that has it */
} fields[] = {
	{ "id", true, NAME_CHARACTERS, PLAIN_BARE },
	{ "org_id", true, NAME_CHARACTERS, PLAIN_BARE },
	{ "type", false, FIELD_CHARACTERS, PLAIN_BARE },
	{ "severity", false, FIELD_CHARACTERS, PLAIN_BARE },
	{ "status", false, FIELD_CHARACTERS, PLAIN_BARE },
	{ "title", false, FIELD_CHARACTERS, PLAIN_BARE },
	{ "message", false, MESSAGE_CHARACTERS, PLAIN_WITH_MESSAGE },
	{ "created_at", false, FIELD_CHARACTERS, PLAIN_BARE },
	{ "resolved_at", false, FIELD_CHARACTERS, PLAIN_BARE },
};

/* A line at most: what a template could not take may well have been a line break. */
static bool add_field(struct buf *out, const struct facts *f, const struct field *field)
{
	struct value v;
	struct buf line;

	value_of_facts(f, &v);
	if (!value_get(&v, field->name, strlen(field->name), &v) || v.len == 0)
		return true;
	size_t len = utf8_cut(v.text, v.len, field->characters);

	buf_init(&line, PLAIN_BYTES_MAX);
	bool ok = field->is_name ? buf_add(&line, v.text, len) : esc_header(&line, v.text, len);

	if (ok && len < v.len && !field->is_name)
		ok = buf_adds(&line, "…");
	ok = ok && buf_adds(out, out->len > 1 ? "," : "") &&
	     json_add_string(out, field->name) && buf_adds(out, ":") &&
	     json_add_text(out, line.data, line.len);
	buf_release(&line);
	return ok;
}

static bool read_plain(const struct facts *f, enum plain_form form, struct alert *alert,
		       struct err *err)
{
	struct buf text;
	bool ok;

	buf_init(&text, PLAIN_BYTES_MAX);
	ok = buf_adds(&text, "{");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		ok = ok && (form > fields[i].last || add_field(&text, f, &fields[i]));
	ok = ok && buf_adds(&text, "}");
	ok = ok ? alert_read(alert, text.data, text.len, err)
		: err_set(err, "even its short fields are long");
	buf_release(&text);
	return ok;
}

bool plain_fill(struct plain *p, enum plain_form form, const struct message *of,
		struct err *err)
{
	*p = (struct plain){ .message = *of };
	p->facts = mem_array(of->count, sizeof(*p->facts));
	p->alerts = mem_array(of->count, sizeof(*p->alerts));
	p->message.alerts = p->facts;
	for (; p->count < of->count; p->count++) {
		struct facts *f = &p->facts[p->count];

		*f = of->alerts[p->count];
		if (!read_plain(f, form, &p->alerts[p->count], err))
			return false;
		f->alert = &p->alerts[p->count];
		/* Its texts are not cut, and may be what the template failed of. */
		f->context = NULL;
	}
	return true;
}

void plain_release(struct plain *p)
{
	for (size_t i = 0; i < p->count; i++)
		alert_release(&p->alerts[i]);
	mem_free(&p->facts);
	mem_free(&p->alerts);
}
