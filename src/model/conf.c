/*
 * conf: a text becomes a tree of nodes. Alone in naming libconfig.
 *
 * A struct conf_node is libconfig's config_setting_t under our own name, so that nothing is
 * copied and no other file sees the library. conf_scan() goes first: it finds what libconfig
 * would change silently, and knows the true line of a string in a list (the parser notes it one
 * token late, so the last string of a list would be blamed on the line of the bracket).
 */
#include "model/conf.h"

#include <libconfig.h>
#include <string.h>

#include "base/mem.h"
#include "model/conf_scan.h"

struct conf {
	config_t config;
};

static const config_setting_t *setting(const struct conf_node *n)
{
	return (const config_setting_t *)(const void *)n;
}

static const struct conf_node *node(const config_setting_t *s)
{
	return (const struct conf_node *)(const void *)s;
}

/* Gives strings without a name (those in lists) their own line; *next counts all strings. */
static void correct_lines(config_setting_t *s, const struct conf_scan *scan, size_t *next)
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING && *next < scan->string_count) {
		int line = scan->string_lines[(*next)++];

		if (config_setting_name(s) == NULL)
			s->line = (unsigned)line;
	}
	if (!config_setting_is_aggregate(s))
		return;
	for (int i = 0; i < config_setting_length(s); i++)
		correct_lines(config_setting_get_elem(s, (unsigned)i), scan, next);
}

/* libconfig's own three errors, with the remedy. */
static const char *remedy(const char *text)
{
	if (strstr(text, "duplicate") != NULL)
		return ": this key is set twice in its group; keep one";
	if (strstr(text, "mismatched") != NULL)
		return ": all of [ ... ] must be of one kind";
	return ": look here and just above for a missing quote, bracket or \";\", or a "
	       "comma before a closing bracket";
}

static bool parse(struct conf *c, const char *text, const struct conf_scan *scan,
		  const char *file, struct conf_problems *p)
{
	size_t next = 0;

	if (!config_read_string(&c->config, text)) {
		const char *error = config_error_text(&c->config);

		conf_problem(p, CONF_ERROR, file, config_error_line(&c->config), "%s%s", error,
			     remedy(error));
		return false;
	}
	correct_lines(config_root_setting(&c->config), scan, &next);
	return true;
}

struct conf *conf_parse(const char *bytes, size_t len, const char *file,
			struct conf_problems *p)
{
	char *text = mem_dup(bytes, len);
	struct conf *c = mem_new(sizeof(*c));
	struct conf_scan scan;

	config_init(&c->config);
	if (!conf_scan(&scan, text, len, file, p) || !parse(c, text, &scan, file, p))
		conf_free(&c);
	conf_scan_release(&scan);
	mem_free_secret(&text);
	return c;
}

void conf_free(struct conf **c)
{
	if (*c == NULL)
		return;
	config_destroy(&(*c)->config);
	mem_free(c);
}

const struct conf_node *conf_root(const struct conf *c)
{
	return node(config_root_setting(&c->config));
}

enum conf_shape conf_shape(const struct conf_node *n)
{
	if (n == NULL)
		return CONF_NOTHING;
	switch (config_setting_type(setting(n))) {
	case CONFIG_TYPE_GROUP: return CONF_GROUP;
	case CONFIG_TYPE_ARRAY: return CONF_LIST;
	case CONFIG_TYPE_LIST: return CONF_LIST;
	case CONFIG_TYPE_STRING: return CONF_STRING;
	case CONFIG_TYPE_INT: return CONF_WHOLE;
	case CONFIG_TYPE_INT64: return CONF_WHOLE;
	case CONFIG_TYPE_FLOAT: return CONF_FRACTION;
	case CONFIG_TYPE_BOOL: return CONF_TRUTH;
	}
	return CONF_NOTHING;
}

const struct conf_node *conf_get(const struct conf_node *group, const char *name)
{
	if (conf_shape(group) != CONF_GROUP)
		return NULL;
	return node(config_setting_get_member(setting(group), name));
}

size_t conf_count(const struct conf_node *n)
{
	enum conf_shape shape = conf_shape(n);

	return shape == CONF_LIST || shape == CONF_GROUP
		       ? (size_t)config_setting_length(setting(n))
		       : 0;
}

const struct conf_node *conf_at(const struct conf_node *n, size_t i)
{
	return i < conf_count(n) ? node(config_setting_get_elem(setting(n), (unsigned)i))
				 : NULL;
}

int conf_line(const struct conf_node *n)
{
	return n == NULL ? 0 : (int)config_setting_source_line(setting(n));
}

const char *conf_name(const struct conf_node *n)
{
	return n == NULL ? NULL : config_setting_name(setting(n));
}

const char *conf_string(const struct conf_node *n)
{
	return conf_shape(n) == CONF_STRING ? config_setting_get_string(setting(n)) : NULL;
}

int64_t conf_whole(const struct conf_node *n)
{
	if (conf_shape(n) != CONF_WHOLE)
		return 0;
	return config_setting_type(setting(n)) == CONFIG_TYPE_INT
		       ? config_setting_get_int(setting(n))
		       : config_setting_get_int64(setting(n));
}

double conf_fraction(const struct conf_node *n)
{
	return conf_shape(n) == CONF_FRACTION ? config_setting_get_float(setting(n))
					      : (double)conf_whole(n);
}

bool conf_truth(const struct conf_node *n)
{
	return conf_shape(n) == CONF_TRUTH && config_setting_get_bool(setting(n)) != 0;
}
