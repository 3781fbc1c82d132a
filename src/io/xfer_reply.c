/*
 * xfer_reply: libcurl's codes in our words.
 *
 * What libcurl says about a failure is worth reading ("certificate has expired", "Connection
 * refused") and is passed on, except when it quotes the request: a webhook's URL is its
 * password. So a detail that holds any part of the request that may be a secret is left out
 * whole; the words for the kind remain. The name of the host alone is none.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/mem.h"
#include "io/xfer_own.h"

static const struct {
	CURLcode code;
	enum reply_kind kind;
} kinds[] = {
	{ CURLE_OK, REPLY_ANSWERED },
	{ CURLE_COULDNT_RESOLVE_HOST, REPLY_RESOLVE },
	{ CURLE_COULDNT_RESOLVE_PROXY, REPLY_RESOLVE },
	{ CURLE_COULDNT_CONNECT, REPLY_CONNECT },
	{ CURLE_PROXY, REPLY_CONNECT },
	{ CURLE_SSL_CONNECT_ERROR, REPLY_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, REPLY_TLS },
	{ CURLE_SSL_ISSUER_ERROR, REPLY_TLS },
	{ CURLE_SSL_CIPHER, REPLY_TLS },
	{ CURLE_SSL_CLIENTCERT, REPLY_TLS },
	{ CURLE_USE_SSL_FAILED, REPLY_TLS },
	/* Our own files, yet as much a matter of certificates for who has to act. */
	{ CURLE_SSL_CERTPROBLEM, REPLY_TLS },
	{ CURLE_SSL_CACERT_BADFILE, REPLY_TLS },
	{ CURLE_LOGIN_DENIED, REPLY_LOGIN },
	{ CURLE_AUTH_ERROR, REPLY_LOGIN },
	{ CURLE_OPERATION_TIMEDOUT, REPLY_TIMEOUT },
	{ CURLE_RECV_ERROR, REPLY_CUT },
	{ CURLE_SEND_ERROR, REPLY_CUT },
	{ CURLE_GOT_NOTHING, REPLY_CUT },
	{ CURLE_PARTIAL_FILE, REPLY_CUT },
	{ CURLE_WEIRD_SERVER_REPLY, REPLY_GARBLED },
	{ CURLE_REMOTE_ACCESS_DENIED, REPLY_GARBLED },
	{ CURLE_BAD_CONTENT_ENCODING, REPLY_GARBLED },
};

enum reply_kind xfer_reply_kind(int curl_code)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((int)kinds[i].code == curl_code)
			return kinds[i].kind;
	return REPLY_LOCAL;
}

static const char *words(enum reply_kind kind)
{
	switch (kind) {
	case REPLY_ANSWERED: return "";
	case REPLY_RESOLVE: return "the name does not resolve";
	case REPLY_CONNECT: return "no connection";
	case REPLY_TLS: return "no trusted TLS connection";
	case REPLY_LOGIN: return "login refused";
	case REPLY_TIMEOUT: return "timed out";
	case REPLY_CUT: return "connection cut";
	case REPLY_TOO_LARGE: return "the answer is too large";
	case REPLY_GARBLED: return "the answer makes no sense";
	case REPLY_LOCAL: return "not sent";
	}
	return "";
}

static bool holds(const char *text, const char *secret)
{
	return secret != NULL && *secret != '\0' && strstr(text, secret) != NULL;
}

/* True when text quotes a URL's credentials or what follows its host. */
static bool holds_of_url(const char *text, const char *url)
{
	const char *rest = url == NULL ? NULL : strstr(url, "://");

	if (rest == NULL)
		return holds(text, url);
	rest += 3;
	size_t host = strcspn(rest, "/?#");
	size_t at = host;

	while (at > 0 && rest[at - 1] != '@')
		at--;
	if (at > 1) {
		char *credentials = mem_dup(rest, at - 1);
		bool quoted = holds(text, credentials);

		mem_free_secret(&credentials);
		if (quoted)
			return true;
	}
	return strlen(rest + host) > 1 && holds(text, rest + host);
}

static bool is_telling(const struct request *r, const char *text)
{
	const char *secrets[] = { r->url, r->password, r->bearer, r->proxy };

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (holds(text, secrets[i]))
			return true;
	return holds_of_url(text, r->url) || holds_of_url(text, r->proxy);
}

void xfer_reply_explain(struct transfer *t, const char *detail)
{
	const char *kind = words(t->reply.kind);

	if (t->reply.kind == REPLY_ANSWERED)
		t->error.text[0] = '\0';
	else if (detail == NULL || *detail == '\0' || is_telling(&t->request, detail))
		err_set(&t->error, "%s", kind);
	else
		err_set(&t->error, "%s: %s", kind, detail);
}
