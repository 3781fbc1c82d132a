/*
 * `tocsin explain`: the whole story of one alert.
 *
 * The views stay open one within the other, so that all of it is of one moment; it is told into
 * memory and shown after the last is closed. Which matchers of a route hold is not stored: it
 * is found again, with the configuration as it is now, on the alert as it was at the event.
 */
#include "cli/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "model/route.h"

static const char alerts_query[] =
	"SELECT source, id, status, severity, episode, body, created_at, first_seen_at, "
	"last_seen_at, resolved_at, state, last_event FROM v_alerts WHERE id = ?1";

/* Events of one alert are a chain from the newest back. */
static const char events_query[] =
	"WITH RECURSIVE chain(id) AS (SELECT CAST(?1 AS INTEGER) UNION ALL "
	"SELECT (SELECT prev FROM v_events WHERE id = chain.id) AS older FROM chain "
	"WHERE older <> 0) SELECT id, source, episode, seq, kind, first, at, body, context, "
	"wait_until FROM v_events "
	"WHERE id IN (SELECT id FROM chain) ORDER BY id";

/* An id is its event and 27 bits more. In the order in which something came of them: a step of
 * an escalation after what was told at once. */
static const char deliveries_query[] =
	"SELECT " EXPLAIN_COLUMNS
	" FROM v_deliveries d WHERE d.id >= (CAST(?1 AS INTEGER) << 27) "
	"AND d.id < ((CAST(?1 AS INTEGER) + 1) << 27) "
	"ORDER BY coalesce(d.first_attempt_at, d.held_until, d.ended_at, d.due_at), d.id";

static const char attempts_query[] =
	"SELECT n, at, took_ms, verdict, status, answer FROM v_attempts "
	"WHERE delivery = CAST(?1 AS INTEGER) ORDER BY n";

/* A query with one number or text; each row goes to tell(). */
static bool each_row(struct story *s, const char *sql, const char *arg,
		     bool (*tell)(struct story *s, struct view *v, struct err *err),
		     struct err *err)
{
	struct view *v = view_open(s->store, sql, &arg, 1, err);
	bool ok = v != NULL;

	while (ok && view_next(v))
		ok = tell(s, v, err);
	if (ok)
		ok = !view_failed(v, err);
	view_close(&v);
	return ok;
}

static bool each_row_of(struct story *s, const char *sql, int64_t number,
			bool (*tell)(struct story *s, struct view *v, struct err *err),
			struct err *err)
{
	char arg[24];

	snprintf(arg, sizeof(arg), "%" PRId64, number);
	return each_row(s, sql, arg, tell, err);
}

/* ---- which matchers held ---- */

/* The text is m's from now on. */
static void add_matched(struct matched *m, char *text)
{
	m->texts = mem_resize(m->texts, m->count + 1, sizeof(*m->texts));
	m->texts[m->count++] = text;
}

/* Who hears what follows was chosen by the first event of the episode. */
static const struct told *chosen_at(const struct story *s, const char *origin)
{
	bool follows = origin != NULL && strcmp(origin, "follow") == 0;

	return follows && s->began.is_known ? &s->began : &s->event;
}

static void find_matched(const struct story *s, struct view *v, struct matched *m)
{
	const struct conf_node *group = glance_find(s->glance, "routes", view_text(v, "route")),
			       *n;
	const struct conf_node *match = conf_get(group, "match");
	const struct told *told = chosen_at(s, view_text(v, "origin"));
	struct err err;

	*m = (struct matched){ .route_known = group != NULL && told->is_known };
	for (size_t i = 0; m->route_known && (n = conf_text_at(match, i)) != NULL; i++) {
		struct matcher *matcher =
			conf_string(n) != NULL ? matcher_new(conf_string(n), &err) : NULL;

		if (matcher != NULL && matcher_matches(matcher, &told->facts))
			add_matched(m, lens_matcher(s->lens, matcher_text(matcher)));
		matcher_free(&matcher);
	}
}

static void release_matched(struct matched *m)
{
	for (size_t i = 0; i < m->count; i++)
		mem_free(&m->texts[i]);
	mem_free(&m->texts);
}

/* ---- the walk ---- */

static bool tell_attempt(struct story *s, struct view *v, struct err *err)
{
	const struct row_try t = { .at = view_int(v, "at"),
				   .took_ms = view_int(v, "took_ms"),
				   .status = view_int(v, "status"),
				   .verdict = view_text(v, "verdict"),
				   .answer = view_text(v, "answer") };

	(void)err;
	s->voice->attempt(s, &t, view_int(v, "n"));
	return true;
}

static void note_next(struct story *s, struct view *v)
{
	int64_t at = rows_next_at(v);

	if (at == 0 || (s->next.at != 0 && s->next.at <= at))
		return;
	mem_free(&s->next.sink);
	s->next = (struct next){ .id = view_int(v, "id"),
				 .at = at,
				 .sink = mem_strdup(view_text(v, "sink")) };
}

static void note_dead(struct story *s, struct view *v)
{
	const char *state = view_text(v, "state");
	bool is_dead = state != NULL && strcmp(state, "dead") == 0;

	s->dead_id = is_dead ? view_int(v, "id") : 0;
	s->dead_count += is_dead ? 1 : 0;
}

static bool find_silences(struct story *s, struct view *v, struct err *err)
{
	static const char *const columns[] = { "hold", "reason" };
	bool is_silenced = false;

	s->hushes = (struct hushes){ .list = NULL };
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		const char *word = view_text(v, columns[i]);

		is_silenced = is_silenced || (word != NULL && (strcmp(word, "silence") == 0 ||
							       strcmp(word, "silenced") == 0));
	}
	if (!is_silenced || !s->event.is_known)
		return true;
	bool ok = explain_silences_find(s->store, &s->event.facts, view_int(v, "hold_until"),
					&s->hushes, err);

	for (size_t i = 0; i < s->hushes.count; i++) {
		struct hush *h = &s->hushes.list[i];
		char *shown = lens_matchers(s->lens, h->matchers);

		mem_free(&h->matchers);
		h->matchers = shown;
	}
	return ok;
}

/* ---- whom it is for ---- */

/* Nobody heard of the episode by a row that was for nobody. */
static bool is_heard_by(struct view *v)
{
	const char *state = view_text(v, "state"), *reason = view_text(v, "reason");

	return state == NULL || reason == NULL || strcmp(state, "dropped") != 0 ||
	       strcmp(reason, STORE_NO_RECIPIENT) != 0;
}

/* Told of the delivery in whose midst it is called. */
static void with_people(struct story *s, struct view *v, const struct matched *matched)
{
	bool has_heard = s->heard_in == s->episode && s->heard.is_known;
	const struct told *told = has_heard ? &s->heard : &s->event;
	struct people people = { .key = PEOPLE_NOBODY };

	if (told->is_known && lens_people(s->lens, &told->facts, &people))
		s->people = &people;
	s->voice->delivery(s, v, matched);
	s->people = NULL;
	people_release(&people);
	if (s->heard_in != s->episode && is_heard_by(v))
		s->is_opening = true;
}

static bool tell_delivery(struct story *s, struct view *v, struct err *err)
{
	struct matched matched;
	struct row_try only;

	s->delivery_count++;
	if (!lens_has(s->lens, view_text(v, "sink")))
		return true;
	s->seen_count++;
	note_next(s, v);
	note_dead(s, v);
	bool ok = find_silences(s, v, err);

	if (ok) {
		find_matched(s, v, &matched);
		with_people(s, v, &matched);
		release_matched(&matched);
	}
	explain_silences_release(&s->hushes);
	if (!ok)
		return false;
	if (rows_is_first_success(v)) {
		rows_last_try(v, &only);
		s->voice->attempt(s, &only, 1);
	} else if (!each_row_of(s, attempts_query, view_int(v, "id"), tell_attempt, err)) {
		return false;
	}
	s->voice->delivery_end(s);
	return true;
}

static void read_told(const struct story *s, struct view *v, struct told *t)
{
	const char *body = view_text(v, "body"), *kind = view_text(v, "kind");
	enum event_kind event;
	struct err err;

	t->is_known = body != NULL && kind != NULL && event_kind_parse(kind, &event) &&
		      alert_read(&t->alert, body, view_len(v, "body"), &err);
	if (!t->is_known)
		return;
	buf_init(&t->text, view_len(v, "context"));
	if (view_text(v, "context") != NULL)
		buf_add(&t->text, view_text(v, "context"), view_len(v, "context"));
	t->context = t->text.len == 0 ? NULL : json_parse(t->text.data, t->text.len, &err);
	t->facts = (struct facts){ .alert = &t->alert,
				   .context = t->context,
				   .event = event,
				   .first = view_int(v, "first") != 0,
				   .source = s->source,
				   .at = view_int(v, "at") };
}

static void release_told(struct told *t)
{
	if (!t->is_known)
		return;
	json_free(&t->context);
	buf_release(&t->text);
	alert_release(&t->alert);
	t->is_known = false;
}

static void read_event(struct story *s, struct view *v)
{
	s->seq = view_int(v, "seq");
	s->waits = !view_is_null(v, "wait_until");
	s->episode = view_int(v, "episode");
	s->delivery_count = 0;
	s->is_opening = false;
	read_told(s, v, &s->event);
	if (s->seq != 1)
		return;
	release_told(&s->began);
	read_told(s, v, &s->began);
}

static bool tell_event(struct story *s, struct view *v, struct err *err)
{
	read_event(s, v);
	s->voice->event(s, v);
	bool ok = each_row_of(s, deliveries_query, view_int(v, "id"), tell_delivery, err);

	if (s->is_opening) {
		release_told(&s->heard);
		read_told(s, v, &s->heard);
		s->heard_in = s->episode;
	}
	release_told(&s->event);
	s->voice->event_end(s);
	return ok;
}

static bool tell_alert(struct story *s, struct view *v, struct err *err)
{
	s->next = (struct next){ .at = 0 };
	s->dead_count = s->seen_count = 0;
	s->heard_in = 0;
	s->source = view_text(v, "source");
	s->voice->alert(s, v);
	bool ok = view_int(v, "last_event") == 0 ||
		  each_row_of(s, events_query, view_int(v, "last_event"), tell_event, err);

	release_told(&s->began);
	release_told(&s->heard);
	if (!ok)
		return false;
	s->voice->alert_end(s);
	mem_free(&s->next.sink);
	return true;
}

static int tell(struct story *s, const char *id)
{
	struct err err = { "" };
	struct spool spool;

	spool_open(&spool);
	s->out = spool.out;
	bool ok = each_row(s, alerts_query, id, tell_alert, &err);

	mem_free(&s->next.sink);
	fflush(spool.out);
	bool found = spool.len > 0;

	if (!ok) {
		spool_discard(&spool);
		return cli_failed("%s", err.text);
	}
	spool_close(&spool);
	return found ? EXIT_OK : cli_failed("the store knows no alert %s", id);
}

static int tell_from(const struct cli *cli, const struct glance *glance,
		     const struct lens *lens, struct store *store)
{
	struct story story = { .glance = glance,
			       .lens = lens,
			       .store = store,
			       .voice = cli->json ? &explain_json : &explain_text,
			       .now = clock_now() };

	return tell(&story, cli->argv[0]);
}

/* ---- the command ---- */

static int unknown_sink(const struct cli *cli, const struct glance *glance, const char *sink)
{
	const struct conf_node *sinks =
		glance->conf != NULL ? conf_get(conf_root(glance->conf), "sinks") : NULL;
	const char **names = mem_array(conf_count(sinks) + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < conf_count(sinks); i++) {
		const char *name = conf_string(conf_get(conf_at(sinks, i), "name"));

		if (name != NULL)
			names[count++] = name;
	}
	const char *nearest = num_nearest(sink, names);
	int code = cli_usage(cli, "%s has no sink \"%s\"%s%s%s", cli->config, sink,
			     nearest != NULL ? "; did you mean \"" : "",
			     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");

	mem_free(&names);
	return code;
}

static int tell_for(const struct cli *cli, const struct glance *glance, const char *sink,
		    struct store *store)
{
	struct conf_problems problems = { .list = NULL };
	struct lens lens;
	int code = EXIT_CONFIG;

	switch (lens_read(&lens, glance, cli->config, sink, &problems)) {
	case LENS_READ: code = tell_from(cli, glance, &lens, store); break;
	case LENS_UNKNOWN: code = unknown_sink(cli, glance, sink); break;
	case LENS_WRONG: print_problems(stderr, &problems, false); break;
	}
	lens_release(&lens);
	conf_problems_release(&problems);
	return code;
}

static int run(const struct cli *cli)
{
	const char *sink = cli_option(cli, "for");
	struct glance glance;
	int code;

	if (cli->argc != 1)
		return cli_usage(cli, "it takes the id of one alert");
	struct store *store = cli_store(cli, STORE_READ, &glance, &code);

	if (store == NULL)
		return code;
	code = sink != NULL ? tell_for(cli, &glance, sink, store)
			    : tell_from(cli, &glance, NULL, store);
	store_close(&store);
	glance_release(&glance);
	return code;
}

static const struct cli_option options[] = {
	{ "for", "SINK",
	  "only what that sink is told, and as it sees it; of mail, who gets it" },
	{ .name = NULL },
};

const struct command command_explain = {
	.name = "explain",
	.arguments = "ALERT_ID",
	.summary = "tell the whole story of one alert",
	.details =
		"When it was seen, which route led it where and why, what holds it and until\n"
		"when, every attempt with its answer, and what is due next.",
	.options = options,
	.json = true,
	.run = run,
};
