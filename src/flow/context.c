/*
 * context: see the header.
 *
 * Which budget: the one that the alert names, else its user's department's (spelt the same before
 * the same in small letters), else the whole organisation's; of several the one spent most.
 */
#include "flow/context.h"

#include <string.h>

#include "base/mem.h"
#include "model/budget.h"
#include "store/directory.h"

enum { OBJECT_MAX = 4 * LISTING_ITEM_MAX + 4096 };

/* What is being made. */
struct making {
	struct context *c;
	const struct alert *alert;
	struct buf *out;
	bool is_complete;
};

bool context_is_on(const struct context *c)
{
	return c->p->settings->context != 0;
}

static bool is_kept(const struct context *c, enum context_kind kind)
{
	return (c->p->settings->context & 1u << kind) != 0;
}

static void add_member(struct buf *out, const char *name, const char *body, size_t len)
{
	buf_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
	buf_add(out, body, len);
}

/* It is not known. Nobody knew, so it is asked for; or somebody has asked, and it may still come. */
static void note_unknown(struct making *m, enum context_kind kind, const char *id,
			 enum directory_known known)
{
	struct context *c = m->c;

	if (known == DIRECTORY_UNKNOWN && !directory_fails(c->directory, kind)) {
		if (c->wanted[kind] == NULL)
			c->wanted[kind] = mem_strdup(id);
		m->is_complete = false;
	} else if (directory_comes(c->directory, kind)) {
		m->is_complete = false;
	}
}

/* The object with this id, or NULL; the caller frees it. */
static char *find(struct making *m, enum context_kind kind, const char *id, size_t *len)
{
	const struct directory_list of = { m->c->p->number, kind };
	enum directory_known known;
	struct buf body;
	struct err err;

	if (!is_kept(m->c, kind) || id == NULL || id[0] == '\0' || strlen(id) > LISTING_ID_MAX)
		return NULL;
	buf_init(&body, LISTING_ITEM_MAX);
	/* A store that fails has failed the page, too. */
	if (store_directory_find(m->c->p->store, of, id, &body, &known, &err) && body.len > 0)
		return buf_take(&body, len);
	note_unknown(m, kind, id, known);
	buf_release(&body);
	return NULL;
}

/* ---- the budget ---- */

struct best {
	const char *department; /* of the alert's user; NULL: none */
	size_t department_len;
	char *body; /* owned; NULL: none yet */
	size_t len;
	int64_t tenths;
	bool is_exact;
};

static bool is_department(const struct best *best, const struct json_value *budget)
{
	size_t len;
	const char *text = json_text(json_get(budget, "department"), &len);

	return text != NULL && best->department != NULL && len == best->department_len &&
	       memcmp(text, best->department, len) == 0;
}

static void take_budget(void *arg, const char *body, size_t len)
{
	struct best *best = arg;
	struct json *j = json_parse(body, len, NULL);

	if (j == NULL)
		return;
	int64_t tenths = budget_tenths(json_root(j));
	bool is_exact = is_department(best, json_root(j));
	bool is_better = is_exact == best->is_exact ? tenths > best->tenths : is_exact;

	if (best->body == NULL || is_better) {
		mem_free(&best->body);
		best->body = mem_dup(body, len);
		best->len = len;
		best->tenths = tenths;
		best->is_exact = is_exact;
	}
	json_free(&j);
}

static void take_budgets_of(struct making *m, struct best *best, const char *department,
			    size_t len)
{
	char *place = listing_place(department, len);
	struct err err;

	(void)store_directory_budgets(m->c->p->store, m->c->p->number, place, take_budget, best,
				      &err);
	mem_free(&place);
}

static void choose_budget(struct making *m, struct best *best, const struct json *user)
{
	const struct json_value *metadata = json_get(json_root(m->alert->json), "metadata");
	const char *named = json_text(json_get(metadata, "budget_id"), NULL);
	size_t len = 0;
	char *body = find(m, CONTEXT_BUDGETS, named, &len);

	if (body != NULL) {
		take_budget(best, body, len);
		mem_free(&body);
		return;
	}
	if (user != NULL)
		best->department = json_text(json_get(json_root(user), "department"),
					     &best->department_len);
	if (best->department != NULL && best->department_len > 0)
		take_budgets_of(m, best, best->department, best->department_len);
	if (best->body == NULL)
		take_budgets_of(m, best, NULL, 0);
}

static void add_budget(struct making *m, const struct json *user)
{
	struct best best = { .tenths = -1 };

	if (!is_kept(m->c, CONTEXT_BUDGETS))
		return;
	choose_budget(m, &best, user);
	if (best.body == NULL)
		return;
	buf_addf(m->out, "%s\"budget\":", m->out->data[m->out->len - 1] == '{' ? "" : ",");
	budget_write(m->out, best.body, best.len);
	mem_free(&best.body);
}

/* ---- the others ---- */

/* Returns the user, parsed, for what else is about him; NULL: not known. */
static struct json *add_user(struct making *m)
{
	size_t len = 0;
	char *body = find(m, CONTEXT_USERS, m->alert->user_id, &len);
	struct json *user = body == NULL ? NULL : json_parse(body, len, NULL);

	if (body != NULL)
		add_member(m->out, "user", body, len);
	mem_free(&body);
	return user;
}

static void add_policy(struct making *m)
{
	size_t len = 0;
	char *body = find(m, CONTEXT_POLICIES, m->alert->policy_id, &len);

	if (body != NULL)
		add_member(m->out, "policy", body, len);
	mem_free(&body);
}

static void add_usage(struct making *m)
{
	const struct json_value *metadata = json_get(json_root(m->alert->json), "metadata");
	struct buf text;

	if (!is_kept(m->c, CONTEXT_USAGE))
		return;
	buf_init(&text, OBJECT_MAX);
	switch (lookup_usage(m->c->lookup, m->alert->user_id, m->alert->created_at,
			     json_text(json_get(metadata, "model"), NULL), &text)) {
	case LOOKUP_KNOWN: add_member(m->out, "usage", text.data, text.len); break;
	case LOOKUP_COMES: m->is_complete = false; break;
	case LOOKUP_NONE: break;
	}
	buf_release(&text);
}

bool context_add(struct context *c, const struct alert *alert, struct buf *out)
{
	struct making m = { .c = c, .alert = alert, .out = out, .is_complete = true };

	buf_adds(out, "{");
	struct json *user = add_user(&m);

	add_policy(&m);
	add_budget(&m, user);
	add_usage(&m);
	buf_adds(out, "}");
	json_free(&user);
	return m.is_complete;
}

void context_ask(struct context *c)
{
	for (size_t kind = 0; kind < CONTEXT_LISTS; kind++) {
		if (c->wanted[kind] == NULL)
			continue;
		/* One id is enough: the pass that it asks for brings the others, too. */
		(void)directory_want(c->directory, (enum context_kind)kind, c->wanted[kind]);
		mem_free(&c->wanted[kind]);
	}
}

void context_release(struct context *c)
{
	for (size_t kind = 0; kind < CONTEXT_LISTS; kind++)
		mem_free(&c->wanted[kind]);
}
