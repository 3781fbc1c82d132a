/*
 * prune: forgets what ended long ago, in small steps beside the daemon's work.
 *
 * A round walks the events by key from the oldest, then the alerts that have no event, then the
 * rejects, and ends where what comes next is too young. A step looks at a few hundred and is one
 * transaction, or none where nothing goes. The place is kept in memory: a new start walks again
 * over the little that stays. So no hot row pays for an index on when it ended. Pages that
 * become free are used by what comes next, so the file stops growing; it does not shrink, since
 * auto_vacuum costs every write 4 to 8 %.
 *
 * What is too old is what was over, all of it, before a given instant:
 *
 *   a row          only with its event
 *   an event       when its rows ended before then (an orphaned one never does) and its alert no
 *                  longer needs it: it is of an earlier episode, or the alert is over itself. The
 *                  oldest event first, since the chain of an alert's events must not tear.
 *   an alert       with its newest event, which holds its bytes: resolved or vanished before
 *                  then. One without created_at stays: a list that shows it again could not be
 *                  told from news.
 *
 * The episode that is open is kept whole, however long it lasts: it tells who hears the close.
 * What the API lists for ever must not come back as new, so the source keeps the newest
 * created_at of what was pruned: a resolved alert that is unknown and no younger is passed over
 * (alerts.c). The newest event of all stays, so that ids only go up.
 */
#include <string.h>

#include "base/mem.h"
#include "store/inner.h"

enum {
	EVENTS_LOOKED_AT = 100, /* a step: some 1 ms where all go */
	ALERTS_LOOKED_AT = 400,
	REJECTS_LOOKED_AT = 20, /* each up to 64 KiB */
	BATCHES_DELETED = 100,
	ROWS_DELETED = 500, /* a step, or what is over that by its last event */
};

/* What decides on an event, an alert or a reject; what it has not is 0. */
struct old {
	int64_t key;  /* where the walk stands: event, number of the alert, source */
	int64_t hash; /* and of a reject */
	int64_t at;   /* when it was made */
	int source;
	int64_t prev, episode; /* of an event */
	int64_t alert, alert_episode, last_event, written_at, created_at;
	bool is_over; /* the alert */
};

struct prune_run {
	struct store *s;
	int64_t now, before;
	struct old list[ALERTS_LOOKED_AT];
	size_t count;
	bool is_end; /* nothing on this leg is older than what was looked at */
	int64_t deleted;
};

static bool is_over(const char *state, const char *status)
{
	enum alert_state parsed;

	if (!alert_state_parse(state, &parsed))
		return false;
	switch (parsed) {
	case ALERT_IS_RESOLVED:
	case ALERT_IS_VANISHED: return true;
	case ALERT_IS_SILENT: return strcmp(status, "resolved") == 0;
	case ALERT_IS_ACTIVE: break;
	}
	return false;
}

/* Later ones are younger. One from a time to come was stored by a clock that has jumped back. */
static bool is_too_young(const struct prune_run *run, int64_t at)
{
	return at >= run->before && at <= run->now;
}

static int64_t newest_event(struct store *s)
{
	struct stmt *q = db_use(s->db, SQL_EVENT_LAST);
	int64_t id = stmt_row(q) ? stmt_int(q, 0) : 0;

	stmt_end(q);
	return id;
}

static bool has_event(struct store *s, int64_t event)
{
	struct stmt *q = db_use(s->db, SQL_EVENT_LINK);

	if (event == 0)
		return false;
	stmt_bind_int(q, 1, event);
	bool is_there = stmt_row(q);

	stmt_end(q);
	return is_there;
}

/* ---- deleting ---- */

static void delete_range(struct prune_run *run, enum sql sql, int64_t event)
{
	struct stmt *q = db_use(run->s->db, sql);

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	run->deleted += stmt_run(q);
}

static void delete_alert(struct prune_run *run, const struct old *o)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_ALERT);

	stmt_bind_int(q, 1, o->alert);
	run->deleted += stmt_run(q);
	missing_found(run->s, o->source, o->alert);
	q = db_use(run->s->db, SQL_PRUNED_AT);
	stmt_bind_int(q, 1, o->source);
	stmt_bind_int(q, 2, o->created_at);
	stmt_run(q);
}

static void delete_event(struct prune_run *run, const struct old *o)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_EVENT);

	delete_range(run, SQL_PRUNE_ATTEMPTS, o->key);
	delete_range(run, SQL_PRUNE_ROWS, o->key);
	stmt_bind_int(q, 1, o->key);
	run->deleted += stmt_run(q);
	if (o->key == o->last_event)
		delete_alert(run, o);
}

/* ---- events ---- */

static bool is_alert_old(const struct prune_run *run, const struct old *o)
{
	return o->is_over && o->written_at < run->before && o->created_at != 0 &&
	       o->created_at < run->before;
}

/* As far as the event and its alert tell. */
static bool may_go(const struct prune_run *run, const struct old *o)
{
	if (o->at >= run->before)
		return false;
	if (o->key == o->last_event)
		return is_alert_old(run, o);
	if (o->alert == 0 || o->episode < o->alert_episode)
		return true;
	return o->is_over && o->written_at < run->before;
}

static bool has_young_rows(struct prune_run *run, int64_t event)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_YOUNG);

	stmt_bind_int(q, 1, first_key(event));
	stmt_bind_int(q, 2, first_key(event + 1));
	stmt_bind_int(q, 3, run->before);
	bool is_some = stmt_row(q);

	stmt_end(q);
	return is_some;
}

static bool list_events(struct prune_run *run)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_EVENTS);
	bool some_may_go = false;

	stmt_bind_int(q, 1, run->s->prune.key);
	stmt_bind_int(q, 2, EVENTS_LOOKED_AT);
	while (stmt_row(q)) {
		struct old *o = &run->list[run->count];

		*o = (struct old){
			.key = stmt_int(q, 0),
			.source = (int)stmt_int(q, 1),
			.prev = stmt_int(q, 2),
			.episode = stmt_int(q, 3),
			.at = stmt_int(q, 4),
			.alert = stmt_int(q, 5),
			.is_over = is_over(stmt_word(q, 6), stmt_word(q, 7)),
			.alert_episode = stmt_int(q, 8),
			.last_event = stmt_int(q, 9),
			.written_at = stmt_int(q, 10),
			.created_at = stmt_int(q, 11),
		};
		if (is_too_young(run, o->at)) {
			stmt_end(q);
			run->is_end = true;
			return some_may_go;
		}
		run->count++;
		some_may_go |= may_go(run, o);
	}
	run->is_end = run->count < EVENTS_LOOKED_AT;
	return some_may_go;
}

/* So many as one step may delete; the rest is looked at again. */
static void prune_events(struct prune_run *run)
{
	int64_t newest = newest_event(run->s);

	for (size_t i = 0; i < run->count; i++) {
		const struct old *o = &run->list[i];

		if (run->deleted >= ROWS_DELETED) {
			run->count = i;
			run->is_end = false;
		} else if (may_go(run, o) && o->key != newest && !has_event(run->s, o->prev) &&
			   !has_young_rows(run, o->key))
			delete_event(run, o);
	}
}

/* ---- alerts without an event, and rejects ---- */

static bool list_alerts(struct prune_run *run)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_ALERTS);
	bool some_may_go = false;

	stmt_bind_int(q, 1, run->s->prune.key);
	stmt_bind_int(q, 2, ALERTS_LOOKED_AT);
	while (stmt_row(q)) {
		struct old *o = &run->list[run->count];

		*o = (struct old){
			.key = stmt_int(q, 0),
			.alert = stmt_int(q, 0),
			.source = (int)stmt_int(q, 1),
			.is_over = is_over(stmt_word(q, 2), stmt_word(q, 3)),
			.last_event = stmt_int(q, 4),
			.written_at = stmt_int(q, 5),
			.created_at = stmt_int(q, 6),
			.at = stmt_int(q, 7),
		};
		if (is_too_young(run, o->at)) {
			stmt_end(q);
			run->is_end = true;
			return some_may_go;
		}
		run->count++;
		some_may_go |= is_alert_old(run, o);
	}
	run->is_end = run->count < ALERTS_LOOKED_AT;
	return some_may_go;
}

static void prune_alerts(struct prune_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct old *o = &run->list[i];

		if (is_alert_old(run, o) && !has_event(run->s, o->last_event))
			delete_alert(run, o);
	}
}

static bool list_rejects(struct prune_run *run)
{
	struct stmt *q = db_use(run->s->db, SQL_PRUNE_REJECTS);
	bool some_may_go = false;

	stmt_bind_int(q, 1, run->s->prune.key);
	stmt_bind_int(q, 2, run->s->prune.hash);
	stmt_bind_int(q, 3, REJECTS_LOOKED_AT);
	while (stmt_row(q)) {
		struct old *o = &run->list[run->count++];

		*o = (struct old){ .key = stmt_int(q, 0),
				   .hash = stmt_int(q, 1),
				   .at = stmt_int(q, 2) };
		some_may_go |= o->at < run->before;
	}
	run->is_end = run->count < REJECTS_LOOKED_AT;
	return some_may_go;
}

static void prune_rejects(struct prune_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct old *o = &run->list[i];

		if (o->at >= run->before)
			continue;
		struct stmt *q = db_use(run->s->db, SQL_PRUNE_REJECT);

		stmt_bind_int(q, 1, o->key);
		stmt_bind_int(q, 2, o->hash);
		run->deleted += stmt_run(q);
	}
}

/* ---- digests, and groups that nobody joins any more ---- */

static void forget_some(struct prune_run *run, enum sql sql)
{
	struct stmt *q = db_use(run->s->db, sql);

	stmt_bind_int(q, 1, run->before);
	stmt_bind_int(q, 2, BATCHES_DELETED);
	stmt_run(q);
}

/* Beside what else goes: they come and go with rows, and nobody asks of an old silence. */
static void forget_batches(struct prune_run *run)
{
	forget_some(run, SQL_PRUNE_BATCHES);
	forget_some(run, SQL_PRUNE_GROUPS);
	forget_some(run, SQL_PRUNE_SILENCES);
}

/* ---- a step ---- */

/* In the order of the walk. */
static const struct {
	bool (*list)(struct prune_run *run); /* true: some may go */
	void (*prune)(struct prune_run *run);
} legs[] = {
	{ list_events, prune_events },
	{ list_alerts, prune_alerts },
	{ list_rejects, prune_rejects },
};

enum store_pruned store_prune(struct store *s, int64_t now, int64_t before, struct err *err)
{
	struct prune_run run = { .s = s, .now = now, .before = before };
	struct prune *place = &s->prune;

	db_clear(s->db);
	bool some_may_go = legs[place->leg].list(&run);

	if (db_failure(s->db) != DB_FINE) {
		err_set(err, "%s", db_error(s->db));
		return PRUNE_FAILED;
	}
	if (some_may_go) {
		db_begin(s->db);
		legs[place->leg].prune(&run);
		forget_batches(&run);
		if (!db_commit(s->db, err))
			return PRUNE_FAILED;
	}
	if (run.is_end)
		*place = (struct prune){ .leg = (place->leg + 1) % ARRAY_LEN(legs) };
	else
		*place = (struct prune){ .leg = place->leg,
					 .key = run.list[run.count - 1].key,
					 .hash = run.list[run.count - 1].hash };
	return run.is_end && place->leg == 0 ? PRUNE_DONE : PRUNE_MORE;
}
