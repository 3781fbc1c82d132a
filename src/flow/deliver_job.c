/*
 * deliver_job: one claimed row, from its commit to its outcome.
 *
 * A job is one claimed row on its way: it is made when the claim is committed, it is settled
 * when its outcome is known, and freed when the outcome is on the disk. It sits in exactly one
 * place: under way (known to xfer or its sink's login alone), on `ready`, `settled`, or
 * `committing`.
 */
#include "flow/deliver_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/kill.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/budgets.h"
#include "flow/say.h"
#include "flow/suspects.h"

/* What can be made of a claim. */
enum fitness {
	FIT,
	UNFIT,      /* no request: a template, or an alert that can't be read */
	FOR_NOBODY, /* the alert names nobody who could get it */
	FOR_OTHERS, /* a digest, and its alerts name different people */
};

void jobs_init(struct job_list *l)
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
	digest_free(&job->digest);
	envelope_release(&job->envelope);
	people_release(&job->people);
	setup_free(&job->setup);
	mem_free(&job->handle);
	mem_free(&job->progress);
	mem_free_secret(&job->bearer);
	for (size_t i = 0; i < ARRAY_LEN(job->texts); i++)
		mem_free(&job->texts[i]);
	if (job->request != NULL)
		request_release(job->request);
	mem_free(&job->request);
	mem_free(&job);
}

void jobs_free(struct job_list *l)
{
	for (struct job *job = l->first, *next; job != NULL; job = next) {
		next = job->next;
		job_free(job);
	}
	jobs_init(l);
}

/* Of a digest the store looks at each member. */
static bool may_repeat(const struct job *job)
{
	const struct settings *s = job->setup->settings;
	bool opens = job->kind == EVENT_OPENED || job->kind == EVENT_REOPENED;

	for (size_t i = 0; i < s->route_count && (opens || job->digest != NULL); i++)
		if (s->routes[i].repeat_ms != 0)
			return true;
	return false;
}

/* The texts lie in the outcome, which ends here: most are short, or not there. */
static void keep_texts(struct job *job)
{
	struct settle *s = &job->settle;
	const char **texts[] = { &s->reason, &s->handle, &s->progress, &s->attempt.answer };

	_Static_assert(ARRAY_LEN(texts) == ARRAY_LEN(job->texts), "room for each");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = job->texts[i] = mem_strdup(*texts[i]);
}

/* What becomes of the row waits for the next turn. */
static void job_end(struct job *job, const struct outcome *outcome, enum queue_change change)
{
	struct deliver *d = job->deliver;
	if (job->settle.state == DELIVERY_DONE)
		job->settle.repeats = may_repeat(job);

	int64_t moved =
		change == QUEUE_CAME_UP ? queue_moved_count(d->p.queue, job->tried.sink) : 0;
	struct say_attempt said = { .sink = job->sink,
				    .tried = &job->tried,
				    .alert_id = job->envelope.alert.id,
				    .kind = job->kind,
				    .outcome = outcome,
				    .settle = &job->settle,
				    .moved = moved };

	say_attempt(&said);
	say_sink(&said, change);
	if (outcome->verdict == VERDICT_DELIVERED)
		d->status.delivered++;
	else if (job->settle.state != DELIVERY_DROPPED)
		d->status.failed++;
	if (d->settled.count == 0)
		d->settled_at = clock_steady();
	queue_landed(d->p.queue, job->tried.sink);
	keep_texts(job);
	list_add(&d->settled, job);
	KILL_POINT("outcome-noted");
}

/* The outcome is known: decides what becomes of the row and of its sink. */
static void job_settle(struct job *job, const struct outcome *outcome)
{
	char reason[REASON_MAX];

	job->tried.took_ms = clock_steady() - job->steady_at;
	job_end(job, outcome,
		queue_settle(job->deliver->p.queue, &job->tried, outcome, clock_now(),
			     &job->settle, reason));
}

static void settle_unsent(struct job *job, const char *reason)
{
	struct outcome outcome = { .verdict = VERDICT_NEVER, .retry_after_ms = -1 };

	snprintf(outcome.reason, sizeof(outcome.reason), "%.200s", reason);
	job_settle(job, &outcome);
}

/* We are stopping, and this one outlasted the grace: no fault of its sink. */
static void job_cut(struct job *job, bool maybe_sent)
{
	const struct outcome outcome = { .verdict = VERDICT_LATER,
					 .retry_after_ms = -1,
					 .maybe_sent = maybe_sent };

	job->tried.took_ms = clock_steady() - job->steady_at;
	queue_settle_cut(&job->tried, maybe_sent, clock_now(), &job->settle);
	job_end(job, &outcome, QUEUE_SAME);
}

/* What was claimed names nobody, or no one list of people: nothing is sent, as is right. */
static void job_end_unsent(struct job *job, enum fitness fitness)
{
	struct outcome o = { .verdict = VERDICT_AGAIN, .retry_after_ms = -1 };

	if (fitness == FOR_NOBODY) {
		snprintf(o.hint, sizeof(o.hint),
			 "its alert names nobody who can get mail: add a fixed address to "
			 "`to` where somebody is to get it all the same");
		queue_settle_dropped(&job->tried, STORE_NO_RECIPIENT, &job->settle);
	} else {
		snprintf(o.reason, sizeof(o.reason),
			 "a digest of alerts that are for different people now: each goes by "
			 "itself");
		queue_settle_parted(&job->tried, clock_now(), &job->settle);
	}
	job_end(job, &o, QUEUE_SAME);
}

/*
 * A login that is refused may be one that was rotated: its references are read again, and what
 * is another by now is tried at once.
 */
static bool has_other_secret(struct job *job)
{
	struct settings_context ctx = setup_context(NULL);
	size_t index = (size_t)(job->sink - job->setup->settings->sinks);

	return settings_refresh_sink(&job->setup->settings->sinks[index], &ctx);
}

/* A token that was revoked, or that another client's renewal has ended. */
static bool has_other_token(struct job *job, const struct reply *reply)
{
	bool is_refused = reply->status == 401 || reply->kind == REPLY_LOGIN;

	return job->login != NULL && is_refused && login_refused(job->login, job->bearer);
}

static void try_again(const struct job *job, struct outcome *o)
{
	o->verdict = VERDICT_AGAIN;
	o->sink_down = o->alarm = false;
	o->retry_after_ms = -1;
	snprintf(o->progress, sizeof(o->progress), "%s", job->progress);
	snprintf(o->hint, sizeof(o->hint),
		 "a secret of this sink is another by now: again with it");
}

/* Should it be the last thing that we do, the next start knows the row. */
static void in_hand(const struct job *job, const char *doing)
{
	crash_begin(&(struct crash_work){
		.doing = doing, .place = job->sink->name, .number = job->tried.id });
}

static void on_reply(void *arg, const struct reply *reply)
{
	struct job *job = arg;
	struct outcome outcome = { .retry_after_ms = -1 };

	if (job->deliver->cutting && reply->kind == REPLY_CUT) {
		job_cut(job, reply->maybe_sent);
		return;
	}
	in_hand(job, IN_HAND_JUDGED);
	CRASH_POINT("judging", job->envelope.alert.title);
	job->sink->type->judge(job->sink, &job->envelope.message, reply, &outcome);
	KILL_POINT("reply-judged");
	if (outcome.alarm && (has_other_secret(job) || has_other_token(job, reply)))
		try_again(job, &outcome);
	job_settle(job, &outcome);
	crash_over();
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
				     .batch = c->batch,
				     .events = c->batch != 0 ? c->member_count : 1,
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
					.ordinal = c->ordinal,
					.context = c->context,
					.context_len = c->context_len };
}

static void add_link(const struct deliver *d, const struct claim *c, struct envelope *e)
{
	const struct source_settings *source = roster_source(d->p.roster, c->source);

	if (source != NULL)
		envelope_add_link(e, d->p.setup->links[source - d->p.setup->settings->sources]);
}

/* False: the alert can't be read; the envelope is to be released all the same. */
static bool fill(const struct job *job, const struct claim *c, struct envelope *e,
		 struct err *err)
{
	struct envelope_names names = names_of(job->deliver, c);

	if (!envelope_fill(e, job->sink, &names, c->body, c->body_len, err))
		return err_prefix(err, "the stored alert can't be read");
	e->facts.possible_repeat = c->possible_repeat;
	add_link(job->deliver, c, e);
	return true;
}

/* By the route of any of its members: one digest may be of several. */
static bool wants_budgets(const struct job *job, const struct claim *c)
{
	for (size_t i = 0; i < c->member_count; i++) {
		const struct route *route =
			roster_route(job->deliver->p.roster, c->members[i].route);

		if (route != NULL && route->digest.budgets)
			return true;
	}
	return false;
}

/* An alert that can't be read is not told with others: alone it will be a dead letter. */
static bool fill_digest(struct job *job, const struct claim *c, struct err *err)
{
	struct digest *d = job->digest = digest_new(c->member_count);
	bool ok = true;

	for (size_t i = 0; i < c->member_count; i++)
		ok = fill(job, &c->members[i], &d->members[d->count++], err) && ok;
	digest_say(d, c->why, c->storm, c->rest);
	if (wants_budgets(job, c))
		digest_add_budgets(
			d, budgets_for(job->deliver->p.store, c->members[0].source, job->sink));
	digest_tell(d, &job->envelope.message);
	return ok;
}

/* ---- whom it is for ---- */

static void say_people(const struct job *job, const char *alert_id, enum event_kind kind,
		       const struct people *people)
{
	if (job->tried.attempt == 1)
		say_left_out(&(struct say_attempt){ .sink = job->sink,
						    .tried = &job->tried,
						    .alert_id = alert_id,
						    .kind = kind },
			     people);
}

/* An alert that can't be read is not sent at all: who fills the envelope says so. */
static void find_people(const struct job *job, const struct claim *c, const char *alert_id,
			struct people *out)
{
	const struct opening own = { .source = c->source,
				     .kind = c->kind,
				     .first = c->first,
				     .at = c->at,
				     .body = c->body,
				     .body_len = c->body_len,
				     .context = c->context,
				     .context_len = c->context_len };
	const char *source = roster_source_name(job->deliver->p.roster, c->source);
	const struct opening *opening = c->opening.body != NULL ? &c->opening : &own;
	struct err err;

	if (!recipients_of(job->sink, source, opening, out, &err) &&
	    !recipients_of(job->sink, source, &own, out, &err))
		return;
	say_people(job, alert_id, c->kind, out);
}

/* A digest was made of what is for the same people. A reload may have made others of them. */
static bool are_the_same(struct job *job, const struct claim *c)
{
	for (size_t i = 0; i < c->member_count; i++) {
		const struct envelope *e = &job->digest->members[i];
		struct people people;

		find_people(job, &c->members[i], e->alert.id, &people);
		bool is_same = i == 0 || people.key == job->people.key;

		if (i == 0)
			job->people = people;
		else
			people_release(&people);
		if (!is_same)
			return false;
	}
	return true;
}

static enum fitness address(struct job *job, const struct claim *c)
{
	if (!recipients_are_named(job->sink))
		return FIT;
	if (c->member_count == 0)
		find_people(job, c, job->envelope.alert.id, &job->people);
	else if (!are_the_same(job, c))
		return FOR_OTHERS;
	job->envelope.message.people = &job->people;
	return job->people.key != PEOPLE_NOBODY ? FIT : FOR_NOBODY;
}

static enum fitness job_request(struct job *job, const struct claim *c, size_t sink_index,
				struct request *request, struct err *err)
{
	struct deliver *d = job->deliver;
	struct envelope *e = &job->envelope;

	if (!fill(job, c, e, err) || (c->member_count > 0 && !fill_digest(job, c, err)))
		return UNFIT;
	enum fitness fitness = address(job, c);

	if (fitness != FIT)
		return fitness;
	CRASH_POINT("building", e->alert.title);
	e->message.possible_repeat = c->possible_repeat;
	e->message.now = job->tried.started_at;
	e->message.handle = job->handle;
	e->message.progress = job->progress;
	return envelope_seal(e, job->sink, d->p.setup->parts[sink_index], request, err) ? FIT
											: UNFIT;
}

static void on_login(void *arg, const char *bearer, const struct reply *reply,
		     const struct outcome *out)
{
	struct job *job = arg;
	struct deliver *d = job->deliver;

	if (bearer != NULL) {
		job->bearer = mem_strdup(bearer);
		job->envelope.message.bearer = job->bearer;
		list_add(&d->ready, job);
		turn_wake(d->p.turn);
	} else if (d->cutting && reply->kind == REPLY_CUT) {
		job_cut(job, false);
	} else {
		job_settle(job, out);
	}
}

static void log_in(struct job *job, struct login *login, const struct request *request)
{
	job->login = login;
	job->request = mem_new(sizeof(*job->request));
	*job->request = *request;
	job->wait = (struct login_wait){ .done = on_login, .arg = job };
	login_wait(login, job->deliver->p.xfer, &job->wait);
}

static void job_send(struct job *job, struct login *login, struct request *request)
{
	KILL_POINT("request-built");
	if (login == NULL)
		xfer_start(job->deliver->p.xfer, request, on_reply, job);
	else
		log_in(job, login, request);
	KILL_POINT("request-started");
}

void job_start(struct deliver *d, const struct claim *c)
{
	const struct sink_settings *sink = roster_sink(d->p.roster, c->sink);

	if (sink == NULL)
		BUG("claimed a row of sink number %d, which was not asked for", c->sink);
	size_t index = (size_t)(sink - d->p.setup->settings->sinks);
	struct job *job = job_new(d, c, index);
	struct request request;
	struct err err;

	in_hand(job, IN_HAND_BUILT);
	enum fitness fitness = job_request(job, c, index, &request, &err);

	if (fitness == FIT)
		job_send(job, job->setup->logins[index], &request);
	else if (fitness == UNFIT)
		settle_unsent(job, err.text);
	else
		job_end_unsent(job, fitness);
	crash_over();
}

/* Transfers start at the end of a turn, never within the end of another one. */
void jobs_start_ready(struct deliver *d)
{
	struct job_list ready = d->ready;

	jobs_init(&d->ready);
	for (struct job *job = ready.first, *next; job != NULL; job = next) {
		next = job->next;
		if (d->cutting) {
			job_cut(job, false);
			continue;
		}
		job->request->bearer = mem_strdup(job->bearer);
		xfer_start(d->p.xfer, job->request, on_reply, job);
	}
}
