/*
 * xfer_handle: libcurl's easy handles, and how a request becomes their options.
 *
 * A handle that is free is kept; connections and names live in the multi handle and outlast it.
 * What holds for every request of its kind is set once, when it is made. What is the request's
 * is set each time; what only some have is taken back behind such a one; and wipe() takes out
 * of a free handle whatever may be a secret. (curl_easy_reset() and all options anew would cost
 * more than libcurl needs to send the request.) Only its URL stays, taken apart, until another
 * comes: the next request nearly always goes to the same place.
 *
 * Decisions that are not the request's:
 *  - Certificates and host names are always verified, TLS is 1.2 or newer. The authorities come
 *    from one file, ca_file or the system's bundle, and never from a folder: with a folder
 *    libcurl reads all authorities again for each connection, 23 ms of the loop's time.
 *    A file is read again after a minute, so that a repaired one is noticed.
 *  - The environment decides nothing: without `proxy` there is none, and http_proxy, no_proxy
 *    and the like are not looked at. What the configuration does not say does not happen.
 *  - HTTP is 1.1, redirects are never followed (a 302 would turn a POST into a GET and look
 *    delivered), no "Expect:", no compression (an answer's size is bounded as it arrives).
 *  - CURLOPT_QUICK_EXIT: otherwise ending a transfer joins the thread that resolves its name.
 *  - For mail libcurl connects and logs in and no more (CURLOPT_CONNECT_ONLY): xfer_mail.c tells why.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/xfer_own.h"

enum {
	HANDLES_KEPT_MAX = 64, /* some 6 KB each */
	CA_CACHE_S = 60,
	EXPECT_FROM = 512 << 10, /* bytes of a body; libcurl asks leave for 1 MiB and more */
	HEADERS_MORE_MAX = 3,    /* than a request has, in libcurl's list */
	MAIL_ANSWER_MAX_S = 300, /* RFC 5321 4.5.3.2 for greeting, EHLO and AUTH */
};

static const char ca_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

struct handle {
	CURL *easy;
	/* Which requests it is for. */
	enum request_kind kind;
	char *ca;     /* their authorities; NULL: where libcurl was built to look */
	char *url;    /* of its last request; NULL: none */
	CURLU *place; /* the same, taken apart; NULL: that is left to libcurl */
	/* libcurl's list of header lines, linked in its order. They are the request's, uncopied. */
	struct curl_slist *headers;
	size_t header_count, header_room;
	char *bearer;    /* the one line that is ours; NULL: none */
	bool has_extras; /* see set_extras() */
	char complaint[CURL_ERROR_SIZE];
	struct handle *next; /* free */
};

struct handles {
	struct xfer *x;
	struct handle *free;
	size_t free_count;
	bool has_bundle;
};

struct handles *xfer_handles_new(struct xfer *x)
{
	struct handles *h = mem_new(sizeof(*h));

	h->x = x;
	h->has_bundle = file_exists(ca_bundle);
	return h;
}

static void discard(struct handle *handle)
{
	curl_easy_cleanup(handle->easy);
	curl_url_cleanup(handle->place);
	mem_free_secret(&handle->url);
	mem_free(&handle->headers);
	mem_free(&handle->ca);
	mem_free(&handle);
}

void xfer_handles_free(struct handles **h)
{
	if (*h == NULL)
		return;
	while ((*h)->free != NULL) {
		struct handle *handle = (*h)->free;

		(*h)->free = handle->next;
		discard(handle);
	}
	mem_free(h);
}

void *xfer_handle_easy(const struct handle *handle)
{
	return handle->easy;
}

void xfer_handle_lend(struct handle *handle, struct transfer *t)
{
	curl_easy_setopt(handle->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(handle->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(handle->easy, CURLOPT_WRITEDATA, t);
}

const char *xfer_handle_complaint(const struct handle *handle)
{
	return handle->complaint;
}

/* An option that is refused ends in one answer at the end: see xfer_handle_open(). */
#define SET(handle, option, value) \
	(curl_easy_setopt((handle)->easy, (option), (value)) == CURLE_OK)

/* ---- what holds for every request --------------------------------------------------------- */

static bool set_for_http(struct handle *handle)
{
	return SET(handle, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       SET(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(handle, CURLOPT_FOLLOWLOCATION, 0L) && SET(handle, CURLOPT_PATH_AS_IS, 1L) &&
	       SET(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(handle, CURLOPT_HEADERFUNCTION, xfer_http_heard_header) &&
	       SET(handle, CURLOPT_WRITEFUNCTION, xfer_http_heard_body) &&
	       SET(handle, CURLOPT_PREREQFUNCTION, xfer_http_about_to_send);
}

static bool set_for_mail(struct handle *handle)
{
	return SET(handle, CURLOPT_CONNECT_ONLY, 1L) &&
	       SET(handle, CURLOPT_HEADERFUNCTION, xfer_mail_heard_line);
}

static bool set_authorities(struct handle *handle)
{
	const char *ca = handle->ca;

	return ca == NULL ||
	       (SET(handle, CURLOPT_CAINFO, ca) && SET(handle, CURLOPT_CAPATH, NULL) &&
		SET(handle, CURLOPT_PROXY_CAINFO, ca) &&
		SET(handle, CURLOPT_PROXY_CAPATH, NULL));
}

static bool set_for_good(struct handle *handle, struct xfer *x)
{
	return SET(handle, CURLOPT_CLOSESOCKETFUNCTION, xfer_close_socket) &&
	       SET(handle, CURLOPT_CLOSESOCKETDATA, x) &&
	       SET(handle, CURLOPT_ERRORBUFFER, handle->complaint) &&
	       SET(handle, CURLOPT_NOSIGNAL, 1L) && SET(handle, CURLOPT_QUICK_EXIT, 1L) &&
	       SET(handle, CURLOPT_TCP_NODELAY, 1L) && SET(handle, CURLOPT_NOPROXY, "") &&
	       SET(handle, CURLOPT_PROXY, "") &&
	       SET(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) &&
	       SET(handle, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(handle, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       SET(handle, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S) &&
	       set_authorities(handle) &&
	       (handle->kind == REQUEST_HTTP ? set_for_http(handle) : set_for_mail(handle));
}

static struct handle *handle_new(struct xfer *x, enum request_kind kind, const char *ca)
{
	struct handle *handle = mem_new(sizeof(*handle));

	handle->kind = kind;
	handle->ca = mem_strdup(ca);
	handle->easy = curl_easy_init();
	if (handle->easy == NULL || !set_for_good(handle, x))
		BUG("libcurl gives no handle");
	return handle;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* One that was at the same place, which is nearly always the first; else any; NULL: none. */
static struct handle **find_free(struct handles *h, const struct request *r, const char *ca)
{
	struct handle **any = NULL;

	for (struct handle **at = &h->free; *at != NULL; at = &(*at)->next) {
		if ((*at)->kind != r->kind || !is_same((*at)->ca, ca))
			continue;
		if (is_same((*at)->url, r->url))
			return at;
		if (any == NULL)
			any = at;
	}
	return any;
}

static struct handle *take(struct handles *h, const struct request *r)
{
	const char *ca = r->ca_file == NULL && h->has_bundle ? ca_bundle : r->ca_file;
	struct handle **free = find_free(h, r, ca);

	if (free == NULL)
		return handle_new(h->x, r->kind, ca);
	struct handle *handle = *free;

	*free = handle->next;
	h->free_count--;
	return handle;
}

/* What only some requests have: set where it is there, and taken back behind such a one. */
static const struct {
	CURLoption option;
	size_t at;        /* a text of the request's, or NULL */
	const char *none; /* to take it back */
} extras[] = {
	{ CURLOPT_PROXY, offsetof(struct request, proxy), "" },
	{ CURLOPT_USERNAME, offsetof(struct request, username), NULL },
	{ CURLOPT_PASSWORD, offsetof(struct request, password), NULL },
	{ CURLOPT_SSLCERT, offsetof(struct request, cert_file), NULL },
	{ CURLOPT_SSLKEY, offsetof(struct request, key_file), NULL },
	{ CURLOPT_AWS_SIGV4, offsetof(struct request, sigv4), NULL },
};

static bool set_extras(struct handle *handle, const struct request *r)
{
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(extras); i++) {
		const char *text;

		memcpy(&text, (const char *)r + extras[i].at, sizeof(text));
		if (text == NULL)
			continue;
		handle->has_extras = true;
		ok = ok && SET(handle, extras[i].option, text);
	}
	return ok;
}

static void take_extras_back(struct handle *handle)
{
	for (size_t i = 0; i < ARRAY_LEN(extras); i++)
		(void)SET(handle, extras[i].option, extras[i].none);
	(void)SET(handle, CURLOPT_XOAUTH2_BEARER, NULL);
	(void)SET(handle, CURLOPT_FRESH_CONNECT, 0L);
	/* The signature's option sets the other, and does not set it back. */
	(void)SET(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	handle->has_extras = false;
}

/* Nothing of a request stays behind that tells something. */
static void wipe(struct handle *handle)
{
	static const CURLoption telling[] = { CURLOPT_HTTPHEADER, CURLOPT_POSTFIELDS,
					      CURLOPT_PRIVATE };

	for (size_t i = 0; i < ARRAY_LEN(telling); i++)
		(void)SET(handle, telling[i], NULL);
	if (handle->has_extras)
		take_extras_back(handle);
	handle->header_count = 0;
	mem_free_secret(&handle->bearer);
	handle->complaint[0] = '\0';
}

void xfer_handle_close(struct handles *h, struct handle **handle)
{
	struct handle *closed = *handle;

	*handle = NULL;
	if (closed == NULL)
		return;
	wipe(closed);
	if (h->free_count >= HANDLES_KEPT_MAX) {
		discard(closed);
		return;
	}
	closed->next = h->free;
	h->free = closed;
	h->free_count++;
}

void xfer_handle_renew(struct handle *handle)
{
	handle->has_extras = true;
	(void)SET(handle, CURLOPT_FRESH_CONNECT, 1L);
}

/* ---- what is the request's ---------------------------------------------------------------- */

/* libcurl copies what it is given and leaves the zone of a link-local address out. */
static bool has_zone(CURLU *place)
{
	char *zone = NULL;
	bool has = curl_url_get(place, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK;

	curl_free(zone);
	return has;
}

/* As libcurl does it. NULL: what that makes of it, libcurl is to say. */
static CURLU *take_apart(const char *url, enum request_kind kind)
{
	unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME |
			 (kind == REQUEST_HTTP ? CURLU_PATH_AS_IS : 0);
	CURLU *place = curl_url();

	if (curl_url_set(place, CURLUPART_URL, url, flags) != CURLUE_OK || has_zone(place)) {
		curl_url_cleanup(place);
		place = NULL;
	}
	return place;
}

/* libcurl would take it apart, and put it together again, for each request. */
static bool set_url(struct handle *handle, const char *url)
{
	if (is_same(handle->url, url))
		return true;
	mem_free_secret(&handle->url);
	curl_url_cleanup(handle->place);
	handle->place = take_apart(url, handle->kind);
	if (!SET(handle, CURLOPT_CURLU, handle->place) || !SET(handle, CURLOPT_URL, url))
		return false;
	handle->url = mem_strdup(url);
	return true;
}

static void make_header_room(struct handle *handle, size_t count)
{
	if (handle->header_room >= count)
		return;
	handle->headers = mem_resize(handle->headers, count, sizeof(*handle->headers));
	handle->header_room = count;
}

static void add_header(struct handle *handle, char *line)
{
	struct curl_slist *added = handle->headers + handle->header_count++;

	*added = (struct curl_slist){ .data = line };
	if (handle->header_count > 1)
		added[-1].next = added;
}

/* libcurl takes "Name:" for a wish to leave Name out; "Name;" sends it empty. */
static void add_request_header(struct handle *handle, char *line)
{
	char *colon = strchr(line, ':');

	if (colon != NULL && colon[1 + strspn(colon + 1, " \t")] == '\0')
		memcpy(colon, ";", 2);
	add_header(handle, line);
}

static bool set_headers(struct handle *handle, struct request *r)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";

	make_header_room(handle, r->header_count + HEADERS_MORE_MAX);
	if (r->body.len >= EXPECT_FROM)
		add_header(handle, no_expect);
	/* Otherwise libcurl calls any body a form. */
	if (request_get_header(r, "Content-Type") == NULL)
		add_header(handle, no_type);
	for (size_t i = 0; i < r->header_count; i++)
		add_request_header(handle, r->headers[i]);
	if (r->bearer != NULL) {
		handle->bearer = mem_printf("Authorization: Bearer %s", r->bearer);
		add_header(handle, handle->bearer);
	}
	return SET(handle, CURLOPT_HTTPHEADER, handle->headers);
}

static bool has_body(const char *method, size_t body_len)
{
	return body_len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	       strcmp(method, "PATCH") == 0;
}

static bool set_method(struct handle *handle, const struct request *r)
{
	const char *method = r->method == NULL ? "GET" : r->method;

	if (strcmp(method, "HEAD") == 0)
		return SET(handle, CURLOPT_NOBODY, 1L) &&
		       SET(handle, CURLOPT_CUSTOMREQUEST, NULL);
	if (!has_body(method, r->body.len))
		return SET(handle, CURLOPT_HTTPGET, 1L) &&
		       SET(handle, CURLOPT_CUSTOMREQUEST, method);
	return SET(handle, CURLOPT_POST, 1L) &&
	       SET(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len) &&
	       SET(handle, CURLOPT_POSTFIELDS, r->body.data) && /* not copied: t owns it */
	       SET(handle, CURLOPT_CUSTOMREQUEST, method);
}

static bool set_http(struct handle *handle, struct transfer *t)
{
	return SET(handle, CURLOPT_PREREQDATA, t) && set_method(handle, &t->request) &&
	       set_headers(handle, &t->request);
}

/*
 * Without a bearer libcurl takes the best that the server offers of CRAM-MD5, PLAIN, LOGIN and
 * the like. With one nothing else will do: an empty password would be sent in its place.
 */
static bool set_login(struct handle *handle, const struct request *r)
{
	handle->has_extras |= r->bearer != NULL;
	return SET(handle, CURLOPT_XOAUTH2_BEARER, r->bearer) &&
	       SET(handle, CURLOPT_LOGIN_OPTIONS,
		   r->bearer == NULL ? NULL : "AUTH=OAUTHBEARER;AUTH=XOAUTH2");
}

static bool set_mail(struct handle *handle, const struct transfer *t)
{
	const struct request *r = &t->request;
	int64_t answer_s = (t->timeout_ms + 999) / 1000;

	if (answer_s > MAIL_ANSWER_MAX_S)
		answer_s = MAIL_ANSWER_MAX_S;
	/* A URL that disagrees with `tls` is refused, not believed. */
	return SET(handle, CURLOPT_PROTOCOLS_STR,
		   r->tls == MAIL_TLS_IMPLICIT ? "smtps" : "smtp") &&
	       SET(handle, CURLOPT_USE_SSL,
		   (long)(r->tls == MAIL_TLS_STARTTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE)) &&
	       SET(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)answer_s) &&
	       set_login(handle, r);
}

static bool set_common(struct handle *handle, struct transfer *t)
{
	const struct request *r = &t->request;
	/* A mail may begin again over a new connection, but not its time. */
	int64_t left_ms = t->timeout_ms - (clock_steady() - t->started_at);
	long wait_ms = left_ms > 0 ? (long)left_ms : 1;

	xfer_handle_lend(handle, t);
	return set_url(handle, r->url) && SET(handle, CURLOPT_TIMEOUT_MS, wait_ms) &&
	       SET(handle, CURLOPT_CONNECTTIMEOUT_MS, wait_ms) && set_extras(handle, r);
}

/* The last gate: a line break in here would be a header or a command of somebody else's. */
static bool is_one_line_each(struct transfer *t)
{
	const struct request *r = &t->request;
	const char *lines[] = { r->url, r->method, r->bearer, r->from, r->sigv4 };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (lines[i] != NULL && strpbrk(lines[i], "\r\n") != NULL)
			return err_set(&t->error, "a line break in the request");
	for (size_t i = 0; i < r->header_count; i++)
		if (strpbrk(r->headers[i], "\r\n") != NULL)
			return err_set(&t->error, "a line break in a header");
	for (size_t i = 0; i < r->recipient_count; i++)
		if (strpbrk(r->recipients[i], "\r\n<>") != NULL)
			return err_set(&t->error, "a line break, < or > in a recipient");
	return true;
}

bool xfer_handle_open(struct handles *h, struct transfer *t)
{
	if (t->request.url == NULL)
		BUG("a request without a URL");
	if (!is_one_line_each(t))
		return false;
	t->handle = take(h, &t->request);
	bool ok = set_common(t->handle, t) &&
		  (t->mail == NULL ? set_http(t->handle, t) : set_mail(t->handle, t));

	if (!ok) {
		xfer_handle_close(h, &t->handle);
		return err_set(&t->error, "libcurl takes no such request");
	}
	return true;
}
