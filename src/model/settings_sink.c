/*
 * settings_sink: the keys that every sink has, and those of its type.
 *
 * Four defaults are the type's, not ours: rate, collapse, batch_max and template.
 */
#include <string.h>

#include "base/mem.h"
#include "model/settings_read.h"

#define AT(member) offsetof(struct sink_settings, member)

/* Both stand in the sink's own struct, so offsets count from there. */
static const struct conf_key retry_keys[] = {
	{ .name = "min",
	  .kind = CONF_DURATION,
	  .offset = AT(retry_min_ms),
	  .fallback = "1s",
	  .min = "1ms",
	  .max = "1d",
	  .help = "the longest first wait; doubled after each failure" },
	{ .name = "max",
	  .kind = CONF_DURATION,
	  .offset = AT(retry_max_ms),
	  .fallback = "15m",
	  .min = "1ms",
	  .max = "7d",
	  .help = "the longest wait of all" },
	{ .name = NULL },
};

const struct conf_key settings_sink_keys[] = {
	{ .name = "name",
	  .kind = CONF_OTHER,
	  .required = true,
	  .help = "what routes, logs and commands call it" },
	{ .name = "was",
	  .kind = CONF_TEXT,
	  .offset = AT(was),
	  .one_line = true,
	  .help = "its name until now, whose deliveries it takes over" },
	{ .name = "type", .kind = CONF_OTHER, .required = true, .help = "what it speaks" },
	{ .name = "window",
	  .kind = CONF_INT,
	  .offset = AT(window),
	  .fallback = "8",
	  .min = "1",
	  .max = "1000",
	  .help = "how many deliveries are in flight at a time" },
	{ .name = "rate",
	  .kind = CONF_RATE,
	  .offset = AT(rate),
	  .help = "at most so many deliveries in a time (\"1/s\", \"120/min\"); \"off\": no limit" },
	{ .name = "timeout",
	  .kind = CONF_DURATION,
	  .offset = AT(timeout_ms),
	  .fallback = "30s",
	  .min = "100ms",
	  .max = "10m",
	  .help = "for one attempt" },
	{ .name = "retry",
	  .kind = CONF_NESTED,
	  .nested = retry_keys,
	  .help = "bounds of the wait between attempts, and while the sink is down" },
	{ .name = "retry_after_max",
	  .kind = CONF_DURATION,
	  .offset = AT(retry_after_max_ms),
	  .fallback = "1h",
	  .min = "0s",
	  .max = "7d",
	  .help = "the longest Retry-After that is obeyed" },
	{ .name = "give_up",
	  .kind = CONF_DURATION,
	  .offset = AT(give_up_ms),
	  .fallback = "72h",
	  .min = "1s",
	  .max = "365d",
	  .help = "the age at which a delivery becomes a dead letter" },
	{ .name = "fallback",
	  .kind = CONF_TEXT,
	  .offset = AT(fallback),
	  .one_line = true,
	  .help = "the sink that takes over what this one cannot deliver" },
	{ .name = "fallback_after",
	  .kind = CONF_DURATION,
	  .offset = AT(fallback_after_ms),
	  .fallback = "10m",
	  .min = "1s",
	  .max = "30d",
	  .help = "how long this one may be down before that" },
	{ .name = "collapse",
	  .kind = CONF_BOOL,
	  .offset = AT(collapse),
	  .help = "waiting events of one alert fold into the newest" },
	{ .name = "template",
	  .kind = CONF_TEXT,
	  .offset = AT(template),
	  .one_line = true,
	  .help = "base name or path of the templates, without suffix" },
	{ .name = "vars",
	  .kind = CONF_PAIRS,
	  .offset = AT(vars),
	  .help = "texts for the templates: {{vars.NAME}}" },
	{ .name = "redact",
	  .kind = CONF_TEXTS,
	  .offset = AT(redact),
	  .help = "fields of an alert that never get here: [ \"message\", \"metadata.*\" ]" },
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
	{ .name = "plaintext",
	  .kind = CONF_BOOL,
	  .offset = AT(plaintext),
	  .fallback = "false",
	  .help = "allows http: and unencrypted SMTP beyond loopback" },
	{ .name = NULL },
};

static void list_types(const struct sink_type *const *types, char *text, size_t size)
{
	struct buf names;

	buf_init(&names, size - 1);
	for (; *types != NULL; types++)
		buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ", (*types)->name);
	memcpy(text, names.data, names.len + 1);
	buf_release(&names);
}

static const struct sink_type *read_type(const struct settings_reading *g,
					 const struct conf_node *n, const char *what)
{
	const struct sink_type *const *types = g->ctx->types;
	const char *names[64] = { NULL }, *word = conf_string(n);
	char all[200], hint[CONF_HINT_MAX];

	list_types(types, all, sizeof(all));
	if (word == NULL) {
		if (n != NULL)
			conf_error(&g->reader, n, "%s: type must be one of %s, in quotes", what,
				   all);
		return NULL;
	}
	for (size_t i = 0; types[i] != NULL && i + 1 < ARRAY_LEN(names); i++) {
		names[i] = types[i]->name;
		if (strcmp(types[i]->name, word) == 0)
			return types[i];
	}
	conf_hint(hint, word, names);
	conf_error(&g->reader, n, "%s: unknown type \"%s\"%s (there are %s)", what, word, hint,
		   all);
	return NULL;
}

/* Without a type nobody knows which other keys it would have had. */
static void read_own(const struct settings_reading *g, const struct conf_node *n,
		     const char *what, struct sink_settings *sink)
{
	const struct sink_type *type = sink->type;
	const struct conf_key *const tables[] = { settings_sink_keys, type->keys, NULL };
	size_t errors_before;

	conf_check_names(&g->reader, n, what, tables);
	errors_before = g->reader.problems->error_count;
	sink->own = mem_new(type->own_size);
	conf_fill(&g->reader, n, what, type->keys, sink->own);
	sink->is_whole = g->reader.problems->error_count == errors_before;
	/* A preset that is not there would make every other key look wrong. */
	if (conf_get(n, "preset") != NULL && type->takes_preset && sink->preset == NULL)
		return;
	if (type->check != NULL && sink->name != NULL)
		type->check(sink, g->reader.problems);
}

static void take_defaults_of_type(const struct conf_node *n, struct sink_settings *sink)
{
	const struct sink_type *type = sink->type;
	struct err err;

	sink->batch_max = (int64_t)type->batch_max;
	sink->pairs = type->pairs;
	sink->events = ~0U;
	if (conf_get(n, "collapse") == NULL)
		sink->collapse = type->collapse;
	if (conf_get(n, "rate") == NULL && type->rate != NULL &&
	    !num_parse_rate(type->rate, &sink->rate, &err))
		BUG("the default rate of %s: %s", type->name, err.text);
}

/* Without its names an alert can't be told from another, nor an open be paired with its close. */
static bool is_needed(const char *name)
{
	static const char *const names[] = { "id", "org_id", "status", "event", "raw" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void check_redact(const struct settings_reading *g, const struct conf_node *n,
			 const char *what, const struct sink_settings *sink)
{
	char hint[CONF_HINT_MAX];

	for (size_t i = 0; i < sink->redact.count; i++) {
		const char *name = sink->redact.list[i];

		conf_hint(hint, name, facts_names());
		if (is_needed(name))
			conf_error(&g->reader, n,
				   "%s: redact: \"%s\" can't be left out: name fields of "
				   "what the alert tells, as \"message\" or \"metadata.*\"",
				   what, name);
		else if (!facts_know(name))
			conf_warn(&g->reader, n,
				  "%s: redact: no alert is known to have a field \"%s\"%s",
				  what, name, hint);
	}
}

static void check_sink(const struct settings_reading *g, const struct conf_node *n,
		       const char *what, const struct sink_settings *sink)
{
	if (sink->retry_min_ms > sink->retry_max_ms && sink->retry_max_ms > 0)
		conf_error(
			&g->reader, conf_get(n, "retry"),
			"%s: retry.min (\"1s\" unless set) is longer than retry.max (\"15m\" unless set)",
			what);
	check_redact(g, conf_get(n, "redact"), what, sink);
	if (sink->plaintext)
		conf_warn(&g->reader, conf_get(n, "plaintext"),
			  "%s: plaintext = true lets alerts and passwords travel unencrypted",
			  what);
}

void settings_read_sink(const struct settings_reading *g, const struct conf_node *n,
			const char *what, struct sink_settings *sink)
{
	sink->line = conf_line(n);
	sink->file = g->settings->file;
	sink->name = settings_read_name(g, n, what);
	conf_fill(&g->reader, n, what, settings_sink_keys, sink);
	check_sink(g, n, what, sink);
	sink->type = read_type(g, conf_get(n, "type"), what);
	if (sink->type == NULL)
		return;
	take_defaults_of_type(n, sink);
	settings_read_preset(g, n, what, sink);
	read_own(g, n, what, sink);
}

void settings_release_sink(struct sink_settings *sink)
{
	mem_free(&sink->name);
	conf_release(settings_sink_keys, sink);
	if (sink->own != NULL && sink->type->release != NULL)
		sink->type->release(sink->own);
	if (sink->own != NULL)
		conf_release(sink->type->keys, sink->own);
	mem_free(&sink->own);
	preset_free(&sink->preset);
}

/* Of the common keys, those that say where to and what. */
static const struct conf_key target_keys[] = {
	{ .name = "template", .kind = CONF_TEXT, .offset = AT(template) },
	{ .name = "vars", .kind = CONF_PAIRS, .offset = AT(vars) },
	{ .name = "ca_file", .kind = CONF_TEXT, .offset = AT(ca_file) },
	{ .name = "proxy", .kind = CONF_TEXT, .offset = AT(proxy) },
	{ .name = NULL },
};

static bool same_preset(const struct sink_settings *a, const struct sink_settings *b)
{
	if (a->preset == NULL || b->preset == NULL)
		return a->preset == b->preset;
	return a->preset->len == b->preset->len &&
	       memcmp(a->preset->bytes, b->preset->bytes, a->preset->len) == 0;
}

bool settings_sink_same_target(const struct sink_settings *a, const struct sink_settings *b)
{
	return a->type == b->type && conf_same(target_keys, a, b) && same_preset(a, b) &&
	       conf_same(a->type->keys, a->own, b->own);
}

bool settings_refresh_sink(struct sink_settings *sink, const struct settings_context *ctx)
{
	bool changed = conf_refresh(settings_sink_keys, sink, ctx->resolve);

	return conf_refresh(sink->type->keys, sink->own, ctx->resolve) || changed;
}
