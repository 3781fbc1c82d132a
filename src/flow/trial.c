/*
 * trial: renders, and gathers what went wrong.
 *
 * A name that is missing in one sample may be there in another (`metadata.model`), and the
 * engine only tells what was missing. So a name is called unknown when no sample has it: not at
 * the root, not in the alert, and not in any object within it, where a section may have led.
 * Names that no rendering comes by (of a digest, or what a section asks for) are told too, where
 * they look like a slip of a known one.
 */
#include "flow/trial.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "flow/envelope.h"
#include "flow/samples.h"
#include "model/json.h"

enum {
	SAMPLE_MAX = 16 << 10,
	ADDRESS_MAX = 64 << 10,
	TYPE_COUNT = 4,
	DIGEST_COUNT = TYPE_COUNT * EVENT_KIND_COUNT,
	NAME_SHOWN_MAX = 100,
	NAMES_MAX = 200,
	SINGLES = (1U << EVENT_KIND_COUNT) - 1, /* every event but a digest */
};

struct trial {
	const struct setup *setup;
	const struct sink_settings *sink;
	struct conf_problems *problems;
	int conf_line; /* where it stands in the configuration, of what has no file; 0: it has one */
	struct envelope envelopes[TYPE_COUNT][EVENT_KIND_COUNT];
	struct facts all[DIGEST_COUNT]; /* of `digest`: each sample */
	struct message digest;
};

/* ---- samples ---- */

static void fill(struct trial *t, size_t type, enum event_kind kind)
{
	const struct settings *s = t->setup->settings;
	const struct sample_as as = { .kind = kind, .at = samples_moment() };
	struct buf context;

	buf_init(&context, SAMPLE_MAX);
	samples_add_context(&context, samples_types[type], samples_moment());
	const struct envelope_names names = {
		.source = s->source_count > 0 ? s->sources[0].name : "example",
		.route = s->route_count > 0 ? s->routes[0].name : "example",
		.kind = kind,
		.episode = 1,
		.seq = 1,
		.at = samples_moment(),
		.context = context.data,
		.context_len = context.len,
	};
	struct envelope *e = &t->envelopes[type][kind];
	struct buf bytes;
	struct err err;

	buf_init(&bytes, SAMPLE_MAX);
	samples_add(&bytes, samples_types[type], &as);
	/* A name is known though this sink does not see it. */
	struct sink_settings sighted = *t->sink;

	sighted.redact.count = 0;
	if (!envelope_fill(e, &sighted, &names, bytes.data, bytes.len, &err))
		BUG("the sample %s: %s", samples_types[type], err.text);
	e->message.now = samples_moment();
	if (s->source_count > 0)
		envelope_add_link(e, t->setup->links[0]);
	buf_release(&context);
	buf_release(&bytes);
}

static void fill_all(struct trial *t)
{
	for (size_t type = 0; samples_types[type] != NULL; type++)
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
			fill(t, type, (enum event_kind)kind);
	for (size_t i = 0; i < DIGEST_COUNT; i++)
		t->all[i] = t->envelopes[i / EVENT_KIND_COUNT][i % EVENT_KIND_COUNT].facts;
	t->digest = t->envelopes[0][0].message;
	t->digest.alerts = t->all;
	t->digest.count = DIGEST_COUNT;
	t->digest.is_digest = true;
	t->digest.why = "group";
}

/* May a route make digests for it? */
static bool gets_digests(const struct settings *s, size_t sink)
{
	for (size_t i = 0; i < s->route_count; i++) {
		const struct route *r = &s->routes[i];
		bool holds = r->group.wait_ms > 0 || r->digest.at_count > 0 ||
			     r->storm.within_ms > 0 || r->quiet_count > 0;

		for (size_t k = 0; holds && k < r->to_count; k++)
			if (r->to[k] == sink)
				return true;
	}
	return false;
}

static void release_all(struct trial *t)
{
	for (size_t type = 0; samples_types[type] != NULL; type++)
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
			envelope_release(&t->envelopes[type][kind]);
}

/* ---- unknown names ---- */

static bool is_within(const struct json *doc, const struct json_value *object, const char *name)
{
	struct value v;

	value_of_json(doc, object, &v);
	if (value_path(&v, name, strlen(name), &v))
		return true;
	for (const struct json_value *m = json_first(object); m != NULL; m = json_next(m))
		if ((json_kind(m) == JSON_OBJECT || json_kind(m) == JSON_ARRAY) &&
		    is_within(doc, m, name))
			return true;
	return false;
}

static bool has_name(const struct envelope *e, const char *name)
{
	struct value v;

	value_of_message(&e->message, &v);
	if (value_path(&v, name, strlen(name), &v))
		return true;
	value_of_facts(&e->facts, &v);
	if (value_path(&v, name, strlen(name), &v))
		return true;
	return is_within(e->alert.json, json_root(e->alert.json), name);
}

static bool is_known(const struct trial *t, const char *name)
{
	for (size_t type = 0; samples_types[type] != NULL; type++)
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
			if (has_name(&t->envelopes[type][kind], name))
				return true;
	return false;
}

/* ---- what is said of a name ---- */

struct names {
	const char *list[NAMES_MAX + 1];
	char *made[NAMES_MAX]; /* owned */
	size_t count, made_count;
};

static void add_name(struct names *n, const char *name)
{
	if (n->count < NAMES_MAX)
		n->list[n->count++] = name;
}

static void add_made(struct names *n, const char *of, const char *name)
{
	if (n->made_count == NAMES_MAX)
		return;
	n->made[n->made_count] = mem_printf("%s.%s", of, name);
	add_name(n, n->made[n->made_count++]);
}

/* All that a template may ask for: the table's names, what samples bring, the sink's vars. */
static void gather(const struct trial *t, struct names *n)
{
	for (const char *const *name = facts_names(); *name != NULL; name++)
		add_name(n, *name);
	for (size_t i = 0; i < t->sink->vars.count; i++)
		add_made(n, "vars", t->sink->vars.list[i].name);
	for (size_t type = 0; samples_types[type] != NULL; type++) {
		const struct json *doc = t->envelopes[type][EVENT_OPENED].alert.json;
		const struct json_value *of = json_get(json_root(doc), "metadata");

		for (const struct json_value *m = json_first(of); m != NULL; m = json_next(m))
			add_made(n, "metadata", json_key(m));
	}
}

static void say(struct trial *t, const char *file, int line, const char *text)
{
	if (t->conf_line != 0)
		parts_say(t->problems, CONF_WARNING, t->setup->settings->file, t->conf_line,
			  text);
	else
		parts_say(t->problems, CONF_WARNING, file, line, text);
}

/* A name that no sample has. What is only asked for (is_question) may be there one day, so of
 * that only what looks like a slip is told. */
static void say_unknown(struct trial *t, const char *file, int line, const char *name,
			bool is_question)
{
	struct names names = { .count = 0 };
	char text[3 * NAME_SHOWN_MAX];

	gather(t, &names);
	const char *near = num_nearest(name, names.list);

	if (near != NULL)
		snprintf(text, sizeof(text), "no name {{%.*s}} is known; did you mean {{%s}}?",
			 NAME_SHOWN_MAX, name, near);
	else
		snprintf(text, sizeof(text),
			 "no sample has {{%.*s}}: it is empty for an alert that has no such "
			 "field",
			 NAME_SHOWN_MAX, name);
	if (near != NULL || !is_question)
		say(t, file, line, text);
	for (size_t i = 0; i < names.made_count; i++)
		mem_free(&names.made[i]);
}

static void on_missing(void *arg, const char *template_name, int line, const char *name)
{
	struct trial *t = arg;

	if (!is_known(t, name))
		say_unknown(t, template_name, line, name, false);
}

static void on_use(void *arg, const struct tmpl_use *use)
{
	struct trial *t = arg;
	char text[2 * NAME_SHOWN_MAX];

	if (!use->is_partial) {
		if (strcmp(use->name, ".") != 0 && !is_known(t, use->name))
			say_unknown(t, use->file, use->line, use->name, true);
		return;
	}
	snprintf(text, sizeof(text), "no partial {{> %.*s}} beside the template: it is empty",
		 NAME_SHOWN_MAX, use->name);
	say(t, use->file, use->line, text);
}

/* ---- renderings that fail ---- */

/* what: names the message in what is said. */
static bool render_one(struct trial *t, const struct tmpl *tmpl, const struct message *message,
		       struct buf *out, const char *what)
{
	const struct tmpl_report report = { .missing = on_missing, .arg = t };
	struct value root;
	struct err err;

	buf_clear(out);
	value_of_message(message, &root);
	if (tmpl_render(tmpl, &root, out, &report, &err))
		return true;
	parts_problem(t->problems, tmpl_name(tmpl), what, err.text);
	return false;
}

/* The first sample that fails tells enough. */
static void render(struct trial *t, size_t max_len, unsigned events, const struct tmpl *tmpl)
{
	struct buf out;
	char what[NAME_SHOWN_MAX];
	bool ok = true;

	tmpl_each_use(tmpl, &(struct tmpl_uses){ .each = on_use, .arg = t });
	buf_init(&out, max_len);
	for (size_t i = 0; ok && i < DIGEST_COUNT; i++) {
		size_t type = i / EVENT_KIND_COUNT, kind = i % EVENT_KIND_COUNT;

		if ((events & 1U << kind) == 0)
			continue;
		snprintf(what, sizeof(what), "with the sample %s, %s: ", samples_types[type],
			 event_kind_name((enum event_kind)kind));
		ok = render_one(t, tmpl, &t->envelopes[type][kind].message, &out, what);
	}
	if (ok && (events & 1U << PRESET_EVENT_DIGEST) != 0)
		(void)render_one(t, tmpl, &t->digest, &out, "with a digest of all samples: ");
	buf_release(&out);
}

/* These may have any member: that no sample has it means nothing. */
static void on_people_use(void *arg, const struct tmpl_use *use)
{
	static const char *const open[] = { "metadata.", "user.", "policy.", "budget.",
					    "usage." };
	struct trial *t = arg;

	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		if (strncmp(use->name, open[i], strlen(open[i])) == 0)
			return;
	if (strcmp(use->name, ".") != 0 && !is_known(t, use->name))
		say_unknown(t, use->file, use->line, use->name, false);
}

/* A slip of a name would leave out everybody. */
static void try_people(struct trial *t)
{
	if (t->sink->type->each_people_use == NULL)
		return;
	t->conf_line = t->sink->line;
	t->sink->type->each_people_use(t->sink,
				       &(struct tmpl_uses){ .each = on_people_use, .arg = t });
	t->conf_line = 0;
}

static void try_parts(struct trial *t, const struct parts *parts, bool digests)
{
	const struct sink_type *type = t->sink->type;
	unsigned events = SINGLES | (digests ? 1U << PRESET_EVENT_DIGEST : 0);

	for (size_t i = 0; i < type->part_count; i++)
		if (parts_template(parts, i) != NULL) /* else it is optional and not there */
			render(t, type->parts[i].max_len, events, parts_template(parts, i));
}

/* Each request with the events that it is for. */
static void try_preset(struct trial *t, const struct parts *parts)
{
	const struct preset *p = t->sink->preset;

	for (size_t i = 0; i < p->request_count; i++) {
		const struct preset_request *r = &p->requests[i];

		render(t, ADDRESS_MAX, r->events, r->url);
		for (size_t k = 0; k < r->header_count; k++)
			render(t, ADDRESS_MAX, r->events, r->headers[k].value);
		if (parts_template(parts, i) != NULL)
			render(t, (size_t)p->body_max, r->events, parts_template(parts, i));
	}
}

/* A link that can't be made is left out, so of links only the names are looked at. */
static void try_links(struct trial *t)
{
	const struct settings *s = t->setup->settings;
	struct value root;
	struct buf out;
	struct err err;

	buf_init(&out, SAMPLE_MAX);
	for (size_t i = 0; i < s->source_count; i++) {
		if (t->setup->links[i] == NULL)
			continue;
		t->conf_line = s->sources[i].line;
		tmpl_each_use(t->setup->links[i],
			      &(struct tmpl_uses){ .each = on_use, .arg = t });
		for (size_t type = 0; samples_types[type] != NULL; type++) {
			const struct tmpl_report report = { .missing = on_missing, .arg = t };

			buf_clear(&out);
			value_of_facts(&t->envelopes[type][EVENT_OPENED].facts, &root);
			if (!tmpl_render(t->setup->links[i], &root, &out, &report, &err))
				say(t, "", 0, err.text);
		}
	}
	t->conf_line = 0;
	buf_release(&out);
}

void trial_run(const struct setup *setup, struct conf_problems *problems)
{
	const struct settings *s = setup->settings;

	for (size_t i = 0; i < s->sink_count; i++) {
		struct trial *t = mem_new(sizeof(*t));

		t->setup = setup;
		t->sink = &s->sinks[i];
		t->problems = problems;
		fill_all(t);
		if (i == 0)
			try_links(t);
		try_people(t);
		if (t->sink->preset != NULL)
			try_preset(t, setup->parts[i]);
		else
			try_parts(t, setup->parts[i], gets_digests(s, i));
		release_all(t);
		mem_free(&t);
	}
}

/* ---- one message ---- */

static bool renders(const struct tmpl *tmpl, size_t max_len, const struct message *message,
		    struct err *err)
{
	struct value root;
	struct buf out;

	if (tmpl == NULL)
		return true;
	buf_init(&out, max_len);
	value_of_message(message, &root);
	bool ok = tmpl_render(tmpl, &root, &out, NULL, err);

	buf_release(&out);
	return ok;
}

/* What no request fits is refused in words of its own: no template is to blame. */
static bool renders_request(const struct preset *preset, const struct parts *parts,
			    const struct message *message, struct err *err)
{
	const struct preset_request *r = preset_choose(preset, message);

	if (r == NULL)
		return true;
	for (size_t i = 0; i < r->header_count; i++)
		if (!renders(r->headers[i].value, ADDRESS_MAX, message, err))
			return false;
	return renders(r->url, ADDRESS_MAX, message, err) &&
	       renders(parts_template(parts, (size_t)(r - preset->requests)),
		       (size_t)preset->body_max, message, err);
}

bool trial_message(const struct setup *setup, size_t sink, const struct message *message,
		   struct err *err)
{
	const struct sink_settings *s = &setup->settings->sinks[sink];
	const struct parts *parts = setup->parts[sink];

	if (s->preset != NULL)
		return renders_request(s->preset, parts, message, err);
	for (size_t i = 0; i < s->type->part_count; i++)
		if (!renders(parts_template(parts, i), s->type->parts[i].max_len, message, err))
			return false;
	return true;
}
