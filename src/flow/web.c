/* web: see the header. */
#include "flow/web.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
	CONNECTIONS_MAX = 64,
	REQUEST_MS = 10000, /* a scraper's own patience */
	BODY_MAX = 16 << 10,
};

struct web {
	struct httpd *server;
	struct settings_listen at;
	const struct web_page *pages;
	void *arg;
};

static const struct web_page *find(const struct web *w, const char *path)
{
	for (const struct web_page *p = w->pages; p->path != NULL; p++)
		if (strcmp(p->path, path) == 0)
			return p;
	return NULL;
}

static void answer_with(const struct web *w, const struct web_page *page,
			const struct httpd_request *request, struct httpd_answer *answer)
{
	bool reads =
		strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

	if (page == NULL) {
		answer->status = 404;
		buf_adds(&answer->body, "there is no such page; there are:\n");
		for (const struct web_page *p = w->pages; p->path != NULL; p++)
			buf_addf(&answer->body, "%s\n", p->path);
		return;
	}
	if (!reads) {
		answer->status = 405;
		httpd_answer_header(answer, "Allow", "GET, HEAD");
		buf_adds(&answer->body, "this page can be read, no more\n");
		return;
	}
	answer->status = page->write(w->arg, &answer->body);
}

static void handle(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	const struct web *w = arg;
	const struct web_page *page = find(w, request->path);

	answer_with(w, page, request, answer);
	httpd_answer_header(answer, "Content-Type",
			    page != NULL && answer->status != 405
				    ? page->content_type
				    : "text/plain; charset=utf-8");
	httpd_answer_header(answer, "Cache-Control", "no-store");
	httpd_answer_header(answer, "X-Content-Type-Options", "nosniff");
}

struct web *web_new(struct turn *turn, const struct settings_listen *at,
		    const struct web_page *pages, void *arg, struct err *err)
{
	struct web *w = mem_new(sizeof(*w));
	struct httpd_settings settings = { .address = w->at.address,
					   .port = at->port,
					   .connection_max = CONNECTIONS_MAX,
					   .request_ms = REQUEST_MS,
					   .body_max = BODY_MAX,
					   .handle = handle,
					   .arg = w };
	struct err why;

	*w = (struct web){ .at = *at, .pages = pages, .arg = arg };
	w->server = httpd_new(turn, &settings, &why);
	if (w->server != NULL)
		return w;
	err_set(err, "%s: set `listen` to another address and port, or to \"\" for none",
		why.text);
	mem_free(&w);
	return NULL;
}

void web_free(struct web **web)
{
	if (*web == NULL)
		return;
	httpd_free(&(*web)->server);
	mem_free(web);
}

bool web_is_at(const struct web *web, const struct settings_listen *at)
{
	return strcmp(web->at.address, at->address) == 0 && web->at.port == at->port;
}

void web_place(const struct web *web, char place[WEB_PLACE_MAX])
{
	bool is_six = strchr(web->at.address, ':') != NULL;

	snprintf(place, WEB_PLACE_MAX, is_six ? "[%s]:%u" : "%s:%u", web->at.address,
		 (unsigned)httpd_port(web->server));
}
