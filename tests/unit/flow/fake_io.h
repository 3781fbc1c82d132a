/*
 * fake_io: io/turn.h and io/xfer.h by script: no socket, no sleep, a clock moved by hand.
 *
 * A test that includes this defines every function of the two headers itself, so the linker
 * takes none of the real ones; flow runs whole on it. Time stands still while code runs and
 * jumps to the next timer or reply when nothing is left to do. Each request is answered by
 * `fake.answer`, after the delay that it says.
 */
#ifndef TESTS_FLOW_FAKE_IO_H
#define TESTS_FLOW_FAKE_IO_H

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/turn.h"
#include "io/xfer.h"

enum { FAKE_EVENTS_MAX = 512 };

struct timer {
	struct turn *turn;
	void (*fn)(void *arg);
	void *arg;
	int64_t at; /* -1: not set */
	struct timer *next;
};

struct turn {
	void (*end)(void *arg);
	void *end_arg;
	struct timer *timers;
	bool woken, stopped, in_end;
};

/* What a script says to one request. */
struct fake_answer {
	int64_t delay_ms;
	struct reply reply;
	char body[16384];
	const char *long_body; /* borrowed; in place of body */
	char headers[512];
};

struct transfer {
	struct request request;
	void (*done)(void *arg, const struct reply *reply);
	void *arg;
	int64_t at;
	struct fake_answer answer;
	struct transfer *next;
};

struct xfer {
	struct transfer *flying;
	size_t count;
};

static struct {
	int64_t now;     /* the steady clock, by which timers and transfers run */
	int64_t skew;    /* the wall clock is that much ahead; it may jump */
	int64_t stop_at; /* turn_run() returns at this instant */
	struct turn *turn;
	struct xfer *xfer;
	size_t started, most_flying;
	/* Fills the answer to one request; sees everything at the moment of the start. */
	void (*answer)(const struct request *r, struct fake_answer *out);
} fake;

static int64_t fake_steady(void)
{
	return fake.now;
}

static int64_t fake_wall(void)
{
	return fake.now + fake.skew;
}

/* ---- turn ---- */

struct turn *turn_new(void)
{
	fake.turn = mem_new(sizeof(*fake.turn));
	return fake.turn;
}

void turn_free(struct turn **t)
{
	assert((*t)->timers == NULL);
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
	assert(wait_ms >= 0);
	timer->at = fake.now + wait_ms;
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

/* ---- xfer ---- */

struct xfer *xfer_new(struct turn *t)
{
	(void)t;
	fake.xfer = mem_new(sizeof(*fake.xfer));
	return fake.xfer;
}

void xfer_free(struct xfer **x)
{
	if (*x == NULL)
		return;
	assert((*x)->count == 0);
	mem_free(x);
	fake.xfer = NULL;
}

size_t xfer_count(const struct xfer *x)
{
	return x->count;
}

void xfer_start(struct xfer *x, struct request *r,
		void (*done)(void *arg, const struct reply *reply), void *arg)
{
	struct transfer *t = mem_new(sizeof(*t));

	/* Transfers are started from the end of a turn and nowhere else. */
	assert(fake.turn->in_end);
	t->request = *r;
	request_init(r, REQUEST_HTTP);
	t->done = done;
	t->arg = arg;
	t->answer.reply = (struct reply){ .kind = REPLY_ANSWERED, .status = 200, .error = "" };
	fake.answer(&t->request, &t->answer);
	t->at = fake.now + t->answer.delay_ms;
	t->next = x->flying;
	x->flying = t;
	x->count++;
	fake.started++;
	if (x->count > fake.most_flying)
		fake.most_flying = x->count;
}

static void fake_finish(struct xfer *x, struct transfer *t)
{
	struct transfer **p = &x->flying;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	x->count--;
	t->answer.reply.body =
		t->answer.long_body != NULL ? t->answer.long_body : t->answer.body;
	t->answer.reply.body_len = strlen(t->answer.reply.body);
	t->answer.reply.took_ms = t->answer.delay_ms;
	t->answer.reply.headers = t->answer.headers;
	t->answer.reply.at = fake_wall();
	t->done(t->arg, &t->answer.reply);
	request_release(&t->request);
	mem_free(&t);
}

void xfer_cut(struct xfer *x)
{
	while (x->flying != NULL) {
		x->flying->answer.reply =
			(struct reply){ .kind = REPLY_CUT, .maybe_sent = true, .error = "cut" };
		fake_finish(x, x->flying);
	}
}

/* ---- the loop ---- */

static int64_t fake_next_at(const struct turn *t)
{
	int64_t at = fake.stop_at;

	for (const struct timer *timer = t->timers; timer != NULL; timer = timer->next)
		if (timer->at >= 0 && timer->at < at)
			at = timer->at;
	if (fake.xfer != NULL)
		for (const struct transfer *f = fake.xfer->flying; f != NULL; f = f->next)
			if (f->at < at)
				at = f->at;
	return at > fake.now ? at : fake.now;
}

static void fake_run_timers(struct turn *t)
{
	for (struct timer *timer = t->timers; timer != NULL; timer = timer->next)
		if (timer->at >= 0 && timer->at <= fake.now) {
			timer->at = -1;
			timer->fn(timer->arg);
		}
}

static void fake_run_transfers(void)
{
	struct transfer *next;

	if (fake.xfer == NULL)
		return;
	for (struct transfer *f = fake.xfer->flying; f != NULL; f = next) {
		next = f->next;
		if (f->at <= fake.now)
			fake_finish(fake.xfer, f);
	}
}

void turn_run(struct turn *t)
{
	while (!t->stopped && fake.now < fake.stop_at) {
		if (!t->woken)
			fake.now = fake_next_at(t);
		t->woken = false;
		fake_run_timers(t);
		fake_run_transfers();
		t->in_end = true;
		t->end(t->end_arg);
		t->in_end = false;
	}
	t->stopped = false;
}

#endif
