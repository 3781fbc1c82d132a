/*
 * deliver: jobs, and the turn that commits them.
 *
 * A job is one claimed row on its way: it is made when the claim is committed, it is settled
 * when its outcome is known, and freed when the outcome is on the disk. It sits in exactly one
 * place: under way (known to xfer alone), on `settled`, or on `committing`.
 *
 * Batches: a commit costs the same for one outcome as for a hundred, so a turn with a few
 * outcomes waits up to LINGER_MS while others are under way, unless a sink has room for more.
 *
 * When the store refuses a batch, the outcomes go back to `settled` and the same batch is tried
 * again after a wait; the claims in it never happened. BUSY (a command is writing) is no
 * failure, only "again soon", unless it lasts.
 */
#include "flow/deliver.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/envelope.h"
#include "flow/say.h"

enum {
	LINGER_MS = 2,
	BUSY_WAIT_MS = 5, /* a command leaves the store for longer between its chunks */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 5000,
	FOR_NOW_MS = 10000, /* a sink's rate, the first tries of a row: worth staying for */
};

struct job {
	struct job *next;
	struct deliver *deliver;
	struct setup *setup; /* one hold of it: what follows borrows from it */
	const struct sink_settings *sink;
	struct tried tried;
	enum event_kind kind;
	struct envelope envelope;
	char *handle, *progress; /* owned; the message borrows them */
	int64_t steady_at;       /* when it was started, on the steady clock */
	struct outcome outcome;
	char reason[REASON_MAX];
	struct settle settle;
};

struct job_list {
	struct job *first, **last;
	size_t count;
};

struct deliver {
	struct deliver_parts p;
	struct job_list settled, committing;
	int64_t settled_at; /* steady; of the oldest on `settled` */
	bool in_batch;      /* a store_turn() is on its way */
	bool draining;
	bool cutting;        /* what is cut now, we cut */
	struct timer *timer; /* the only one: linger, retry, or the queue's sleep */
	int64_t retry_at;    /* steady; no batch before that */
	int64_t store_fails;
	bool is_failure_said; /* not a lost store: the app tells of that */
	int64_t busy_since;   /* steady; 0: the store is not kept by another */
	struct deliver_status status;
	/* Room for one batch. */
	struct ask *asks;
	struct move *moves;
	struct hold *holds;
	struct settle *settles;
	size_t settle_room;
};

/* ---- jobs ---- */

static void list_init(struct job_list *l)
{
	*l = (struct job_list){ .first = NULL };
	l->last = &l->first;
}

static void list_add(struct job_list *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
	l->count++;
}

static void job_free(struct job *job)
{
	envelope_release(&job->envelope);
	setup_free(&job->setup);
	mem_free(&job->handle);
	mem_free(&job->progress);
	mem_free(&job);
}

static void list_free(struct job_list *l)
{
	for (struct job *job = l->first, *next; job != NULL; job = next) {
		next = job->next;
		job_free(job);
	}
	list_init(l);
}

/* What becomes of the row waits for the next turn. */
static void job_end(struct job *job, enum queue_change change)
{
	struct deliver *d = job->deliver;
	struct say_attempt said = { .sink = job->sink,
				    .tried = &job->tried,
				    .alert_id = job->envelope.alert.id,
				    .kind = job->kind,
				    .outcome = &job->outcome,
				    .settle = &job->settle };

	say_attempt(&said);
	say_sink(&said, change);
	if (job->outcome.verdict == VERDICT_DELIVERED)
		d->status.delivered++;
	else
		d->status.failed++;
	if (d->settled.count == 0)
		d->settled_at = clock_steady();
	list_add(&d->settled, job);
}

/* The outcome is known: decides what becomes of the row and of its sink. */
static void job_settle(struct job *job)
{
	job->tried.took_ms = clock_steady() - job->steady_at;
	job_end(job, queue_settle(job->deliver->p.queue, &job->tried, &job->outcome,
				  clock_now(), &job->settle, job->reason));
}

static void settle_unsent(struct job *job, const char *reason)
{
	job->outcome = (struct outcome){ .verdict = VERDICT_NEVER, .retry_after_ms = -1 };
	snprintf(job->outcome.reason, sizeof(job->outcome.reason), "%.200s", reason);
	job_settle(job);
}

/* We are stopping, and this one outlasted the grace: no fault of its sink. */
static void job_cut(struct job *job, bool maybe_sent)
{
	job->outcome.verdict = VERDICT_LATER;
	job->outcome.maybe_sent = maybe_sent;
	job->tried.took_ms = clock_steady() - job->steady_at;
	queue_settle_cut(&job->tried, maybe_sent, clock_now(), &job->settle);
	job_end(job, QUEUE_SAME);
}

static void on_reply(void *arg, const struct reply *reply)
{
	struct job *job = arg;

	job->outcome = (struct outcome){ .retry_after_ms = -1 };
	if (job->deliver->cutting && reply->kind == REPLY_CUT) {
		job_cut(job, reply->maybe_sent);
		return;
	}
	job->sink->type->judge(job->sink, &job->envelope.message, reply, &job->outcome);
	job_settle(job);
}

/* ---- from a claim to a transfer ---- */

static struct job *job_new(struct deliver *d, const struct claim *c, size_t sink_index)
{
	struct job *job = mem_new(sizeof(*job));

	job->deliver = d;
	job->setup = setup_hold(d->p.setup);
	job->sink = &job->setup->settings->sinks[sink_index];
	job->kind = c->kind;
	job->handle = mem_strdup(c->handle);
	job->progress = mem_strdup(c->progress);
	job->steady_at = clock_steady();
	job->tried = (struct tried){ .id = c->id,
				     .sink = c->sink,
				     .attempt = c->attempt,
				     .first_attempt_at = c->first_attempt_at,
				     .held_base_ms = c->held_base_ms,
				     .started_at = clock_now() };
	return job;
}

static struct envelope_names names_of(const struct deliver *d, const struct claim *c)
{
	const struct route *route = roster_route(d->p.roster, c->route);

	return (struct envelope_names){ .source = roster_source_name(d->p.roster, c->source),
					.route = route != NULL ? route->name : NULL,
					.kind = c->kind,
					.first = c->first,
					.episode = c->episode,
					.seq = c->seq,
					.at = c->at,
					.origin = c->origin,
					.ordinal = c->ordinal };
}

static void add_link(struct job *job, const struct claim *c)
{
	const struct deliver *d = job->deliver;
	const struct source_settings *source = roster_source(d->p.roster, c->source);

	if (source != NULL)
		envelope_add_link(&job->envelope,
				  d->p.setup->links[source - d->p.setup->settings->sources]);
}

static bool job_request(struct job *job, const struct claim *c, size_t sink_index,
			struct request *request, struct err *err)
{
	struct deliver *d = job->deliver;
	struct envelope_names names = names_of(d, c);
	struct envelope *e = &job->envelope;

	if (!envelope_fill(e, job->sink, &names, c->body, c->body_len, err))
		return err_prefix(err, "the stored alert can't be read");
	e->facts.possible_repeat = e->message.possible_repeat = c->possible_repeat;
	e->message.now = job->tried.started_at;
	e->message.handle = job->handle;
	e->message.progress = job->progress;
	add_link(job, c);
	return envelope_seal(e, job->sink, d->p.setup->parts[sink_index], request, err);
}

static void start(struct deliver *d, const struct claim *c)
{
	const struct sink_settings *sink = roster_sink(d->p.roster, c->sink);

	if (sink == NULL)
		BUG("claimed a row of sink number %d, which was not asked for", c->sink);
	size_t index = (size_t)(sink - d->p.setup->settings->sinks);
	struct job *job = job_new(d, c, index);
	struct request request;
	struct err err;

	if (job_request(job, c, index, &request, &err))
		xfer_start(d->p.xfer, &request, on_reply, job);
	else
		settle_unsent(job, err.text);
}

/* ---- the turn ---- */

static void batch_stored(struct deliver *d)
{
	for (struct job *job = d->committing.first; job != NULL; job = job->next)
		queue_committed(d->p.queue, job->tried.sink, 1);
	list_free(&d->committing);
	queue_holds_stored(d->p.queue);
	if (d->is_failure_said)
		log_line(LOG_WARN, LOG_STORE_RECOVERED);
	d->is_failure_said = false;
	d->store_fails = 0;
	d->busy_since = 0;
	d->status.store_failing = false;
}

/* Back in front: the order of outcomes is kept. */
static void settle_again(struct deliver *d)
{
	struct job_list again = d->committing;

	if (again.count > 0) {
		*again.last = d->settled.first;
		if (d->settled.count > 0)
			again.last = d->settled.last;
		again.count += d->settled.count;
		d->settled = again;
	}
	list_init(&d->committing);
}

static bool is_only_busy(struct deliver *d, const struct turn_result *r)
{
	if (!r->busy)
		return false;
	if (d->busy_since == 0)
		d->busy_since = clock_steady();
	return clock_steady() - d->busy_since < STORE_BUSY_MAX_MS;
}

static void batch_failed(struct deliver *d, const struct turn_result *r)
{
	settle_again(d);
	queue_holds_failed(d->p.queue);
	if (is_only_busy(d, r)) {
		d->retry_at = clock_steady() + BUSY_WAIT_MS;
		return;
	}
	d->store_fails++;
	if (!r->lost && !d->is_failure_said) {
		say_store_failed(r->error, r->hint);
		d->is_failure_said = true;
	}
	d->status.store_failing = true;
	snprintf(d->status.store_error, sizeof(d->status.store_error), "%s", r->error);
	int64_t wait = RETRY_MIN_MS << (d->store_fails < 7 ? d->store_fails - 1 : 6);

	d->retry_at = clock_steady() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

static void take_moved(struct deliver *d, const struct move *move, const struct moved *moved)
{
	queue_moved(d->p.queue, moved);
	if (moved->count > 0)
		say_moved(roster_sink(d->p.roster, moved->from), moved->count, move->reason);
}

static void on_turn_done(void *arg, const struct turn_result *r)
{
	struct deliver *d = arg;

	d->in_batch = false;
	if (!r->ok) {
		batch_failed(d, r);
		turn_wake(d->p.turn);
		return;
	}
	batch_stored(d);
	for (size_t i = 0; i < r->answer_count; i++)
		queue_claimed(d->p.queue, &r->answers[i]);
	for (size_t i = 0; i < r->moved_count; i++)
		take_moved(d, &d->moves[i], &r->moved[i]);
	for (size_t i = 0; i < r->claim_count; i++)
		start(d, &r->claims[i]);
	turn_wake(d->p.turn);
}

/* What the turn is to do beside storing what is settled. */
struct wants {
	size_t asks, moves;
};

static struct wants wants_now(struct deliver *d)
{
	int64_t now = clock_now();

	if (d->draining)
		return (struct wants){ 0, 0 };
	return (struct wants){ .asks = queue_asks(d->p.queue, now, d->asks),
			       .moves = queue_moves(d->p.queue, now, d->moves) };
}

/* A few outcomes wait a moment for more, while nothing is starved by that. */
static int64_t linger_ms(const struct deliver *d, struct wants wants)
{
	size_t under_way = queue_under_way(d->p.queue);
	size_t flying = under_way - d->settled.count;

	if (d->draining || wants.asks + wants.moves > 0 || d->settled.count == 0)
		return 0;
	if (d->settled.count >= flying)
		return 0;
	int64_t left = d->settled_at + LINGER_MS - clock_steady();

	return left > 0 ? left : 0;
}

static void fill_settles(struct deliver *d)
{
	if (d->settle_room < d->settled.count) {
		d->settle_room = d->settled.count + 64;
		d->settles = mem_resize(d->settles, d->settle_room, sizeof(*d->settles));
	}
	size_t n = 0;

	for (struct job *job = d->settled.first; job != NULL; job = job->next)
		d->settles[n++] = job->settle;
}

static void send_batch(struct deliver *d, struct wants wants)
{
	size_t hold_count = queue_holds(d->p.queue, d->holds);

	if (d->settled.count + hold_count + wants.asks + wants.moves == 0)
		return;
	fill_settles(d);
	struct turn_batch batch = { .now = clock_now(),
				    .settles = d->settles,
				    .settle_count = d->settled.count,
				    .holds = d->holds,
				    .hold_count = hold_count,
				    .moves = d->moves,
				    .move_count = wants.moves,
				    .asks = d->asks,
				    .ask_count = wants.asks,
				    .done = on_turn_done,
				    .arg = d };

	if (d->settled.count > 0)
		d->committing = d->settled;
	list_init(&d->settled);
	d->in_batch = true;
	store_turn(d->p.store, &batch);
}

/* The one timer: when must the next turn come, if nothing else wakes the loop? */
static void sleep_until_due(struct deliver *d, int64_t linger)
{
	int64_t sleep = d->draining ? -1 : queue_sleep_ms(d->p.queue, clock_now());
	int64_t retry = d->retry_at - clock_steady();

	if (linger > 0 && (sleep < 0 || linger < sleep))
		sleep = linger;
	if (retry > 0)
		sleep = retry;
	if (sleep < 0)
		timer_stop(d->timer);
	else
		timer_set(d->timer, sleep);
}

void deliver_turn_end(struct deliver *d)
{
	if (d->in_batch)
		return;
	if (clock_steady() < d->retry_at) {
		sleep_until_due(d, 0);
		return;
	}
	struct wants wants = wants_now(d);
	int64_t linger = linger_ms(d, wants);

	if (linger == 0)
		send_batch(d, wants);
	if (!d->in_batch)
		sleep_until_due(d, linger);
}

/* ---- life ---- */

static void on_timer(void *arg)
{
	/* The turn that it brought is enough: deliver_turn_end() looks for itself. */
	(void)arg;
}

struct deliver *deliver_new(const struct deliver_parts *parts)
{
	struct deliver *d = mem_new(sizeof(*d));

	d->p = *parts;
	list_init(&d->settled);
	list_init(&d->committing);
	d->timer = timer_new(parts->turn, on_timer, d);
	deliver_refit(d, parts->setup);
	return d;
}

void deliver_refit(struct deliver *d, struct setup *setup)
{
	size_t sinks = queue_sink_count(d->p.queue);

	d->p.setup = setup;
	d->asks = mem_resize(d->asks, sinks, sizeof(*d->asks));
	d->moves = mem_resize(d->moves, sinks, sizeof(*d->moves));
	d->holds = mem_resize(d->holds, sinks, sizeof(*d->holds));
}

bool deliver_is_storing(const struct deliver *d)
{
	return d->in_batch;
}

void deliver_free(struct deliver **d)
{
	if (*d == NULL)
		return;
	list_free(&(*d)->settled);
	list_free(&(*d)->committing);
	timer_free(&(*d)->timer);
	mem_free(&(*d)->asks);
	mem_free(&(*d)->moves);
	mem_free(&(*d)->holds);
	mem_free(&(*d)->settles);
	mem_free(d);
}

void deliver_drain(struct deliver *d)
{
	d->draining = true;
	turn_wake(d->p.turn);
}

void deliver_cut(struct deliver *d)
{
	d->cutting = true;
}

bool deliver_is_idle(const struct deliver *d)
{
	return !d->in_batch && queue_under_way(d->p.queue) == 0 && d->settled.count == 0;
}

bool deliver_is_done_for_now(const struct deliver *d)
{
	int64_t sleep = queue_sleep_ms(d->p.queue, clock_now());

	return deliver_is_idle(d) && (sleep < 0 || sleep > FOR_NOW_MS);
}

void deliver_status(const struct deliver *d, struct deliver_status *out)
{
	*out = d->status;
}
