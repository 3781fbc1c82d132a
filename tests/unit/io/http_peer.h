/*
 * http_peer: HTTP servers by script for peer.h, and a request for them.
 */
#ifndef TESTS_UNIT_IO_HTTP_PEER_H
#define TESTS_UNIT_IO_HTTP_PEER_H

#include "peer.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nok"

/* Reads one request whole; false when the client has gone. */
static inline bool read_request(struct peer *p, int fd)
{
	char line[16384];
	size_t body_len = 0, len;

	while ((len = peer_line(p, fd, line, sizeof(line))) > 2)
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			body_len = strtoul(line + 15, NULL, 10);
	if (len == 0)
		return false;
	while (body_len > 0) {
		ssize_t got =
			recv(fd, line, body_len < sizeof(line) ? body_len : sizeof(line), 0);

		if (got <= 0)
			return false;
		peer_note(p, line, (size_t)got);
		body_len -= (size_t)got;
	}
	p->request_count++;
	return true;
}

/* Answers every request with the script, on a connection that is kept. */
static inline void keep_answering(struct peer *p, int fd)
{
	while (read_request(p, fd))
		if (!peer_say(fd, p->script, strlen(p->script)))
			return;
}

/* Answers one and closes without having said that it would. */
static inline void answer_and_close(struct peer *p, int fd)
{
	if (read_request(p, fd))
		peer_say(fd, p->script, strlen(p->script));
}

static inline void hang(struct peer *p, int fd)
{
	char c;

	read_request(p, fd);
	while (recv(fd, &c, 1, 0) > 0)
		;
}

static inline void make_post(struct request *r, int port, const char *body)
{
	request_init(r, REQUEST_HTTP);
	r->url = mem_printf("http://127.0.0.1:%d/hook/secret-path?a=b", port);
	r->method = mem_strdup("POST");
	buf_adds(&r->body, body);
	r->timeout_ms = 4000;
}

#endif
