/*
 * explain_context: who and what stood behind an alert when it was routed.
 *
 *   knew  user Jane Smith (Engineering), policy PII shield, budget Marketing 84.2 %
 *   not known  user u1a2: its names equal the empty string
 *
 * Said where an episode begins; what follows has the same.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "cli/print.h"
#include "model/conf.h"

enum { NAME_MAX_SHOWN = 80 };

/* A name of the context, or of the alert; missing: "". */
static const char *get(const struct facts *f, const char *path, struct value *v)
{
	struct value root;

	value_of_facts(f, &root);
	return value_path(&root, path, strlen(path), v) ? v->text : "";
}

static bool put_known(struct story *s, const char *before, const char *what, const char *path)
{
	struct value v;
	const char *text = get(&s->event.facts, path, &v);

	if (text[0] == '\0' || !lens_shows(s->lens, path))
		return false;
	fprintf(s->out, "%s%s", before, what);
	print_text(s->out, text, NAME_MAX_SHOWN);
	return true;
}

/* What is shown of each, and by which field of the alert it is found. */
static const struct shown {
	const char *what, *name, *more, *before_more, *after_more, *id, *list;
} shown[] = {
	{ "user ", "user.name", "user.department", " (", ")", "user_id", "users" },
	{ "policy ", "policy.name", "policy.action", " (", ")", "policy_id", "policies" },
	{ "budget ", "budget.name", "budget.percent", " ", " %", "metadata.budget_id",
	  "budgets" },
	{ "usage of ", "usage.date", "usage.total_requests", ": ", " requests", NULL, NULL },
};

static void put_all_known(struct story *s)
{
	const char *before = "  knew ";

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		if (!put_known(s, before, shown[i].what, shown[i].name))
			continue;
		before = ", ";
		if (put_known(s, shown[i].before_more, "", shown[i].more))
			fputs(shown[i].after_more, s->out);
	}
	if (before[0] == ',')
		fputc('\n', s->out);
}

/* Does the configuration ask for that list? */
static bool is_asked_for(const struct story *s, const char *list)
{
	const struct conf_node *group = glance_find(s->glance, "sources", s->source);
	const struct conf_node *lists = conf_get(group, "context"), *n;

	for (size_t i = 0; list != NULL && (n = conf_text_at(lists, i)) != NULL; i++)
		if (conf_string(n) != NULL && strcmp(conf_string(n), list) == 0)
			return true;
	return false;
}

static void put_all_unknown(struct story *s)
{
	const char *before = "  not known: ";

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		struct value v;

		if (!is_asked_for(s, shown[i].list) ||
		    get(&s->event.facts, shown[i].name, &v)[0] != '\0')
			continue;
		if (put_known(s, before, shown[i].what, shown[i].id))
			before = ", ";
	}
	if (before[0] == ',')
		fputs("; to routes its names equal the empty string\n", s->out);
}

void explain_context(struct story *s, struct view *v)
{
	int64_t until = view_int(v, "wait_until");
	char ago[CLOCK_TEXT_MAX];

	if (s->waits) {
		clock_ago(until, s->now, ago);
		fprintf(s->out,
			"  waits for what is not known of it: routed %s at the latest\n", ago);
	}
	if (s->event.context == NULL || s->seq != 1)
		return;
	put_all_known(s);
	put_all_unknown(s);
}
