/* sim_io: see the header. One turn: time jumps, what is due runs in order of its time, the end
 * hook runs. A timer that is set while it fires waits for the next turn, as with libev. */
#include "world/sim_io.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum { SPIN_TURNS_MAX = 20000 };

struct timer {
	struct turn *turn;
	void (*fn)(void *arg);
	void *arg;
	int64_t at; /* -1: not set */
	int64_t wait_ms;
	bool fires, is_tick;
	size_t set_in_turn;
	struct timer *next;
};

struct turn {
	void (*end)(void *arg);
	void *end_arg;
	struct timer *timers;
	size_t count; /* turns so far */
	bool woken, stopped, in_end;
	struct xfer *xfer;
};

struct transfer {
	struct request request;
	void (*done)(void *arg, const struct reply *reply);
	void *arg;
	bool has_arrived;
	int64_t began_at, at; /* of its arrival, then of its answer */
	struct sim_answer answer;
	struct transfer *next;
};

struct xfer {
	struct turn *turn;
	struct transfer *first;
	size_t count;
};

static struct {
	int64_t now, skew, late_ms;
	size_t turns;
	bool is_halted;
	struct sim_wire wire;
} sim;

/* ---- time ---- */

static int64_t wall(void)
{
	return sim.now + sim.skew;
}

int64_t sim_now(void)
{
	return sim.now;
}

void sim_begin(int64_t at, const struct sim_wire *wire)
{
	sim.now = at;
	sim.skew = 0;
	sim.wire = *wire;
	clock_use(wall, sim_now);
}

void sim_skew(int64_t ahead_ms)
{
	sim.skew = ahead_ms;
}

void sim_be_lazy(int64_t late_ms)
{
	sim.late_ms = late_ms;
}

void sim_pass(int64_t ms)
{
	sim.now += ms;
}

void sim_halt(void)
{
	sim.is_halted = true;
}

size_t sim_turns(void)
{
	return sim.turns;
}

/* ---- turn.h ---- */

struct turn *turn_new(void)
{
	return mem_new(sizeof(struct turn));
}

void turn_free(struct turn **t)
{
	assert((*t)->timers == NULL && (*t)->xfer == NULL);
	mem_free(t);
}

void turn_on_end(struct turn *t, void (*end)(void *arg), void *arg)
{
	t->end = end;
	t->end_arg = arg;
}

void turn_stop(struct turn *t)
{
	t->stopped = true;
}

void turn_wake(struct turn *t)
{
	t->woken = true;
}

void turn_on_signal(struct turn *t, int signal_number, void (*fn)(void *arg, int signal_number),
		    void *arg)
{
	(void)t, (void)signal_number, (void)fn, (void)arg;
}

struct timer *timer_new(struct turn *t, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = mem_new(sizeof(*timer));

	*timer = (struct timer){ .turn = t, .fn = fn, .arg = arg, .at = -1, .next = t->timers };
	t->timers = timer;
	return timer;
}

void timer_free(struct timer **timer)
{
	if (*timer == NULL)
		return;
	struct timer **p = &(*timer)->turn->timers;

	while (*p != *timer)
		p = &(*p)->next;
	*p = (*timer)->next;
	mem_free(timer);
}

void timer_set(struct timer *timer, int64_t wait_ms)
{
	timer->is_tick = timer->fires && wait_ms > 0 && wait_ms == timer->wait_ms;
	timer->wait_ms = wait_ms;
	timer->at = sim.now + (wait_ms > 0 ? wait_ms : 0);
	timer->set_in_turn = timer->turn->count;
}

void timer_stop(struct timer *timer)
{
	timer->at = -1;
}

void *turn_loop(struct turn *t)
{
	(void)t;
	return NULL;
}

/* ---- xfer.h ---- */

struct xfer *xfer_new(struct turn *t)
{
	struct xfer *x = mem_new(sizeof(*x));

	x->turn = t;
	t->xfer = x;
	return x;
}

void xfer_free(struct xfer **x)
{
	if (*x == NULL)
		return;
	assert((*x)->count == 0);
	(*x)->turn->xfer = NULL;
	mem_free(x);
}

size_t xfer_count(const struct xfer *x)
{
	return x->count;
}

void xfer_start(struct xfer *x, struct request *r,
		void (*done)(void *arg, const struct reply *reply), void *arg)
{
	struct transfer *t = mem_new(sizeof(*t)), **last = &x->first;

	/* Transfers are started from the end of a turn and nowhere else. */
	assert(x->turn->in_end);
	*t = (struct transfer){ .request = *r, .done = done, .arg = arg, .began_at = sim.now };
	request_init(r, REQUEST_HTTP);
	t->answer = (struct sim_answer){ .kind = REPLY_ANSWERED, .status = 200 };
	buf_init(&t->answer.body, 64 << 20);
	buf_init(&t->answer.headers, 64 << 10);
	t->at = sim.now + sim.wire.leave(sim.wire.arg, &t->request);
	while (*last != NULL)
		last = &(*last)->next;
	*last = t;
	x->count++;
}

static int64_t timeout_of(const struct transfer *t)
{
	return t->began_at + (t->request.timeout_ms > 0 ? t->request.timeout_ms : 30 * SECOND);
}

static void arrive(struct transfer *t)
{
	int64_t timeout_at = timeout_of(t);

	t->has_arrived = true;
	sim.wire.arrive(sim.wire.arg, &t->request, &t->answer);
	t->at = sim.now + t->answer.way_back_ms;
	if (t->answer.hangs || t->at > timeout_at) {
		t->answer.kind = REPLY_TIMEOUT;
		t->at = timeout_at > sim.now ? timeout_at : sim.now;
	}
}

static const char *error_of(enum reply_kind kind)
{
	static const char *const texts[] = {
		[REPLY_ANSWERED] = "",
		[REPLY_RESOLVE] = "cannot resolve the name",
		[REPLY_CONNECT] = "connection refused",
		[REPLY_TLS] = "certificate",
		[REPLY_LOGIN] = "login",
		[REPLY_TIMEOUT] = "timeout",
		[REPLY_CUT] = "the connection was cut",
		[REPLY_TOO_LARGE] = "more than 8 MiB",
		[REPLY_GARBLED] = "garbled",
		[REPLY_LOCAL] = "local",
	};
	return texts[kind];
}

static void finish(struct xfer *x, struct transfer *t, enum reply_kind kind)
{
	struct transfer **p = &x->first;
	bool answered = kind == REPLY_ANSWERED;
	struct reply reply = { .kind = kind,
			       .status = answered ? t->answer.status : 0,
			       .maybe_sent = !t->answer.unsent &&
					     (kind == REPLY_CUT || kind == REPLY_TIMEOUT),
			       .body = answered ? t->answer.body.data : "",
			       .body_len = answered ? t->answer.body.len : 0,
			       .headers = answered ? t->answer.headers.data : "",
			       .took_ms = sim.now - t->began_at,
			       .at = wall(),
			       .error = error_of(kind) };

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	x->count--;
	sim.wire.back(sim.wire.arg, &t->request, &reply);
	t->done(t->arg, &reply);
	request_release(&t->request);
	buf_release(&t->answer.body);
	buf_release(&t->answer.headers);
	mem_free(&t);
}

void xfer_cut(struct xfer *x)
{
	while (x != NULL && x->first != NULL) {
		struct transfer *t = x->first;

		if (!t->has_arrived && sim.wire.arrives_late(sim.wire.arg, &t->request))
			arrive(t);
		finish(x, t, REPLY_CUT);
	}
}

void sim_cut(struct turn *t)
{
	xfer_cut(t->xfer);
}

/* ---- the loop ---- */

/* When the timer makes a turn, if nothing else does before. */
static int64_t wakes_at(const struct turn *t, const struct timer *timer)
{
	bool is_idle = t->xfer == NULL || t->xfer->first == NULL;

	return timer->is_tick && is_idle ? timer->at + sim.late_ms : timer->at;
}

static int64_t next_at(const struct turn *t, int64_t until)
{
	for (const struct timer *timer = t->timers; timer != NULL; timer = timer->next)
		if (timer->at >= 0 && wakes_at(t, timer) < until)
			until = wakes_at(t, timer);
	if (t->xfer != NULL)
		for (const struct transfer *f = t->xfer->first; f != NULL; f = f->next)
			if (f->at < until)
				until = f->at;
	return until > sim.now ? until : sim.now;
}

/* The earliest timer that is due and was set before this turn; NULL: none. */
static struct timer *due_timer(const struct turn *t)
{
	struct timer *first = NULL;

	for (struct timer *timer = t->timers; timer != NULL; timer = timer->next)
		if (timer->at >= 0 && timer->at <= sim.now && timer->set_in_turn < t->count &&
		    (first == NULL || timer->at < first->at))
			first = timer;
	return first;
}

static struct transfer *due_transfer(const struct turn *t)
{
	struct transfer *first = NULL;

	if (t->xfer == NULL)
		return NULL;
	for (struct transfer *f = t->xfer->first; f != NULL; f = f->next)
		if (f->at <= sim.now && (first == NULL || f->at < first->at))
			first = f;
	return first;
}

static void run_due(struct turn *t)
{
	struct timer *timer;
	struct transfer *f;

	while ((timer = due_timer(t)) != NULL) {
		timer->at = -1;
		timer->fires = true;
		timer->fn(timer->arg);
		timer->fires = false;
	}
	while ((f = due_transfer(t)) != NULL)
		if (f->has_arrived)
			finish(t->xfer, f, f->answer.kind);
		else
			arrive(f);
}

static void check_spin(int64_t *since, size_t *spins)
{
	*spins = *since == sim.now ? *spins + 1 : 0;
	*since = sim.now;
	if (*spins < SPIN_TURNS_MAX)
		return;
	printf("violated: the loop turned %zu times while time stood still\n", *spins);
	abort();
}

bool sim_run(struct turn *t, int64_t until, size_t turns)
{
	int64_t since = -1;
	size_t spins = 0;

	sim.is_halted = false;
	for (size_t n = 0; !t->stopped && !sim.is_halted && (turns == 0 || n < turns); n++) {
		if (!t->woken) {
			if (sim.now >= until)
				break;
			sim.now = next_at(t, until);
		}
		t->woken = false;
		t->count++;
		sim.turns++;
		run_due(t);
		t->in_end = true;
		t->end(t->end_arg);
		t->in_end = false;
		check_spin(&since, &spins);
	}
	bool stopped = t->stopped;

	t->stopped = false;
	return stopped;
}

void turn_run(struct turn *t)
{
	(void)sim_run(t, INT64_MAX, 0);
}
