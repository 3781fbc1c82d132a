/*
 * explain_silences: which silences were about a row.
 *
 * A row that has ended no longer says which silence held it, so they are found again: those in
 * force between its event and the end of its hold whose matchers hold on the alert as it was.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/explain.h"
#include "model/json.h"
#include "model/matcher.h"

static const char silences_query[] =
	"SELECT id, matchers, until, comment, who FROM v_silences WHERE "
	"since <= CAST(?2 AS INTEGER) AND until > CAST(?1 AS INTEGER) ORDER BY id";

static bool matches(struct view *v, const struct facts *facts)
{
	struct err err;
	struct json *doc = json_parse(view_text(v, "matchers"), view_len(v, "matchers"), &err);
	bool all = json_kind(json_root(doc)) == JSON_ARRAY;
	const struct json_value *one = json_first(json_root(doc));

	for (; all && one != NULL; one = json_next(one)) {
		const char *text = json_text(one, NULL);
		struct matcher *m = text != NULL ? matcher_new(text, &err) : NULL;

		all = m != NULL && matcher_matches(m, facts);
		matcher_free(&m);
	}
	json_free(&doc);
	return all;
}

static char *copy(struct view *v, const char *column)
{
	const char *text = view_text(v, column);

	return mem_strdup(text != NULL ? text : "");
}

static void add(struct hushes *h, struct view *v)
{
	h->list = mem_resize(h->list, h->count + 1, sizeof(*h->list));
	h->list[h->count++] = (struct hush){ .id = view_int(v, "id"),
					     .until = view_int(v, "until"),
					     .matchers = copy(v, "matchers"),
					     .comment = copy(v, "comment"),
					     .who = copy(v, "who") };
}

bool explain_silences_find(struct store *store, const struct facts *facts, int64_t until,
			   struct hushes *h, struct err *err)
{
	char from[24], to[24];
	const char *const args[] = { from, to };

	*h = (struct hushes){ .list = NULL };
	snprintf(from, sizeof(from), "%" PRId64, facts->at);
	snprintf(to, sizeof(to), "%" PRId64, until > facts->at ? until - 1 : facts->at);
	struct view *v = view_open(store, silences_query, args, ARRAY_LEN(args), err);

	while (v != NULL && view_next(v))
		if (matches(v, facts))
			add(h, v);
	bool ok = v != NULL && !view_failed(v, err);

	view_close(&v);
	return ok;
}

void explain_silences_release(struct hushes *h)
{
	for (size_t i = 0; i < h->count; i++) {
		mem_free(&h->list[i].matchers);
		mem_free(&h->list[i].comment);
		mem_free(&h->list[i].who);
	}
	mem_free(&h->list);
	h->count = 0;
}
