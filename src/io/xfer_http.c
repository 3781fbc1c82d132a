/*
 * xfer_http: what a receiver may say, and what it means.
 *
 * A receiver is not trusted with our memory or our time: of its headers 8 KiB are kept and
 * 64 KiB read, of its body reply_max bytes. A body that goes on is cut off by refusing its next
 * bytes: libcurl then ends the transfer with CURLE_WRITE_ERROR and closes the connection, and
 * the answer counts as given, since status and headers are whole.
 *
 * Was it sent? Three facts decide. libcurl tells when a connection stands and the request is
 * about to be written (`tries`); how many bytes of requests it has written; and it writes a
 * request a second time, unasked, when a kept connection dies under the first. For a question
 * (GET) that is right. What tells somebody something may have been heard the first time, and the
 * second would be a repeat without a mark: it is not let through, and the transfer ends as cut,
 * maybe_sent. (An idle connection that its server closed is found out before anything is written
 * to it, and costs no more than a new one.)
 *
 * Was it answered? Only by what was said after it was asked, so two things that look like a yes
 * are none. What lies unread on a kept connection before a byte of the request is written was
 * meant for nobody: libcurl (7.88) would take it for the answer, and an alert would count as
 * delivered that nobody has heard. Such a connection is given up and the request goes out on a
 * new one. And a 2xx that came before the message was written to its end is a yes to a part.
 */
#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/kill.h"
#include "io/xfer_own.h"

static long bytes_written(const struct transfer *t)
{
	long written = 0;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_REQUEST_SIZE, &written);
	return written;
}

static bool is_question(const struct request *r)
{
	return r->body.len == 0 && (r->method == NULL || strcmp(r->method, "GET") == 0);
}

static bool is_second_try_refused(const struct transfer *t)
{
	return t->tries > 1 && !is_question(&t->request);
}

/* The server has spoken, or closed, on a kept connection before it was asked; or, when two shared
 * a port, nobody can tell. */
static bool is_stale(const struct transfer *t, int own_port, int peer_port)
{
	long made = 0;
	char unasked;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_NUM_CONNECTS, &made);
	if (made > 0)
		return false;
	int kept = xfer_socket(t->x, own_port, peer_port);

	return kept < 0 || recv(kept, &unasked, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

int xfer_http_about_to_send(void *transfer, char *peer, char *own, int peer_port, int own_port)
{
	struct transfer *t = transfer;

	(void)peer;
	(void)own;
	t->tries++;
	if (is_second_try_refused(t))
		return CURL_PREREQFUNC_ABORT;
	t->is_stale = is_stale(t, own_port, peer_port);
	if (t->is_stale)
		return CURL_PREREQFUNC_ABORT;
	t->written_before = bytes_written(t);
	if (!is_question(&t->request))
		KILL_POINT("http-connected");
	return CURL_PREREQFUNC_OK;
}

/* "Name: value": not the empty last line, not an obsolete continuation, nothing with a NUL. */
static bool is_field(const char *line, size_t len)
{
	return len > 0 && line[0] != ' ' && line[0] != '\t' && line[0] != ':' &&
	       memchr(line, ':', len) != NULL && memchr(line, '\0', len) == NULL;
}

size_t xfer_http_heard_header(char *bytes, size_t size, size_t count, void *transfer)
{
	struct transfer *t = transfer;
	size_t len = size * count, line = len;

	t->header_len += len;
	if (t->header_len > HEADERS_READ_MAX)
		return 0;
	while (line > 0 && (bytes[line - 1] == '\n' || bytes[line - 1] == '\r'))
		line--;
	if (line >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		buf_clear(&t->headers); /* what a 100 or a 103 said is over */
		t->headers_whole = false;
		if (!is_question(&t->request))
			KILL_POINT("http-answering");
		return len;
	}
	if (line == 0)
		t->headers_whole = true;
	if (is_field(bytes, line) && t->headers.len + line + 2 <= HEADERS_KEPT_MAX) {
		buf_add(&t->headers, bytes, line);
		buf_adds(&t->headers, "\r\n");
	}
	return len;
}

size_t xfer_http_heard_body(char *bytes, size_t size, size_t count, void *transfer)
{
	struct transfer *t = transfer;
	size_t len = size * count, room = t->body.max_len - t->body.len;

	if (len <= room) {
		buf_add(&t->body, bytes, len);
		return len;
	}
	buf_add(&t->body, bytes, room);
	t->body_cut = true;
	return 0;
}

static bool is_written_whole(const struct transfer *t)
{
	curl_off_t uploaded = 0;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_SIZE_UPLOAD_T, &uploaded);
	return (size_t)uploaded >= t->request.body.len;
}

/* A receiver that refuses a large body answers in the middle of it and closes; what libcurl
 * then sees is a connection cut while writing, behind a perfectly good 413. */
static bool is_early_refusal(const struct transfer *t)
{
	return t->headers_whole && t->reply.status >= 300 && !is_written_whole(t);
}

/* A proxy that will not let us through. */
static bool is_proxy_refusal(const struct transfer *t)
{
	long code = 0;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_HTTP_CONNECTCODE, &code);
	return code >= 300 && t->tries == 0;
}

/* With TLS 1.3 the handshake ends well, and only the first read tells that the server wanted a
 * certificate of ours. It has read nothing of the request then. */
static bool is_certificate_wanted(const struct transfer *t)
{
	return strstr(xfer_handle_complaint(t->handle), "alert certificate required") != NULL;
}

static enum reply_kind judge_kind(const struct transfer *t, int curl_code)
{
	enum reply_kind kind = xfer_reply_kind(curl_code);

	if (t->is_early_yes)
		return kind == REPLY_ANSWERED || t->body_cut ? REPLY_CUT : kind;
	if (t->body_cut)
		return t->request.reply_whole ? REPLY_TOO_LARGE : REPLY_ANSWERED;
	if (t->header_len > HEADERS_READ_MAX)
		return REPLY_GARBLED;
	/* libcurl is content with an answer that ends amid its headers, and with a 100 alone. */
	if (kind == REPLY_ANSWERED && (!t->headers_whole || t->reply.status == 0))
		return REPLY_CUT;
	if (curl_code == CURLE_ABORTED_BY_CALLBACK && is_second_try_refused(t))
		return REPLY_CUT;
	if (kind == REPLY_CUT && is_proxy_refusal(t))
		return REPLY_CONNECT;
	if (kind == REPLY_CUT && is_certificate_wanted(t))
		return REPLY_TLS;
	if (kind == REPLY_CUT && is_early_refusal(t))
		return REPLY_ANSWERED;
	/* Once the request is on its way nothing of ours can fail: HTTP/0.9, a header line
	 * beyond what libcurl takes and the like come as all sorts of codes. */
	if (kind == REPLY_LOCAL && t->tries > 0)
		return REPLY_GARBLED;
	return kind;
}

static bool may_have_arrived(const struct transfer *t)
{
	if (t->tries > 1)
		return true;
	if (t->reply.kind == REPLY_ANSWERED || t->reply.kind == REPLY_TOO_LARGE)
		return false;
	if (t->reply.kind == REPLY_TLS)
		return false;
	return t->tries == 1 && bytes_written(t) > t->written_before;
}

static void fill(struct transfer *t, enum reply_kind kind)
{
	t->reply.kind = kind;
	t->reply.maybe_sent = may_have_arrived(t);
	t->reply.body = t->body.data;
	t->reply.body_len = t->body.len;
	t->reply.body_cut = t->body_cut;
	t->reply.headers = t->headers.data;
}

static void read_status(struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_RESPONSE_CODE, &status);
	t->is_early_yes = status >= 200 && status <= 299 && !is_written_whole(t);
	t->reply.status = status >= 200 && !t->is_early_yes ? (int)status : 0;
}

/* What we ended ourselves libcurl can only call a failure to write. */
static const char *detail(const struct transfer *t)
{
	if (t->is_early_yes)
		return "a yes before the message was written to its end";
	if (t->body_cut)
		return NULL;
	if (t->header_len > HEADERS_READ_MAX)
		return "headers without end";
	if (is_second_try_refused(t))
		return "the kept connection died under the request";
	return xfer_handle_complaint(t->handle);
}

void xfer_http_judge(struct transfer *t, int curl_code)
{
	read_status(t);
	enum reply_kind kind = judge_kind(t, curl_code);

	if (!is_question(&t->request))
		KILL_POINT("http-answered");
	if (kind == REPLY_ANSWERED && curl_code != CURLE_OK)
		t->body_cut = true;
	fill(t, kind);
	xfer_reply_explain(t, detail(t));
}

void xfer_http_judge_cut(struct transfer *t)
{
	read_status(t);
	fill(t, REPLY_CUT);
	xfer_reply_explain(t, "by us, to end");
}
