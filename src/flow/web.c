/* web: see the header. */
#include "flow/web.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
	CONNECTIONS_MAX = 64,
	REQUEST_MS = 10000, /* a scraper's own patience */
	BODY_MAX = 16 << 10,
	BODIES_MAX = 8 << 20, /* of all requests together: strangers may send some, too */
};

struct web {
	struct httpd *server;
	struct settings_listen at;
	const struct web_page *pages;
	void *arg;
};

static const struct web_page *find(const struct web *w, const char *path)
{
	for (const struct web_page *p = w->pages; p->path != NULL; p++) {
		size_t len = strlen(p->path);

		if (p->path[len - 1] == '/' ? strncmp(p->path, path, len) == 0
					    : strcmp(p->path, path) == 0)
			return p;
	}
	return NULL;
}

static size_t body_max_of(void *arg, const char *path)
{
	const struct web_page *page = find(arg, path);

	return page != NULL && page->body_max > 0 ? page->body_max : BODY_MAX;
}

static void refuse_method(const struct web_page *page, struct httpd_answer *answer)
{
	answer->status = 405;
	httpd_answer_header(answer, "Allow", page->take != NULL ? "POST" : "GET, HEAD");
	buf_adds(&answer->body, page->take != NULL ? "this page takes a POST, no more\n"
						   : "this page can be read, no more\n");
}

static void answer_with(const struct web *w, const struct web_page *page,
			const struct httpd_request *request, struct httpd_answer *answer)
{
	bool reads =
		strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	bool tells = strcmp(request->method, "POST") == 0;

	if (page == NULL) {
		answer->status = 404;
		buf_adds(&answer->body, "there is no such page; there are:\n");
		for (const struct web_page *p = w->pages; p->path != NULL; p++)
			if (p->write != NULL)
				buf_addf(&answer->body, "%s\n", p->path);
		return;
	}
	if (page->take != NULL ? !tells : !reads)
		refuse_method(page, answer);
	else if (page->take != NULL)
		answer->status = page->take(w->arg, request->path + strlen(page->path), request,
					    &answer->body);
	else
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
					   .body_max_of = body_max_of,
					   .bodies_max = BODIES_MAX,
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
