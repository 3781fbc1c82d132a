/* pick: see the header. The query is put together of what was asked, so that nothing is joined
 * or read that no option needs: a million rows are looked through by their table alone. */
#include "cli/pick.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/known.h"
#include "model/event.h"

enum { SQL_MAX = 8 << 20 }; /* ids fill a command line, which the system bounds */

/* ---- the command line ---- */

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int read_ids(struct pick *p, const struct cli *cli)
{
	p->ids = mem_array((size_t)cli->argc, sizeof(*p->ids));
	for (int i = 0; i < cli->argc; i++)
		if (!num_parse_int(cli->argv[i], &p->ids[i], NULL) || p->ids[i] <= 0)
			return cli_usage(cli,
					 "\"%s\" is no id of a delivery: `tocsin queue` "
					 "lists them",
					 cli->argv[i]);
	qsort(p->ids, (size_t)cli->argc, sizeof(*p->ids), compare_ids);
	for (int i = 0; i < cli->argc; i++)
		if (i == 0 || p->ids[i] != p->ids[i - 1])
			p->ids[p->id_count++] = p->ids[i];
	return EXIT_OK;
}

static int read_state(struct pick *p, const struct cli *cli, unsigned states)
{
	const char *word = cli_option(cli, "state");
	enum delivery_state state;

	p->states = states;
	if (word == NULL)
		return EXIT_OK;
	if (!delivery_state_parse(word, &state))
		return cli_usage(cli,
				 "--state: \"%s\" is none of due, held, claimed, done, dead, "
				 "moved, dropped, orphaned",
				 word);
	p->states = 1u << state;
	return EXIT_OK;
}

/* The instant so long ago; 0 when the option was not given. */
static int read_age(const struct cli *cli, const char *name, int64_t now, int64_t *at)
{
	const char *text = cli_option(cli, name);
	struct err err;
	int64_t span;

	*at = 0;
	if (text == NULL)
		return EXIT_OK;
	if (!num_parse_duration(text, &span, &err))
		return cli_usage(cli, "--%s: %s", name, err.text);
	*at = now - span;
	return EXIT_OK;
}

static int read_ages(struct pick *p, const struct cli *cli, int64_t now)
{
	int code = read_age(cli, "older", now, &p->until_at);

	if (code == EXIT_OK)
		code = read_age(cli, "newer", now, &p->from_at);
	if (code == EXIT_OK && p->until_at != 0 && p->from_at > p->until_at)
		return cli_usage(cli, "nothing is older than %s and newer than %s",
				 cli_option(cli, "older"), cli_option(cli, "newer"));
	return code;
}

static int read_matchers(struct pick *p, const struct cli *cli)
{
	const char *text;
	struct err err;

	while ((text = cli_option_at(cli, "match", p->match_count)) != NULL) {
		struct matcher *m = matcher_new(text, &err);

		if (m == NULL)
			return cli_usage(cli, "--match: %s", err.text);
		if (!matcher_is_plausible(m, &err))
			fprintf(stderr, "tocsin: warning: --match \"%s\": %s\n", text,
				err.text);
		p->match = mem_resize(p->match, p->match_count + 1, sizeof(struct matcher *));
		p->match[p->match_count++] = m;
	}
	return EXIT_OK;
}

static int read_limit(struct pick *p, const struct cli *cli)
{
	const char *text = cli_option(cli, "limit");

	p->limit = INT64_MAX;
	if (text != NULL && (!num_parse_int(text, &p->limit, NULL) || p->limit <= 0))
		return cli_usage(cli, "--limit takes a number from 1 on");
	return EXIT_OK;
}

static int read_filter(struct pick *p, const struct cli *cli, unsigned states, int64_t now)
{
	static const char *const names[] = { "sink",  "state", "source", "older",
					     "newer", "match", "limit" };
	int code = read_state(p, cli, states);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		p->is_filtered |= cli_has(cli, names[i]);
	p->sink = cli_option(cli, "sink");
	p->source = cli_option(cli, "source");
	if (code == EXIT_OK)
		code = read_ages(p, cli, now);
	if (code == EXIT_OK)
		code = read_matchers(p, cli);
	if (code == EXIT_OK)
		code = read_limit(p, cli);
	return code;
}

int pick_read(struct pick *p, const struct cli *cli, unsigned states, int64_t now)
{
	*p = (struct pick){ .ids = NULL };
	int code = read_filter(p, cli, cli->argc > 0 ? PICK_ALL : states, now);

	if (code == EXIT_OK && cli->argc > 0 && p->is_filtered)
		return cli_usage(cli, "it takes either ids or options that choose");
	return code == EXIT_OK ? read_ids(p, cli) : code;
}

void pick_release(struct pick *p)
{
	for (size_t i = 0; i < p->match_count; i++)
		matcher_free(&p->match[i]);
	mem_free(&p->match);
	mem_free(&p->ids);
}

/* ---- the query ---- */

/* What a matcher may ask for beside the alert's own fields. */
static const char match_columns[] =
	", d.source, d.route, d.sink, d.event, d.maybe_sent, d.at, d.episode, d.seq, d.n, "
	"(SELECT first FROM v_events WHERE id = d.event_id) AS is_first, "
	"(SELECT body FROM v_events WHERE id = d.event_id) AS body, "
	"(SELECT context FROM v_events WHERE id = d.event_id) AS context";

static void add_list(struct buf *sql, const int64_t *ids, size_t count)
{
	buf_adds(sql, " AND d.id IN (");
	for (size_t i = 0; i < count; i++)
		buf_addf(sql, "%s%" PRId64, i != 0 ? "," : "", ids[i]);
	buf_adds(sql, ")");
}

static void add_states(struct buf *sql, unsigned states)
{
	const char *before = " AND d.state IN (";

	for (int s = DELIVERY_DUE; s <= DELIVERY_ORPHANED; s++) {
		if ((states >> s & 1) == 0)
			continue;
		buf_addf(sql, "%s'%s'", before, delivery_state_name((enum delivery_state)s));
		before = ",";
	}
	buf_adds(sql, ")");
}

static void add_filter(struct buf *sql, const struct pick *p)
{
	if (p->id_count != 0)
		add_list(sql, p->ids, p->id_count);
	if (p->states != PICK_ALL)
		add_states(sql, p->states);
	if (p->sink != NULL)
		buf_adds(sql, " AND d.sink = ?1");
	if (p->source != NULL)
		buf_adds(sql, " AND d.source = ?2");
	if (p->from_at != 0)
		buf_addf(sql, " AND d.at >= %" PRId64, p->from_at);
	if (p->until_at != 0)
		buf_addf(sql, " AND d.at <= %" PRId64, p->until_at);
}

static struct view *open_piece(const struct pick_walk *w, struct store *store, struct err *err)
{
	const struct pick *p = w->pick;
	const char *args[] = { p->sink, p->source };
	size_t arg_count = p->source != NULL ? 2 : p->sink != NULL ? 1 : 0;
	struct buf sql;

	buf_init(&sql, SQL_MAX);
	buf_addf(&sql, "SELECT %s%s FROM v_deliveries d WHERE d.id > %" PRId64, w->columns,
		 p->match_count != 0 ? match_columns : "", w->last_id);
	add_filter(&sql, p);
	buf_addf(&sql, " ORDER BY d.id LIMIT %zu", w->piece);
	struct view *v = view_open(store, sql.data, args, arg_count, err);

	buf_release(&sql);
	return v;
}

/* ---- matching ---- */

static void fill_facts(struct facts *f, struct view *v, const struct alert *alert,
		       char id[DELIVERY_ID_MAX])
{
	int64_t key = view_int(v, "id");

	*f = (struct facts){ .alert = alert,
			     .first = view_int(v, "is_first") != 0,
			     .possible_repeat = view_int(v, "maybe_sent") != 0,
			     .source = view_text(v, "source"),
			     .route = view_text(v, "route"),
			     .sink = view_text(v, "sink"),
			     .delivery_id = id,
			     .at = view_int(v, "at") };
	if (!event_kind_parse(view_text(v, "event"), &f->event))
		f->event = EVENT_CHANGED;
	delivery_id(&(struct delivery_names){ .org_id = alert->org_id,
					      .alert_id = alert->id,
					      .episode = view_int(v, "episode"),
					      .kind = f->event,
					      .seq = view_int(v, "seq"),
					      .sink = f->sink != NULL ? f->sink : "",
					      .origin = delivery_key_origin(key),
					      .ordinal = delivery_key_ordinal(key) },
		    id);
}

/* What can't be read is not picked: nobody can say that it is meant. */
static bool is_match(const struct pick *p, struct view *v)
{
	const char *body;
	char id[DELIVERY_ID_MAX];
	struct alert alert;
	struct facts facts;
	struct err err;
	bool matches = true;

	if (p->match_count == 0)
		return true;
	body = view_text(v, "body");
	if (body == NULL || view_text(v, "event") == NULL ||
	    !alert_read(&alert, body, view_len(v, "body"), &err))
		return false;
	struct json *context =
		view_len(v, "context") == 0
			? NULL
			: json_parse(view_text(v, "context"), view_len(v, "context"), &err);

	fill_facts(&facts, v, &alert, id);
	facts.context = context;
	for (size_t i = 0; i < p->match_count && matches; i++)
		matches = matcher_matches(p->match[i], &facts);
	json_free(&context);
	alert_release(&alert);
	return matches;
}

/* ---- the walk ---- */

bool pick_next(struct pick_walk *w, struct store *store, struct err *err)
{
	struct view *v = open_piece(w, store, err);
	size_t read = 0;

	if (v == NULL)
		return false;
	while (w->told < w->pick->limit && view_next(v)) {
		read++;
		w->last_id = view_int(v, "id");
		if (!is_match(w->pick, v))
			continue;
		w->told++;
		w->each(w->arg, v);
	}
	bool failed = w->told < w->pick->limit && view_failed(v, err);

	view_close(&v);
	return !failed && read == w->piece && w->told < w->pick->limit;
}

/* ---- what the store knows ---- */

struct found {
	const struct pick *pick;
	size_t next; /* of its ids */
	int code;
};

static void miss_until(struct found *f, int64_t id)
{
	for (; f->next < f->pick->id_count && f->pick->ids[f->next] < id; f->next++)
		f->code = cli_failed("the store knows no delivery %" PRId64,
				     f->pick->ids[f->next]);
}

static void find_id(void *arg, struct view *v)
{
	struct found *f = arg;

	miss_until(f, view_int(v, "id"));
	f->next++;
}

static int check_ids(const struct pick *p, struct store *store)
{
	struct found found = { .pick = p, .code = EXIT_OK };
	struct pick_walk walk = { .pick = p,
				  .columns = "d.id",
				  .piece = p->id_count + 1,
				  .each = find_id,
				  .arg = &found };
	struct err err = { "" };

	(void)pick_next(&walk, store, &err);
	if (err.text[0] != '\0')
		return cli_failed("%s", err.text);
	miss_until(&found, INT64_MAX);
	return found.code;
}

int pick_check(const struct pick *p, struct store *store)
{
	struct err err;

	if (p->sink != NULL && !known_name(store, KNOWN_SINKS, p->sink, &err))
		return cli_failed("%s", err.text);
	if (p->source != NULL && !known_name(store, KNOWN_SOURCES, p->source, &err))
		return cli_failed("%s", err.text);
	return p->id_count != 0 ? check_ids(p, store) : EXIT_OK;
}
