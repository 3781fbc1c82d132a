/*
 * watch: what those who watch the daemon see: the pages over HTTP, and the service manager.
 *
 * All of it only looks: nothing that a client or the manager does, or fails to do, reaches the
 * pipeline. What takes long to find out (how many rows wait) is counted beside, in small steps,
 * so that a page is written from what is in memory. A NULL watch is nobody watching, and fine
 * for every call.
 */
#ifndef FLOW_WATCH_H
#define FLOW_WATCH_H

#include "flow/health.h"
#include "flow/web.h"
#include "io/turn.h"
#include "store/store.h"

struct watch;

struct watch_parts {
	struct turn *turn;
	struct store *store;
	/* How all stands now; asked whenever somebody wants to know. */
	void (*look)(void *arg, struct health_view *out);
	void *arg;
};

struct watch *watch_new(const struct watch_parts *parts) __attribute__((warn_unused_result));
void watch_free(struct watch **w);

/*
 * Gets ready to serve the pages there (nowhere when it is off), and changes nothing yet: *web goes
 * to watch_listen(), which can't fail, or to watch_dismiss(). False and err when it can't listen.
 */
bool watch_prepare(struct watch *w, const struct settings_listen *at, struct web **web,
		   struct err *err) __attribute__((warn_unused_result));
/* From now on they are served there, and no longer where they were before. */
void watch_listen(struct watch *w, struct web *web);
void watch_dismiss(const struct watch *w, struct web **web);
/* "127.0.0.1:9464", or "" for nowhere. */
void watch_place(const struct watch *w, char place[WEB_PLACE_MAX]);

/* The loop runs, for the first time or after a reload. */
void watch_running(struct watch *w);
void watch_reloading(struct watch *w);
/* It stops, which takes so long at most. */
void watch_stopping(struct watch *w, int64_t most_ms);
/* Called once a second. */
void watch_tick(struct watch *w);

#endif
