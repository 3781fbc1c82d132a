/* report_show: the API's numbers as people read them, or as they came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/jline.h"
#include "cli/report.h"
#include "cli/table.h"
#include "model/money.h"

enum {
	WORD_MAX = 40,
	MONEY_MAX = 80,
	WARN_TENTHS = 750, /* the colour steps of the vendor's own tables */
	BAD_TENTHS = 900,
	BAR_LEN = 10,
};

/* ---- usage ---- */

static void show_usage_line(const struct report *r, const char *source, const struct sum *s,
			    const struct usage_shown *shown)
{
	struct buf cost;
	struct jline j;

	buf_init(&cost, MONEY_MAX);
	spent_add_cost(&cost, s->spent.nanos);

	jline_begin(&j, stdout);
	jline_text(&j, "source", source);
	jline_text(&j, shown->key, s->key[0] != '\0' ? s->key : NULL);
	if (shown->beside != NULL)
		jline_text(&j, shown->beside,
			   s->label != NULL && s->label[0] != '\0' ? s->label : NULL);
	jline_int(&j, "total_requests", s->spent.requests);
	jline_int(&j, "total_input_tokens", s->spent.input_tokens);
	jline_int(&j, "total_output_tokens", s->spent.output_tokens);
	jline_json(&j, "estimated_cost_usd", cost.data, cost.len);
	jline_text(&j, "start_date", r->days.from);
	jline_text(&j, "end_date", r->days.to);
	jline_end(&j);
	buf_release(&cost);
}

static void cell_money(struct table *t, const char *amount, const char *currency)
{
	struct buf text;

	buf_init(&text, MONEY_MAX);
	money_add(&text, amount, strlen(amount), currency, strlen(currency));
	table_cell(t, COLOUR_NONE, text.data);
	buf_release(&text);
}

static void cell_cost(struct table *t, int64_t nanos)
{
	struct buf cost;

	buf_init(&cost, MONEY_MAX);
	spent_add_cost(&cost, nanos);
	cell_money(t, cost.data, "USD");
	buf_release(&cost);
}

static void show_heading(const struct report *r, const char *source)
{
	if (r->of_usage)
		printf("%s%susage from %s to %s (UTC)\n", r->has_sources ? source : "",
		       r->has_sources ? ": " : "", r->days.from, r->days.to);
	else if (r->has_sources)
		printf("%s: budgets\n", source);
}

void report_show_usage(const struct report *r, const char *source, const struct sums *sums,
		       const struct usage_shown *shown)
{
	const struct table_column columns[] = {
		{ .title = shown->title, .max = WORD_MAX },
		{ .title = "REQUESTS", .right = true },
		{ .title = "INPUT TOKENS", .right = true },
		{ .title = "OUTPUT TOKENS", .right = true },
		{ .title = "COST", .right = true },
		{ .title = NULL },
	};
	struct table *t;

	for (size_t i = 0; r->cli->json && i < sums->count; i++)
		show_usage_line(r, source, &sums->list[i], shown);
	if (r->cli->json)
		return;
	show_heading(r, source);
	t = table_new(stdout, columns);
	for (size_t i = 0; i < sums->count; i++) {
		const struct sum *s = &sums->list[i];
		bool is_labelled = strcmp(shown->key, "user_id") == 0 && s->label != NULL &&
				   s->label[0] != '\0';
		const char *name = is_labelled ? s->label : s->key;

		table_cell(t, COLOUR_NONE, name[0] != '\0' ? name : "(none)");
		table_int(t, s->spent.requests);
		table_int(t, s->spent.input_tokens);
		table_int(t, s->spent.output_tokens);
		cell_cost(t, s->spent.nanos);
	}
	table_flush(t);
	table_free(&t);
	if (sums->count == 0)
		puts("none");
}

/* ---- budgets ---- */

static void show_budget_line(const char *source, const struct listed_budget *b,
			     const struct json *json)
{
	char percent[24];
	struct jline j;

	jline_begin(&j, stdout);
	jline_text(&j, "source", source);
	for (const struct json_value *v = json_first(json_root(json)); v != NULL;
	     v = json_next(v)) {
		struct json_span bytes = json_bytes(json, v);

		if (strcmp(json_key(v), "source") != 0 && strcmp(json_key(v), "percent") != 0)
			jline_json(&j, json_key(v), bytes.at, bytes.len);
	}
	snprintf(percent, sizeof(percent), "%lld.%lld", (long long)b->tenths / 10,
		 (long long)b->tenths % 10);
	if (b->tenths >= 0)
		jline_json(&j, "percent", percent, strlen(percent));
	jline_end(&j);
}

/* "███████░░░ 72 %" */
static void cell_bar(struct table *t, int64_t tenths)
{
	enum colour colour = tenths > BAD_TENTHS     ? COLOUR_BAD
			     : tenths >= WARN_TENTHS ? COLOUR_WARN
						     : COLOUR_GOOD;
	struct buf text;

	if (tenths < 0) {
		table_cell(t, COLOUR_NONE, NULL);
		return;
	}
	buf_init(&text, 200);
	for (int64_t i = 0; i < BAR_LEN; i++)
		buf_adds(&text, i * 1000 < tenths * BAR_LEN ? "█" : "░");
	buf_addf(&text, " %lld %%", (long long)tenths / 10);
	table_cell(t, colour, text.data);
	buf_release(&text);
}

static const char *text_of(const struct json_value *item, const char *key)
{
	const char *text = json_text(json_get(item, key), NULL);

	return text != NULL ? text : "";
}

static void show_budget(struct table *t, const struct listed_budget *b,
			const struct json_value *item)
{
	const char *department = text_of(item, "department");
	const char *currency = text_of(item, "currency");
	bool is_hard = json_kind(json_get(item, "hard_cap")) == JSON_TRUE;

	table_cell(t, COLOUR_NONE, text_of(item, "name"));
	table_cell(t, COLOUR_NONE, department[0] != '\0' ? department : "(all)");
	table_cell(t, COLOUR_NONE, text_of(item, "period"));
	cell_money(t, text_of(item, "spent"), currency);
	cell_money(t, text_of(item, "amount"), currency);
	cell_money(t, text_of(item, "remaining"), currency);
	cell_bar(t, b->tenths);
	table_cell(t, COLOUR_NONE, is_hard ? "blocks" : "alerts");
}

static const struct table_column budget_columns[] = {
	{ .title = "BUDGET", .max = WORD_MAX },
	{ .title = "DEPARTMENT", .max = 24 },
	{ .title = "PERIOD", .max = 12 },
	{ .title = "SPENT", .max = WORD_MAX, .right = true },
	{ .title = "AMOUNT", .max = WORD_MAX, .right = true },
	{ .title = "REMAINING", .max = WORD_MAX, .right = true },
	{ .title = "USED" },
	{ .title = "AT ZERO" },
	{ .title = NULL },
};

void report_show_budgets(const struct report *r, const char *source, struct budget_list *b)
{
	struct table *t = NULL;

	budget_list_sort(b);
	if (!r->cli->json) {
		show_heading(r, source);
		t = table_new(stdout, budget_columns);
	}
	for (size_t i = 0; i < b->count; i++) {
		struct json *json = json_parse(b->list[i].bytes, b->list[i].len, NULL);

		if (r->cli->json)
			show_budget_line(source, &b->list[i], json);
		else
			show_budget(t, &b->list[i], json_root(json));
		json_free(&json);
	}
	if (t != NULL && b->count == 0)
		puts("none");
	if (t != NULL)
		table_flush(t);
	table_free(&t);
}
