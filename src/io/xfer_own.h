/*
 * xfer_own: what the xfer*.c files share among themselves; nobody else includes this.
 *
 * Structure, and who owns whom:
 *
 *   xfer        xfer.c         the multi handle, its sockets and timer, the list of transfers
 *   transfer    xfer.c         one request on its way: owns the request, the handle, the mail,
 *                              what came back, and the reply until the callback has returned
 *   handle      xfer_handle.c  an easy handle with the options of one request; kept for the next
 *   (HTTP)      xfer_http.c    what a receiver answers, bounded, and what that means
 *   mail        xfer_mail.c    an SMTP conversation, and what its answers mean
 *   lines       xfer_lines.c   the connections of mails that are over, with their handles, for
 *                              the next ones
 *   (words)     xfer_reply.c   libcurl's codes as reply kinds, and one line for people
 *
 * A CURL * is a void pointer and a CURLcode an int in here, so that the library's header stays
 * in the .c files.
 */
#ifndef IO_XFER_OWN_H
#define IO_XFER_OWN_H

#include "io/xfer.h"

enum {
	HEADERS_KEPT_MAX = 8 << 10,  /* of a response, for Retry-After, Date and the rate's */
	HEADERS_READ_MAX = 64 << 10, /* then it is no answer but a flood */
	TIMEOUT_DEFAULT_MS = 30000,  /* for a request that says none */
};

struct handles;
struct handle;
struct lines;
struct mail;

struct transfer {
	struct xfer *x;
	struct transfer *prev, *next;
	struct request request;
	void (*done)(void *arg, const struct reply *reply);
	void *arg;
	int64_t started_at; /* steady */
	int64_t timeout_ms;
	struct handle *handle; /* NULL: refused before it began */
	struct mail *mail;     /* NULL: HTTP */

	/* HTTP: what came back, and how far the request got. */
	struct buf body, headers;
	size_t header_len;  /* all bytes of headers, kept or not */
	bool headers_whole; /* the empty line behind them came */
	bool body_cut;
	bool is_stale; /* the kept connection was not to be trusted: once more, on a new one */
	bool is_early_yes;   /* a 2xx came while the request was still being written */
	int tries;           /* how often libcurl was about to write the request */
	long written_before; /* bytes it had written to get there: a proxy's CONNECT */

	/* The reply in the making. */
	struct reply reply;
	struct err error;
};

/* ---- xfer.c ------------------------------------------------------------------------------- */

/* Ends t with its reply as filled in: the callback runs, and t is gone. Not from a callback of
 * libcurl. */
void xfer_end(struct transfer *t);

/* The socket of a kept connection between these ports; -1: none known. */
int xfer_socket(const struct xfer *x, int own_port, int peer_port);
/* A callback of libcurl, which closes each socket by it; xfer is its first argument. */
int xfer_close_socket(void *xfer, int socket);

/* Gives t a handle and hands it to libcurl, which then connects. False: it is refused, and the
 * callback follows from a timer. Not from a callback of libcurl. */
bool xfer_connect(struct transfer *t);

/* Takes a handle away from libcurl, which closes its connection, and puts it by. */
void xfer_hang_up(struct xfer *x, struct handle **handle);

/* ---- xfer_handle.c ------------------------------------------------------------------------ */

struct handles *xfer_handles_new(struct xfer *x) __attribute__((warn_unused_result));
void xfer_handles_free(struct handles **h);

/* Gives t a handle with the request's options. False: the request cannot be sent as it is. */
bool xfer_handle_open(struct handles *h, struct transfer *t)
	__attribute__((warn_unused_result));
/* Takes it back, wiped of all but its URL; it must be out of the multi handle. */
void xfer_handle_close(struct handles *h, struct handle **handle);

/* What it sends next goes over a new connection. */
void xfer_handle_renew(struct handle *handle);

/* Another transfer (NULL: none) speaks over a handle that libcurl is done with. */
void xfer_handle_lend(struct handle *handle, struct transfer *t);

/* The CURL * of a handle. */
void *xfer_handle_easy(const struct handle *handle);
/* What libcurl says about its failure; may hold secrets. */
const char *xfer_handle_complaint(const struct handle *handle);

/* ---- xfer_http.c: callbacks of libcurl, each with its transfer as last argument ----------- */

size_t xfer_http_heard_header(char *bytes, size_t size, size_t count, void *transfer);
size_t xfer_http_heard_body(char *bytes, size_t size, size_t count, void *transfer);
int xfer_http_about_to_send(void *transfer, char *peer, char *own, int peer_port, int own_port);

/* Fills the reply when libcurl has ended the transfer with this CURLcode, or it is cut. */
void xfer_http_judge(struct transfer *t, int code);
void xfer_http_judge_cut(struct transfer *t);

/* ---- xfer_mail.c -------------------------------------------------------------------------- */

/* NULL when the request is no mail that can be sent; t->error says why. */
struct mail *xfer_mail_new(struct transfer *t, struct turn *turn, struct lines *lines)
	__attribute__((warn_unused_result));
void xfer_mail_free(struct mail **m);

/* Gives t the connection of a former mail, and speaks from the next turn of the loop on. False:
 * there is none that fits, so libcurl has to connect. */
bool xfer_mail_resume(struct mail *m);

/* A callback of libcurl: a line that the server said while libcurl connected. */
size_t xfer_mail_heard_line(char *bytes, size_t size, size_t count, void *transfer);
/* libcurl has connected and logged in: takes the conversation over, up to xfer_end(). */
void xfer_mail_talk(struct mail *m);
/* Fills the reply when libcurl could not connect or log in, or the mail is cut. */
void xfer_mail_judge(struct transfer *t, int code);
void xfer_mail_judge_cut(struct transfer *t);

/* ---- xfer_lines.c ------------------------------------------------------------------------- */

struct lines *xfer_lines_new(struct xfer *x, struct turn *turn)
	__attribute__((warn_unused_result));
/* Says QUIT on each and closes it. */
void xfer_lines_free(struct lines **l);

/* Gives t->handle a connection that fits its request; *mails is how many it carried. */
bool xfer_line_take(struct lines *l, struct transfer *t, int *mails);
/* Takes t->handle over, unless it carried too many mails. */
bool xfer_line_keep(struct lines *l, struct transfer *t, int mails);

/* ---- xfer_reply.c ------------------------------------------------------------------------- */

/* Of a CURLcode. */
enum reply_kind xfer_reply_kind(int code);

/* t->error := words for the reply's kind, with the detail unless that holds a secret; "" when
 * the kind is REPLY_ANSWERED. detail may be NULL. */
void xfer_reply_explain(struct transfer *t, const char *detail);

#endif
