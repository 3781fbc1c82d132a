/*
 * settings: the top of the configuration and its three lists.
 *
 * Everything is read before anything is judged as a whole, so that all mistakes show in one run.
 * Sinks come before routes, which name them. A group that is wrong keeps its place in its list:
 * else each route to a sink with a typo in it would be called wrong too.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

#ifndef TOCSIN_TEMPLATES_DIR /* the build says where `install` puts them */
#define TOCSIN_TEMPLATES_DIR "/usr/share/tocsin/templates"
#endif

#define AT(member) offsetof(struct settings, member)

enum { NAME_MAX_LEN = 64, LIST_MAX = 1000 }; /* far more than anybody keeps in one file */

/* In the order of enum log_level and enum log_format. */
static const char *const log_levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

static const struct conf_key log_keys[] = {
	{ .name = "level",
	  .kind = CONF_WORD,
	  .offset = AT(log_level),
	  .words = log_levels,
	  .fallback = "info",
	  .help = "\"debug\", \"info\", \"warning\" or \"error\"" },
	{ .name = "format",
	  .kind = CONF_WORD,
	  .offset = AT(log_format),
	  .words = log_formats,
	  .fallback = "text",
	  .help = "\"text\" (logfmt) or \"json\"" },
	{ .name = NULL },
};

#define IN_FLAP(member) (AT(flap.member) - AT(flap))

static const struct conf_key flap_keys[] = {
	{ .name = "over",
	  .kind = CONF_INT,
	  .offset = IN_FLAP(over),
	  .required = true,
	  .min = "1",
	  .max = "1000",
	  .help = "opened again more often than that in `within`, an alert flaps" },
	{ .name = "within",
	  .kind = CONF_DURATION,
	  .offset = IN_FLAP(within_ms),
	  .required = true,
	  .min = "1s",
	  .max = "7d",
	  .help = "the time in which that is counted" },
	{ .name = NULL },
};

const struct conf_key settings_top_keys[] = {
	{ .name = "store",
	  .kind = CONF_TEXT,
	  .offset = AT(store),
	  .one_line = true,
	  .fallback = "/var/lib/tocsin/tocsin.db",
	  .help = "the SQLite file that remembers all" },
	{ .name = "listen",
	  .kind = CONF_TEXT,
	  .offset = AT(listen),
	  .one_line = true,
	  .may_be_empty = true,
	  .fallback = "127.0.0.1:9464",
	  .help = "where /metrics, /-/healthy and /-/ready are served; \"\" for nowhere" },
	{ .name = "templates",
	  .kind = CONF_TEXT,
	  .offset = AT(templates),
	  .one_line = true,
	  .fallback = TOCSIN_TEMPLATES_DIR,
	  .help = "where templates are, after the configuration's own folder" },
	{ .name = "log", .kind = CONF_NESTED, .nested = log_keys, .help = "what stderr shows" },
	{ .name = "retention",
	  .kind = CONF_DURATION,
	  .offset = AT(retention_ms),
	  .fallback = "30d",
	  .min = "1h",
	  .help = "how long what is over is remembered" },
	{ .name = "store_reserve",
	  .kind = CONF_SIZE,
	  .offset = AT(store_reserve),
	  .fallback = "64MiB",
	  .help = "free space at which no new alerts are taken in" },
	{ .name = "grace",
	  .kind = CONF_DURATION,
	  .offset = AT(grace_ms),
	  .fallback = "10s",
	  .max = "10m",
	  .help = "how long a shutdown waits for what is in flight" },
	{ .name = "link",
	  .kind = CONF_TEXT,
	  .offset = AT(link),
	  .one_line = true,
	  .help = "a template: an alert's page, \"https://app.example.com/alerts/{{id}}\"" },
	{ .name = "flap",
	  .kind = CONF_NESTED,
	  .offset = AT(flap),
	  .nested = flap_keys,
	  .help = "an alert that opens again and again is held and told as one" },
	{ .name = "sources",
	  .kind = CONF_OTHER,
	  .help = "where alerts come from: ( { ... } )" },
	{ .name = "sinks", .kind = CONF_OTHER, .help = "where they can go: ( { ... } )" },
	{ .name = "routes", .kind = CONF_OTHER, .help = "which go where: ( { ... } )" },
	{ .name = NULL },
};

const struct settings_table settings_tables[] = {
	{ "the top", "beside the three lists", settings_top_keys },
	{ "a source", "an organisation's Toktra API", settings_source_keys },
	{ "any sink", "a destination; its type has more keys", settings_sink_keys },
	{ "a route", "the first that matches wins", settings_route_keys },
	{ "a route", "what it holds back", settings_hold_keys },
	{ NULL },
};

/* ---- names ---- */

bool settings_is_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(s);

	return len >= 1 && len <= NAME_MAX_LEN && strspn(s, allowed) == len;
}

char *settings_read_name(const struct settings_reading *g, const struct conf_node *group,
			 const char *what)
{
	const struct conf_node *n = conf_get(group, "name");
	const char *name = conf_string(n);

	if (n == NULL) /* the table says that it is required */
		return NULL;
	if (name == NULL || !settings_is_name(name))
		conf_error(&g->reader, n,
			   "%s: name must be 1 to %d letters, digits, dots, dashes or "
			   "underscores, in quotes",
			   what, NAME_MAX_LEN);
	return mem_strdup(name);
}

void settings_say_what(char what[SETTINGS_WHAT_MAX], const char *kind,
		       const struct conf_node *group, size_t i)
{
	const char *name = conf_string(conf_get(group, "name"));

	if (name != NULL && settings_is_name(name))
		snprintf(what, SETTINGS_WHAT_MAX, "%s \"%s\"", kind, name);
	else
		snprintf(what, SETTINGS_WHAT_MAX, "%s %zu", kind, i + 1);
}

/* Each name that an earlier group of the list has. */
static void check_duplicates(const struct settings_reading *g, const struct conf_node *list,
			     const char *kind)
{
	for (size_t i = 1; i < conf_count(list); i++) {
		const struct conf_node *n = conf_get(conf_at(list, i), "name");

		for (size_t k = 0; k < i && conf_string(n) != NULL; k++) {
			const struct conf_node *other = conf_get(conf_at(list, k), "name");

			if (conf_string(other) == NULL ||
			    strcmp(conf_string(n), conf_string(other)) != 0)
				continue;
			conf_error(&g->reader, n,
				   "two %ss are named \"%s\": the other is in line %d", kind,
				   conf_string(n), conf_line(other));
			break;
		}
	}
}

/* ---- the lists ---- */

/* The list of groups under a key, NULL when there is none to be read. */
static const struct conf_node *take_list(const struct settings_reading *g,
					 const struct conf_node *root, const char *key,
					 const char *kind)
{
	const struct conf_node *list = conf_get(root, key);

	if (!conf_check_groups(&g->reader, list, key))
		return NULL;
	if (conf_count(list) > LIST_MAX) {
		conf_error(&g->reader, list, "%s holds more than %d groups", key, LIST_MAX);
		return NULL;
	}
	if (conf_count(list) == 0) {
		conf_error(&g->reader, list, "no %s: add at least one to %s = ( { ... } );",
			   kind, key);
		return NULL;
	}
	check_duplicates(g, list, kind);
	settings_check_was(g, list, kind);
	return list;
}

static void read_sources(struct settings_reading *g, const struct conf_node *root)
{
	const struct conf_node *list = take_list(g, root, "sources", "source");
	struct settings *s = g->settings;
	char what[SETTINGS_WHAT_MAX];

	s->sources = mem_array(conf_count(list), sizeof(*s->sources));
	for (size_t i = 0; i < conf_count(list); i++) {
		settings_say_what(what, "source", conf_at(list, i), i);
		settings_read_source(g, conf_at(list, i), what, &s->sources[s->source_count++]);
	}
}

static void read_sinks(struct settings_reading *g, const struct conf_node *root)
{
	const struct conf_node *list = take_list(g, root, "sinks", "sink");
	struct settings *s = g->settings;
	char what[SETTINGS_WHAT_MAX];

	s->sinks = mem_array(conf_count(list), sizeof(*s->sinks));
	for (size_t i = 0; i < conf_count(list); i++) {
		settings_say_what(what, "sink", conf_at(list, i), i);
		settings_read_sink(g, conf_at(list, i), what, &s->sinks[s->sink_count++]);
	}
}

static void read_routes(struct settings_reading *g, const struct conf_node *root)
{
	const struct conf_node *list = take_list(g, root, "routes", "route");
	struct settings *s = g->settings;
	char what[SETTINGS_WHAT_MAX];

	s->routes = mem_array(conf_count(list), sizeof(*s->routes));
	for (size_t i = 0; i < conf_count(list); i++) {
		settings_say_what(what, "route", conf_at(list, i), i);
		settings_read_route(g, conf_at(list, i), what, &s->routes[s->route_count++]);
	}
}

/* ---- the whole ---- */

static void read_all(struct settings_reading *g, const struct conf_node *root)
{
	const struct conf_key *const tables[] = { settings_top_keys, NULL };
	struct settings *s = g->settings;

	conf_check_names(&g->reader, root, "", tables);
	conf_fill(&g->reader, root, "", settings_top_keys, s);
	s->store_line = conf_line(conf_get(root, "store"));
	s->templates_line = conf_line(conf_get(root, "templates"));
	settings_read_listen(g, root);
	read_sources(g, root);
	read_sinks(g, root);
	read_routes(g, root);
	settings_check(g, root);
}

struct settings *settings_read(const char *bytes, size_t len,
			       const struct settings_context *ctx,
			       struct conf_problems *problems)
{
	size_t errors_before = problems->error_count;
	struct conf *conf = conf_parse(bytes, len, ctx->file, problems);
	struct settings_reading g = {
		.ctx = ctx,
		.reader = { .file = ctx->file, .resolve = ctx->resolve, .problems = problems },
	};

	if (conf != NULL) {
		g.settings = mem_new(sizeof(*g.settings));
		g.settings->file = mem_strdup(ctx->file);
		read_all(&g, conf_root(conf));
		conf_free(&conf);
		if (ctx->more != NULL)
			ctx->more(g.settings, problems);
	}
	conf_problems_sort(problems);
	if (problems->error_count > errors_before)
		settings_free(&g.settings);
	else
		g.settings->router = router_new(g.settings->routes, g.settings->route_count);
	return g.settings;
}

void settings_free(struct settings **settings)
{
	struct settings *s = *settings;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->source_count; i++)
		settings_release_source(&s->sources[i]);
	for (size_t i = 0; i < s->sink_count; i++)
		settings_release_sink(&s->sinks[i]);
	router_free(&s->router);
	for (size_t i = 0; i < s->route_count; i++)
		settings_release_route(&s->routes[i]);
	mem_free(&s->sources);
	mem_free(&s->sinks);
	mem_free(&s->routes);
	conf_release(settings_top_keys, s);
	mem_free(&s->file);
	mem_free(settings);
}

/* ---- by name ---- */

const struct sink_settings *settings_sink(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->sink_count; i++)
		if (s->sinks[i].name != NULL && strcmp(s->sinks[i].name, name) == 0)
			return &s->sinks[i];
	return NULL;
}

const struct source_settings *settings_source(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i].name != NULL && strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	return NULL;
}

const struct route *settings_route(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->route_count; i++)
		if (s->routes[i].name != NULL && strcmp(s->routes[i].name, name) == 0)
			return &s->routes[i];
	return NULL;
}

bool settings_refresh(struct conf_secret *secret, const struct settings_context *ctx,
		      struct err *err)
{
	if (secret->reference == NULL)
		return true;
	char *value = ctx->resolve(secret->reference, err);

	if (value == NULL)
		return false;
	mem_free_secret(&secret->value);
	secret->value = value;
	return true;
}
