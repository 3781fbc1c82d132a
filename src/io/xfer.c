/*
 * xfer: libcurl's multi handle on our loop, and the transfers under way.
 *
 *   xfer_start ──▶ UNDER WAY ──▶ libcurl says done ──▶ judged ──▶ callback ──▶ gone
 *        │             │ mail: connected ──▶ xfer_mail talks ──▶ judged ─┤
 *        ├ mail: over a kept connection ──▶ xfer_mail talks ──▶ judged ──┤
 *        │             ├ its kept connection is stale: UNDER WAY again, on a new one
 *        │             └ xfer_cut: judged as cut ────────────────────────┘
 *        └ cannot be sent as it is: REFUSED, the callback follows from a timer
 *
 * libcurl never polls. It tells which sockets to watch and when to wake it; both become
 * watchers of the loop, and only those call curl_multi_socket_action(). It must not be called from within
 * libcurl's own callbacks, so a timer of 0 is set for "now" and does its work in the next turn.
 *
 * After each such call the finished transfers are collected and their callbacks run: outside of
 * libcurl, one after the other. A callback that started a transfer would let bytes out before
 * the turn's commit; that is our bug and stops the process.
 *
 * Connections are kept, at most CONNECTIONS_KEPT_MAX: more than all windows of a large
 * configuration together, less than half of the usual limit of file descriptors.
 */
#include "io/xfer.h"

#include <curl/curl.h>
#include <ev.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/kill.h"
#include "base/mem.h"
#include "io/xfer_own.h"

enum { CONNECTIONS_KEPT_MAX = 400, SOCKETS_WANTED = 16384, PORTS = 1 << 16 };

struct xfer {
	struct turn *turn;
	CURLM *multi;
	struct timer *wake; /* libcurl's */
	struct timer *refuse;
	struct handles *handles;
	struct lines *lines;
	struct transfer *first, *last; /* in the order of their start */
	size_t count;
	bool calling_back;
	struct watch **watches; /* by socket; NULL: none */
	int watch_room;
	/* libcurl names the ports of a connection that it takes up again, but not its socket: it is
	 * the one laid aside last that has this own port; 0: none. */
	int *laid_aside;
};

/*
 * A socket that libcurl wanted watched, up to its close. A connection that it lays aside is
 * watched on, since it is nearly always taken up soon; should it say something meanwhile, it is
 * left alone until then.
 */
struct watch {
	ev_io io;
	struct xfer *x;
	bool is_aside;
	int own_port, peer_port; /* 0: not known */
};

/* ---- the end of a transfer ---------------------------------------------------------------- */

static void unlink_transfer(struct xfer *x, struct transfer *t)
{
	*(t->prev == NULL ? &x->first : &t->prev->next) = t->next;
	*(t->next == NULL ? &x->last : &t->next->prev) = t->prev;
	x->count--;
}

static void release(struct transfer *t)
{
	xfer_mail_free(&t->mail);
	buf_release(&t->body);
	buf_release(&t->headers);
	request_release(&t->request);
	mem_free(&t);
}

void xfer_hang_up(struct xfer *x, struct handle **handle)
{
	curl_multi_remove_handle(x->multi, xfer_handle_easy(*handle));
	xfer_handle_close(x->handles, handle);
}

void xfer_end(struct transfer *t)
{
	struct xfer *x = t->x;

	if (t->handle != NULL)
		xfer_hang_up(x, &t->handle);
	unlink_transfer(x, t);
	t->reply.took_ms = clock_steady() - t->started_at;
	t->reply.at = clock_now();
	t->reply.error = t->error.text;
	x->calling_back = true;
	t->done(t->arg, &t->reply);
	x->calling_back = false;
	release(t);
}

static void add_to_multi(struct transfer *t)
{
	CURLMcode code = curl_multi_add_handle(t->x->multi, xfer_handle_easy(t->handle));

	if (code != CURLM_OK)
		BUG("libcurl: %s", curl_multi_strerror(code));
}

/* Nothing of it has been written: it goes out on a new connection, where this cannot recur. */
static void begin_anew(struct transfer *t)
{
	curl_multi_remove_handle(t->x->multi, xfer_handle_easy(t->handle));
	xfer_handle_renew(t->handle);
	t->is_stale = false;
	t->tries = 0;
	add_to_multi(t);
}

/* libcurl is done with t: at its end, or, for a mail, connected. */
static void settle(struct transfer *t, CURLcode code)
{
	if (t->is_stale) {
		begin_anew(t);
		return;
	}
	if (t->mail != NULL && code == CURLE_OK) {
		xfer_mail_talk(t->mail);
		return;
	}
	if (t->mail != NULL)
		xfer_mail_judge(t, (int)code);
	else
		xfer_http_judge(t, (int)code);
	xfer_end(t);
}

static void collect(struct xfer *x)
{
	const CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(x->multi, &left)) != NULL) {
		CURLcode code = msg->data.result; /* msg dies with the handle's removal */
		char *transfer = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &transfer);
		settle((struct transfer *)(void *)transfer, code);
	}
}

static void act(struct xfer *x, curl_socket_t socket, int events)
{
	int running;
	CURLMcode code = curl_multi_socket_action(x->multi, socket, events, &running);

	if (code != CURLM_OK)
		BUG("libcurl: %s", curl_multi_strerror(code));
	KILL_POINT("bytes-moved");
	collect(x);
}

/* ---- libcurl's sockets and its timer on our loop ------------------------------------------ */

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct watch *w = io->data;

	if (w->is_aside) {
		ev_io_stop(loop, io);
		return;
	}
	act(w->x, io->fd,
	    (events & EV_READ ? CURL_CSELECT_IN : 0) |
		    (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static struct watch *watch_of(const struct xfer *x, int socket)
{
	return socket < x->watch_room ? x->watches[socket] : NULL;
}

static struct watch *watch_new(struct xfer *x, int socket)
{
	struct watch *w = mem_new(sizeof(*w));

	if (socket >= x->watch_room) {
		int room = socket + 64;

		x->watches = mem_resize(x->watches, (size_t)room, sizeof(struct watch *));
		memset(x->watches + x->watch_room, 0,
		       (size_t)(room - x->watch_room) * sizeof(struct watch *));
		x->watch_room = room;
	}
	x->watches[socket] = w;
	w->x = x;
	ev_io_init(&w->io, on_socket, socket, 0);
	w->io.data = w;
	return w;
}

static void watch_end(struct watch *w)
{
	struct xfer *x = w->x;

	ev_io_stop(turn_loop(x->turn), &w->io);
	if (x->laid_aside[w->own_port] == w->io.fd)
		x->laid_aside[w->own_port] = 0;
	x->watches[w->io.fd] = NULL;
	mem_free(&w);
}

static int port_of(int (*name)(int, struct sockaddr *, socklen_t *), int socket)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(at);

	if (name(socket, &at.any, &len) != 0)
		return 0;
	if (at.any.sa_family == AF_INET6)
		return ntohs(at.v6.sin6_port);
	return at.any.sa_family == AF_INET ? ntohs(at.v4.sin_port) : 0;
}

/* What has no ports is no connection: libcurl closes it without a word. */
static void lay_aside(struct watch *w)
{
	int socket = w->io.fd;

	if (w->own_port == 0) {
		w->own_port = port_of(getsockname, socket);
		w->peer_port = port_of(getpeername, socket);
	}
	if (w->own_port == 0) {
		watch_end(w);
		return;
	}
	w->is_aside = true;
	w->x->laid_aside[w->own_port] = socket;
}

int xfer_socket(const struct xfer *x, int own_port, int peer_port)
{
	int socket = own_port > 0 && own_port < PORTS ? x->laid_aside[own_port] : 0;

	return socket != 0 && x->watches[socket]->peer_port == peer_port ? socket : -1;
}

int xfer_close_socket(void *xfer, int socket)
{
	struct watch *w = watch_of(xfer, socket);

	if (w != NULL)
		watch_end(w);
	return close(socket);
}

/* libcurl: what to do about a socket. */
static int on_socket_wish(CURL *easy, curl_socket_t socket, int what, void *arg, void *unused)
{
	struct xfer *x = arg;
	struct watch *w = watch_of(x, socket);
	struct ev_loop *loop = turn_loop(x->turn);
	int events =
		(what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL)
			lay_aside(w);
		return 0;
	}
	if (w == NULL)
		w = watch_new(x, socket);
	w->is_aside = false;
	if (ev_is_active(&w->io) && w->io.events == events)
		return 0;
	ev_io_stop(loop, &w->io);
	ev_io_set(&w->io, socket, events);
	ev_io_start(loop, &w->io);
	return 0;
}

static int on_timer_wish(CURLM *multi, long wait_ms, void *arg)
{
	struct xfer *x = arg;

	(void)multi;
	if (wait_ms < 0)
		timer_stop(x->wake);
	else
		timer_set(x->wake, wait_ms);
	return 0;
}

static void on_wake(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- starting ----------------------------------------------------------------------------- */

static void link_transfer(struct xfer *x, struct transfer *t)
{
	t->prev = x->last;
	*(x->last == NULL ? &x->first : &x->last->next) = t;
	x->last = t;
	x->count++;
}

static struct transfer *transfer_new(struct xfer *x, struct request *r)
{
	struct transfer *t = mem_new(sizeof(*t));

	t->x = x;
	t->request = *r;
	request_init(r, t->request.kind);
	t->started_at = clock_steady();
	t->timeout_ms = t->request.timeout_ms > 0 ? t->request.timeout_ms : TIMEOUT_DEFAULT_MS;
	if (t->timeout_ms > INT_MAX)
		t->timeout_ms = INT_MAX;
	buf_init(&t->body, t->request.reply_max > 0 ? t->request.reply_max : REPLY_BODY_MAX);
	buf_init(&t->headers, HEADERS_KEPT_MAX);
	t->reply = (struct reply){ .body = "", .headers = "" };
	link_transfer(x, t);
	return t;
}

bool xfer_connect(struct transfer *t)
{
	struct xfer *x = t->x;

	if (!xfer_handle_open(x->handles, t)) {
		timer_set(x->refuse, 0);
		return false;
	}
	add_to_multi(t);
	return true;
}

static void start_mail(struct xfer *x, struct transfer *t)
{
	t->mail = xfer_mail_new(t, x->turn, x->lines);
	if (t->mail == NULL)
		timer_set(x->refuse, 0);
	else if (!xfer_mail_resume(t->mail))
		xfer_connect(t);
}

void xfer_start(struct xfer *x, struct request *r,
		void (*done)(void *arg, const struct reply *reply), void *arg)
{
	if (x->calling_back)
		BUG("a transfer is started from a transfer's callback");
	struct transfer *t = transfer_new(x, r);

	t->done = done;
	t->arg = arg;
	if (t->request.kind == REQUEST_MAIL)
		start_mail(x, t);
	else
		xfer_connect(t);
}

static void end_refused(struct transfer *t)
{
	struct err why = t->error;

	t->reply.kind = REPLY_LOCAL;
	xfer_reply_explain(t, why.text);
	xfer_end(t);
}

static void on_refuse(void *arg)
{
	struct xfer *x = arg;

	for (struct transfer *t = x->first, *next; t != NULL; t = next) {
		next = t->next;
		if (t->handle == NULL)
			end_refused(t);
	}
}

/* ---- life --------------------------------------------------------------------------------- */

/*
 * A shell gives 1,024 descriptors, systemd the same; 130 sinks with windows of 8 need more. We
 * never select(), so a number past that limit is one like any other.
 */
static void raise_socket_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= SOCKETS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < SOCKETS_WANTED ? limit.rlim_max : SOCKETS_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

struct xfer *xfer_new(struct turn *t)
{
	struct xfer *x = mem_new(sizeof(*x));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die(EXIT_FAILED, "libcurl does not start: is it installed whole?");
	raise_socket_limit();
	x->turn = t;
	x->multi = curl_multi_init();
	if (x->multi == NULL)
		BUG("libcurl gives no multi handle");
	x->wake = timer_new(t, on_wake, x);
	x->refuse = timer_new(t, on_refuse, x);
	x->handles = xfer_handles_new(x);
	x->laid_aside = mem_array(PORTS, sizeof(*x->laid_aside));
	x->lines = xfer_lines_new(x, t);
	curl_multi_setopt(x->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	curl_multi_setopt(x->multi, CURLMOPT_SOCKETDATA, x);
	curl_multi_setopt(x->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(x->multi, CURLMOPT_TIMERDATA, x);
	curl_multi_setopt(x->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT_MAX);
	curl_multi_setopt(x->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return x;
}

void xfer_free(struct xfer **x)
{
	struct xfer *xfer = *x;

	if (xfer == NULL)
		return;
	if (xfer->count > 0)
		BUG("%zu transfers are under way", xfer->count);
	xfer_lines_free(&xfer->lines);
	xfer_handles_free(&xfer->handles);
	curl_multi_cleanup(xfer->multi); /* still asks for sockets and timer to be left */
	timer_free(&xfer->wake);
	timer_free(&xfer->refuse);
	mem_free(&xfer->laid_aside);
	mem_free(&xfer->watches);
	curl_global_cleanup();
	mem_free(x);
}

size_t xfer_count(const struct xfer *x)
{
	return x->count;
}

void xfer_cut(struct xfer *x)
{
	if (x->calling_back)
		BUG("transfers are cut from a transfer's callback");
	collect(x); /* what is done already has its own answer */
	while (x->first != NULL) {
		struct transfer *t = x->first;

		if (t->handle == NULL) {
			end_refused(t);
			continue;
		}
		if (t->mail != NULL)
			xfer_mail_judge_cut(t);
		else
			xfer_http_judge_cut(t);
		xfer_end(t);
	}
}
