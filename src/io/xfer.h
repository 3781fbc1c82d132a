/*
 * xfer: every transfer that leaves this process: HTTP and SMTP over one curl multi handle.
 *
 * xfer_start() takes a request over and answers with a reply, exactly once, from the loop,
 * never from within xfer_start() itself. Names are resolved off the loop, redirects are never
 * followed, TLS is always verified, connections are kept and handles reused, HTTP is 1.1. The
 * reply and everything in it lives until the callback returns. The callback only leaves notes:
 * it must not start a transfer (transfers are started from the end of a turn), nor cut any.
 *
 * What a request does not say does not happen: the environment's http_proxy and the like are
 * not looked at. A timeout_ms of 0 is 30 s.
 *
 * HTTP: a request is written once. When a kept connection dies under it the reply is REPLY_CUT
 * and maybe_sent; only a GET is written again on a new one, and such a reply has maybe_sent even
 * when it was answered. A refusal (3xx to 5xx) that comes in the middle of our body counts as an
 * answer; a 2xx there does not. What a server says unasked on a kept connection is no answer: the
 * request goes out on a new one.
 *
 * Mail: a connection whose mail was taken serves the next one to the same server and login within
 * some seconds, a hundred times at most. io/mime.h tells what goes out; MIME headers of the request are left out. The reply's
 * body is the server's last answer, its lines joined by CRLF, without the last; a recipient's
 * text is the first line of its answer. status is the last code heard (354 when only the final
 * dot was left to answer). REPLY_LOGIN with status 0: no AUTH was offered, and no mail was
 * given away.
 */
#ifndef IO_XFER_H
#define IO_XFER_H

#include <stddef.h>

#include "base/err.h"
#include "io/turn.h"
#include "model/request.h"

struct xfer;

struct xfer *xfer_new(struct turn *t) __attribute__((warn_unused_result));
/* Nothing may be under way any more: see xfer_cut(). */
void xfer_free(struct xfer **x);

/* Moves *r (it is empty afterwards). */
void xfer_start(struct xfer *x, struct request *r,
		void (*done)(void *arg, const struct reply *reply), void *arg);

/* How many are under way. */
size_t xfer_count(const struct xfer *x);

/*
 * Ends everything under way at once with REPLY_CUT (maybe_sent where it may have arrived):
 * callbacks run before it returns. For shutdown, after the grace.
 */
void xfer_cut(struct xfer *x);

#endif
