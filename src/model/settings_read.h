/*
 * settings_read: what the files settings*.c share; nobody else includes it.
 *
 * Each of them owns one group of the configuration: its table of keys, how it is read and what
 * is checked across its keys. settings.c owns the top, settings_check.c what spans groups.
 */
#ifndef MODEL_SETTINGS_READ_H
#define MODEL_SETTINGS_READ_H

#include "model/settings.h"

enum { SETTINGS_WHAT_MAX = 100 }; /* `source "acme"`: whom a message is about */

struct settings_reading {
	const struct settings_context *ctx;
	struct conf_reader reader;
	struct settings *settings;
};

extern const struct conf_key settings_top_keys[];
extern const struct conf_key settings_source_keys[];
extern const struct conf_key settings_sink_keys[];
extern const struct conf_key settings_route_keys[];
extern const struct conf_key settings_hold_keys[]; /* of a route, too */
extern const struct conf_key settings_digest_keys[], settings_quiet_keys[];

/* Each fills one zeroed struct from its group; what is wrong goes to the problems. */
void settings_read_source(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct source_settings *source);
void settings_read_sink(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct sink_settings *sink);
/* The preset of a sink whose common keys and type have been read (settings_preset.c). */
void settings_read_preset(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct sink_settings *sink);
/* Sinks must have been read. */
void settings_read_route(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route);

/* What the route holds (settings_holds.c); the rest of it must have been read. */
void settings_read_holds(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route);
void settings_release_holds(struct route *route);

/* Of that what goes by the clock (settings_hours.c); NULL for n: the key is not set. */
void settings_read_digest(const struct settings_reading *g, const struct conf_node *n,
			  const char *what, struct hours *digest);
void settings_read_quiet(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, struct route *route);
void settings_release_hours(struct route *route);

/* One matcher; NULL, with the error, for what is none. */
struct matcher *settings_read_matcher(const struct settings_reading *g,
				      const struct conf_node *n, const char *what);
/* Names of sinks (NULL: the key is not set) as their indexes, each once. */
void settings_read_to(const struct settings_reading *g, const struct conf_node *n,
		      const char *what, size_t **to, size_t *count);

/* Out of the `listen` that the table has read. */
void settings_read_listen(const struct settings_reading *g, const struct conf_node *root);

void settings_release_source(struct source_settings *source);
void settings_release_sink(struct sink_settings *sink);
void settings_release_route(struct route *route);

/* The group's name (the caller frees it), NULL when there is none; an odd one is an error. */
char *settings_read_name(const struct settings_reading *g, const struct conf_node *n,
			 const char *what);
bool settings_is_name(const char *text);
/* `source "acme"`, or `source 2` while it has no name that can be shown. */
void settings_say_what(char what[SETTINGS_WHAT_MAX], const char *kind,
		       const struct conf_node *group, size_t i);

/* Says what is wrong with the keys `was` of one list (settings_was.c). */
void settings_check_was(const struct settings_reading *g, const struct conf_node *list,
			const char *kind);

/* Says that no sink has the name at n, and which one was perhaps meant. */
void settings_unknown_sink(const struct settings_reading *g, const struct conf_node *n,
			   const char *what);

/* Warns of routes that never come to their turn, or not as they say (settings_shadow.c). */
void settings_check_routes(const struct settings_reading *g, const struct conf_node *list);

/* What shows only when all groups have been read. */
void settings_check(const struct settings_reading *g, const struct conf_node *root);

/* What a URL asks for, and the host it names. */
enum settings_url {
	SETTINGS_URL_BAD,
	SETTINGS_URL_HTTPS,
	SETTINGS_URL_LOOPBACK,
	SETTINGS_URL_HTTP
};
enum settings_url settings_url_kind(const char *url, struct err *err);

#endif
