/*
 * settings: the whole configuration as plain structs, read from the text by tables of keys.
 *
 * settings_read() is all or nothing: NULL as soon as there is one error, and then every error
 * is in problems. It is pure; what needs the disk (templates, the store's folder) is checked by
 * the caller, who adds to the same problems.
 */
#ifndef MODEL_SETTINGS_H
#define MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/num.h"
#include "model/conf.h"
#include "model/context.h"
#include "model/preset.h"
#include "model/route.h"
#include "model/router.h"
#include "model/sink.h"

enum start_kind { START_NOW, START_ALL, START_SINCE };

/* The daemon's own alerts come from a source of this name, so no configured one has it. */
#define SETTINGS_OWN_SOURCE "tocsin"

struct source_settings {
	char *name;
	char *was; /* the name before; NULL: none */
	int line;
	char *base_url; /* …/v1, without a slash at the end */
	char *client_id;
	struct conf_secret client_secret, api_key; /* one of the two ways is set */
	int64_t poll_every_ms, sweep_every_ms;
	enum start_kind start;
	int64_t start_since_ms; /* of START_SINCE */
	double rate_share;      /* 0 < share <= 1 */
	int64_t timeout_ms;
	char *ca_file, *proxy, *link;
	unsigned context;         /* what alerts are enriched with: bits of enum context_kind */
	int64_t context_every_ms; /* from the end of one mirroring to the next */
	int64_t context_wait_ms;  /* the most that an event waits for what is missing */
	struct {
		struct conf_texts secrets; /* none: it is not listened to; else one or two */
	} nudge;                           /* Toktra's webhook */
};

struct sink_settings {
	char *name;
	char *was; /* the name before; NULL: none */
	int line;
	const char *file; /* borrowed from the settings */
	const struct sink_type *type;
	int64_t window;
	struct rate rate;
	int64_t timeout_ms, retry_min_ms, retry_max_ms, retry_after_max_ms, give_up_ms;
	char *fallback; /* the name of another sink; NULL: none */
	int64_t fallback_after_ms;
	bool collapse;
	int64_t batch_max;
	char *template;        /* base name or path without suffix; NULL: the type's */
	struct preset *preset; /* owned; NULL: none */
	bool pairs;            /* pairs opens and closes: a `first` resolved is dropped */
	unsigned events;       /* what it is told: bits of enum event_kind */
	struct conf_pairs vars;
	struct conf_texts redact; /* paths of what it must not see (model/redact) */
	char *ca_file, *proxy;
	bool plaintext;
	void *own;     /* the type's own settings, own_size bytes */
	bool is_whole; /* all of own could be read: for check(), which sees NULLs otherwise */
};

enum { SETTINGS_ADDRESS_MAX = 46 };

/* Where the status page and the metrics are served. */
struct settings_listen {
	bool is_on;
	char address[SETTINGS_ADDRESS_MAX]; /* numeric, without brackets */
	uint16_t port;                      /* 0: any that is free */
};

struct settings {
	char *file; /* the configuration's path, as given */
	char *store, *templates;
	char *listen; /* as written; "": off */
	struct settings_listen listen_at;
	int store_line, templates_line; /* 0: the default */
	enum log_level log_level;
	enum log_format log_format;
	int64_t retention_ms, store_reserve, grace_ms;
	char *link;
	struct {
		int64_t over, within_ms; /* 0: flapping is not looked for */
	} flap;
	struct source_settings *sources;
	size_t source_count;
	struct sink_settings *sinks;
	size_t sink_count;
	struct route *routes;
	size_t route_count;
	struct router *router; /* of the routes; owned */
};

/* What the configuration needs from outside. */
struct settings_context {
	const char *file;                                    /* for messages */
	const struct sink_type *const *types;                /* ended by NULL */
	char *(*resolve)(const char *text, struct err *err); /* secret_resolve */
	/*
	 * A preset's file by name or path: bytes of *len, and where it was found (both
	 * mem_free'd by the caller). NULL, with the reason, when there is none.
	 */
	char *(*preset)(const struct settings *settings, const char *name, char **path,
			size_t *len, struct err *err);
	/*
	 * What else can be wrong (templates, the store's folder), asked of all that could be
	 * read, also after errors, so that one run tells everything: names and types of sinks
	 * may be NULL there. May be NULL.
	 */
	void (*more)(const struct settings *settings, struct conf_problems *problems);
};

struct settings *settings_read(const char *bytes, size_t len,
			       const struct settings_context *ctx,
			       struct conf_problems *problems)
	__attribute__((warn_unused_result));
void settings_free(struct settings **s);

const struct sink_settings *settings_sink(const struct settings *s, const char *name);
const struct source_settings *settings_source(const struct settings *s, const char *name);
const struct route *settings_route(const struct settings *s, const char *name);

/* Do they say the same, secrets by value? Which line they stand in does not matter. */
bool settings_source_same(const struct source_settings *a, const struct source_settings *b);

/* Do both send the same to the same place in the same way? How often and how many is another
 * matter. */
bool settings_sink_same_target(const struct sink_settings *a, const struct sink_settings *b);

/* Resolves a secret's reference again; keeps the old value (false) when that fails. */
bool settings_refresh(struct conf_secret *secret, const struct settings_context *ctx,
		      struct err *err) __attribute__((warn_unused_result));

/* Reads the references of a sink again; true when one brought another value. */
bool settings_refresh_sink(struct sink_settings *sink, const struct settings_context *ctx);

/* The keys that every configuration knows, group by group: for documentation. */
struct settings_table {
	const char *name; /* NULL ends the list */
	const char *help;
	const struct conf_key *keys;
};
extern const struct settings_table settings_tables[];

/* "127.0.0.1:9464", "[::1]:9464"; "" is off. */
bool settings_parse_listen(const char *text, struct settings_listen *out, struct err *err)
	__attribute__((warn_unused_result));

/*
 * For sinks' check(): is this URL allowed? https always; http only to loopback, or where
 * plaintext is true. err says which and how to allow it, never the URL.
 */
bool settings_url_allowed(const char *url, bool plaintext, struct err *err)
	__attribute__((warn_unused_result));

#endif
