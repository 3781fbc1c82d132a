/*
 * web: the pages that the daemon serves: which path is which, and what every answer carries.
 *
 * A page writes its text when it is asked for, from what is in memory: it never waits for
 * anything, so a client can only wait for itself. GET and HEAD alone; what is no page is 404.
 * Connections are bounded in number and each in all the time it may take (io/httpd).
 */
#ifndef FLOW_WEB_H
#define FLOW_WEB_H

#include "base/buf.h"
#include "base/err.h"
#include "io/httpd.h"
#include "io/turn.h"
#include "model/settings.h"

struct web_page {
	const char *path; /* NULL ends a list */
	const char *content_type;
	/* Adds the text and returns the status. */
	int (*write)(void *arg, struct buf *out);
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
