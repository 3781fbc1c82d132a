/* conf: the program's configuration, and every one that it ever had. */
#include <inttypes.h>
#include <stdio.h>

#include "world/world.h"

const struct rules *conf_rules(const struct world *w)
{
	return &w->rules[w->rules_count - 1];
}

static void write_source(const struct world *w, size_t i, struct buf *out)
{
	const struct terms *t = &w->terms;

	buf_addf(out, "%s{ name = \"org%zu\"; base_url = \"http://127.0.0.1:800%zu/v1\"; ",
		 i > 0 ? ", " : "", i, i);
	buf_adds(out, t->apis[i].oauth ? "client_id = \"c\"; client_secret = \"secret\"; "
				       : "api_key = \"key\"; ");
	buf_addf(out,
		 "poll_every = \"%" PRId64 "s\"; sweep_every = \"%" PRId64
		 "s\"; start = \"%s\"; rate_share = %.2f; }",
		 t->poll_ms / SECOND, t->sweep_ms / SECOND, t->start,
		 (double)t->share_percent / 100);
}

static void write_sink(const struct world *w, size_t i, struct buf *out)
{
	const struct rules *rules = conf_rules(w);
	int fallback = rules->fallback[i];
	const struct sink_terms *s = &w->receivers[i].terms;

	buf_addf(out,
		 "{ name = \"s%zu\"; type = \"webhook\"; url = \"http://127.0.0.1:900%zu/in\"; "
		 "window = %" PRId64 "; timeout = \"%" PRId64 "ms\"; retry = { min = \"%" PRId64
		 "ms\"; max = \"%" PRId64 "ms\"; }; retry_after_max = \"%" PRId64
		 "ms\"; give_up = \"%" PRId64 "ms\"; ",
		 i, i, rules->window[i], s->timeout_ms, s->retry_min_ms, s->retry_max_ms,
		 s->retry_after_max_ms, s->give_up_ms);
	if (s->rate_count > 0)
		buf_addf(out, "rate = \"%" PRId64 "/%" PRId64 "s\"; ", s->rate_count,
			 s->rate_per_ms / SECOND);
	if (fallback >= 0)
		buf_addf(out, "fallback = \"s%d\"; fallback_after = \"%" PRId64 "ms\"; ",
			 fallback, s->fallback_after_ms);
	buf_addf(out, "collapse = %s; }", s->collapse ? "true" : "false");
}

void conf_write(struct world *w)
{
	const struct rules *rules = conf_rules(w);
	FILE *file = fopen(w->conf, "w");
	struct buf out;

	if (file == NULL)
		world_fail(w, "cannot write %s", w->conf);
	buf_init(&out, 64 << 10);
	buf_addf(&out, "store = \"%s\"; templates = \"templates\";\nsources = ( ", w->store);
	for (size_t i = 0; i < w->terms.api_count; i++)
		write_source(w, i, &out);
	buf_adds(&out, " );\nsinks = ( ");
	for (size_t i = 0, n = 0; i < w->terms.sink_count; i++)
		if (rules->present[i]) {
			buf_adds(&out, n++ > 0 ? ",\n  " : "");
			write_sink(w, i, &out);
		}
	buf_adds(&out, " );\n");
	rules_write(rules, &out);
	fwrite(out.data, 1, out.len, file);
	fclose(file);
	buf_release(&out);
}

static int64_t next_event(struct world *w)
{
	return ask_count(w, "SELECT coalesce(max(id), 0) AS n FROM v_events") + 1;
}

/* A request may leave by either window until the new one is in force. */
static void widen(struct world *w, const struct rules *rules)
{
	for (size_t i = 0; i < w->terms.sink_count; i++)
		if (w->receivers[i].terms.window < rules->window[i])
			w->receivers[i].terms.window = rules->window[i];
}

void conf_change(struct world *w, const struct rules *rules)
{
	struct rules *next = &w->rules[w->rules_count];

	if (w->rules_count == RULES_MAX)
		return;
	*next = *rules;
	next->unsure_event = next->first_event = next_event(w);
	w->rules_count++;
	widen(w, rules);
	if (w->app == NULL)
		conf_settle(w);
	else
		next->first_event = INT64_MAX;
	conf_write(w);
}

void conf_settle(struct world *w)
{
	struct rules *rules = &w->rules[w->rules_count - 1];

	rules->first_event = next_event(w);
	for (size_t i = 0; i < w->terms.sink_count; i++) {
		w->receivers[i].terms.window = rules->window[i];
		if (!rules->present[i])
			watch_sink_gone(&w->receivers[i]);
	}
}
