/*
 * peer: real servers on loopback that misbehave by script, and a client's loop to meet them.
 *
 * A peer is a thread that listens, and one more for each connection, which calls serve() with
 * the connection; serve() returns when it wants it closed. All reads and writes have a deadline
 * of 5 seconds, so a test that goes wrong ends. peer_close() waits for all of them.
 */
#ifndef TESTS_UNIT_IO_PEER_H
#define TESTS_UNIT_IO_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "io/turn.h"
#include "io/xfer.h"

enum { PEER_CONNECTIONS_MAX = 256, PEER_SEEN_MAX = 256 << 10, DEADLINE_MS = 10000 };

struct peer {
	int listener;
	int port;
	void (*serve)(struct peer *p, int fd);
	const char *script;
	pthread_t listening;
	pthread_t serving[PEER_CONNECTIONS_MAX];
	atomic_int connection_count, request_count;
	pthread_mutex_t lock;
	char seen[PEER_SEEN_MAX]; /* all that clients said */
	size_t seen_len;
};

struct visit {
	struct peer *peer;
	int fd;
};

static inline void peer_note(struct peer *p, const char *bytes, size_t len)
{
	pthread_mutex_lock(&p->lock);
	if (len > sizeof(p->seen) - 1 - p->seen_len)
		len = sizeof(p->seen) - 1 - p->seen_len;
	memcpy(p->seen + p->seen_len, bytes, len);
	p->seen_len += len;
	pthread_mutex_unlock(&p->lock);
}

static inline void peer_forget(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	memset(p->seen, 0, p->seen_len);
	p->seen_len = 0;
	pthread_mutex_unlock(&p->lock);
}

static inline bool peer_saw(struct peer *p, const char *what)
{
	pthread_mutex_lock(&p->lock);
	bool saw = strstr(p->seen, what) != NULL;

	pthread_mutex_unlock(&p->lock);
	return saw;
}

static inline void *peer_serve(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	v.peer->serve(v.peer, v.fd);
	close(v.fd);
	return NULL;
}

static inline void *peer_listen(void *arg)
{
	struct peer *p = arg;
	struct timeval deadline = { .tv_sec = 5 };
	int fd;

	while (p->connection_count < PEER_CONNECTIONS_MAX &&
	       (fd = accept(p->listener, NULL, NULL)) >= 0) {
		struct visit *v = malloc(sizeof(*v));
		int at = p->connection_count;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
		*v = (struct visit){ .peer = p, .fd = fd };
		pthread_create(&p->serving[at], NULL, peer_serve, v);
		p->connection_count++;
	}
	return NULL;
}

static inline struct peer *peer_open(void (*serve)(struct peer *, int), const char *script)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->serve = serve;
	p->script = script;
	pthread_mutex_init(&p->lock, NULL);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(p->listener, 128), 0);
	getsockname(p->listener, (struct sockaddr *)&at, &len);
	p->port = ntohs(at.sin_port);
	pthread_create(&p->listening, NULL, peer_listen, p);
	return p;
}

/* Waits for its last connection and keeps what it saw; the caller frees it. */
static inline void peer_close_kept(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->listening, NULL);
	close(p->listener);
	for (int i = 0; i < p->connection_count; i++)
		pthread_join(p->serving[i], NULL);
}

static inline void peer_close(struct peer *p)
{
	peer_close_kept(p);
	free(p);
}

static inline bool peer_say(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Reads a line with its LF, or what fits of it; 0 at the end, the deadline or a reset. */
static inline size_t peer_line(struct peer *p, int fd, char *line, size_t size)
{
	size_t len = 0;

	line[0] = '\0';
	while (len + 1 < size) {
		ssize_t ready = recv(fd, line + len, size - 1 - len, MSG_PEEK);

		if (ready <= 0)
			break;
		char *lf = memchr(line + len, '\n', (size_t)ready);
		size_t take = lf == NULL ? (size_t)ready : (size_t)(lf - line) + 1 - len;

		len += (size_t)recv(fd, line + len, take, 0);
		line[len] = '\0';
		if (lf != NULL)
			break;
	}
	peer_note(p, line, len);
	return len;
}

/* ---- the client --------------------------------------------------------------------------- */

/* What was left of a reply after its callback. */
struct heard {
	int count; /* how often the callback ran */
	struct reply reply;
	char body[REPLY_BODY_MAX + 1], headers[16384], error[ERR_TEXT_MAX];
	int rcpt[8];
	char rcpt_text[8][256];
	struct client *client;
};

struct client {
	struct turn *turn;
	struct xfer *xfer;
	struct timer *deadline;
	bool starting, late;
};

static inline void client_late(void *arg)
{
	struct client *c = arg;

	c->late = true;
	turn_stop(c->turn);
}

static inline void client_stop_when_idle(void *arg)
{
	struct client *c = arg;

	if (xfer_count(c->xfer) == 0)
		turn_stop(c->turn);
}

static inline void client_open(struct client *c)
{
	*c = (struct client){ .turn = turn_new() };
	c->xfer = xfer_new(c->turn);
	c->deadline = timer_new(c->turn, client_late, c);
	turn_on_end(c->turn, client_stop_when_idle, c);
}

static inline void client_close(struct client *c)
{
	xfer_free(&c->xfer);
	timer_free(&c->deadline);
	turn_free(&c->turn);
}

static inline void client_heard(void *arg, const struct reply *r)
{
	struct heard *h = arg;

	assert_false(h->client->starting);
	h->count++;
	h->reply = *r;
	memcpy(h->body, r->body,
	       r->body_len < sizeof(h->body) ? r->body_len : sizeof(h->body) - 1);
	snprintf(h->headers, sizeof(h->headers), "%s", r->headers);
	snprintf(h->error, sizeof(h->error), "%s", r->error);
	for (size_t i = 0; i < r->rcpt_count && i < 8; i++) {
		h->rcpt[i] = r->rcpt[i].code;
		snprintf(h->rcpt_text[i], sizeof(h->rcpt_text[i]), "%s", r->rcpt[i].text);
	}
}

static inline void client_start(struct client *c, struct request *r, struct heard *h)
{
	*h = (struct heard){ .client = c };
	c->starting = true;
	xfer_start(c->xfer, r, client_heard, h);
	c->starting = false;
}

/* Runs until all transfers have ended; a test that hangs fails here. */
static inline void client_run(struct client *c)
{
	timer_set(c->deadline, DEADLINE_MS);
	turn_run(c->turn);
	timer_stop(c->deadline);
	assert_false(c->late);
	assert_int_equal(xfer_count(c->xfer), 0);
}

/* One request and its only reply. */
static inline void client_ask(struct client *c, struct request *r, struct heard *h)
{
	client_start(c, r, h);
	client_run(c);
	assert_int_equal(h->count, 1);
}

#endif
