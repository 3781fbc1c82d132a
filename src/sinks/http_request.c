/* http_request: the common part of an HTTP sink's request. */
#include "sinks/http_request.h"

#include <string.h>

#include "base/mem.h"
#include "model/tmpl.h"

bool http_request_start(struct request *r, const char *method, const char *url, struct err *err)
{
	if (url == NULL)
		return err_set(err, "url has no value");
	r->kind = REQUEST_HTTP;
	r->method = mem_strdup(method);
	r->url = mem_strdup(url);
	return request_header(r, "User-Agent", "tocsin/" TOCSIN_VERSION, err);
}

bool http_request_text(const char *text, const char *suffix, const struct message *m,
		       struct buf *out, struct err *err)
{
	struct value root;
	struct tmpl *t;

	if (strstr(text, "{{") == NULL)
		return buf_adds(out, text) || err_set(err, "it is too long");
	t = tmpl_new(suffix, text, strlen(text), NULL, err);
	if (t == NULL)
		return false;
	value_of_message(m, &root);
	bool ok = tmpl_render(t, &root, out, NULL, err);

	tmpl_free(&t);
	return ok;
}

bool http_request_body(struct request *r, const struct message_part *part, struct err *err)
{
	size_t len = part->len;

	if (part->text != NULL && len > 0 && part->text[len - 1] == '\n')
		len--;
	if (part->text == NULL || len == 0)
		return err_set(err, "the template made an empty body");
	if (!buf_add(&r->body, part->text, len))
		return err_set(err, "the body is over %d MiB", REQUEST_BODY_MAX >> 20);
	return true;
}
