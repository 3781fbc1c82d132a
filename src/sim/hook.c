/*
 * hook: a ring of bodies that wait, and counts of those that left.
 *
 *   hook_note ──▶ WAITING ── end of a turn, a place is free ──▶ FLYING ──▶ delivered or failed
 *      │             └ pushed out by younger ones ──▶ dropped
 *      └ no JSON object, too large ──▶ dropped
 *
 * The body is made when the thing happens, so it tells the alert as it was then, however long it
 * waits; the signature when it leaves.
 */
#include "sim/hook.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/dice.h"

enum { SIGNATURE_MAX = 7 + 2 * HMAC_LEN };

struct event {
	char *body; /* owned */
	size_t len;
};

struct hook {
	const char *url, *secret; /* borrowed */
	struct dice ids;
	struct event waiting[HOOK_WAITING_MAX]; /* a ring */
	size_t first, count;
	size_t byte_count; /* of all that waits */
	size_t flying;
	int64_t delivered, failed, dropped;
};

/* ---- URL:SECRET -------------------------------------------------------------------------- */

static bool is_loopback(const char *host, size_t len)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (len == strlen(names[i]) && strncasecmp(host, names[i], len) == 0)
			return true;
	return false;
}

static bool has_odd_bytes(const char *url)
{
	for (; *url != '\0'; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f || *url == '\\')
			return true;
	return false;
}

static bool check_url(const char *url, struct err *err)
{
	bool is_https = strncasecmp(url, "https://", 8) == 0;

	if (!is_https && strncasecmp(url, "http://", 7) != 0)
		return err_set(err, "must be URL:SECRET, such as https://host/path:secret");
	if (has_odd_bytes(url))
		return err_set(err, "has a space, a control character or a backslash in its "
				    "URL: encode it (%%20)");
	const char *host = url + (is_https ? 8 : 7);
	size_t authority_len = strcspn(host, "/?#");
	size_t len = host[0] == '[' ? strcspn(host, "]/?#") + 1 : strcspn(host, ":/?#");

	if (authority_len == 0 || host[0] == ':' ||
	    (host[0] == '[' && memchr(host, ']', authority_len) == NULL))
		return err_set(err, "names no host: write https://host/path:secret");
	/* a name before an @ may look like a loopback host */
	if (memchr(host, '@', authority_len) != NULL)
		return err_set(err, "has a user name in its URL: leave it out");
	if (!is_https && !is_loopback(host, len))
		return err_set(err, "is plain http, which only 127.0.0.1, localhost and [::1] "
				    "may be: use https");
	return true;
}

/* "http://127.0.0.1:9000/in" splits too, into a host and a secret of "9000/in". */
static bool is_port(const char *url_start, const char *colon)
{
	const char *host = strstr(url_start, "://");
	size_t digits = strspn(colon + 1, "0123456789");

	return host != NULL && host < colon &&
	       memchr(host + 3, '/', (size_t)(colon - host - 3)) == NULL && digits > 0 &&
	       (colon[1 + digits] == '\0' || colon[1 + digits] == '/');
}

bool hook_split(const char *text, char **url, char **secret, struct err *err)
{
	const char *colon = strrchr(text, ':');
	char *before;

	if (colon == NULL || colon[1] == '\0')
		return err_set(err, "must be URL:SECRET, such as https://host/path:secret");
	if (is_port(text, colon))
		return err_set(err, "has a port but no secret: write URL:SECRET, or a path "
				    "before a secret of digits");
	before = mem_dup(text, (size_t)(colon - text));
	if (!check_url(before, err)) {
		mem_free(&before);
		return false;
	}
	*url = before;
	*secret = mem_strdup(colon + 1);
	return true;
}

/* ---- what waits -------------------------------------------------------------------------- */

struct hook *hook_new(const char *url, const char *secret, uint64_t seed)
{
	struct hook *h = mem_new(sizeof(*h));

	h->url = url;
	h->secret = secret;
	h->ids.state = seed;
	return h;
}

static struct event shift(struct hook *h)
{
	struct event oldest = h->waiting[h->first];

	assert(h->count > 0);
	h->first = (h->first + 1) % HOOK_WAITING_MAX;
	h->count--;
	h->byte_count -= oldest.len;
	return oldest;
}

static void push(struct hook *h, struct buf *body)
{
	struct event e;

	e.body = buf_take(body, &e.len);
	while (h->count == HOOK_WAITING_MAX ||
	       (h->count > 0 && h->byte_count + e.len > HOOK_BYTES_MAX)) {
		struct event oldest = shift(h);

		mem_free(&oldest.body);
		h->dropped++;
	}
	h->waiting[(h->first + h->count++) % HOOK_WAITING_MAX] = e;
	h->byte_count += e.len;
}

void hook_free(struct hook **h)
{
	if (*h == NULL)
		return;
	assert((*h)->flying == 0);
	while ((*h)->count > 0) {
		struct event e = shift(*h);

		mem_free(&e.body);
	}
	mem_free(h);
}

static bool is_object(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	return at < len && text[at] == '{' && json_check(text, len, NULL);
}

void hook_note(struct hook *h, const char *type, const char *alert, size_t len, int64_t now)
{
	char at[CLOCK_TEXT_MAX];
	struct buf body;

	if (!is_object(alert, len)) {
		h->dropped++;
		return;
	}
	clock_iso(now, false, at);
	buf_init(&body, REQUEST_BODY_MAX);
	buf_addf(&body, "{\"id\":\"evt_%016" PRIx64 "\",\"type\":\"%s\",\"created_at\":\"%s\",",
		 dice_next(&h->ids), type, at);
	buf_adds(&body, "\"data\":");
	buf_add(&body, alert, len);
	buf_addc(&body, '}');
	if (body.overflow)
		h->dropped++;
	else
		push(h, &body);
	buf_release(&body);
}

/* ---- what leaves ------------------------------------------------------------------------- */

static void add_signature(const struct hook *h, const struct event *e, struct buf *out)
{
	const struct hmac_part part = { e->body, e->len };
	unsigned char digest[HMAC_LEN];

	hmac_sha256(h->secret, strlen(h->secret), &part, 1, digest);
	buf_adds(out, "sha256=");
	esc_hex(out, digest, sizeof(digest));
}

bool hook_take(struct hook *h, struct request *r)
{
	struct buf signature;
	struct event e;

	if (h->count == 0)
		return false;
	e = shift(h);
	buf_init(&signature, SIGNATURE_MAX);
	add_signature(h, &e, &signature);
	request_init(r, REQUEST_HTTP);
	r->url = mem_strdup(h->url);
	r->method = mem_strdup("POST");
	r->timeout_ms = HOOK_TIMEOUT_MS;
	if (!request_header(r, "Content-Type", "application/json", NULL) ||
	    !request_header(r, "X-Toktra-Signature", signature.data, NULL))
		BUG("a header of the webhook's is none");
	buf_add(&r->body, e.body, e.len);
	buf_release(&signature);
	mem_free(&e.body);
	return true;
}

static void on_reply(void *arg, const struct reply *reply)
{
	struct hook *h = arg;

	h->flying--;
	if (reply->kind == REPLY_ANSWERED && reply->status / 100 == 2)
		h->delivered++;
	else
		h->failed++;
}

void hook_turn_end(struct hook *h, struct xfer *x)
{
	struct request r;

	while (h->flying < HOOK_FLYING_MAX && hook_take(h, &r)) {
		h->flying++;
		xfer_start(x, &r, on_reply, h);
	}
}

void hook_add_stats(const struct hook *h, struct buf *out)
{
	buf_addf(out,
		 "{\"delivered\":%lld,\"failed\":%lld,\"dropped\":%lld,\"waiting\":%zu,"
		 "\"flying\":%zu}",
		 (long long)h->delivered, (long long)h->failed, (long long)h->dropped, h->count,
		 h->flying);
}
