/* httpd_answer: the part of httpd.h that reads a request and makes up an answer. */
#include <string.h>
#include <strings.h>

#include "base/esc.h"
#include "base/mem.h"
#include "io/httpd.h"

enum { HEADER_VALUE_MAX = 8 << 10 };

const char *httpd_query(const struct httpd_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return request->query[i].value;
	return NULL;
}

const char *httpd_header(const struct httpd_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

void httpd_answer_init(struct httpd_answer *answer)
{
	*answer = (struct httpd_answer){ .status = 200 };
	buf_init(&answer->body, HTTPD_ANSWER_MAX);
}

void httpd_answer_release(struct httpd_answer *answer)
{
	buf_release(&answer->body);
	for (size_t i = 0; i < answer->header_count; i++) {
		mem_free(&answer->headers[i].name);
		mem_free(&answer->headers[i].value);
	}
	answer->header_count = 0;
}

void httpd_answer_header(struct httpd_answer *answer, const char *name, const char *value)
{
	struct buf clean;

	if (answer->header_count == HTTPD_HEADERS_MAX)
		BUG("more than %d headers on one answer", HTTPD_HEADERS_MAX);
	buf_init(&clean, HEADER_VALUE_MAX);
	esc_header(&clean, value, strnlen(value, HEADER_VALUE_MAX));
	answer->headers[answer->header_count].name = mem_strdup(name);
	answer->headers[answer->header_count].value = buf_take(&clean, NULL);
	answer->header_count++;
}
