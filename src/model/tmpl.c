/*
 * tmpl: a template as a thing: made from bytes and a name, and freed.
 *
 * Each partial is compiled once, however often and from wherever it is named, so one that
 * names itself is no problem here: the list of bodies grows while it is walked, and the walk
 * ends when it has caught up. A partial always starts with {{ }}, whatever delimiters its
 * caller has set.
 *
 * The escaping of the template holds for its partials too, whatever their names: a partial is
 * written into a place that only the template knows.
 */
#include "model/tmpl.h"

#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "model/tmpl_parts.h"

/* From the most special to the least; the first that ends the name wins. */
static const struct naming {
	const char *suffix;
	tmpl_escape *escape, *markup;
	bool is_json;
} namings[] = {
	{ ".slack.json", esc_slack_json, esc_slack, true },
	{ ".json", esc_json, esc_none, true },
	{ ".slack", esc_slack, esc_slack, false },
	{ ".form", esc_form, esc_form, false },
	{ ".url", esc_url, esc_url, false },
	{ ".txt", esc_none, esc_none, false },
	{ "", esc_html, esc_html, false }, /* .html, and the specification's own rule */
};

static bool ends_with(const char *name, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

static const struct naming *naming_of(const char *name)
{
	static const char ending[] = ".mustache";
	size_t len = strlen(name);
	size_t i = 0;

	if (ends_with(name, len, ending))
		len -= sizeof(ending) - 1;
	while (!ends_with(name, len, namings[i].suffix))
		i++;
	return &namings[i];
}

static void load(const struct tmpl_partials *partials, struct tmpl_body *body)
{
	if (partials != NULL)
		body->text = partials->load(partials->arg, body->name, &body->file, &body->line,
					    &body->len);
}

struct tmpl *tmpl_new(const char *name, const char *text, size_t len,
		      const struct tmpl_partials *partials, struct err *err)
{
	const struct tmpl_place start = { .file = name, .line = 1, .column = 1 };

	return tmpl_new_within(&start, name, text, len, partials, err);
}

struct tmpl *tmpl_new_within(const struct tmpl_place *at, const char *name, const char *text,
			     size_t len, const struct tmpl_partials *partials, struct err *err)
{
	const struct naming *naming = naming_of(name);
	struct tmpl *t = mem_new(sizeof(*t));

	t->name = mem_strdup(name);
	t->escape = naming->escape;
	t->markup = naming->markup;
	t->is_json = naming->is_json;
	t->body_count = 1;
	t->bodies[0] = (struct tmpl_body){ .name = mem_strdup(name),
					   .file = mem_strdup(at->file),
					   .len = len,
					   .line = at->line,
					   .column = at->column };
	if (len <= TMPL_TEXT_MAX)
		t->bodies[0].text = mem_dup(text, len);
	for (uint32_t i = 0; i < t->body_count; i++) {
		if (i > 0)
			load(partials, &t->bodies[i]);
		if (!tmpl_compile(t, i, err)) {
			tmpl_free(&t);
			return NULL;
		}
	}
	return t;
}

void tmpl_free(struct tmpl **t)
{
	if (*t == NULL)
		return;
	for (uint32_t i = 0; i < (*t)->body_count; i++) {
		mem_free(&(*t)->bodies[i].name);
		mem_free(&(*t)->bodies[i].file);
		mem_free(&(*t)->bodies[i].text);
	}
	for (uint32_t i = 0; i < (*t)->filter_count; i++)
		zone_free(&(*t)->filters[i].zone);
	mem_free(&(*t)->nodes);
	mem_free(&(*t)->filters);
	mem_free(&(*t)->name);
	mem_free(t);
}

const char *tmpl_file(const struct tmpl *t, uint32_t body)
{
	const struct tmpl_body *b = &t->bodies[body];

	return b->file != NULL ? b->file : b->name;
}

struct fact_name tmpl_first(struct tmpl_text name)
{
	const char *dot = memchr(name.at, '.', name.len);

	return fact_name(name.at, dot != NULL ? (size_t)(dot - name.at) : name.len);
}

static void tell_name(const struct tmpl *t, const struct tmpl_node *node, struct tmpl_text name,
		      bool is_partial, const struct tmpl_uses *uses)
{
	char text[TMPL_NAME_MAX + 1];

	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	uses->each(uses->arg, &(struct tmpl_use){ .file = tmpl_file(t, node->body),
						  .line = (int)node->line,
						  .name = text,
						  .is_partial = is_partial });
}

void tmpl_each_use(const struct tmpl *t, const struct tmpl_uses *uses)
{
	for (uint32_t i = 0; i < t->node_count; i++) {
		const struct tmpl_node *node = &t->nodes[i];
		bool is_partial = node->kind == TMPL_PARTIAL;

		if (node->kind == TMPL_TEXT)
			continue;
		if (!is_partial || t->bodies[node->target].text == NULL)
			tell_name(t, node, node->text, is_partial, uses);
		for (uint32_t k = 0; k < node->filter_count; k++) {
			const struct tmpl_filter *f = &t->filters[node->filters + k];

			if (f->by_name)
				tell_name(t, node, f->word, false, uses);
		}
	}
}

const char *tmpl_name(const struct tmpl *t)
{
	return t->name;
}
