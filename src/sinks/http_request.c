/* http_request: the common part of an HTTP sink's request. */
#include "sinks/http_request.h"

#include "base/mem.h"

bool http_request_start(struct request *r, const char *method, const char *url, struct err *err)
{
	if (url == NULL)
		return err_set(err, "url has no value");
	r->kind = REQUEST_HTTP;
	r->method = mem_strdup(method);
	r->url = mem_strdup(url);
	return request_header(r, "User-Agent", "tocsin/" TOCSIN_VERSION, err);
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
