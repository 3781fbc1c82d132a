/*
 * httpd: libmicrohttpd inside our loop.
 *
 * The library keeps its own epoll set; that set's descriptor is itself watched by libev
 * (nested), so one readable event means "call MHD_run". Three things the descriptor cannot tell:
 * work that is pending though no socket moved, and idle timeouts, both of which
 * MHD_get_timeout() knows, so a timer is set from it after every run; and that a place is free
 * again: at its limit the library stops watching the listening socket, and it takes it up only
 * in the run after the one that closed a connection, so after each close there is one more run.
 *
 * One exchange is one request and its answer:
 *
 *   headers ──▶ body, consumed bit by bit ──▶ handler ──▶ answer queued ──▶ completed
 *      │                │ past body_max: read on, drop,          │
 *      │ declared far   │ 413 at the end; far past: cut          │ a misdeed may suspend it
 *      └ too large: 413 at once                                  ▼
 *                                                 held ──tick──▶ resumed (drip) or cut (hang)
 *
 * A body a little too large is read to its end, because a client that is still writing when we
 * close sees a reset in place of its 413.
 *
 * The library stops watching a suspended connection, so it cannot see the peer of a hang leave;
 * the tick looks, and it is what lets a drip go on. The tick runs only while somebody is held.
 */
#include "io/httpd.h"

#include <errno.h>
#include <ev.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "io/guests.h"
#include "io/listen.h"

enum {
	CONNECTIONS_DEFAULT = 64,
	IDLE_MS_DEFAULT = 10000,
	DRAIN_FACTOR = 8, /* body_max times this is read, to be answered 413, not reset */
	HEADER_BYTES_MAX = 32 << 10,
};

struct exchange {
	struct httpd *server;
	struct MHD_Connection *connection;
	struct buf body; /* the request's */
	size_t body_max;
	size_t received;               /* more than body.len when it was too much */
	bool is_crowded;               /* there was no room for it beside the others' */
	struct httpd_request *request; /* made once the body is there */
	struct httpd_answer answer;
	size_t sent; /* by a dripping or truncated answer */
	bool held;
	bool cut;              /* to be closed when the library calls next */
	bool paused;           /* a drip that has had its pause since the last byte */
	struct exchange *next; /* of those held */
	struct exchange *previous;
};

struct httpd {
	struct turn *turn;
	struct MHD_Daemon *daemon;
	ev_io readable;
	struct timer *due;
	struct timer *tick;
	struct guests *guests; /* NULL: who connects may stay */
	struct exchange *held;
	bool closed_one; /* since the last run began */
	uint16_t port;
	size_t body_max, bodies_max;
	size_t body_bytes; /* of all requests under way */
	size_t (*body_max_of)(void *arg, const char *path);
	httpd_handler *handle;
	void *arg;
};

/* ---- the loop ---------------------------------------------------------------------------- */

static void run(struct httpd *server)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	server->closed_one = false;
	MHD_run(server->daemon);
	if (server->closed_one)
		timer_set(server->due, 0);
	else if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES)
		timer_set(server->due, wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms);
	else
		timer_stop(server->due);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	run(watcher->data);
}

static void on_due(void *arg)
{
	run(arg);
}

/* ---- misdeeds ---------------------------------------------------------------------------- */

static int socket_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static void hold(struct exchange *ex)
{
	struct httpd *server = ex->server;

	if (server->held == NULL)
		timer_set(server->tick, HTTPD_DRIP_MS);
	ex->held = true;
	ex->previous = NULL;
	ex->next = server->held;
	if (ex->next != NULL)
		ex->next->previous = ex;
	server->held = ex;
	MHD_suspend_connection(ex->connection);
}

static void unlink_held(struct exchange *ex)
{
	if (!ex->held)
		return;
	ex->held = false;
	if (ex->next != NULL)
		ex->next->previous = ex->previous;
	if (ex->previous != NULL)
		ex->previous->next = ex->next;
	else
		ex->server->held = ex->next;
}

static void resume(struct exchange *ex)
{
	unlink_held(ex);
	MHD_resume_connection(ex->connection);
}

static bool peer_left(const struct exchange *ex)
{
	char byte;
	ssize_t got = recv(socket_of(ex->connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_tick(void *arg)
{
	struct httpd *server = arg;
	struct exchange *next;

	for (struct exchange *ex = server->held; ex != NULL; ex = next) {
		next = ex->next;
		ex->cut = peer_left(ex);
		ex->paused = true;
		if (ex->cut || ex->answer.misdeed == HTTPD_DRIP)
			resume(ex);
	}
	if (server->held != NULL)
		timer_set(server->tick, HTTPD_DRIP_MS);
	run(server);
}

/*
 * The library shuts a socket down before it closes it, so the peer would see an orderly end
 * before any reset that lingering could cause. Connecting to nowhere resets at once.
 */
static void reset(const struct exchange *ex)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct linger none = { .l_onoff = 1, .l_linger = 0 };
	int fd = socket_of(ex->connection);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (connect(fd, &nowhere, sizeof(nowhere)) != 0)
		shutdown(fd, SHUT_RDWR);
}

static ssize_t read_half(void *cls, uint64_t at, char *out, size_t max)
{
	const struct exchange *ex = cls;
	size_t half = ex->answer.body.len / 2;

	if (at >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (max > half - at)
		max = half - at;
	memcpy(out, ex->answer.body.data + at, max);
	return (ssize_t)max;
}

static ssize_t read_drop(void *cls, uint64_t at, char *out, size_t max)
{
	struct exchange *ex = cls;

	if (ex->cut || at >= ex->answer.body.len || max == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!ex->paused) {
		hold(ex);
		return 0;
	}
	ex->paused = false;
	*out = ex->answer.body.data[at];
	return 1;
}

/* ---- answering --------------------------------------------------------------------------- */

static void free_body(void *body)
{
	mem_free(&body);
}

static struct MHD_Response *make_response(struct exchange *ex)
{
	struct buf *body = &ex->answer.body;
	size_t len = body->len;

	switch (ex->answer.misdeed) {
	case HTTPD_TRUNCATE:
		return MHD_create_response_from_callback(len, 16 << 10, read_half, ex, NULL);
	case HTTPD_DRIP:
		return MHD_create_response_from_callback(len, 1 << 10, read_drop, ex, NULL);
	case HTTPD_HONEST:
	case HTTPD_RESET:
	case HTTPD_HANG: break;
	}
	return MHD_create_response_from_buffer_with_free_callback(len, buf_take(body, NULL),
								  free_body);
}

static enum MHD_Result queue(struct exchange *ex)
{
	struct httpd_answer *answer = &ex->answer;
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (answer->body.overflow) {
		buf_clear(&answer->body);
		answer->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	response = make_response(ex);
	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name,
					answer->headers[i].value);
	queued = MHD_queue_response(ex->connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result refuse(struct exchange *ex, int status, const char *why)
{
	ex->answer.status = status;
	httpd_answer_header(&ex->answer, "Content-Type", "text/plain; charset=utf-8");
	buf_addf(&ex->answer.body, "%s\n", why);
	return queue(ex);
}

static enum MHD_Result send_answer(struct exchange *ex)
{
	switch (ex->answer.misdeed) {
	case HTTPD_RESET: reset(ex); return MHD_NO;
	case HTTPD_HANG: hold(ex); return MHD_YES;
	case HTTPD_HONEST:
	case HTTPD_TRUNCATE:
	case HTTPD_DRIP: break;
	}
	return queue(ex);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct pairs {
	struct httpd_pair *at;
	size_t count;
	bool too_many;
};

static enum MHD_Result add_pair(void *cls, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct pairs *pairs = cls;

	(void)kind;
	if (pairs->count == HTTPD_PAIRS_MAX) {
		pairs->too_many = true;
		return MHD_NO;
	}
	if (value == NULL)
		value = "";
	pairs->at[pairs->count++] =
		(struct httpd_pair){ .name = name, .value = value, .value_len = strlen(value) };
	return MHD_YES;
}

/* Fills array and *count; false when there are more than fit. */
static bool read_pairs(struct exchange *ex, enum MHD_ValueKind kind, struct httpd_pair *array,
		       size_t *count)
{
	struct pairs pairs = { .at = array };

	MHD_get_connection_values(ex->connection, kind, add_pair, &pairs);
	*count = pairs.count;
	return !pairs.too_many;
}

static bool is_loopback(const struct exchange *ex)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(ex->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *peer = info == NULL ? NULL : info->client_addr;
	const struct in6_addr *six;
	struct in_addr four;

	if (peer == NULL)
		return false;
	if (peer->sa_family == AF_INET) {
		four = ((const struct sockaddr_in *)(const void *)peer)->sin_addr;
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (peer->sa_family != AF_INET6)
		return false;
	six = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(six) ||
	       (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
}

static enum MHD_Result handle(struct exchange *ex, const char *path, const char *method)
{
	struct httpd_request *request = mem_new(sizeof(*request));

	ex->request = request;
	request->method = method;
	request->path = path;
	request->body = ex->body.data;
	request->body_len = ex->body.len;
	request->from_loopback = is_loopback(ex);
	if (!read_pairs(ex, MHD_GET_ARGUMENT_KIND, request->query, &request->query_count) ||
	    !read_pairs(ex, MHD_HEADER_KIND, request->headers, &request->header_count))
		return refuse(ex, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
			      "too many headers or parameters");
	ex->server->handle(ex->server->arg, request, &ex->answer);
	return send_answer(ex);
}

static enum MHD_Result take_body(struct exchange *ex, const char *bytes, size_t *len)
{
	struct httpd *server = ex->server;

	ex->received += *len;
	if (ex->received / DRAIN_FACTOR > ex->body_max)
		return MHD_NO;
	if (server->bodies_max > 0 && server->body_bytes + *len > server->bodies_max)
		ex->is_crowded = true;
	if (ex->received <= ex->body_max && !ex->is_crowded) {
		buf_add(&ex->body, bytes, *len);
		server->body_bytes += *len;
	}
	*len = 0;
	return MHD_YES;
}

static bool declares_far_too_much(const struct exchange *ex)
{
	const char *text = MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t declared;

	if (text == NULL || !num_parse_int(text, &declared, NULL))
		return false;
	return declared / DRAIN_FACTOR > (int64_t)ex->body_max;
}

static enum MHD_Result begin(struct httpd *server, struct MHD_Connection *connection,
			     const char *path, void **state)
{
	struct exchange *ex = mem_new(sizeof(*ex));

	*state = ex;
	ex->server = server;
	ex->connection = connection;
	ex->paused = true; /* a drip's first byte waits for nothing */
	ex->body_max = server->body_max;
	if (server->body_max_of != NULL)
		ex->body_max = server->body_max_of(server->arg, path);
	buf_init(&ex->body, ex->body_max);
	httpd_answer_init(&ex->answer);
	if (declares_far_too_much(ex))
		return refuse(ex, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	return MHD_YES;
}

/* The library calls this at the headers, for each bit of body, at its end, and after a hold. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *bytes,
				 size_t *len, void **state)
{
	struct exchange *ex = *state;

	(void)version;
	if (ex == NULL)
		return begin(cls, connection, path, state);
	if (ex->cut)
		return MHD_NO;
	if (*len > 0)
		return take_body(ex, bytes, len);
	if (ex->is_crowded)
		return refuse(ex, MHD_HTTP_SERVICE_UNAVAILABLE, "too much at a time");
	if (ex->received > ex->body_max)
		return refuse(ex, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	return handle(ex, path, method);
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct exchange *ex = *state;

	(void)cls;
	if (ex == NULL)
		return;
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK && ex->server->guests != NULL)
		guest_served(guest_of(connection));
	unlink_held(ex);
	ex->server->body_bytes -= ex->body.len;
	buf_release(&ex->body);
	httpd_answer_release(&ex->answer);
	mem_free(&ex->request);
	mem_free(&ex);
	*state = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **state,
			  enum MHD_ConnectionNotificationCode what)
{
	struct httpd *server = cls;
	struct guest *guest = *state;

	switch (what) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		if (server->guests != NULL)
			*state = guest_came(server->guests, socket_of(connection));
		return;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		guest_left(&guest);
		server->closed_one = true;
		return;
	}
}

/* ---- life -------------------------------------------------------------------------------- */

static struct MHD_Daemon *start(struct httpd *server, const struct httpd_settings *settings,
				int fd)
{
	int64_t idle_ms = settings->idle_ms > 0 ? settings->idle_ms : IDLE_MS_DEFAULT;
	unsigned connections = settings->connection_max;

	if (connections == 0)
		connections = CONNECTIONS_DEFAULT;
	if (settings->request_ms > 0)
		server->guests = guests_new(server->turn, connections, settings->request_ms);
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, server,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)((idle_ms + 999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEADER_BYTES_MAX, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void watch(struct httpd *server)
{
	int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

	server->due = timer_new(server->turn, on_due, server);
	server->tick = timer_new(server->turn, on_tick, server);
	ev_io_init(&server->readable, on_readable, fd, EV_READ);
	server->readable.data = server;
	ev_io_start(turn_loop(server->turn), &server->readable);
}

struct httpd *httpd_new(struct turn *turn, const struct httpd_settings *settings,
			struct err *err)
{
	int fd = listen_open(settings->address, settings->port, err);
	struct httpd *server;

	if (fd < 0)
		return NULL;
	server = mem_new(sizeof(*server));
	server->turn = turn;
	server->port = listen_port(fd);
	server->body_max = settings->body_max > 0 ? settings->body_max : HTTPD_BODY_MAX;
	server->bodies_max = settings->bodies_max;
	server->body_max_of = settings->body_max_of;
	server->handle = settings->handle;
	server->arg = settings->arg;
	server->daemon = start(server, settings, fd);
	if (server->daemon == NULL) {
		close(fd);
		guests_free(&server->guests);
		mem_free(&server);
		err_set(err, "cannot start the HTTP server: are there file descriptors left "
			     "(LimitNOFILE=)?");
		return NULL;
	}
	watch(server);
	return server;
}

void httpd_free(struct httpd **server)
{
	struct httpd *s = *server;

	if (s == NULL)
		return;
	while (s->held != NULL) { /* the library will not stop with one suspended */
		s->held->cut = true;
		resume(s->held);
	}
	MHD_run(s->daemon);
	ev_io_stop(turn_loop(s->turn), &s->readable);
	timer_free(&s->due);
	timer_free(&s->tick);
	MHD_stop_daemon(s->daemon);
	guests_free(&s->guests);
	mem_free(server);
}

uint16_t httpd_port(const struct httpd *server)
{
	return server->port;
}
