/*
 * bench_peer: the API and the receiver of the benchmark, in one process and cheaper than what
 * it measures.
 *
 *   bench_peer [-n ALERTS] [-r] [-o]        -r: random ids; -o: oldest first
 *
 * One thread, epoll, HTTP/1.1 kept alive, buffers of a fixed size; a request that does not fit
 * ends it. The first line of its output is the port; then comes a line each time that another
 * ALERTS POSTs were answered: the seconds since the first GET or POST before them, and how many
 * webhook-ids came twice.
 *
 *   GET /v1/alerts?limit=L[&cursor=C][&status=S]    all are open; C is how many came before
 *   POST ...                                        200, and its webhook-id is remembered
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "bench_alert.h"

enum {
	PAGE_MAX = 100,
	HEAD_MAX = 300,
	IN_MAX = 16 << 10,
	BODY_MAX = PAGE_MAX * BENCH_ALERT_MAX + 200,
	EVENTS = 128,
};

struct connection {
	int fd;
	size_t len;
	char in[IN_MAX + 1];
};

struct peer {
	uint64_t alert_count;
	bool random_ids, oldest_first;
	uint64_t post_count, twice_count;
	double began;   /* 0: nobody has asked */
	uint64_t *seen; /* hashes of webhook-ids, open addressing; 0 is free */
	size_t seen_mask;
	char out[HEAD_MAX + BODY_MAX], body[BODY_MAX];
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what was heard ---------------------------------------------------------------------- */

/* FNV-1a: of a million ids two share one of its 64 bits with a chance of one in ten million. */
static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	return h | 1;
}

static void remember(struct peer *p, const char *id, size_t len)
{
	uint64_t h = hash(id, len);
	size_t at = (h >> 20) & p->seen_mask;

	while (p->seen[at] != 0 && p->seen[at] != h)
		at = (at + 1) & p->seen_mask;
	p->twice_count += p->seen[at] == h;
	p->seen[at] = h;
}

static void count_post(struct peer *p, const char *head)
{
	static const char name[] = "\r\nwebhook-id: ";
	const char *id = strstr(head, name);

	if (id == NULL)
		die(EXIT_FAILED, "a POST without webhook-id");
	id += sizeof(name) - 1;
	remember(p, id, strcspn(id, "\r"));
	if (++p->post_count % p->alert_count != 0)
		return;
	printf("%.6f %" PRIu64 "\n", now_s() - p->began, p->twice_count);
	p->began = 0;
	p->twice_count = 0;
	memset(p->seen, 0, (p->seen_mask + 1) * sizeof(*p->seen));
}

/* ---- answers ----------------------------------------------------------------------------- */

static uint64_t query(const char *target, const char *name, uint64_t otherwise)
{
	const char *found = strstr(target, name);

	return found == NULL ? otherwise : strtoull(found + strlen(name), NULL, 10);
}

static size_t add_items(struct peer *p, uint64_t at, uint64_t count)
{
	size_t len = 0;

	for (uint64_t i = at; i < at + count; i++) {
		uint64_t number = p->oldest_first ? i : p->alert_count - 1 - i;

		if (i > at)
			p->body[len++] = ',';
		len += bench_alert(p->body + len, number, p->random_ids);
	}
	p->body[len] = '\0';
	return len;
}

static size_t answer_page(struct peer *p, const char *target)
{
	bool has_some =
		strstr(target, "status=") == NULL || strstr(target, "status=open") != NULL;
	uint64_t all = has_some ? p->alert_count : 0;
	uint64_t at = query(target, "cursor=", 0), limit = query(target, "limit=", 25);
	uint64_t left = at < all ? all - at : 0;
	uint64_t count = left < limit ? left : limit;

	if (count > PAGE_MAX)
		count = PAGE_MAX;
	size_t len = add_items(p, at, count);
	char cursor[100] = "null,\"has_more\":false", date[40];
	time_t now = time(NULL);
	struct tm tm;

	if (count < left)
		snprintf(cursor, sizeof(cursor), "\"%" PRIu64 "\",\"has_more\":true",
			 at + count);
	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return (size_t)snprintf(
		p->out, sizeof(p->out),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		"Date: %s\r\nX-RateLimit-Limit: 1000000\r\n"
		"X-RateLimit-Remaining: 999999\r\nX-RateLimit-Reset: %lld\r\n"
		"Content-Length: %zu\r\n\r\n{\"items\":[%s],\"next_cursor\":%s}",
		date, (long long)now + 60,
		len + strlen("{\"items\":[],\"next_cursor\":}") + strlen(cursor), p->body,
		cursor);
}

static void write_all(int fd, const char *bytes, size_t len)
{
	/* Answers are smaller than a socket's buffer, and each request is awaited. */
	for (ssize_t n; len > 0; bytes += n, len -= (size_t)n) {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			n = 0;
		else if (n < 0)
			return; /* it has left */
	}
}

static void answer(struct peer *p, int fd, const char *head)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

	if (p->began <= 0)
		p->began = now_s();
	if (strncmp(head, "POST ", 5) == 0) {
		write_all(fd, ok, sizeof(ok) - 1);
		count_post(p, head);
		return;
	}
	char target[200];

	snprintf(target, sizeof(target), "%.*s", (int)strcspn(head + 4, " "), head + 4);
	write_all(fd, p->out, answer_page(p, target));
}

/* ---- connections ------------------------------------------------------------------------- */

/* Answers the request that the buffer holds; returns its length, 0 when it is not whole. */
static size_t take_request(struct peer *p, struct connection *c)
{
	c->in[c->len] = '\0';
	char *end = strstr(c->in, "\r\n\r\n");

	if (end == NULL)
		return 0;
	const char *length = strcasestr(c->in, "\r\nContent-Length:");
	size_t body = length != NULL && length < end
			      ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10)
			      : 0;
	size_t head = (size_t)(end - c->in) + 4;

	if (head + body > IN_MAX)
		die(EXIT_FAILED, "a request of %zu bytes", head + body);
	if (head + body > c->len)
		return 0;
	answer(p, c->fd, c->in);
	return head + body;
}

static void on_readable(struct peer *p, struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, IN_MAX - c->len, 0);

	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		close(c->fd);
		mem_free(&c);
		return;
	}
	c->len += (size_t)n;
	for (size_t taken; c->len > 0 && (taken = take_request(p, c)) > 0;) {
		c->len -= taken;
		memmove(c->in, c->in + taken, c->len);
	}
}

static void accept_all(int poll, int listener)
{
	int one = 1;

	for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
		struct connection *c = mem_new(sizeof(*c));
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
	}
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		die(EXIT_FAILED, "listening: %s", strerror(errno));
	printf("%d\n", ntohs(address.sin_port));
	return fd;
}

static void serve(struct peer *p)
{
	int listener = listen_somewhere(), poll = epoll_create1(0);
	struct epoll_event ready[EVENTS], event = { .events = EPOLLIN, .data.ptr = NULL };

	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(poll, ready, EVENTS, -1);

		for (int i = 0; i < count; i++)
			if (ready[i].data.ptr == NULL)
				accept_all(poll, listener);
			else
				on_readable(p, ready[i].data.ptr);
	}
}

int main(int argc, char **argv)
{
	struct peer *p = mem_new(sizeof(*p));

	p->alert_count = 20000;
	for (int option; (option = getopt(argc, argv, "n:ro")) != -1;) {
		switch (option) {
		case 'n': p->alert_count = strtoull(optarg, NULL, 10); break;
		case 'r': p->random_ids = true; break;
		case 'o': p->oldest_first = true; break;
		default: return EXIT_USAGE;
		}
	}
	size_t room = 1024;

	while (room < 2 * p->alert_count)
		room *= 2;
	p->seen_mask = room - 1;
	p->seen = mem_array(room, sizeof(*p->seen));
	setvbuf(stdout, NULL, _IOLBF, 0);
	serve(p);
}
