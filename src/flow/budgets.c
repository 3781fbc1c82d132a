/* budgets: see the header. */
#include "flow/budgets.h"

#include "base/mem.h"
#include "model/budget.h"
#include "model/redact.h"
#include "store/directory.h"

enum { TABLE_MAX = 1 << 20, WRAPPED_MORE = 1024 };

struct taking {
	const struct sink_settings *sink;
	struct budget_list list;
};

/* A sink's `redact` names them as an alert's own budget is named: budget.name. */
static void take_redacted(struct taking *t, const char *body, size_t len)
{
	struct buf wrapped, text;
	struct err err;

	buf_init(&wrapped, len + WRAPPED_MORE);
	buf_init(&text, len + WRAPPED_MORE);
	buf_adds(&wrapped, "{\"budget\":");
	buf_add(&wrapped, body, len);
	buf_adds(&wrapped, "}");
	if (redact_object(&text, wrapped.data, wrapped.len, t->sink->redact.list,
			  t->sink->redact.count, &err)) {
		struct json *j = json_parse(text.data, text.len, &err);
		struct json_span left = json_bytes(j, json_get(json_root(j), "budget"));

		if (json_get(json_root(j), "budget") != NULL)
			budget_list_add(&t->list, left.at, left.len);
		json_free(&j);
	}
	buf_release(&wrapped);
	buf_release(&text);
}

static void take(void *arg, const char *body, size_t len)
{
	struct taking *t = arg;

	if (t->sink->redact.count == 0)
		budget_list_add(&t->list, body, len);
	else
		take_redacted(t, body, len);
}

char *budgets_for(struct store *store, int source, const struct sink_settings *sink)
{
	struct taking t = { .sink = sink };
	char *table = NULL;
	struct buf text;
	struct err err;

	/* A store that can't be read is told by others: the digest goes without. */
	if (store_directory_all_budgets(store, source, take, &t, &err) && t.list.count > 0) {
		buf_init(&text, TABLE_MAX);
		budget_list_write(&t.list, BUDGETS_MAX, &text);
		if (!text.overflow)
			table = buf_take(&text, NULL);
		buf_release(&text);
	}
	budget_list_release(&t.list);
	return table;
}
