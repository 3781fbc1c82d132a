/*
 * httpd: a small HTTP/1.1 server on the loop: status page, metrics, the simulator.
 *
 * A request is read whole (body up to body_max, more is answered 413), then the handler is
 * called once, from the loop, and fills an answer before it returns. Connections are bounded
 * in number and in idle time (in all they take, too, where the settings say so), headers in
 * bytes; a Date header is on every answer. Plain HTTP only: TLS is a reverse proxy's business.
 *
 * Ownership: the request and all it points to live until the handler returns. The answer is the
 * server's; the handler adds to it and never releases it.
 *
 * An answer may also misbehave on purpose (enum httpd_misdeed): a simulator needs that, nothing
 * else should.
 */
#ifndef IO_HTTPD_H
#define IO_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/turn.h"

enum {
	HTTPD_BODY_MAX = 1 << 20,    /* a request's, when the settings say nothing */
	HTTPD_ANSWER_MAX = 64 << 20, /* an answer's body */
	HTTPD_PAIRS_MAX = 64,        /* request headers, and query parameters; more: 431 */
	HTTPD_HEADERS_MAX = 16,      /* an answer's */
	HTTPD_DRIP_MS = 100,         /* between two bytes of a dripping answer */
};

struct httpd_pair {
	const char *name;
	const char *value; /* never NULL; a NUL follows */
	size_t value_len;
};

struct httpd_request {
	const char *method; /* "GET" */
	const char *path;   /* decoded, without the query */
	const char *body;   /* never NULL; a NUL follows */
	size_t body_len;
	bool from_loopback; /* the peer is this machine */
	size_t query_count;
	size_t header_count;
	struct httpd_pair query[HTTPD_PAIRS_MAX]; /* decoded */
	struct httpd_pair headers[HTTPD_PAIRS_MAX];
};

/* The first value of that name, or NULL. Header names are compared without case. */
const char *httpd_query(const struct httpd_request *request, const char *name);
const char *httpd_header(const struct httpd_request *request, const char *name);

enum httpd_misdeed {
	HTTPD_HONEST,
	HTTPD_RESET,    /* no answer, the connection is reset (RST) */
	HTTPD_HANG,     /* no answer, until the peer leaves or the server ends */
	HTTPD_TRUNCATE, /* the whole Content-Length is promised, half of it comes */
	HTTPD_DRIP,     /* one byte of body every HTTPD_DRIP_MS */
};

struct httpd_answer {
	int status; /* 200 unless set */
	struct buf body;
	enum httpd_misdeed misdeed;
	size_t header_count;
	struct {
		char *name;
		char *value;
	} headers[HTTPD_HEADERS_MAX];
};

/* For the server, and for tests of a handler. */
void httpd_answer_init(struct httpd_answer *answer);
void httpd_answer_release(struct httpd_answer *answer);

/* Adds a header; control characters in the value become spaces. */
void httpd_answer_header(struct httpd_answer *answer, const char *name, const char *value);

typedef void httpd_handler(void *arg, const struct httpd_request *request,
			   struct httpd_answer *answer);

struct httpd_settings {
	const char *address;     /* numeric: "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;           /* 0: any that is free */
	unsigned connection_max; /* 0: 64; those who come then wait in the kernel's queue */
	int64_t idle_ms;         /* 0: 10 s; a connection on which nothing moves is closed */
	/*
	 * How long a connection may take for a request and its answer, however slowly it moves;
	 * when connection_max are there, who takes longest makes room. 0: as long as it likes.
	 */
	int64_t request_ms;
	size_t body_max; /* 0: HTTPD_BODY_MAX */
	/* Another bound for some paths; NULL: none. */
	size_t (*body_max_of)(void *arg, const char *path);
	size_t bodies_max; /* of all requests under way: past it 503; 0: no such bound */
	httpd_handler *handle;
	void *arg;
};

struct httpd;

/* NULL and err when it cannot listen. The settings need not outlive the call. */
struct httpd *httpd_new(struct turn *turn, const struct httpd_settings *settings,
			struct err *err) __attribute__((warn_unused_result));
/* Closes every connection; what was not sent yet is lost. Not from within the handler. */
void httpd_free(struct httpd **server);

/* The port it listens on. */
uint16_t httpd_port(const struct httpd *server);

#endif
