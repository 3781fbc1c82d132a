/*
 * settings_source: the keys of a source, its one way to authenticate, and where it asks.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

#define AT(member) offsetof(struct source_settings, member)

enum { NUDGE_SECRETS_MAX = 2 };

static const struct conf_key nudge_keys[] = {
	{ .name = "secret",
	  .kind = CONF_TEXTS,
	  .one_line = true,
	  .help = "what Toktra signs its webhook with; two while it moves from one to the other" },
	{ .name = NULL },
};

const struct conf_key settings_source_keys[] = {
	{ .name = "name",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "what logs, matchers and commands call it" },
	{ .name = "was",
	  .kind = CONF_TEXT,
	  .offset = AT(was),
	  .one_line = true,
	  .help = "its name until now, whose alerts and position it takes over" },
	{ .name = "base_url",
	  .kind = CONF_TEXT,
	  .offset = AT(base_url),
	  .required = true,
	  .one_line = true,
	  .help = "where the API is: https://api.toktra.io/v1" },
	{ .name = "client_id",
	  .kind = CONF_TEXT,
	  .offset = AT(client_id),
	  .one_line = true,
	  .help = "OAuth client, with client_secret; or api_key instead" },
	{ .name = "client_secret",
	  .kind = CONF_SECRET,
	  .offset = AT(client_secret),
	  .one_line = true,
	  .help = "the client's secret: \"env:NAME\", \"file:PATH\", \"cred:NAME\"" },
	{ .name = "api_key",
	  .kind = CONF_SECRET,
	  .offset = AT(api_key),
	  .one_line = true,
	  .help = "a long-lived key, instead of client_id and client_secret" },
	{ .name = "poll_every",
	  .kind = CONF_DURATION,
	  .offset = AT(poll_every_ms),
	  .fallback = "5s",
	  .min = "100ms",
	  .max = "1h",
	  .help = "how often new alerts are looked for" },
	{ .name = "sweep_every",
	  .kind = CONF_DURATION,
	  .offset = AT(sweep_every_ms),
	  .fallback = "1m",
	  .min = "100ms",
	  .max = "1d",
	  .help = "how often known alerts are looked at for changes" },
	{ .name = "start",
	  .kind = CONF_OTHER,
	  .fallback = "now",
	  .help = "what the first start rings for: \"now\" (nothing older), \"all\", \"24h\"" },
	{ .name = "rate_share",
	  .kind = CONF_REAL,
	  .offset = AT(rate_share),
	  .fallback = "0.5",
	  .min = "0.01",
	  .max = "1",
	  .help = "how much of the API's rate limit is ours" },
	{ .name = "timeout",
	  .kind = CONF_DURATION,
	  .offset = AT(timeout_ms),
	  .fallback = "30s",
	  .min = "100ms",
	  .max = "10m",
	  .help = "for one request" },
	{ .name = "ca_file",
	  .kind = CONF_TEXT,
	  .offset = AT(ca_file),
	  .one_line = true,
	  .help = "certificates to trust instead of the system's (PEM)" },
	{ .name = "proxy",
	  .kind = CONF_TEXT,
	  .offset = AT(proxy),
	  .one_line = true,
	  .help = "http://HOST:PORT or socks5h://HOST:PORT" },
	{ .name = "link",
	  .kind = CONF_TEXT,
	  .offset = AT(link),
	  .one_line = true,
	  .help = "a template: an alert's page for people, instead of the top's" },
	{ .name = "context",
	  .kind = CONF_OTHER,
	  .help = "what alerts are enriched with: \"users\", \"policies\", \"budgets\", \"usage\"" },
	{ .name = "context_every",
	  .kind = CONF_DURATION,
	  .offset = AT(context_every_ms),
	  .fallback = "1h",
	  .min = "1s",
	  .max = "7d",
	  .help = "how often the lists of users, policies and budgets are read" },
	{ .name = "context_wait",
	  .kind = CONF_DURATION,
	  .offset = AT(context_wait_ms),
	  .fallback = "2s",
	  .min = "0s",
	  .max = "1m",
	  .help = "how long an event waits at most for context that is missing" },
	{ .name = "nudge",
	  .kind = CONF_NESTED,
	  .nested = nudge_keys,
	  .offset = AT(nudge.secrets),
	  .help = "Toktra's webhook makes us poll at once: { secret = \"file:PATH\"; }" },
	{ .name = NULL },
};

/* The two ways of the API; a key that is there but wrong has had its own message. */
static void check_authentication(const struct settings_reading *g, const struct conf_node *n,
				 const char *what)
{
	const struct conf_node *id = conf_get(n, "client_id");
	const struct conf_node *secret = conf_get(n, "client_secret");
	const struct conf_node *key = conf_get(n, "api_key");

	if (key != NULL && (id != NULL || secret != NULL))
		conf_error(&g->reader, key,
			   "%s: two ways to authenticate: keep api_key, or client_id and "
			   "client_secret",
			   what);
	else if (key == NULL && id == NULL && secret == NULL)
		conf_error(&g->reader, n,
			   "%s: no way to authenticate: set client_id and client_secret, or "
			   "api_key",
			   what);
	else if (key == NULL && secret == NULL)
		conf_error(&g->reader, id, "%s: client_id needs client_secret beside it", what);
	else if (key == NULL && id == NULL)
		conf_error(&g->reader, secret, "%s: client_secret needs client_id beside it",
			   what);
}

static bool ends_in_version(const char *url)
{
	size_t len = strlen(url);

	return len > 3 && strcmp(url + len - 3, "/v1") == 0 && strpbrk(url, "?#") == NULL;
}

/* The value is not quoted: it may have come from a secret. */
static void check_base_url(const struct settings_reading *g, const struct conf_node *n,
			   const char *what, char *url)
{
	struct err err = { 0 };
	enum settings_url kind = settings_url_kind(url, &err);

	for (size_t len = strlen(url); len > 0 && url[len - 1] == '/'; len--)
		url[len - 1] = '\0';
	if (kind == SETTINGS_URL_BAD)
		conf_error(&g->reader, n, "%s: base_url %s", what, err.text);
	else if (kind == SETTINGS_URL_HTTP)
		conf_error(&g->reader, n,
			   "%s: base_url is plain http, which only loopback may be: use https",
			   what);
	else if (strchr(url, '@') != NULL)
		conf_error(&g->reader, n,
			   "%s: base_url holds a user or a password: use client_id and "
			   "client_secret, or api_key",
			   what);
	else if (!ends_in_version(url))
		conf_error(
			&g->reader, n,
			"%s: base_url must end in /v1: the unversioned https://api.toktra.io "
			"is not supported, use https://api.toktra.io/v1",
			what);
}

static void check_name(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, const char *name)
{
	if (name != NULL && strcmp(name, SETTINGS_OWN_SOURCE) == 0)
		conf_error(
			&g->reader, n,
			"%s: this name is kept for what the daemon itself has to say: choose "
			"another",
			what);
}

static void read_start(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, struct source_settings *source)
{
	const char *text = n == NULL ? "now" : conf_string(n);
	struct err err;

	if (text == NULL)
		conf_error(
			&g->reader, n,
			"%s: start must be \"now\", \"all\" or a duration in quotes (\"24h\")",
			what);
	else if (strcmp(text, "now") == 0)
		source->start = START_NOW;
	else if (strcmp(text, "all") == 0)
		source->start = START_ALL;
	else if (num_parse_duration(text, &source->start_since_ms, &err))
		source->start = START_SINCE;
	else
		conf_error(&g->reader, n,
			   "%s: start must be \"now\", \"all\" or a duration: %s", what,
			   err.text);
}

static void read_context_word(const struct settings_reading *g, const struct conf_node *n,
			      const char *what, struct source_settings *source)
{
	const char *word = conf_string(n);
	char hint[CONF_HINT_MAX];

	for (int kind = 0; kind < CONTEXT_KINDS; kind++)
		if (strcmp(word, context_names[kind]) == 0) {
			source->context |= 1u << kind;
			return;
		}
	conf_hint(hint, word, context_names);
	conf_error(&g->reader, n,
		   "%s: context holds \"%.40s\", which is none of users, policies, budgets, "
		   "usage%s",
		   what, word, hint);
}

static void read_context(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct source_settings *source)
{
	const struct conf_node *word;
	char key[SETTINGS_WHAT_MAX + 16];

	snprintf(key, sizeof(key), "%s: context", what);
	if (!conf_check_texts(&g->reader, n, key))
		return;
	for (size_t i = 0; (word = conf_text_at(n, i)) != NULL; i++)
		read_context_word(g, word, what, source);
}

static void check_nudge(const struct settings_reading *g, const struct conf_node *n,
			const char *what, const struct source_settings *source)
{
	if (n == NULL || conf_shape(n) != CONF_GROUP)
		return;
	/* A secret that could not be read has had its own message. */
	if (conf_count(conf_get(n, "secret")) == 0 &&
	    conf_string(conf_get(n, "secret")) == NULL)
		conf_error(
			&g->reader, n,
			"%s: nudge needs a secret: the signing_secret that POST /v1/webhooks "
			"answered (contrib/register-webhook.sh keeps it)",
			what);
	if (source->nudge.secrets.count > NUDGE_SECRETS_MAX)
		conf_error(&g->reader, conf_get(n, "secret"),
			   "%s: nudge has more than %d secrets: the one in force, and the one "
			   "before or after it",
			   what, NUDGE_SECRETS_MAX);
}

void settings_read_source(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct source_settings *source)
{
	const struct conf_key *const tables[] = { settings_source_keys, NULL };

	source->line = conf_line(n);
	source->name = settings_read_name(g, n, what);
	check_name(g, conf_get(n, "name"), what, source->name);
	conf_check_names(&g->reader, n, what, tables);
	conf_fill(&g->reader, n, what, settings_source_keys, source);
	read_start(g, conf_get(n, "start"), what, source);
	read_context(g, conf_get(n, "context"), what, source);
	check_nudge(g, conf_get(n, "nudge"), what, source);
	check_authentication(g, n, what);
	if (source->base_url != NULL)
		check_base_url(g, conf_get(n, "base_url"), what, source->base_url);
}

void settings_release_source(struct source_settings *source)
{
	mem_free(&source->name);
	conf_release(settings_source_keys, source);
}

bool settings_source_same(const struct source_settings *a, const struct source_settings *b)
{
	return strcmp(a->name, b->name) == 0 && a->context == b->context &&
	       a->start == b->start && a->start_since_ms == b->start_since_ms &&
	       conf_same(settings_source_keys, a, b);
}
