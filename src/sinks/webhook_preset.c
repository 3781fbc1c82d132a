/*
 * webhook_preset: a vendor's API by its file.
 *
 * The first row of `answers` that fits a reply rules it. A row looks at the status, at a place in
 * the answer's JSON or at its text; an answer that is no JSON fits no row that asks for a place.
 * A success that the vendor states only in its body (a 200 with "ok": false) is a row of the
 * file, too, so what counts as delivered can be read there and nowhere else.
 */
#include "sinks/webhook_preset.h"

#include <stdio.h>
#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/json.h"
#include "model/preset.h"
#include "model/settings.h"
#include "sinks/http_common.h"
#include "sinks/http_request.h"
#include "sinks/webhook.h"

enum { URL_MAX = 16 << 10, HEADER_MAX = 64 << 10, WAIT_MAX_S = 366 * 86400 };

/* ---- building ---- */

static bool render(const struct tmpl *t, const struct message *m, struct buf *out,
		   struct err *err)
{
	struct value root;

	value_of_message(m, &root);
	return tmpl_render(t, &root, out, NULL, err);
}

static bool start(const struct preset_request *r, const struct webhook_settings *own,
		  const struct message *m, struct request *out, struct err *err)
{
	struct buf url;

	buf_init(&url, URL_MAX);
	bool ok = render(r->url, m, &url, err) &&
		  http_request_start(out, own->method != NULL ? own->method : r->method,
				     url.data, err);

	buf_release(&url);
	return ok;
}

/* One line, whatever the alert holds; nothing where nothing came out. */
static bool add_header(const struct preset_header *h, const struct message *m,
		       struct request *out, struct err *err)
{
	struct buf value, line;
	bool ok;

	buf_init(&value, HEADER_MAX);
	buf_init(&line, HEADER_MAX);
	ok = render(h->value, m, &value, err) &&
	     (esc_header(&line, value.data, value.len) ||
	      err_set(err, "the header %s is too long", h->name));
	if (ok && line.len > 0)
		ok = request_header(out, h->name, line.data, err);
	buf_release(&line);
	buf_release(&value);
	return ok;
}

const char *webhook_preset_var(const struct sink_settings *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->vars.count; i++)
		if (strcmp(s->vars.list[i].name, name) == 0)
			return s->vars.list[i].value;
	return NULL;
}

static bool add_login(const struct sink_settings *s, const struct message *m,
		      struct request *out, struct err *err)
{
	const struct preset *p = s->preset;
	struct buf scope;
	bool ok = true;

	if (webhook_preset_var(s, p->username) != NULL) {
		mem_free(&out->username);
		mem_free_secret(&out->password);
		out->username = mem_strdup(webhook_preset_var(s, p->username));
		out->password = mem_strdup(webhook_preset_var(s, p->password));
	}
	if (p->sigv4 == NULL)
		return true;
	buf_init(&scope, HEADER_MAX);
	ok = render(p->sigv4, m, &scope, err);
	if (ok)
		out->sigv4 = buf_take(&scope, NULL);
	buf_release(&scope);
	return ok;
}

bool webhook_preset_build(const struct sink_settings *s, const struct message *m,
			  struct request *out, struct err *err)
{
	const struct preset_request *r = preset_choose(s->preset, m);
	bool ok = true;

	if (r == NULL)
		return err_set(err, "no request of the preset %s fits", s->preset->name);
	if (!start(r, s->own, m, out, err))
		return false;
	for (size_t i = 0; ok && i < r->header_count; i++)
		ok = add_header(&r->headers[i], m, out, err);
	if (ok && m->parts[0].text != NULL)
		ok = http_request_body(out, &m->parts[0], err);
	return ok && add_login(s, m, out, err);
}

/* ---- looking into an answer ---- */

static const struct json_value *member(const struct json_value *v, const char *name, size_t len)
{
	size_t at = 0;

	if (json_kind(v) != JSON_ARRAY)
		return json_kind(v) == JSON_OBJECT ? json_get_n(v, name, len) : NULL;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9' || at > 10000)
			return NULL;
		at = at * 10 + (size_t)(name[i] - '0');
	}
	for (v = json_first(v); v != NULL && at > 0; at--)
		v = json_next(v);
	return v;
}

/* "a.0.b" in the answer; NULL where there is no such text, number or truth. */
static const char *text_at(const struct json *j, const char *path)
{
	const struct json_value *v = j == NULL ? NULL : json_root(j);

	for (;;) {
		size_t len = strcspn(path, ".");

		v = member(v, path, len);
		if (path[len] == '\0' || v == NULL)
			return json_text(v, NULL);
		path += len + 1;
	}
}

/* ---- judging ---- */

struct answer {
	const struct preset_request *request;
	const struct reply *reply;
	struct json *json; /* NULL: it is none */
};

static bool is_of(const struct preset_answer *row, const struct preset_request *r)
{
	for (size_t i = 0; i < row->requests.count; i++)
		if (strcmp(row->requests.list[i], r->name) == 0)
			return true;
	return row->requests.count == 0;
}

static bool is_text(const char *text, size_t len, const char *wanted)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

static bool holds(const char *text, size_t len, const char *wanted)
{
	return memmem(text, len, wanted, strlen(wanted)) != NULL;
}

static bool fits_content(const struct preset_answer *row, const struct answer *a)
{
	const char *text = a->reply->body;
	size_t len = a->reply->body_len;

	if (row->json != NULL) {
		text = text_at(a->json, row->json);
		if (text == NULL)
			return false;
		len = strlen(text);
	}
	return (row->is == NULL || is_text(text, len, row->is)) &&
	       (row->is_not == NULL || !is_text(text, len, row->is_not)) &&
	       (row->has == NULL || holds(text, len, row->has));
}

static const struct preset_answer *find_row(const struct preset *p, const struct answer *a)
{
	for (size_t i = 0; i < p->answer_count; i++) {
		const struct preset_answer *row = &p->answers[i];

		if (a->reply->status >= row->from && a->reply->status <= row->to &&
		    is_of(row, a->request) && fits_content(row, a))
			return row;
	}
	return NULL;
}

static enum blame blame_of(const struct preset_answer *row)
{
	static const enum blame blames[] = {
		[PRESET_FAULT_MESSAGE] = BLAME_NOBODY,
		[PRESET_FAULT_DESTINATION] = BLAME_DOWN,
		[PRESET_FAULT_OPERATOR] = BLAME_OPERATOR,
	};

	return row->verdict == VERDICT_LATER ? blames[row->fault] : BLAME_NOBODY;
}

/* What was kept goes on from step to step until an answer brings something else. */
static void rule(const struct preset_answer *row, const struct judge *judge,
		 const struct message *m, const struct answer *a, struct outcome *out)
{
	const struct ruling ruling = { .verdict = row->verdict,
				       .blame = blame_of(row),
				       .what = row->reason,
				       .key = row->key,
				       .advice = row->advice };
	const char *kept =
		row->keep == NULL ? preset_kept(m->progress) : text_at(a->json, row->keep);

	ruling_apply(&ruling, judge, a->reply, out);
	if (row->step == NULL)
		return;
	/* What does not fit names nothing: a piece of it might name something else. */
	if (kept == NULL || strlen(row->step) + strlen(kept) + 2 > sizeof(out->progress))
		kept = "";
	preset_write_progress(out->progress, sizeof(out->progress), row->step, kept);
}

/* What a later event refers to: left by this answer, or by the one before. */
static void keep_handle(const struct answer *a, const struct message *m, struct outcome *out)
{
	const char *path = a->request->keep;
	const char *handle = path == NULL ? NULL : text_at(a->json, path);

	if (out->verdict != VERDICT_DELIVERED)
		return;
	if (handle == NULL || strlen(handle) >= sizeof(out->handle))
		handle = m->handle;
	snprintf(out->handle, sizeof(out->handle), "%s", handle);
}

static void keep_wait(const struct preset *p, const struct answer *a, struct outcome *out)
{
	const char *text = p->retry_after == NULL ? NULL : text_at(a->json, p->retry_after);
	double seconds;

	if (text != NULL && out->verdict == VERDICT_LATER &&
	    num_parse_decimal(text, strlen(text), &seconds) && seconds >= 0 &&
	    seconds <= WAIT_MAX_S)
		out->retry_after_ms = (int64_t)(seconds * 1000);
}

void webhook_preset_judge(const struct judge *judge, const struct message *m,
			  const struct reply *r, struct outcome *out)
{
	const struct preset *p = judge->settings->preset;
	struct answer a = { .request = preset_choose(p, m), .reply = r };
	const struct preset_answer *row = NULL;
	struct err err;

	if (a.request != NULL && r->kind == REPLY_ANSWERED && !r->body_cut)
		a.json = json_parse(r->body, r->body_len, &err);
	if (a.request != NULL && r->kind == REPLY_ANSWERED)
		row = find_row(p, &a);
	if (row != NULL)
		rule(row, judge, m, &a, out);
	else
		http_judge(judge, r, out);
	if (a.request != NULL)
		keep_handle(&a, m, out);
	keep_wait(p, &a, out);
	json_free(&a.json);
}
