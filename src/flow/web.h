/*
 * web: the pages that the daemon serves: which path is which, and what every answer carries.
 *
 * A page writes its text when it is asked for, from what is in memory: it never waits for
 * anything, so a client can only wait for itself. Some are read (GET and HEAD), some are told
 * something (POST); what is no page is 404. Connections are bounded in number and each in all the
 * time it may take, and so is what their requests hold in memory together (io/httpd).
 */
#ifndef FLOW_WEB_H
#define FLOW_WEB_H

#include "base/buf.h"
#include "base/err.h"
#include "io/httpd.h"
#include "io/turn.h"
#include "model/settings.h"

struct web_page {
	const char *path; /* NULL ends a list; one that ends with / has a name behind it */
	const char *content_type;
	/* One of the two: adds the text and returns the status. rest: the name behind the path. */
	int (*write)(void *arg, struct buf *out);
	int (*take)(void *arg, const char *rest, const struct httpd_request *request,
		    struct buf *out);
	size_t body_max; /* of what it takes, in bytes */
};

struct web;

/* Listens there; pages and arg outlive it. NULL, and err with the remedy, when it can't. */
struct web *web_new(struct turn *turn, const struct settings_listen *at,
		    const struct web_page *pages, void *arg, struct err *err)
	__attribute__((warn_unused_result));
void web_free(struct web **web);

/* Was it made for this place? */
bool web_is_at(const struct web *web, const struct settings_listen *at);

enum { WEB_PLACE_MAX = SETTINGS_ADDRESS_MAX + 10 };
/* "127.0.0.1:9464": where it listens, with the port that was given for 0. */
void web_place(const struct web *web, char place[WEB_PLACE_MAX]);

#endif
