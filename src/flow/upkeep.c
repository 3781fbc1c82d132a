/*
 * upkeep: the pace of each piece of work.
 *
 * A round of forgetting every ten minutes and an audit every minute, both by one step a tick. What
 * the audit finds is an error line and one alert of our own, which closes when the audit has been
 * around the whole store and found nothing. What fails here is said by the turn, which meets the
 * same trouble.
 */
#include "flow/upkeep.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/alarm.h"
#include "flow/intake.h"
#include "flow/say.h"

enum {
	PRUNE_EVERY_MS = 10 * 60 * 1000, /* a round; its steps come once a second */
	PRUNE_RETRY_MS = 30 * 1000,
	STEPS_AT_ONCE = 20,
	AUDIT_EVERY_MS = 60 * 1000,
	AUDIT_LINES_MAX = 20, /* so many violations are told each minute, the rest is counted */
};

struct upkeep {
	const struct roster *roster;
	struct store *store;
	struct alarm *alarm;
	struct audit *audit;
	int64_t prune_at, audit_at; /* steady */
	int64_t told;               /* violations, of this minute */
	int64_t clean_rounds;       /* of the audit, as last seen */
	bool has_mended;
};

static void forget(struct upkeep *u)
{
	int64_t now = clock_now();
	struct err err;

	if (clock_steady() < u->prune_at)
		return;
	switch (store_prune(u->store, now, now - u->roster->settings->retention_ms, &err)) {
	case PRUNE_MORE: return;
	case PRUNE_DONE: u->prune_at = clock_steady() + PRUNE_EVERY_MS; return;
	case PRUNE_FAILED: u->prune_at = clock_steady() + PRUNE_RETRY_MS; return;
	}
	BUG("a step of forgetting ended as nothing");
}

/* ---- audit ---- */

static bool follows(void *arg, int route, int sink, enum event_kind kind)
{
	const struct upkeep *u = arg;

	return intake_follows(u->roster, route, sink, kind);
}

static void on_found(void *arg, const struct audit_finding *f)
{
	struct upkeep *u = arg;
	const struct sink_settings *sink = roster_sink(u->roster, f->sink);
	const char *name = sink != NULL ? sink->name : NULL;
	char message[ALARM_MESSAGE_MAX];

	u->has_mended |= f->is_mended;
	if (u->told++ < AUDIT_LINES_MAX)
		say_violation(f, name);
	snprintf(
		message, sizeof(message),
		"Alert %.100s, sink %.64s, delivery %lld: %s%s. There may be more: each is in the "
		"log as audit-violation. Please keep a copy of the store, and report this.",
		f->alert[0] != '\0' ? f->alert : "?", name != NULL ? name : "?",
		(long long)f->delivery, f->what, f->is_mended ? "; it is due now" : "");
	alarm_raise(u->alarm, ALARM_AUDIT, "", message);
}

/* True when rows are due by it. */
static bool look(struct upkeep *u)
{
	struct audit_status status;

	if (clock_steady() >= u->audit_at) {
		if (u->told > AUDIT_LINES_MAX)
			say_violations_more(u->told - AUDIT_LINES_MAX);
		u->told = 0;
		u->audit_at = clock_steady() + AUDIT_EVERY_MS;
		audit_begin(u->audit);
	}
	u->has_mended = false;
	audit_step(u->audit, clock_now());
	audit_status(u->audit, &status);
	if (status.clean_rounds > u->clean_rounds)
		alarm_clear(u->alarm, ALARM_AUDIT, "");
	u->clean_rounds = status.clean_rounds;
	return u->has_mended;
}

void upkeep_audit(const struct upkeep *u, struct audit_status *out)
{
	audit_status(u->audit, out);
}

/* ---- the tick ---- */

bool upkeep_tick(struct upkeep *u, const struct queue *queue)
{
	forget(u);
	bool is_due = look(u);

	return alarm_tick(u->alarm, queue) || is_due;
}

void upkeep_at_once(struct upkeep *u)
{
	for (int i = 0; i < STEPS_AT_ONCE && clock_steady() >= u->prune_at; i++)
		forget(u);
}

bool upkeep_had_refused(const struct upkeep *u, size_t sink)
{
	return alarm_is_open(u->alarm, ALARM_SINK_REFUSES,
			     u->roster->settings->sinks[sink].name);
}

void upkeep_refit(struct upkeep *u)
{
	audit_from_now(u->audit);
	alarm_forget_gone(u->alarm);
}

/* ---- life ---- */

struct upkeep *upkeep_new(const struct roster *roster, struct store *store, struct err *err)
{
	struct upkeep *u = mem_new(sizeof(*u));

	u->roster = roster;
	u->store = store;
	u->alarm = alarm_new(roster, store, err);
	u->prune_at = clock_steady();
	u->audit_at = u->prune_at + AUDIT_EVERY_MS;
	if (u->alarm == NULL) {
		upkeep_free(&u);
		return NULL;
	}
	u->audit = audit_new(store, &(struct audit_rules){
					    .follows = follows, .found = on_found, .arg = u });
	return u;
}

void upkeep_free(struct upkeep **u)
{
	if (*u == NULL)
		return;
	alarm_free(&(*u)->alarm);
	audit_free(&(*u)->audit);
	mem_free(u);
}
