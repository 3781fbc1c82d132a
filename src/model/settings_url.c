/*
 * settings_url: where may a secret or an alert be sent without encryption? To this machine.
 *
 * The host is found as a strict reader of RFC 3986 finds it, and a URL that readers disagree on
 * (white space, control characters, a backslash) is refused, so that "http://127.0.0.1\@evil"
 * is not loopback to us and something else to the one who connects. No message holds a URL.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "model/settings_read.h"

struct host {
	const char *at;
	size_t len;
};

/* Behind the last @ of the authority, before its port. */
static struct host host_of(const char *after_scheme)
{
	struct host h = { after_scheme, strcspn(after_scheme, "/?#") };
	const char *user_end;

	while ((user_end = memchr(h.at, '@', h.len)) != NULL) {
		h.len -= (size_t)(user_end + 1 - h.at);
		h.at = user_end + 1;
	}
	const char *ends = memchr(h.at, h.len > 0 && h.at[0] == '[' ? ']' : ':', h.len);

	if (ends != NULL)
		h.len = (size_t)(ends - h.at) + (*ends == ']');
	return h;
}

/* Four numbers, nothing else: "127.0.0.1.example.com" and "127.1" are names to us. */
static bool is_dotted_127(const struct host *h)
{
	int dots = 0, digits = 0;

	if (h->len < 4 || memcmp(h->at, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < h->len; i++) {
		bool is_dot = h->at[i] == '.';

		if (!is_dot && (h->at[i] < '0' || h->at[i] > '9'))
			return false;
		if (is_dot && digits == 0)
			return false;
		digits = is_dot ? 0 : digits + 1;
		dots += is_dot;
		if (digits > 3)
			return false;
	}
	return dots == 3 && digits > 0;
}

static bool is_loopback(const struct host *h)
{
	static const char *const names[] = { "localhost", "[::1]" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (h->len == strlen(names[i]) && strncasecmp(h->at, names[i], h->len) == 0)
			return true;
	return is_dotted_127(h);
}

static bool has_odd_bytes(const char *url)
{
	for (; *url != '\0'; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f || *url == '\\')
			return true;
	return false;
}

enum settings_url settings_url_kind(const char *url, struct err *err)
{
	bool is_https = strncasecmp(url, "https://", 8) == 0;

	if (!is_https && strncasecmp(url, "http://", 7) != 0) {
		err_set(err, "must begin with https://");
		return SETTINGS_URL_BAD;
	}
	if (has_odd_bytes(url)) {
		err_set(err,
			"holds a space, a control character or a backslash: encode it (%%20)");
		return SETTINGS_URL_BAD;
	}
	struct host host = host_of(url + (is_https ? 8 : 7));

	if (host.len == 0) {
		err_set(err, "names no host");
		return SETTINGS_URL_BAD;
	}
	if (is_https)
		return SETTINGS_URL_HTTPS;
	return is_loopback(&host) ? SETTINGS_URL_LOOPBACK : SETTINGS_URL_HTTP;
}

bool settings_url_allowed(const char *url, bool plaintext, struct err *err)
{
	switch (settings_url_kind(url, err)) {
	case SETTINGS_URL_BAD: return false;
	case SETTINGS_URL_HTTPS:
	case SETTINGS_URL_LOOPBACK: return true;
	case SETTINGS_URL_HTTP: break;
	}
	return plaintext ||
	       err_set(err, "is plain http, which only loopback may be: use https, or "
			    "set plaintext = true inside a network of your own");
}
