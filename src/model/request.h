/*
 * request: what is to be sent, and reply: how it went. Plain data between sinks, flow and io.
 *
 * A request owns everything in it. URLs, headers and passwords are secrets: nothing of a
 * request is ever logged. A reply is owned by io and lives as long as the completion runs.
 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum request_kind { REQUEST_HTTP, REQUEST_MAIL };

enum {
	REQUEST_BODY_MAX = 4 << 20,
	REPLY_BODY_MAX = 64 << 10, /* what is read of a receiver's answer */
};

/* How the first connection of an SMTP conversation becomes TLS. */
enum mail_tls { MAIL_TLS_NONE, MAIL_TLS_STARTTLS, MAIL_TLS_IMPLICIT };

struct request {
	enum request_kind kind;
	char *url;      /* http(s)://…, smtp(s)://host:port/hello-name */
	char *method;   /* HTTP: "POST" … */
	char **headers; /* HTTP and mail: "Name: value", without CR/LF */
	size_t header_count;
	struct buf body;           /* HTTP: the body */
	char *username, *password; /* HTTP basic, SMTP AUTH; NULL: none */
	char *bearer;              /* Authorization: Bearer; SMTP: XOAUTH2; NULL: none */
	char *sigv4; /* "aws:amz:REGION:SERVICE": signed with username and password; NULL */

	/* Mail. */
	char *from;        /* envelope: an address without <> */
	char **recipients; /* envelope: addresses without <> */
	size_t recipient_count;
	char *text, *html; /* CRLF lines; html may be NULL */
	enum mail_tls tls;

	/* Both. */
	int64_t timeout_ms;
	size_t reply_max; /* bytes of the answer kept; 0: REPLY_BODY_MAX. More is cut off, not an error */
	bool reply_whole;      /* more than reply_max is an error (a page) */
	char *ca_file, *proxy; /* NULL: the system's, none */
	char *cert_file, *key_file;
};

void request_init(struct request *r, enum request_kind kind);
void request_release(struct request *r);

/*
 * Adds "name: value". False when value holds CR or LF, or name is no header's name (an error of
 * the world; it never tells the value). Both end at their NUL: a text with its own length is
 * the caller's to check.
 */
bool request_header(struct request *r, const char *name, const char *value, struct err *err)
	__attribute__((warn_unused_result));
/* As request_header(), in place of any header of that name. */
bool request_set_header(struct request *r, const char *name, const char *value, struct err *err)
	__attribute__((warn_unused_result));
/* Adds an envelope recipient. False for one with CR, LF, NUL, <, >, or white space. */
bool request_recipient(struct request *r, const char *address, struct err *err)
	__attribute__((warn_unused_result));
/* The value of a header already added, or NULL. */
const char *request_get_header(const struct request *r, const char *name);

/* What became of the connection, before any status is looked at. */
enum reply_kind {
	REPLY_ANSWERED, /* status (and for SMTP its code) is what the peer said last */
	REPLY_RESOLVE,  /* the name did not resolve */
	REPLY_CONNECT,  /* refused, unreachable, proxy */
	REPLY_TLS,      /* handshake or certificate; STARTTLS not offered */
	REPLY_LOGIN,    /* SMTP: AUTH refused (status), or not offered */
	REPLY_TIMEOUT,
	REPLY_CUT,       /* reset or closed in mid-answer */
	REPLY_TOO_LARGE, /* reply_whole and more than reply_max */
	REPLY_GARBLED,   /* the peer does not speak the protocol */
	REPLY_LOCAL,     /* our own fault or the machine's: no memory, no socket */
};

struct reply_line {
	int code;
	const char *text; /* the whole line without CRLF */
};

struct reply {
	enum reply_kind kind;
	int status; /* HTTP status or SMTP code; 0: none */
	bool maybe_sent; /* the request was sent (for mail: past the final dot) and no answer to it came */
	const char *body; /* never NULL */
	size_t body_len;
	bool body_cut; /* the answer was longer than what was kept */
	const char
		*headers; /* HTTP: "Name: value\r\n" lines of the final response; never NULL */
	const struct reply_line
		*rcpt; /* mail: the answer to each RCPT, in the request's order */
	size_t rcpt_count;
	int64_t took_ms;
	int64_t at;        /* wall clock at the end */
	const char *error; /* one line for people, without secrets; "" when answered */
};

/* The value of a response header (case-insensitive, the last one), trimmed; false: none. */
bool reply_header(const struct reply *r, const char *name, char *value, size_t size);

/*
 * Retry-After in either form (RFC 9110 10.2.3) as a wait from r->at; a fraction of a second,
 * which servers send and the RFC does not know, is rounded up; -1 when absent or nonsense. Not
 * clamped: the core does that.
 */
int64_t reply_retry_after_ms(const struct reply *r);

#endif
