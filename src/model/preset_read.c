/*
 * preset_read: the file of a preset into its struct, by tables of keys.
 *
 * The head is libconfig, so its mistakes come out as those of any configuration.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/preset_inner.h"
#include "model/request.h"

#define IN(type, member) offsetof(struct type, member)

static const char *const needs[] = { "either", "yes", "no", NULL };
static const char *const verdicts[] = { "delivered", "again", "later", "never", NULL };
static const char *const faults[] = { "message", "destination", "operator", NULL };

static const struct conf_key head_keys[] = {
	{ .name = "title",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = IN(preset, title),
	  .help = "what it is called in lists" },
	{ .name = "base_url",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = IN(preset, base_url) },
	{ .name = "batch_max",
	  .kind = CONF_INT,
	  .min = "1",
	  .max = "1000",
	  .fallback = "1",
	  .offset = IN(preset, batch_max) },
	{ .name = "body_max",
	  .kind = CONF_SIZE,
	  .min = "100",
	  .max = "4MiB",
	  .fallback = "4MiB",
	  .offset = IN(preset, body_max) },
	{ .name = "collapse",
	  .kind = CONF_BOOL,
	  .fallback = "true",
	  .offset = IN(preset, collapse) },
	{ .name = "own_host",
	  .kind = CONF_BOOL,
	  .fallback = "false",
	  .offset = IN(preset, own_host) },
	{ .name = "pairs",
	  .kind = CONF_BOOL,
	  .fallback = "false",
	  .offset = IN(preset, pairs) },
	{ .name = "rate",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .fallback = "off",
	  .offset = IN(preset, rate) },
	{ .name = "limits",
	  .kind = CONF_PAIRS,
	  .one_line = true,
	  .offset = IN(preset, limits) },
	{ .name = "retry_after", .kind = CONF_TEXT, .offset = IN(preset, retry_after) },
	{ .name = "username", .kind = CONF_TEXT, .offset = IN(preset, username) },
	{ .name = "password", .kind = CONF_TEXT, .offset = IN(preset, password) },
	{ .name = "sigv4", .kind = CONF_TEXT, .offset = IN(preset, sigv4_text) },
	{ .name = "vars", .kind = CONF_OTHER },
	{ .name = "maps", .kind = CONF_OTHER },
	{ .name = "requests", .kind = CONF_OTHER },
	{ .name = "answers", .kind = CONF_OTHER },
	{ .name = NULL },
};

static const struct conf_key var_keys[] = {
	{ .name = "name",
	  .kind = CONF_TEXT,
	  .required = true,
	  .offset = IN(preset_var, name),
	  .help = "{{vars.NAME}}" },
	{ .name = "help",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = IN(preset_var, help),
	  .help = "what an operator should give" },
	{ .name = "fallback", .kind = CONF_TEXT, .offset = IN(preset_var, fallback) },
	{ .name = "required",
	  .kind = CONF_BOOL,
	  .fallback = "false",
	  .offset = IN(preset_var, required) },
	{ .name = "secret",
	  .kind = CONF_BOOL,
	  .fallback = "false",
	  .offset = IN(preset_var, is_secret) },
	{ .name = NULL },
};

static const struct conf_key map_keys[] = {
	{ .name = "name",
	  .kind = CONF_TEXT,
	  .required = true,
	  .offset = IN(preset_map, name),
	  .help = "{{map.NAME}}" },
	{ .name = "of",
	  .kind = CONF_TEXT,
	  .required = true,
	  .offset = IN(preset_map, of),
	  .help = "the alert's field that is mapped" },
	{ .name = "values", .kind = CONF_PAIRS, .offset = IN(preset_map, values) },
	{ .name = "other",
	  .kind = CONF_TEXT,
	  .may_be_empty = true,
	  .offset = IN(preset_map, other) },
	{ .name = NULL },
};

static const struct conf_key request_keys[] = {
	{ .name = "name",
	  .kind = CONF_TEXT,
	  .required = true,
	  .offset = IN(preset_request, name),
	  .help = "that of its part, === NAME.json" },
	{ .name = "events",
	  .kind = CONF_TEXTS,
	  .required = true,
	  .offset = IN(preset_request, event_names),
	  .help = "for which events it is sent" },
	{ .name = "handle",
	  .kind = CONF_WORD,
	  .words = needs,
	  .fallback = "either",
	  .offset = IN(preset_request, handle) },
	{ .name = "repeat",
	  .kind = CONF_WORD,
	  .words = needs,
	  .fallback = "either",
	  .offset = IN(preset_request, repeat) },
	{ .name = "step", .kind = CONF_TEXT, .offset = IN(preset_request, step) },
	{ .name = "keep", .kind = CONF_TEXT, .offset = IN(preset_request, keep) },
	{ .name = NULL },
};

static const struct conf_key answer_keys[] = {
	{ .name = "requests", .kind = CONF_TEXTS, .offset = IN(preset_answer, requests) },
	{ .name = "status", .kind = CONF_TEXT, .offset = IN(preset_answer, status) },
	{ .name = "json", .kind = CONF_TEXT, .offset = IN(preset_answer, json) },
	{ .name = "is",
	  .kind = CONF_TEXT,
	  .may_be_empty = true,
	  .offset = IN(preset_answer, is) },
	{ .name = "is_not",
	  .kind = CONF_TEXT,
	  .may_be_empty = true,
	  .offset = IN(preset_answer, is_not) },
	{ .name = "has", .kind = CONF_TEXT, .offset = IN(preset_answer, has) },
	{ .name = "verdict",
	  .kind = CONF_WORD,
	  .words = verdicts,
	  .required = true,
	  .offset = IN(preset_answer, verdict),
	  .help = "delivered, again, later or never" },
	{ .name = "fault",
	  .kind = CONF_WORD,
	  .words = faults,
	  .fallback = "destination",
	  .offset = IN(preset_answer, fault) },
	{ .name = "reason",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = IN(preset_answer, reason) },
	{ .name = "key",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = IN(preset_answer, key) },
	{ .name = "advice",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = IN(preset_answer, advice) },
	{ .name = "step", .kind = CONF_TEXT, .offset = IN(preset_answer, step) },
	{ .name = "keep", .kind = CONF_TEXT, .offset = IN(preset_answer, keep) },
	{ .name = NULL },
};

/* Presets are shipped to all: a text in them stands for itself, never for a secret. */
static char *as_it_is(const char *text, struct err *err)
{
	(void)err;
	return mem_strdup(text);
}

/* ---- the head ---- */

typedef void each_fn(struct preset_reading *g, const struct conf_node *n, const char *what);

static void read_list(struct preset_reading *g, const struct conf_node *root, const char *name,
		      each_fn *each)
{
	const struct conf_node *list = conf_get(root, name);
	char what[64];

	if (!conf_check_groups(&g->reader, list, name))
		return;
	for (size_t i = 0; i < conf_count(list); i++) {
		snprintf(what, sizeof(what), "%s %zu", name, i + 1);
		each(g, conf_at(list, i), what);
	}
}

static void fill(const struct preset_reading *g, const struct conf_node *n, const char *what,
		 const struct conf_key *keys, void *into)
{
	const struct conf_key *const tables[] = { keys, NULL };

	conf_check_names(&g->reader, n, what, tables);
	conf_fill(&g->reader, n, what, keys, into);
}

static void read_var(struct preset_reading *g, const struct conf_node *n, const char *what)
{
	struct preset *p = g->preset;

	p->vars = mem_resize(p->vars, p->var_count + 1, sizeof(*p->vars));
	memset(&p->vars[p->var_count], 0, sizeof(*p->vars));
	fill(g, n, what, var_keys, &p->vars[p->var_count++]);
}

static void read_map(struct preset_reading *g, const struct conf_node *n, const char *what)
{
	struct preset *p = g->preset;

	p->maps = mem_resize(p->maps, p->map_count + 1, sizeof(*p->maps));
	memset(&p->maps[p->map_count], 0, sizeof(*p->maps));
	fill(g, n, what, map_keys, &p->maps[p->map_count++]);
}

static size_t request_index(const struct preset *p, const char *name)
{
	size_t i = 0;

	while (i < p->request_count &&
	       (p->requests[i].name == NULL || strcmp(p->requests[i].name, name) != 0))
		i++;
	return i;
}

static void read_events(const struct preset_reading *g, const struct conf_node *n,
			struct preset_request *r)
{
	for (size_t i = 0; i < r->event_names.count; i++) {
		const char *word = r->event_names.list[i];
		enum event_kind kind;

		if (event_kind_parse(word, &kind))
			r->events |= 1U << kind;
		else if (strcmp(word, "digest") == 0)
			r->events |= 1U << PRESET_EVENT_DIGEST;
		else
			conf_error(&g->reader, n,
				   "events: \"%s\" is none of opened, acknowledged, reopened, "
				   "changed, resolved, digest",
				   word);
	}
}

static void read_request(struct preset_reading *g, const struct conf_node *n, const char *what)
{
	struct preset *p = g->preset;
	struct preset_request *r;
	const struct preset_part *part;

	p->requests = mem_resize(p->requests, p->request_count + 1, sizeof(*p->requests));
	r = &p->requests[p->request_count++];
	memset(r, 0, sizeof(*r));
	fill(g, n, what, request_keys, r);
	read_events(g, n, r);
	if (r->name == NULL)
		return;
	if (request_index(p, r->name) + 1 < p->request_count)
		conf_error(&g->reader, n, "another request has the name \"%s\"", r->name);
	part = preset_find_part(g, r->name);
	if (part == NULL)
		conf_error(&g->reader, n,
			   "no part \"" PRESET_SEPARATOR "%s.…\" says what is sent", r->name);
	else
		preset_read_part(g, r, part);
}

static bool read_status(struct preset_answer *a)
{
	int used = 0;

	a->from = 0;
	a->to = 999;
	if (a->status == NULL)
		return true;
	if (a->status[0] < '1' || a->status[0] > '9')
		return false;
	if (sscanf(a->status, "%3d-%3d%n", &a->from, &a->to, &used) == 2 &&
	    a->status[used] == '\0')
		return a->from <= a->to;
	used = 0;
	if (sscanf(a->status, "%3d%n", &a->from, &used) != 1 || a->status[used] != '\0')
		return false;
	a->to = a->from;
	return true;
}

static void read_answer(struct preset_reading *g, const struct conf_node *n, const char *what)
{
	struct preset *p = g->preset;
	struct preset_answer *a;

	p->answers = mem_resize(p->answers, p->answer_count + 1, sizeof(*p->answers));
	a = &p->answers[p->answer_count++];
	memset(a, 0, sizeof(*a));
	fill(g, n, what, answer_keys, a);
	if (!read_status(a))
		conf_error(&g->reader, n, "status must be \"202\" or \"200-299\"");
	if ((a->verdict == VERDICT_AGAIN) != (a->step != NULL))
		conf_error(&g->reader, n, "verdict \"again\" and `step` go together");
}

/* ---- what spans the groups ---- */

/* The last request that an answer may be to, counted from 1; 0: an unknown name. */
static size_t last_asked(const struct preset *p, const struct preset_answer *a)
{
	size_t last = a->requests.count == 0 ? p->request_count : 0;

	for (size_t i = 0; i < a->requests.count; i++) {
		size_t at = request_index(p, a->requests.list[i]);

		if (at == p->request_count)
			return 0;
		last = at + 1 > last ? at + 1 : last;
	}
	return last;
}

/* Steps go forward in the file, so a delivery has at most as many as there are requests. */
static void check_steps(const struct preset_reading *g)
{
	const struct preset *p = g->preset;

	for (size_t i = 0; i < p->answer_count; i++) {
		const struct preset_answer *a = &p->answers[i];
		size_t last = last_asked(p, a);
		bool leads = a->step == NULL;

		if (last == 0)
			preset_mistake(g, 0, "answers %zu: requests: no request has that name",
				       i + 1);
		for (size_t k = last; a->step != NULL && k < p->request_count; k++)
			leads |= p->requests[k].step != NULL &&
				 strcmp(p->requests[k].step, a->step) == 0;
		if (!leads && last > 0)
			preset_mistake(
				g, 0,
				"answers %zu: no request after those it answers has step = "
				"\"%s\"",
				i + 1, a->step);
	}
}

static void check_vars(const struct preset_reading *g, const char *key, const char *name)
{
	const struct preset *p = g->preset;
	bool known = name == NULL;

	for (size_t i = 0; i < p->var_count; i++)
		known |= p->vars[i].name != NULL && name != NULL &&
			 strcmp(p->vars[i].name, name) == 0;
	if (!known)
		preset_mistake(g, 0, "%s: \"%s\" is none of its vars", key, name);
}

static void check(struct preset_reading *g)
{
	struct preset *p = g->preset;
	struct rate rate;
	struct err err;

	if (p->request_count == 0)
		preset_mistake(g, 0, "requests is empty: say what is sent for which event");
	if (p->rate != NULL && !num_parse_rate(p->rate, &rate, &err))
		preset_mistake(g, 0, "rate: %s", err.text);
	check_vars(g, "username", p->username);
	check_vars(g, "password", p->password);
	check_steps(g);
	if (p->sigv4_text != NULL)
		p->sigv4 = preset_compile(
			g, "sigv4.txt",
			&(struct preset_piece){ p->sigv4_text, strlen(p->sigv4_text), 0, 1 });
}

struct preset *preset_read(const char *name, const char *path, const char *bytes, size_t len,
			   struct conf_problems *problems)
{
	struct preset *p = mem_new(sizeof(*p));
	struct preset_reading g = {
		.preset = p,
		.reader = { .file = path, .resolve = as_it_is, .problems = problems },
	};
	size_t errors_before = problems->error_count;
	struct conf *conf;

	p->name = mem_strdup(name);
	p->path = mem_strdup(path);
	p->bytes = mem_dup(bytes, len);
	p->len = len;
	g.reader.file = p->path;
	conf = conf_parse(p->bytes, preset_split(&g), p->path, problems);
	if (conf != NULL) {
		fill(&g, conf_root(conf), "", head_keys, p);
		read_list(&g, conf_root(conf), "vars", read_var);
		read_list(&g, conf_root(conf), "maps", read_map);
		read_list(&g, conf_root(conf), "requests", read_request);
		read_list(&g, conf_root(conf), "answers", read_answer);
		check(&g);
		conf_free(&conf);
	}
	mem_free(&g.parts);
	if (problems->error_count > errors_before)
		preset_free(&p);
	return p;
}

/* ---- letting go ---- */

static void release_request(struct preset_request *r)
{
	conf_release(request_keys, r);
	mem_free(&r->method);
	mem_free(&r->file);
	tmpl_free(&r->url);
	tmpl_free(&r->body);
	for (size_t i = 0; i < r->header_count; i++) {
		mem_free(&r->headers[i].name);
		tmpl_free(&r->headers[i].value);
	}
	mem_free(&r->headers);
}

void preset_free(struct preset **preset)
{
	struct preset *p = *preset;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->var_count; i++)
		conf_release(var_keys, &p->vars[i]);
	for (size_t i = 0; i < p->map_count; i++)
		conf_release(map_keys, &p->maps[i]);
	for (size_t i = 0; i < p->request_count; i++)
		release_request(&p->requests[i]);
	for (size_t i = 0; i < p->answer_count; i++)
		conf_release(answer_keys, &p->answers[i]);
	mem_free(&p->vars);
	mem_free(&p->maps);
	mem_free(&p->requests);
	mem_free(&p->answers);
	tmpl_free(&p->sigv4);
	conf_release(head_keys, p);
	mem_free(&p->name);
	mem_free(&p->path);
	mem_free(&p->bytes);
	mem_free(preset);
}
