/*
 * oracle: what must be stored, asked in SQL over the views and compared with the truth.
 *
 * oracle_look() runs after each step and asks only what holds at any instant. oracle_check()
 * runs when all has been calm for long: what sweeps promise, or (everything) also what only a
 * full pass finds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/event.h"
#include "world/world.h"

enum { SLACK_MS = 2 * SECOND, SLOW_ANSWER_MS = 60 * SECOND };

#define ALL_ALERTS                                                                      \
	"SELECT source, id, status, state, body, missing_since IS NOT NULL AS missing " \
	"FROM v_alerts WHERE source LIKE 'org%'"
#define NOT_DONE "SELECT count(*) AS n FROM v_deliveries WHERE state <> 'done'"

static const char *const status_words[] = { "open", "acknowledged", "resolved" };

void oracle_source_text(struct world *w, const struct api *a, const char *column, char *out,
			size_t size)
{
	struct question q;
	char name[16];

	out[0] = '\0';
	snprintf(name, sizeof(name), "org%d", a->number);
	ask(w, &q, "SELECT * FROM v_sources WHERE name = ?1");
	ask_bind_text(&q, 1, name);
	if (ask_next(&q) && !ask_is_null(&q, column))
		snprintf(out, size, "%s", ask_text(&q, column));
	ask_end(w, &q);
}

static struct item *item_of(struct world *w, const struct question *v, const struct api **api)
{
	const char *source = ask_text(v, "source"), *id = ask_text(v, "id");

	for (size_t i = 0; source != NULL && i < w->terms.api_count; i++)
		if (source[3] - '0' == (int)i) {
			*api = &w->apis[i];
			return api_find(*api, id);
		}
	return NULL;
}

/* ---- after each step ---- */

/* Taken once, with the first page, and never again. */
static void look_at_baseline(struct world *w, const struct api *a)
{
	char text[32];
	int64_t at = 0;

	oracle_source_text(w, a, "baseline_at", text, sizeof(text));
	bool known = text[0] != '\0';

	if (known)
		sscanf(text, "%" SCNd64, &at);
	if (w->baseline_known[a->number]) {
		if (!known || at != w->baseline_at[a->number])
			world_fail(w, "org%d: the baseline moved from %" PRId64 " to %s",
				   a->number, w->baseline_at[a->number], text);
		return;
	}
	w->baseline_known[a->number] = known;
	w->baseline_at[a->number] = at;
	if (!known || w->clock_is_wrong[a->number])
		return;
	int64_t expected = w->terms.start[0] == 'a' ? 0 : w->life_at - w->terms.since_ms;

	if (at > expected + SLACK_MS || at < expected - SLACK_MS - SLOW_ANSWER_MS)
		world_fail(w, "org%d: the baseline is %" PRId64 " ms off", a->number,
			   at - expected);
}

static void look_at_vanished(struct world *w)
{
	struct question q;
	const struct api *a;

	ask(w, &q,
	    "SELECT source, id FROM v_alerts WHERE state = 'vanished' AND source "
	    "LIKE 'org%'");
	while (ask_next(&q)) {
		const struct item *i = item_of(w, &q, &a);

		if (i == NULL || i->deleted_count == 0)
			world_fail(w, "%s vanished, and was never deleted", ask_text(&q, "id"));
	}
	ask_end(w, &q);
}

/* Listed before the program was ever started, and all the time since. */
static bool is_old(const struct item *i, int64_t beginning)
{
	return i->born_at <= beginning && i->deleted_count == 0;
}

/* Dead cursors that were told as the end since then: a second one in a row has to be believed. */
static bool was_deceived(struct world *w, const struct api *a)
{
	size_t before = w->false_ends[a->number];

	w->false_ends[a->number] = a->false_ends;
	return a->false_ends > before + 1;
}

/* A full pass that says that it was complete has stored all that was listed before it began. */
static void look_at_full(struct world *w, const struct api *a)
{
	int64_t beginning = a->items[0].born_at;
	size_t listed = 0, stored = 0;
	char text[32];
	struct question q;
	const struct api *of;

	oracle_source_text(w, a, "last_full_at", text, sizeof(text));
	if (strcmp(text, w->last_full[a->number]) == 0)
		return;
	snprintf(w->last_full[a->number], sizeof(w->last_full[a->number]), "%s", text);
	w->is_deceived[a->number] = was_deceived(w, a);
	if (w->is_deceived[a->number])
		return;
	for (size_t i = 0; i < a->count; i++)
		listed += is_old(&a->items[i], beginning);
	ask(w, &q, "SELECT source, id FROM v_alerts");
	while (ask_next(&q)) {
		const struct item *i = item_of(w, &q, &of);

		stored += i != NULL && of == a && is_old(i, beginning);
	}
	ask_end(w, &q);
	if (stored < listed)
		world_fail(w,
			   "org%d: a full pass was complete, and %zu of %zu alerts that it "
			   "must have met are not stored",
			   a->number, listed - stored, listed);
}

/* The program looks after itself; what it finds is for us. */
static void look_at_audit(struct world *w)
{
	int64_t found = ask_count(w, "SELECT count(*) AS n FROM v_alerts WHERE id LIKE "
				     "'tocsin:audit%'");

	if (found != 0)
		world_fail(w, "the program's own audit has found something");
}

void oracle_look(struct world *w)
{
	for (size_t i = 0; i < w->terms.api_count; i++) {
		look_at_baseline(w, &w->apis[i]);
		if (w->terms.history > 0 && w->apis[i].count > 0)
			look_at_full(w, &w->apis[i]);
	}
	look_at_vanished(w);
	look_at_audit(w);
}

/* ---- one alert ---- */

static bool rings(const struct world *w, const struct api *a, const struct item *i)
{
	return i->created_at >= w->baseline_at[a->number];
}

static bool is_body(const struct api *a, const struct item *i, const char *body)
{
	struct buf out;

	buf_init(&out, 4096);
	api_write_item(a, i, false, &out);
	bool same = body != NULL && strcmp(out.data, body) == 0;

	buf_release(&out);
	return same;
}

static void check_deleted(struct world *w, const struct item *i, const char *state,
			  bool everything)
{
	if (everything && strcmp(state, "active") == 0 && !w->clock_stepped)
		world_fail(w, "%s was deleted long ago and is still active", i->id);
}

static void check_state(struct world *w, const struct api *a, const struct item *i,
			const char *state)
{
	enum alert_state is;

	if (!alert_state_parse(state, &is))
		world_fail(w, "%s has the state %s", i->id, state);
	if (is == ALERT_IS_VANISHED)
		world_fail(w, "%s is listed and has vanished", i->id);
	if (is == ALERT_IS_SILENT && rings(w, a, i))
		world_fail(w, "%s is not older than the baseline and silent", i->id);
	if (is != ALERT_IS_SILENT && !rings(w, a, i) && i->reopened_count == 0)
		world_fail(w, "%s is older than the baseline and %s", i->id, state);
	if (is == ALERT_IS_ACTIVE && i->status == ALERT_RESOLVED)
		world_fail(w, "%s is resolved and still active", i->id);
	if (is == ALERT_IS_RESOLVED && i->status != ALERT_RESOLVED)
		world_fail(w, "%s is %s and resolved in the store", i->id,
			   status_words[i->status]);
}

static void check_stored(struct world *w, const struct api *a, const struct item *i,
			 const struct question *v)
{
	if (ask_int(v, "missing") != 0)
		world_fail(w, "%s is listed and missing", i->id);
	check_state(w, a, i, ask_text(v, "state"));
	if (strcmp(ask_text(v, "status"), status_words[i->status]) != 0)
		world_fail(w, "%s is %s and %s in the store", i->id, status_words[i->status],
			   ask_text(v, "status"));
	if (!is_body(a, i, ask_text(v, "body")))
		world_fail(w, "%s is stored as %s", i->id, ask_text(v, "body"));
}

static bool is_active(const struct item *i)
{
	return !i->is_deleted && i->status != ALERT_RESOLVED;
}

static void check_row(struct world *w, const struct question *v, bool everything, bool *seen[])
{
	const struct api *a = NULL;
	const struct item *i = item_of(w, v, &a);

	if (i == NULL)
		world_fail(w, "%s is in the store and nowhere else", ask_text(v, "id"));
	seen[a->number][i - a->items] = true;
	if (i->is_deleted)
		check_deleted(w, i, ask_text(v, "state"), everything);
	else if (everything || is_active(i) || strcmp(ask_text(v, "state"), "active") == 0)
		check_stored(w, a, i, v);
}

/*
 * What an API listed before the program was ever started is taken in as soon as a first walk
 * gets through; a newest-first list is walked at once only as far as its alerts ring. Behind a
 * false end that had to be believed, what is resolved waits for the next full pass; so does what
 * was not listed for a while, in which that first walk may have passed by.
 */
static bool is_due_history(const struct world *w, const struct api *a, const struct item *i)
{
	if ((size_t)(i - a->items) >= w->terms.history || i->deleted_count > 0 ||
	    w->is_deceived[a->number])
		return false;
	return a->terms.order != API_NEWEST || w->baseline_at[a->number] == 0;
}

static bool is_asked_for(const struct world *w, const struct api *a, const struct item *i,
			 bool everything)
{
	return !i->is_deleted && (everything || is_active(i) || is_due_history(w, a, i));
}

static void check_unseen(struct world *w, const struct api *a, const bool *seen,
			 bool everything)
{
	for (size_t n = 0; n < a->count; n++) {
		const struct item *i = &a->items[n];

		if (!seen[n] && is_asked_for(w, a, i, everything))
			world_fail(w, "%s is %s, listed for %" PRId64 " s and not stored",
				   i->id, status_words[i->status],
				   (sim_now() - i->touched_at) / SECOND);
	}
}

/* ---- is it so by now? ---- */

static bool row_agrees(struct world *w, const struct question *v, bool everything, bool *seen[])
{
	const struct api *a = NULL;
	const struct item *i = item_of(w, v, &a);
	bool stored_active = strcmp(ask_text(v, "state"), "active") == 0;

	if (i == NULL)
		return false;
	seen[a->number][i - a->items] = true;
	if (i->is_deleted)
		return !everything || !stored_active;
	if (!everything && !is_active(i) && !stored_active)
		return true;
	return ask_int(v, "missing") == 0 && is_body(a, i, ask_text(v, "body"));
}

static bool all_agree(struct world *w, bool everything, bool *seen[])
{
	struct question q;
	bool agrees = true;

	ask(w, &q, ALL_ALERTS);
	while (agrees && ask_next(&q))
		agrees = row_agrees(w, &q, everything, seen);
	ask_end(w, &q);
	for (size_t n = 0; n < w->terms.api_count; n++) {
		const struct api *a = &w->apis[n];

		for (size_t i = 0; agrees && i < a->count; i++)
			agrees = seen[n][i] || !is_asked_for(w, a, &a->items[i], everything);
	}
	return agrees;
}

bool oracle_agrees(struct world *w, bool everything)
{
	bool *seen[APIS_MAX] = { NULL };

	if (!w->terms.delivers && ask_count(w, NOT_DONE) != 0)
		return false;
	for (size_t i = 0; i < w->terms.api_count; i++)
		seen[i] = mem_array(w->apis[i].count + 1, sizeof(bool));
	bool agrees = all_agree(w, everything, seen);

	for (size_t i = 0; i < w->terms.api_count; i++)
		mem_free(&seen[i]);
	return agrees;
}

bool oracle_has(struct world *w, const struct api *a, const struct item *i)
{
	struct question q;
	char name[16];

	snprintf(name, sizeof(name), "org%d", a->number);
	ask(w, &q, "SELECT body FROM v_alerts WHERE source = ?1 AND id = ?2");
	ask_bind_text(&q, 1, name);
	ask_bind_text(&q, 2, i->id);
	bool has = ask_next(&q) && is_body(a, i, ask_text(&q, "body"));

	ask_end(w, &q);
	return has;
}

size_t oracle_has_first(struct world *w, const struct api *a, const size_t *items, size_t count)
{
	bool *stored = mem_array(a->count + 1, sizeof(bool));
	size_t first = 0;
	struct question q;
	char name[16];

	snprintf(name, sizeof(name), "org%d", a->number);
	ask(w, &q, "SELECT source, id, body FROM v_alerts WHERE source = ?1");
	ask_bind_text(&q, 1, name);
	while (ask_next(&q)) {
		const struct api *of;
		const struct item *i = item_of(w, &q, &of);

		if (i != NULL)
			stored[i - a->items] = is_body(a, i, ask_text(&q, "body"));
	}
	ask_end(w, &q);
	while (first < count && stored[items[first]])
		first++;
	mem_free(&stored);
	return first;
}

/* ---- all of it ---- */

static void check_counts(struct world *w)
{
	int64_t left = ask_count(w, NOT_DONE);
	int64_t untold = ask_count(w, "SELECT (SELECT count(*) FROM v_events) - (SELECT "
				      "count(DISTINCT event_id) FROM v_deliveries) AS n");

	if (left != 0)
		world_fail(w, "%" PRId64 " deliveries have not ended as done", left);
	if (untold != 0)
		world_fail(w, "%" PRId64 " events have no delivery", untold);
}

void oracle_check(struct world *w, bool everything)
{
	struct question q;
	bool *seen[APIS_MAX] = { NULL };

	oracle_look(w);
	for (size_t i = 0; i < w->terms.api_count; i++)
		seen[i] = mem_array(w->apis[i].count + 1, sizeof(bool));
	ask(w, &q, ALL_ALERTS);
	while (ask_next(&q))
		check_row(w, &q, everything, seen);
	ask_end(w, &q);
	for (size_t i = 0; i < w->terms.api_count; i++) {
		check_unseen(w, &w->apis[i], seen[i], everything);
		mem_free(&seen[i]);
	}
	if (!w->terms.delivers)
		check_counts(w);
}
